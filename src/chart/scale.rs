//! Scale of an axis: its range, its ticks, and the format of numbers and dates.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::labels::ChartLanguage;

/// Range of an axis with its ticks.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Values of the ticks with their labels.
    pub(super) ticks: Vec<(f64, String)>,
}

/// The whole part of a number of things; 0 if it is negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the whole part is wanted, and a cast saturates")]
pub(super) fn whole_count(number: f64) -> usize {
    number as usize
}

impl Scale {
    /// Scale of a value axis, with about `target_ticks` ticks at round numbers; it begins and ends at a tick.
    pub(super) fn value_axis(values: impl Iterator<Item = f64>, from_zero: bool, target_ticks: usize, language: ChartLanguage) -> Self {
        let (mut low, mut high, mut is_integral) = (f64::INFINITY, f64::NEG_INFINITY, true);
        for value in values {
            (low, high, is_integral) = (low.min(value), high.max(value), is_integral && value.fract() == 0.0);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // values far from zero would look flat on an axis that begins there
        if from_zero || low > 0.0 && high - low > high / 10.0 || low < 0.0 && high - low > -low / 10.0 {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if low >= high {
            high = low + 1.0;
        }
        let step = round_step((high - low) / target_ticks.max(1) as f64);
        // counts have no fractions
        let step = if is_integral { step.max(1.0) } else { step };
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let count = whole_count((last - first).min(1000.0));
        let ticks = (0..=count).map(|index| (first + index as f64) * step).map(|at| (at, format_number(at, language))).collect();
        Self { low: first * step, high: last * step, ticks }
    }

    /// Scale of a numeric x axis; it begins and ends at the outermost values.
    pub(super) fn numeric_axis(low: f64, high: f64, target_ticks: usize, language: ChartLanguage) -> Self {
        let step = round_step((high - low) / target_ticks.max(1) as f64);
        let step = if low.fract() == 0.0 && high.fract() == 0.0 { step.max(1.0) } else { step };
        let first = (low / step).ceil();
        let count = whole_count(((high / step).floor() - first).clamp(0.0, 1000.0));
        let ticks = (0..=count).map(|index| (first + index as f64) * step).map(|at| (at, format_number(at, language))).collect();
        Self { low, high, ticks }
    }

    /// Scale of a time axis in days since 1970-01-01; ticks are at the beginning of years, months or days.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate, and a date out of range has no tick")]
    pub(super) fn time_axis(low: f64, high: f64, target_ticks: usize) -> Self {
        let epoch = NaiveDate::default();
        let date = |days: f64| epoch.checked_add_signed(chrono::TimeDelta::try_days(days as i64)?);
        let (Some(first), Some(last)) = (date(low.floor()), date(high.ceil())) else { return Self { low, high, ticks: Vec::new() } };
        let months = (high - low) / 30.4375 / target_ticks.max(1) as f64;
        let ticks = if months > 6.0 {
            let step = round_step((months / 12.0).max(1.0)).max(1.0) as i32;
            let from = first.year().div_euclid(step) * step;
            (0..)
                .map_while(|index| NaiveDate::from_ymd_opt(from + index * step, 1, 1))
                .take_while(|date| *date <= last)
                .map(|date| (date, "%Y"))
                .collect()
        } else if months > 0.5 {
            let step = [1, 2, 3, 6].into_iter().find(|step| f64::from(*step) >= months).unwrap_or(6);
            let from = NaiveDate::from_ymd_opt(first.year(), first.month0() / step * step + 1, 1).unwrap_or(first);
            (0..)
                .map_while(|index| from.checked_add_months(Months::new(index * step)))
                .take_while(|date| *date <= last)
                .map(|date| (date, "%Y-%m"))
                .collect()
        } else {
            let step = ((high - low) / target_ticks.max(1) as f64).ceil().max(1.0) as u64;
            (0..)
                .map_while(|index| first.checked_add_days(Days::new(index * step)))
                .take_while(|date| *date <= last)
                .map(|date| (date, "%Y-%m-%d"))
                .collect::<Vec<_>>()
        };
        let ticks = ticks
            .into_iter()
            .map(|(date, format)| (date.signed_duration_since(epoch).num_days() as f64, date.format(format).to_string()))
            .filter(|(at, _)| *at >= low)
            .collect();
        Self { low, high, ticks }
    }

    /// Position of a value on the axis, from 0 at its beginning to 1 at its end.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        if self.high > self.low { (value - self.low) / (self.high - self.low) } else { 0.5 }
    }
}

/// Rounds a step up to 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    if step <= 0.0 || !step.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    // tolerate floating-point error in the quotient
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|round| *round >= step * (1.0 - 1e-9)).unwrap_or(step)
}

/// Days from 1970-01-01 to the first day of a partial date (`2013`, `2013-08` or `2013-08-22`); none if it is invalid.
pub(super) fn days_since_epoch(text: &str) -> Option<f64> {
    let first_day = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let date = NaiveDate::parse_from_str(&first_day, "%Y-%m-%d").ok()?;
    Some(date.signed_duration_since(NaiveDate::default()).num_days() as f64)
}

/// Formats a number with narrow spaces between thousands, from five digits on, so that years have none.
pub(super) fn format_number(number: f64, language: ChartLanguage) -> String {
    if number != 0.0 && !(1e-6..1e15).contains(&number.abs()) {
        return format!("{number:e}");
    }
    let text = format!("{:.6}", number.abs());
    let (integer, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut out = String::new();
    if number < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        out.push('-');
    }
    for (index, digit) in integer.chars().enumerate() {
        if index > 0 && integer.len() > 4 && (integer.len() - index) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(language.decimal_separator());
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_cover_all_values() {
        for values in [vec![3.0, 17.0], vec![-4.0, 9.0], vec![0.2, 0.9], vec![1e9, 3.3e9], vec![0.0], vec![], vec![-3.0], vec![0.1, 0.3]] {
            let scale = Scale::value_axis(values.iter().copied(), true, 5, ChartLanguage::English);
            assert!(values.iter().all(|value| *value >= scale.low && *value <= scale.high), "{values:?} {scale:?}");
            assert!((2..=8).contains(&scale.ticks.len()), "{values:?} {scale:?}");
        }
        assert_eq!(labels(&Scale::value_axis([3.0, 17.0].into_iter(), true, 5, ChartLanguage::English)), ["0", "5", "10", "15", "20"]);
    }

    #[test]
    fn integral_values_have_integral_ticks() {
        assert_eq!(labels(&Scale::value_axis([1.0, 2.0].into_iter(), true, 8, ChartLanguage::English)), ["0", "1", "2"]);
    }

    #[test]
    fn time_axis_ticks_at_years_months_or_days() {
        let days = |text| days_since_epoch(text).unwrap();
        assert_eq!(labels(&Scale::time_axis(days("2014-03-01"), days("2021"), 4)), ["2016", "2018", "2020"]);
        assert_eq!(
            labels(&Scale::time_axis(days("2020-01-15"), days("2020-06-02"), 5)),
            ["2020-02", "2020-03", "2020-04", "2020-05", "2020-06"]
        );
        assert_eq!(labels(&Scale::time_axis(days("2020-02-27"), days("2020-03-02"), 5)).len(), 5);
    }

    #[test]
    fn numbers_have_thousands_and_decimal_separators() {
        for (value, text) in [
            (2019.0, "2019"),
            (12_345.0, "12\u{202f}345"),
            (-1_234_567.5, "-1\u{202f}234\u{202f}567.5"),
            (0.0, "0"),
            (-0.0, "0"),
            (1e20, "1e20"),
        ] {
            assert_eq!(format_number(value, ChartLanguage::English), text);
        }
        assert_eq!(format_number(0.5, ChartLanguage::Russian), "0,5");
    }
}
