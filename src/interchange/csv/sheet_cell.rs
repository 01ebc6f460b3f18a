//! Cells of sheets as texts of a table.

use std::collections::BTreeMap;

use calamine::{DataRef, ExcelDateTime};
use chrono::{NaiveDate, TimeDelta};

/// The day after 31 December 9999, the last day of Excel, as a serial number.
const EXCEL_DAYS: f64 = 2_958_466.0;
/// Milliseconds from which a second is rounded up.
const HALF_SECOND: i64 = 500;

/// Rows by their number, each with its cells by the index of their column.
pub(super) type SheetRows = BTreeMap<usize, BTreeMap<u32, SheetCell>>;

/// The content of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SheetCell {
    Empty,
    Text(String),
    /// A number, written with a decimal point.
    Number(String),
    /// What the cell has in place of a value.
    Invalid(String),
    /// The merged region, such as `B4:C4`, that has its value in another column.
    Merged(String),
}

impl SheetCell {
    /// The content of a cell; `has_formula` if a formula computes it.
    pub(super) fn new(value: &DataRef<'_>, has_formula: bool, is_1904: bool) -> Self {
        match value {
            DataRef::Empty if has_formula => {
                Self::Invalid("a formula without its value; open the workbook in a spreadsheet program and save it".to_owned())
            }
            DataRef::Empty => Self::Empty,
            DataRef::Int(number) => Self::Number(number.to_string()),
            DataRef::Float(number) if number.is_finite() => Self::Number(number.to_string()),
            DataRef::Float(_) => Self::Invalid("a number that is too large".to_owned()),
            DataRef::String(text) => Self::Text(text.clone()),
            DataRef::SharedString(text) => Self::Text((*text).to_owned()),
            DataRef::Bool(boolean) => Self::Text(boolean.to_string()),
            DataRef::DateTime(date) => date_text(date, is_1904).map_or_else(Self::Invalid, Self::Text),
            DataRef::DateTimeIso(text) => Self::Text(text.strip_suffix("T00:00:00").unwrap_or(text).to_owned()),
            DataRef::DurationIso(_) => Self::Invalid(DURATION.to_owned()),
            DataRef::Error(error) => Self::Invalid(format!("the error {error}; correct its formula")),
        }
    }
}

const DURATION: &str = "a length of time, which is no date; write it as a text";

/// A date in ISO 8601, with the time unless it is midnight.
fn date_text(date: &ExcelDateTime, is_1904: bool) -> Result<String, String> {
    if date.is_duration() {
        return Err(DURATION.to_owned());
    }
    let serial = date.as_f64();
    if !(0.0..EXCEL_DAYS).contains(&serial) {
        return Err(format!("the number {serial}, which is no date of Excel"));
    }
    if serial < 1.0 && !is_1904 {
        return Err("a time without a date".to_owned());
    }
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    let day = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())
        .ok_or_else(|| format!("the date {year}-{month:02}-{day:02}, which never was"))?;
    let time = day.and_hms_milli_opt(hour.into(), minute.into(), second.into(), milli.into());
    let time = time.and_then(|time| time.checked_add_signed(TimeDelta::milliseconds(HALF_SECOND)));
    let text = time.ok_or_else(|| format!("the number {serial}, which is no date of Excel"))?.format("%Y-%m-%dT%H:%M:%S").to_string();
    Ok(text.strip_suffix("T00:00:00").map_or(text.clone(), str::to_owned))
}

/// The name of a cell in its sheet, such as `B7`, from its indices.
pub(super) fn cell_name(column: u32, line: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let letter = (rest - 1) % 26;
        letters.push(char::from(b'A' + u8::try_from(letter).unwrap_or_default()));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect::<String>() + &line.to_string()
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1.0, false, Ok("1900-01-01"))]
    #[case(59.0, false, Ok("1900-02-28"))]
    #[case(60.0, false, Err("the date 1900-02-29, which never was"))]
    #[case(61.0, false, Ok("1900-03-01"))]
    #[case(44004.0, false, Ok("2020-06-22"))]
    #[case(42542.0, true, Ok("2020-06-22"))]
    #[case(0.0, true, Ok("1904-01-01"))]
    #[case(44_004.604_166_666_664, false, Ok("2020-06-22T14:30:00"))]
    #[case(44_004.999_999_99, false, Ok("2020-06-23"))]
    #[case(0.5, false, Err("a time without a date"))]
    #[case(-1.0, false, Err("the number -1, which is no date of Excel"))]
    #[case(2_958_466.0, false, Err("the number 2958466, which is no date of Excel"))]
    fn serial_number_is_a_date_of_its_system(#[case] serial: f64, #[case] is_1904: bool, #[case] expected: Result<&str, &str>) {
        let date = ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904);
        assert_eq!(date_text(&date, is_1904).as_deref().map_err(String::as_str), expected);
    }

    #[rstest]
    #[case(0, "A7")]
    #[case(25, "Z7")]
    #[case(26, "AA7")]
    #[case(701, "ZZ7")]
    #[case(702, "AAA7")]
    fn cell_has_its_name(#[case] column: u32, #[case] expected: &str) {
        assert_eq!(cell_name(column, 7), expected);
    }

    #[test]
    fn number_keeps_its_digits() {
        for (number, text) in [(1234.0, "1234"), (0.1, "0.1"), (-2.5, "-2.5"), (20_190_401_234.0, "20190401234"), (1e-7, "0.0000001")] {
            assert_eq!(SheetCell::new(&DataRef::Float(number), false, false), SheetCell::Number(text.to_owned()));
        }
    }
}
