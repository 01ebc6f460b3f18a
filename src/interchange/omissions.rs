//! Counts what records have no field for, with an example of each.

use std::collections::BTreeMap;

use crate::core::text::excerpt;
use crate::store::draft::Origin;
use crate::store::draft::value_tree::{Tree, Value};

/// Counts of values that records have no field for, each with the first such value.
#[derive(Debug, Default)]
pub(super) struct Omissions(BTreeMap<String, (usize, String)>);

impl Omissions {
    /// Counts a value. `origin` is the item that it belongs to.
    pub(super) fn count(&mut self, description: impl Into<String>, tree: &Tree, origin: &Origin) {
        let value = match &tree.value {
            Value::Text(text) => format!("\"{}\"", excerpt(text)),
            Value::Number(number) => number.text().to_owned(),
            Value::Boolean(boolean) => boolean.to_string(),
            Value::Null | Value::List(_) | Value::Map(_) | Value::Invalid => tree.kind().to_owned(),
        };
        self.count_example(description, || format!("{value} at {}", place(origin, tree.line)));
    }

    /// Counts an item or a value, with how it is called and where it is.
    pub(super) fn count_text(&mut self, description: impl Into<String>, text: &str, origin: &Origin) {
        self.count_example(description, || format!("\"{}\" at {}", excerpt(text), place(origin, None)));
    }

    /// Counts the fields of an object that the conversion did not take. `path` is the list of the objects, such as
    /// `persons.links`.
    pub(super) fn count_remaining<'t>(&mut self, path: &str, fields: impl Iterator<Item = &'t (String, Tree)>, origin: &Origin) {
        for (key, tree) in fields {
            self.count(format!("{path}.{key}"), tree, origin);
        }
    }

    fn count_example(&mut self, description: impl Into<String>, example: impl FnOnce() -> String) {
        self.0.entry(description.into()).or_insert_with(|| (0, example())).0 += 1;
    }

    /// A one-line summary; `None` if nothing was omitted.
    pub(super) fn summary(&self) -> Option<String> {
        let items: Vec<String> =
            self.0.iter().map(|(description, (count, example))| format!("{description} ({count}, such as {example})")).collect();
        (!items.is_empty()).then(|| format!("omitted, because records have no field for it: {}", items.join(", ")))
    }
}

/// File and line of a value, for messages. The line of the item stands for that of a value without one.
pub(super) fn place(origin: &Origin, line: Option<usize>) -> String {
    let file = origin.file.as_deref().unwrap_or_default();
    line.or(origin.line).map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}
