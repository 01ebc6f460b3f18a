//! Converts the rows of a table to records, several rows to one record if the mapping has a key.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use csv::StringRecord;

use super::header::Header;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::interchange::mapping::{MappedProblem, MappedTree, Mapping, RecordMapping, References, TableRow};
use crate::interchange::problem::line_problem;
use crate::store::draft;
use crate::store::draft::{Draft, InputProblem, Origin};

/// The record of one or more rows with its problems, or why there is none.
pub type RowResult = Result<(RecordType, Draft), RowError>;

/// Why a row has no record.
#[derive(Debug)]
pub enum RowError {
    /// The row has these problems; other rows do not depend on it.
    Row(Vec<InputProblem>),
    /// The table cannot be read as a whole.
    Table(InputProblem),
}

impl RowError {
    /// The problems.
    pub fn into_problems(self) -> Vec<InputProblem> {
        match self {
            Self::Row(problems) => problems,
            Self::Table(problem) => vec![problem],
        }
    }
}

/// Converts rows in their order. Records of several rows are complete at the end of the table, or, if the table is sorted by
/// their key, when a row with another key follows, so that one of them is in memory at a time.
pub(super) struct RowConverter<'t> {
    file: &'t Arc<str>,
    header: &'t Header,
    references: &'t References,
    groups: Vec<RowGroup<'t>>,
    /// Rows without a record.
    skipped: usize,
}

/// The rows of records of one mapping.
struct RowGroup<'t> {
    mapping: &'t RecordMapping,
    /// Records that are not complete, in the order of their first rows.
    current: Vec<Current>,
    /// Index of each of them by its key.
    indexes: HashMap<Vec<String>, usize>,
    /// Last line of each record that is complete.
    complete: HashMap<Vec<String>, usize>,
    /// Whether it was reported that the table is not sorted.
    is_disorder_reported: bool,
}

/// A record whose rows are being read.
struct Current {
    key: Vec<String>,
    record: MappedTree,
    problems: Vec<MappedProblem>,
    last_line: usize,
}

impl<'t> RowConverter<'t> {
    /// A converter of the rows of a table.
    pub(super) fn new(file: &'t Arc<str>, mapping: &'t Mapping, header: &'t Header, references: &'t References) -> Self {
        let group = |mapping| RowGroup {
            mapping,
            current: Vec::new(),
            indexes: HashMap::new(),
            complete: HashMap::new(),
            is_disorder_reported: false,
        };
        Self { file, header, references, groups: mapping.records_of(file).into_iter().map(group).collect(), skipped: 0 }
    }

    /// Converts a row and emits the records that are complete. `numbers` are the indices of the cells that are numbers.
    pub(super) fn convert(&mut self, line: usize, cells: &StringRecord, numbers: &[usize], emit: &mut impl FnMut(RowResult)) {
        let row = TableRow { columns: &self.header.columns, cells, numbers, references: self.references, line };
        let mut is_skipped = true;
        for group in &mut self.groups {
            let Some(record) = group.mapping.apply(&row) else { continue };
            is_skipped = false;
            if !group.mapping.has_key() {
                emit(Ok(draft(self.file, group.mapping, &record, Vec::new())));
                continue;
            }
            match group.mapping.key_of(&row) {
                Ok(key) => group.add(self.file, key, record, emit),
                Err(message) => emit(Err(RowError::Row(vec![line_problem(self.file, Some(line), message)]))),
            }
        }
        self.skipped += usize::from(is_skipped);
    }

    /// Emits the last records. Returns the number of rows without a record.
    pub(super) fn finish(mut self, emit: &mut impl FnMut(RowResult)) -> usize {
        for group in &mut self.groups {
            group.complete_current(self.file, emit);
        }
        self.skipped
    }
}

impl RowGroup<'_> {
    fn add(&mut self, file: &Arc<str>, key: Vec<String>, record: MappedTree, emit: &mut impl FnMut(RowResult)) {
        let line = record.line;
        if let Some(current) = self.indexes.get(&key).and_then(|index| self.current.get_mut(*index)) {
            current.last_line = line;
            current.problems.extend(RecordMapping::merge(&mut current.record, record));
            return;
        }
        if self.mapping.is_sorted {
            self.complete_current(file, emit);
        }
        if let Some(last) = self.complete.get(&key) {
            // sorting the table repairs all such rows
            if !mem::replace(&mut self.is_disorder_reported, true) {
                let message = format!(
                    "the row belongs to the record \"{}\", whose rows ended on line {last}; sort the table by {}, or leave sorted: true out of the mapping",
                    key.join(", "),
                    self.mapping.key_label()
                );
                emit(Err(RowError::Table(line_problem(file, Some(line), message))));
            }
            return;
        }
        self.indexes.insert(key.clone(), self.current.len());
        self.current.push(Current { key, record, problems: Vec::new(), last_line: line });
    }

    fn complete_current(&mut self, file: &Arc<str>, emit: &mut impl FnMut(RowResult)) {
        self.indexes.clear();
        for current in mem::take(&mut self.current) {
            emit(Ok(draft(file, self.mapping, &current.record, current.problems)));
            if self.mapping.is_sorted {
                self.complete.insert(current.key, current.last_line);
            }
        }
    }
}

/// The draft of a record, with its problems at their lines and columns.
fn draft(file: &Arc<str>, mapping: &RecordMapping, record: &MappedTree, mut problems: Vec<MappedProblem>) -> (RecordType, Draft) {
    let declared = mapping.record;
    let origin = Origin { file: Some(file.clone()), line: Some(record.line), path: vec![declared.singular().into()] };
    let tree = record.to_tree(&mut problems);
    let problem = |(line, path, message): MappedProblem| {
        let path = origin.path.iter().cloned().chain(path).collect();
        InputProblem::new(Origin { path, line: Some(line), file: origin.file.clone() }, message)
    };
    let mut draft = draft::parse::record(declared, &tree, &origin);
    draft.problems.splice(0..0, problems.into_iter().map(problem));
    annotate_origins(&mut draft, record);
    (declared.ty, draft)
}

fn annotate_origins(draft: &mut Draft, record: &MappedTree) {
    draft.problems.iter_mut().for_each(|problem| annotate_origin(&mut problem.origin, record));
    draft.values.iter_mut().for_each(|(_, _, origin)| annotate_origin(origin, record));
    for (_, parts) in &mut draft.parts {
        for part in parts {
            annotate_origins(part, record);
            annotate_origin(&mut part.origin, record);
        }
    }
}

/// Appends the columns that a value comes from to its path.
fn annotate_origin(origin: &mut Origin, record: &MappedTree) {
    // the path begins with the type of the record
    let columns = origin.path.get(1..).and_then(|path| record.columns_at(path));
    origin.path.extend(columns.map(|columns| PathSegment::Column(columns.to_string().into())));
}
