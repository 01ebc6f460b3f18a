//! Lengths of durations in minutes, for comparison and aggregation.

use iso8601_duration::Duration;

/// Minutes in a month: one twelfth of 365.25 days, so that twelve months are exactly one year.
pub const MINUTES_PER_MONTH: f64 = 43_830.0;
/// Minutes in a day.
const MINUTES_PER_DAY: f64 = 1_440.0;

/// Length of an ISO 8601 duration in whole minutes; `None` if the text is not a duration. Sums of integers are exact in
/// any order of summation, which the database does not guarantee.
pub fn minutes(text: &str) -> Option<f64> {
    let duration: Duration = text.parse().ok()?;
    let part = |number: f32, unit: f64| f64::from(number) * unit;
    let minutes = part(duration.year, 12.0 * MINUTES_PER_MONTH)
        + part(duration.month, MINUTES_PER_MONTH)
        + part(duration.day, MINUTES_PER_DAY)
        + part(duration.hour, 60.0)
        + part(duration.minute, 1.0)
        + part(duration.second, 1.0 / 60.0);
    Some(minutes.round())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_exact_across_units() {
        assert_eq!(minutes("P12M"), minutes("P1Y"));
        assert_eq!(minutes("P7D"), minutes("P1W"));
        assert_eq!(minutes("P3Y6M"), Some(42.0 * MINUTES_PER_MONTH));
        assert_eq!(minutes("P15D"), Some(21_600.0));
        assert_eq!(minutes("PT36H"), minutes("P1DT12H"));
        assert_eq!(minutes("three years"), None);
    }
}
