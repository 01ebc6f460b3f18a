//! Values as Popolo files in the wild have them, put into the form that records have here.

use url::Url;

use super::Fields;
use crate::core::normalize::fold;
use crate::store::draft::value_tree::{Tree, Value};

/// A text, or a number as text.
pub(super) fn text(tree: &Tree) -> Option<String> {
    match &tree.value {
        Value::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The name of something, made of its parts where it is not given whole.
pub(super) fn name(fields: &mut Fields) -> Option<String> {
    if let Some(name) = fields.text("name") {
        return Some(name);
    }
    let parts: Vec<String> =
        ["given_name", "additional_name", "patronymic_name", "family_name"].into_iter().filter_map(|part| fields.id(part)).collect();
    if parts.is_empty() {
        return fields.text("label").or_else(|| fields.text("sort_name"));
    }
    for part in ["given_name", "additional_name", "patronymic_name", "family_name"] {
        fields.take(part);
    }
    Some(parts.join(" "))
}

/// A date without its time of day and without placeholders for what is not known; nothing if no part of it is known.
pub(super) fn date(text: &str) -> Option<String> {
    let day = text.split(['T', ' ']).next().unwrap_or_default().trim_end_matches('Z').replace(['/', '.'], "-");
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let day = if day.len() == 8 && is_digits(&day) { format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]) } else { day };
    let known: Vec<&str> = day.split('-').take_while(|part| !part.is_empty() && part.bytes().any(|byte| byte != b'0')).collect();
    let is_date = known.first().is_none_or(|year| year.len() == 4) && known.iter().all(|part| is_digits(part));
    if !is_date {
        // what cannot be understood is given on, and refused with its place
        return Some(text.trim().to_owned());
    }
    (!known.is_empty()).then(|| known.join("-"))
}

/// A gender in lower case, and the same word for the same.
pub(super) fn gender(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    match lower.as_str() {
        "m" | "man" | "masculine" | "м" | "муж" | "мужской" => "male".to_owned(),
        "f" | "w" | "woman" | "feminine" | "ж" | "жен" | "женский" => "female".to_owned(),
        _ => lower,
    }
}

/// Our word for what kind of body an organization is.
pub(super) fn organization(text: &str) -> &'static str {
    match fold(text).as_str() {
        "legislature" | "parliament" | "assembly" | "council" | "congress" => "legislature",
        "chamber" | "house" | "upper house" | "lower house" | "upper chamber" | "lower chamber" | "senate" => "chamber",
        "committee" | "subcommittee" | "commission" | "standing committee" | "working group" => "committee",
        "executive" | "government" | "cabinet" => "government",
        "ministry" | "department" => "ministry",
        "agency" | "office" | "authority" => "agency",
        "court" | "tribunal" | "judiciary" => "court",
        "prosecutor" | "prosecution" | "prosecutors office" => "prosecutor",
        "party" | "political party" | "faction" | "parliamentary group" | "political group" | "coalition" => "party",
        "association" | "foundation" | "ngo" | "non profit" | "nonprofit" | "charity" | "trade union" | "union" => "association",
        "media" | "newspaper" | "news agency" | "broadcaster" => "media",
        "international" | "international organization" | "intergovernmental organization" => "international",
        _ => "other",
    }
}

/// Our word for what kind of place an area is.
pub(super) fn area(text: &str) -> &'static str {
    match fold(text).as_str() {
        "country" | "nation" => "country",
        "region" | "province" | "state" | "oblast" | "county" => "region",
        "district" | "rayon" | "raion" | "borough" | "ward" | "constituency" => "district",
        "city" | "town" | "municipality" | "village" => "city",
        "supranational" => "supranational",
        _ => "other",
    }
}

/// Whether a text is an address on the web.
pub(super) fn is_web(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_lose_their_time_and_their_placeholders() {
        let cases = [
            ("1970-05-03T00:00:00Z", Some("1970-05-03")),
            ("1970-05-03 00:00:00", Some("1970-05-03")),
            ("1970-05-00", Some("1970-05")),
            ("1970-00-00", Some("1970")),
            ("0000-00-00", None),
            ("0000", None),
            ("19700503", Some("1970-05-03")),
            ("1970/05/03", Some("1970-05-03")),
            ("1970", Some("1970")),
            ("May 1970", Some("May 1970")),
            ("03.05.1970", Some("03.05.1970")),
        ];
        for (given, expected) in cases {
            assert_eq!(date(given).as_deref(), expected, "{given}");
        }
    }

    proptest! {
        #[test]
        fn a_date_that_is_one_stays_as_it_is(year in 1000u32..3000, month in 1u32..13, day in 1u32..29, length in 0usize..3) {
            let text = format!("{year}-{month:02}-{day:02}");
            let text = &text[..[4, 7, 10][length]];
            prop_assert_eq!(date(text), Some(text.to_owned()));
        }

        #[test]
        fn no_text_makes_reading_a_date_panic(text in ".{0,20}") {
            date(&text);
        }
    }
}
