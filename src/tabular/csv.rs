//! CSV writer (RFC 4180): lines end with CR LF, and the first line holds the column names.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::table::{TableColumn, TableRows, TableValue};
use super::writer::{CsvOptions, TableEnd, TableError, TableWriter};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// First characters by which a spreadsheet recognizes a formula.
const FORMULA_PREFIXES: [char; 15] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '\t', '\r', '\n'];
/// Invisible characters that a spreadsheet may skip before a formula.
const INVISIBLE_PREFIXES: [char; 9] =
    ['\u{feff}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}'];

pub(super) struct CsvTableWriter {
    writer: csv::Writer<Vec<u8>>,
    options: CsvOptions,
}

impl CsvTableWriter {
    pub(super) fn new(columns: &[TableColumn], options: CsvOptions) -> Result<Self, TableError> {
        let start = if options.bom { BYTE_ORDER_MARK.to_vec() } else { Vec::new() };
        let mut writer = encoder(start);
        writer.write_record(columns.iter().map(|column| options.escape(&column.name).into_owned())).map_err(TableError::other)?;
        Ok(Self { writer, options })
    }

    /// Removes and returns the encoded bytes.
    fn take_bytes(&mut self) -> Result<Vec<u8>, TableError> {
        let full = std::mem::replace(&mut self.writer, encoder(Vec::new()));
        full.into_inner().map_err(|error| TableError::other(error.into_error()))
    }
}

fn encoder(start: Vec<u8>) -> csv::Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(start)
}

impl CsvOptions {
    /// Escapes a text that looks like a formula. Numbers are not texts: a negative one stays as it is.
    fn escape(self, text: &str) -> Cow<'_, str> {
        let is_formula = text.trim_start_matches(INVISIBLE_PREFIXES).starts_with(FORMULA_PREFIXES);
        if self.escape_formulas && is_formula { format!("'{text}").into() } else { Cow::Borrowed(text) }
    }
}

impl TableWriter for CsvTableWriter {
    fn write_rows(&mut self, rows: &TableRows<'_>) -> Result<Vec<u8>, TableError> {
        for row in rows.iter() {
            for value in row {
                let result = match value {
                    TableValue::Text(text) => self.writer.write_field(self.options.escape(text).as_bytes()),
                    other => self.writer.write_field(other.to_text().as_bytes()),
                };
                result.map_err(TableError::other)?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(TableError::other)?;
        }
        self.take_bytes()
    }

    fn finish(mut self: Box<Self>) -> Result<TableEnd, TableError> {
        self.take_bytes().map(TableEnd::Bytes)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("=1+1", "'=1+1")]
    #[case("＝1", "'＝1")]
    #[case("＠SUM(A1)", "'＠SUM(A1)")]
    #[case("﹣1", "'﹣1")]
    #[case("\t=1", "'\t=1")]
    #[case("\u{200b}\u{202e}=1", "'\u{200b}\u{202e}=1")]
    #[case("1-1", "1-1")]
    #[case("\u{feff}plain", "\u{feff}plain")]
    fn text_that_looks_like_a_formula_is_escaped(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(CsvOptions { bom: false, escape_formulas: true }.escape(text), expected);
        assert_eq!(CsvOptions { bom: false, escape_formulas: false }.escape(text), text);
    }
}
