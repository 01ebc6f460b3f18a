//! Converts the rows of tables, which are CSV, TSV or sheets of XLSX, to records according to a mapping.

mod cells;
mod header;
mod quotes;
mod rows;
mod sheet;
mod sheet_cell;

use std::io::BufRead;
use std::sync::Arc;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use crate::interchange::input::compression::uncompressed_name;
use crate::interchange::line_tracker::{LineTracker, line_of};
use crate::interchange::mapping::{Mapping, RecordMapping, References};
use crate::interchange::problem::{invalid_utf8, line_problem, unreadable};
use crate::store::draft::InputProblem;
use cells::CellCleaner;
use header::{Header, skip_to_header};
use quotes::{QuoteChecker, QuoteError};
use rows::RowConverter;
use sheet::SheetRow;

pub use rows::RowResult;
pub use sheet::{SheetTable, read_workbook};

/// A table whose header has been read and has every column that its mapping uses.
pub struct MappedTable {
    file: Arc<str>,
    mapping: Arc<Mapping>,
    header: Header,
    reader: Reader<LineTracker<QuoteChecker<Box<dyn BufRead + Send>>>>,
}

impl MappedTable {
    /// Reads the header and checks it against the mapping. Also returns the columns that the mapping neither uses nor ignores.
    pub fn open(
        file: &Arc<str>,
        mut reader: Box<dyn BufRead + Send>,
        mapping: &Arc<Mapping>,
    ) -> Result<(Self, Vec<String>), Vec<InputProblem>> {
        let separator = mapping.separator.unwrap_or(if uncompressed_name(file).ends_with(".tsv") { b'\t' } else { b',' });
        skip_to_header(file, &mut reader, mapping.header_line).map_err(|problem| vec![problem])?;
        let checker = QuoteChecker::new(reader, separator, mapping.header_line);
        let tracker = LineTracker::starting_at(checker, mapping.header_line);
        let mut reader = ReaderBuilder::new().delimiter(separator).from_reader(tracker);
        let mut cells = match reader.headers() {
            Ok(cells) => cells.clone(),
            Err(error) => return Err(vec![csv_problem(file, line_of(&mut reader, error.position()), &error)]),
        };
        CellCleaner::default().clean(mapping.header_line, &mut cells);
        let header = Header::new(&cells);
        let unused = header.check(file, mapping)?;
        Ok((Self { file: file.clone(), mapping: mapping.clone(), header, reader }, unused))
    }

    /// Whether rows refer to records by identifier or URL, so that these must be resolved before rows are converted.
    pub fn has_lookups(&self) -> bool {
        self.mapping.records_of(&self.file).into_iter().any(RecordMapping::has_lookups)
    }

    /// Converts row by row and passes each result to `emit`. A row with a wrong number of cells is a problem of that row; any
    /// other error of the reader ends the table. Returns the number of rows of which the mapping makes no record, and a note of
    /// what was removed from cells.
    pub fn read_rows(mut self, references: &References, mut emit: impl FnMut(RowResult)) -> (usize, Option<String>) {
        let mut cleaner = CellCleaner::default();
        let mut converter = RowConverter::new(&self.file, &self.mapping, &self.header, references);
        let mut cells = StringRecord::new();
        loop {
            match self.reader.read_record(&mut cells) {
                Ok(false) => break,
                Ok(true) => {
                    let line = line_of(&mut self.reader, cells.position());
                    cleaner.clean(line, &mut cells);
                    converter.convert(line, &cells, &[], &mut emit);
                }
                Err(error) => {
                    emit(Err(vec![csv_problem(&self.file, line_of(&mut self.reader, error.position()), &error)]));
                    if !matches!(error.kind(), ErrorKind::UnequalLengths { .. }) {
                        break;
                    }
                }
            }
        }
        (converter.finish(&mut emit), cleaner.note(&self.file))
    }

    /// Reads all rows into memory, to convert them once their references are resolved.
    pub fn buffer(mut self) -> Result<BufferedTable, Vec<InputProblem>> {
        let mut rows = Vec::new();
        let mut problems = Vec::new();
        let mut cleaner = CellCleaner::default();
        loop {
            let mut cells = StringRecord::new();
            match self.reader.read_record(&mut cells) {
                Ok(false) => break,
                Ok(true) => {
                    let line = line_of(&mut self.reader, cells.position());
                    cleaner.clean(line, &mut cells);
                    rows.push(BufferedRow::Complete(line, cells));
                }
                Err(error) => {
                    problems.push(csv_problem(&self.file, line_of(&mut self.reader, error.position()), &error));
                    if !matches!(error.kind(), ErrorKind::UnequalLengths { .. }) {
                        break;
                    }
                }
            }
        }
        let Self { file, mapping, header, reader: _ } = self;
        if problems.is_empty() { Ok(BufferedTable { note: cleaner.note(&file), file, mapping, header, rows }) } else { Err(problems) }
    }
}

/// A table in memory whose rows wait until the records that they refer to are resolved.
pub struct BufferedTable {
    file: Arc<str>,
    mapping: Arc<Mapping>,
    header: Header,
    rows: Vec<BufferedRow>,
    /// What was removed from cells.
    note: Option<String>,
}

/// A row in memory.
enum BufferedRow {
    /// The line of a row with all cells of the header.
    Complete(usize, StringRecord),
    /// A row of a sheet, which has some of the cells.
    Sparse(SheetRow),
}

impl BufferedTable {
    /// What was removed from cells, if anything was.
    pub fn note(&self) -> Option<&String> {
        self.note.as_ref()
    }

    /// Name of the file.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Whether rows refer to records by identifier or URL, so that these must be resolved before rows are converted.
    pub fn has_lookups(&self) -> bool {
        self.mapping.records_of(&self.file).into_iter().any(RecordMapping::has_lookups)
    }

    /// Converts every row and passes each result to `emit`. Returns the number of rows of which the mapping makes no record.
    pub fn convert_rows(&self, references: &References, mut emit: impl FnMut(RowResult)) -> usize {
        let mut converter = RowConverter::new(&self.file, &self.mapping, &self.header, references);
        for row in &self.rows {
            match row {
                BufferedRow::Complete(line, cells) => converter.convert(*line, cells, &[], &mut emit),
                BufferedRow::Sparse(row) => converter.convert(row.line, &row.cells(self.header.width()), &row.numbers, &mut emit),
            }
        }
        converter.finish(&mut emit)
    }
}

fn csv_problem(file: &Arc<str>, line: usize, error: &csv::Error) -> InputProblem {
    match error.kind() {
        ErrorKind::Utf8 { .. } => invalid_utf8(file, line),
        ErrorKind::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<QuoteError>()) {
            Some(error) => line_problem(file, Some(error.line), error.to_string()),
            None => unreadable(file, error),
        },
        ErrorKind::UnequalLengths { expected_len, len, .. } => line_problem(
            file,
            Some(line),
            format!("the row has {len} cells but the header has {expected_len}; quote cells that contain the separator"),
        ),
        _ => line_problem(file, Some(line), format!("invalid CSV: {error}")),
    }
}
