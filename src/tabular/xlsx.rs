//! XLSX writer. Rows go to a temporary file as they arrive; the workbook is assembled when the table is finished.

use std::borrow::Cow;
use std::io::{Seek, SeekFrom};

use rust_xlsxwriter::{ColNum, Format, RowNum, Workbook, Worksheet, XlsxError};

use super::table::{ColumnType, TableColumn, TableRows, TableValue};
use super::writer::{TableEnd, TableError, TableWriter};
use crate::core::text::printable;

const FORMAT_NAME: &str = "XLSX";
/// Maximum number of rows in a worksheet, including the header.
const MAX_SHEET_ROWS: u32 = 1_048_576;
/// Maximum number of columns in a worksheet.
const MAX_SHEET_COLUMNS: u32 = 16_384;
/// Maximum length of the text in a cell, in UTF-16 code units.
const MAX_CELL_UTF16_UNITS: usize = 32_767;
/// Integers beyond this magnitude would be rounded, because a cell holds a 64-bit float.
const MAX_EXACT_INTEGER: u64 = 1 << 53;
/// Suffix of a text that was truncated to the maximum length.
const TRUNCATION_NOTE: &str = " [truncated: exceeds the maximum length of an Excel cell]";

pub(super) struct XlsxTableWriter {
    workbook: Workbook,
    instant_format: Format,
    next_row: RowNum,
}

impl XlsxTableWriter {
    pub(super) fn new(columns: &[TableColumn]) -> Result<Self, TableError> {
        if columns.len() > MAX_SHEET_COLUMNS as usize {
            return Err(TableError::TooManyColumns { format: FORMAT_NAME, max: MAX_SHEET_COLUMNS });
        }
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(TableError::other)?;
        let header_format = Format::new().set_bold();
        sheet.set_name("Kurultai").and_then(|sheet| sheet.set_freeze_panes(1, 0)).map_err(TableError::other)?;
        for (index, column) in (0..).zip(columns) {
            let width = if matches!(column.ty, ColumnType::Text) { 24.0 } else { 14.0 };
            sheet.set_column_width(index, width).map_err(TableError::other)?;
        }
        for (index, column) in (0..).zip(columns) {
            sheet.write_string_with_format(0, index, printable(&column.name), &header_format).map_err(TableError::other)?;
        }
        Ok(Self { workbook, instant_format: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"), next_row: 1 })
    }
}

/// Truncates a text to the maximum length of a cell, with a note at its end.
fn truncate_to_cell(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_CELL_UTF16_UNITS || text.encode_utf16().count() <= MAX_CELL_UTF16_UNITS {
        return text.into();
    }
    let mut remaining = MAX_CELL_UTF16_UNITS - TRUNCATION_NOTE.len();
    let prefix: String = text
        .chars()
        .take_while(|character| {
            let fits = remaining >= character.len_utf16();
            remaining = remaining.saturating_sub(character.len_utf16());
            fits
        })
        .collect();
    format!("{prefix}{TRUNCATION_NOTE}").into()
}

fn write_cell<'s>(
    sheet: &'s mut Worksheet,
    row: RowNum,
    column: ColNum,
    value: &TableValue<'_>,
    instant_format: &Format,
) -> Result<&'s mut Worksheet, XlsxError> {
    match value {
        TableValue::Null => Ok(sheet),
        TableValue::Text(text) | TableValue::Json(text) => sheet.write_string(row, column, truncate_to_cell(&printable(text)).into_owned()),
        TableValue::Integer(number) if number.unsigned_abs() > MAX_EXACT_INTEGER => sheet.write_string(row, column, number.to_string()),
        TableValue::Integer(number) => sheet.write_number(row, column, *number as f64),
        TableValue::Number(number) => sheet.write_number(row, column, *number),
        TableValue::Boolean(boolean) => sheet.write_boolean(row, column, *boolean),
        TableValue::Instant(instant) => sheet.write_datetime_with_format(row, column, instant.naive_utc(), instant_format),
    }
}

impl TableWriter for XlsxTableWriter {
    fn write_rows(&mut self, rows: &TableRows<'_>) -> Result<Vec<u8>, TableError> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(TableError::other)?;
        for row in rows.iter() {
            if self.next_row == MAX_SHEET_ROWS {
                return Err(TableError::TooManyRows { format: FORMAT_NAME, max: MAX_SHEET_ROWS - 1 });
            }
            for (column, value) in (0..).zip(row) {
                write_cell(sheet, self.next_row, column, value, &self.instant_format).map_err(TableError::other)?;
            }
            self.next_row += 1;
        }
        Ok(Vec::new())
    }

    fn finish(mut self: Box<Self>) -> Result<TableEnd, TableError> {
        let mut file = tempfile::tempfile().map_err(TableError::other)?;
        self.workbook.save_to_writer(&mut file).map_err(TableError::other)?;
        file.seek(SeekFrom::Start(0)).map_err(TableError::other)?;
        Ok(TableEnd::File(file))
    }
}
