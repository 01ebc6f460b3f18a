//! Periods of partial dates: years, quarters and months.

use chrono::{Datelike, Days, NaiveDate};

use crate::core::filter::{Filter, FilterValue, Predicate};
use crate::core::ids::FieldId;
use crate::core::partial_date::PartialDate;

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum PeriodUnit {
    /// A year, such as 2024.
    Year,
    /// A quarter, such as 2024-Q3.
    Quarter,
    /// A month, such as 2024-07.
    Month,
}

impl PeriodUnit {
    /// Name in the schema, such as `year`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Description for the schema.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Year => "Year, such as 2024; null if unknown.",
            Self::Quarter => "Quarter, such as 2024-Q3; null if the month is unknown.",
            Self::Month => "Month, such as 2024-07; null if unknown.",
        }
    }

    fn months(self) -> u32 {
        match self {
            Self::Year => 12,
            Self::Quarter => 3,
            Self::Month => 1,
        }
    }

    /// Index of the period that contains a day, counted from the year 0.
    fn index_of(self, day: NaiveDate) -> u32 {
        (day.year().unsigned_abs() * 12 + day.month0()) / self.months()
    }

    /// Index of a period from its text, such as `2024-Q3`; `None` if the text is not a period of this length.
    fn parse(self, text: &str) -> Option<u32> {
        let (year, rest) = match self {
            Self::Year => (text, "1"),
            Self::Quarter => text.split_once("-Q")?,
            Self::Month => text.split_once('-')?,
        };
        let (year, rest): (u32, u32) = (year.parse().ok()?, rest.parse().ok()?);
        Some(year * (12 / self.months()) + rest.checked_sub(1)?)
    }

    /// Text of the period with this index.
    fn format(self, index: u32) -> String {
        let in_year = 12 / self.months();
        let (year, place) = (index / in_year, index % in_year + 1);
        match self {
            Self::Year => format!("{year:04}"),
            Self::Quarter => format!("{year:04}-Q{place}"),
            Self::Month => format!("{year:04}-{place:02}"),
        }
    }

    /// Every period from the first to the last that occurs. Where the filter bounds the date field, its bounds replace
    /// the first or last occurring period.
    pub(crate) fn range<'t>(
        self,
        occurring: impl Iterator<Item = &'t str>,
        date: FieldId,
        filter: &Filter,
    ) -> impl Iterator<Item = String> {
        let occurring: Vec<u32> = occurring.filter_map(|text| self.parse(text)).collect();
        let (from, to) = bounds(date, filter);
        let (from, to) = (from.map(|day| self.index_of(day)), to.map(|day| self.index_of(day)));
        // an end that neither the filter nor a value bounds makes the range empty
        let first = from.or_else(|| occurring.iter().min().copied());
        let last = to.or_else(|| occurring.iter().max().copied());
        let (first, last) = match (first, last) {
            (Some(first), Some(last)) => (first, last),
            _ => (1, 0),
        };
        (first..=last).map(move |index| self.format(index))
    }
}

/// The first and the last day that a filter allows for a date field; `None` where it is unbounded.
fn bounds(date: FieldId, filter: &Filter) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let latest = |a: Option<NaiveDate>, b: Option<NaiveDate>| a.max(b);
    let earliest = |a: Option<NaiveDate>, b: Option<NaiveDate>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    match filter {
        Filter::And(parts) => parts.iter().fold((None, None), |(from, to), part| {
            let (first, last) = bounds(date, part);
            (latest(from, first), earliest(to, last))
        }),
        Filter::Field(field, predicate) if *field == date => match predicate {
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
        unit.range(occurring.iter().copied(), FieldId::new(0), filter).collect()
    }

    fn compare(operator: fn(FilterValue) -> Predicate, date: &str) -> Filter {
        Filter::Field(FieldId::new(0), operator(FilterValue::Date(date.parse().unwrap())))
    }

    #[test]
    fn range_includes_empty_periods() {
        assert_eq!(range(PeriodUnit::Year, &["2021", "", "2019"], &Filter::all()), ["2019", "2020", "2021"]);
        assert_eq!(range(PeriodUnit::Quarter, &["2019-Q4", "2020-Q2"], &Filter::all()), ["2019-Q4", "2020-Q1", "2020-Q2"]);
        assert_eq!(range(PeriodUnit::Month, &["2019-11", "2020-01"], &Filter::all()), ["2019-11", "2019-12", "2020-01"]);
        assert!(range(PeriodUnit::Month, &[], &Filter::all()).is_empty());
    }

    #[test]
    fn filter_bounds_extend_range() {
        let filter = Filter::And(vec![compare(Predicate::Gte, "2018-06"), compare(Predicate::Lt, "2021")]);
        assert_eq!(range(PeriodUnit::Year, &["2019"], &filter), ["2018", "2019", "2020"]);
        assert_eq!(range(PeriodUnit::Year, &[], &filter), ["2018", "2019", "2020"]);
        assert_eq!(range(PeriodUnit::Quarter, &[], &compare(Predicate::Eq, "2020")), ["2020-Q1", "2020-Q2", "2020-Q3", "2020-Q4"]);
        let filter = compare(Predicate::Gt, "2018").and(compare(Predicate::Lte, "2019-03"));
        assert_eq!(range(PeriodUnit::Month, &[], &filter), ["2019-01", "2019-02", "2019-03"]);
    }
}
