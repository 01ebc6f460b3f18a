//! Copies rows of a table that were refused, with its header.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, Write};
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

use super::cells::CellCleaner;
use super::header::{Header, skip_to_header};
use super::syntax::{csv_problem, separator};
use crate::interchange::line_tracker::{LineTracker, line_of};
use crate::interchange::mapping::{Mapping, RecordMapping, References, TableRow};
use crate::interchange::problem::{line_problem, unreadable};
use crate::store::draft::InputProblem;

/// Copies the header and the rows on these lines, with all other rows of the records that these rows belong to: a record of
/// which some rows are missing would lose what they say. Returns the number of rows.
pub fn copy_rows(
    file: &Arc<str>,
    mut reader: Box<dyn BufRead + Send>,
    mapping: &Mapping,
    lines: &BTreeSet<usize>,
    out: &mut dyn Write,
) -> Result<usize, InputProblem> {
    skip_to_header(file, &mut reader, mapping.header_line)?;
    let tracker = LineTracker::starting_at(reader, mapping.header_line);
    let separator = separator(file, mapping);
    let mut reader = ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(tracker);
    let mut rows: Vec<(usize, StringRecord)> = Vec::new();
    let has_keys = mapping.records_of(file).into_iter().any(RecordMapping::has_key);
    loop {
        let mut cells = StringRecord::new();
        match reader.read_record(&mut cells) {
            Ok(false) => break,
            Ok(true) => {
                let line = line_of(&mut reader, cells.position());
                if rows.is_empty() || has_keys || lines.contains(&line) {
                    rows.push((line, cells));
                }
            }
            Err(error) => return Err(csv_problem(file, line_of(&mut reader, error.position()), &error)),
        }
    }
    let mut rows = rows.into_iter();
    let header = rows.next().map(|(_, cells)| cells).unwrap_or_default();
    let rows: Vec<(usize, StringRecord)> = rows.collect();
    let mut names = header.clone();
    CellCleaner::default().clean(mapping.header_line, &mut names);
    let lines = lines_of_same_records(file, mapping, &Header::new(&names), &rows, lines);
    let failed = |error: std::io::Error| unreadable(file, &error);
    for _ in 1..mapping.header_line {
        out.write_all(b"\n").map_err(failed)?;
    }
    let mut writer = WriterBuilder::new().delimiter(separator).flexible(true).from_writer(out);
    let copied: Vec<&StringRecord> = rows.iter().filter(|(line, _)| lines.contains(line)).map(|(_, cells)| cells).collect();
    for cells in std::iter::once(&header).chain(copied.iter().copied()) {
        writer.write_record(cells).map_err(|error| line_problem(file, None, format!("the refused rows cannot be written: {error}")))?;
    }
    writer.flush().map_err(failed)?;
    Ok(copied.len())
}

/// These lines and those of all rows that are of one record with them, directly or through other rows.
pub(super) fn lines_of_same_records(
    file: &Arc<str>,
    mapping: &Mapping,
    header: &Header,
    rows: &[(usize, StringRecord)],
    lines: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let references = References::default();
    let mut keys_of_line: HashMap<usize, Vec<(usize, Vec<String>)>> = HashMap::new();
    let mut lines_of_key: HashMap<(usize, Vec<String>), Vec<usize>> = HashMap::new();
    let records = mapping.records_of(file);
    for (line, cells) in rows {
        let mut cells = cells.clone();
        CellCleaner::default().clean(*line, &mut cells);
        let row = TableRow { columns: &header.columns, cells: &cells, numbers: &[], references: &references, line: *line };
        for (index, record) in records.iter().enumerate().filter(|(_, record)| record.has_key() && record.holds(&row)) {
            // a row without a key is of no record
            let Ok(key) = record.key_of(&row) else { continue };
            keys_of_line.entry(*line).or_default().push((index, key.clone()));
            lines_of_key.entry((index, key)).or_default().push(*line);
        }
    }
    let mut found = lines.clone();
    let mut pending: Vec<usize> = lines.iter().copied().collect();
    while let Some(line) = pending.pop() {
        for key in keys_of_line.remove(&line).into_iter().flatten() {
            pending.extend(lines_of_key.remove(&key).into_iter().flatten().filter(|line| found.insert(*line)));
        }
    }
    found
}
