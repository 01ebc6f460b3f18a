//! The published dataset as a Frictionless Data Package (version 2): one table for each type of record and part, and two
//! tables for former slugs and merged ids.
//!
//! Tables are derived from the record declarations, so that a new type needs no code here. Records and parts keep their ids,
//! and rows are independent: an import does not depend on their order.

mod assemble;
mod column;
mod descriptor;
mod digest;
mod error;
pub mod layout;
mod read;
mod row;
mod staging;
mod write;

pub use error::ExportError;
pub use layout::PackageFormat;
pub use read::{Package, read};
pub use write::{ExportOptions, ExportSummary, write};
