//! Tables in memory, whose rows are converted once their references are resolved.

use std::sync::Arc;

use csv::StringRecord;

use super::header::Header;
use super::rows::{RowConverter, RowResult};
use crate::interchange::mapping::{Mapping, RecordMapping, References};

/// A table in memory whose rows wait until the records that they refer to are resolved.
pub struct BufferedTable {
    pub(super) file: Arc<str>,
    pub(super) mapping: Arc<Mapping>,
    pub(super) header: Header,
    pub(super) rows: Vec<BufferedRow>,
    /// What was removed from cells.
    pub(super) note: Option<String>,
}

/// A row in memory.
pub(super) enum BufferedRow {
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

/// The cells of a row that have a value.
pub(super) struct SheetRow {
    /// Number of the row, counted from 1.
    pub(super) line: usize,
    /// Index of the column of each cell.
    pub(super) columns: Vec<usize>,
    pub(super) cells: StringRecord,
    /// Indices of the columns of those that are numbers.
    pub(super) numbers: Vec<usize>,
}

impl SheetRow {
    /// All cells of a header with this many columns.
    pub(super) fn cells(&self, width: usize) -> StringRecord {
        let mut cells = StringRecord::new();
        let mut given = self.columns.iter().zip(&self.cells).peekable();
        for column in 0..width {
            let cell = given.next_if(|(at, _)| **at == column).map_or("", |(_, cell)| cell);
            cells.push_field(cell);
        }
        cells
    }
}
