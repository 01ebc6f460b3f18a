//! Names of the schema, as enum values and as English words for descriptions.

use heck::{ToShoutySnakeCase, ToSnakeCase};

use crate::catalog::record::Record;
use crate::core::article;

/// Converts a name to an enum value: `createdAt` becomes `CREATED_AT`.
pub(crate) fn enum_value(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// Words that are written in uppercase.
const ACRONYMS: [&str; 2] = ["ecli", "url"];

/// Splits a name into words in lowercase, but for acronyms: `VoteEvent` becomes `vote event`, `imageUrl` `image URL`.
pub(crate) fn words(name: &str) -> String {
    let name = name.to_snake_case();
    let words = name.split('_').map(|word| if ACRONYMS.contains(&word) { word.to_uppercase() } else { word.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

/// Splits a name into lowercase words with an indefinite article: `Organization` becomes `an organization`.
pub(crate) fn with_article(name: &str) -> String {
    article::with_article(&words(name))
}

/// Converts the first letter to uppercase.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The words of a name as a sentence: `birthDate` becomes `Birth date.` This describes a member whose full description
/// is on the field of the same name of the object type.
pub(crate) fn sentence(name: &str) -> String {
    capitalized(&format!("{}.", words(name)))
}

/// One record of this type in words: `vote event`.
pub(crate) fn singular(record: &Record) -> String {
    words(record.name())
}

/// One record of this type in words, with an article: `an organization`.
pub(crate) fn a(record: &Record) -> String {
    with_article(record.name())
}

/// Records of this type in words: `vote events`.
pub(crate) fn plural(record: &Record) -> String {
    if !record.plural.is_empty() {
        return words(record.plural);
    }
    let singular = singular(record);
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{singular}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Organization", "an organization")]
    #[case("VoteEvent", "a vote event")]
    #[case("ActionClassification", "an action classification")]
    #[case("person", "a person")]
    #[case("imageUrl", "an image URL")]
    fn words_take_the_right_article(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(with_article(name), expected);
    }

    #[rstest]
    #[case("createdAt", "CREATED_AT")]
    #[case("inForceFrom", "IN_FORCE_FROM")]
    #[case("label", "LABEL")]
    fn enum_values_are_shouty_snake_case(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(enum_value(name), expected);
    }
}
