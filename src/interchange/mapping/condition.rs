//! Conditions on the cell of a column.

use super::row::TableRow;

/// A condition: the cell of a column is one of these texts, or none of them.
#[derive(Debug)]
pub(super) struct Condition {
    /// Place of the condition in the mapping.
    pub(super) path: String,
    /// Column that is compared.
    pub(super) column: String,
    /// Texts that the cell is compared with; an empty text is an empty cell.
    pub(super) texts: Vec<String>,
    /// Whether the cell must be none of the texts.
    pub(super) is_negated: bool,
}

impl Condition {
    /// Whether the condition holds for a row.
    pub(super) fn holds(&self, row: &TableRow<'_>) -> bool {
        let cell = row.cell(&self.column);
        self.texts.iter().any(|text| text == cell) != self.is_negated
    }
}
