//! Arrays of PostgreSQL, written as text: many values of a column are bound as one, whatever their type and
//! whichever of them are unknown, and the text of the statement does not depend on how many there are.

use sea_orm::Value;
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::core::error::{Result, internal};

/// An array under construction.
#[derive(Debug)]
pub(crate) struct Array {
    /// Its type in SQL.
    ty: &'static str,
    text: String,
}

impl Array {
    /// An empty array of values such as this one, known or not.
    pub(crate) fn of(value: &Value) -> Result<Self> {
        let ty = match value {
            Value::Bool(_) => "bool[]",
            Value::Int(_) => "int4[]",
            Value::Double(_) => "float8[]",
            Value::String(_) => "text[]",
            Value::Json(_) => "json[]",
            Value::Uuid(_) => "uuid[]",
            Value::ChronoDateTimeUtc(_) => "timestamptz[]",
            other => return Err(internal(format!("no column holds values like {other:?}"))),
        };
        Ok(Self { ty, text: "{".to_owned() })
    }

    /// Adds an element, as [`element`] writes it.
    pub(crate) fn push(&mut self, element: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push_str(element);
    }

    /// The array as the database takes it.
    pub(crate) fn bound(mut self) -> Expr {
        self.text.push('}');
        // without the inner cast the text would be taken for an array in the binary form
        Expr::val(self.text).cast_as("text").cast_as(self.ty)
    }
}

/// An array with all of these, which are of one type.
pub(crate) fn array(values: impl IntoIterator<Item = Value>) -> Result<Expr> {
    let mut values = values.into_iter().peekable();
    let mut array = Array::of(values.peek().unwrap_or(&Value::String(None)))?;
    for value in values {
        array.push(&element(&value));
    }
    Ok(array.bound())
}

/// A value as an element of an array.
pub(crate) fn element(value: &Value) -> String {
    match value {
        Value::Bool(Some(boolean)) => boolean.to_string(),
        Value::Int(Some(number)) => number.to_string(),
        Value::Double(Some(number)) => number.to_string(),
        Value::String(Some(text)) => quoted(text),
        Value::Json(Some(json)) => quoted(&json.to_string()),
        Value::Uuid(Some(id)) => id.simple().to_string(),
        // the database keeps microseconds, and would round what is finer
        Value::ChronoDateTimeUtc(Some(instant)) => quoted(&instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        _ => "NULL".to_owned(),
    }
}

/// A text between quotes, in which nothing but quotes and backslashes means anything.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + text.len() / 8 + 2);
    quoted.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        let plain = part.trim_end_matches(['"', '\\']);
        quoted.push_str(plain);
        if plain.len() < part.len() {
            quoted.push('\\');
            quoted.push_str(&part[plain.len()..]);
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_escaped_and_nothing_else() {
        assert_eq!(quoted(""), r#""""#);
        assert_eq!(quoted("NULL"), r#""NULL""#);
        assert_eq!(quoted("a, {b} 'c'\nд"), "\"a, {b} 'c'\nд\"");
        assert_eq!(quoted(r#""\"#), r#""\"\\""#);
        assert_eq!(quoted(r#"\\x"y"#), r#""\\\\x\"y""#);
    }

    #[test]
    fn an_unknown_value_is_no_text() {
        assert_eq!(element(&Value::String(None)), "NULL");
        assert_eq!(element(&Value::String(Some("NULL".to_owned()))), "\"NULL\"");
    }
}
