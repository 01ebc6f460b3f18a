//! Formats that a table can be written in.

use std::str::FromStr;

/// A file format for tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated values (RFC 4180) in UTF-8.
    Csv,
    /// Newline-delimited JSON: one object per line for each row.
    Ndjson,
    /// A JSON array with an object for each row.
    Json,
    /// An Excel workbook (Office Open XML).
    Xlsx,
    /// Apache Parquet.
    Parquet,
}

/// Characters of an unknown format that the error repeats.
const UNKNOWN_FORMAT_CHARS: usize = 80;

/// The name of a table format is unknown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown table format \"{0}\"; use csv, ndjson, json, xlsx or parquet")]
pub struct UnknownTableFormat(pub String);

impl FromStr for TableFormat {
    type Err = UnknownTableFormat;

    /// Parses a file extension.
    fn from_str(text: &str) -> Result<Self, UnknownTableFormat> {
        let unknown = || UnknownTableFormat(text.chars().take(UNKNOWN_FORMAT_CHARS).collect());
        Self::ALL.into_iter().find(|format| format.extension() == text).ok_or_else(unknown)
    }
}

impl TableFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Ndjson, Self::Json, Self::Xlsx, Self::Parquet];

    /// File extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// Media type with its parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Whether the writer returns no bytes before the table is finished, so that it cannot be streamed.
    pub fn is_buffered(self) -> bool {
        match self {
            Self::Xlsx => true,
            Self::Csv | Self::Ndjson | Self::Json | Self::Parquet => false,
        }
    }
}
