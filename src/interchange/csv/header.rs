//! The header of a table.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::sync::Arc;

use csv::StringRecord;

use crate::interchange::mapping::{ColumnUse, Mapping, RecordMapping};
use crate::interchange::problem::{file_problem, unreadable};
use crate::store::draft::InputProblem;

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Header {
    /// Names in their order.
    names: Vec<String>,
    /// Index of the first column of each name.
    pub(super) columns: HashMap<String, usize>,
}

impl Header {
    /// The header in these cells.
    pub(super) fn new(cells: &StringRecord) -> Self {
        let names: Vec<String> = cells.iter().map(|name| name.trim().to_owned()).collect();
        let columns = names.iter().enumerate().rev().map(|(index, name)| (name.clone(), index)).collect();
        Self { names, columns }
    }

    /// Number of columns.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// The columns that the records of a table are read from, by their index, with their names.
    pub(super) fn used(&self, file: &Arc<str>, mapping: &Mapping) -> HashMap<usize, String> {
        let uses = mapping.records_of(file).into_iter().flat_map(RecordMapping::column_uses);
        uses.filter_map(|used| Some((*self.columns.get(&used.column)?, used.column))).collect()
    }

    /// Checks that the header has each column that the mapping reads exactly once. Returns the named columns that the mapping
    /// neither uses nor ignores.
    pub(super) fn check(&self, file: &Arc<str>, mapping: &Mapping) -> Result<Vec<String>, Vec<InputProblem>> {
        let records = mapping.records_of(file);
        if records.is_empty() {
            let tables: Vec<&str> = mapping.records.iter().flat_map(|record| &record.tables).map(String::as_str).collect();
            let message = format!("the mapping {} has no records of this table; it has records of {}", mapping.file, tables.join(", "));
            return Err(vec![file_problem(Some(file), message)]);
        }
        let mut uses: Vec<ColumnUse> = Vec::new();
        for column in records.iter().flat_map(|record| record.column_uses()) {
            if !uses.contains(&column) {
                uses.push(column);
            }
        }
        let problems: Vec<InputProblem> = uses.iter().filter_map(|used| self.problem(file, mapping, used)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let is_unused =
            |name: &&String| !name.is_empty() && !mapping.ignore.contains(name) && uses.iter().all(|used| used.column != **name);
        Ok(self.names.iter().filter(is_unused).cloned().collect())
    }

    fn problem(&self, file: &Arc<str>, mapping: &Mapping, used: &ColumnUse) -> Option<InputProblem> {
        let column = &used.column;
        let places: Vec<String> =
            self.names.iter().enumerate().filter(|(_, name)| *name == column).map(|(index, _)| (index + 1).to_string()).collect();
        match places.as_slice() {
            [_] => None,
            [] => {
                if self.names.iter().all(String::is_empty) {
                    let line = mapping.header_line;
                    let message = format!("{file} has no column \"{column}\": line {line}, on which its header should be, is empty");
                    return Some(mapping.problem(&used.path, message));
                }
                let hint = match self.names.as_slice() {
                    [_] => "; is the separator of the mapping correct?",
                    _ => "",
                };
                let message = format!("{file} has no column \"{column}\"; it has {}{hint}", self.names.join(", "));
                Some(mapping.problem(&used.path, message))
            }
            places => {
                let message =
                    format!("duplicate column \"{column}\" in {file}: columns {} have this name; rename one of them", places.join(" and "));
                Some(mapping.problem(&used.path, message))
            }
        }
    }
}

/// Skips a byte order mark and the lines before the header.
pub(super) fn skip_to_header(file: &Arc<str>, reader: &mut (dyn BufRead + Send), header_line: usize) -> Result<(), InputProblem> {
    let failed = |error: io::Error| unreadable(file, &error);
    if reader.fill_buf().map_err(failed)?.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    for line in 1..header_line {
        if !skip_line(reader).map_err(failed)? {
            let message = format!("the file has {} lines, but the header of the mapping is on line {header_line}", line - 1);
            return Err(file_problem(Some(file), message));
        }
    }
    Ok(())
}

/// Skips a line, which ends with LF, CR LF or CR. Returns whether there was one.
fn skip_line(reader: &mut (dyn BufRead + Send)) -> io::Result<bool> {
    let mut is_line = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(is_line);
        }
        is_line = true;
        let Some(end) = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            let length = buffer.len();
            reader.consume(length);
            continue;
        };
        let is_carriage_return = buffer[end] == b'\r';
        reader.consume(end + 1);
        if is_carriage_return && reader.fill_buf()?.first() == Some(&b'\n') {
            reader.consume(1);
        }
        return Ok(true);
    }
}
