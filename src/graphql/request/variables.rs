//! Coercion of variables to the types that an operation declares, after "Coercing Variable Values" of the GraphQL
//! specification (section 6.1.2).

use async_graphql::parser::types::{OperationDefinition, VariableDefinition};
use async_graphql::registry::Registry;
use async_graphql::{Positioned, Value, Variables};
use serde_json::{Map, Value as Json};

use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::request::document::Document;
use crate::graphql::request::input_value::{Coercion, InputValue, Path};
use crate::graphql::request::upload::Upload;
use crate::graphql::request::validation::listed;

/// Coerces the variables of an operation. Reports every invalid variable.
pub(crate) fn coerce_variables(
    registry: &Registry,
    document: &Document,
    operation: &OperationDefinition,
    given: &Map<String, Json>,
    uploads: &[Upload],
) -> Result<Variables, Vec<GraphqlError>> {
    let mut variables = Variables::default();
    let mut errors = Vec::new();
    for definition in &operation.variable_definitions {
        let name = &definition.node.name.node;
        let required = document.non_null_uses.contains(&(definition.pos.line, definition.pos.column));
        match coerce_variable(registry, definition, (given, uploads), required) {
            Ok(Some(value)) => {
                variables.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(messages) => {
                let errors_of = messages.into_iter().map(|message| format!("Variable \"${name}\": {message}"));
                errors.extend(errors_of.map(|message| GraphqlError::new(codes::VALIDATION_FAILED, message).at(definition.pos)));
            }
        }
    }
    if errors.is_empty() { Ok(variables) } else { Err(listed(errors)) }
}

/// Validates only the given variables, as [`coerce_variables`] does; required variables may be missing. A variable that
/// the operation does not declare is an error.
pub(crate) fn check_given_variables(
    registry: &Registry,
    document: &Document,
    operation: &OperationDefinition,
    given: &Map<String, Json>,
) -> Result<(), Vec<GraphqlError>> {
    let definitions = &operation.variable_definitions;
    let unknown = given.keys().filter(|name| !definitions.iter().any(|definition| definition.node.name.node == name.as_str()));
    let mut errors: Vec<GraphqlError> =
        unknown.map(|name| GraphqlError::new(codes::VALIDATION_FAILED, format!("the operation has no variable \"${name}\""))).collect();
    let only = definitions.iter().filter(|definition| given.contains_key(definition.node.name.node.as_str()));
    let only = OperationDefinition { variable_definitions: only.cloned().collect(), ..operation.clone() };
    errors.extend(coerce_variables(registry, document, &only, given, &[]).err().into_iter().flatten());
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Coerces one variable; `Ok(None)` if it has no value. A required variable is used where null must not stand.
fn coerce_variable(
    registry: &Registry,
    definition: &Positioned<VariableDefinition>,
    (given, uploads): (&Map<String, Json>, &[Upload]),
    required: bool,
) -> Result<Option<Value>, Vec<String>> {
    let definition = &definition.node;
    let ty = definition.var_type.node.to_string();
    match (given.get(definition.name.node.as_str()), &definition.default_value) {
        (Some(Json::Null), _) if required => {
            Err(vec![format!("a value of type {ty} must be given, and not null, because of where it is used")])
        }
        (Some(value), _) => {
            let mut coercion = Coercion::with_uploads(registry, uploads);
            let coerced = coercion.coerce(&ty, InputValue::Json(value), &Path::default());
            if coercion.errors.is_empty() {
                Ok(coerced.and_then(async_graphql_value::Value::into_const))
            } else {
                let message = |error: super::input_value::InputError| match error.path.as_str() {
                    "" => error.message,
                    path => format!("{path}: {}", error.message),
                };
                Err(coercion.errors.into_iter().map(message).collect())
            }
        }
        (None, Some(default)) => Ok(Some(default.node.clone())),
        (None, None) if definition.var_type.node.nullable => Ok(None),
        (None, None) => Err(vec![format!("a value of type {ty} must be given")]),
    }
}
