//! Interface of the table writers, their options and their errors.

use std::fs::File;

use super::table::TableRows;

/// Options of CSV output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CsvOptions {
    /// Begin with a byte order mark, by which Excel recognizes UTF-8.
    pub bom: bool,
    /// Prefix texts that a spreadsheet would evaluate as a formula with an apostrophe.
    pub escape_formulas: bool,
}

/// Error while writing a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The table has more rows than the format supports.
    #[error("{format} supports at most {max} rows; use CSV or Parquet, or narrow the filter")]
    TooManyRows {
        /// Name of the format.
        format: &'static str,
        /// Maximum number of rows.
        max: u32,
    },
    /// The table has more columns than the format supports.
    #[error("{format} supports at most {max} columns; select fewer fields")]
    TooManyColumns {
        /// Name of the format.
        format: &'static str,
        /// Maximum number of columns.
        max: u32,
    },
    /// The encoder of the format failed.
    #[error("cannot write the table: {0}")]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl TableError {
    pub(super) fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

/// Final output of a table writer.
#[derive(Debug)]
pub enum TableEnd {
    /// The remaining bytes of a streamed format.
    Bytes(Vec<u8>),
    /// The complete table of a buffered format, in an unnamed temporary file positioned at its beginning.
    File(File),
}

/// Writes a table in one format.
pub trait TableWriter: Send {
    /// Writes a batch of rows and returns the bytes that are ready to be sent, possibly none.
    ///
    /// # Errors
    /// [`TableError::TooManyRows`] if the format limits them; [`TableError::Other`] if the encoder fails.
    fn write_rows(&mut self, rows: &TableRows<'_>) -> Result<Vec<u8>, TableError>;

    /// Finishes the table.
    ///
    /// # Errors
    /// [`TableError::Other`] if the encoder fails.
    fn finish(self: Box<Self>) -> Result<TableEnd, TableError>;
}
