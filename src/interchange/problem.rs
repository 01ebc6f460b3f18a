//! Problems with a whole file, or with one of its lines.

use std::io;
use std::sync::Arc;

use crate::interchange::input::read_error::ReadError;
use crate::store::draft::{InputProblem, Origin};

/// A problem with a whole file, or with the import itself if `file` is `None`.
pub fn file_problem(file: Option<&Arc<str>>, message: impl Into<String>) -> InputProblem {
    InputProblem::new(Origin { file: file.cloned(), line: None, path: Vec::new() }, message)
}

/// A problem on one line of a file; `line` is counted from 1.
pub fn line_problem(file: &Arc<str>, line: Option<usize>, message: impl Into<String>) -> InputProblem {
    InputProblem::new(Origin { file: Some(file.clone()), line, path: Vec::new() }, message)
}

/// An I/O error while the file `name` was opened or read.
pub fn unreadable(name: &Arc<str>, error: &io::Error) -> InputProblem {
    match ReadError::of(error) {
        Some(error) => line_problem(name, error.line, error.message.clone()),
        None => file_problem(None, format!("cannot read {name}: {error}")),
    }
}

/// Invalid UTF-8 on one line of a file that is always UTF-8.
pub fn invalid_utf8(name: &Arc<str>, line: usize) -> InputProblem {
    line_problem(name, Some(line), "not valid UTF-8")
}
