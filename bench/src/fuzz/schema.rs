//! The schema of a server, as it tells of it itself.

use std::collections::HashMap;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Connection;

const QUERY: &str = "query { __schema { types { kind name fields(includeDeprecated: true) { name args { ...V } type { ...T } } inputFields { ...V } enumValues { name } possibleTypes { name } isOneOf } } } fragment V on __InputValue { name type { ...T } } fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// A type.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Type {
    pub kind: String,
    pub name: String,
    #[serde(default)]
    fields: Option<Vec<Field>>,
    #[serde(default)]
    input_fields: Option<Vec<Input>>,
    #[serde(default)]
    enum_values: Option<Vec<Named>>,
    #[serde(default)]
    possible_types: Option<Vec<Named>>,
    #[serde(default)]
    pub is_one_of: Option<bool>,
}

/// Something with a name.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    pub name: String,
}

/// A field.
#[derive(Debug, Clone, Deserialize)]
pub struct Field {
    pub name: String,
    pub args: Vec<Input>,
    #[serde(rename = "type")]
    pub ty: Ref,
}

/// An argument or a field of an input.
#[derive(Debug, Clone, Deserialize)]
pub struct Input {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: Ref,
}

/// A type with what is around it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ref {
    pub kind: String,
    name: Option<String>,
    pub of_type: Option<Box<Ref>>,
}

impl Ref {
    /// Name of the type itself.
    pub fn named(&self) -> &str {
        match &self.of_type {
            Some(inner) => inner.named(),
            None => self.name.as_deref().unwrap_or_default(),
        }
    }

    /// The type as it is written.
    pub fn text(&self) -> String {
        match (self.kind.as_str(), &self.of_type) {
            ("NON_NULL", Some(inner)) => format!("{}!", inner.text()),
            ("LIST", Some(inner)) => format!("[{}]", inner.text()),
            _ => self.named().to_owned(),
        }
    }
}

impl Type {
    pub fn fields(&self) -> &[Field] {
        self.fields.as_deref().unwrap_or_default()
    }

    pub fn inputs(&self) -> &[Input] {
        self.input_fields.as_deref().unwrap_or_default()
    }

    pub fn values(&self) -> &[Named] {
        self.enum_values.as_deref().unwrap_or_default()
    }

    pub fn possible(&self) -> &[Named] {
        self.possible_types.as_deref().unwrap_or_default()
    }
}

/// All types, and words of the data that make questions find something.
#[derive(Debug)]
pub struct Schema {
    types: HashMap<String, Type>,
    /// Ids, slugs and cursors that there are.
    pub known: Vec<String>,
}

impl Schema {
    /// Asks a server.
    pub async fn read(connection: &mut Connection) -> anyhow::Result<Self> {
        let mut data = connection.query(QUERY, json!({})).await?;
        let types: Vec<Type> = serde_json::from_value(data["__schema"]["types"].take()).context("this is not what introspection gives")?;
        let types = types.into_iter().map(|ty| (ty.name.clone(), ty)).collect();
        let some = "nodes { id slug label } pageInfo { endCursor }";
        let query = format!(
            "{{ cases(first: 10) {{ {some} }} people(first: 10) {{ {some} }} laws(first: 5) {{ {some} }} organizations(first: 5) {{ {some} }} revisions(first: 5) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}"
        );
        let mut known = Vec::new();
        gather(&connection.query(&query, json!({})).await?, &mut known);
        Ok(Self { types, known })
    }

    /// A type by its name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }
}

fn gather(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, texts)),
        Value::Object(members) => members.values().for_each(|member| gather(member, texts)),
        _ => {}
    }
}
