//! Errors of an export.

use std::io;
use std::path::Path;

use crate::core::error::Error;
use crate::tabular::TableError;

/// Why a package was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The directory cannot be used for a package.
    #[error("{0}")]
    UnusableDirectory(String),
    /// A file cannot be written.
    #[error("cannot write {path}: {error}")]
    File {
        /// Path of the file.
        path: String,
        /// The I/O error.
        error: io::Error,
    },
    /// The database failed.
    #[error("cannot read the dataset: {0}")]
    Store(#[from] Error),
    /// A table cannot be represented in its format.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl ExportError {
    pub(super) fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.display().to_string(), error }
    }
}
