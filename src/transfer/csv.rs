//! Reads tables by a mapping, line by line.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use crate::entity::RecordType;
use crate::store::draft;
use crate::store::draft::{Draft, InputProblem, Origin};
use crate::transfer::input::{cannot_read, not_utf8, problem};
use crate::transfer::line::{Lines, line_of};
use crate::transfer::mapping::{Line, Mapping, Slugs};

/// A table whose heading has been read and fits its mapping.
pub struct Table {
    file: Arc<str>,
    mapping: Arc<Mapping>,
    columns: HashMap<String, usize>,
    /// Paths of fields, and the columns that they come from.
    sources: Vec<(String, String)>,
    reader: Reader<Lines<Box<dyn BufRead + Send>>>,
}

/// What a line holds, or what is wrong with it.
pub type Read = Result<(RecordType, Draft), Vec<InputProblem>>;

impl Table {
    /// Reads the heading; gives the columns that the mapping does not use, too.
    pub fn open(
        file: &Arc<str>,
        reader: Box<dyn BufRead + Send>,
        mapping: &Arc<Mapping>,
    ) -> Result<(Self, Vec<String>), Vec<InputProblem>> {
        let separator = mapping.separator.unwrap_or(if file.ends_with(".tsv") { b'\t' } else { b',' });
        let mut reader = ReaderBuilder::new().delimiter(separator).from_reader(Lines::new(reader));
        let heading = match reader.headers() {
            Ok(heading) => heading.iter().map(|column| column.trim_start_matches('\u{FEFF}').trim().to_owned()).collect::<Vec<_>>(),
            Err(error) => return Err(vec![wrong(file, line_of(&mut reader, error.position()), &error)]),
        };
        let columns: HashMap<String, usize> = heading.iter().enumerate().rev().map(|(index, column)| (column.clone(), index)).collect();
        let rules = mapping.rules();
        let mut problems = Vec::new();
        for (path, rule) in &rules {
            for column in rule.columns().filter(|column| !columns.contains_key(*column)) {
                let origin = Origin { file: Some(mapping.file.clone()), line: rule.line, path: format!("fields{path}") };
                let hint = if heading.len() == 1 { "; does the mapping name the right separator?" } else { "" };
                problems.push(InputProblem::new(origin, format!("{file} has no column \"{column}\"; it has {}{hint}", heading.join(", "))));
            }
        }
        let twice = heading.iter().enumerate().find(|(index, column)| columns[*column] != *index).map(|(_, column)| column);
        problems.extend(twice.map(|column| problem(Some(file), format!("the column \"{column}\" is there twice"))));
        if !problems.is_empty() {
            return Err(problems);
        }
        let is_used = |column: &String| rules.iter().any(|(_, rule)| rule.columns().any(|used| used == column));
        let unused = heading.iter().filter(|column| !is_used(column) && !mapping.ignore.contains(column)).cloned().collect();
        let named = |(path, rule): &(String, &super::mapping::Rule)| {
            let columns: Vec<&str> = rule.columns().collect();
            (!columns.is_empty()).then(|| (path.clone(), columns.join(", ")))
        };
        let sources = rules.iter().filter_map(named).collect();
        Ok((Self { file: file.clone(), mapping: mapping.clone(), columns, sources, reader }, unused))
    }

    /// Whether lines refer to records by their identifiers, so that these must be known first.
    pub fn refers(&self) -> bool {
        self.mapping.rules().iter().any(|(_, rule)| rule.reference().is_some())
    }

    /// Reads line by line and hands each record on.
    pub fn read(mut self, slugs: &Slugs, mut each: impl FnMut(Read)) {
        let mut cells = StringRecord::new();
        loop {
            match self.reader.read_record(&mut cells) {
                Ok(false) => return,
                Ok(true) => {
                    let number = line_of(&mut self.reader, cells.position());
                    each(self.record(number, &cells, slugs));
                }
                Err(error) => {
                    each(Err(vec![wrong(&self.file, line_of(&mut self.reader, error.position()), &error)]));
                    if !matches!(error.kind(), ErrorKind::UnequalLengths { .. }) {
                        return;
                    }
                }
            }
        }
    }

    /// All lines, kept until what they refer to is known; and what that is.
    pub fn keep(mut self) -> Result<Kept, Vec<InputProblem>> {
        let mut lines = Vec::new();
        let mut problems = Vec::new();
        loop {
            let mut cells = StringRecord::new();
            match self.reader.read_record(&mut cells) {
                Ok(false) => break,
                Ok(true) => lines.push((line_of(&mut self.reader, cells.position()), cells)),
                Err(error) => problems.push(wrong(&self.file, line_of(&mut self.reader, error.position()), &error)),
            }
        }
        if problems.is_empty() { Ok(Kept { table: self, lines }) } else { Err(problems) }
    }

    fn record(&self, number: usize, cells: &StringRecord, slugs: &Slugs) -> Read {
        let line = Line { columns: &self.columns, cells, slugs, number };
        let record = self.mapping.record;
        let origin = Origin { file: Some(self.file.clone()), line: Some(number), path: record.singular() };
        let made = self.mapping.apply(&line).map_err(|problems| {
            let problem = |(path, message): (String, String)| InputProblem::new(origin.below(path, None), message);
            problems.into_iter().map(problem).collect::<Vec<_>>()
        });
        match made.and_then(|tree| draft::parse::record(record, &tree, &origin)) {
            Ok(mut draft) => {
                self.name_columns(&mut draft);
                Ok((record.ty, draft))
            }
            Err(mut problems) => {
                problems.iter_mut().for_each(|problem| self.name_column(&mut problem.origin));
                Err(problems)
            }
        }
    }

    fn name_columns(&self, draft: &mut Draft) {
        draft.values.iter_mut().for_each(|(_, _, origin)| self.name_column(origin));
        for (_, parts) in &mut draft.parts {
            for part in parts {
                self.name_columns(part);
                self.name_column(&mut part.origin);
            }
        }
    }

    /// Names the column beside the field.
    fn name_column(&self, origin: &mut Origin) {
        let Some(start) = origin.path.find(['.', '[']) else { return };
        let mut path = without_places(&origin.path[start..]);
        loop {
            if let Some((_, columns)) = self.sources.iter().find(|(field, _)| *field == path) {
                origin.path = format!("{} (column {columns})", origin.path);
                return;
            }
            let Some(cut) = path.rfind('.').filter(|cut| *cut > 0) else { return };
            path.truncate(cut);
        }
    }
}

/// The lines of a table, kept until what they refer to is known.
pub struct Kept {
    table: Table,
    /// Each with its number.
    lines: Vec<(usize, StringRecord)>,
}

impl Kept {
    /// Identifiers that lines refer to, by type and scheme.
    pub fn wanted(&self) -> Vec<(RecordType, String, Vec<String>)> {
        let slugs = Slugs::new();
        let mut wanted = Vec::new();
        for (_, rule) in self.table.mapping.rules() {
            let Some((ty, scheme)) = rule.reference() else { continue };
            let of_line = |(number, cells): &(usize, StringRecord)| {
                rule.texts(&Line { columns: &self.table.columns, cells, slugs: &slugs, number: *number })
            };
            let texts = self.lines.iter().flat_map(of_line);
            let mut values: Vec<String> = texts.collect();
            values.sort_unstable();
            values.dedup();
            wanted.push((ty, scheme.to_owned(), values));
        }
        wanted
    }

    /// Hands the record of each line on.
    pub fn read(&self, slugs: &Slugs, mut each: impl FnMut(Read)) {
        self.lines.iter().for_each(|(number, cells)| each(self.table.record(*number, cells, slugs)));
    }
}

/// A path without the places in its lists.
fn without_places(path: &str) -> String {
    let mut bare = String::new();
    let mut is_inside = false;
    for character in path.chars() {
        match character {
            '[' => is_inside = true,
            ']' => is_inside = false,
            _ if !is_inside => bare.push(character),
            _ => {}
        }
    }
    bare
}

fn wrong(file: &Arc<str>, line: usize, error: &csv::Error) -> InputProblem {
    let at = |message: String| InputProblem::new(Origin { file: Some(file.clone()), line: Some(line), path: String::new() }, message);
    match error.kind() {
        ErrorKind::Utf8 { .. } => not_utf8(file, line),
        ErrorKind::Io(error) => cannot_read(file, error),
        ErrorKind::UnequalLengths { expected_len, len, .. } => at(format!(
            "this line has {len} cells and the heading has {expected_len}; put cells that hold the separator into quotation marks"
        )),
        _ => at(format!("this is no table: {error}")),
    }
}
