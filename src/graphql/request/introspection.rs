//! Introspection. The framework resolves `__schema` and `__type`; this module corrects its results.
//!
//! An argument whose variable has no value counts as not given, so that its default applies; the framework takes it for null.
//!
//! The specification requires `interfaces` of an interface to be a list, which is empty if the interface implements no
//! other interface. The framework returns null. The kind of each type is therefore selected beside its `interfaces`
//! under an alias of its own, which is removed from the result.

use async_graphql::dynamic::Schema;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Request, Value, Variables};
use async_graphql_value::Value as Literal;

use crate::graphql::error::{GraphqlError, codes};

const INTERFACES: &str = "interfaces";
/// Suffix of the alias under which the kind of a type is selected beside its interfaces. A name in a document has no space.
const KIND_SUFFIX: &str = " kind";

/// Executes the introspection fields of an operation; all other fields of the result are null. Fails if the framework
/// reports an error.
pub(crate) async fn introspect(
    schema: &Schema,
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
) -> Result<Value, GraphqlError> {
    let mut document = document.clone();
    match &mut document.operations {
        DocumentOperations::Single(operation) => adapt(&mut operation.node.selection_set.node, variables),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                adapt(&mut operation.node.selection_set.node, variables);
            }
        }
    }
    document.fragments.values_mut().for_each(|fragment| adapt(&mut fragment.node.selection_set.node, variables));
    let mut request = Request::new("").variables(variables.clone());
    request.operation_name = operation.map(ToOwned::to_owned);
    request.set_parsed_query(document);
    let response = schema.execute(request).await;
    if let Some(error) = response.errors.into_iter().next() {
        return Err(GraphqlError::from_server_error(error, codes::VALIDATION_FAILED));
    }
    let mut data = response.data;
    resolve_interfaces(&mut data);
    Ok(data)
}

/// Removes arguments whose variable has no value, and adds the aliased kind beside each selected `interfaces`.
fn adapt(set: &mut SelectionSet, variables: &Variables) {
    let mut kinds = Vec::new();
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) => {
                if field.node.name.node == INTERFACES {
                    kinds.push(Positioned::new(Selection::Field(Positioned::new(kind_beside(&field.node), field.pos)), item.pos));
                }
                let is_given = |value: &Literal| !matches!(value, Literal::Variable(name) if !variables.contains_key(name));
                field.node.arguments.retain(|(_, value)| is_given(&value.node));
                adapt(&mut field.node.selection_set.node, variables);
            }
            Selection::InlineFragment(fragment) => adapt(&mut fragment.node.selection_set.node, variables),
            Selection::FragmentSpread(_) => {}
        }
    }
    set.items.extend(kinds);
}

fn kind_beside(interfaces: &Field) -> Field {
    let positioned = |name: Name| Positioned::new(name, interfaces.name.pos);
    Field {
        alias: Some(positioned(Name::new(format!("{}{KIND_SUFFIX}", interfaces.response_key().node)))),
        name: positioned(Name::new("kind")),
        arguments: Vec::new(),
        directives: interfaces.directives.clone(),
        selection_set: Positioned::default(),
    }
}

/// Replaces null by an empty list for the interfaces of interfaces, and removes the aliased kinds.
fn resolve_interfaces(value: &mut Value) {
    match value {
        Value::List(items) => items.iter_mut().for_each(resolve_interfaces),
        Value::Object(members) => {
            let kinds: Vec<Name> = members.keys().filter(|key| key.ends_with(KIND_SUFFIX)).cloned().collect();
            for alias in kinds {
                let is_interface = matches!(members.shift_remove(&alias), Some(Value::Enum(kind)) if kind == "INTERFACE");
                let interfaces = members.get_mut(alias.trim_end_matches(KIND_SUFFIX));
                if let (true, Some(interfaces @ Value::Null)) = (is_interface, interfaces) {
                    *interfaces = Value::List(Vec::new());
                }
            }
            members.values_mut().for_each(resolve_interfaces);
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => {}
    }
}
