//! What a query selects, as a plan for the store: made once at the root, before anything is read.

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection as Item, SelectionSet};
use async_graphql::{Context, Name, Value};

use super::types;
use super::{connection, object};
use crate::error::{Result, bad_input};
use crate::store::plan::{Child, List, Plan};
use crate::store::record::{Field as Declared, Kind, Record, Relation, catalog};

/// The selection below one field of a query; the same field selected twice is one.
#[derive(Clone)]
pub(super) struct Selection<'a> {
    ctx: &'a Context<'a>,
    fields: Vec<&'a Field>,
}

impl<'a> Selection<'a> {
    /// The field that is being resolved, with what is selected below it.
    pub(super) fn of(ctx: &'a Context<'a>) -> Self {
        Self { ctx, fields: vec![&ctx.item.node] }
    }

    /// Name of the field.
    pub(super) fn name(&self) -> &'a str {
        &self.fields[0].name.node
    }

    /// Name that the response gives it.
    pub(super) fn key(&self) -> &'a str {
        &self.fields[0].response_key().node
    }

    /// Value of an argument, with variables put in; null counts as not given.
    pub(super) fn argument(&self, name: &str) -> Option<Value> {
        let (_, value) = self.fields[0].arguments.iter().find(|(argument, _)| argument.node == name)?;
        let env = self.ctx.query_env;
        let value = value.node.clone().into_const_with(|name: Name| {
            let defined = env.operation.node.variable_definitions.iter().find(|definition| definition.node.name.node == name);
            let default = || defined.and_then(|definition| definition.node.default_value.as_ref()).map(|value| value.node.clone());
            Ok::<_, std::convert::Infallible>(env.variables.get(&name).cloned().or_else(default).unwrap_or(Value::Null))
        });
        match value {
            Ok(Value::Null) => None,
            Ok(value) => Some(value),
            Err(never) => match never {},
        }
    }

    /// Text of an argument.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.argument(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Number of an argument.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        match self.argument(name)? {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// What is selected below on objects of a type that has these other names (its interfaces).
    pub(super) fn below(&self, type_names: &[&str]) -> Vec<Selection<'a>> {
        let mut found: Vec<Selection<'a>> = Vec::new();
        for field in &self.fields {
            self.collect(&field.selection_set.node, type_names, &mut found);
        }
        found
    }

    fn collect(&self, set: &'a SelectionSet, type_names: &[&str], found: &mut Vec<Selection<'a>>) {
        for item in &set.items {
            let (condition, set) = match &item.node {
                Item::Field(field) => {
                    let field = &field.node;
                    match found.iter_mut().find(|selection| selection.key() == field.response_key().node) {
                        Some(selection) => selection.fields.push(field),
                        None => found.push(Selection { ctx: self.ctx, fields: vec![field] }),
                    }
                    continue;
                }
                Item::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref().map(|condition| &condition.node), &fragment.node.selection_set.node)
                }
                Item::FragmentSpread(spread) => match self.ctx.query_env.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => (Some(&fragment.node.type_condition.node), &fragment.node.selection_set.node),
                    None => continue,
                },
            };
            if condition.is_none_or(|condition| type_names.iter().any(|name| condition.on.node == *name)) {
                self.collect(set, type_names, found);
            }
        }
    }

    /// What to read of records of a type.
    pub(super) fn plan(&self, record: &'static Record) -> Result<Plan> {
        plan(std::slice::from_ref(self), record)
    }

    /// What to read of a connection: the rows' own plan comes from below `nodes` and `edges.node`.
    pub(super) fn list(&self, record: &'static Record) -> Result<List> {
        let name = connection::connection_name(record);
        let mut nodes = Vec::new();
        let (mut rows, mut total) = (false, false);
        for selection in self.below(&[&name]) {
            match selection.name() {
                "nodes" => nodes.push(selection),
                "edges" => {
                    nodes.extend(selection.below(&[&connection::edge_name(record)]).into_iter().filter(|below| below.name() == "node"))
                }
                "totalCount" => {
                    total = true;
                    continue;
                }
                "pageInfo" => {}
                _ => continue,
            }
            rows = true;
        }
        let mut list = List { rows, total, ..List::new(plan(&nodes, record)?) };
        if let Some(order) = self.argument("order") {
            list.order = super::filter::read_order(record, &order)?;
        }
        if let Some(filter) = self.argument("filter") {
            list.filter = super::filter::read(record, &filter, "filter")?;
        }
        list.page = connection::read_page(self, &record.list_name(list.order))?;
        Ok(list)
    }

    /// What to read of records of any type that can stand behind a reference to anything.
    pub(super) fn plans(&self, records: impl Iterator<Item = &'static Record>) -> Result<Vec<Plan>> {
        records.map(|record| self.plan(record)).collect()
    }
}

/// What to read of records of a type, for all of these selections together.
pub(super) fn plan(selections: &[Selection<'_>], record: &'static Record) -> Result<Plan> {
    let names = object::names(record);
    let mut plan = Plan::new(record.ty);
    let mut below: Vec<Selection<'_>> = Vec::new();
    for selection in selections.iter().flat_map(|selection| selection.below(&names)) {
        match below.iter_mut().find(|other| other.key() == selection.key()) {
            Some(other) => other.fields.extend(selection.fields),
            None => below.push(selection),
        }
    }
    for selection in &below {
        let name = selection.name();
        if let Some(computed) = types::computed(record, name) {
            (computed.plan)(selection, record, &mut plan)?;
        } else if let Some((index, field)) = declared(record, name) {
            reference(selection, index, field, &mut plan)?;
        } else if let Some(index) = record.relation_index(name) {
            let relation = &record.relations[index];
            plan.add(selection.key(), Child::Many(index, relation_list(selection, record, relation)?));
        }
    }
    Ok(plan)
}

fn declared<'r>(record: &'r Record, name: &str) -> Option<(usize, &'r Declared)> {
    record
        .fields
        .iter()
        .enumerate()
        .find(|(_, field)| field.name == name || (matches!(field.kind, Kind::Translated) && field.plural() == name))
}

fn reference(selection: &Selection<'_>, index: usize, field: &Declared, plan: &mut Plan) -> Result<()> {
    match field.kind {
        Kind::One(target) => plan.add(selection.key(), Child::One(index, Box::new(selection.plan(catalog().get(target))?))),
        Kind::Any => {
            let plans = selection.plans(catalog().all().filter(|record| record.is_cited()))?;
            plan.add(selection.key(), Child::Any(index, plans));
        }
        _ => {
            if let Some(lang) = selection.text("lang") {
                crate::lang::tag(&lang).map_err(|error| bad_input("lang", error))?;
            }
            plan.read(index);
        }
    }
    Ok(())
}

fn relation_list(selection: &Selection<'_>, record: &'static Record, relation: &Relation) -> Result<List> {
    let target = catalog().get(relation.target);
    if relation.short {
        return Ok(List { page: crate::page::Page::first(1_000), ..List::new(selection.plan(target)?) });
    }
    let mut list = selection.list(target)?;
    for argument in types::arguments(record, relation.name) {
        if let Some(value) = selection.text(argument.name) {
            (argument.apply)(&value, &mut list)?;
        }
    }
    Ok(list)
}

/// Name under which a computed field finds what it asked for.
pub(super) fn hidden(name: &str, key: &str) -> String {
    format!("{name}:{key}")
}

/// Response keys of the root fields of an operation, in the order of the query.
pub(super) fn root_keys(document: &ExecutableDocument, operation: Option<&str>) -> Vec<String> {
    fn collect(document: &ExecutableDocument, set: &SelectionSet, keys: &mut Vec<String>, depth: usize) {
        for item in &set.items {
            match &item.node {
                Item::Field(field) => keys.push(field.node.response_key().node.to_string()),
                Item::InlineFragment(fragment) => collect(document, &fragment.node.selection_set.node, keys, depth),
                Item::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node)
                        && depth < 32
                    {
                        collect(document, &fragment.node.selection_set.node, keys, depth + 1);
                    }
                }
            }
        }
    }
    let mut keys = Vec::new();
    if let Some(operation) = operation_of(document, operation) {
        collect(document, &operation.selection_set.node, &mut keys, 0);
    }
    keys
}

/// The operation of a document that a request names, or its only one.
pub fn operation_of<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Option<&'d OperationDefinition> {
    let mut operations = document.operations.iter();
    match name {
        Some(name) => operations.find(|(given, _)| given.is_some_and(|given| given == name)).map(|(_, operation)| &operation.node),
        None => match (operations.next(), operations.next()) {
            (Some((_, only)), None) => Some(&only.node),
            _ => None,
        },
    }
}
