//! Fields of maps that are converted to maps of Popolo. Fields that are not converted remain, and are reported as omitted.

use crate::store::draft::value_tree::{Tree, Value};

/// Fields of a map, in their order.
pub(super) struct Fields {
    pub(super) entries: Vec<(String, Tree)>,
    pub(super) line: Option<usize>,
}

impl Fields {
    /// A map without fields.
    pub(super) fn new(line: Option<usize>) -> Self {
        Self { entries: Vec::new(), line }
    }

    /// The fields of a map; the value itself if it is no map.
    pub(super) fn from_tree(tree: Tree) -> Result<Self, Tree> {
        match tree.value {
            Value::Map(entries) => Ok(Self { entries, line: tree.line }),
            value => Err(Tree { line: tree.line, value }),
        }
    }

    /// Removes a field; `None` if it is not set.
    pub(super) fn take(&mut self, name: &str) -> Option<Tree> {
        let index = self.entries.iter().position(|(key, tree)| key == name && tree.value != Value::Null)?;
        Some(self.entries.remove(index).1)
    }

    /// Removes a field that is a map.
    pub(super) fn take_map(&mut self, name: &str) -> Option<Self> {
        let index = self.entries.iter().position(|(key, tree)| key == name && matches!(tree.value, Value::Map(_)))?;
        let (_, tree) = self.entries.remove(index);
        Self::from_tree(tree).ok()
    }

    /// Removes the maps of a list. Other items remain.
    pub(super) fn take_maps(&mut self, name: &str) -> Vec<Self> {
        let Some((_, Tree { value: Value::List(items), .. })) = self.entries.iter_mut().find(|(key, _)| key == name) else {
            return Vec::new();
        };
        let (maps, others): (Vec<Tree>, Vec<Tree>) =
            std::mem::take(items).into_iter().partition(|item| matches!(item.value, Value::Map(_)));
        *items = others;
        maps.into_iter().filter_map(|tree| Self::from_tree(tree).ok()).collect()
    }

    /// The text of a field, or its number as text; `None` if it is blank or another value.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match &self.entries.iter().find(|(key, _)| key == name)?.1.value {
            Value::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.text().to_owned()),
            Value::Null | Value::Boolean(_) | Value::List(_) | Value::Map(_) | Value::Invalid => None,
        }
    }

    /// Removes a field with a text or a number; other values remain.
    pub(super) fn take_text(&mut self, name: &str) -> Option<Tree> {
        self.text(name)?;
        self.take(name)
    }

    pub(super) fn set(&mut self, name: &str, tree: Tree) {
        self.entries.push((name.to_owned(), tree));
    }

    pub(super) fn set_text(&mut self, name: &str, text: &str) {
        self.set(name, Tree::text(self.line, text));
    }

    /// Sets a list, unless it is empty. It precedes a field of the same name of which something remained.
    pub(super) fn set_list(&mut self, name: &str, items: Vec<Tree>) {
        if !items.is_empty() {
            self.entries.insert(0, (name.to_owned(), Tree::list(items)));
        }
    }

    pub(super) fn move_to(&mut self, other: &mut Self, from: &str, to: &str) {
        other.entries.extend(self.take(from).map(|tree| (to.to_owned(), tree)));
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for (key, _) in self.entries.iter_mut().filter(|(key, _)| key == from) {
            to.clone_into(key);
        }
    }

    /// Adds what was not converted of another map, under names with a prefix.
    pub(super) fn add_rest(&mut self, other: Self, prefix: &str) {
        self.entries.extend(other.entries.into_iter().map(|(name, tree)| (format!("{prefix}{name}"), tree)));
    }

    /// The identifiers of a map from schemes to values, of which a scheme can have several.
    pub(super) fn into_identifiers(self) -> Vec<Tree> {
        let mut identifiers = Vec::new();
        for (scheme, tree) in self.entries {
            let values = match tree.value {
                Value::List(items) => items,
                value => vec![Tree { line: tree.line, value }],
            };
            for value in values.into_iter().filter(|value| !is_blank(value)) {
                let mut identifier = Self::new(value.line);
                identifier.set_text("scheme", &scheme);
                identifier.set("identifier", value);
                identifiers.push(identifier.into_tree());
            }
        }
        identifiers
    }

    pub(super) fn into_tree(self) -> Tree {
        Tree { line: self.line, value: Value::Map(self.entries) }
    }
}

fn is_blank(tree: &Tree) -> bool {
    match &tree.value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::Boolean(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Invalid => false,
    }
}
