//! Comma-separated values, after RFC 4180: lines end with CR LF, and the first has the names of the columns.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::{Column, End, Options, Problem, Rows, Value, Writer};

const BOM: &[u8] = "\u{feff}".as_bytes();
/// Signs that make a spreadsheet take a text for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(super) struct Csv {
    writer: csv::Writer<Vec<u8>>,
    options: Options,
}

impl Csv {
    pub(super) fn new(columns: &[Column], options: Options) -> Result<Self, Problem> {
        let start = if options.bom { BOM.to_vec() } else { Vec::new() };
        let mut csv = Self { writer: writer(start), options };
        csv.writer.write_record(columns.iter().map(|column| csv.options.shown(&column.name).into_owned())).map_err(Problem::other)?;
        Ok(csv)
    }

    fn take(&mut self) -> Result<Vec<u8>, Problem> {
        let full = std::mem::replace(&mut self.writer, writer(Vec::new()));
        full.into_inner().map_err(|error| Problem::other(error.into_error()))
    }
}

fn writer(start: Vec<u8>) -> csv::Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(start)
}

impl Options {
    /// A text as a cell shows it. Numbers are numbers to a spreadsheet, also below zero, and stay as they are.
    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.safe && text.starts_with(FORMULA) {
            true => format!("'{text}").into(),
            false => Cow::Borrowed(text),
        }
    }
}

impl Writer for Csv {
    fn rows(&mut self, rows: &Rows<'_>) -> Result<Vec<u8>, Problem> {
        for row in rows.iter() {
            for value in row {
                let written = match value {
                    Value::Text(text) => self.writer.write_field(self.options.shown(text).as_bytes()),
                    other => self.writer.write_field(other.to_text().as_bytes()),
                };
                written.map_err(Problem::other)?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(Problem::other)?;
        }
        self.take()
    }

    fn end(mut self: Box<Self>) -> Result<End, Problem> {
        self.take().map(End::Bytes)
    }
}
