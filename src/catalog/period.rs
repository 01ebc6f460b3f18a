//! Periods: years, quarters and months of partial dates.

use chrono::{Datelike, Days, NaiveDate};

use crate::core::filter::{Filter, FilterValue, Predicate};
use crate::core::partial_date::PartialDate;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodUnit {
    /// A year, such as 2024.
    Year,
    /// A quarter, such as 2024-Q3.
    Quarter,
    /// A month, such as 2024-07.
    Month,
}

impl PeriodUnit {
    /// Name in the schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
        }
    }

    /// What it says, for a reader of the schema.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Year => "Year of the date, such as 2024; nothing where the date is unknown.",
            Self::Quarter => "Quarter of the date, such as 2024-Q3; nothing where no month of the date is known.",
            Self::Month => "Month of the date, such as 2024-07; nothing where no month of the date is known.",
        }
    }

    fn months(self) -> u32 {
        match self {
            Self::Year => 12,
            Self::Quarter => 3,
            Self::Month => 1,
        }
    }

    /// The period a day is in, counted from the year 0.
    fn of(self, day: NaiveDate) -> u32 {
        (day.year().unsigned_abs() * 12 + day.month0()) / self.months()
    }

    /// The number of a period that is written so.
    fn number(self, text: &str) -> Option<u32> {
        let (year, rest) = match self {
            Self::Year => (text, "1"),
            Self::Quarter => text.split_once("-Q")?,
            Self::Month => text.split_once('-')?,
        };
        let (year, rest): (u32, u32) = (year.parse().ok()?, rest.parse().ok()?);
        Some(year * (12 / self.months()) + rest.checked_sub(1)?)
    }

    fn text(self, number: u32) -> String {
        let in_year = 12 / self.months();
        let (year, place) = (number / in_year, number % in_year + 1);
        match self {
            Self::Year => format!("{year:04}"),
            Self::Quarter => format!("{year:04}-Q{place}"),
            Self::Month => format!("{year:04}-{place:02}"),
        }
    }

    /// Every period from the first to the last of those that occur, and as far as a filter reaches that says from when
    /// or until when the date is.
    pub(crate) fn range<'t>(self, occurring: impl Iterator<Item = &'t str>, date: usize, filter: &Filter) -> impl Iterator<Item = String> {
        let occurring: Vec<u32> = occurring.filter_map(|text| self.number(text)).collect();
        let (from, to) = bounds(date, filter);
        let (from, to) = (from.map(|day| self.of(day)), to.map(|day| self.of(day)));
        // where a filter leaves an end open, and nothing occurs, there is no range
        let first = from.or_else(|| occurring.iter().min().copied());
        let last = to.or_else(|| occurring.iter().max().copied());
        let (first, last) = match (first, last) {
            (Some(first), Some(last)) => (first, last),
            _ => (1, 0),
        };
        (first..=last).map(move |number| self.text(number))
    }
}

/// The first and the last day that a filter leaves to a date.
fn bounds(date: usize, filter: &Filter) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let later = |a: Option<NaiveDate>, b: Option<NaiveDate>| a.max(b);
    let earlier = |a: Option<NaiveDate>, b: Option<NaiveDate>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    match filter {
        Filter::And(parts) => parts.iter().fold((None, None), |(from, to), part| {
            let (first, last) = bounds(date, part);
            (later(from, first), earlier(to, last))
        }),
        Filter::Field(field, test) if *field == date => match test {
            Predicate::Eq(FilterValue::Date(date)) => (first_day(date), last_day(date)),
            Predicate::Gte(FilterValue::Date(date)) => (first_day(date), None),
            Predicate::Gt(FilterValue::Date(date)) => (last_day(date).and_then(|day| day.succ_opt()), None),
            Predicate::Lte(FilterValue::Date(date)) => (None, last_day(date)),
            Predicate::Lt(FilterValue::Date(date)) => (None, first_day(date).and_then(|day| day.pred_opt())),
            _ => (None, None),
        },
        _ => (None, None),
    }
}

fn first_day(date: &PartialDate) -> Option<NaiveDate> {
    let text = date.as_str();
    let rest = &"0000-01-01"[text.len()..];
    format!("{text}{rest}").parse().ok()
}

fn last_day(date: &PartialDate) -> Option<NaiveDate> {
    let first = first_day(date)?;
    let next = match date.as_str().len() {
        4 => NaiveDate::from_ymd_opt(first.year() + 1, 1, 1),
        7 => first.checked_add_months(chrono::Months::new(1)),
        _ => first.succ_opt(),
    };
    next?.checked_sub_days(Days::new(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(unit: PeriodUnit, occurring: &[&str], filter: &Filter) -> Vec<String> {
        unit.range(occurring.iter().copied(), 0, filter).collect()
    }

    fn test(test: fn(FilterValue) -> Predicate, date: &str) -> Filter {
        Filter::Field(0, test(FilterValue::Date(date.parse().unwrap())))
    }

    #[test]
    fn periods_without_anything_lie_between_those_that_occur() {
        assert_eq!(range(PeriodUnit::Year, &["2021", "", "2019"], &Filter::all()), ["2019", "2020", "2021"]);
        assert_eq!(range(PeriodUnit::Quarter, &["2019-Q4", "2020-Q2"], &Filter::all()), ["2019-Q4", "2020-Q1", "2020-Q2"]);
        assert_eq!(range(PeriodUnit::Month, &["2019-11", "2020-01"], &Filter::all()), ["2019-11", "2019-12", "2020-01"]);
        assert!(range(PeriodUnit::Month, &[], &Filter::all()).is_empty());
    }

    #[test]
    fn a_filter_says_how_far_periods_reach() {
        let filter = Filter::And(vec![test(Predicate::Gte, "2018-06"), test(Predicate::Lt, "2021")]);
        assert_eq!(range(PeriodUnit::Year, &["2019"], &filter), ["2018", "2019", "2020"]);
        assert_eq!(range(PeriodUnit::Year, &[], &filter), ["2018", "2019", "2020"]);
        assert_eq!(range(PeriodUnit::Quarter, &[], &test(Predicate::Eq, "2020")), ["2020-Q1", "2020-Q2", "2020-Q3", "2020-Q4"]);
        let filter = test(Predicate::Gt, "2018").and(test(Predicate::Lte, "2019-03"));
        assert_eq!(range(PeriodUnit::Month, &[], &filter), ["2019-01", "2019-02", "2019-03"]);
    }
}
