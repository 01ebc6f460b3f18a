//! Input types of records, built from their declarations, and their parsing into drafts.

use async_graphql::Value;
use async_graphql::dynamic::{InputObject, InputValue, Scalar, SchemaBuilder, TypeRef};
use serde_json::{Map, Value as Json};

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::{FieldKind, Structure};
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Error, Result, internal};
use crate::core::ids::FieldId;
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::{deprecate_input, input_value};
use crate::graphql::schema::names;
use crate::graphql::schema::scalar;
use crate::store::draft::value_tree;
use crate::store::draft::value_tree::Tree;
use crate::store::draft::{Draft, InputProblem, Origin, parse};

/// Scalar of a text in several languages.
pub(crate) const TRANSLATIONS: &str = "Translations";
const REFERENCE: &str = "RecordReference";
/// Name of the only argument of mutations.
pub(crate) const INPUT: &str = "input";
pub(crate) const MESSAGE: &str = "message";
pub(crate) const EXPECTED_REVISION: &str = "expectedRevision";
pub(crate) const ID: &str = "id";
/// The input field by which a list may drop parts with citations.
pub(crate) const REPLACE: &str = "replace";

/// The purpose of an input type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Create,
    Update,
    Upsert,
    /// A part inside the input of its record.
    Part,
}

/// Name of the input type of a record for a purpose.
pub(crate) fn name(record: &Record, purpose: Purpose) -> String {
    match purpose {
        Purpose::Create => format!("Create{}Input", record.name()),
        Purpose::Update => format!("Update{}Input", record.name()),
        Purpose::Upsert => format!("Upsert{}Input", record.name()),
        Purpose::Part => format!("{}Input", record.name()),
    }
}

/// The input field with the message for the history.
pub(crate) fn message() -> InputValue {
    input_value(MESSAGE, TypeRef::named(TypeRef::STRING), "Reason, for the history.")
}

/// The input field with the revision that the record is expected to have.
pub(crate) fn expected_revision() -> InputValue {
    input_value(EXPECTED_REVISION, TypeRef::named(TypeRef::INT), "Revision you last saw; CONFLICT if it changed since.")
}

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = builder.register(
        Scalar::new(TRANSLATIONS)
            .description("A text in one or several languages: a map from BCP 47 tags to texts, such as {en: \"Senate\", ru: \"Сенат\"}. The first is the original; null removes one."),
    );
    builder = builder.register(reference_input());
    let mut structures: Vec<&Structure> = Vec::new();
    for record in catalog().all().filter(|record| record.kind != RecordKind::Log) {
        for field in &record.fields {
            if let FieldKind::List(structure) = field.kind
                && !structures.iter().any(|known| std::ptr::eq(*known, structure))
            {
                structures.push(structure);
                builder = builder.register(structure_input(structure));
            }
        }
        if record.kind == RecordKind::Record {
            for purpose in [Purpose::Create, Purpose::Update, Purpose::Upsert] {
                builder = builder.register(record_input(record, purpose));
            }
        } else if single_value(record).is_none() {
            builder = builder.register(record_input(record, Purpose::Part));
        }
    }
    builder
}

fn reference_input() -> InputObject {
    let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    let input = InputObject::new(REFERENCE).oneof().description("A record of any type, by id or slug.");
    records.fold(input, |input, record| {
        let doc = format!("Id or slug of {}.", names::a(record));
        input.field(input_value(record.singular(), TypeRef::named(TypeRef::ID), doc))
    })
}

fn structure_input(structure: &Structure) -> InputObject {
    let input = InputObject::new(format!("{}Input", structure.name)).description(structure.doc);
    structure
        .members
        .iter()
        .fold(input, |input, member| input.field(input_value(member.name, input_type(member.kind, member.required), member.doc)))
}

/// Type of a part in inputs.
pub(crate) fn part_type(part: &Record) -> TypeRef {
    let name = single_value(part).map_or_else(|| name(part, Purpose::Part), |kind| input_type(kind, false).to_string());
    TypeRef::named_nn(name)
}

/// Whether a record has lists whose parts can have citations of their own.
fn has_cited_parts(record: &Record) -> bool {
    record.parts.iter().any(|list| catalog().get(list.part).is_cited())
}

/// Kind of the only value of a part that consists of one; its input is that value.
pub(crate) fn single_value(record: &Record) -> Option<FieldKind> {
    match record.key_from {
        [only] if record.fields.iter().filter(|field| !field.system).count() <= 3 => Some(record.field(record.known_field(only)).kind),
        _ => None,
    }
}

/// Type of a field of this kind in inputs.
fn input_type(kind: FieldKind, required: bool) -> TypeRef {
    let name = match kind {
        FieldKind::Translated => TRANSLATIONS.to_owned(),
        FieldKind::List(structure) => return TypeRef::named_nn_list(format!("{}Input", structure.name)),
        FieldKind::One(target) if catalog().get(target).kind != RecordKind::Record => TypeRef::STRING.to_owned(),
        FieldKind::One(_) => TypeRef::ID.to_owned(),
        FieldKind::Any => REFERENCE.to_owned(),
        kind => scalar::output_type(kind, false).to_string(),
    };
    if required { TypeRef::named_nn(name) } else { TypeRef::named(name) }
}

fn record_input(record: &Record, purpose: Purpose) -> InputObject {
    let mut input = InputObject::new(name(record, purpose)).description(input_doc(record, purpose));
    if purpose == Purpose::Update {
        input = input.field(input_value(ID, TypeRef::named_nn(TypeRef::ID), "Id or slug of the record.")).field(expected_revision());
    }
    if purpose == Purpose::Upsert {
        input = input.field(expected_revision());
    }
    input = with_fields(input, record, purpose, &[]);
    if matches!(purpose, Purpose::Update | Purpose::Upsert) && has_cited_parts(record) {
        let doc = "Whether lists may drop parts that have citations; default: false, but true in importRecords.";
        input = input.field(input_value(REPLACE, TypeRef::named(TypeRef::BOOLEAN), doc));
    }
    if purpose != Purpose::Part && purpose != Purpose::Upsert {
        input = input.field(message());
    }
    input
}

/// Adds the fields and lists that an editor sets, but for those of these names.
pub(crate) fn with_fields(mut input: InputObject, record: &Record, purpose: Purpose, skipped: &[&str]) -> InputObject {
    for (id, field) in record.fields_with_ids().filter(|(_, field)| !field.system && !skipped.contains(&field.name)) {
        let is_owner = id == FieldId::OWNER && record.kind != RecordKind::Record;
        if is_owner {
            continue;
        }
        // slugs and keys are generated by default, and new records are published by default
        let has_default = ["slug", "key", "published"].contains(&field.name);
        let required = field.required
            && !has_default
            // a part that is stored under the same key has what is not given: the store reports what is missing
            && purpose == Purpose::Create
            && !matches!(field.kind, FieldKind::List(_) | FieldKind::Boolean);
        let value = input_value(field.name, input_type(field.kind, required), field_doc(field, purpose));
        input = input.field(deprecate_input(value, field));
    }
    for list in &record.parts {
        let part = catalog().get(list.part);
        let ty = TypeRef::List(Box::new(part_type(part)));
        input = input.field(input_value(list.name, ty, names::sentence(list.name)));
    }
    input
}

fn input_doc(record: &Record, purpose: Purpose) -> String {
    match purpose {
        Purpose::Create => format!("A new {}.", names::singular(record)),
        Purpose::Update => format!(
            "Changes to {}. Omitted fields stay as they are, and null clears a field. A list replaces the existing one, but keeps parts with the same key.",
            names::a(record)
        ),
        Purpose::Upsert => {
            format!("{} to create or update; the fields are as in Update{}Input.", names::capitalized(&names::a(record)), record.name())
        }
        Purpose::Part => record.doc.to_owned(),
    }
}

/// Description of a field: in full where the type is created, and by its name alone where it is updated.
fn field_doc(field: &Field, purpose: Purpose) -> String {
    let doc = match purpose {
        Purpose::Create | Purpose::Part => field.doc.to_owned(),
        Purpose::Update | Purpose::Upsert => names::sentence(field.name),
    };
    match (field.name, field.kind) {
        ("slug", _) if purpose == Purpose::Create => "Slug; by default generated from the name.".to_owned(),
        ("key", _) => "Key; by default generated from the content.".to_owned(),
        (_, FieldKind::One(target)) if catalog().get(target).kind == RecordKind::Record => {
            format!("{}, by id or slug.", doc.trim_end_matches('.'))
        }
        (_, FieldKind::One(_)) => format!("{}, by its key in this record.", doc.trim_end_matches('.')),
        _ => doc,
    }
}

/// Converts a GraphQL value to JSON as an import file has it: enum values in lowercase.
fn json(value: &Value) -> Json {
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

/// Members of the argument `input` of a mutation as JSON. A request is coerced to the schema before it is executed, so
/// here and below a value of another type is a fault of the server.
pub(crate) fn members(selection: &Selection<'_>) -> Result<Map<String, Json>> {
    match selection.argument(INPUT).as_ref().map(json) {
        Some(Json::Object(members)) => Ok(members),
        _ => Err(not_coerced(INPUT)),
    }
}

/// A member that the coercion of the request should have rejected.
pub(crate) fn not_coerced(name: &str) -> Error {
    internal(format!("the input member {name} was not coerced to its type"))
}

/// Removes a member. Not set if it is absent or null.
fn take(members: &mut Map<String, Json>, name: &str) -> Option<Json> {
    members.shift_remove(name).filter(|value| !value.is_null())
}

/// Removes a string from the members of an input.
pub(crate) fn take_text(members: &mut Map<String, Json>, name: &str) -> Result<Option<String>> {
    match take(members, name) {
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(not_coerced(name)),
        None => Ok(None),
    }
}

/// Removes a required string from the members of an input.
pub(crate) fn take_required_text(members: &mut Map<String, Json>, name: &str) -> Result<String> {
    take_text(members, name)?.ok_or_else(|| not_coerced(name))
}

/// Removes an integer from the members of an input.
pub(crate) fn take_integer(members: &mut Map<String, Json>, name: &str) -> Result<Option<i64>> {
    take(members, name).map(|value| value.as_i64().ok_or_else(|| not_coerced(name))).transpose()
}

/// Removes a boolean from the members of an input; false if it is absent.
pub(crate) fn take_flag(members: &mut Map<String, Json>, name: &str) -> Result<bool> {
    take(members, name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| not_coerced(name)))
}

/// Removes a boolean from the members of an input. Not set if it is absent or null.
pub(crate) fn take_choice(members: &mut Map<String, Json>, name: &str) -> Result<Option<bool>> {
    take(members, name).map(|value| value.as_bool().ok_or_else(|| not_coerced(name))).transpose()
}

/// Removes a required value from the members of an input.
pub(crate) fn take_required(members: &mut Map<String, Json>, name: &str) -> Result<Json> {
    take(members, name).ok_or_else(|| not_coerced(name))
}

/// Removes a required list from the members of an input.
pub(crate) fn take_list(members: &mut Map<String, Json>, name: &str) -> Result<Vec<Json>> {
    match take(members, name) {
        Some(Json::Array(items)) => Ok(items),
        _ => Err(not_coerced(name)),
    }
}

/// Removes a required object from the members of an input.
pub(crate) fn take_object(members: &mut Map<String, Json>, name: &str) -> Result<Map<String, Json>> {
    match take(members, name) {
        Some(Json::Object(object)) => Ok(object),
        _ => Err(not_coerced(name)),
    }
}

/// Removes a reference to a record from the members of an input: its type, and its id or slug.
pub(crate) fn take_reference(members: &mut Map<String, Json>, name: &str) -> Result<Option<(RecordType, String)>> {
    let Some(value) = take(members, name) else { return Ok(None) };
    let Json::Object(reference) = value else { return Err(not_coerced(name)) };
    let mut given = reference.into_iter().filter(|(_, value)| !value.is_null());
    let (Some((singular, Json::String(text))), None) = (given.next(), given.next()) else { return Err(not_coerced(name)) };
    let mut records = catalog().all().filter(|record| record.kind == RecordKind::Record);
    let record = records.find(|record| record.singular() == singular).ok_or_else(|| not_coerced(name))?;
    Ok(Some((record.ty, text)))
}

/// The input fields that name the record of a mutation: by id, or by type and slug.
pub(crate) fn record_or_reference(doc: &str) -> [InputValue; 2] {
    [
        input_value("record", TypeRef::named(TypeRef::ID), doc),
        input_value("of", TypeRef::named(REFERENCE), "The record by type and slug, in place of its id."),
    ]
}

/// Sorts problems by the order of their places in the argument `input`. A member that is not given comes last.
pub(crate) fn sort_problems(problems: &mut [InputProblem], selection: &Selection<'_>) -> Result<()> {
    let input = Json::Object(members(selection)?);
    problems.sort_by_cached_key(|problem| {
        let mut value = Some(&input);
        let mut positions = Vec::new();
        for segment in problem.origin.path.iter().skip(1) {
            let (position, below) = match (segment, value) {
                (PathSegment::Index(index), value) => (*index, value.and_then(|value| value.get(*index))),
                (PathSegment::Name(name) | PathSegment::Column(name), Some(Json::Object(members))) => {
                    let position = members.keys().position(|key| *key == **name);
                    (position.unwrap_or(usize::MAX), members.get(&**name))
                }
                (PathSegment::Name(_) | PathSegment::Column(_), _) => (usize::MAX, None),
            };
            positions.push(position);
            value = below;
        }
        positions
    });
    Ok(())
}

/// Parses the members of an input into a draft. `origin` locates the input in errors.
pub(crate) fn parse_draft(record: &'static Record, members: Map<String, Json>, origin: &Origin) -> Draft {
    let tree: Tree = value_tree::from_json(&Json::Object(members));
    parse::record(record, &tree, origin)
}
