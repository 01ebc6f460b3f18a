//! Copies rows of a sheet that were refused, with its header, to a workbook of one sheet.

use std::collections::BTreeSet;
use std::sync::Arc;

use csv::StringRecord;
use rust_xlsxwriter::{Formula, Workbook, XlsxError};

use super::cells::CellCleaner;
use super::header::Header;
use super::refused::lines_of_same_records;
use super::sheet::sheet_rows;
use super::sheet_cell::SheetCell;
use crate::interchange::mapping::Mapping;
use crate::interchange::problem::file_problem;
use crate::store::draft::InputProblem;

/// The error that stands for a cell without a readable value.
const UNREADABLE_CELL: &str = "#N/A";

/// The workbook with the header and the rows on these lines, with all other rows of the records that these rows belong to, and
/// the number of rows. Dates become texts in ISO 8601, and cells without a readable value the error `#N/A`.
pub fn copy_sheet_rows(
    file: &Arc<str>,
    bytes: &[u8],
    mapping: &Mapping,
    lines: &BTreeSet<usize>,
) -> Result<(Vec<u8>, usize), InputProblem> {
    let (sheet, rows) = sheet_rows(file, bytes, mapping)?;
    let width = rows.values().filter_map(|cells| cells.keys().last()).max().map_or(0, |last| last + 1);
    let texts: Vec<(usize, StringRecord)> = rows
        .iter()
        .filter(|(line, _)| **line >= mapping.header_line)
        .map(|(line, cells)| {
            let text = |column| match cells.get(&column) {
                Some(SheetCell::Text(text) | SheetCell::Number(text)) => text.as_str(),
                Some(SheetCell::Invalid(_) | SheetCell::Merged(_) | SheetCell::Empty) | None => "",
            };
            (*line, (0..width).map(text).collect())
        })
        .collect();
    let (header, others): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(line, _)| *line == mapping.header_line);
    let mut names = header.into_iter().next().map(|(_, cells)| cells).unwrap_or_default();
    CellCleaner::default().clean(mapping.header_line, &mut names);
    let lines = lines_of_same_records(file, mapping, &Header::new(&names), &others, lines);
    let failed = |error: XlsxError| file_problem(Some(file), format!("the refused rows cannot be written: {error}"));
    let mut workbook = Workbook::new();
    let out = workbook.add_worksheet().set_name(&sheet).map_err(failed)?;
    let mut next = u32::try_from(mapping.header_line).unwrap_or(u32::MAX);
    let mut count = 0;
    for (line, cells) in &rows {
        let row = match u32::try_from(*line) {
            // the lines down to the header keep their places
            Ok(line) if line as usize <= mapping.header_line => line - 1,
            _ if lines.contains(line) => {
                count += 1;
                next += 1;
                next - 1
            }
            _ => continue,
        };
        for (column, cell) in cells {
            let column = u16::try_from(*column).unwrap_or(u16::MAX);
            match cell {
                SheetCell::Empty | SheetCell::Merged(_) => continue,
                SheetCell::Text(text) => out.write_string(row, column, text),
                SheetCell::Number(text) => match text.parse::<f64>() {
                    Ok(number) => out.write_number(row, column, number),
                    Err(_) => out.write_string(row, column, text),
                },
                SheetCell::Invalid(_) => out.write_formula(row, column, Formula::new("=NA()").set_result(UNREADABLE_CELL)),
            }
            .map_err(failed)?;
        }
    }
    workbook.save_to_buffer().map(|bytes| (bytes, count)).map_err(failed)
}
