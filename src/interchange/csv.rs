//! Converts CSV and TSV rows to records according to a mapping.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::interchange::line_tracker::{LineTracker, line_of};
use crate::interchange::mapping::{FieldRule, Mapping, SlugsByIdentifier, TableRow};
use crate::interchange::problem::{file_problem, invalid_utf8, line_problem, unreadable};
use crate::store::draft;
use crate::store::draft::{Draft, InputProblem, Origin};

/// A table whose header has been read and has every column that its mapping uses.
pub struct MappedTable {
    file: Arc<str>,
    mapping: Arc<Mapping>,
    columns: HashMap<String, usize>,
    /// Field paths, each with the columns that its rule reads.
    columns_by_path: Vec<(Vec<PathSegment>, String)>,
    reader: Reader<LineTracker<Box<dyn BufRead + Send>>>,
}

/// The record of a row with its problems, or the problems of a row that could not be read.
pub type RowResult = Result<(RecordType, Draft), Vec<InputProblem>>;

impl MappedTable {
    /// Reads the header and checks it against the mapping. Also returns the columns that the mapping neither uses nor ignores.
    pub fn open(
        file: &Arc<str>,
        reader: Box<dyn BufRead + Send>,
        mapping: &Arc<Mapping>,
    ) -> Result<(Self, Vec<String>), Vec<InputProblem>> {
        let separator = mapping.separator.unwrap_or(if file.ends_with(".tsv") { b'\t' } else { b',' });
        let mut reader = ReaderBuilder::new().delimiter(separator).from_reader(LineTracker::new(reader));
        let header = match reader.headers() {
            Ok(header) => header.iter().map(|column| column.trim_start_matches('\u{FEFF}').trim().to_owned()).collect::<Vec<_>>(),
            Err(error) => return Err(vec![csv_problem(file, line_of(&mut reader, error.position()), &error)]),
        };
        let columns: HashMap<String, usize> = header.iter().enumerate().rev().map(|(index, column)| (column.clone(), index)).collect();
        let rules = mapping.rules();
        let problems = header_problems(file, mapping, &rules, &header, &columns);
        if !problems.is_empty() {
            return Err(problems);
        }
        let is_used = |column: &String| rules.iter().any(|(_, rule)| rule.columns().any(|used| used == column));
        let unused = header.iter().filter(|column| !is_used(column) && !mapping.ignore.contains(column)).cloned().collect();
        let with_columns = |(path, rule): &(Vec<PathSegment>, &FieldRule)| {
            let columns: Vec<&str> = rule.columns().collect();
            (!columns.is_empty()).then(|| (path.clone(), columns.join(", ")))
        };
        let columns_by_path = rules.iter().filter_map(with_columns).collect();
        Ok((Self { file: file.clone(), mapping: mapping.clone(), columns, columns_by_path, reader }, unused))
    }

    /// Whether rows refer to records by identifier, so that these must be resolved before rows are converted.
    pub fn has_identifier_references(&self) -> bool {
        self.mapping.rules().iter().any(|(_, rule)| rule.identifier_reference().is_some())
    }

    /// Converts row by row and passes each result to `emit`. A row with a wrong number of cells is a problem of that row; any
    /// other error of the reader ends the table.
    pub fn read_rows(mut self, slugs: &SlugsByIdentifier, mut emit: impl FnMut(RowResult)) {
        let mut cells = StringRecord::new();
        loop {
            match self.reader.read_record(&mut cells) {
                Ok(false) => return,
                Ok(true) => {
                    let line = line_of(&mut self.reader, cells.position());
                    emit(Ok(self.convert_row(line, &cells, slugs)));
                }
                Err(error) => {
                    emit(Err(vec![csv_problem(&self.file, line_of(&mut self.reader, error.position()), &error)]));
                    if !matches!(error.kind(), ErrorKind::UnequalLengths { .. }) {
                        return;
                    }
                }
            }
        }
    }

    /// Reads all rows into memory, to convert them once their references are resolved.
    pub fn buffer(mut self) -> Result<BufferedTable, Vec<InputProblem>> {
        let mut rows = Vec::new();
        let mut problems = Vec::new();
        loop {
            let mut cells = StringRecord::new();
            match self.reader.read_record(&mut cells) {
                Ok(false) => break,
                Ok(true) => rows.push((line_of(&mut self.reader, cells.position()), cells)),
                Err(error) => problems.push(csv_problem(&self.file, line_of(&mut self.reader, error.position()), &error)),
            }
        }
        if problems.is_empty() { Ok(BufferedTable { table: self, rows }) } else { Err(problems) }
    }

    fn convert_row(&self, line: usize, cells: &StringRecord, slugs: &SlugsByIdentifier) -> (RecordType, Draft) {
        let row = TableRow { columns: &self.columns, cells, slugs, line };
        let record = self.mapping.record;
        let origin = Origin { file: Some(self.file.clone()), line: Some(line), path: vec![record.singular().into()] };
        let (tree, problems) = self.mapping.apply(&row);
        let problem = |(path, message): (Vec<PathSegment>, String)| {
            let path = origin.path.iter().cloned().chain(path).collect();
            InputProblem::new(Origin { path, ..origin.clone() }, message)
        };
        let mut draft = draft::parse::record(record, &tree, &origin);
        draft.problems.splice(0..0, problems.into_iter().map(problem));
        self.annotate_origins(&mut draft);
        (record.ty, draft)
    }

    fn annotate_origins(&self, draft: &mut Draft) {
        draft.problems.iter_mut().for_each(|problem| self.annotate_origin(&mut problem.origin));
        draft.values.iter_mut().for_each(|(_, _, origin)| self.annotate_origin(origin));
        for (_, parts) in &mut draft.parts {
            for part in parts {
                self.annotate_origins(part);
                self.annotate_origin(&mut part.origin);
            }
        }
    }

    /// Appends the column that a field comes from to its path.
    fn annotate_origin(&self, origin: &mut Origin) {
        let names = origin.path.iter().skip(1).filter(|segment| !matches!(segment, PathSegment::Index(_)));
        let mut path: Vec<PathSegment> = names.cloned().collect();
        while !path.is_empty() {
            if let Some((_, columns)) = self.columns_by_path.iter().find(|(field, _)| *field == path) {
                origin.path.push(PathSegment::Column(columns.clone().into()));
                return;
            }
            path.pop();
        }
    }
}

/// A table in memory whose rows wait until the records that they refer to are resolved.
pub struct BufferedTable {
    table: MappedTable,
    /// Rows with their line numbers.
    rows: Vec<(usize, StringRecord)>,
}

impl BufferedTable {
    /// Identifier values that rows refer to, by record type and scheme.
    pub fn referenced_identifiers(&self) -> Vec<(RecordType, String, Vec<String>)> {
        let slugs = SlugsByIdentifier::new();
        let mut references = Vec::new();
        for (_, rule) in self.table.mapping.rules() {
            let Some((ty, scheme)) = rule.identifier_reference() else { continue };
            let values_of_row = |(line, cells): &(usize, StringRecord)| {
                rule.texts(&TableRow { columns: &self.table.columns, cells, slugs: &slugs, line: *line })
            };
            let mut values: Vec<String> = self.rows.iter().flat_map(values_of_row).collect();
            values.sort_unstable();
            values.dedup();
            references.push((ty, scheme.to_owned(), values));
        }
        references
    }

    /// Converts every row and passes each result to `emit`.
    pub fn convert_rows(&self, slugs: &SlugsByIdentifier, mut emit: impl FnMut(RecordType, Draft)) {
        self.rows.iter().for_each(|(line, cells)| {
            let (ty, draft) = self.table.convert_row(*line, cells, slugs);
            emit(ty, draft);
        });
    }
}

/// Columns that the mapping uses and the header lacks, and a column that the header has twice.
fn header_problems(
    file: &Arc<str>,
    mapping: &Mapping,
    rules: &[(Vec<PathSegment>, &FieldRule)],
    header: &[String],
    columns: &HashMap<String, usize>,
) -> Vec<InputProblem> {
    let mut problems = Vec::new();
    for (path, rule) in rules {
        for column in rule.columns().filter(|column| !columns.contains_key(*column)) {
            let origin = Origin {
                file: Some(mapping.file.clone()),
                line: rule.line,
                path: std::iter::once("fields".into()).chain(path.iter().cloned()).collect(),
            };
            let hint = if header.len() == 1 { "; is the separator of the mapping correct?" } else { "" };
            problems.push(InputProblem::new(origin, format!("{file} has no column \"{column}\"; it has {}{hint}", header.join(", "))));
        }
    }
    let duplicate = header.iter().enumerate().find(|(index, column)| columns[*column] != *index).map(|(_, column)| column);
    problems.extend(duplicate.map(|column| file_problem(Some(file), format!("duplicate column \"{column}\""))));
    problems
}

fn csv_problem(file: &Arc<str>, line: usize, error: &csv::Error) -> InputProblem {
    match error.kind() {
        ErrorKind::Utf8 { .. } => invalid_utf8(file, line),
        ErrorKind::Io(error) => unreadable(file, error),
        ErrorKind::UnequalLengths { expected_len, len, .. } => line_problem(
            file,
            Some(line),
            format!("the row has {len} cells but the header has {expected_len}; quote cells that contain the separator"),
        ),
        _ => line_problem(file, Some(line), format!("invalid CSV: {error}")),
    }
}
