//! Reads one sheet of an XLSX workbook as a table.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use calamine::{Reader, SheetType, Xlsx, XlsxError};
use csv::StringRecord;
use zip::ZipArchive;

use super::buffered::{BufferedRow, BufferedTable, SheetRow};
use super::cells::CellCleaner;
use super::header::Header;
use super::merged_cells;
use super::sheet_cell::{SheetCell, SheetRows, cell_name};
use crate::interchange::input::check_size;
use crate::interchange::mapping::Mapping;
use crate::interchange::problem::{file_problem, line_problem, unreadable};
use crate::store::draft::InputProblem;

/// Maximum number of columns of a sheet.
const MAX_COLUMNS: usize = 1_000;

/// A table whose header has every column that its mapping uses.
pub struct SheetTable {
    /// The rows that could be read.
    pub table: BufferedTable,
    /// Columns that the mapping neither uses nor ignores.
    pub unused: Vec<String>,
    /// Problems of the other rows.
    pub problems: Vec<InputProblem>,
}

/// Reads the sheet of a workbook that the mapping names, or the only one. `max_bytes` is the maximum size of all files in the
/// workbook, which is a ZIP archive.
pub fn read_workbook(
    file: &Arc<str>,
    bytes: &[u8],
    max_bytes: Option<u64>,
    mapping: &Arc<Mapping>,
) -> Result<SheetTable, Vec<InputProblem>> {
    check_archive(bytes, max_bytes).map_err(|error| vec![unreadable(file, &error)])?;
    let (_, mut rows) = sheet_rows(file, bytes, mapping).map_err(|problem| vec![problem])?;
    rows.retain(|line, _| *line >= mapping.header_line);
    let header_cells = rows.remove(&mapping.header_line).unwrap_or_default();
    let header = read_header(file, mapping.header_line, &header_cells)?;
    let unused = header.check(file, mapping)?;
    let used = header.used(file, mapping);
    let mut cleaner = CellCleaner::default();
    let (mut table_rows, mut problems) = (Vec::new(), Vec::new());
    for (line, cells) in rows {
        let mut row = SheetRow { line, columns: Vec::new(), cells: StringRecord::new(), numbers: Vec::new() };
        let problem_count = problems.len();
        for (column, cell) in cells {
            let name = cell_name(column, line);
            let index = column as usize;
            let is_beyond = index >= header.width();
            if is_beyond && !matches!(cell, SheetCell::Empty | SheetCell::Merged(_)) {
                let message = format!("the cell {name} is beyond the last column of the header; clear it, or give its column a name");
                problems.push(line_problem(file, Some(line), message));
                break;
            }
            let (text, is_number) = match cell {
                SheetCell::Empty => continue,
                SheetCell::Text(text) => (text, false),
                SheetCell::Number(text) => (text, true),
                SheetCell::Merged(region) => {
                    if let Some(used) = used.get(&index) {
                        let message = format!(
                            "the cell {name} (column {used}) has no value of its own: the cells {region} are merged over several columns; separate them, or remove the row if it is a title or a note"
                        );
                        problems.push(line_problem(file, Some(line), message));
                        break;
                    }
                    continue;
                }
                SheetCell::Invalid(content) => {
                    // a cell that no rule reads does no harm
                    if let Some(used) = used.get(&index) {
                        let message = format!("the cell {name} (column {used}) has {content}");
                        problems.push(line_problem(file, Some(line), message));
                    }
                    continue;
                }
            };
            row.columns.push(index);
            row.cells.push_field(&text);
            if is_number {
                row.numbers.push(index);
            }
        }
        cleaner.clean(line, &mut row.cells);
        if problems.len() == problem_count && !row.columns.is_empty() {
            table_rows.push(BufferedRow::Sparse(row));
        }
    }
    let table = BufferedTable { note: cleaner.note(file), file: file.clone(), mapping: mapping.clone(), header, rows: table_rows };
    Ok(SheetTable { table, unused, problems })
}

/// Reads all files of the archive once: the sizes that it states need not be true.
fn check_archive(bytes: &[u8], max_bytes: Option<u64>) -> io::Result<()> {
    let Some(limit) = max_bytes else { return Ok(()) };
    // that a file is no archive is an error of the workbook
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return Ok(()) };
    let mut total = 0;
    for index in 0..archive.len() {
        let Ok(member) = archive.by_index(index) else { continue };
        // a damaged file is an error of the workbook, which reads no further
        let Ok(size) = io::copy(&mut member.take(limit + 1), &mut io::sink()) else { continue };
        total += size;
        check_size(total, max_bytes)?;
    }
    Ok(())
}

/// The name of the sheet that the mapping means, and its rows.
pub(super) fn sheet_rows(file: &Arc<str>, bytes: &[u8], mapping: &Mapping) -> Result<(String, SheetRows), InputProblem> {
    let failed = |error: XlsxError| file_problem(Some(file), format!("the file is not a readable XLSX workbook: {error}"));
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(failed)?;
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let sheets: Vec<String> = sheets.map(|sheet| sheet.name.clone()).collect();
    let sheet = match (&mapping.sheet, sheets.as_slice()) {
        (Some(sheet), sheets) if sheets.contains(sheet) => sheet.clone(),
        (Some(sheet), sheets) => {
            let message = format!("{file} has no sheet \"{sheet}\"; it has {}", sheets.join(", "));
            return Err(mapping.problem("sheet", message));
        }
        (None, [sheet]) => sheet.clone(),
        (None, sheets) => {
            let message = format!("the workbook has {} sheets: {}; write sheet: NAME in the mapping", sheets.len(), sheets.join(", "));
            return Err(file_problem(Some(file), message));
        }
    };
    let is_1904 = workbook.has_1904_epoch();
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(failed)?;
    let mut rows = SheetRows::new();
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(failed)? {
        let (row, column) = cell.pos;
        let content = SheetCell::new(&cell.value, cell.formula.is_some(), is_1904);
        if content != SheetCell::Empty {
            rows.entry(row as usize + 1).or_default().insert(column, content);
        }
    }
    drop(cells);
    let regions = workbook.merge_cells_by_sheet_name(&sheet).map_err(failed)?;
    merged_cells::fill(&mut rows, &regions, mapping.header_line).map_err(|(line, message)| line_problem(file, Some(line), message))?;
    Ok((sheet, rows))
}

fn read_header(file: &Arc<str>, line: usize, cells: &BTreeMap<u32, SheetCell>) -> Result<Header, Vec<InputProblem>> {
    let width = cells.keys().last().map_or(0, |last| *last as usize + 1);
    if width > MAX_COLUMNS {
        let message = format!("the header has {width} columns; a sheet has at most {MAX_COLUMNS}");
        return Err(vec![line_problem(file, Some(line), message)]);
    }
    let mut names = StringRecord::new();
    for column in 0..width {
        let cell = u32::try_from(column).ok().and_then(|column| cells.get(&column));
        names.push_field(match cell {
            Some(SheetCell::Text(text) | SheetCell::Number(text)) => text,
            // a column that is used has a name
            Some(SheetCell::Invalid(_) | SheetCell::Merged(_) | SheetCell::Empty) | None => "",
        });
    }
    CellCleaner::default().clean(line, &mut names);
    Ok(Header::new(&names))
}
