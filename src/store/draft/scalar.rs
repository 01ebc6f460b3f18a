//! Validation of single values: dates, URLs, durations and values of vocabularies.

use serde_json::Value as Json;

use crate::catalog::kind::{FieldKind, Vocabulary};
use crate::core::language;
use crate::core::partial_date::PartialDate;
use crate::core::web_address::normalize_web_address;
use crate::store::read::result::Cell;

/// Validates a text against the kind of its field and returns its canonical form.
pub fn normalize(kind: FieldKind, text: &str) -> Result<String, String> {
    match kind {
        FieldKind::Date => text.parse::<PartialDate>().map(|date| date.to_string()).map_err(|error| error.to_string()),
        FieldKind::Language => language::tag(text).map_err(|error| error.to_string()),
        FieldKind::Url => normalize_web_address(text),
        FieldKind::Duration => match text.parse::<iso8601_duration::Duration>() {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => {
                Err(format!("\"{text}\" is not an ISO 8601 duration; write P3Y for three years, P6M for six months, P15D for fifteen days"))
            }
        },
        FieldKind::Choice(vocabulary) => {
            if vocabulary.choices.iter().any(|choice| choice.value == text) {
                Ok(text.to_owned())
            } else {
                Err(unknown_choice(vocabulary, text))
            }
        }
        _ => Ok(text.to_owned()),
    }
}

fn unknown_choice(vocabulary: &Vocabulary, text: &str) -> String {
    let known: Vec<&str> = vocabulary.choices.iter().map(|choice| choice.value).collect();
    format!("\"{text}\" is not a value of this field; the values are {}", known.join(", "))
}

/// A value of a member of a structure.
pub(super) fn json(cell: &Cell) -> Json {
    match cell {
        Cell::Text(text) => Json::from(text.as_str()),
        Cell::Integer(number) => Json::from(*number),
        Cell::Number(number) => Json::from(*number),
        Cell::Boolean(boolean) => Json::from(*boolean),
        _ => Json::Null,
    }
}
