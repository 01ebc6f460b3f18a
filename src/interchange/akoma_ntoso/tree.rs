//! Builds the value trees of records.

use crate::store::draft::value_tree::{Tree, Value};

/// A text and the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) text: String,
    pub(super) line: usize,
}

/// The value tree of a map, such as a record or a part, which is built entry by entry.
#[derive(Debug, Default)]
pub(super) struct MapBuilder {
    line: Option<usize>,
    entries: Vec<(String, Tree)>,
}

impl MapBuilder {
    pub(super) fn new(line: Option<usize>) -> Self {
        Self { line, entries: Vec::new() }
    }

    /// Adds an entry, unless the value is `None`.
    pub(super) fn set(&mut self, name: &str, value: Option<Tree>) {
        self.entries.extend(value.map(|value| (name.to_owned(), value)));
    }

    /// Adds an entry with a text on the line of the map.
    pub(super) fn set_text(&mut self, name: &str, value: &str) {
        self.entries.push((name.to_owned(), Tree::text(self.line, value)));
    }

    pub(super) fn build(self) -> Tree {
        Tree { line: self.line, value: Value::Map(self.entries) }
    }
}
