//! Aggregation: statistics of all records of a type, and facets of a list.
//!
//! Records are grouped by [dimensions](crate::catalog::dimension), and each group has
//! [measures](crate::catalog::measure). Both are derived from the declarations of the records; statistics and facets share
//! the dimensions.

mod decode;
mod execute;
pub mod facet;
mod join;
mod measures;
pub mod query;
mod result;
mod statement;

pub use crate::store::aggregate::result::{AggregateResult, Group, GroupKey};
