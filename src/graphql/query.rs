//! The root of all queries: one record, lists of records, search, and who asks.

pub(super) mod change;
mod dataset;
pub(super) mod rate;
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
use crate::core::error::{Result, bad_input};
use crate::core::filter;
use crate::entity::RecordType;
use crate::graphql::projection::connection::{ConnectionProjection, connection_name, with_arguments};
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::projection::{Projection as Shown, ProjectionSet};
use crate::graphql::schema::filter::{described, id};
use crate::graphql::schema::object::{NODE, field};
use crate::store::Store;
use crate::store::read::plan::{ListPlan, Lookup, Plan};

/// Name of the root type.
pub(super) const NAME: &str = "Query";
const IDENTIFIER_BY: &str = "IdentifierBy";
/// Ids that `nodes` takes at most.
const MAX_IDS: usize = 100;

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let mut query = Object::new(NAME)
        .description("Everything that can be asked.")
        .field(
            field(
                "node",
                TypeRef::named(NODE),
                "Any record or part, by its id. The old id of a merged record leads to the record it became.",
            )
            .argument(InputValue::new("id", TypeRef::named_nn(TypeRef::ID)).description("Id, such as person_01h455vb4pex5vsknk084sn02q.")),
        )
        .field(
            field(
                "nodes",
                TypeRef::named_list(NODE),
                "Any records and parts, by their ids, in the order of the ids; nothing in the place of an id that leads nowhere.",
            )
            .argument(InputValue::new("ids", TypeRef::named_nn_list_nn(TypeRef::ID)).description("Ids, at most 100.")),
        )
        .field(search::field())
        .field(viewer::field())
        .field(dataset::field())
        .field(rate::field());
    query = change::fields().into_iter().chain(saved_query::fields()).chain(statistics::fields()).fold(query, Object::field);
    for record in listed() {
        let this = described(record);
        let one = field(record.singular(), TypeRef::named(record.name()), format!("One {this}; nothing where there is none."))
            .argument(InputValue::new("by", TypeRef::named_nn(by_name(record))).description("How it is named."));
        let all = field(record.plural, TypeRef::named(connection_name(record)), format!("All {this} records, page by page."));
        query = query.field(one).field(with_arguments(all, record));
        builder = builder.register(by_input(record));
    }
    builder = builder.register(
        InputObject::new(IDENTIFIER_BY)
            .description("An identifier that another register gave a record.")
            .field(InputValue::new("scheme", TypeRef::named_nn(TypeRef::STRING)).description("The register."))
            .field(InputValue::new("value", TypeRef::named_nn(TypeRef::STRING)).description("The identifier.")),
    );
    let builder = dataset::register(rate::register(viewer::register(search::register(builder))));
    statistics::register(change::register(builder)).register(query)
}

/// Records that have fields of their own at the root.
fn listed() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| !record.plural.is_empty())
}

/// What a field of the root gives.
#[derive(Debug, Clone, Copy)]
enum Root {
    Node,
    Nodes,
    Search,
    Viewer,
    RateLimit,
    Dataset,
    Changes,
    State,
    Comparison,
    Duplicates,
    SavedQuery,
    SavedQueries,
    One(&'static Record),
    Page(&'static Record),
    Statistics(&'static Record),
}

fn root(name: &str) -> Option<Root> {
    static ROOTS: LazyLock<HashMap<String, Root>> = LazyLock::new(|| {
        let records = listed().flat_map(|record| [(record.singular(), Root::One(record)), (record.plural.to_owned(), Root::Page(record))]);
        let others = [
            ("node", Root::Node),
            ("nodes", Root::Nodes),
            (search::NAME, Root::Search),
            (viewer::NAME, Root::Viewer),
            (rate::NAME, Root::RateLimit),
            (dataset::NAME, Root::Dataset),
        ];
        let of_changes = [
            (change::CHANGES, Root::Changes),
            (change::STATE, Root::State),
            (change::COMPARISON, Root::Comparison),
            (change::DUPLICATES, Root::Duplicates),
            (saved_query::ONE, Root::SavedQuery),
            (saved_query::ALL, Root::SavedQueries),
        ];
        let of_statistics = statistics::counted().map(|(record, declared)| (declared.name, Root::Statistics(record)));
        let others = others.into_iter().chain(of_changes).chain(of_statistics);
        records.chain(others.map(|(name, root)| (name.to_owned(), root))).collect()
    });
    ROOTS.get(name).copied()
}

/// The type of the records in the list that a field of the root gives, if it gives one.
pub(super) fn list(name: &str) -> Option<&'static Record> {
    match root(name) {
        Some(Root::Page(record)) => Some(record),
        _ => None,
    }
}

/// Reads a field of the root with all that is selected below it, and writes it.
pub(super) async fn write(store: &Store, caller: &Caller, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    match root(selection.name()) {
        Some(Root::Node) => node(store, selection, out).await,
        Some(Root::Nodes) => nodes(store, selection, out).await,
        Some(Root::Search) => search::write(store, selection, out).await,
        Some(Root::Viewer) => {
            viewer::write(caller, selection, out);
            Ok(())
        }
        Some(Root::RateLimit) => {
            rate::write(caller, selection, out);
            Ok(())
        }
        Some(Root::Dataset) => dataset::write(store, selection, out).await,
        Some(Root::Changes) => change::changes(store, selection, out).await,
        Some(Root::State) => change::state(store, caller, selection, out).await,
        Some(Root::Comparison) => change::comparison(store, caller, selection, out).await,
        Some(Root::Duplicates) => change::duplicates(store, selection, out).await,
        Some(Root::SavedQuery) => saved_query::one(store, selection, out).await,
        Some(Root::SavedQueries) => saved_query::all(store, selection, out).await,
        Some(Root::One(record)) => one(store, selection, record, out).await,
        Some(Root::Statistics(record)) => statistics::write(store, selection, record, out).await,
        Some(Root::Page(record)) => page(store, selection, record, out).await,
        None => {
            out.value(NAME);
            Ok(())
        }
    }
}

/// What a field of the root names, where that is a list of records or one record.
pub(super) enum Named {
    /// A list of records.
    List(Box<ListPlan>, ConnectionProjection),
    /// One record.
    Record(&'static Record, Lookup),
}

/// What a field of the root names, where that is a list of records or one record.
pub(super) fn named(selection: &Selection<'_>) -> Result<Option<Named>> {
    Ok(match root(selection.name()) {
        Some(Root::Page(record)) => {
            Some(ConnectionProjection::new(selection, record).map(|(list, connection)| Named::List(Box::new(list), connection))?)
        }
        Some(Root::Changes) => Some(change::list(selection).map(|(list, connection)| Named::List(Box::new(list), connection))?),
        Some(Root::One(record)) => Some(Named::Record(record, read_by(record, &selection.argument("by").unwrap_or_default())?)),
        Some(Root::Node) => {
            let (ty, id) = read_id(&selection.argument("id").unwrap_or_default(), "id")?;
            Some(Named::Record(catalog().get(ty), Lookup::Id(id)))
        }
        _ => None,
    })
}

fn by_name(record: &Record) -> String {
    format!("{}By", record.name())
}

fn by_input(record: &Record) -> InputObject {
    let input = InputObject::new(by_name(record))
        .oneof()
        .description(format!("One way to name a {}.", described(record)))
        .field(InputValue::new("id", TypeRef::named(TypeRef::ID)).description("By its id."));
    match record.shape {
        RecordKind::Record => input.field(InputValue::new("slug", TypeRef::named(TypeRef::STRING)).description("By its slug.")).field(
            InputValue::new("identifier", TypeRef::named(IDENTIFIER_BY)).description("By an identifier that another register gave it."),
        ),
        _ => input,
    }
}

fn read_by(record: &Record, value: &Value) -> Result<Lookup> {
    let Value::Object(given) = value else { return Err(bad_input("by", "name the record by one of its ways")) };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    match given.iter().find(|(_, value)| **value != Value::Null) {
        Some((name, value)) if name == "id" => match id(record.ty, value, "by.id")? {
            filter::FilterValue::Id(id) => Ok(Lookup::Id(id)),
            _ => Err(bad_input("by.id", "this is not an id")),
        },
        Some((name, value)) if name == "slug" => Ok(Lookup::Slug(text(value))),
        Some((_, Value::Object(identifier))) => {
            let part = |name| identifier.get(name).map(text).unwrap_or_default();
            Ok(Lookup::Identifier { scheme: part("scheme"), value: part("value") })
        }
        _ => Err(bad_input("by", "name the record by one of its ways")),
    }
}

async fn one(store: &Store, selection: &Selection<'_>, record: &'static Record, out: &mut JsonWriter<'_>) -> Result<()> {
    let by = read_by(record, &selection.argument("by").unwrap_or_default())?;
    get(store, selection, record, &by, out).await
}

async fn get(store: &Store, selection: &Selection<'_>, record: &'static Record, by: &Lookup, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut plan = Plan::new(record.ty);
    let shape = Shown::new(std::slice::from_ref(selection), record, &mut plan)?;
    let found = store.get(by, &plan).await?;
    out.option(found.get(0), |node, out| shape.write(node, out));
    Ok(())
}

async fn page(store: &Store, selection: &Selection<'_>, record: &'static Record, out: &mut JsonWriter<'_>) -> Result<()> {
    let (list, connection) = ConnectionProjection::new(selection, record)?;
    let pages = store.page(&list).await?;
    out.option(pages.get(0), |slice, out| connection.write(slice, out));
    Ok(())
}

/// Type and UUID that an id names.
pub(super) fn read_id(value: &Value, path: &str) -> Result<(RecordType, uuid::Uuid)> {
    let text = match value {
        Value::String(text) => text.as_str(),
        _ => "",
    };
    let (prefix, uuid) = crate::core::id::decode(text).map_err(|error| bad_input(path, error))?;
    let ty = RecordType::from_prefix(prefix).ok_or_else(|| bad_input(path, format_args!("no record has ids that begin with {prefix}_")))?;
    Ok((ty, uuid))
}

async fn node(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let (ty, uuid) = read_id(&selection.argument("id").unwrap_or_default(), "id")?;
    get(store, selection, catalog().get(ty), &Lookup::Id(uuid), out).await
}

async fn nodes(store: &Store, selection: &Selection<'_>, out: &mut JsonWriter<'_>) -> Result<()> {
    let ids = selection.items("ids");
    if ids.len() > MAX_IDS {
        return Err(bad_input("ids", format_args!("{} ids are too many; give at most {MAX_IDS}", ids.len())));
    }
    let ids = ids.iter().enumerate().map(|(index, id)| read_id(id, &format!("ids[{index}]")).map(Some)).collect::<Result<Vec<_>>>()?;
    let wanted = catalog().all().filter(|record| ids.iter().flatten().any(|(ty, _)| *ty == record.ty));
    let (plans, shapes) = ProjectionSet::new(std::slice::from_ref(selection), wanted)?;
    let found = store.nodes(&plans, &ids).await?;
    out.list(found.iter(), |node, out| out.option(node, |node, out| shapes.write(node, out)));
    Ok(())
}
