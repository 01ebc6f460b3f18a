//! Full-text search: the index and its queries.

pub mod index;
pub mod query;
mod reindex;
