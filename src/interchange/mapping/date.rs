//! Reads dates by the formats that a mapping gives. A text that two formats read differently is an error.

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{Days, NaiveDate};

use super::month::with_english_months;
use crate::core::partial_date::PartialDate;

/// Digits of a full year.
const YEAR_DIGITS: usize = 4;
/// Serial number of 29 February 1900, which Excel has and the calendar has not.
const EXCEL_LEAP_DAY: u64 = 60;
/// Serial number of 31 December 9999, the last day of Excel.
const EXCEL_LAST_DAY: u64 = 2_958_465;
/// The first year that is written with four digits.
const FIRST_FULL_YEAR: i32 = 1000;

/// How a table writes dates.
#[derive(Debug, Clone, Default)]
pub(super) struct DateFormats {
    /// Formats, each of which is tried.
    pub(super) formats: Vec<DateFormat>,
    /// The first of the hundred years that two digits stand for.
    pub(super) century: Option<i32>,
    /// Texts that mean that there is no date, such as an end that lies open.
    pub(super) open: Vec<String>,
}

/// One format of dates.
#[derive(Debug, Clone)]
pub(super) struct DateFormat {
    /// As written in the mapping.
    text: String,
    kind: DateFormatKind,
}

#[derive(Debug, Clone)]
enum DateFormatKind {
    /// Serial numbers of Excel in the 1900 date system; a fraction is a time.
    Excel { has_time: bool },
    /// Items of a strftime format.
    Items(Vec<Item<'static>>),
}

/// A date as read by a format.
enum Reading {
    Date(String),
    /// The year has two digits and the mapping does not say which century they are of.
    TwoDigitYear,
}

impl DateFormat {
    /// Parses a format, or explains why it cannot be used.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let kind = match text {
            "excel" => DateFormatKind::Excel { has_time: false },
            "excel-time" => DateFormatKind::Excel { has_time: true },
            _ => DateFormatKind::Items(strftime_items(text)?),
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    fn read(&self, text: &str, century: Option<i32>) -> Option<Reading> {
        match &self.kind {
            DateFormatKind::Excel { has_time } => excel_day(text, *has_time).map(Reading::Date),
            DateFormatKind::Items(items) => read_items(text, items, century),
        }
    }
}

impl DateFormats {
    /// The date that a text stands for. `None` if it stands for no date.
    pub(super) fn read(&self, text: &str) -> Result<Option<String>, String> {
        if self.open.iter().any(|open| open == text) {
            return Ok(None);
        }
        let mut readings: Vec<(String, &str)> = Vec::new();
        let mut has_two_digit_year = false;
        if let Ok(date) = text.parse::<PartialDate>() {
            readings.push((date.to_string(), "ISO 8601"));
        }
        for format in &self.formats {
            match format.read(text, self.century) {
                Some(Reading::Date(date)) => readings.push((date, &format.text)),
                Some(Reading::TwoDigitYear) => has_two_digit_year = true,
                None => {}
            }
        }
        match readings.split_first() {
            None if has_two_digit_year => Err(format!(
                "the year of \"{text}\" has two digits; write century: 1900 in the mapping if they stand for 1900 to 1999, or century: 1930 for 1930 to 2029"
            )),
            None if self.formats.is_empty() => Err(format!(
                "\"{text}\" is not a date such as 2013-08-22, 2013-08 or 2013; specify other formats with dates: in the mapping"
            )),
            None => {
                let formats: Vec<&str> = self.formats.iter().map(|format| format.text.as_str()).collect();
                Err(format!("\"{text}\" matches none of the date formats: {}", formats.join(", ")))
            }
            Some(((date, format), others)) => match others.iter().find(|(other, _)| other != date) {
                None => Ok(Some(date.clone())),
                Some((other, other_format)) => Err(format!(
                    "\"{text}\" is {date} by {format} and {other} by {other_format}; leave one of the formats out, or give the field its own"
                )),
            },
        }
    }
}

/// Items of a strftime format of dates. Names of months may be written in full or abbreviated.
fn strftime_items(text: &str) -> Result<Vec<Item<'static>>, String> {
    let mut items = StrftimeItems::new(text)
        .parse_to_owned()
        .map_err(|_| format!("\"{text}\" is not a date format; write it as %d.%m.%Y, or excel for serial numbers of Excel"))?;
    let [mut has_year, mut has_month, mut has_day] = [false; 3];
    for item in &mut items {
        match item {
            Item::Numeric(Numeric::Year | Numeric::YearMod100, _) => has_year = true,
            Item::Numeric(Numeric::Month, _) => has_month = true,
            Item::Numeric(Numeric::Day, _) => has_day = true,
            Item::Fixed(name @ (Fixed::LongMonthName | Fixed::ShortMonthName)) => {
                *name = Fixed::LongMonthName;
                has_month = true;
            }
            Item::Literal(_)
            | Item::OwnedLiteral(_)
            | Item::Space(_)
            | Item::OwnedSpace(_)
            | Item::Numeric(
                Numeric::YearDiv100 | Numeric::Hour | Numeric::Hour12 | Numeric::Minute | Numeric::Second | Numeric::Nanosecond,
                _,
            )
            | Item::Fixed(
                Fixed::LongWeekdayName
                | Fixed::ShortWeekdayName
                | Fixed::LowerAmPm
                | Fixed::UpperAmPm
                | Fixed::Nanosecond
                | Fixed::Nanosecond3
                | Fixed::Nanosecond6
                | Fixed::Nanosecond9
                | Fixed::TimezoneOffset
                | Fixed::TimezoneOffsetColon
                | Fixed::TimezoneOffsetColonZ
                | Fixed::TimezoneOffsetZ,
            ) => {}
            _ => {
                return Err(format!(
                    "\"{text}\" has a field that is no part of a date; use %d, %m, %B, %Y and the fields of a time, such as %H:%M"
                ));
            }
        }
    }
    if !has_year || (has_day && !has_month) {
        return Err(format!("\"{text}\" lacks the {}; a date has one", if has_year { "month" } else { "year" }));
    }
    Ok(items)
}

/// Reads a date by the items of a format, which may omit the day, or the day and the month.
fn read_items(text: &str, items: &[Item<'static>], century: Option<i32>) -> Option<Reading> {
    let has_name = items.iter().any(|item| matches!(item, Item::Fixed(Fixed::LongMonthName)));
    let english = if has_name { with_english_months(text) } else { text.to_owned() };
    if !is_year_written(&english, items) {
        return None;
    }
    let mut parsed = Parsed::new();
    parse(&mut parsed, &english, items.iter()).ok()?;
    let last_two_digits = match (parsed.year(), parsed.year_div_100(), parsed.year_mod_100()) {
        (Some(year), ..) if year >= FIRST_FULL_YEAR || text.contains(&format!("{year:04}")) => None,
        (Some(year @ 0..=99), ..) | (None, None, Some(year)) => Some(year),
        (None, Some(_), Some(_)) => None,
        (Some(_), ..) | (None, _, None) => return None,
    };
    match (last_two_digits, century) {
        (None, _) => partial_date(&parsed).map(Reading::Date),
        (Some(_), None) => Some(Reading::TwoDigitYear),
        (Some(year), Some(century)) => {
            let of_century = |item: &Item<'static>| match item {
                Item::Numeric(Numeric::Year, pad) => Item::Numeric(Numeric::YearMod100, *pad),
                item => item.clone(),
            };
            let items: Vec<Item<'static>> = items.iter().map(of_century).collect();
            let mut parsed = Parsed::new();
            parse(&mut parsed, &english, items.iter()).ok()?;
            parsed.set_year(i64::from(century + (year - century).rem_euclid(100))).ok()?;
            partial_date(&parsed).map(Reading::Date)
        }
    }
}

/// Whether the year has two or four digits and no sign. The parser also takes one digit, and `+2005`. Where no characters
/// separate the fields, the parser counts the digits.
fn is_year_written(text: &str, items: &[Item<'static>]) -> bool {
    let numeric = items.iter().filter_map(|item| match item {
        Item::Numeric(numeric, _) => Some(numeric),
        _ => None,
    });
    let year = numeric.clone().position(|numeric| matches!(numeric, Numeric::Year | Numeric::YearMod100 | Numeric::YearDiv100));
    let runs: Vec<&str> = text.split(|char: char| !char.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let has_sign = text.contains('+') && !items.iter().any(|item| matches!(item, Item::Fixed(_)));
    match year {
        Some(year) if runs.len() == numeric.count() => matches!(runs[year].len(), 2 | 4) && !has_sign,
        Some(_) | None => !has_sign,
    }
}

/// ISO 8601 text of the date; a time is dropped.
fn partial_date(parsed: &Parsed) -> Option<String> {
    let iso = match (parsed.to_naive_date(), parsed.year(), parsed.month()) {
        (Ok(day), ..) => day.format("%Y-%m-%d").to_string(),
        (Err(_), Some(year), Some(month)) if parsed.day().is_none() => format!("{year:04}-{month:02}"),
        (Err(_), Some(year), None) => format!("{year:04}"),
        _ => return None,
    };
    iso.parse::<PartialDate>().ok().map(|date| date.to_string())
}

/// The day of a serial number of Excel. Days up to February 1900 have the number that they would have without its leap day.
fn excel_day(text: &str, has_time: bool) -> Option<String> {
    let serial = match text.split_once('.') {
        Some((serial, time)) if has_time && !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit()) => serial,
        Some(_) => return None,
        None => text,
    };
    // a number of four digits with a fraction may be a year and a month
    let is_ambiguous = serial.len() == YEAR_DIGITS && serial.len() < text.len();
    if is_ambiguous || !serial.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let serial: u64 = serial.parse().ok()?;
    let base = match serial {
        1..EXCEL_LEAP_DAY => NaiveDate::from_ymd_opt(1899, 12, 31),
        serial if serial > EXCEL_LEAP_DAY && serial <= EXCEL_LAST_DAY => NaiveDate::from_ymd_opt(1899, 12, 30),
        _ => None,
    };
    base?.checked_add_days(Days::new(serial)).map(|day| day.format("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn formats(formats: &[&str], century: Option<i32>) -> DateFormats {
        DateFormats {
            formats: formats.iter().map(|text| DateFormat::parse(text).unwrap()).collect(),
            century,
            open: vec!["9999-12-31".to_owned()],
        }
    }

    #[rstest]
    #[case("03.05.1970", "%d.%m.%Y", "1970-05-03")]
    #[case("5/1970", "%m/%Y", "1970-05")]
    #[case("1970", "%Y", "1970")]
    #[case("22.06.2020 14:30", "%d.%m.%Y %H:%M", "2020-06-22")]
    #[case("22 июня 2020", "%d %B %Y", "2020-06-22")]
    #[case("22 июн 2020", "%d %b %Y", "2020-06-22")]
    #[case("2020 жылғы 22 маусым", "%Y жылғы %d %B", "2020-06-22")]
    #[case("Март 2020", "%B %Y", "2020-03")]
    #[case("22 June 2020", "%d %b %Y", "2020-06-22")]
    #[case("1", "excel", "1900-01-01")]
    #[case("59", "excel", "1900-02-28")]
    #[case("61", "excel", "1900-03-01")]
    #[case("44004", "excel", "2020-06-22")]
    #[case("44004.604", "excel-time", "2020-06-22")]
    #[case("2958465", "excel", "9999-12-31")]
    fn date_is_read_by_its_format(#[case] text: &str, #[case] format: &str, #[case] expected: &str) {
        assert_eq!(formats(&[format], None).read(text).unwrap().as_deref(), Some(expected));
    }

    #[rstest]
    #[case("01.02.99", "%d.%m.%Y", "has two digits; write century: 1900")]
    #[case("01.02.99", "%d.%m.%y", "has two digits; write century: 1900")]
    #[case("31.02.1970", "%d.%m.%Y", "matches none of the date formats: %d.%m.%Y")]
    #[case("01.02.999", "%d.%m.%Y", "matches none")]
    #[case("01.02.5", "%d.%m.%Y", "matches none")]
    #[case("01.02.+2005", "%d.%m.%Y", "matches none")]
    #[case("2013.08", "excel-time", "matches none")]
    #[case("22.06.2020 14:30", "%d.%m.%Y", "matches none")]
    #[case("22.06.2020 25:30", "%d.%m.%Y %H:%M", "matches none")]
    #[case("60", "excel", "matches none")]
    #[case("0", "excel", "matches none")]
    #[case("44004.5", "excel", "matches none")]
    #[case("2013", "excel", "\"2013\" is 2013 by ISO 8601 and 1905-07-05 by excel")]
    fn other_dates_are_errors(#[case] text: &str, #[case] format: &str, #[case] expected: &str) {
        let error = formats(&[format], None).read(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn century_is_the_first_of_a_hundred_years() {
        for format in ["%d.%m.%Y", "%d.%m.%y"] {
            let read = |text: &str, century| formats(&[format], Some(century)).read(text).unwrap().unwrap();
            assert_eq!([read("01.02.99", 1900), read("01.02.05", 1900)], ["1999-02-01", "1905-02-01"]);
            assert_eq!([read("01.02.30", 1930), read("01.02.29", 1930)], ["1930-02-01", "2029-02-01"]);
        }
        assert_eq!(formats(&["%d.%m.%Y"], Some(1900)).read("01.02.2020").unwrap().unwrap(), "2020-02-01");
    }

    #[test]
    fn formats_that_disagree_are_an_error() {
        let formats = formats(&["%d/%m/%Y", "%m/%d/%Y"], None);
        assert_eq!(formats.read("13/04/2020").unwrap().unwrap(), "2020-04-13");
        assert_eq!(formats.read("04/04/2020").unwrap().unwrap(), "2020-04-04");
        assert_eq!(formats.read("9999-12-31").unwrap(), None);
        let error = formats.read("03/04/2020").unwrap_err();
        assert!(error.contains("is 2020-04-03 by %d/%m/%Y and 2020-03-04 by %m/%d/%Y"), "{error}");
    }

    #[rstest]
    #[case("%d.%m", "lacks the year")]
    #[case("%d %Y", "lacks the month")]
    #[case("%Y-W%V", "no part of a date")]
    #[case("%Q", "is not a date format")]
    fn format_without_a_whole_date_is_an_error(#[case] format: &str, #[case] expected: &str) {
        let error = DateFormat::parse(format).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    proptest! {
        #[test]
        fn formatted_date_parses_back(
            day in 366i32..3_000_000,
            format in prop::sample::select(vec!["%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%e %B %Y"]),
        ) {
            let day = NaiveDate::from_num_days_from_ce_opt(day).unwrap();
            prop_assume!(day.format("%Y").to_string().len() == 4);
            let read = formats(&[format], None).read(&day.format(format).to_string());
            prop_assert_eq!(read, Ok(Some(day.format("%Y-%m-%d").to_string())));
        }
    }
}
