//! Cleans the cells of a table before anything is compared with them.

use std::borrow::Cow;
use std::sync::Arc;

use csv::StringRecord;

use crate::core::text::{cleaned, is_invisible};

/// Cleans cells, and counts the rows from which invisible characters were removed.
#[derive(Debug, Default)]
pub(super) struct CellCleaner {
    first_line: Option<usize>,
    rows: usize,
}

impl CellCleaner {
    /// Cleans the cells of a row as texts are cleaned: what is compared is what is stored.
    pub(super) fn clean(&mut self, line: usize, cells: &mut StringRecord) {
        if cells.iter().all(|cell| matches!(cleaned(cell), Cow::Borrowed(_))) {
            return;
        }
        if cells.iter().any(|cell| cell.contains(|char| is_invisible(char) && !cleaned(cell).contains(char))) {
            self.first_line.get_or_insert(line);
            self.rows += 1;
        }
        let position = cells.position().cloned();
        *cells = cells.iter().map(cleaned).collect();
        cells.set_position(position);
    }

    /// What was removed, if anything was.
    pub(super) fn note(&self, file: &Arc<str>) -> Option<String> {
        let line = self.first_line?;
        let more = if self.rows > 1 { format!(", and from {} more rows", self.rows - 1) } else { String::new() };
        Some(format!("{file}:{line}: invisible characters were removed from cells{more}"))
    }
}
