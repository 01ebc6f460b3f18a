//! Builds the value tree of a record field by field.

use crate::interchange::popolo::fields::{FieldMap, is_empty};
use crate::store::draft::Origin;
use crate::store::draft::value_tree::{Tree, Value};

/// A record under construction: its fields and the origin of its item.
pub(super) struct RecordBuilder {
    pub(super) entries: Vec<(String, Tree)>,
    pub(super) origin: Origin,
    /// Identifier by which the record was found in the database.
    pub(super) found_by: Option<(String, String)>,
}

impl RecordBuilder {
    /// Starts a record with its slug.
    pub(super) fn new(slug: &str, origin: Origin) -> Self {
        let mut builder = Self { entries: Vec::new(), origin, found_by: None };
        builder.set_text("slug", Some(slug));
        builder
    }

    /// Sets a field, unless the value is `None`.
    pub(super) fn set(&mut self, name: &str, value: Option<Tree>) {
        if let Some(value) = value {
            self.entries.push((name.to_owned(), value));
        }
    }

    /// Sets a field to a text.
    pub(super) fn set_text(&mut self, name: &str, text: Option<&str>) {
        let line = self.origin.line;
        self.set(name, text.map(|text| Tree::text(line, text)));
    }

    /// Sets a list field, unless the list is empty.
    pub(super) fn set_list(&mut self, name: &str, items: Vec<Tree>) {
        self.set(name, (!items.is_empty()).then(|| Tree::list(items)));
    }

    /// Sets a translated field in one language.
    pub(super) fn set_translated(&mut self, name: &str, lang: &str, text: Option<&str>) {
        let line = self.origin.line;
        self.set(name, text.map(|text| map_tree(line, vec![(lang, Tree::text(line, text))])));
    }

    /// Sets text fields to those of an item.
    pub(super) fn take_texts(&mut self, fields: &mut FieldMap, names: &[(&str, &str)]) {
        for (from, to) in names {
            self.set(to, fields.take_text_tree(from));
        }
    }
}

pub(super) fn map_tree(line: Option<usize>, entries: Vec<(&str, Tree)>) -> Tree {
    Tree { line, value: Value::Map(entries.into_iter().map(|(name, tree)| (name.to_owned(), tree)).collect()) }
}

/// Takes a list of objects with their lines; one object is a list of one. An item that is no object becomes one with that
/// value as `name`. Another value stays, and is reported as omitted.
pub(super) fn take_objects(fields: &mut FieldMap, name: &str) -> Vec<(Option<usize>, FieldMap)> {
    let items = match fields.get(name).map(|tree| &tree.value) {
        Some(Value::List(_) | Value::Map(_)) => match fields.take(name) {
            Some(Tree { value: Value::List(items), .. }) => items,
            other => other.into_iter().collect(),
        },
        _ => return Vec::new(),
    };
    items
        .into_iter()
        .filter(|item| !is_empty(item))
        .map(|item| match item.value {
            Value::Map(entries) => (item.line, FieldMap(entries)),
            value => (item.line, FieldMap(vec![("name".to_owned(), Tree { line: item.line, value })])),
        })
        .collect()
}

/// Takes text fields and joins those that differ from the one before as paragraphs.
pub(super) fn take_paragraphs(fields: &mut FieldMap, names: &[&str]) -> Option<String> {
    let mut paragraphs: Vec<String> = names.iter().filter_map(|name| fields.take_text(name)).collect();
    paragraphs.dedup();
    (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
}
