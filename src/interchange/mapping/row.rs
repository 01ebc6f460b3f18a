//! One row of a table, as rules read it.

use std::collections::HashMap;

use csv::StringRecord;

use crate::entity::RecordType;

/// Slugs of records by record type, identifier scheme and identifier value.
pub type SlugsByIdentifier = HashMap<(RecordType, String, String), String>;

/// The cells of one row, addressed by column name.
pub struct TableRow<'r> {
    /// Indices of cells by column name.
    pub columns: &'r HashMap<String, usize>,
    /// Cells in the order of the header.
    pub cells: &'r StringRecord,
    /// Records that the row can refer to by identifier.
    pub slugs: &'r SlugsByIdentifier,
    /// Line on which the row begins, counted from 1.
    pub line: usize,
}

impl TableRow<'_> {
    /// The trimmed cell of a column; empty if the table has no such column.
    pub(super) fn cell(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|index| self.cells.get(*index)).unwrap_or_default().trim()
    }
}
