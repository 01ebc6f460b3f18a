//! How values are written for people, in English as all words of the pages are.

use crate::core::partial_date::PartialDate;
use crate::http::export::feed::in_words;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// Words of names that are abbreviations.
const ABBREVIATIONS: [&str; 5] = ["ocd", "ecli", "eli", "id", "url"];

/// The name of a field in words: `inForceFrom` becomes `In force from`.
pub(crate) fn field(name: &str) -> String {
    let words = in_words(name);
    let word = |(place, word): (usize, &str)| match ABBREVIATIONS.iter().find(|short| word.eq_ignore_ascii_case(short)) {
        Some(&"id") if place > 0 => "id".to_owned(),
        Some(short) => short.to_uppercase(),
        None => word.to_owned(),
    };
    words.split(' ').enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// The name of a language in itself, where it is one of those that most texts are in; its tag otherwise.
pub(crate) fn language(tag: &str) -> &str {
    match tag {
        "en" => "English",
        "ru" => "Русский",
        "kk" => "Қазақша",
        other => other,
    }
}

/// A value of a vocabulary: `in_force` becomes `in force`.
pub(crate) fn choice(value: &str) -> String {
    value.replace('_', " ")
}

/// A partial date: 2020, June 2020, 22 June 2020.
pub(crate) fn date(date: &str) -> String {
    let mut parts = date.split('-');
    let year = parts.next().unwrap_or_default();
    let month = parts.next().and_then(|month| month.parse::<usize>().ok()).and_then(|month| MONTHS.get(month.checked_sub(1)?));
    match (month, parts.next()) {
        (Some(month), Some(day)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        (Some(month), None) => format!("{month} {year}"),
        (None, _) => date.to_owned(),
    }
}

/// A value as a source gives it: a date or a duration in words, anything else as it is.
pub(crate) fn claim(value: &str) -> String {
    if value.parse::<PartialDate>().is_ok() { date(value) } else { duration(value) }
}

/// An ISO 8601 duration: `P3Y6M` is 3 years 6 months. What is written otherwise stays as it is.
pub(crate) fn duration(duration: &str) -> String {
    let Some(rest) = duration.strip_prefix('P') else { return duration.to_owned() };
    let (mut words, mut digits, mut is_time) = (Vec::new(), String::new(), false);
    for sign in rest.chars() {
        let unit = match (sign, is_time) {
            ('T', _) => {
                is_time = true;
                continue;
            }
            (sign, _) if sign.is_ascii_alphabetic() && digits.is_empty() => return duration.to_owned(),
            ('Y', _) => "year",
            ('M', false) => "month",
            ('W', _) => "week",
            ('D', _) => "day",
            ('H', _) => "hour",
            ('M', true) => "minute",
            ('S', _) => "second",
            _ => {
                digits.push(sign);
                continue;
            }
        };
        let plural = if digits == "1" { "" } else { "s" };
        words.push(format!("{} {unit}{plural}", std::mem::take(&mut digits)));
    }
    if words.is_empty() || !digits.is_empty() { duration.to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_words() {
        assert_eq!([field("inForceFrom"), field("ocdId"), field("ecli")], ["In force from", "OCD id", "ECLI"]);
        assert_eq!([date("2020-06-02"), date("2020-06"), date("2020")], ["2 June 2020", "June 2020", "2020"]);
        assert_eq!([duration("P3Y6M"), duration("P1D"), duration("PT12H")], ["3 years 6 months", "1 day", "12 hours"]);
    }

    #[test]
    fn a_claim_that_is_no_date_and_no_duration_stays_as_it_is() {
        assert_eq!([claim("2020-06-02"), claim("2020"), claim("P3Y")], ["2 June 2020", "2020", "3 years"]);
        for plain in ["three posts", "PM", "Peter", "P", "P3", "P3X", ""] {
            assert_eq!(claim(plain), plain);
        }
    }
}
