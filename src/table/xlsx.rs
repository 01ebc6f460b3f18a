//! Workbooks of Excel. Rows go to a file as they come; the workbook is put together at the end.

use std::io::{Seek, SeekFrom};

use rust_xlsxwriter::{ColNum, Format, RowNum, Workbook, Worksheet, XlsxError};

use super::{Column, End, Problem, Rows, Type, Value, Writer};

const NAME: &str = "XLSX";
/// Rows and columns of a sheet, the row of names among them.
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: u32 = 16_384;
/// Characters of a cell, as UTF-16 counts them.
const MOST_CHARACTERS: usize = 32_767;
/// What a text ends with that a cell has no room for.
const CUT: &str = " [cut here: a cell of Excel has no room for more]";

pub(super) struct Xlsx {
    workbook: Workbook,
    instant: Format,
    next: RowNum,
}

impl Xlsx {
    pub(super) fn new(columns: &[Column]) -> Result<Self, Problem> {
        if columns.len() > MOST_COLUMNS as usize {
            return Err(Problem::TooWide { format: NAME, most: MOST_COLUMNS });
        }
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(Problem::other)?;
        let name = Format::new().set_bold();
        sheet.set_name("Kurultai").and_then(|sheet| sheet.set_freeze_panes(1, 0)).map_err(Problem::other)?;
        for (place, column) in (0..).zip(columns) {
            let width = if matches!(column.ty, Type::Text) { 24.0 } else { 14.0 };
            sheet.set_column_width(place, width).map_err(Problem::other)?;
        }
        for (place, column) in (0..).zip(columns) {
            sheet.write_string_with_format(0, place, &column.name, &name).map_err(Problem::other)?;
        }
        Ok(Self { workbook, instant: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"), next: 1 })
    }
}

/// As much of a text as a cell has room for; that it was cut is said where it was.
fn fitting(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= MOST_CHARACTERS || text.encode_utf16().count() <= MOST_CHARACTERS {
        return text.into();
    }
    let mut room = MOST_CHARACTERS - CUT.len();
    let kept: String = text
        .chars()
        .take_while(|character| {
            let fits = room >= character.len_utf16();
            room = room.saturating_sub(character.len_utf16());
            fits
        })
        .collect();
    format!("{kept}{CUT}").into()
}

fn write<'s>(
    sheet: &'s mut Worksheet,
    row: RowNum,
    column: ColNum,
    value: &Value<'_>,
    instant: &Format,
) -> Result<&'s mut Worksheet, XlsxError> {
    match value {
        Value::Null => Ok(sheet),
        Value::Text(text) | Value::Json(text) => sheet.write_string(row, column, fitting(text)),
        // beyond these a cell would show another number
        Value::Integer(number) if number.unsigned_abs() > 1 << 53 => sheet.write_string(row, column, number.to_string()),
        Value::Integer(number) => sheet.write_number(row, column, *number as f64),
        Value::Number(number) => sheet.write_number(row, column, *number),
        Value::Boolean(boolean) => sheet.write_boolean(row, column, *boolean),
        Value::Instant(at) => sheet.write_datetime_with_format(row, column, at.naive_utc(), instant),
    }
}

impl Writer for Xlsx {
    fn rows(&mut self, rows: &Rows<'_>) -> Result<Vec<u8>, Problem> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(Problem::other)?;
        for row in rows.iter() {
            if self.next == MOST_ROWS {
                return Err(Problem::TooLong { format: NAME, most: MOST_ROWS - 1 });
            }
            for (column, value) in (0..).zip(row) {
                write(sheet, self.next, column, value, &self.instant).map_err(Problem::other)?;
            }
            self.next += 1;
        }
        Ok(Vec::new())
    }

    fn end(mut self: Box<Self>) -> Result<End, Problem> {
        let mut file = tempfile::tempfile().map_err(Problem::other)?;
        self.workbook.save_to_writer(&mut file).map_err(Problem::other)?;
        file.seek(SeekFrom::Start(0)).map_err(Problem::other)?;
        Ok(End::Whole(file))
    }
}
