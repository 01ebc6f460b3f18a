//! Records counted: statistics of all records of a type, and facets of a list.
//!
//! What records can be divided by is a [`dimension`], what is told of each group a [`measure`]. Both are made from
//! the declarations of the records, and both kinds of counting use the same dimensions.

mod answer;
pub(super) mod decode;
pub mod dimension;
pub mod facet;
mod figure;
mod join;
pub mod measure;
pub mod period;
pub mod question;
mod statement;

pub use answer::{Counted, Group, Key};
