//! A part of the schema as a schema of its own, for clients that read few types.

use std::sync::Arc;

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::collections::IndexSet;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

use crate::core::nearest::nearest;
use crate::graphql::schema::connection::NODES;

/// The query that remains if no other one returns a requested type: a schema needs at least one.
const FALLBACK_QUERY: &str = "node";

/// The part of the schema that some types need, or all of it if there are none.
///
/// The part contains the types and, transitively, the types of their fields, arguments, interfaces and union members. `Query`
/// has the fields that return a requested type or a connection of one. Like `Mutation` and `Subscription`, it is
/// complete if it is requested itself.
#[derive(Debug)]
pub struct SchemaSubset {
    schema: Arc<Valid<Schema>>,
    requested: IndexSet<Name>,
    has_descriptions: bool,
}

impl SchemaSubset {
    /// The subset for types with these names. Fails with a message if the schema does not have one of them.
    pub(crate) fn new(schema: Arc<Valid<Schema>>, types: &[String], has_descriptions: bool) -> Result<Self, String> {
        let requested = types.iter().map(|name| known_type(&schema, name)).collect::<Result<_, String>>()?;
        Ok(Self { schema, requested, has_descriptions })
    }

    /// The subset in the schema definition language. It is a valid schema.
    pub fn to_sdl(&self) -> String {
        let mut subset = Schema::clone(&self.schema);
        if !self.requested.is_empty() {
            restrict(&mut subset, &self.requested);
        }
        if !self.has_descriptions {
            remove_descriptions(&mut subset);
        }
        subset.to_string()
    }
}

fn known_type(schema: &Schema, name: &str) -> Result<Name, String> {
    let names = schema.types.keys().filter(|known| !known.starts_with("__"));
    if let Some(known) = names.clone().find(|known| *known == name) {
        return Ok(known.clone());
    }
    Err(match nearest(name, names.map(Name::as_str)) {
        Some(near) => format!("types: there is no type \"{name}\"; did you mean {near}?"),
        None => format!("types: there is no type \"{name}\"; /schema.graphql lists the types"),
    })
}

/// Removes what the requested types do not need.
fn restrict(schema: &mut Schema, requested: &IndexSet<Name>) {
    let root = schema.schema_definition.make_mut();
    root.mutation.take_if(|name| !requested.contains(&**name));
    root.subscription.take_if(|name| !requested.contains(&**name));
    let mut needed = requested.clone();
    if let Some(query) = root.query.as_deref().cloned() {
        if !requested.contains(&query) {
            restrict_queries(schema, &query, requested);
        }
        needed.insert(query);
    }
    let mut visited = 0;
    while let Some(name) = needed.get_index(visited).cloned() {
        visited += 1;
        if let Some(definition) = schema.types.get(&name) {
            needed.extend(referenced_types(definition));
        }
    }
    schema.types.retain(|name, definition| needed.contains(name) || definition.is_built_in());
}

/// Removes the queries that return neither a requested type nor a connection of one.
fn restrict_queries(schema: &mut Schema, query: &Name, requested: &IndexSet<Name>) {
    let returns_requested = |field: &FieldDefinition| {
        let name = field.ty.inner_named_type();
        let rows = schema.type_field(name, NODES).ok();
        requested.contains(name) || rows.is_some_and(|rows| requested.contains(rows.ty.inner_named_type()))
    };
    let Some(ExtendedType::Object(definition)) = schema.types.get(query) else { return };
    let mut kept: IndexSet<Name> =
        definition.fields.iter().filter(|(_, field)| returns_requested(field)).map(|(name, _)| name.clone()).collect();
    if kept.is_empty() {
        kept.extend(definition.fields.keys().find(|name| *name == FALLBACK_QUERY).cloned());
    }
    if let Some(ExtendedType::Object(definition)) = schema.types.get_mut(query) {
        definition.make_mut().fields.retain(|name, _| kept.contains(name));
    }
}

/// The types that a definition names.
fn referenced_types(definition: &ExtendedType) -> Vec<Name> {
    let of_field = |field: &Node<FieldDefinition>| {
        let arguments = field.arguments.iter().map(|argument| argument.ty.inner_named_type().clone());
        arguments.chain([field.ty.inner_named_type().clone()]).collect::<Vec<_>>()
    };
    match definition {
        ExtendedType::Object(object) => {
            object.implements_interfaces.iter().map(|name| Name::clone(name)).chain(object.fields.values().flat_map(of_field)).collect()
        }
        ExtendedType::Interface(interface) => interface
            .implements_interfaces
            .iter()
            .map(|name| Name::clone(name))
            .chain(interface.fields.values().flat_map(of_field))
            .collect(),
        ExtendedType::Union(union) => union.members.iter().map(|name| Name::clone(name)).collect(),
        ExtendedType::InputObject(input) => input.fields.values().map(|field| field.ty.inner_named_type().clone()).collect(),
        ExtendedType::Scalar(_) | ExtendedType::Enum(_) => Vec::new(),
    }
}

fn remove_descriptions(schema: &mut Schema) {
    fn of_values<'a>(values: impl IntoIterator<Item = &'a mut Node<InputValueDefinition>>) {
        values.into_iter().for_each(|value| value.make_mut().description = None);
    }
    fn of_fields<'a>(fields: impl IntoIterator<Item = &'a mut Node<FieldDefinition>>) {
        for field in fields {
            let field = field.make_mut();
            field.description = None;
            of_values(&mut field.arguments);
        }
    }
    schema.schema_definition.make_mut().description = None;
    for directive in schema.directive_definitions.values_mut() {
        let directive = directive.make_mut();
        directive.description = None;
        of_values(&mut directive.arguments);
    }
    for definition in schema.types.values_mut().filter(|definition| !definition.is_built_in()) {
        match definition {
            ExtendedType::Scalar(scalar) => scalar.make_mut().description = None,
            ExtendedType::Union(union) => union.make_mut().description = None,
            ExtendedType::Object(object) => {
                let object = object.make_mut();
                object.description = None;
                of_fields(object.fields.values_mut());
            }
            ExtendedType::Interface(interface) => {
                let interface = interface.make_mut();
                interface.description = None;
                of_fields(interface.fields.values_mut());
            }
            ExtendedType::Enum(choices) => {
                let choices = choices.make_mut();
                choices.description = None;
                choices.values.values_mut().for_each(|value| value.make_mut().description = None);
            }
            ExtendedType::InputObject(input) => {
                let input = input.make_mut();
                input.description = None;
                of_values(input.fields.values_mut());
            }
        }
    }
}
