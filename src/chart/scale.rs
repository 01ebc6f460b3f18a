//! Numbers and days on an axis: where its ticks are, and how they are written.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::Words;

/// An axis from its least to its greatest tick.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Where the ticks are, and what is written there.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// An axis of values with about so many ticks, each a round number.
    pub(super) fn values(values: impl Iterator<Item = f64>, from_zero: bool, about: usize, words: Words) -> Self {
        let (mut low, mut high, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
        for value in values {
            (low, high, whole) = (low.min(value), high.max(value), whole && value.fract() == 0.0);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // a line far from zero would be flat if its axis began there
        if from_zero || low > 0.0 && high - low > high / 10.0 || low < 0.0 && high - low > -low / 10.0 {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if low == high {
            high = low + 1.0;
        }
        let step = round_step((high - low) / about.max(1) as f64);
        // half a case does not exist
        let step = if whole { step.max(1.0) } else { step };
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let count = (last - first).min(1000.0) as usize;
        let ticks = (0..=count).map(|index| (first + index as f64) * step).map(|at| (at, number(at, words))).collect();
        Self { low: first * step, high: last * step, ticks }
    }

    /// An axis of numbers that begins and ends where they do.
    pub(super) fn numbers(low: f64, high: f64, about: usize, words: Words) -> Self {
        let step = round_step((high - low) / about.max(1) as f64);
        let step = if low.fract() == 0.0 && high.fract() == 0.0 { step.max(1.0) } else { step };
        let first = (low / step).ceil();
        let count = ((high / step).floor() - first).clamp(0.0, 1000.0) as usize;
        let ticks = (0..=count).map(|index| (first + index as f64) * step).map(|at| (at, number(at, words))).collect();
        Self { low, high, ticks }
    }

    /// An axis of days: ticks are at the beginnings of years, months or days.
    pub(super) fn days(low: f64, high: f64, about: usize) -> Self {
        let start = NaiveDate::default();
        let date = |days: f64| start.checked_add_signed(chrono::TimeDelta::try_days(days as i64)?);
        let (Some(first), Some(last)) = (date(low.floor()), date(high.ceil())) else { return Self { low, high, ticks: Vec::new() } };
        let months = (high - low) / 30.4375 / about.max(1) as f64;
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
            let step = ((high - low) / about.max(1) as f64).ceil().max(1.0) as u64;
            (0..)
                .map_while(|index| first.checked_add_days(Days::new(index * step)))
                .take_while(|date| *date <= last)
                .map(|date| (date, "%Y-%m-%d"))
                .collect::<Vec<_>>()
        };
        let ticks = ticks
            .into_iter()
            .map(|(date, form)| (date.signed_duration_since(start).num_days() as f64, date.format(form).to_string()))
            .filter(|(at, _)| *at >= low)
            .collect();
        Self { low, high, ticks }
    }

    /// Where a value is, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        if self.high > self.low { (value - self.low) / (self.high - self.low) } else { 0.5 }
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not less.
fn round_step(step: f64) -> f64 {
    if step <= 0.0 || !step.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    // the quotient of two close numbers can be a little above what it should be
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|round| *round >= step * (1.0 - 1e-9)).unwrap_or(step)
}

/// A number as readers expect it: narrow spaces between thousands from five digits on, so that years have none.
pub(super) fn number(number: f64, words: Words) -> String {
    if number != 0.0 && !(1e-6..1e15).contains(&number.abs()) {
        return format!("{number:e}");
    }
    let text = format!("{:.6}", number.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    let mut out = String::new();
    if number < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        out.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && whole.len() > 4 && (whole.len() - index) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if !part.is_empty() {
        out.push(words.decimal());
        out.push_str(part);
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
    fn ticks_are_round_and_hold_all_values() {
        for values in [vec![3.0, 17.0], vec![-4.0, 9.0], vec![0.2, 0.9], vec![1e9, 3.3e9], vec![0.0], vec![], vec![-3.0], vec![0.1, 0.3]] {
            let scale = Scale::values(values.iter().copied(), true, 5, Words::English);
            assert!(values.iter().all(|value| *value >= scale.low && *value <= scale.high), "{values:?} {scale:?}");
            assert!((2..=8).contains(&scale.ticks.len()), "{values:?} {scale:?}");
        }
        assert_eq!(labels(&Scale::values([3.0, 17.0].into_iter(), true, 5, Words::English)), ["0", "5", "10", "15", "20"]);
    }

    #[test]
    fn what_is_counted_has_no_half_ticks() {
        assert_eq!(labels(&Scale::values([1.0, 2.0].into_iter(), true, 8, Words::English)), ["0", "1", "2"]);
    }

    #[test]
    fn days_have_ticks_at_years_months_or_days() {
        let days = |text| super::super::figure::days(text).unwrap();
        assert_eq!(labels(&Scale::days(days("2014-03-01"), days("2021"), 4)), ["2016", "2018", "2020"]);
        assert_eq!(
            labels(&Scale::days(days("2020-01-15"), days("2020-06-02"), 5)),
            ["2020-02", "2020-03", "2020-04", "2020-05", "2020-06"]
        );
        assert_eq!(labels(&Scale::days(days("2020-02-27"), days("2020-03-02"), 5)).len(), 5);
    }

    #[test]
    fn numbers_are_written_for_readers() {
        for (value, text) in [
            (2019.0, "2019"),
            (12_345.0, "12\u{202f}345"),
            (-1_234_567.5, "-1\u{202f}234\u{202f}567.5"),
            (0.0, "0"),
            (-0.0, "0"),
            (1e20, "1e20"),
        ] {
            assert_eq!(number(value, Words::English), text);
        }
        assert_eq!(number(0.5, Words::Russian), "0,5");
    }
}
