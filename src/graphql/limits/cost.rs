//! Cost of an operation: the maximum number of records in its response, computed from the requested page sizes,
//! multiplied through the levels and summed over all fields, aliased or not.

use async_graphql::Value;
use async_graphql::registry::{MetaType, MetaTypeName, Registry};

use crate::core::pagination::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::graphql::error::GraphqlError;
use crate::graphql::limits::bounds::{Limits, ensure_at_most};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::NODE;
use crate::graphql::schema::connection::{EDGES, FACETS, NODES, TOTAL_COUNT};
use crate::store::aggregate::query::DEFAULT_GROUPS;

/// Assumed length of a list that is not paginated.
const UNPAGED_LIST_LENGTH: u64 = 10;
/// Cost of a count, a facet or statistics: counting reads more rows than it returns.
const COUNT_COST: u64 = 20;

/// Rejects an operation whose response may contain too many records.
pub(crate) fn check(limits: &Limits, nodes: u64) -> Result<(), GraphqlError> {
    ensure_at_most(
        "nodes",
        limits.nodes,
        nodes,
        &format!("the response could contain {nodes} records, by the requested page sizes multiplied through the levels"),
        "request smaller pages (first), or deeper levels in a separate request; /table.csv returns lists of any length",
    )
}

/// Rejects a response that is larger than allowed. It is not written to its end, so its full size is not known.
pub(crate) fn check_response(limits: &Limits, bytes: usize, is_exhausted: bool) -> Result<(), GraphqlError> {
    let bytes = if is_exhausted { bytes.max(limits.response_bytes.saturating_add(1)) } else { bytes };
    ensure_at_most(
        "response_bytes",
        limits.response_bytes as u64,
        bytes as u64,
        &format!("the response has at least {bytes} bytes"),
        "request fewer fields or smaller pages (first); /table.csv returns lists of any length",
    )
}

/// Estimates the maximum number of records that these fields of a type return.
pub(crate) fn estimate(registry: &Registry, parent: &str, selections: &[Selection<'_>]) -> u64 {
    fields_cost(registry, parent, selections, UNPAGED_LIST_LENGTH)
}

/// Cost of fields whose direct lists have the given length if they are not paginated.
fn fields_cost(registry: &Registry, parent: &str, selections: &[Selection<'_>], list_length: u64) -> u64 {
    let costs = selections.iter().map(|selection| field_cost(registry, parent, selection, list_length));
    costs.fold(0, u64::saturating_add)
}

fn field_cost(registry: &Registry, parent: &str, selection: &Selection<'_>, list_length: u64) -> u64 {
    let parent = selection.type_condition.unwrap_or(parent);
    let Some(field) = registry.types.get(parent).and_then(|ty| ty.field_by_name(selection.name())) else { return 0 };
    let name = MetaTypeName::concrete_typename(&field.ty);
    if !registry.types.get(name).is_some_and(MetaType::is_composite) {
        return if selection.name() == TOTAL_COUNT { COUNT_COST } else { 0 };
    }
    if name.ends_with("Connection") {
        return connection_cost(registry, name, selection);
    }
    let below = selection.subfields_of_each_type();
    if name.ends_with("Statistics") {
        let rows = page_size(selection).unwrap_or(u64::from(DEFAULT_GROUPS));
        return fields_cost(registry, name, &below, rows).saturating_add(COUNT_COST);
    }
    if selection.name() == FACETS {
        let facet = fields_cost(registry, name, &below, page_size(selection).unwrap_or(UNPAGED_LIST_LENGTH)).saturating_add(COUNT_COST);
        return facet.saturating_mul(selection.list_argument("by").len() as u64);
    }
    let item = estimate(registry, name, &below).saturating_add(u64::from(is_record(registry, name)));
    let length = match selection.argument("ids") {
        _ if !field.ty.contains('[') => 1,
        Some(Value::List(ids)) => ids.len() as u64,
        _ => page_size(selection).unwrap_or(list_length),
    };
    length.saturating_mul(item)
}

/// Cost of a page and of the fields beside its rows.
fn connection_cost(registry: &Registry, name: &str, selection: &Selection<'_>) -> u64 {
    // nodes and edges return the same rows
    let (row_fields, others): (Vec<_>, Vec<_>) =
        selection.subfields_of_each_type().into_iter().partition(|below| matches!(below.name(), NODES | EDGES));
    let below = row_fields.iter().flat_map(|field| {
        let rows = match field.name() {
            EDGES => field.subfields_of_each_type().into_iter().filter(|below| below.name() == "node").collect(),
            _ => vec![field.clone()],
        };
        rows.into_iter().map(|row| estimate(registry, &row_type(registry, name, field.name()), &row.subfields_of_each_type()))
    });
    let row = below.fold(1, u64::saturating_add);
    let rows = if row_fields.is_empty() {
        0
    } else {
        // a page size above the maximum is rejected where the page is read
        page_size(selection).unwrap_or(u64::from(DEFAULT_PAGE_SIZE)).min(u64::from(MAX_PAGE_SIZE))
    };
    rows.saturating_mul(row).saturating_add(estimate(registry, name, &others))
}

/// Type of the rows of a connection, through its field `nodes` or `edges`.
fn row_type(registry: &Registry, connection: &str, field: &str) -> String {
    let field_type = |ty: &str, field: &str| {
        let field = registry.types.get(ty).and_then(|ty| ty.field_by_name(field));
        field.map(|field| MetaTypeName::concrete_typename(&field.ty).to_owned()).unwrap_or_default()
    };
    let row = field_type(connection, field);
    if field == EDGES { field_type(&row, "node") } else { row }
}

fn is_record(registry: &Registry, name: &str) -> bool {
    match registry.types.get(name) {
        Some(MetaType::Object { .. }) => registry.implements.get(name).is_some_and(|interfaces| interfaces.contains(NODE)),
        Some(MetaType::Interface { .. } | MetaType::Union { .. }) => true,
        _ => false,
    }
}

/// Requested page size.
fn page_size(selection: &Selection<'_>) -> Option<u64> {
    selection.int_argument("first").or_else(|| selection.int_argument("last")).map(|size| size.max(0).unsigned_abs())
}
