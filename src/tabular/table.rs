//! Columns, rows and values of a table.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};

/// Type of the values in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    Text,
    /// A partial date as sortable text: `2013`, `2013-08` or `2013-08-22`.
    Date,
    /// A 64-bit signed integer.
    Integer,
    /// A 64-bit floating-point number.
    Number,
    /// True or false.
    Boolean,
    /// An instant in UTC.
    Instant,
    /// A JSON object or array; formats without nested values store its text.
    Json,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Name: the path to the value, separated by dots.
    pub name: String,
    /// Type of the values.
    pub ty: ColumnType,
}

/// A value in a table.
#[derive(Debug, Clone, PartialEq)]
pub enum TableValue<'a> {
    /// Unknown or absent.
    Null,
    /// Text, or a partial date.
    Text(Cow<'a, str>),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// An instant in UTC.
    Instant(DateTime<Utc>),
    /// A JSON object or array, serialized.
    Json(Cow<'a, str>),
}

impl<'a> TableValue<'a> {
    /// Borrows a text.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// The same value without borrowed data.
    pub fn into_owned(self) -> TableValue<'static> {
        match self {
            Self::Null => TableValue::Null,
            Self::Text(text) => TableValue::Text(Cow::Owned(text.into_owned())),
            Self::Integer(number) => TableValue::Integer(number),
            Self::Number(number) => TableValue::Number(number),
            Self::Boolean(boolean) => TableValue::Boolean(boolean),
            Self::Instant(instant) => TableValue::Instant(instant),
            Self::Json(json) => TableValue::Json(Cow::Owned(json.into_owned())),
        }
    }

    /// Formats the value as text: instants as in RFC 3339, null as an empty text.
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

/// A batch of rows, stored value by value.
#[derive(Debug, Clone, Default)]
pub struct TableRows<'a> {
    width: usize,
    values: Vec<TableValue<'a>>,
}

impl<'a> TableRows<'a> {
    /// An empty batch for a table with `width` columns.
    pub fn new(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    /// Appends a value; every `width` values make a row.
    pub fn push(&mut self, value: TableValue<'a>) {
        self.values.push(value);
    }

    /// Keeps the first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows.saturating_mul(self.width));
    }

    /// Number of complete rows.
    pub fn count(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// Iterates over complete rows.
    pub fn iter(&self) -> impl Iterator<Item = &[TableValue<'a>]> {
        self.values.chunks_exact(self.width.max(1))
    }
}
