//! Converts the rows of tables, which are CSV, TSV or sheets of XLSX, to records according to a mapping.

mod buffered;
mod cells;
mod header;
mod merged_cells;
mod quotes;
mod refused;
mod refused_sheet;
mod rows;
mod sheet;
mod sheet_cell;
mod syntax;

use std::io::BufRead;
use std::sync::Arc;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use crate::interchange::line_tracker::{LineTracker, line_of};
use crate::interchange::mapping::{Mapping, RecordMapping, References};
use crate::store::draft::InputProblem;
use buffered::BufferedRow;
use cells::CellCleaner;
use header::{Header, skip_to_header};
use quotes::QuoteChecker;
use rows::RowConverter;
use syntax::{csv_problem, separator};

pub use buffered::BufferedTable;
pub use refused::copy_rows;
pub use refused_sheet::copy_sheet_rows;
pub use rows::{RowError, RowResult};
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
        let separator = separator(file, mapping);
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
                    let problem = csv_problem(&self.file, line_of(&mut self.reader, error.position()), &error);
                    if matches!(error.kind(), ErrorKind::UnequalLengths { .. }) {
                        emit(Err(RowError::Row(vec![problem])));
                    } else {
                        emit(Err(RowError::Table(problem)));
                        break;
                    }
                }
            }
        }
        (converter.finish(&mut emit), cleaner.note(&self.file))
    }

    /// Reads all rows into memory, to convert them once their references are resolved. Also returns the problems of the rows
    /// that cannot be.
    pub fn buffer(mut self) -> Result<(BufferedTable, Vec<InputProblem>), Vec<InputProblem>> {
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
                        return Err(problems);
                    }
                }
            }
        }
        let Self { file, mapping, header, reader: _ } = self;
        Ok((BufferedTable { note: cleaner.note(&file), file, mapping, header, rows }, problems))
    }
}
