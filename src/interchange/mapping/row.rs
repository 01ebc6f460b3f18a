//! One row of a table, as rules read it.

use std::collections::HashMap;

use csv::StringRecord;

use super::reference::References;

/// The cells of one row, addressed by column name.
#[derive(Clone, Copy)]
pub struct TableRow<'r> {
    /// Indices of cells by column name.
    pub columns: &'r HashMap<String, usize>,
    /// Cells in the order of the header.
    pub cells: &'r StringRecord,
    /// Indices of the cells that are numbers in the file and not texts; their text has a decimal point.
    pub numbers: &'r [usize],
    /// Records that the row can refer to.
    pub references: &'r References,
    /// Line on which the row begins, counted from 1.
    pub line: usize,
}

impl TableRow<'_> {
    /// The trimmed cell of a column. Every column that a mapping reads is in the header, and every row has all cells of the
    /// header, so that only a constant is evaluated without cells.
    pub(super) fn cell(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|index| self.cells.get(*index)).map_or("", str::trim)
    }

    /// Whether the cell of a column is a number in the file and has this text.
    pub(super) fn is_number(&self, column: &str, text: &str) -> bool {
        self.columns.get(column).is_some_and(|index| self.numbers.contains(index)) && self.cell(column) == text
    }
}
