//! Formats that a table can be written in.

/// A file format for tables. Its text form is the file extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownTableFormat, parse_err_fn = UnknownTableFormat::new)]
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

/// The name of a table format is unknown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown table format \"{0}\"; use csv, ndjson, json, xlsx or parquet")]
pub struct UnknownTableFormat(pub String);

impl UnknownTableFormat {
    /// Longest quotation of the name, in characters.
    const MAX_QUOTED_CHARS: usize = 80;

    fn new(name: &str) -> Self {
        Self(name.chars().take(Self::MAX_QUOTED_CHARS).collect())
    }
}

impl TableFormat {
    /// File extension, without a dot.
    pub fn extension(self) -> &'static str {
        self.into()
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
