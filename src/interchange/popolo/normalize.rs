//! Normalizes values of Popolo files to the forms and vocabularies of records.

use url::Url;

use super::fields::{FieldMap, scalar_text};
use crate::core::normalize::fold;
use crate::core::web_address::comparable_web_address;
use crate::store::draft::value_tree::{Tree, Value};

/// Fields that make up a name, in order.
const NAME_PARTS: [&str; 4] = ["given_name", "additional_name", "patronymic_name", "family_name"];

/// The name of an item, assembled from its parts if there is no full name; or else its label or sort name.
pub(super) fn display_name(fields: &FieldMap) -> Option<String> {
    fields.get_text("name").or_else(|| name_of_parts(fields)).or_else(|| fields.get_text("label")).or_else(|| fields.get_text("sort_name"))
}

/// Takes the name of an item as [`display_name`] makes it. The parts of a name stay, because people have fields for them.
pub(super) fn take_display_name(fields: &mut FieldMap) -> Option<String> {
    if let Some(name) = fields.take_text("name").or_else(|| name_of_parts(fields)) {
        return Some(name);
    }
    fields.take_text("label").or_else(|| fields.get_text("sort_name"))
}

/// Takes the parts of a name of which [`take_display_name`] has made the name.
pub(super) fn take_name_parts(fields: &mut FieldMap) {
    for part in NAME_PARTS {
        fields.take_text(part);
    }
}

fn name_of_parts(fields: &FieldMap) -> Option<String> {
    let parts: Vec<String> = NAME_PARTS.into_iter().filter_map(|part| fields.get_text(part)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Whether a date contains a time of day other than midnight, which a day cannot keep.
pub(super) fn has_time_of_day(text: &str) -> bool {
    let time = text.trim().split_once(['T', ' ']).map(|(_, time)| time.trim()).filter(|time| is_time(time));
    let clock = time.and_then(|time| time.split(['Z', '+', '-']).next());
    clock.is_some_and(|clock| clock.contains(|digit: char| ('1'..='9').contains(&digit)))
}

/// A date as an ISO 8601 partial date, without time of day and without zero placeholders at its end; `None` if all parts are
/// placeholders. Text that is not a date is returned unchanged, and validation of the record rejects it with its position.
pub(super) fn normalize_date(text: &str) -> Option<String> {
    let text = text.trim();
    let unchanged = || Some(text.to_owned());
    let (day, time) = text.split_once(['T', ' ']).map_or((text, None), |(day, time)| (day, Some(time.trim())));
    if time.is_some_and(|time| !is_time(time)) {
        return unchanged();
    }
    let day = day.trim_end_matches('Z').replace(['/', '.'], "-");
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let day = if day.len() == 8 && is_digits(&day) { format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]) } else { day };
    let mut parts: Vec<&str> = day.split('-').collect();
    let is_date = parts.len() <= 3
        && parts[0].len() == 4
        && parts[1..].iter().all(|part| part.len() <= 2)
        && parts.iter().all(|part| is_digits(part));
    if !is_date {
        return unchanged();
    }
    let is_placeholder = |part: &&str| part.bytes().all(|byte| byte == b'0');
    while parts.last().is_some_and(is_placeholder) {
        parts.pop();
    }
    if parts.iter().any(is_placeholder) { unchanged() } else { (!parts.is_empty()).then(|| parts.join("-")) }
}

/// Whether a text is a time of day, with a time zone if it has one, such as `00:00:00Z`.
fn is_time(text: &str) -> bool {
    let is_part = |char: char| char.is_ascii_digit() || matches!(char, ':' | '.' | '+' | '-' | 'Z' | ' ');
    text.contains(':') && text.starts_with(|first: char| first.is_ascii_digit()) && text.chars().all(is_part)
}

/// A gender in lower case, with synonyms of male and female unified.
pub(super) fn normalize_gender(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    match lower.as_str() {
        "m" | "man" | "masculine" | "м" | "муж" | "мужской" => "male".to_owned(),
        "f" | "w" | "woman" | "feminine" | "ж" | "жен" | "женский" => "female".to_owned(),
        _ => lower,
    }
}

/// The classification of an organization; `None` if the text is not known.
pub(super) fn organization_classification(text: &str) -> Option<&'static str> {
    let classification = match fold(text).as_str() {
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
        "other" => "other",
        _ => return None,
    };
    Some(classification)
}

/// The classification of a jurisdiction; `None` if the text is not known.
pub(super) fn area_classification(text: &str) -> Option<&'static str> {
    let classification = match fold(text).as_str() {
        "country" | "nation" => "country",
        "region" | "province" | "state" | "oblast" | "county" => "region",
        "district" | "rayon" | "raion" | "borough" | "ward" | "constituency" => "district",
        "city" | "town" | "municipality" | "village" => "city",
        "supranational" => "supranational",
        "other" => "other",
        _ => return None,
    };
    Some(classification)
}

/// The choice of a voter; `None` if the text is not known.
pub(super) fn vote_option(text: &str) -> Option<&'static str> {
    match fold(text).as_str() {
        "yes" => Some("yes"),
        "no" => Some("no"),
        "abstain" => Some("abstain"),
        "absent" => Some("absent"),
        "not voting" => Some("not_voting"),
        _ => None,
    }
}

/// The result of a vote; `None` if the text is not known.
pub(super) fn vote_result(text: &str) -> Option<&'static str> {
    match fold(text).as_str() {
        "pass" | "passed" => Some("pass"),
        "fail" | "failed" => Some("fail"),
        "other" => Some("other"),
        _ => None,
    }
}

/// Whether a text is an absolute HTTP or HTTPS URL.
pub(super) fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// The Open Civic Data division id of an area, from its id, its `division_id` or its identifiers.
pub(super) fn division_id(id: Option<&str>, fields: &FieldMap) -> Option<String> {
    let own = id.map(str::to_owned);
    let identifiers = match fields.get("identifiers").map(|tree| &tree.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let identifiers = identifiers.iter().filter_map(|item| match &item.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| key == "identifier").and_then(|(_, tree)| scalar_text(tree)),
        _ => None,
    });
    own.into_iter().chain(fields.get_text("division_id")).chain(identifiers).find(|text| is_division_id(text))
}

/// Whether a text is an Open Civic Data division id.
pub(super) fn is_division_id(text: &str) -> bool {
    text.starts_with("ocd-division/")
}

/// The web URL of an entry of `sources`.
pub(super) fn source_url(tree: &Tree) -> Option<String> {
    let url = match &tree.value {
        Value::Map(entries) => entries.iter().find(|(key, _)| key == "url").and_then(|(_, tree)| scalar_text(tree)),
        _ => scalar_text(tree),
    };
    url.filter(|url| is_web_url(url)).map(|url| comparable_web_address(&url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_lose_time_and_zero_placeholders() {
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
            ("1979 or 1980", Some("1979 or 1980")),
            ("1979-04-03 - 1980-01-01", Some("1979-04-03 - 1980-01-01")),
            ("1850-05-02 (?)", Some("1850-05-02 (?)")),
            ("0044 BC", Some("0044 BC")),
            ("1979TBD", Some("1979TBD")),
            ("1979-00-15", Some("1979-00-15")),
            ("1979-04-00-99", Some("1979-04-00-99")),
            ("0000-04-15", Some("0000-04-15")),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize_date(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn partial_date_is_unchanged(year in 1000u32..3000, month in 1u32..13, day in 1u32..29, length in 0usize..3) {
            let text = format!("{year}-{month:02}-{day:02}");
            let text = &text[..[4, 7, 10][length]];
            prop_assert_eq!(normalize_date(text), Some(text.to_owned()));
        }

        #[test]
        fn any_text_is_normalized_without_panic(text in ".{0,20}") {
            normalize_date(&text);
        }
    }
}
