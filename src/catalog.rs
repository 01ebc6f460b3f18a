//! The catalog: what each type of record is, declared once. Everything that is shared between types is built from it.

pub mod dimension;
pub mod measure;
pub mod period;
pub mod record;
mod records;
