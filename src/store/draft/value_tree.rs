//! Parsed input values with their lines, independent of the file format.

use serde_json::Value as Json;

use crate::core::decimal::{exact_number, is_plain_decimal};

/// Maximum number of nested lists and maps in a file. Records need fewer than ten; reading and dropping a tree recurses once
/// for each.
pub const MAX_NESTING: usize = 64;

/// A value and the line on which it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Line, counted from 1; `None` for formats without lines.
    pub line: Option<usize>,
    /// The value.
    pub value: Value,
}

impl Tree {
    /// A text.
    pub fn text(line: Option<usize>, text: impl Into<String>) -> Self {
        Self { line, value: Value::Text(text.into()) }
    }

    /// A list, which begins on the line of its first item.
    pub fn list(items: Vec<Self>) -> Self {
        Self { line: items.first().and_then(|item| item.line), value: Value::List(items) }
    }
}

/// A value of any input format.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A map, in the order of the input.
    Map(Vec<(String, Tree)>),
    /// A value that could not be converted; the problem is reported.
    Invalid,
}

/// A number with the digits of the input: where a text is expected, `20.20` stays `20.20`.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    text: Box<str>,
    integer: Option<i64>,
    float: f64,
}

impl Number {
    /// A number that the input writes in this way.
    pub fn written(self, text: &str) -> Self {
        Self { text: text.into(), ..self }
    }

    /// As the input writes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value if it is an integer of 64 bits without a fraction or exponent.
    pub fn integer(&self) -> Option<i64> {
        self.integer
    }

    /// Whether a floating-point number cannot keep the digits of the input. Other notations, such as hexadecimal numbers and
    /// exponents, say a number and not its digits.
    pub fn is_rounded(&self) -> bool {
        is_plain_decimal(&self.text) && exact_number(&self.text).is_none()
    }

    /// Its value, rounded to a floating-point number.
    pub fn float(&self) -> f64 {
        self.float
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self { text: integer.to_string().into(), integer: Some(integer), float: integer as f64 }
    }
}

impl From<f64> for Number {
    fn from(float: f64) -> Self {
        Self { text: float.to_string().into(), integer: None, float }
    }
}

impl Tree {
    /// Name of the value's type with its article, for error messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Invalid => "not valid",
        }
    }
}

/// Converts JSON to a tree without lines.
pub fn from_json(value: &Json) -> Tree {
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Number(integer.into()),
            (None, Some(float)) => Value::Number(Number::from(float).written(&number.to_string())),
            (None, None) => Value::Invalid,
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(members) => Value::Map(members.iter().map(|(name, value)| (name.clone(), from_json(value))).collect()),
    };
    Tree { line: None, value }
}
