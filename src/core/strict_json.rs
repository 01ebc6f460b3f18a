//! Parses JSON of a client, without the two liberties of `serde_json::Value`: of a member that is given twice it keeps the
//! last one, and of an object with the key of a `RawValue` it parses the text inside.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

/// Characters of the name of a member that a message repeats.
const MAX_QUOTED_CHARS: usize = 40;

/// Why a text is not accepted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    reason: Reason,
    line: usize,
    column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Syntax,
    /// An object has this member twice.
    Duplicate(String),
    NumberTooLarge,
    LoneSurrogate,
    TooDeep,
    InvalidUtf8,
}

impl JsonError {
    /// The message, in which `subject` is what was parsed, such as `the body`.
    pub(crate) fn message(&self, subject: &str) -> String {
        let Self { reason, line, column } = self;
        let problem = match reason {
            Reason::Syntax => "is not JSON".to_owned(),
            Reason::Duplicate(name) => {
                let quoted: String = name.chars().take(MAX_QUOTED_CHARS).collect();
                format!("has the member {} twice", Json::String(quoted))
            }
            Reason::NumberTooLarge => "has a number that is too large for 64 bits".to_owned(),
            Reason::LoneSurrogate => "has one half of a surrogate pair (\\ud800 to \\udfff) without the other".to_owned(),
            Reason::TooDeep => "is nested too deeply".to_owned(),
            Reason::InvalidUtf8 => "is not valid UTF-8".to_owned(),
        };
        format!("{subject} {problem}: line {line}, column {column}")
    }

    /// Whether the text is not JSON at all.
    pub(crate) fn is_syntax(&self) -> bool {
        self.reason == Reason::Syntax
    }
}

/// Parses one JSON value. The order of members is kept.
pub(crate) fn parse(text: &[u8]) -> Result<Json, JsonError> {
    let duplicate = RefCell::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let parsed = ValueSeed { duplicate: &duplicate }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    parsed.map_err(|error| {
        let reason = duplicate.take().map_or_else(|| reason(&error.to_string()), Reason::Duplicate);
        JsonError { reason, line: error.line(), column: error.column() }
    })
}

/// The reason in a message of `serde_json`, which has no codes for them.
fn reason(message: &str) -> Reason {
    match message.split_once(" at line ").map_or(message, |(reason, _)| reason) {
        "number out of range" => Reason::NumberTooLarge,
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => Reason::LoneSurrogate,
        "recursion limit exceeded" => Reason::TooDeep,
        "invalid unicode code point" => Reason::InvalidUtf8,
        _ => Reason::Syntax,
    }
}

#[derive(Clone, Copy)]
struct ValueSeed<'d> {
    /// The name of the member that is given twice.
    duplicate: &'d RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Json, E> {
        Ok(Json::Bool(boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Number::from_f64(number).map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.contains_key(&name) {
                self.duplicate.replace(Some(name));
                return Err(A::Error::custom("duplicate member"));
            }
            let value = entries.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn value_is_that_of_serde_json() {
        let text = r#" {"z": [null, true, -1, 18446744073709551615, 18446744073709551617, 0.1, 1.5e300, -0, -9223372036854775808],
            "a": {"\ud83d\ude00": "\u0041", "": {}}, "b": []} "#;
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value.to_string(), serde_json::from_str::<Json>(text).unwrap().to_string());
    }

    #[test]
    fn raw_value_key_is_an_ordinary_key() {
        for text in [r#"{"$serde_json::private::RawValue":"{\"a\":1}"}"#, r#"[{"$serde_json::private::RawValue":"x"}]"#] {
            assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
        }
    }

    #[rstest]
    #[case::end(b"{", "it is not JSON: line 1, column 1")]
    #[case::rest(b"{} x", "it is not JSON: line 1, column 4")]
    #[case::duplicate(b"{\"a\": 1,\n \"a\": 2}", "it has the member \"a\" twice: line 2, column 4")]
    #[case::same_value(b"{\"a\":1,\"a\":1}", "it has the member \"a\" twice: line 1, column 10")]
    #[case::escaped(br#"{"a": 1, "\u0061": 1}"#, "it has the member \"a\" twice: line 1, column 17")]
    #[case::inside(b"{\"a\":[{\"a\":1,\"b\":2,\"b\":3}]}", "it has the member \"b\" twice: line 1, column 22")]
    #[case::raw_value(
        br#"{"$serde_json::private::RawValue":"1","$serde_json::private::RawValue":"2"}"#,
        "it has the member \"$serde_json::private::RawValue\" twice: line 1, column 70"
    )]
    #[case::number(b"{\"n\":1e400}", "it has a number that is too large for 64 bits: line 1, column 10")]
    #[case::leading_half(br#""\ud83d""#, "it has one half of a surrogate pair")]
    #[case::two_leading_halves(br#""\ud83d\ud83d""#, "it has one half of a surrogate pair")]
    #[case::trailing_half(br#"{"\ude00": 1}"#, "it has one half of a surrogate pair")]
    #[case::no_utf8(b"\"\xff\"", "it is not valid UTF-8: line 1, column")]
    #[case::message_as_key(br#"{"number out of range": }"#, "it is not JSON")]
    fn message_states_what_is_wrong_and_where(#[case] text: &[u8], #[case] expected: &str) {
        let message = parse(text).unwrap_err().message("it");
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(parse(nested(100).as_bytes()).is_ok());
        assert!(parse(nested(100_000).as_bytes()).unwrap_err().message("it").starts_with("it is nested too deeply"));
    }
}
