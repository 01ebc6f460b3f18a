//! The feed of all changes, earlier states of a record, and people who may be one.

use async_graphql::dynamic::{Field, InputValue, Object, SchemaBuilder, TypeRef};
use serde_json::Value as Json;
use uuid::Uuid;

use super::read_id;
use crate::catalog::catalog;
use crate::catalog::field::RECORD_TYPE;
use crate::catalog::record::RecordKind;
use crate::core::auth::Caller;
use crate::core::error::{Result, bad_input};
use crate::core::filter::{Filter, FilterValue as Known, Predicate};
use crate::core::pagination::{Cursor, Direction, Page};
use crate::entity::RecordType;
use crate::graphql::projection::Projection as Shown;
use crate::graphql::projection::connection::{ConnectionProjection, connection_name};
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::filter::choices;
use crate::graphql::schema::object::field;
use crate::store::Store;
use crate::store::read::plan::{ListPlan, Lookup, Plan};

/// Names of the fields.
pub(super) const CHANGES: &str = "changes";
pub(super) const STATE: &str = "recordState";
pub(super) const COMPARISON: &str = "compareRevisions";
pub(in crate::graphql) const DUPLICATES: &str = "possibleDuplicates";
const STATE_TYPE: &str = "RecordState";
const VALUE: &str = "FieldValue";
const CHANGE: &str = "Change";
/// People who may be one that are shown at most.
const MOST: u32 = 20;

pub(super) fn fields() -> Vec<Field> {
    let revision = catalog().get(RecordType::Revision);
    let argument = |name: &str, ty: TypeRef, doc: &str| InputValue::new(name, ty).description(doc);
    let record = || argument("record", TypeRef::named_nn(TypeRef::ID), "Id of the record.");
    let number = |name: &str, doc: &str| argument(name, TypeRef::named_nn(TypeRef::INT), doc);
    vec![
        field(
            CHANGES,
            TypeRef::named(connection_name(revision)),
            "Everything that changed in the dataset, in the order in which it came to be seen: begin without since, and go on from endCursor for ever. No change is skipped and none comes twice, also while others write. What was deleted, merged, taken back or withheld is told too.",
        )
        .argument(argument("since", TypeRef::named(TypeRef::STRING), "Only changes after this cursor: the endCursor of the page before."))
        .argument(argument("first", TypeRef::named(TypeRef::INT), "Number of changes, 0 to 100; 20 where nothing is asked for."))
        .argument(argument("types", TypeRef::named_nn_list("RecordType"), "Only changes of records of these types.")),
        field(STATE, TypeRef::named(STATE_TYPE), "A record as it was after one of its changes; nothing where there was no such change.")
            .argument(record())
            .argument(number("asOfRevision", "Number of the change.")),
        field(
            COMPARISON,
            TypeRef::named_nn_list(CHANGE),
            "What is different between two states of a record, field by field; nothing where there was no such state.",
        )
        .argument(record())
        .argument(number("from", "Number of the change after which the first state was."))
        .argument(number("to", "Number of the change after which the second state was.")),
        field(
            DUPLICATES,
            TypeRef::named_nn_list("Person"),
            "People who may be the same as this one: they share a name, in any spelling, and no birth dates speak against it. It is for you to judge: see mergePeople.",
        )
        .argument(argument("person", TypeRef::named_nn(TypeRef::ID), "Id of the person.")),
    ]
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let value = Object::new(VALUE)
        .description("A field of a record and its value.")
        .field(field("field", TypeRef::named_nn(TypeRef::STRING), "Name of the field or of the list of parts."))
        .field(field("value", TypeRef::named_nn(TypeRef::STRING), "The value, as JSON."));
    let state = Object::new(STATE_TYPE)
        .description("A record as it was after one of its changes.")
        .field(field("revision", TypeRef::named_nn(TypeRef::INT), "Number of the change."))
        .field(field(
            "fields",
            TypeRef::named_nn_list_nn(VALUE),
            "Every field that had a value, and every list of parts that was not empty.",
        ));
    builder.register(value).register(state)
}

/// Writes a page of the feed.
pub(super) async fn changes(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (list, connection) = list(selection)?;
    let pages = store.page(&list).await?;
    out.option(pages.get(0), |slice, out| connection.write(slice, out));
    Ok(())
}

/// What a selection shows of the feed, and what to read for it.
pub(super) fn list(selection: &Selection<'_>) -> Result<(ListPlan, ConnectionProjection)> {
    let revision = catalog().get(RecordType::Revision);
    let (mut list, connection) = ConnectionProjection::new(selection, revision)?;
    list.order = (revision.field_index("sequence").unwrap_or_default(), Direction::Asc);
    let name = revision.list_name(list.order);
    list.page = Page::from_arguments(selection.number("first"), None, None, None, &name)?;
    list.page.after = selection.text("since").map(|cursor| Cursor::decode(&cursor, &name, "since")).transpose()?;
    let types = choices(&selection.items("types"));
    if !types.is_empty() {
        let field = revision.field_index(RECORD_TYPE).unwrap_or_default();
        list.filter = Filter::Field(field, Predicate::In(types));
    }
    Ok((list, connection))
}

fn record_argument(selection: &Selection<'_>) -> Result<(RecordType, Uuid)> {
    let (ty, id) = read_id(&selection.argument("record").unwrap_or_default(), "record")?;
    match catalog().get(ty).shape {
        RecordKind::Record => Ok((ty, id)),
        _ => Err(bad_input("record", "this is the id of a part; give that of the record it belongs to")),
    }
}

#[derive(Debug, Clone)]
enum StatePart {
    TypeName(&'static str),
    Revision,
    Fields(Fields<ValuePart>),
}

#[derive(Debug, Clone, Copy)]
enum ValuePart {
    TypeName,
    Field,
    Value,
}

/// Writes a record as it was.
pub(super) async fn state(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = record_argument(selection)?;
    let number = selection.number("asOfRevision").unwrap_or_default();
    let state = store.state_at(ty, id, number, caller.role).await?;
    let value_part = |name: &str| match name {
        "field" => ValuePart::Field,
        "value" => ValuePart::Value,
        _ => ValuePart::TypeName,
    };
    let part = |below: &Selection<'_>| match below.name() {
        "revision" => StatePart::Revision,
        "fields" => StatePart::Fields(below.below(&[VALUE]).iter().map(|below| (below.key(), value_part(below.name()))).collect()),
        _ => StatePart::TypeName(STATE_TYPE),
    };
    let parts: Fields<StatePart> = selection.below(&[STATE_TYPE]).iter().map(|below| (below.key(), part(below))).collect();
    out.option(state, |state, out| {
        out.object(&parts, |part, out| match part {
            StatePart::TypeName(name) => out.value(name),
            StatePart::Revision => out.value(number),
            StatePart::Fields(parts) => out.list(state.as_object().into_iter().flatten(), |(name, value), out| {
                out.object(parts, |part, out| match part {
                    ValuePart::TypeName => out.value(VALUE),
                    ValuePart::Field => out.value(name),
                    ValuePart::Value => out.value(value.to_string()),
                });
            }),
        });
    });
    Ok(())
}

/// Writes what is different between two states of a record.
pub(super) async fn comparison(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = record_argument(selection)?;
    let number = |name| selection.number(name).unwrap_or_default();
    let from = store.state_at(ty, id, number("from"), caller.role).await?;
    let to = store.state_at(ty, id, number("to"), caller.role).await?;
    let parts: Fields<String> = selection.below(&[CHANGE]).iter().map(|below| (below.key(), below.name().to_owned())).collect();
    out.option(from.zip(to), |(from, to), out| {
        let mut changes = Vec::new();
        differ(String::new(), &from, &to, &mut changes);
        out.list(changes.iter(), |(path, old, new), out| {
            let value = |value: &Json, out: &mut JsonWriter<'_>| match value {
                Json::Null => out.null(),
                Json::String(text) => out.value(text),
                other => out.value(other.to_string()),
            };
            out.object(&parts, |name, out| match name.as_str() {
                "field" => out.value(path),
                "old" => value(old, out),
                "new" => value(new, out),
                _ => out.value(CHANGE),
            });
        });
    });
    Ok(())
}

/// Differences between two values: members of a record by name, its parts by their keys.
fn differ<'j>(path: String, old: &'j Json, new: &'j Json, changes: &mut Vec<(String, &'j Json, &'j Json)>) {
    const NULL: &Json = &Json::Null;
    let key = |item: &'j Json| item.get("key").and_then(Json::as_str);
    match (old, new) {
        _ if old == new => {}
        (Json::Object(before), Json::Object(after)) if path.is_empty() || key(old).is_some() => {
            let names: Vec<&String> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differ(path, before.get(name).unwrap_or(NULL), after.get(name).unwrap_or(NULL), changes);
            }
        }
        (Json::Array(_) | Json::Null, Json::Array(_) | Json::Null)
            if [old, new].iter().flat_map(|list| list.as_array()).flatten().all(|item| key(item).is_some()) =>
        {
            let items = |list: &'j Json| list.as_array().map(Vec::as_slice).unwrap_or_default();
            let find = |list: &'j Json, wanted| items(list).iter().find(|item| key(item) == wanted).unwrap_or(NULL);
            let before = items(old).iter().map(key);
            let added = items(new).iter().map(key).filter(|wanted| find(old, *wanted) == NULL);
            let keys: Vec<Option<&str>> = before.chain(added).collect();
            for wanted in keys {
                differ(format!("{path}[{}]", wanted.unwrap_or_default()), find(old, wanted), find(new, wanted), changes);
            }
        }
        _ => changes.push((path, old, new)),
    }
}

/// Writes people who may be the same as one.
pub(super) async fn duplicates(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = read_id(&selection.argument("person").unwrap_or_default(), "person")?;
    match ty {
        RecordType::Person => duplicates_of(store, selection, id, out).await,
        _ => Err(bad_input("person", "this is not the id of a person")),
    }
}

/// Writes people who may be the same as this one.
pub(in crate::graphql) async fn duplicates_of(store: &Store, selection: &Selection<'_>, id: Uuid, out: &mut JsonWriter<'_>) -> Result<()> {
    let person = catalog().get(RecordType::Person);
    let index = |name| person.field_index(name).unwrap_or_default();
    let (name, others, birth) = (index("name"), index("otherNames"), index("birthDate"));
    let mut plan = Plan::new(person.ty);
    [name, others, birth].into_iter().for_each(|field| plan.select_field(field));
    let found = store.get(&Lookup::Id(id), &plan).await?;
    let Some(this) = found.get(0) else {
        out.null();
        return Ok(());
    };
    let names = [name, others].into_iter().flat_map(|field| this.cell(field).texts());
    let names: Vec<Known> = names.map(|text| Known::Text(text.to_owned())).collect();
    let mut filter = Filter::And(vec![
        Filter::Field(name, Predicate::In(names)),
        Filter::Not(Box::new(Filter::Id(Predicate::Eq(Known::Id(this.uuid()))))),
    ]);
    if let Some(date) = this.cell(birth).as_text().and_then(|date| date.parse().ok()) {
        // a birth date that is not known speaks against nothing; one that is given agrees within the year
        filter = filter.and(Filter::Or(vec![
            Filter::Field(birth, Predicate::IsNull(true)),
            Filter::Field(birth, Predicate::Eq(Known::Date(year(&date)))),
        ]));
    }
    let mut row = Plan::new(person.ty);
    let shape = Shown::new(std::slice::from_ref(selection), person, &mut row)?;
    let list = ListPlan { filter, page: Page::first(MOST), ..ListPlan::new(row) };
    let pages = store.page(&list).await?;
    out.option(pages.get(0), |slice, out| out.list(slice.nodes(), |node, out| shape.write(node, out)));
    Ok(())
}

/// The year of a date.
fn year(date: &crate::core::partial_date::PartialDate) -> crate::core::partial_date::PartialDate {
    let text = date.to_string();
    text.get(..4).and_then(|year| year.parse().ok()).unwrap_or_else(|| date.clone())
}
