//! `recordState` and `compareRevisions`: a record as of one of its revisions, and the difference between two of them.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::dynamic::{Field, InputValue, SchemaBuilder, TypeRef};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::entity::RecordType;
use crate::graphql::global_id;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::output_type::{OutputObject, OutputType, TYPE_NAME, undeclared};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::field;
use crate::store::Store;

/// Names of the root fields.
pub(super) const STATE: &str = "recordState";
pub(super) const COMPARISON: &str = "compareRevisions";
const RECORD_STATE: &str = "RecordState";
const FIELD_VALUE: &str = "FieldValue";
/// Type of a field difference, which the record type `Revision` declares.
const FIELD_CHANGE: &str = "FieldChange";

pub(super) fn fields() -> [Field; 2] {
    let argument = |name: &str, ty: TypeRef, doc: &str| InputValue::new(name, ty).description(doc);
    let record = || argument("record", TypeRef::named_nn(TypeRef::ID), "Id of the record.");
    let revision = |name: &str, doc: &str| argument(name, TypeRef::named_nn(TypeRef::INT), doc);
    [
        field(STATE, TypeRef::named(RECORD_STATE), "A record as of one of its revisions. Null if there is no such revision.")
            .argument(record())
            .argument(revision("asOfRevision", "Number of the revision.")),
        field(
            COMPARISON,
            TypeRef::named_nn_list(FIELD_CHANGE),
            "Difference between two revisions of a record, field by field. Null if there is no such revision.",
        )
        .argument(record())
        .argument(revision("from", "Number of the earlier revision."))
        .argument(revision("to", "Number of the later revision.")),
    ]
}

/// A record as of a revision; its fields are a JSON object.
struct RecordState {
    revision: i64,
    fields: Json,
}

impl OutputObject for RecordState {
    type Plan<'q> = ();
    type Field = Box<RecordStateWriter>;
}

/// Writes a field of a record state.
type RecordStateWriter = dyn Fn(&RecordState, &mut JsonWriter<'_>) + Send + Sync;

static RECORD_STATE_TYPE: LazyLock<OutputType<RecordState>> = LazyLock::new(|| {
    OutputType::<RecordState>::new(RECORD_STATE, "A record as of one of its revisions.")
        .field("revision", TypeRef::named_nn(TypeRef::INT), "Number of the revision.", |_, ()| {
            Ok(Box::new(|state, out| out.value(state.revision)))
        })
        .field(
            "fields",
            TypeRef::named_nn_list_nn(FIELD_VALUE),
            "Every field with a value, and every non-empty list of parts.",
            |selection, ()| {
                let field = FIELD_VALUE_TYPE.project(selection, &mut ())?;
                Ok(Box::new(move |state, out| {
                    out.list(state.fields.as_object().into_iter().flatten(), |(name, value), out| {
                        field.write_with(out, |write, out| write(name, value, out));
                    });
                }))
            },
        )
});

enum FieldValueOutput {}

impl OutputObject for FieldValueOutput {
    type Plan<'q> = ();
    type Field = fn(&str, &Json, &mut JsonWriter<'_>);
}

static FIELD_VALUE_TYPE: LazyLock<OutputType<FieldValueOutput>> = LazyLock::new(|| {
    let text = || TypeRef::named_nn(TypeRef::STRING);
    OutputType::<FieldValueOutput>::new(FIELD_VALUE, "A field of a record and its value.")
        .value("field", text(), "Name of the field or of the list of parts.", |name, _, out| out.value(name))
        .value("value", text(), "The value, as JSON.", |_, value, out| out.value(value.to_string()))
});

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    builder.register(RECORD_STATE_TYPE.object()).register(FIELD_VALUE_TYPE.object())
}

fn record_argument(selection: &Selection<'_>) -> Result<(RecordType, Uuid)> {
    let (ty, id) = global_id::decode(&selection.argument("record").unwrap_or_default(), "record")?;
    match catalog().get(ty).kind {
        RecordKind::Record => Ok((ty, id)),
        _ => Err(bad_input("record", "this is the id of a part; give the id of the record it belongs to")),
    }
}

/// Writes a record as of a revision.
pub(super) async fn write_state(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = record_argument(selection)?;
    let revision = selection.int_argument("asOfRevision").unwrap_or_default();
    let fields = store.state_at(ty, id, revision, caller.role).await?;
    let projection = RECORD_STATE_TYPE.project(selection, &mut ())?;
    out.option(fields, |fields, out| {
        let state = RecordState { revision, fields };
        projection.write_with(out, |write, out| write(&state, out));
    });
    Ok(())
}

/// A field whose value differs between two revisions. A null value is a field that is not set.
struct FieldDifference<'j> {
    path: String,
    old: &'j Json,
    new: &'j Json,
}

/// Writes a field of a difference.
type DifferenceWriter = fn(&FieldDifference<'_>, &mut JsonWriter<'_>);

/// Fields of a difference. The record type `Revision` declares the type; see [`FIELD_CHANGE`].
const DIFFERENCE_FIELDS: [(&str, DifferenceWriter); 4] = [
    (TYPE_NAME, |_, out| out.value(FIELD_CHANGE)),
    ("field", |difference, out| out.value(&difference.path)),
    ("old", |difference, out| write_value(difference.old, out)),
    ("new", |difference, out| write_value(difference.new, out)),
];

/// Writes a string as it is, and any other value as JSON text.
fn write_value(value: &Json, out: &mut JsonWriter<'_>) {
    match value {
        Json::Null => out.null(),
        Json::String(text) => out.value(text),
        other => out.value(other.to_string()),
    }
}

/// Writes the difference between two revisions of a record.
pub(super) async fn write_comparison(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = record_argument(selection)?;
    let number = |name| selection.int_argument(name).unwrap_or_default();
    let from = store.state_at(ty, id, number("from"), caller.role).await?;
    let to = store.state_at(ty, id, number("to"), caller.role).await?;
    let fields = selection.subfields(&[FIELD_CHANGE]).into_iter().map(|selected| {
        let name = selected.name();
        let writer = DIFFERENCE_FIELDS.iter().find(|(known, _)| *known == name).map(|(_, write)| *write);
        Ok((selected.json_key(), writer.ok_or_else(|| undeclared(FIELD_CHANGE, name))?))
    });
    let fields: Fields<_> = fields.collect::<Result<_>>()?;
    out.option(from.zip(to), |(from, to), out| {
        let mut differences = Vec::new();
        diff(String::new(), &from, &to, &mut differences);
        out.list(differences.iter(), |difference, out| out.object(&fields, |write, out| write(difference, out)));
    });
    Ok(())
}

/// Collects the differences between two values. Members of a record are matched by name, parts by key.
fn diff<'j>(path: String, old: &'j Json, new: &'j Json, differences: &mut Vec<FieldDifference<'j>>) {
    const NULL: &Json = &Json::Null;
    let key = |item: &'j Json| item.get("key").and_then(Json::as_str);
    match (old, new) {
        _ if old == new => {}
        (Json::Object(before), Json::Object(after)) if path.is_empty() || key(old).is_some() => {
            let names: Vec<&String> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                diff(path, before.get(name).unwrap_or(NULL), after.get(name).unwrap_or(NULL), differences);
            }
        }
        (Json::Array(_) | Json::Null, Json::Array(_) | Json::Null)
            if [old, new].iter().filter_map(|list| list.as_array()).flatten().all(|item| key(item).is_some()) =>
        {
            let items = |list: &'j Json| list.as_array().map(Vec::as_slice).unwrap_or_default();
            let by_key = |list: &'j Json| items(list).iter().map(|item| (key(item), item)).collect::<HashMap<_, _>>();
            let (before, after) = (by_key(old), by_key(new));
            let added = items(new).iter().map(key).filter(|wanted| !before.contains_key(wanted));
            for wanted in items(old).iter().map(key).chain(added) {
                let part = |list: &HashMap<Option<&str>, &'j Json>| list.get(&wanted).copied().unwrap_or(NULL);
                diff(format!("{path}[{}]", wanted.unwrap_or_default()), part(&before), part(&after), differences);
            }
        }
        _ => differences.push(FieldDifference { path, old, new }),
    }
}
