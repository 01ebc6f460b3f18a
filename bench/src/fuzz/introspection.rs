//! The schema of the server, from introspection.

use std::collections::HashMap;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Connection;

const INTROSPECTION_QUERY: &str = "query { __schema { types { kind name fields(includeDeprecated: true) { name args { ...V } type { ...T } } inputFields { ...V } enumValues { name } possibleTypes { name } isOneOf } } } fragment V on __InputValue { name type { ...T } } fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// `__Type`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeDefinition {
    pub kind: String,
    pub name: String,
    #[serde(default)]
    fields: Option<Vec<FieldDefinition>>,
    #[serde(default)]
    input_fields: Option<Vec<InputValue>>,
    #[serde(default)]
    enum_values: Option<Vec<Named>>,
    #[serde(default)]
    possible_types: Option<Vec<Named>>,
    #[serde(default)]
    pub is_one_of: Option<bool>,
}

/// An enum value or a member of an abstract type.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    pub name: String,
}

/// `__Field`.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldDefinition {
    pub name: String,
    pub args: Vec<InputValue>,
    #[serde(rename = "type")]
    pub ty: TypeRef,
}

/// `__InputValue`: an argument or a field of an input object.
#[derive(Debug, Clone, Deserialize)]
pub struct InputValue {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: TypeRef,
}

/// A named type with its list and non-null wrappers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeRef {
    pub kind: String,
    name: Option<String>,
    pub of_type: Option<Box<TypeRef>>,
}

impl TypeRef {
    /// Name of the type without wrappers.
    pub fn named_type(&self) -> &str {
        match &self.of_type {
            Some(inner) => inner.named_type(),
            None => self.name.as_deref().unwrap_or_default(),
        }
    }

    /// The type in GraphQL syntax.
    pub fn to_syntax(&self) -> String {
        match (self.kind.as_str(), &self.of_type) {
            ("NON_NULL", Some(inner)) => format!("{}!", inner.to_syntax()),
            ("LIST", Some(inner)) => format!("[{}]", inner.to_syntax()),
            _ => self.named_type().to_owned(),
        }
    }
}

impl TypeDefinition {
    pub fn fields(&self) -> &[FieldDefinition] {
        self.fields.as_deref().unwrap_or_default()
    }

    pub fn input_fields(&self) -> &[InputValue] {
        self.input_fields.as_deref().unwrap_or_default()
    }

    pub fn enum_values(&self) -> &[Named] {
        self.enum_values.as_deref().unwrap_or_default()
    }

    pub fn possible_types(&self) -> &[Named] {
        self.possible_types.as_deref().unwrap_or_default()
    }
}

/// All types, and values from the data, with which requests find records.
#[derive(Debug)]
pub struct Schema {
    types: HashMap<String, TypeDefinition>,
    /// Ids, slugs, labels and cursors of records.
    pub known_values: Vec<String>,
}

impl Schema {
    /// Fetches the schema and the values.
    pub async fn fetch(connection: &mut Connection) -> anyhow::Result<Self> {
        let mut data = connection.query(INTROSPECTION_QUERY, json!({})).await?;
        let types: Vec<TypeDefinition> =
            serde_json::from_value(data["__schema"]["types"].take()).context("the introspection result cannot be deserialized")?;
        let types = types.into_iter().map(|ty| (ty.name.clone(), ty)).collect();
        let selection = "nodes { id slug label } pageInfo { endCursor }";
        let query = format!(
            "{{ cases(first: 10) {{ {selection} }} people(first: 10) {{ {selection} }} laws(first: 5) {{ {selection} }} organizations(first: 5) {{ {selection} }} revisions(first: 5) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}"
        );
        let mut known_values = Vec::new();
        collect_strings(&connection.query(&query, json!({})).await?, &mut known_values);
        Ok(Self { types, known_values })
    }

    /// A type by its name.
    pub fn get(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.get(name)
    }
}

fn collect_strings(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_strings(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect_strings(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
