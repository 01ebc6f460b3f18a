//! CSV writer (RFC 4180): lines end with CR LF, and the first line holds the column names.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::table::{TableColumn, TableRows, TableValue};
use super::writer::{CsvOptions, TableEnd, TableError, TableWriter};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// First characters by which a spreadsheet recognizes a formula.
const FORMULA_PREFIXES: [char; 11] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];

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
        if self.escape_formulas && text.starts_with(FORMULA_PREFIXES) { format!("'{text}").into() } else { Cow::Borrowed(text) }
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
