//! What an operation selects, with its variables put in.

use std::sync::Arc;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, OperationDefinition, Selection as Item, SelectionSet};
use async_graphql::{Positioned, Value, Variables};
use async_graphql_value::Value as Written;

use crate::core::dataset::Dataset;
use crate::core::error::{Result, bad_input};
use crate::core::language;
use crate::graphql::projection::json_writer::JsonKey;

/// An operation of a document, and values for its variables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) document: &'a ExecutableDocument,
    pub(crate) operation: &'a OperationDefinition,
    pub(crate) variables: &'a Variables,
    /// What the dataset says of itself.
    pub(crate) dataset: &'a Arc<Dataset>,
}

/// The selection below one field of a query; the same field selected twice is one.
#[derive(Clone)]
pub(crate) struct Selection<'a> {
    scope: Scope<'a>,
    fields: Vec<&'a Positioned<Field>>,
    /// Type that it was selected on, where that is not the type of the field above.
    pub(crate) on: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// The fields at the root of the operation.
    pub(crate) fn roots(self, type_name: &str) -> Vec<Selection<'a>> {
        let mut found = Vec::new();
        self.collect(&self.operation.selection_set.node, Some(&[type_name]), None, &mut found);
        found
    }

    /// Gathers what is selected on types of these names, or on any type.
    fn collect(self, set: &'a SelectionSet, type_names: Option<&[&str]>, on: Option<&'a str>, found: &mut Vec<Selection<'a>>) {
        for item in &set.items {
            let (directives, condition, set) = match &item.node {
                Item::Field(field) => {
                    if self.is_included(&field.node.directives) {
                        match found.iter_mut().find(|selection| selection.name_in_answer() == field.node.response_key().node) {
                            Some(selection) => selection.fields.push(field),
                            None => found.push(Selection { scope: self, fields: vec![field], on }),
                        }
                    }
                    continue;
                }
                Item::InlineFragment(fragment) => {
                    let fragment = &fragment.node;
                    (&fragment.directives, fragment.type_condition.as_ref(), &fragment.selection_set.node)
                }
                Item::FragmentSpread(spread) => match self.document.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => (&spread.node.directives, Some(&fragment.node.type_condition), &fragment.node.selection_set.node),
                    None => continue,
                },
            };
            let on = condition.map(|condition| condition.node.on.node.as_str()).or(on);
            let fits = condition.is_none() || type_names.is_none_or(|names| names.iter().any(|name| on == Some(name)));
            if fits && self.is_included(directives) {
                self.collect(set, type_names, on, found);
            }
        }
    }

    /// Whether `@skip` and `@include` leave a selection in.
    fn is_included(self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let on = directive.node.get_argument("if").map(|value| self.constant(&value.node)) == Some(Value::Boolean(true));
            match directive.node.name.node.as_str() {
                "skip" => !on,
                "include" => on,
                _ => true,
            }
        })
    }

    /// A value with variables put in; null where one was not given.
    fn constant(self, value: &Written) -> Value {
        match value {
            Written::Variable(name) => self.variables.get(name).cloned().unwrap_or_default(),
            Written::List(items) => Value::List(items.iter().map(|item| self.constant(item)).collect()),
            Written::Object(members) => {
                // a member whose variable was not given is not given either, which is not the same as null
                let is_given = |value: &Written| !matches!(value, Written::Variable(name) if !self.variables.contains_key(name));
                let given = members.iter().filter(|(_, value)| is_given(value));
                Value::Object(given.map(|(name, value)| (name.clone(), self.constant(value))).collect())
            }
            Written::Null => Value::Null,
            Written::Number(number) => Value::Number(number.clone()),
            Written::String(text) => Value::String(text.clone()),
            Written::Boolean(boolean) => Value::Boolean(*boolean),
            Written::Binary(bytes) => Value::Binary(bytes.clone()),
            Written::Enum(name) => Value::Enum(name.clone()),
        }
    }
}

impl<'a> Selection<'a> {
    /// Name of the field.
    pub(crate) fn name(&self) -> &'a str {
        &self.fields[0].node.name.node
    }

    /// Name that the answer gives it.
    pub(crate) fn name_in_answer(&self) -> &'a str {
        &self.fields[0].node.response_key().node
    }

    /// The same, as objects of the answer have it.
    pub(crate) fn key(&self) -> JsonKey {
        JsonKey::new(self.name_in_answer())
    }

    /// Where it stands in the query.
    pub(crate) fn position(&self) -> async_graphql::Pos {
        self.fields[0].pos
    }

    /// What the dataset says of itself.
    pub(crate) fn dataset(&self) -> &'a Arc<Dataset> {
        self.scope.dataset
    }

    /// Value of an argument, with variables put in; null counts as not given.
    pub(crate) fn argument(&self, name: &str) -> Option<Value> {
        let value = self.fields[0].node.get_argument(name)?;
        Some(self.scope.constant(&value.node)).filter(|value| *value != Value::Null)
    }

    /// Items of an argument that is a list; one alone counts as a list of one.
    pub(crate) fn items(&self, name: &str) -> Vec<Value> {
        match self.argument(name) {
            Some(Value::List(items)) => items,
            Some(one) => vec![one],
            None => Vec::new(),
        }
    }

    /// Text of an argument.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.argument(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Number of an argument.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.argument(name)? {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The language that a text is asked for in.
    pub(crate) fn lang(&self) -> Result<Option<String>> {
        self.text("lang").map(|text| language::tag(&text).map_err(|error| bad_input("lang", error))).transpose()
    }

    /// What is selected below on objects of a type that has these other names (its interfaces).
    pub(crate) fn below(&self, type_names: &[&str]) -> Vec<Selection<'a>> {
        below(std::slice::from_ref(self), type_names)
    }

    /// What is selected below, on whatever type.
    pub(crate) fn all_below(&self) -> Vec<Selection<'a>> {
        gather(std::slice::from_ref(self), None)
    }
}

/// What is selected below any of these fields on objects of a type that has these names.
pub(crate) fn below<'a>(selections: &[Selection<'a>], type_names: &[&str]) -> Vec<Selection<'a>> {
    gather(selections, Some(type_names))
}

fn gather<'a>(selections: &[Selection<'a>], type_names: Option<&[&str]>) -> Vec<Selection<'a>> {
    let mut found = Vec::new();
    for selection in selections {
        for field in &selection.fields {
            selection.scope.collect(&field.node.selection_set.node, type_names, None, &mut found);
        }
    }
    found
}
