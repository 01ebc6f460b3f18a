//! Partial dates, as the sources give them: a year, a month or a day of the Gregorian calendar.
//!
//! They are kept as the text of ISO 8601 reduced precision, which sorts: `2013`, `2013-08`, `2013-08-22`.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

/// A year, a month or a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate(String);

/// Why a text is not a partial date.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a date: write a year (2013), a month (2013-08) or a day (2013-08-22)")]
pub struct InvalidDate(pub String);

/// Sorts after every text that begins with what it is put behind.
const AFTER_ALL: char = '\u{10FFFF}';

impl PartialDate {
    /// The text that sorts after every date inside this one: the end of the year for a year.
    pub fn end(&self) -> String {
        format!("{}{AFTER_ALL}", self.0)
    }

    /// The date as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether one of two dates lies inside the other, so that they can both be true.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl FromStr for PartialDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let valid = match text.len() {
            4 => digits(text) && text != "0000",
            7 => NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").is_ok(),
            10 => NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
            _ => false,
        };
        // chrono takes signs and single digits; the text must be the canonical one
        let canonical = text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        if valid && canonical { Ok(Self(text.to_owned())) } else { Err(InvalidDate(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn years_months_and_days_are_dates() {
        for text in ["2013", "2013-08", "2013-08-22", "2020-02-29"] {
            assert_eq!(text.parse::<PartialDate>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "13",
            "0000",
            "2013-13",
            "2013-02-30",
            "2019-02-29",
            "2013-8-2",
            "2013/08/22",
            "+013-01-01",
            "2013-08-22T00:00",
            "22.08.2013",
            "２０１３",
        ] {
            assert!(text.parse::<PartialDate>().is_err(), "{text} was taken for a date");
        }
    }

    #[test]
    fn a_year_ends_after_its_last_day_and_before_the_next_year() {
        let year: PartialDate = "2013".parse().unwrap();
        assert!(*"2013-12-31" < *year.end());
        assert!(*year.end() < *"2014");
    }

    #[test]
    fn a_day_agrees_with_its_month_and_not_with_another_year() {
        let parse = |text: &str| text.parse::<PartialDate>().unwrap();
        assert!(parse("2020-06-22").agrees_with(&parse("2020-06")));
        assert!(!parse("2020-06-22").agrees_with(&parse("2019-06-22")));
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in ".{0,12}") {
            let _ = text.parse::<PartialDate>();
        }

        #[test]
        fn days_sort_as_text(a in 0i32..3_000_000, b in 0i32..3_000_000) {
            let day = |n| NaiveDate::from_num_days_from_ce_opt(n + 366).unwrap();
            let text = |n| day(n).format("%Y-%m-%d").to_string().parse::<PartialDate>().unwrap();
            prop_assert_eq!(text(a).cmp(&text(b)), a.cmp(&b));
        }
    }
}
