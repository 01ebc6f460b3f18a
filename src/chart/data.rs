//! The table that is drawn.

use chrono::{DateTime, NaiveDate};

use crate::error::{Error, bad_input};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Numbers.
    Number,
    /// Dates, whole or partial, and instants.
    Date,
    /// Anything else, as text.
    Text,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub ty: Type,
}

/// A value; dates are texts as the API gives them.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Unknown.
    Null,
    /// A number.
    Number(f64),
    /// A text or a date.
    Text(String),
}

/// Columns and rows; every row has a value for each column.
#[derive(Debug, Clone, Default)]
pub struct Data {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

impl Data {
    /// The place of a column among the columns; the error says which there are.
    pub(super) fn column(&self, parameter: &str, name: &str) -> Result<usize, Error> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            bad_input(parameter, format!("there is no column \"{name}\"; the columns are {}", names.join(", ")))
        })
    }
}

/// Days from 1970 to the beginning of a date; a year begins on 1 January.
pub(super) fn days(text: &str) -> Option<f64> {
    let date = match text.len() {
        4 => NaiveDate::from_ymd_opt(text.parse().ok()?, 1, 1),
        7 => NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok(),
        10 => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
        _ => return DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.timestamp() as f64 / 86_400.0),
    };
    date.map(|date| date.signed_duration_since(NaiveDate::default()).num_days() as f64)
}
