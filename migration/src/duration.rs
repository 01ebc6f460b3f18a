//! How long a duration is, as one number that can be compared and added up.

use iso8601_duration::Duration;

/// Minutes in a month: a twelfth of a year of 365.25 days, so that twelve months are a year to the minute.
pub const MONTH: f64 = 43_830.0;
/// Minutes in a day.
const DAY: f64 = 1_440.0;

/// Minutes of an ISO 8601 duration, whole; nothing where the text is none. Sums of whole numbers are exact, whatever
/// the order in which a database adds them up.
pub fn minutes(text: &str) -> Option<f64> {
    let length: Duration = text.parse().ok()?;
    let whole = |number: f32, unit: f64| f64::from(number) * unit;
    let minutes = whole(length.year, 12.0 * MONTH)
        + whole(length.month, MONTH)
        + whole(length.day, DAY)
        + whole(length.hour, 60.0)
        + whole(length.minute, 1.0)
        + whole(length.second, 1.0 / 60.0);
    Some(minutes.round())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_months_are_a_year_and_seven_days_a_week() {
        assert_eq!(minutes("P12M"), minutes("P1Y"));
        assert_eq!(minutes("P7D"), minutes("P1W"));
        assert_eq!(minutes("P3Y6M"), Some(42.0 * MONTH));
        assert_eq!(minutes("P15D"), Some(21_600.0));
        assert_eq!(minutes("PT36H"), minutes("P1DT12H"));
        assert_eq!(minutes("three years"), None);
    }
}
