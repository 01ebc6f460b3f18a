//! The fields that an operation selects: fragments are expanded, `@skip` and `@include` applied, variables substituted.

use std::sync::Arc;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, OperationDefinition, Selection as SelectionItem, SelectionSet};
use async_graphql::{Positioned, Value, Variables};
use async_graphql_value::Value as AstValue;

use crate::core::dataset::Dataset;
use crate::core::error::{Result, bad_input};
use crate::core::language;
use crate::graphql::projection::json_writer::JsonKey;

/// An operation of a document and the values of its variables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) document: &'a ExecutableDocument,
    pub(crate) operation: &'a OperationDefinition,
    pub(crate) variables: &'a Variables,
    /// Title, licence and address of the dataset.
    pub(crate) dataset: &'a Arc<Dataset>,
}

/// A selected field. Occurrences with the same response key are merged into one selection.
#[derive(Clone)]
pub(crate) struct Selection<'a> {
    scope: Scope<'a>,
    fields: Vec<&'a Positioned<Field>>,
    /// Type condition of the innermost enclosing fragment; `None` outside fragments.
    pub(crate) type_condition: Option<&'a str>,
}

/// Which fields of a selection set to collect.
#[derive(Debug, Clone, Copy)]
enum Collected<'n> {
    /// Those that apply to a type with any of these names. Fields with the same response key are merged.
    Types(&'n [&'n str]),
    /// Those of every type. Fields with the same response key are merged, whatever their type.
    EveryType,
    /// Those of every type. Only fields of the same type are merged.
    EachTypeApart,
}

impl<'a> Scope<'a> {
    /// The root fields of the operation.
    pub(crate) fn roots(self, type_name: &str) -> Vec<Selection<'a>> {
        let mut fields = Vec::new();
        self.collect(&self.operation.selection_set.node, Collected::Types(&[type_name]), None, &mut fields);
        fields
    }

    fn collect(self, set: &'a SelectionSet, wanted: Collected<'_>, type_condition: Option<&'a str>, fields: &mut Vec<Selection<'a>>) {
        for item in &set.items {
            let (directives, condition, set) = match &item.node {
                SelectionItem::Field(field) => {
                    if self.is_included(&field.node.directives) {
                        let is_same = |selection: &&mut Selection<'_>| {
                            selection.response_key() == field.node.response_key().node
                                && (!matches!(wanted, Collected::EachTypeApart) || selection.type_condition == type_condition)
                        };
                        match fields.iter_mut().find(is_same) {
                            Some(selection) => selection.fields.push(field),
                            None => fields.push(Selection { scope: self, fields: vec![field], type_condition }),
                        }
                    }
                    continue;
                }
                SelectionItem::InlineFragment(fragment) => {
                    let fragment = &fragment.node;
                    (&fragment.directives, fragment.type_condition.as_ref(), &fragment.selection_set.node)
                }
                SelectionItem::FragmentSpread(spread) => match self.document.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => (&spread.node.directives, Some(&fragment.node.type_condition), &fragment.node.selection_set.node),
                    None => continue,
                },
            };
            let type_condition = condition.map(|condition| condition.node.on.node.as_str()).or(type_condition);
            let applies = match wanted {
                Collected::Types(names) => condition.is_none() || names.iter().any(|name| type_condition == Some(name)),
                Collected::EveryType | Collected::EachTypeApart => true,
            };
            if applies && self.is_included(directives) {
                self.collect(set, wanted, type_condition, fields);
            }
        }
    }

    /// Evaluates `@skip` and `@include`.
    fn is_included(self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.node.get_argument("if").map(|value| self.constant(&value.node)) == Some(Value::Boolean(true));
            match directive.node.name.node.as_str() {
                "skip" => !condition,
                "include" => condition,
                _ => true,
            }
        })
    }

    /// Substitutes variables. A variable without a value becomes null.
    fn constant(self, value: &AstValue) -> Value {
        match value {
            AstValue::Variable(name) => self.variables.get(name).cloned().unwrap_or_default(),
            AstValue::List(items) => Value::List(items.iter().map(|item| self.constant(item)).collect()),
            AstValue::Object(members) => {
                // a member whose variable has no value is omitted, which differs from null
                let is_present = |value: &AstValue| !matches!(value, AstValue::Variable(name) if !self.variables.contains_key(name));
                let present = members.iter().filter(|(_, value)| is_present(value));
                Value::Object(present.map(|(name, value)| (name.clone(), self.constant(value))).collect())
            }
            AstValue::Null => Value::Null,
            AstValue::Number(number) => Value::Number(number.clone()),
            AstValue::String(text) => Value::String(text.clone()),
            AstValue::Boolean(boolean) => Value::Boolean(*boolean),
            AstValue::Binary(bytes) => Value::Binary(bytes.clone()),
            AstValue::Enum(name) => Value::Enum(name.clone()),
        }
    }
}

impl<'a> Selection<'a> {
    /// Name of the field.
    pub(crate) fn name(&self) -> &'a str {
        &self.fields[0].node.name.node
    }

    /// Response key: the alias, or else the name.
    pub(crate) fn response_key(&self) -> &'a str {
        &self.fields[0].node.response_key().node
    }

    /// Response key as serialized in objects.
    pub(crate) fn json_key(&self) -> JsonKey {
        JsonKey::new(self.response_key())
    }

    /// Position of the first occurrence in the document.
    pub(crate) fn position(&self) -> async_graphql::Pos {
        self.fields[0].pos
    }

    /// Title, licence and address of the dataset.
    pub(crate) fn dataset(&self) -> &'a Arc<Dataset> {
        self.scope.dataset
    }

    /// Value of an argument with variables substituted. Null is the same as absent.
    pub(crate) fn argument(&self, name: &str) -> Option<Value> {
        let value = self.fields[0].node.get_argument(name)?;
        Some(self.scope.constant(&value.node)).filter(|value| *value != Value::Null)
    }

    /// Items of a list argument; empty if absent. A single value is coerced to a list of one.
    pub(crate) fn list_argument(&self, name: &str) -> Vec<Value> {
        match self.argument(name) {
            Some(Value::List(items)) => items,
            Some(item) => vec![item],
            None => Vec::new(),
        }
    }

    /// Items of a list argument. Fails if the list is given and empty: it could mean all or none.
    pub(crate) fn non_empty_list_argument(&self, name: &str) -> Result<Vec<Value>> {
        let items = self.list_argument(name);
        if items.is_empty() && self.argument(name).is_some() {
            return Err(bad_input(name, "the list is empty; give at least one value, or leave the argument out"));
        }
        Ok(items)
    }

    /// Value of a string argument.
    pub(crate) fn string_argument(&self, name: &str) -> Option<String> {
        match self.argument(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Value of an integer argument.
    pub(crate) fn int_argument(&self, name: &str) -> Option<i64> {
        match self.argument(name)? {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Language tag in the argument `lang`. Fails if it is not a BCP 47 tag.
    pub(crate) fn lang_argument(&self) -> Result<Option<String>> {
        self.string_argument("lang").map(|text| language::tag(&text).map_err(|error| bad_input("lang", error))).transpose()
    }

    /// Fields selected on an object whose type has any of these names (its own name and those of its interfaces).
    pub(crate) fn subfields(&self, type_names: &[&str]) -> Vec<Selection<'a>> {
        merged_subfields(std::slice::from_ref(self), type_names)
    }

    /// Fields selected on objects of any type, with those of different types apart, even if they have the same response key.
    pub(crate) fn subfields_of_each_type(&self) -> Vec<Selection<'a>> {
        let mut fields: Vec<Selection<'a>> = Vec::new();
        for field in &self.fields {
            self.scope.collect(&field.node.selection_set.node, Collected::EachTypeApart, None, &mut fields);
        }
        fields
    }

    /// Fields selected on objects of any type.
    pub(crate) fn all_subfields(&self) -> Vec<Selection<'a>> {
        collect_subfields(std::slice::from_ref(self), Collected::EveryType)
    }
}

/// Fields selected by any of these selections on an object whose type has any of these names.
pub(crate) fn merged_subfields<'a>(selections: &[Selection<'a>], type_names: &[&str]) -> Vec<Selection<'a>> {
    collect_subfields(selections, Collected::Types(type_names))
}

fn collect_subfields<'a>(selections: &[Selection<'a>], wanted: Collected<'_>) -> Vec<Selection<'a>> {
    let mut fields = Vec::new();
    for selection in selections {
        for field in &selection.fields {
            selection.scope.collect(&field.node.selection_set.node, wanted, None, &mut fields);
        }
    }
    fields
}
