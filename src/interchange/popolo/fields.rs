//! The fields of an object, and the forms of their values.

use crate::store::draft::value_tree::{Tree, Value};

/// Members of JSON-LD that say how an object is written, and nothing about it.
const SYNTAX_FIELDS: [&str; 2] = ["@type", "@context"];

/// The fields of an item. Conversion takes fields out; the rest is reported as omitted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldMap(pub(super) Vec<(String, Tree)>);

impl FieldMap {
    /// The value of a field; `None` if it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&Tree> {
        self.0.iter().find(|(key, tree)| key == name && !is_empty(tree)).map(|(_, tree)| tree)
    }

    /// The fields that were not taken and have values, without those that say how the item is written.
    pub(super) fn remaining(&self) -> impl Iterator<Item = &(String, Tree)> {
        self.0.iter().filter(|(key, tree)| !is_empty(tree) && !SYNTAX_FIELDS.contains(&key.as_str()))
    }

    /// The value of a field as text, without taking it.
    pub(super) fn get_text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(scalar_text)
    }

    /// Removes a field and returns its value; `None` if it is empty.
    pub(super) fn take(&mut self, name: &str) -> Option<Tree> {
        let index = self.0.iter().position(|(key, tree)| key == name && !is_empty(tree))?;
        Some(self.0.remove(index).1)
    }

    /// Removes a field and returns its value as text. A value that is no text or number stays, and is reported as omitted.
    pub(super) fn take_text(&mut self, name: &str) -> Option<String> {
        let text = self.get_text(name)?;
        self.take(name);
        Some(text)
    }

    /// Removes a field and returns its text with its line, as [`FieldMap::take_text`].
    pub(super) fn take_text_tree(&mut self, name: &str) -> Option<Tree> {
        self.get_text(name)?;
        self.take(name)
    }
}

/// Trimmed text, or a number as text; `None` for empty text and other values.
pub(super) fn scalar_text(tree: &Tree) -> Option<String> {
    match &tree.value {
        Value::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.text().to_owned()),
        Value::Null | Value::Boolean(_) | Value::List(_) | Value::Map(_) | Value::Invalid => None,
    }
}

/// Whether a value is null, blank text, or contains only such values.
pub(super) fn is_empty(tree: &Tree) -> bool {
    match &tree.value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.iter().all(is_empty),
        Value::Map(entries) => entries.iter().all(|(_, tree)| is_empty(tree)),
        Value::Boolean(_) | Value::Number(_) | Value::Invalid => false,
    }
}
