//! Inputs of records, made from their declarations, and their reading into drafts.

use async_graphql::Value;
use async_graphql::dynamic::{InputObject, InputValue, Scalar, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json};

use crate::catalog::catalog;
use crate::catalog::kind::{FieldKind, Structure};
use crate::catalog::record::{Record, RecordKind};
use crate::graphql::schema::scalar;
use crate::store::draft::value_tree;
use crate::store::draft::value_tree::Tree;
use crate::store::draft::{Draft, InputProblem, Origin, parse};

/// Text in languages, as inputs have it.
pub(in crate::graphql) const TRANSLATIONS: &str = "Translations";
const REFERENCE: &str = "RecordReference";
pub(crate) const MESSAGE: &str = "message";
pub(crate) const EXPECTED: &str = "expectedRevision";
pub(crate) const ID: &str = "id";

const EXPECTED_DOC: &str = "Number of the change you last saw of the record. If it has changed since, nothing is written and the error has the code CONFLICT. Leave it out to write whatever happened meanwhile.";
const MESSAGE_DOC: &str = "Why, for the history.";

/// What an input of a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Create,
    Update,
    Upsert,
    Part,
}

pub(crate) fn name(record: &Record, purpose: For) -> String {
    match purpose {
        For::Create => format!("Create{}Input", record.name()),
        For::Update => format!("Update{}Input", record.name()),
        For::Upsert => format!("Upsert{}Input", record.name()),
        For::Part => format!("{}Input", record.name()),
    }
}

pub(crate) fn message() -> InputValue {
    InputValue::new(MESSAGE, TypeRef::named(TypeRef::STRING)).description(MESSAGE_DOC)
}

pub(crate) fn expected() -> InputValue {
    InputValue::new(EXPECTED, TypeRef::named(TypeRef::INT)).description(EXPECTED_DOC)
}

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = builder.register(
        Scalar::new(TRANSLATIONS)
            .description("A text in one or several languages: a map from BCP 47 tags to texts, such as {en: \"Senate\", ru: \"Сенат\"}. The first is the record's own."),
    );
    let references = catalog().all().filter(|record| record.shape == RecordKind::Record);
    let reference =
        references.fold(InputObject::new(REFERENCE).oneof().description("A record of any type, by its id or slug."), |input, record| {
            let doc = format!("Id or slug of a {}.", record.singular());
            input.field(InputValue::new(record.singular(), TypeRef::named(TypeRef::ID)).description(doc))
        });
    builder = builder.register(reference);
    let mut structures: Vec<&Structure> = Vec::new();
    for record in catalog().all().filter(|record| record.shape != RecordKind::Log) {
        for field in &record.fields {
            if let FieldKind::List(structure) = field.kind
                && !structures.iter().any(|known| std::ptr::eq(*known, structure))
            {
                structures.push(structure);
                builder = builder.register(structure_input(structure));
            }
        }
        if record.shape == RecordKind::Record {
            for purpose in [For::Create, For::Update, For::Upsert] {
                builder = builder.register(record_input(record, purpose));
            }
        } else if bare(record).is_none() {
            builder = builder.register(record_input(record, For::Part));
        }
    }
    builder
}

fn structure_input(structure: &Structure) -> InputObject {
    let input = InputObject::new(format!("{}Input", structure.name)).description(structure.doc);
    structure
        .members
        .iter()
        .fold(input, |input, member| input.field(InputValue::new(member.name, named(member.kind, member.required)).description(member.doc)))
}

/// The one field of a part that says all that it says.
fn bare(record: &Record) -> Option<FieldKind> {
    match record.key_from {
        [only] if record.fields.iter().filter(|field| !field.system).count() <= 3 => {
            record.field_index(only).map(|index| record.fields[index].kind)
        }
        _ => None,
    }
}

/// Type of a field of this kind in inputs.
fn named(kind: FieldKind, required: bool) -> TypeRef {
    let name = match kind {
        FieldKind::Translated => TRANSLATIONS.to_owned(),
        FieldKind::List(structure) => return TypeRef::named_nn_list(format!("{}Input", structure.name)),
        FieldKind::One(target) if catalog().get(target).shape != RecordKind::Record => TypeRef::STRING.to_owned(),
        FieldKind::One(_) => TypeRef::ID.to_owned(),
        FieldKind::Any => REFERENCE.to_owned(),
        kind => scalar::named(kind, false).to_string(),
    };
    if required { TypeRef::named_nn(name) } else { TypeRef::named(name) }
}

fn record_input(record: &Record, purpose: For) -> InputObject {
    let this = record.singular();
    let doc = match purpose {
        For::Create => format!("A new {this}."),
        For::Update => format!("Changes of a {this}: only the fields that are given change, and null clears one."),
        For::Upsert => {
            format!("A {this}, new or not: found by its slug, or without one by an identifier. Only the fields that are given change.")
        }
        For::Part => record.doc.to_owned(),
    };
    let mut input = InputObject::new(name(record, purpose)).description(doc);
    let id = |doc: &str| InputValue::new(ID, TypeRef::named_nn(TypeRef::ID)).description(doc);
    if purpose == For::Update {
        input = input.field(id("Id or slug of the record.")).field(expected());
    }
    if purpose == For::Upsert {
        input = input.field(expected());
    }
    for (index, field) in record.fields.iter().enumerate().filter(|(_, field)| !field.system) {
        let is_owner = index == 0 && record.shape != RecordKind::Record;
        if is_owner {
            continue;
        }
        // a slug is made where none is given, and what is new is published unless it is said otherwise
        let own = ["slug", "key", "published"].contains(&field.name);
        let required = field.required
            && !own
            && matches!(purpose, For::Create | For::Part)
            && !matches!(field.kind, FieldKind::List(_) | FieldKind::Boolean);
        let doc = match field.name {
            "slug" if purpose == For::Create => format!("{} Made from the name where it is not given.", field.doc),
            "key" => format!("{} Made from what the part says where it is not given.", field.doc),
            _ => field.doc.to_owned(),
        };
        let doc = match field.kind {
            FieldKind::One(target) if catalog().get(target).shape == RecordKind::Record => format!("{doc} Its id or slug."),
            FieldKind::One(_) => format!("{doc} Its key in this record."),
            _ => doc,
        };
        input = input.field(InputValue::new(field.name, named(field.kind, required)).description(doc));
    }
    for list in &record.parts {
        let part = catalog().get(list.part);
        let ty = match bare(part) {
            Some(kind) => TypeRef::named_nn_list(named(kind, false).to_string()),
            None => TypeRef::named_nn_list(name(part, For::Part)),
        };
        let doc = format!("{} A list that is given replaces the one there is; parts with the same key are kept.", part.doc);
        input = input.field(InputValue::new(list.name, ty).description(doc));
    }
    if purpose != For::Part && purpose != For::Upsert {
        input = input.field(message());
    }
    input
}

/// A value of GraphQL as the JSON that a file would have: values of vocabularies in small letters.
pub(crate) fn json(value: &Value) -> Json {
    match value {
        Value::Null | Value::Binary(_) => Json::Null,
        Value::Number(number) => Json::Number(number.clone()),
        Value::String(text) => Json::String(text.clone()),
        Value::Boolean(boolean) => Json::Bool(*boolean),
        Value::Enum(name) => Json::String(name.to_lowercase()),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Object(members) => Json::Object(members.iter().map(|(name, value)| (name.to_string(), json(value))).collect()),
    }
}

/// The members of an input.
pub(in crate::graphql) fn members(value: &Value) -> Map<String, Json> {
    match json(value) {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// A text of an input, taken out of it.
pub(in crate::graphql) fn take_text(members: &mut Map<String, Json>, name: &str) -> Option<String> {
    match members.remove(name) {
        Some(Json::String(text)) => Some(text),
        _ => None,
    }
}

/// A number of an input, taken out of it.
pub(crate) fn take_number(members: &mut Map<String, Json>, name: &str) -> Option<i64> {
    members.remove(name).as_ref().and_then(Json::as_i64)
}

/// A draft of a record from the members of its input that are fields of it.
pub(crate) fn draft(record: &'static Record, members: Map<String, Json>, origin: &Origin) -> Result<Draft, Vec<InputProblem>> {
    let tree: Tree = value_tree::from_json(&Json::Object(members));
    parse::record(record, &tree, origin)
}
