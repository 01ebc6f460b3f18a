//! Reads the rows of a table in each format of a package.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::column::PackageColumn;
use super::layout::PackageFormat;
use crate::interchange::json;
use crate::interchange::line_tracker::{LineTracker, line_of};
use crate::interchange::problem::{file_problem, invalid_utf8, line_problem, unreadable};
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};
use crate::tabular::ColumnType;

/// Buffer of an NDJSON table, in bytes.
const READ_BUFFER_BYTES: usize = 1 << 16;

/// A row with its origin and its values by column index; an empty cell is null.
#[derive(Debug)]
pub(super) struct PackageRow {
    pub(super) origin: Origin,
    pub(super) values: Vec<(usize, Tree)>,
}

/// Reads the rows of one table.
#[derive(Debug)]
pub(super) struct RowReader<'t> {
    /// Name of the file, for messages.
    pub(super) name: &'t Arc<str>,
    pub(super) path: &'t Path,
    pub(super) format: PackageFormat,
    /// Name of a row, for the paths of messages.
    pub(super) row_name: &'t str,
    pub(super) columns: &'t [PackageColumn],
}

impl RowReader<'_> {
    /// Passes each row, or its problem, to `emit`; returns problems of the table as a whole.
    pub(super) fn read(&self, emit: &mut dyn FnMut(Result<PackageRow, InputProblem>)) -> Result<(), Vec<InputProblem>> {
        let file = File::open(self.path).map_err(|error| vec![unreadable(self.name, &error)])?;
        match self.format {
            PackageFormat::Csv => self.read_csv(file, emit),
            PackageFormat::Ndjson => self.read_ndjson(file, emit).map_err(|problem| vec![problem]),
            PackageFormat::Parquet => self.read_parquet(file, emit),
        }
    }

    fn read_csv(&self, file: File, emit: &mut dyn FnMut(Result<PackageRow, InputProblem>)) -> Result<(), Vec<InputProblem>> {
        let mut reader = csv::ReaderBuilder::new().from_reader(LineTracker::new(file));
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(vec![self.csv_problem(&error, line_of(&mut reader, error.position()))]),
        };
        let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        let indices = self.column_indices(&names, Some(1))?;
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(error) => {
                    // the boundaries of later rows are uncertain
                    emit(Err(self.csv_problem(&error, line_of(&mut reader, error.position()))));
                    return Ok(());
                }
            }
            let line = line_of(&mut reader, record.position());
            let values = record.iter().zip(&indices).filter_map(|(text, index)| Some((text, (*index)?)));
            let values = values.map(|(text, index)| self.parse_text(text, index, Some(line)).map(|tree| (index, tree)));
            emit(values.collect::<Result<_, _>>().map(|values| PackageRow { origin: self.row_origin(line), values }));
        }
    }

    fn csv_problem(&self, error: &csv::Error, line: usize) -> InputProblem {
        match error.kind() {
            csv::ErrorKind::Utf8 { .. } => invalid_utf8(self.name, line),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                let message =
                    format!("the row has {len} values but the header has {expected_len}; the row may be truncated, or a quote is missing");
                InputProblem::new(self.row_origin(line), message)
            }
            _ => file_problem(Some(self.name), format!("invalid CSV: {error}")),
        }
    }

    fn read_ndjson(&self, file: File, emit: &mut dyn FnMut(Result<PackageRow, InputProblem>)) -> Result<(), InputProblem> {
        let mut reader = BufReader::with_capacity(READ_BUFFER_BYTES, file);
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes).map_err(|error| unreadable(self.name, &error))? == 0 {
                break;
            }
            let text = std::str::from_utf8(&bytes).map_err(|_| invalid_utf8(self.name, line))?.trim();
            if !text.is_empty() {
                emit(self.parse_json_row(text, line));
            }
        }
        Ok(())
    }

    fn parse_json_row(&self, text: &str, line: usize) -> Result<PackageRow, InputProblem> {
        let members = json::parse_members(self.name, line, text)?;
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        let indices = self.column_indices(&names, Some(line)).map_err(|mut problems| problems.swap_remove(0))?;
        let mut values = Vec::with_capacity(members.len());
        for ((_, json), index) in members.iter().zip(indices) {
            let Some(index) = index else { continue };
            let tree = match (self.columns[index].ty, json.get().parse::<f64>()) {
                // parsed from the raw text, which keeps every digit
                (ColumnType::Number, Ok(number)) => Tree { line: None, value: Value::Number(number.into()) },
                _ => json::parse_line(self.name, line, json.get())?,
            };
            values.push((index, tree));
        }
        Ok(PackageRow { origin: self.row_origin(line), values })
    }

    fn read_parquet(&self, file: File, emit: &mut dyn FnMut(Result<PackageRow, InputProblem>)) -> Result<(), Vec<InputProblem>> {
        let invalid = |error: parquet::errors::ParquetError| vec![file_problem(Some(self.name), format!("invalid Parquet: {error}"))];
        let reader = SerializedFileReader::new(file).map_err(invalid)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let names: Vec<&str> = schema.root_schema().get_fields().iter().map(|field| field.name()).collect();
        let indices = self.column_indices(&names, None)?;
        for (row, number) in reader.get_row_iter(None).map_err(invalid)?.zip(1..) {
            let row = row.map_err(invalid)?;
            let origin =
                Origin { file: Some(self.name.clone()), line: None, path: vec![format!("row {number}: {}", self.row_name).into()] };
            let mut values = Vec::with_capacity(indices.len());
            for ((_, field), index) in row.into_columns().into_iter().zip(&indices) {
                let Some(index) = *index else { continue };
                let value = match field {
                    Field::Null => Ok(Value::Null),
                    Field::Str(text) => self.parse_text(&text, index, None).map(|tree| tree.value),
                    Field::Int(number) => Ok(Value::Number(i64::from(number).into())),
                    Field::Long(number) => Ok(Value::Number(number.into())),
                    Field::Double(number) => Ok(Value::Number(number.into())),
                    Field::Bool(boolean) => Ok(Value::Boolean(boolean)),
                    other => Ok(Value::Text(other.to_string())),
                };
                values.push(value.map(|value| (index, Tree { line: None, value })));
            }
            emit(values.into_iter().collect::<Result<_, _>>().map(|values| PackageRow { origin, values }));
        }
        Ok(())
    }

    fn row_origin(&self, line: usize) -> Origin {
        Origin { file: Some(self.name.clone()), line: Some(line), path: vec![self.row_name.to_owned().into()] }
    }

    /// Indices of the columns of these names; `None` for derived columns, which are ignored. Unknown, duplicate and missing
    /// columns are problems.
    fn column_indices(&self, names: &[&str], line: Option<usize>) -> Result<Vec<Option<usize>>, Vec<InputProblem>> {
        let mut problems = Vec::new();
        let mut seen = HashSet::new();
        let mut indices = Vec::with_capacity(names.len());
        for name in names {
            let index = self.columns.iter().position(|column| column.name == *name);
            if index.is_none() {
                let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
                problems.push(line_problem(self.name, line, format!("unknown column \"{name}\"; expected {}", known.join(", "))));
            }
            if !seen.insert(*name) {
                problems.push(line_problem(self.name, line, format!("duplicate column \"{name}\"; remove one of them")));
            }
            indices.push(index.filter(|index| !self.columns[*index].is_derived));
        }
        for column in self.columns.iter().filter(|column| column.is_key && !seen.contains(column.name.as_str())) {
            let message = format!("the column \"{}\" is missing; it is required to identify rows", column.name);
            problems.push(line_problem(self.name, line, message));
        }
        if problems.is_empty() { Ok(indices) } else { Err(problems) }
    }

    /// Parses the text of a cell by the type of its column. Text that does not parse stays text, and validation of the record
    /// rejects it.
    fn parse_text(&self, text: &str, index: usize, line: Option<usize>) -> Result<Tree, InputProblem> {
        let column = &self.columns[index];
        let kept = || Value::Text(text.to_owned());
        let value = match column.ty {
            _ if text.is_empty() => Value::Null,
            ColumnType::Json => {
                let parsed = json::parse_line(self.name, line.unwrap_or(1), text);
                return parsed.map_err(|problem| {
                    let path = vec![self.row_name.to_owned().into(), column.name.clone().into()];
                    InputProblem { origin: Origin { line, path, ..problem.origin }, ..problem }
                });
            }
            ColumnType::Integer => text.parse::<i64>().map_or_else(|_| kept(), |number| Value::Number(number.into())),
            ColumnType::Number => text.parse::<f64>().map_or_else(|_| kept(), |number| Value::Number(number.into())),
            ColumnType::Boolean => text.parse().map_or_else(|_| kept(), Value::Boolean),
            ColumnType::Text | ColumnType::Date | ColumnType::Instant => kept(),
        };
        Ok(Tree { line: None, value })
    }
}
