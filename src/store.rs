//! The store: all reads and writes of the dataset.

pub mod access;
pub mod aggregate;
pub mod care;
pub mod curation;
pub mod db;
pub mod draft;
pub mod error;
pub mod handle;
pub mod history;
pub mod likeness;
pub mod read;
pub mod search;
pub mod sql;
pub mod write;

pub use crate::store::db::pool::{StoreOptions, scanner_connections};
pub(crate) use crate::store::error::database;
pub use crate::store::error::is_corrupt;
pub use crate::store::handle::Store;
