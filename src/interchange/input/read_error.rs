//! Errors of the content of a file, as the I/O errors that its readers return.

use std::fmt;
use std::io;

/// Why the content of a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Line of the content, counted from 1, if the error is on one.
    pub line: Option<usize>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ReadError {
    /// An error of the whole file.
    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }

    /// The content error that an I/O error carries.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}
