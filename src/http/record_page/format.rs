//! Formatting of values for the HTML page, in English.

use crate::core::partial_date::PartialDate;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// Abbreviations in field names, written in capitals.
const ABBREVIATIONS: [&str; 5] = ["ocd", "ecli", "eli", "id", "url"];

/// The label of a field: `inForceFrom` becomes `In force from`.
pub(super) fn field_label(name: &str) -> String {
    let words = spaced_words(name);
    let word = |(index, word): (usize, &str)| match ABBREVIATIONS.iter().find(|short| word.eq_ignore_ascii_case(short)) {
        Some(&"id") if index > 0 => "id".to_owned(),
        Some(short) => short.to_uppercase(),
        None => word.to_owned(),
    };
    words.split(' ').enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// The native name of a common language; the tag of any other.
pub(super) fn language_name(tag: &str) -> &str {
    match tag {
        "en" => "English",
        "ru" => "Русский",
        "kk" => "Қазақша",
        other => other,
    }
}

/// The label of an enum value: `in_force` becomes `in force`.
pub(super) fn choice_label(value: &str) -> String {
    value.replace('_', " ")
}

/// A partial date: `2020`, `June 2020` or `22 June 2020`.
pub(super) fn date(date: &str) -> String {
    let mut parts = date.split('-');
    let year = parts.next().unwrap_or_default();
    let month = parts.next().and_then(|month| month.parse::<usize>().ok()).and_then(|month| MONTHS.get(month.checked_sub(1)?));
    match (month, parts.next()) {
        (Some(month), Some(day)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        (Some(month), None) => format!("{month} {year}"),
        (None, _) => date.to_owned(),
    }
}

/// A claimed value: dates and durations are formatted, other values are unchanged.
pub(super) fn claim(value: &str) -> String {
    if value.parse::<PartialDate>().is_ok() { date(value) } else { duration(value) }
}

/// An ISO 8601 duration: `P3Y6M` becomes `3 years 6 months`. Other text is unchanged.
pub(super) fn duration(duration: &str) -> String {
    let Some(rest) = duration.strip_prefix('P') else { return duration.to_owned() };
    let (mut words, mut digits, mut is_time) = (Vec::new(), String::new(), false);
    for character in rest.chars() {
        let unit = match (character, is_time) {
            ('T', _) => {
                is_time = true;
                continue;
            }
            (character, _) if character.is_ascii_alphabetic() && digits.is_empty() => return duration.to_owned(),
            ('Y', _) => "year",
            ('M', false) => "month",
            ('W', _) => "week",
            ('D', _) => "day",
            ('H', _) => "hour",
            ('M', true) => "minute",
            ('S', _) => "second",
            _ => {
                digits.push(character);
                continue;
            }
        };
        let plural = if digits == "1" { "" } else { "s" };
        words.push(format!("{} {unit}{plural}", std::mem::take(&mut digits)));
    }
    if words.is_empty() || !digits.is_empty() { duration.to_owned() } else { words.join(" ") }
}

/// A type or enum value as spaced words: `VoteEvent` and `vote_event` become `Vote event`.
pub(crate) fn spaced_words(name: &str) -> String {
    let mut words = String::new();
    // in an enum value, capitals do not mark the beginning of a word
    let is_enum = !name.contains(|letter: char| letter.is_ascii_lowercase());
    let name = if is_enum { name.to_ascii_lowercase() } else { name.to_owned() };
    for letter in name.chars() {
        match letter {
            '_' => words.push(' '),
            letter if letter.is_ascii_uppercase() && words.ends_with(|before: char| before.is_ascii_lowercase()) => {
                words.push(' ');
                words.push(letter.to_ascii_lowercase());
            }
            letter if words.is_empty() => words.push(letter.to_ascii_uppercase()),
            letter => words.push(letter.to_ascii_lowercase()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_formatted_as_words() {
        assert_eq!([field_label("inForceFrom"), field_label("ocdId"), field_label("ecli")], ["In force from", "OCD id", "ECLI"]);
        assert_eq!([date("2020-06-02"), date("2020-06"), date("2020")], ["2 June 2020", "June 2020", "2020"]);
        assert_eq!([duration("P3Y6M"), duration("P1D"), duration("PT12H")], ["3 years 6 months", "1 day", "12 hours"]);
    }

    #[test]
    fn other_claims_are_unchanged() {
        assert_eq!([claim("2020-06-02"), claim("2020"), claim("P3Y")], ["2 June 2020", "2020", "3 years"]);
        for plain in ["three posts", "PM", "Peter", "P", "P3", "P3X", ""] {
            assert_eq!(claim(plain), plain);
        }
    }
}
