//! Mappings from the columns of a table to the fields of records, written by hand in YAML.

mod convert;
mod parse;
mod row;
mod rule;

pub use convert::Mapping;
pub use row::{SlugsByIdentifier, TableRow};
pub use rule::FieldRule;
