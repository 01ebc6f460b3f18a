//! Merged cells of a sheet. A workbook stores the value of a merged region in its first cell only.

use calamine::Dimensions;

use super::sheet_cell::{SheetCell, SheetRows, cell_name};

/// Maximum number of cells that all regions of a sheet cover. Regions that a spreadsheet program writes do not overlap.
const MAX_COVERED_CELLS: usize = 20_000_000;

/// Gives the value of each merged region to its other rows that have a cell of their own. Which column the value of a region
/// over several columns belongs to is known of the first one only: the cells in the others get no value, and say so. Fails with
/// the line and the message of a region that cannot be read.
pub(super) fn fill(rows: &mut SheetRows, regions: &[Dimensions], header_line: usize) -> Result<(), (usize, String)> {
    let width = rows.values().filter_map(|cells| cells.keys().last()).max().map_or(0, |last| last + 1);
    let mut covered = 0;
    for region in regions {
        let [(first_row, first_column), (last_row, last_column)] = [region.start, region.end];
        let [first_line, last_line] = [first_row, last_row].map(|row| row as usize + 1);
        if first_line > last_line || first_column > last_column {
            continue;
        }
        let name = format!("{}:{}", cell_name(first_column, first_line), cell_name(last_column, last_line));
        let value = rows.get(&first_line).and_then(|cells| cells.get(&first_column)).cloned().unwrap_or(SheetCell::Empty);
        if (first_line..last_line).contains(&header_line) && value != SheetCell::Empty {
            let message = format!(
                "the cells {name} are merged, from the header into the rows of the table; write header: {last_line} in the mapping if the header ends there, or separate the cells"
            );
            return Err((header_line, message));
        }
        let last_column = last_column.min(width.saturating_sub(1));
        for (line, cells) in rows.range_mut(first_line..=last_line) {
            for column in first_column..=last_column {
                covered += 1;
                if covered > MAX_COVERED_CELLS {
                    return Err((*line, format!("the merged cells of the sheet cover more than {MAX_COVERED_CELLS} cells; separate them")));
                }
                if (*line, column) == (first_line, first_column) {
                    continue;
                }
                let is_hidden = cells.contains_key(&column);
                let filled = match (is_hidden, column == first_column) {
                    (true, _) => SheetCell::Invalid(format!("a value that the merged cells {name} hide; separate them")),
                    (false, true) => value.clone(),
                    (false, false) => SheetCell::Merged(name.clone()),
                };
                // a region without a value is an empty cell
                if value != SheetCell::Empty || is_hidden {
                    cells.insert(column, filled);
                }
            }
        }
    }
    Ok(())
}
