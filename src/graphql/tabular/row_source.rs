//! Sources of the rows of a table: a list of records in the store, or a list in the response to the query.

use serde_json::Value as Json;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::catalog::relation::Relation;
use crate::core::error::Result;
use crate::core::ids::{ChildId, FieldId};
use crate::entity::RecordType;
use crate::graphql::error::GraphqlError;
use crate::graphql::limits::{Limits, check_row, row_nodes, widen_lists};
use crate::graphql::projection::connection::{ConnectionField, ConnectionProjection, EdgeProjection};
use crate::graphql::projection::selection::Selection;
use crate::graphql::projection::{Projection, project_connection};
use crate::graphql::query;
use crate::graphql::query::RootPlan;
use crate::graphql::tabular::citations::CitationColumn;
use crate::graphql::tabular::options::TableOptions;
use crate::graphql::tabular::value::MAX_NESTED_ROWS;
use crate::store::Store;
use crate::store::read::plan::Lookup;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::RowRef;
use crate::store::read::scan::Scan;

/// Source of the rows of a table.
pub(super) enum RowSource {
    /// A list of records in the store.
    Scan(Box<Scan>),
    /// The list of a record that does not exist.
    Empty,
    /// A list in the response to the query.
    Response(Vec<Json>),
}

/// Projection of a row.
pub(super) enum RowProjection {
    /// A record.
    Record(Projection),
    /// An edge of a connection.
    Edge(EdgeProjection),
    /// An item of a list in the response.
    Json,
}

/// A list of records as rows, with their citations if these are requested.
pub(super) struct RecordRows {
    pub(super) source: RowSource,
    pub(super) row: RowProjection,
    pub(super) citations: Option<CitationColumn>,
}

/// Opens the list of records at a path below a root field. `None` if the items of that list are not records.
pub(super) async fn open_record_rows(
    store: &Store,
    root: &Selection<'_>,
    keys: &[String],
    options: &TableOptions,
    limits: &Limits,
) -> Result<Option<RecordRows>, GraphqlError> {
    let planned = match query::plan(root)? {
        Some(RootPlan::List(list, connection)) => connection_rows(*list, connection, keys).map(|(list, row)| (list, row, None)),
        Some(RootPlan::Record(record, lookup)) => {
            nested_list(root, record, keys)?.map(|NestedList { parent, list, row }| (list, row, Some((lookup, parent))))
        }
        None => None,
    };
    let Some((mut list, row, parent)) = planned else { return Ok(None) };
    let citations = options.sources.then(|| CitationColumn::new(&mut list.plan)).transpose()?;
    widen_lists(&mut list.plan, MAX_NESTED_ROWS, limits.nodes);
    check_row(limits, &list.plan)?;
    let first_chunk_rows = u32::try_from(limits.nodes / row_nodes(&list.plan)).unwrap_or(u32::MAX);
    let store = store.snapshot().await?;
    let parent = match parent {
        None => None,
        Some((lookup, path)) => match path.resolve(&store, &lookup).await? {
            Some(parent) => Some((path.relation, parent)),
            None => return Ok(Some(RecordRows { source: RowSource::Empty, row, citations })),
        },
    };
    let scan = store.scan(list, parent, options.limit.unwrap_or(u64::MAX)).await?.with_first_chunk(first_chunk_rows);
    Ok(Some(RecordRows { source: RowSource::Scan(Box::new(scan)), row, citations }))
}

/// The rows of a connection, if the keys are the response key of its nodes or edges.
fn connection_rows(list: ListPlan, connection: ConnectionProjection, keys: &[String]) -> Option<(ListPlan, RowProjection)> {
    let [key] = keys else { return None };
    match connection.object.fields.into_iter().find(|(name, _)| name.name() == key)?.1? {
        ConnectionField::Nodes(projection) => Some((list, RowProjection::Record(projection))),
        ConnectionField::Edges(projection) => Some((list, RowProjection::Edge(projection))),
        ConnectionField::Value(_) => None,
    }
}

/// A list of a record that is reached from another record.
struct NestedList {
    parent: ParentPath,
    list: ListPlan,
    row: RowProjection,
}

/// Path from the record that a root field returns to the record whose list is read.
struct ParentPath {
    /// Plan of the references on the path.
    plan: Plan,
    /// The references on the path, the outermost first.
    references: Vec<ChildId>,
    /// Relation of the last record on the path.
    relation: &'static Relation,
}

impl ParentPath {
    /// Resolves the id of the record whose list is read. `None` if a record on the path does not exist.
    async fn resolve(&self, store: &Store, lookup: &Lookup) -> Result<Option<uuid::Uuid>> {
        let rows = store.get(lookup, &self.plan).await?;
        Ok(self.references.iter().fold(rows.get(0), |row, child| row?.one(*child)).map(RowRef::uuid))
    }
}

/// Plans the list at a path below a record: references to single records, then a relation.
fn nested_list(selection: &Selection<'_>, record: &'static Record, keys: &[String]) -> Result<Option<NestedList>> {
    let mut references = Vec::new();
    let (mut selection, mut record) = (selection.clone(), record);
    let mut keys = keys.iter();
    while let Some(key) = keys.next() {
        let next = selection.all_subfields().into_iter().find(|selected| selected.response_key() == key);
        let Some(next) = next else { return Ok(None) };
        if let Some(id) = record.relation_id(next.name()) {
            let relation = record.relation(id);
            let Some((list, row)) = relation_rows(&next, record, relation, keys.as_slice())? else { return Ok(None) };
            let (plan, references) = reference_plan(references, record);
            let parent = ParentPath { plan, references, relation };
            return Ok(Some(NestedList { parent, list, row }));
        }
        match record.field_id(next.name()).map(|id| (id, record.field(id).kind)) {
            Some((id, FieldKind::One(target))) => {
                references.push((record.ty, id));
                (selection, record) = (next, catalog().get(target));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Plan of a chain of references that ends at a record, with the children of the chain, the outermost first.
fn reference_plan(references: Vec<(RecordType, FieldId)>, record: &Record) -> (Plan, Vec<ChildId>) {
    let mut plan = Plan::new(record.ty);
    let mut children = Vec::with_capacity(references.len());
    for (ty, field) in references.into_iter().rev() {
        let inner = std::mem::replace(&mut plan, Plan::new(ty));
        children.push(plan.add_child(ChildPlan::One(field, Box::new(inner))));
    }
    children.reverse();
    (plan, children)
}

/// The rows of a relation. Keys are the rest of the path: empty for a list without pages, else one of its connection.
fn relation_rows(
    selection: &Selection<'_>,
    record: &Record,
    relation: &Relation,
    keys: &[String],
) -> Result<Option<(ListPlan, RowProjection)>> {
    if relation.short {
        let mut row = Plan::new(relation.target);
        let projection = Projection::new(std::slice::from_ref(selection), catalog().get(relation.target), &mut row)?;
        return Ok(Some((ListPlan::new(row), RowProjection::Record(projection))));
    }
    let (list, connection) = project_connection(selection, record, relation)?;
    Ok(connection_rows(list, connection, keys))
}

/// Items at a path of the response: those of a list, or the single object. Empty if the path does not exist.
pub(super) fn response_items(mut data: Json, root: &str, keys: &[String]) -> Vec<Json> {
    let mut target = data.get_mut(root);
    for key in keys {
        target = target.and_then(|value| value.get_mut(key));
    }
    match target.map(Json::take) {
        Some(Json::Array(items)) => items,
        Some(Json::Null) | None => Vec::new(),
        Some(other) => vec![other],
    }
}
