//! Array literals of PostgreSQL. All values of a column are bound as one array, NULLs included, so that the text of a
//! statement does not depend on the number of values.

use sea_orm::Value;
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::core::error::{Result, internal};

/// An array literal under construction.
#[derive(Debug)]
pub(crate) struct PgArray {
    sql_type: &'static str,
    literal: String,
}

impl PgArray {
    /// An empty array of the type of a value, which may be null.
    pub(crate) fn of_type(value: &Value) -> Result<Self> {
        let sql_type = match value {
            Value::Bool(_) => "bool[]",
            Value::Int(_) => "int4[]",
            Value::BigInt(_) => "int8[]",
            Value::Double(_) => "float8[]",
            Value::String(_) => "text[]",
            Value::Json(_) => "json[]",
            Value::Uuid(_) => "uuid[]",
            Value::ChronoDateTimeUtc(_) => "timestamptz[]",
            other => return Err(internal(format!("no array type for the value {other:?}"))),
        };
        Ok(Self { sql_type, literal: "{".to_owned() })
    }

    /// Appends an element encoded by [`encode_element`].
    pub(crate) fn push(&mut self, element: &str) {
        if self.literal.len() > 1 {
            self.literal.push(',');
        }
        self.literal.push_str(element);
    }

    /// The array as a bound value.
    pub(crate) fn into_expr(mut self) -> Expr {
        self.literal.push('}');
        // without the inner cast the text would be sent as an array in binary format
        Expr::val(self.literal).cast_as("text").cast_as(self.sql_type)
    }
}

/// An array of values of one type.
pub(crate) fn pg_array(values: impl IntoIterator<Item = Value>) -> Result<Expr> {
    let mut values = values.into_iter().peekable();
    let mut array = PgArray::of_type(values.peek().unwrap_or(&Value::String(None)))?;
    for value in values {
        array.push(&encode_element(&value));
    }
    Ok(array.into_expr())
}

/// Encodes a value as an element of an array literal.
pub(crate) fn encode_element(value: &Value) -> String {
    match value {
        Value::Bool(Some(boolean)) => boolean.to_string(),
        Value::Int(Some(number)) => number.to_string(),
        Value::BigInt(Some(number)) => number.to_string(),
        Value::Double(Some(number)) => number.to_string(),
        Value::String(Some(text)) => quote(text),
        Value::Json(Some(json)) => quote(&json.to_string()),
        Value::Uuid(Some(id)) => id.simple().to_string(),
        // the database stores microseconds, and would round finer fractions
        Value::ChronoDateTimeUtc(Some(instant)) => quote(&instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        _ => "NULL".to_owned(),
    }
}

/// Quotes a text; quotes and backslashes in it are escaped.
fn quote(text: &str) -> String {
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
    fn only_quotes_and_backslashes_are_escaped() {
        assert_eq!(quote(""), r#""""#);
        assert_eq!(quote("NULL"), r#""NULL""#);
        assert_eq!(quote("a, {b} 'c'\nд"), "\"a, {b} 'c'\nд\"");
        assert_eq!(quote(r#""\"#), r#""\"\\""#);
        assert_eq!(quote(r#"\\x"y"#), r#""\\\\x\"y""#);
    }

    #[test]
    fn null_is_not_quoted() {
        assert_eq!(encode_element(&Value::String(None)), "NULL");
        assert_eq!(encode_element(&Value::String(Some("NULL".to_owned()))), "\"NULL\"");
    }
}
