//! Parsed input values with their lines, independent of the file format.

use serde_json::Value as Json;

use crate::core::text::{forbidden_character, forbidden_character_message};
use crate::store::draft::{InputProblem, Origin};

/// A value and the line on which it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Line, counted from 1; `None` for formats without lines.
    pub line: Option<usize>,
    /// The value.
    pub value: Value,
}

/// A value of any input format.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A map, in the order of the input.
    Map(Vec<(String, Tree)>),
    /// A value that could not be converted; the problem is reported.
    Invalid,
}

impl Tree {
    /// Name of the value's type with its article, for error messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Integer(_) | Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Invalid => "not valid",
        }
    }
}

/// Reports each text with a character that no text may contain.
pub(super) fn check_characters(tree: &Tree, origin: &Origin, problems: &mut Vec<InputProblem>) {
    match &tree.value {
        Value::Text(text) => {
            let forbidden = forbidden_character(text).map(forbidden_character_message);
            problems.extend(forbidden.map(|message| InputProblem::new(origin.clone(), message)));
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check_characters(item, &origin.child(index, item.line), problems);
            }
        }
        Value::Map(entries) => {
            for (name, value) in entries {
                check_characters(value, &origin.child(name.clone(), value.line), problems);
            }
        }
        Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Number(_) | Value::Invalid => {}
    }
}

/// Converts JSON to a tree without lines.
pub fn from_json(value: &Json) -> Tree {
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Number(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(members) => Value::Map(members.iter().map(|(name, value)| (name.clone(), from_json(value))).collect()),
    };
    Tree { line: None, value }
}
