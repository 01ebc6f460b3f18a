//! Mappings from the columns of tables to the fields of records, written by hand in YAML.

mod completeness;
mod condition;
pub(super) mod convert;
mod date;
mod month;
mod number;
mod option;
mod parse;
mod parse_rule;
mod position;
mod reference;
mod row;
mod rule;
mod template;
mod tree;

pub use convert::{ColumnUse, Mapping, RecordMapping};
pub use reference::{LookupBy, Reference, References};
pub use row::TableRow;
pub use tree::{MappedProblem, MappedTree};
