//! Records counted: statistics of all records of a type, and facets of a list.
//!
//! What records can be divided by is a [`dimension`], what is told of each group a [`measure`]. Both are made from
//! the declarations of the records, and both kinds of counting use the same dimensions.

pub(super) mod decode;
pub mod facet;
mod join;
mod measures;
pub mod query;
mod result;
mod statement;

pub use crate::store::aggregate::result::{AggregateResult, Group, GroupKey};
