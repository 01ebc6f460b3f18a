//! The syntax of CSV and TSV: the separator, and errors.

use std::sync::Arc;

use csv::ErrorKind;

use super::quotes::QuoteError;
use crate::interchange::input::compression::uncompressed_name;
use crate::interchange::mapping::Mapping;
use crate::interchange::problem::{invalid_utf8, line_problem, unreadable};
use crate::store::draft::InputProblem;

/// The separator of the cells of a table.
pub(super) fn separator(file: &str, mapping: &Mapping) -> u8 {
    mapping.separator.unwrap_or(if uncompressed_name(file).to_lowercase().ends_with(".tsv") { b'\t' } else { b',' })
}

/// An error of the parser.
pub(super) fn csv_problem(file: &Arc<str>, line: usize, error: &csv::Error) -> InputProblem {
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
