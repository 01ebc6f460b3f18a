//! Values of variables, checked against the types that an operation gives them.
//!
//! After "Coercing Variable Values" and the input coercion of each type in the GraphQL specification.

use async_graphql::parser::types::{OperationDefinition, VariableDefinition};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, Value, Variables};
use serde_json::{Map, Value as Json};

use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::schema::input::TRANSLATIONS;

/// Reads the variables of an operation; all that are wrong are told.
pub(crate) fn read(
    registry: &Registry,
    operation: &OperationDefinition,
    given: &Map<String, Json>,
) -> Result<Variables, Vec<GraphqlError>> {
    let mut variables = Variables::default();
    let mut failures = Vec::new();
    for definition in &operation.variable_definitions {
        match read_one(registry, definition, given) {
            Ok(Some(value)) => {
                variables.insert(definition.node.name.node.clone(), value);
            }
            Ok(None) => {}
            Err(message) => {
                let message = format!("Variable \"${}\": {message}", definition.node.name.node);
                failures.push(GraphqlError::new(codes::VALIDATION, message).at(definition.pos));
            }
        }
    }
    if failures.is_empty() { Ok(variables) } else { Err(failures) }
}

/// Reads those variables of an operation that are given, as [`read`] does, and leaves out the others; a value for what is
/// no variable of it is wrong.
pub(crate) fn read_given(registry: &Registry, operation: &OperationDefinition, given: &Map<String, Json>) -> Result<(), Vec<GraphqlError>> {
    let definitions = &operation.variable_definitions;
    let unknown = given.keys().filter(|name| !definitions.iter().any(|definition| definition.node.name.node == name.as_str()));
    let mut failures: Vec<GraphqlError> =
        unknown.map(|name| GraphqlError::new(codes::VALIDATION, format!("the operation has no variable \"${name}\""))).collect();
    let only = definitions.iter().filter(|definition| given.contains_key(definition.node.name.node.as_str()));
    let only = OperationDefinition { variable_definitions: only.cloned().collect(), ..operation.clone() };
    failures.extend(read(registry, &only, given).err().into_iter().flatten());
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

fn read_one(registry: &Registry, definition: &Positioned<VariableDefinition>, given: &Map<String, Json>) -> Result<Option<Value>, String> {
    let definition = &definition.node;
    let ty = definition.var_type.node.to_string();
    match (given.get(definition.name.node.as_str()), &definition.default_value) {
        (Some(value), _) => coerce(registry, &ty, value, &Path::default()).map(Some),
        (None, Some(default)) => Ok(Some(default.node.clone())),
        (None, None) if definition.var_type.node.nullable => Ok(None),
        (None, None) => Err(format!("a value of type {ty} must be given")),
    }
}

/// Where a value stands inside a variable.
#[derive(Debug, Clone, Copy, Default)]
struct Path<'a>(Option<(&'a Path<'a>, Step<'a>)>);

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Place(usize),
}

impl<'a> Path<'a> {
    fn then(&'a self, step: Step<'a>) -> Self {
        Self(Some((self, step)))
    }

    fn write(&self, text: &mut String) {
        let Some((before, step)) = self.0 else { return };
        before.write(text);
        match step {
            Step::Name(name) if text.is_empty() => text.push_str(name),
            Step::Name(name) => *text += &format!(".{name}"),
            Step::Place(place) => *text += &format!("[{place}]"),
        }
    }

    /// An error at this place.
    fn wrong(&self, message: impl std::fmt::Display) -> String {
        let mut text = String::new();
        self.write(&mut text);
        if text.is_empty() { message.to_string() } else { format!("{text}: {message}") }
    }
}

fn coerce(registry: &Registry, ty: &str, value: &Json, path: &Path<'_>) -> Result<Value, String> {
    match (MetaTypeName::create(ty), value) {
        (MetaTypeName::NonNull(ty), Json::Null) => Err(path.wrong(format_args!("a value of type {ty} must be given, and not null"))),
        (MetaTypeName::NonNull(ty), _) => coerce(registry, ty, value, path),
        (_, Json::Null) => Ok(Value::Null),
        (MetaTypeName::List(ty), Json::Array(items)) => {
            let items = items.iter().enumerate().map(|(place, item)| coerce(registry, ty, item, &path.then(Step::Place(place))));
            items.collect::<Result<_, _>>().map(Value::List)
        }
        // one value is a list of one
        (MetaTypeName::List(ty), _) => Ok(Value::List(vec![coerce(registry, ty, value, path)?])),
        (MetaTypeName::Named(name), _) => match registry.types.get(name) {
            Some(MetaType::Scalar { .. }) => scalar(name, value).ok_or_else(|| path.wrong(format_args!("{value} is not of type {name}"))),
            Some(MetaType::Enum { enum_values, .. }) => match value.as_str().and_then(|text| enum_values.get_key_value(text)) {
                Some((name, _)) => Ok(Value::Enum(Name::new(name))),
                None => {
                    let known: Vec<&str> = enum_values.keys().map(String::as_str).collect();
                    Err(path.wrong(format_args!("{value} is no value of {name}; those are {}", known.join(", "))))
                }
            },
            Some(MetaType::InputObject { .. }) => object(registry, name, value, path),
            _ => Err(path.wrong(format_args!("{name} is not a type that can be given"))),
        },
    }
}

/// A value of a scalar type; the scalars of the schema itself are texts, checked where they are used.
fn scalar(name: &str, value: &Json) -> Option<Value> {
    Some(match (name, value) {
        ("Int", Json::Number(number)) => {
            let whole = number.as_i64().or_else(|| number.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i64));
            Value::from(i32::try_from(whole?).ok()?)
        }
        ("Float", Json::Number(number)) => Value::Number(number.clone()),
        ("Boolean", Json::Bool(boolean)) => Value::Boolean(*boolean),
        ("ID", Json::Number(number)) if number.is_i64() => Value::String(number.to_string()),
        ("Int" | "Float" | "Boolean", _) => return None,
        (TRANSLATIONS, Json::Object(texts)) => {
            let texts = texts.iter().map(|(tag, text)| Some((Name::new(tag), Value::String(text.as_str()?.to_owned()))));
            Value::Object(texts.collect::<Option<_>>()?)
        }
        (TRANSLATIONS, _) => return None,
        (_, Json::String(text)) => Value::String(text.clone()),
        _ => return None,
    })
}

fn object(registry: &Registry, name: &str, value: &Json, path: &Path<'_>) -> Result<Value, String> {
    let Some(MetaType::InputObject { input_fields, oneof, .. }) = registry.types.get(name) else { return Ok(Value::Null) };
    let Json::Object(given) = value else { return Err(path.wrong(format_args!("{value} is not an object of type {name}"))) };
    if let Some(unknown) = given.keys().find(|field| !input_fields.contains_key(*field)) {
        let known: Vec<&str> = input_fields.keys().map(String::as_str).collect();
        return Err(path.wrong(format_args!("{name} has no field {unknown}; its fields are {}", known.join(", "))));
    }
    if *oneof && (given.len() != 1 || given.values().any(Json::is_null)) {
        let known: Vec<&str> = input_fields.keys().map(String::as_str).collect();
        return Err(path.wrong(format_args!("exactly one of {} must be given", known.join(", "))));
    }
    let mut fields = async_graphql::indexmap::IndexMap::new();
    for (field, declared) in input_fields {
        match given.get(field) {
            Some(value) => {
                fields.insert(Name::new(field), coerce(registry, &declared.ty, value, &path.then(Step::Name(field)))?);
            }
            None if declared.ty.ends_with('!') && declared.default_value.is_none() => {
                return Err(path.then(Step::Name(field)).wrong(format_args!("a value of type {} must be given", declared.ty)));
            }
            None => {}
        }
    }
    Ok(Value::Object(fields))
}
