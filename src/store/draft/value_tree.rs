//! What was read from a file: values that still know their lines.

use serde_json::Value as Json;

/// A value and the line it begins on.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Line, counted from 1, where the format has lines.
    pub line: Option<usize>,
    /// The value.
    pub value: Value,
}

/// A value of any of the formats.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A map, in the order of the file.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// What kind of value it is, for an error.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Boolean(_) => "a yes or no",
            Value::Integer(_) | Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// A value of JSON, which has no lines.
pub fn of_json(value: &Json) -> Tree {
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Number(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(of_json).collect()),
        Json::Object(members) => Value::Map(members.iter().map(|(name, value)| (name.clone(), of_json(value))).collect()),
    };
    Tree { line: None, value }
}
