//! Reads the rows of a table, whatever its format, one after the other.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::Format;
use super::column::Column;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};
use crate::tabular::ColumnType;
use crate::transfer::input::{cannot_read, not_utf8, problem};
use crate::transfer::json;
use crate::transfer::line::{Lines, line_of};

/// A row: where it stands, and its values by the places of their columns. What is empty is nothing.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) origin: Origin,
    pub(super) values: Vec<(usize, Tree)>,
}

/// A table that is read.
#[derive(Debug)]
pub(super) struct Table<'t> {
    /// What it is called in messages.
    pub(super) name: &'t Arc<str>,
    pub(super) path: &'t Path,
    pub(super) format: Format,
    /// What a row is called in messages.
    pub(super) row: &'t str,
    pub(super) columns: &'t [Column],
}

impl Table<'_> {
    /// Hands on each row, or what is wrong with it; gives what is wrong with the table as a whole.
    pub(super) fn read(&self, each: &mut dyn FnMut(Result<Row, InputProblem>)) -> Result<(), Vec<InputProblem>> {
        let file = File::open(self.path).map_err(|error| vec![cannot_read(self.name, &error)])?;
        match self.format {
            Format::Csv => self.csv(file, each),
            Format::Ndjson => self.ndjson(file, each).map_err(|problem| vec![problem]),
            Format::Parquet => self.parquet(file, each),
        }
    }

    fn csv(&self, file: File, each: &mut dyn FnMut(Result<Row, InputProblem>)) -> Result<(), Vec<InputProblem>> {
        let mut reader = csv::ReaderBuilder::new().from_reader(Lines::new(file));
        let wrong = |error: &csv::Error, line: usize| match error.kind() {
            csv::ErrorKind::Utf8 { .. } => not_utf8(self.name, line),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => InputProblem::new(
                self.line(line),
                format!(
                    "this row has {len} values and there are {expected_len} columns; it may be cut off, or a quotation mark is missing"
                ),
            ),
            _ => problem(Some(self.name), format!("this cannot be read as CSV: {error}")),
        };
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(vec![wrong(&error, line_of(&mut reader, error.position()))]),
        };
        let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        let places = self.places(&names, Some(1))?;
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(error) => {
                    // what comes after may be taken apart at the wrong places
                    each(Err(wrong(&error, line_of(&mut reader, error.position()))));
                    return Ok(());
                }
            }
            let line = line_of(&mut reader, record.position());
            let values = record.iter().zip(&places).filter_map(|(text, place)| Some((text, (*place)?)));
            let values = values.map(|(text, place)| self.text(text, place, Some(line)).map(|tree| (place, tree)));
            each(values.collect::<Result<_, _>>().map(|values| Row { origin: self.line(line), values }));
        }
    }

    fn ndjson(&self, file: File, each: &mut dyn FnMut(Result<Row, InputProblem>)) -> Result<(), InputProblem> {
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes).map_err(|error| cannot_read(self.name, &error))? == 0 {
                break;
            }
            let text = std::str::from_utf8(&bytes).map_err(|_| not_utf8(self.name, number))?.trim();
            if !text.is_empty() {
                each(self.json_line(text, number));
            }
        }
        Ok(())
    }

    fn json_line(&self, text: &str, number: usize) -> Result<Row, InputProblem> {
        let members = json::members(self.name, number, text)?;
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        let places = self.places(&names, Some(number)).map_err(|mut problems| problems.swap_remove(0))?;
        let mut values = Vec::with_capacity(members.len());
        for ((_, json), place) in members.iter().zip(places) {
            let Some(place) = place else { continue };
            let tree = match (self.columns[place].ty, json.get().parse()) {
                // digit for digit
                (ColumnType::Number, Ok(number)) => Tree { line: None, value: Value::Number(number) },
                _ => json::read_line(self.name, number, json.get())?,
            };
            values.push((place, tree));
        }
        Ok(Row { origin: self.line(number), values })
    }

    fn parquet(&self, file: File, each: &mut dyn FnMut(Result<Row, InputProblem>)) -> Result<(), Vec<InputProblem>> {
        let wrong = |error: parquet::errors::ParquetError| problem(Some(self.name), format!("this cannot be read as Parquet: {error}"));
        let reader = SerializedFileReader::new(file).map_err(|error| vec![wrong(error)])?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let names: Vec<&str> = schema.root_schema().get_fields().iter().map(|field| field.name()).collect();
        let places = self.places(&names, None)?;
        for (row, number) in reader.get_row_iter(None).map_err(|error| vec![wrong(error)])?.zip(1..) {
            let row = row.map_err(|error| vec![wrong(error)])?;
            let origin = Origin { file: Some(self.name.clone()), line: None, path: format!("row {number}: {}", self.row) };
            let mut values = Vec::with_capacity(places.len());
            for ((_, field), place) in row.into_columns().into_iter().zip(&places) {
                let Some(place) = *place else { continue };
                let value = match field {
                    Field::Null => Ok(Value::Null),
                    Field::Str(text) => self.text(&text, place, None).map(|tree| tree.value),
                    Field::Int(number) => Ok(Value::Integer(number.into())),
                    Field::Long(number) => Ok(Value::Integer(number)),
                    Field::Double(number) => Ok(Value::Number(number)),
                    Field::Bool(boolean) => Ok(Value::Boolean(boolean)),
                    other => Ok(Value::Text(other.to_string())),
                };
                values.push(value.map(|value| (place, Tree { line: None, value })));
            }
            each(values.into_iter().collect::<Result<_, _>>().map(|values| Row { origin, values }));
        }
        Ok(())
    }

    fn line(&self, number: usize) -> Origin {
        Origin { file: Some(self.name.clone()), line: Some(number), path: self.row.to_owned() }
    }

    /// Places of the columns of these names; nothing for those from which nothing is taken.
    fn places(&self, names: &[&str], line: Option<usize>) -> Result<Vec<Option<usize>>, Vec<InputProblem>> {
        let origin = Origin { file: Some(self.name.clone()), line, path: String::new() };
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            let place = self.columns.iter().position(|column| column.name == *name);
            if place.is_none() {
                let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
                problems.push(InputProblem::new(
                    origin.clone(),
                    format!("there is no column \"{name}\" in this table; it has {}", known.join(", ")),
                ));
            }
            if !seen.insert(*name) {
                problems.push(InputProblem::new(origin.clone(), format!("there are two columns \"{name}\"; leave one of them out")));
            }
            places.push(place.filter(|place| !self.columns[*place].is_derived));
        }
        for column in self.columns.iter().filter(|column| column.is_key && !seen.contains(column.name.as_str())) {
            problems.push(InputProblem::new(
                origin.clone(),
                format!("the column \"{}\" is missing, without which no row can be known", column.name),
            ));
        }
        if problems.is_empty() { Ok(places) } else { Err(problems) }
    }

    /// A value given as text. A text that is not of its column's type stays one, which is told where it is checked.
    fn text(&self, text: &str, place: usize, line: Option<usize>) -> Result<Tree, InputProblem> {
        let column = &self.columns[place];
        let kept = || Value::Text(text.to_owned());
        let value = match column.ty {
            _ if text.is_empty() => Value::Null,
            ColumnType::Json => {
                let read = json::read_line(self.name, line.unwrap_or(1), text);
                return read.map_err(|problem| {
                    let path = format!("{}.{}", self.row, column.name);
                    InputProblem { origin: Origin { path, line, ..problem.origin }, ..problem }
                });
            }
            ColumnType::Integer => text.parse().map_or_else(|_| kept(), Value::Integer),
            ColumnType::Number => text.parse().map_or_else(|_| kept(), Value::Number),
            ColumnType::Boolean => text.parse().map_or_else(|_| kept(), Value::Boolean),
            ColumnType::Text | ColumnType::Date | ColumnType::Instant => kept(),
        };
        Ok(Tree { line: None, value })
    }
}

/// SHA-256 of a file and its length, read part by part.
pub(super) fn digest(path: &Path) -> io::Result<(String, u64)> {
    use sha2::{Digest, Sha256};
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut digest, mut length) = (Sha256::new(), 0);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok((digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), length));
        }
        digest.update(bytes);
        let count = bytes.len();
        length += count as u64;
        reader.consume(count);
    }
}
