//! Tables: typed columns and rows, and their serialization as CSV, JSON, NDJSON, XLSX or Parquet.
//!
//! Writers take rows in batches, so that memory is bounded by a batch and not by the table. This module knows neither
//! GraphQL nor HTTP.

mod csv;
mod format;
mod json;
mod parquet;
mod table;
mod writer;
mod xlsx;

pub use format::{TableFormat, UnknownTableFormat};
pub use table::{ColumnType, TableColumn, TableRows, TableValue};
pub use writer::{CsvOptions, TableEnd, TableError, TableWriter};

impl TableFormat {
    /// Opens a writer for a table with these columns. `options` apply to CSV only.
    ///
    /// # Errors
    /// [`TableError::TooManyColumns`] if the format limits them; [`TableError::Other`] if the header cannot be written.
    pub fn writer(self, columns: &[TableColumn], options: CsvOptions) -> Result<Box<dyn TableWriter>, TableError> {
        Ok(match self {
            Self::Csv => Box::new(csv::CsvTableWriter::new(columns, options)?),
            Self::Ndjson => Box::new(json::JsonTableWriter::ndjson(columns)),
            Self::Json => Box::new(json::JsonTableWriter::array(columns)),
            Self::Xlsx => Box::new(xlsx::XlsxTableWriter::new(columns)?),
            Self::Parquet => Box::new(parquet::ParquetTableWriter::new(columns)?),
        })
    }
}
