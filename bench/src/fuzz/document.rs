//! Random GraphQL documents: valid according to the schema except for a few directives and values.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::fuzz::introspection::{InputValue, Schema, TypeDefinition, TypeRef};
use crate::fuzz::value::{long_language, random_json, random_text};

/// Maximum depth of selections.
const MAX_DEPTH: u32 = 6;
/// Maximum number of selections in a document.
const MAX_SELECTIONS: u32 = 60;
/// Maximum depth of input values.
const MAX_INPUT_DEPTH: u32 = 3;

/// Share of selections that are repeated under many aliases, and the maximum number of these.
const ALIASES_PROBABILITY: f64 = 0.004;
const MAX_ALIASES: u32 = 130;
/// Share of filters that are nested deeply, and the maximum number of levels.
const DEEP_FILTER_PROBABILITY: f64 = 0.01;
const MAX_FILTER_LEVELS: u32 = 80;
/// Share of languages that have many subtags.
const LONG_LANGUAGE_PROBABILITY: f64 = 0.01;

/// A random operation with the values of its variables.
#[derive(Debug)]
pub struct Document {
    pub query: String,
    pub variables: Value,
}

impl Document {
    /// Generates an operation of a type (`query` or `mutation`) on a root type.
    pub fn random(schema: &Schema, random: &mut ChaCha8Rng, operation: &str, root: &str) -> Self {
        let mut generator = DocumentGenerator { schema, random, variables: Vec::new(), remaining: MAX_SELECTIONS };
        let selection = generator.selection(root, MAX_DEPTH);
        let variables = generator.variables;
        let definitions = variables.iter().map(|(name, ty, _)| format!("${name}: {ty}")).collect::<Vec<_>>().join(", ");
        let definitions = if definitions.is_empty() { definitions } else { format!("({definitions})") };
        Self {
            query: format!("{operation}{definitions} {selection}"),
            variables: variables.into_iter().map(|(name, _, value)| (name, value)).collect::<serde_json::Map<_, _>>().into(),
        }
    }
}

struct DocumentGenerator<'a> {
    schema: &'a Schema,
    random: &'a mut ChaCha8Rng,
    /// Names, types and values of the variables.
    variables: Vec<(String, String, Value)>,
    /// Number of further selections.
    remaining: u32,
}

impl DocumentGenerator<'_> {
    fn selection(&mut self, name: &str, depth: u32) -> String {
        let schema = self.schema;
        let Some(ty) = schema.get(name) else { return "{ __typename }".to_owned() };
        let mut selections = Vec::new();
        for _ in 0..self.random.random_range(1..5) {
            self.remaining = self.remaining.saturating_sub(1);
            if self.remaining == 0 || ty.fields().is_empty() || self.random.random_bool(0.03) {
                selections.push("__typename".to_owned());
                continue;
            }
            if let Some(member) = ty.possible_types().choose(self.random).filter(|_| self.random.random_bool(0.4)) {
                selections.push(format!("... on {} {}", member.name, self.selection(&member.name, depth.saturating_sub(1))));
                continue;
            }
            let Some(field) = ty.fields().choose(self.random) else { continue };
            let field_type = schema.get(field.ty.named_type());
            let is_object = field_type.is_some_and(|ty| matches!(ty.kind.as_str(), "OBJECT" | "INTERFACE" | "UNION"));
            if is_object && depth == 0 {
                continue;
            }
            let arguments: Vec<String> = field.args.iter().filter_map(|argument| self.argument(argument)).collect();
            let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
            let alias = if self.random.random_bool(0.5) { format!("a{}: ", self.remaining) } else { String::new() };
            let directive = match self.random.random_range(0..60) {
                0 => " @include(if: true)",
                1 => " @skip(if: true)",
                2 if self.random.random_bool(0.1) => " @unknown",
                _ => "",
            };
            let children = if is_object { format!(" {}", self.selection(field.ty.named_type(), depth - 1)) } else { String::new() };
            let selection = format!("{}{arguments}{directive}{children}", field.name);
            if self.random.random_bool(ALIASES_PROBABILITY) {
                let count = self.random.random_range(2..MAX_ALIASES);
                selections.extend((0..count).map(|number| format!("r{}_{number}: {selection}", self.remaining)));
            }
            selections.push(format!("{alias}{selection}"));
        }
        if selections.is_empty() {
            selections.push("__typename".to_owned());
        }
        format!("{{ {} }}", selections.join(" "))
    }

    /// An argument with a literal or a variable; `None` if it is omitted.
    fn argument(&mut self, argument: &InputValue) -> Option<String> {
        // mostly omitted: with a cursor of another list, the whole request fails
        let is_rare = matches!(argument.name.as_str(), "after" | "before" | "last");
        if argument.ty.kind != "NON_NULL" && self.random.random_bool(if is_rare { 0.96 } else { 0.7 }) {
            return None;
        }
        let value = self.value(&argument.ty, MAX_INPUT_DEPTH);
        if self.random.random_bool(0.5) {
            let name = format!("v{}", self.variables.len());
            self.variables.push((name.clone(), argument.ty.to_syntax(), value));
            return Some(format!("{}: ${name}", argument.name));
        }
        Some(format!("{}: {}", argument.name, self.literal(&value, &argument.ty)))
    }

    fn value(&mut self, ty: &TypeRef, depth: u32) -> Value {
        let inner = ty.of_type.as_deref();
        match (ty.kind.as_str(), inner) {
            ("NON_NULL", Some(inner)) => self.value(inner, depth),
            _ if self.random.random_bool(0.02) => Value::Null,
            _ if self.random.random_bool(0.005) => random_json(self.random, 2),
            ("LIST", Some(inner)) => (0..self.random.random_range(0..4)).map(|_| self.value(inner, depth)).collect(),
            _ => self.named_value(ty.named_type(), depth),
        }
    }

    fn named_value(&mut self, name: &str, depth: u32) -> Value {
        match name {
            "Float" => json!([0.0, -0.5, 1e300, 3.25].choose(self.random)),
            "ID" if self.random.random_bool(0.8) => {
                let ids: Vec<&String> = self.schema.known_values.iter().filter(|text| text.contains("_0")).collect();
                json!(ids.choose(self.random))
            }
            "PartialDate" if self.random.random_bool(0.8) => json!(["2020", "2013-08", "2021-05-06"].choose(self.random)),
            "Int" if self.random.random_bool(0.7) => json!([0_i64, 1, 2, 5, 20].choose(self.random)),
            "Int" => json!([100_i64, 101, -1, i64::from(i32::MAX), i64::MAX].choose(self.random)),
            "Boolean" => json!(self.random.random_bool(0.5)),
            "Language" if self.random.random_bool(LONG_LANGUAGE_PROBABILITY) => json!(long_language(self.random)),
            "Translations" if self.random.random_bool(LONG_LANGUAGE_PROBABILITY) => json!({long_language(self.random): "text"}),
            "Translations" => json!({"en": random_text(self.schema, self.random)}),
            _ => match self.schema.get(name) {
                Some(ty) if ty.kind == "ENUM" => json!(ty.enum_values().choose(self.random).map(|value| &value.name)),
                Some(ty) if ty.kind == "INPUT_OBJECT" => self.input_object(ty, depth),
                _ => json!(random_text(self.schema, self.random)),
            },
        }
    }

    fn input_object(&mut self, ty: &TypeDefinition, depth: u32) -> Value {
        let mut members = serde_json::Map::new();
        let count = if ty.is_one_of == Some(true) { 1 } else { self.random.random_range(0..3) };
        let required = ty.input_fields().iter().filter(|input| input.ty.kind == "NON_NULL");
        let optional = (0..count).filter_map(|_| ty.input_fields().choose(self.random)).collect::<Vec<_>>();
        for input in required.chain(optional) {
            let is_object = self.schema.get(input.ty.named_type()).is_some_and(|ty| ty.kind == "INPUT_OBJECT");
            if !is_object || depth > 0 {
                let value = self.value(&input.ty, depth.saturating_sub(1));
                members.insert(input.name.clone(), value);
            }
        }
        let is_filter = ty.input_fields().iter().any(|input| input.name == "not" && input.ty.named_type() == ty.name);
        if is_filter && self.random.random_bool(DEEP_FILTER_PROBABILITY) {
            return self.nested_filter(members.into());
        }
        members.into()
    }

    /// A filter within many others.
    fn nested_filter(&mut self, filter: Value) -> Value {
        (0..self.random.random_range(1..MAX_FILTER_LEVELS)).fold(filter, |inner, _| match self.random.random_range(0..3) {
            0 => json!({"not": inner}),
            1 => json!({"and": [inner]}),
            _ => json!({"or": [inner, {}]}),
        })
    }

    /// A value in GraphQL syntax.
    fn literal(&self, value: &Value, ty: &TypeRef) -> String {
        let is_enum = self.schema.get(ty.named_type()).is_some_and(|ty| ty.kind == "ENUM");
        match value {
            Value::String(text) if is_enum => text.clone(),
            Value::Array(items) => format!("[{}]", items.iter().map(|item| self.literal(item, ty)).collect::<Vec<_>>().join(", ")),
            Value::Object(members) => {
                let fields = self.schema.get(ty.named_type()).map(TypeDefinition::input_fields).unwrap_or_default();
                let members = members.iter().map(|(name, value)| {
                    let ty = fields.iter().find(|input| input.name == *name).map_or(ty, |input| &input.ty);
                    format!("{name}: {}", self.literal(value, ty))
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            other => other.to_string(),
        }
    }
}
