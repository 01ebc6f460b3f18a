//! The query root: records by id or key, lists of records, search, statistics, changes, and the caller.

mod care;
mod changes;
mod dataset;
mod duplicate_pairs;
pub(super) mod duplicates;
mod likeness;
pub(super) mod rate_limit;
mod record_state;
pub(crate) mod saved_query;
mod search;
pub(super) mod statistics;
mod viewer;

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::dynamic::{InputObject, InputValue, Object, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::core::auth::Caller;
use crate::core::error::{Error, Result, bad_input};
use crate::graphql::global_id;
use crate::graphql::projection::connection::ConnectionProjection;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{TYPE_NAME, undeclared};
use crate::graphql::projection::selection::Selection;
use crate::graphql::projection::{Projection, ProjectionSet};
use crate::graphql::schema::builder::{NODE, field, null_only_on_error};
use crate::graphql::schema::connection::{connection_name, with_arguments};
use crate::graphql::schema::names;
use crate::graphql::schema::names::singular;
use crate::store::Store;
use crate::store::read::plan::Lookup;
use crate::store::read::plan::{ListPlan, Plan};

/// Name of the root type.
pub(super) const NAME: &str = "Query";
const IDENTIFIER_BY: &str = "IdentifierBy";
const MAX_NODE_IDS: usize = 100;

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let mut query = Object::new(NAME)
        .description("Root of all queries.")
        .field(
            field(
                "node",
                TypeRef::named(NODE),
                "Any record or part, by id. The id of a merged record resolves to the record it was merged into.",
            )
            .argument(InputValue::new("id", TypeRef::named_nn(TypeRef::ID)).description("Id, such as person_01h455vb4pex5vsknk084sn02q.")),
        )
        .field(
            null_only_on_error(field(
                "nodes",
                TypeRef::named_list(NODE),
                "Any records and parts, by id, in the order of the ids. Null in the place of an unknown id.",
            ))
            .argument(InputValue::new("ids", TypeRef::named_nn_list_nn(TypeRef::ID)).description("At most 100 ids.")),
        )
        .field(search::field())
        .field(viewer::field())
        .field(dataset::field())
        .field(rate_limit::field())
        .field(changes::field())
        .field(care::field());
    query = record_state::fields()
        .into_iter()
        .chain([duplicates::field(), duplicate_pairs::field(), likeness::field()])
        .chain(saved_query::fields())
        .chain(statistics::fields())
        .fold(query, Object::field);
    for record in listed_records() {
        let this = singular(record);
        let by = InputValue::new("by", TypeRef::named_nn(by_name(record))).description("Exactly one key of the record.");
        let one = field(record.singular(), TypeRef::named(record.name()), format!("One {this}. Null if there is none.")).argument(by);
        let all = field(record.plural, TypeRef::named(connection_name(record)), format!("A page of all {this} records."));
        let all = null_only_on_error(all);
        query = query.field(one).field(with_arguments(all, record));
        builder = builder.register(by_input(record));
    }
    builder = builder.register(
        InputObject::new(IDENTIFIER_BY)
            .description("Identifier of a record in another register.")
            .field(InputValue::new("scheme", TypeRef::named_nn(TypeRef::STRING)).description("The register."))
            .field(InputValue::new("value", TypeRef::named_nn(TypeRef::STRING)).description("The identifier.")),
    );
    for register in [
        care::register,
        search::register,
        viewer::register,
        rate_limit::register,
        dataset::register,
        record_state::register,
        statistics::register,
        likeness::register,
        duplicate_pairs::register,
    ] {
        builder = register(builder);
    }
    builder.register(query)
}

/// Record types with root fields of their own.
fn listed_records() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| !record.plural.is_empty())
}

/// A field of the query root.
#[derive(Debug, Clone, Copy)]
enum RootField {
    TypeName,
    Node,
    Nodes,
    Search,
    Viewer,
    RateLimit,
    Dataset,
    Changes,
    Care,
    RecordState,
    RevisionComparison,
    Duplicates,
    DuplicatePairs,
    Match,
    SavedQuery,
    SavedQueries,
    Record(&'static Record),
    List(&'static Record),
    Statistics(&'static Record),
}

/// Root fields that do not belong to a record type.
const FIXED_FIELDS: [(&str, RootField); 16] = [
    (TYPE_NAME, RootField::TypeName),
    ("node", RootField::Node),
    ("nodes", RootField::Nodes),
    (search::NAME, RootField::Search),
    (viewer::NAME, RootField::Viewer),
    (rate_limit::NAME, RootField::RateLimit),
    (dataset::NAME, RootField::Dataset),
    (changes::NAME, RootField::Changes),
    (care::NAME, RootField::Care),
    (record_state::STATE, RootField::RecordState),
    (record_state::COMPARISON, RootField::RevisionComparison),
    (duplicates::NAME, RootField::Duplicates),
    (duplicate_pairs::NAME, RootField::DuplicatePairs),
    (likeness::NAME, RootField::Match),
    (saved_query::FIELD, RootField::SavedQuery),
    (saved_query::LIST_FIELD, RootField::SavedQueries),
];

fn root_field(name: &str) -> Option<RootField> {
    static FIELDS: LazyLock<HashMap<String, RootField>> = LazyLock::new(|| {
        let fixed = FIXED_FIELDS.into_iter().map(|(name, field)| (name.to_owned(), field));
        let records = listed_records()
            .flat_map(|record| [(record.singular(), RootField::Record(record)), (record.plural.to_owned(), RootField::List(record))]);
        let statistics = statistics::counted_records().map(|(record, spec)| (spec.name.to_owned(), RootField::Statistics(record)));
        records.chain(fixed).chain(statistics).collect()
    });
    FIELDS.get(name).copied()
}

/// Record type of the connection that a root field returns, if it returns one.
pub(super) fn listed_record(name: &str) -> Option<&'static Record> {
    match root_field(name) {
        Some(RootField::List(record)) => Some(record),
        _ => None,
    }
}

/// Executes a root field and writes its value.
pub(super) async fn write(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let name = selection.name();
    match root_field(name).ok_or_else(|| undeclared(NAME, name))? {
        RootField::TypeName => {
            out.value(NAME);
            Ok(())
        }
        RootField::Node => write_node(store, selection, out).await,
        RootField::Nodes => write_nodes(store, selection, out).await,
        RootField::Search => search::write(store, selection, out).await,
        RootField::Viewer => viewer::write(caller, selection, out),
        RootField::RateLimit => rate_limit::write(caller, selection, out),
        RootField::Dataset => dataset::write(store, selection, out).await,
        RootField::Changes => changes::write(store, selection, out).await,
        RootField::Care => care::write(store, caller, selection, out).await,
        RootField::RecordState => record_state::write_state(store, caller, selection, out).await,
        RootField::RevisionComparison => record_state::write_comparison(store, caller, selection, out).await,
        RootField::Duplicates => duplicates::write(store, selection, out).await,
        RootField::DuplicatePairs => duplicate_pairs::write(store, selection, out).await,
        RootField::Match => likeness::write(store, selection, out).await,
        RootField::SavedQuery => saved_query::one(store, selection, out).await,
        RootField::SavedQueries => saved_query::all(store, selection, out).await,
        RootField::Record(record) => {
            let lookup = parse_by(record, &selection.argument("by").unwrap_or_default())?;
            write_record(store, selection, record, &lookup, out).await
        }
        RootField::Statistics(record) => statistics::write(store, selection, record, out).await,
        RootField::List(record) => write_page(store, selection, record, out).await,
    }
}

/// Plan of a root field that returns a list of records or one record.
pub(super) enum RootPlan {
    List(Box<ListPlan>, ConnectionProjection),
    Record(&'static Record, Lookup),
}

/// Plans a root field that returns a list of records or one record; `None` for other fields.
pub(super) fn plan(selection: &Selection<'_>) -> Result<Option<RootPlan>> {
    let list = |(list, connection): (ListPlan, ConnectionProjection)| RootPlan::List(Box::new(list), connection);
    Ok(match root_field(selection.name()) {
        Some(RootField::List(record)) => Some(ConnectionProjection::new(selection, record).map(list)?),
        Some(RootField::Changes) => Some(changes::plan(selection).map(list)?),
        Some(RootField::Record(record)) => Some(RootPlan::Record(record, parse_by(record, &selection.argument("by").unwrap_or_default())?)),
        Some(RootField::Node) => {
            let (ty, id) = global_id::decode(&selection.argument("id").unwrap_or_default(), "id")?;
            Some(RootPlan::Record(catalog().get(ty), Lookup::Id(id)))
        }
        _ => None,
    })
}

/// Name of the input type of the keys of a record.
pub(super) fn by_name(record: &Record) -> String {
    format!("{}By", record.name())
}

fn by_input(record: &Record) -> InputObject {
    let input = InputObject::new(by_name(record))
        .oneof()
        .description(format!("Key of {}.", names::a(record)))
        .field(InputValue::new("id", TypeRef::named(TypeRef::ID)).description("Id."));
    match record.kind {
        RecordKind::Record => input
            .field(InputValue::new("slug", TypeRef::named(TypeRef::STRING)).description("Slug."))
            .field(InputValue::new("identifier", TypeRef::named(IDENTIFIER_BY)).description("Identifier in another register.")),
        _ => input,
    }
}

fn parse_by(record: &Record, value: &Value) -> Result<Lookup> {
    let Value::Object(keys) = value else { return Err(no_key()) };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    match keys.iter().find(|(_, value)| **value != Value::Null).map(|(name, value)| (name.as_str(), value)) {
        Some(("id", value)) => Ok(Lookup::Id(global_id::decode_as(record.ty, value, "by.id")?)),
        Some(("slug", value)) => Ok(Lookup::Slug(text(value))),
        Some(("identifier", Value::Object(identifier))) => {
            let member = |name| identifier.get(name).map(text).unwrap_or_default();
            Ok(Lookup::Identifier { scheme: member("scheme"), value: member("value") })
        }
        _ => Err(no_key()),
    }
}

fn no_key() -> Error {
    bad_input("by", "specify exactly one of id, slug, identifier")
}

/// Writes one record, or null if there is none.
async fn write_record(
    store: &Store,
    selection: &Selection<'_>,
    record: &'static Record,
    lookup: &Lookup,
    out: &mut JsonWriter<'_>,
) -> Result<()> {
    let mut plan = Plan::new(record.ty);
    let projection = Projection::new(std::slice::from_ref(selection), record, &mut plan)?;
    let rows = store.get(lookup, &plan).await?;
    out.option(rows.get(0), |row, out| projection.write(row, out));
    Ok(())
}

async fn write_page(store: &Store, selection: &Selection<'_>, record: &'static Record, out: &mut JsonWriter<'_>) -> Result<()> {
    let (list, connection) = ConnectionProjection::new(selection, record)?;
    let pages = store.page(&list).await?;
    out.option(pages.get(0), |page, out| connection.write(page, out));
    Ok(())
}

async fn write_node(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, id) = global_id::decode(&selection.argument("id").unwrap_or_default(), "id")?;
    write_record(store, selection, catalog().get(ty), &Lookup::Id(id), out).await
}

async fn write_nodes(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let ids = selection.list_argument("ids");
    if ids.len() > MAX_NODE_IDS {
        return Err(bad_input("ids", format_args!("{} ids are too many; give at most {MAX_NODE_IDS}", ids.len())));
    }
    let ids = ids.iter().enumerate().map(|(index, id)| global_id::decode(id, &format!("ids[{index}]")).map(Some));
    let ids = ids.collect::<Result<Vec<_>>>()?;
    let requested = catalog().all().filter(|record| ids.iter().flatten().any(|(ty, _)| *ty == record.ty));
    let (plans, projections) = ProjectionSet::new(std::slice::from_ref(selection), requested)?;
    let rows = store.nodes(&plans, &ids).await?;
    out.list(rows.iter(), |row, out| out.option(row, |row, out| projections.write(row, out)));
    Ok(())
}
