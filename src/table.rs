//! Tables: typed columns and rows, and the formats they are written in, row by row, so that a table of any length takes
//! the memory of a part of it.

mod csv;
mod json;
mod parquet;
mod xlsx;

use std::borrow::Cow;
use std::fs::File;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text of any kind.
    Text,
    /// A partial date, as text that sorts: `2013`, `2013-08` or `2013-08-22`.
    Date,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// An instant in UTC.
    Instant,
    /// A map or a list, as JSON. Formats without such values have it as text.
    Json,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, the same for every row: the path to the value, with dots.
    pub name: String,
    /// What its values are.
    pub ty: Type,
}

/// A value in a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Unknown, or not there.
    Null,
    /// Text, or a partial date.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// An instant.
    Instant(DateTime<Utc>),
    /// A map or a list, as the text of its JSON.
    Json(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// Text that lives as long as what it was read from.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// The same value, which lives as long as it has to.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Integer(number) => Value::Integer(number),
            Self::Number(number) => Value::Number(number),
            Self::Boolean(boolean) => Value::Boolean(boolean),
            Self::Instant(instant) => Value::Instant(instant),
            Self::Json(json) => Value::Json(Cow::Owned(json.into_owned())),
        }
    }

    /// The value as text: instants as in RFC 3339, nothing where it is unknown.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Text(text) | Self::Json(text) => Cow::Borrowed(text),
            Self::Integer(number) => number.to_string().into(),
            Self::Number(number) => number.to_string().into(),
            Self::Boolean(boolean) => Cow::Borrowed(if *boolean { "true" } else { "false" }),
            Self::Instant(instant) => instant.to_rfc3339_opts(SecondsFormat::Micros, true).into(),
        }
    }
}

/// Some rows of a table, value by value.
#[derive(Debug, Clone, Default)]
pub struct Rows<'a> {
    width: usize,
    values: Vec<Value<'a>>,
}

impl<'a> Rows<'a> {
    /// No rows so far, of this many columns.
    pub fn new(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    /// Adds a value to the row that is being made; a row ends where it has a value for each column.
    pub fn push(&mut self, value: Value<'a>) {
        self.values.push(value);
    }

    /// Forgets rows beyond this many.
    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows.saturating_mul(self.width));
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = &[Value<'a>]> {
        self.values.chunks_exact(self.width.max(1))
    }
}

/// A format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, after RFC 4180, in UTF-8.
    Csv,
    /// A JSON object for each row, each on a line.
    Ndjson,
    /// An array with a JSON object for each row.
    Json,
    /// A workbook of Excel (Office Open XML).
    Xlsx,
    /// Apache Parquet.
    Parquet,
}

/// Why a text is not a format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a format of tables: write csv, ndjson, json, xlsx or parquet")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.extension() == text).ok_or_else(|| UnknownFormat(text.chars().take(80).collect()))
    }
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// CSV begins with a byte order mark, by which Excel knows UTF-8.
    pub bom: bool,
    /// CSV has an apostrophe before texts that a spreadsheet would run as a formula.
    pub safe: bool,
}

/// Why a table cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The format has no room for so many rows.
    #[error("{format} holds {most} rows at most; take CSV or Parquet, or narrow the filter")]
    TooLong {
        /// Name of the format.
        format: &'static str,
        /// Rows it has room for.
        most: u32,
    },
    /// The format has no room for so many columns.
    #[error("{format} holds {most} columns at most; ask for fewer fields")]
    TooWide {
        /// Name of the format.
        format: &'static str,
        /// Columns it has room for.
        most: u32,
    },
    /// The writer of the format failed.
    #[error("the table could not be written: {0}")]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Problem {
    fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

/// The end of a table that is written.
#[derive(Debug)]
pub enum End {
    /// The last of its bytes.
    Bytes(Vec<u8>),
    /// All of it, in a file without a name: the format can be written only as a whole.
    Whole(File),
}

/// Writes a table in one format.
pub trait Writer: Send {
    /// Writes rows; gives the bytes that are ready.
    fn rows(&mut self, rows: &Rows<'_>) -> Result<Vec<u8>, Problem>;

    /// Ends the table.
    fn end(self: Box<Self>) -> Result<End, Problem>;
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Ndjson, Self::Json, Self::Xlsx, Self::Parquet];

    /// How names of files of this format end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Whether nothing of a table is ready before all of it is.
    pub fn is_whole(self) -> bool {
        self == Self::Xlsx
    }

    /// A writer of a table with these columns.
    pub fn writer(self, columns: &[Column], options: Options) -> Result<Box<dyn Writer>, Problem> {
        Ok(match self {
            Self::Csv => Box::new(csv::Csv::new(columns, options)?),
            Self::Ndjson => Box::new(json::Json::lines(columns)),
            Self::Json => Box::new(json::Json::array(columns)),
            Self::Xlsx => Box::new(xlsx::Xlsx::new(columns)?),
            Self::Parquet => Box::new(parquet::Parquet::new(columns)?),
        })
    }
}
