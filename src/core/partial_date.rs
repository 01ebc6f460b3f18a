//! Partial dates: a year, a month or a day of the Gregorian calendar, as precise as the source.
//!
//! They are stored as ISO 8601 text of reduced precision, which sorts: `2013`, `2013-08`, `2013-08-22`.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

/// A year, a month or a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate(String);

/// The text is not a partial date.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a date: write a year (2013), a month (2013-08) or a day (2013-08-22)")]
pub struct InvalidDate(pub String);

/// A suffix that sorts after every continuation of its prefix.
const MAX_SUFFIX: char = '\u{10FFFF}';

impl PartialDate {
    /// An upper bound in text order of all dates within this one, such as all days of a year.
    pub fn end(&self) -> String {
        format!("{}{MAX_SUFFIX}", self.0)
    }

    /// The date as ISO 8601 text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether one of the two dates contains the other, so that both can be true.
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
        // chrono accepts signs and single digits; only the canonical form is valid
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
    fn years_months_and_days_are_valid() {
        for text in ["2013", "2013-08", "2013-08-22", "2020-02-29"] {
            assert_eq!(text.parse::<PartialDate>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn other_formats_are_rejected() {
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
            assert!(text.parse::<PartialDate>().is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn year_ends_between_its_last_day_and_the_next_year() {
        let year: PartialDate = "2013".parse().unwrap();
        assert!(*"2013-12-31" < *year.end());
        assert!(*year.end() < *"2014");
    }

    #[test]
    fn day_agrees_with_its_month_but_not_with_another_year() {
        let parse = |text: &str| text.parse::<PartialDate>().unwrap();
        assert!(parse("2020-06-22").agrees_with(&parse("2020-06")));
        assert!(!parse("2020-06-22").agrees_with(&parse("2019-06-22")));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,12}") {
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
