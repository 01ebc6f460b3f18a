//! Coercion of variables to the types that an operation declares.
//!
//! Follows "Coercing Variable Values" and the input coercion rules of each type in the GraphQL specification.

use async_graphql::parser::types::{OperationDefinition, VariableDefinition};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, Value, Variables};
use serde_json::{Map, Value as Json};

use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::schema::input::TRANSLATIONS;

/// Coerces the variables of an operation. Reports every invalid variable.
pub(crate) fn coerce_variables(
    registry: &Registry,
    operation: &OperationDefinition,
    given: &Map<String, Json>,
) -> Result<Variables, Vec<GraphqlError>> {
    let mut variables = Variables::default();
    let mut errors = Vec::new();
    for definition in &operation.variable_definitions {
        match coerce_variable(registry, definition, given) {
            Ok(Some(value)) => {
                variables.insert(definition.node.name.node.clone(), value);
            }
            Ok(None) => {}
            Err(message) => {
                let message = format!("Variable \"${}\": {message}", definition.node.name.node);
                errors.push(GraphqlError::new(codes::VALIDATION, message).at(definition.pos));
            }
        }
    }
    if errors.is_empty() { Ok(variables) } else { Err(errors) }
}

/// Validates only the given variables, as [`coerce_variables`] does; required variables may be missing. A variable that
/// the operation does not declare is an error.
pub(crate) fn check_given_variables(
    registry: &Registry,
    operation: &OperationDefinition,
    given: &Map<String, Json>,
) -> Result<(), Vec<GraphqlError>> {
    let definitions = &operation.variable_definitions;
    let unknown = given.keys().filter(|name| !definitions.iter().any(|definition| definition.node.name.node == name.as_str()));
    let mut errors: Vec<GraphqlError> =
        unknown.map(|name| GraphqlError::new(codes::VALIDATION, format!("the operation has no variable \"${name}\""))).collect();
    let only = definitions.iter().filter(|definition| given.contains_key(definition.node.name.node.as_str()));
    let only = OperationDefinition { variable_definitions: only.cloned().collect(), ..operation.clone() };
    errors.extend(coerce_variables(registry, &only, given).err().into_iter().flatten());
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn coerce_variable(
    registry: &Registry,
    definition: &Positioned<VariableDefinition>,
    given: &Map<String, Json>,
) -> Result<Option<Value>, String> {
    let definition = &definition.node;
    let ty = definition.var_type.node.to_string();
    match (given.get(definition.name.node.as_str()), &definition.default_value) {
        (Some(value), _) => coerce(registry, &ty, value, &Path::default()).map(Some),
        (None, Some(default)) => Ok(Some(default.node.clone())),
        (None, None) if definition.var_type.node.nullable => Ok(None),
        (None, None) => Err(format!("a value of type {ty} must be given")),
    }
}

/// Path of a value inside a variable.
#[derive(Debug, Clone, Copy, Default)]
struct Path<'a>(Option<(&'a Path<'a>, Segment<'a>)>);

#[derive(Debug, Clone, Copy)]
enum Segment<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    fn join(&'a self, segment: Segment<'a>) -> Self {
        Self(Some((self, segment)))
    }

    fn write(&self, text: &mut String) {
        let Some((parent, segment)) = self.0 else { return };
        parent.write(text);
        match segment {
            Segment::Field(name) if text.is_empty() => text.push_str(name),
            Segment::Field(name) => text.extend([".", name]),
            Segment::Index(index) => text.extend(["[", &index.to_string(), "]"]),
        }
    }

    /// Prefixes an error message with the path.
    fn error(&self, message: impl std::fmt::Display) -> String {
        let mut text = String::new();
        self.write(&mut text);
        if text.is_empty() { message.to_string() } else { format!("{text}: {message}") }
    }
}

fn coerce(registry: &Registry, ty: &str, value: &Json, path: &Path<'_>) -> Result<Value, String> {
    match (MetaTypeName::create(ty), value) {
        (MetaTypeName::NonNull(ty), Json::Null) => Err(path.error(format_args!("a value of type {ty} must be given, and not null"))),
        (MetaTypeName::NonNull(ty), _) => coerce(registry, ty, value, path),
        (_, Json::Null) => Ok(Value::Null),
        (MetaTypeName::List(ty), Json::Array(items)) => {
            let items = items.iter().enumerate().map(|(index, item)| coerce(registry, ty, item, &path.join(Segment::Index(index))));
            items.collect::<Result<_, _>>().map(Value::List)
        }
        // a single value coerces to a list of one item
        (MetaTypeName::List(ty), _) => Ok(Value::List(vec![coerce(registry, ty, value, path)?])),
        (MetaTypeName::Named(name), _) => match registry.types.get(name) {
            Some(MetaType::Scalar { .. }) => scalar(name, value).ok_or_else(|| path.error(format_args!("{value} is not of type {name}"))),
            Some(MetaType::Enum { enum_values, .. }) => {
                if let Some((name, _)) = value.as_str().and_then(|text| enum_values.get_key_value(text)) {
                    Ok(Value::Enum(Name::new(name)))
                } else {
                    let known: Vec<&str> = enum_values.keys().map(String::as_str).collect();
                    Err(path.error(format_args!("{value} is not a value of {name}; its values are {}", known.join(", "))))
                }
            }
            Some(MetaType::InputObject { .. }) => object(registry, name, value, path),
            _ => Err(path.error(format_args!("{name} is not an input type"))),
        },
    }
}

/// Coerces a scalar. Custom scalars are strings, validated where they are used.
fn scalar(name: &str, value: &Json) -> Option<Value> {
    Some(match (name, value) {
        ("Int", Json::Number(number)) => {
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and i32 is checked below")]
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
    let Json::Object(given) = value else { return Err(path.error(format_args!("{value} is not an object of type {name}"))) };
    if let Some(unknown) = given.keys().find(|field| !input_fields.contains_key(*field)) {
        let known: Vec<&str> = input_fields.keys().map(String::as_str).collect();
        return Err(path.error(format_args!("{name} has no field {unknown}; its fields are {}", known.join(", "))));
    }
    if *oneof && (given.len() != 1 || given.values().any(Json::is_null)) {
        let known: Vec<&str> = input_fields.keys().map(String::as_str).collect();
        return Err(path.error(format_args!("exactly one of {} must be given", known.join(", "))));
    }
    let mut fields = async_graphql::indexmap::IndexMap::new();
    for (field, declared) in input_fields {
        match given.get(field) {
            Some(value) => {
                fields.insert(Name::new(field), coerce(registry, &declared.ty, value, &path.join(Segment::Field(field)))?);
            }
            None if declared.ty.ends_with('!') && declared.default_value.is_none() => {
                return Err(path.join(Segment::Field(field)).error(format_args!("a value of type {} must be given", declared.ty)));
            }
            None => {}
        }
    }
    Ok(Value::Object(fields))
}
