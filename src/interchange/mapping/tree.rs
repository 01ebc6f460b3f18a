//! The record of one or more rows, in which each value has the line and the columns that it comes from.

use std::sync::Arc;

use crate::core::path::PathSegment;
use crate::store::draft::value_tree::{Tree, Value};

/// A value with its place in the table.
#[derive(Debug)]
pub struct MappedTree {
    /// Line of the row, counted from 1.
    pub line: usize,
    /// Columns that the value is read from; not set for constants.
    pub columns: Option<Arc<str>>,
    /// The value.
    pub value: MappedValue,
}

/// A value of a record, or why there is none.
#[derive(Debug)]
pub enum MappedValue {
    /// The cells are empty: the field is not given.
    Absent,
    /// The cells could not be converted, with what is wrong.
    Invalid(String),
    /// A scalar, or null.
    Scalar(Value),
    /// A map from fields to values.
    Map(Vec<(String, MappedTree)>),
    /// A list.
    List {
        /// The entries.
        items: Vec<MappedTree>,
        /// Whether equal entries are one, as the content of the list identifies them.
        is_set: bool,
    },
}

/// A problem of a value: the line, the path in the record, and what is wrong.
pub type MappedProblem = (usize, Vec<PathSegment>, String);

impl MappedTree {
    /// Whether the value is given.
    pub(super) fn is_present(&self) -> bool {
        !matches!(self.value, MappedValue::Absent)
    }

    /// The columns that the value at a path is read from. A field without a rule has none, unless it is a part of a value
    /// that is read from one cell.
    pub fn columns_at(&self, path: &[PathSegment]) -> Option<Arc<str>> {
        let Some((first, rest)) = path.split_first() else { return self.columns.clone() };
        match (&self.value, first) {
            (MappedValue::Map(entries), PathSegment::Name(name)) => {
                entries.iter().find(|(key, _)| key == name).and_then(|(_, tree)| tree.columns_at(rest))
            }
            (MappedValue::List { items, .. }, PathSegment::Index(index)) => items.get(*index).and_then(|tree| tree.columns_at(rest)),
            (MappedValue::Map(_) | MappedValue::List { .. }, _) => None,
            (MappedValue::Absent | MappedValue::Invalid(_) | MappedValue::Scalar(_), _) => self.columns.clone(),
        }
    }

    /// Converts the record to a draft tree. Adds the problems of its values to `problems`; they are invalid in the tree.
    pub fn to_tree(&self, problems: &mut Vec<MappedProblem>) -> Tree {
        let value = self.to_value(&mut Vec::new(), problems).unwrap_or_else(|| Value::Map(Vec::new()));
        Tree { line: Some(self.line), value }
    }

    fn to_value(&self, path: &mut Vec<PathSegment>, problems: &mut Vec<MappedProblem>) -> Option<Value> {
        let mut child = |segment: PathSegment, tree: &Self| {
            path.push(segment);
            let value = tree.to_value(path, problems);
            path.pop();
            value.map(|value| Tree { line: Some(tree.line), value })
        };
        Some(match &self.value {
            MappedValue::Absent => return None,
            MappedValue::Scalar(value) => value.clone(),
            MappedValue::Map(entries) => {
                Value::Map(entries.iter().filter_map(|(name, tree)| Some((name.clone(), child(name.clone().into(), tree)?))).collect())
            }
            MappedValue::List { items, .. } => {
                Value::List(items.iter().enumerate().filter_map(|(index, tree)| child(index.into(), tree)).collect())
            }
            MappedValue::Invalid(message) => {
                problems.push((self.line, path.clone(), message.clone()));
                Value::Invalid
            }
        })
    }

    /// Merges the record of a later row into this one. Fields must agree, entries of lists are appended. Each disagreement is
    /// a problem of the later row.
    pub(super) fn merge(&mut self, later: Self, path: &mut Vec<PathSegment>, problems: &mut Vec<MappedProblem>) {
        if matches!(later.value, MappedValue::Absent) || matches!(self.value, MappedValue::Invalid(_)) {
            return;
        }
        if matches!(self.value, MappedValue::Absent) || matches!(later.value, MappedValue::Invalid(_)) {
            *self = later;
            return;
        }
        match (&mut self.value, later.value) {
            (MappedValue::Map(entries), MappedValue::Map(others)) => {
                for (name, other) in others {
                    match entries.iter_mut().find(|(key, _)| *key == name) {
                        Some((_, tree)) => {
                            path.push(name.into());
                            tree.merge(other, path, problems);
                            path.pop();
                        }
                        None => entries.push((name, other)),
                    }
                }
            }
            (MappedValue::List { items, is_set, .. }, MappedValue::List { items: others, .. }) => {
                for other in others {
                    let same = match other.key() {
                        Some(key) => items.iter().position(|item| item.key() == Some(key)),
                        None if *is_set => items.iter().position(|item| item.is_same(&other)),
                        None => None,
                    };
                    match same {
                        Some(index) => {
                            path.push(index.into());
                            items[index].merge(other, path, problems);
                            path.pop();
                        }
                        None => items.push(other),
                    }
                }
            }
            (MappedValue::Scalar(value), MappedValue::Scalar(other)) if *value == other => {}
            (value, other) => {
                let message = format!(
                    "{} differs from {} in line {}; rows with the same key are one record, so a field has the same value in all of them",
                    describe(&other),
                    describe(value),
                    self.line
                );
                problems.push((later.line, path.clone(), message));
            }
        }
    }

    /// The key of a part.
    fn key(&self) -> Option<&str> {
        let MappedValue::Map(entries) = &self.value else { return None };
        match entries.iter().find(|(name, _)| name == "key").map(|(_, tree)| &tree.value) {
            Some(MappedValue::Scalar(Value::Text(key))) => Some(key),
            _ => None,
        }
    }

    /// Whether both have the same content, wherever it comes from.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (MappedValue::Absent, MappedValue::Absent) => true,
            (MappedValue::Scalar(value), MappedValue::Scalar(other)) => value == other,
            (MappedValue::Map(entries), MappedValue::Map(others)) => {
                entries.len() == others.len()
                    && entries.iter().zip(others).all(|((name, tree), (other_name, other))| name == other_name && tree.is_same(other))
            }
            (MappedValue::List { items, .. }, MappedValue::List { items: others, .. }) => {
                items.len() == others.len() && items.iter().zip(others).all(|(item, other)| item.is_same(other))
            }
            (
                MappedValue::Absent | MappedValue::Invalid(_) | MappedValue::Scalar(_) | MappedValue::Map(_) | MappedValue::List { .. },
                _,
            ) => false,
        }
    }
}

/// A value for messages.
fn describe(value: &MappedValue) -> String {
    match value {
        MappedValue::Scalar(Value::Text(text)) => format!("\"{text}\""),
        MappedValue::Scalar(Value::Number(number)) => number.text().to_owned(),
        MappedValue::Scalar(Value::Boolean(boolean)) => boolean.to_string(),
        MappedValue::Scalar(Value::Null | Value::Invalid | Value::List(_) | Value::Map(_))
        | MappedValue::Absent
        | MappedValue::Invalid(_) => "no value".to_owned(),
        MappedValue::Map(_) => "a map".to_owned(),
        MappedValue::List { .. } => "a list".to_owned(),
    }
}
