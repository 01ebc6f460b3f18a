//! What an operation can return: records, by the sizes of the pages that it asks for, multiplied through the levels and
//! summed over all fields, whatever they are called.

use async_graphql::Value;
use async_graphql::registry::{MetaType, MetaTypeName, Registry};

use crate::core::pagination::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::graphql::projection::facet::NAME as FACETS;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::object::NODE;
use crate::store::aggregate::query::DEFAULT_GROUPS;

const EDGES: &str = "edges";
const TOTAL: &str = "totalCount";
/// What a short list, which has no pages, is taken for.
const SHORT: u64 = 10;
/// What counting costs: it looks at more rows than it gives.
const COUNTING: u64 = 20;

/// Records that these fields of a type can give, at most; a list without pages counts as ten, and each thing that is
/// counted (a total, a facet, statistics) as twenty.
pub(in crate::graphql) fn cost(registry: &Registry, parent: &str, selections: &[Selection<'_>]) -> u64 {
    of_fields(registry, parent, selections, SHORT)
}

/// The same, where lists right below have this length.
fn of_fields(registry: &Registry, parent: &str, selections: &[Selection<'_>], length: u64) -> u64 {
    let costs = selections.iter().map(|selection| of_field(registry, parent, selection, length));
    costs.fold(0, u64::saturating_add)
}

fn of_field(registry: &Registry, parent: &str, selection: &Selection<'_>, length: u64) -> u64 {
    let parent = selection.on.unwrap_or(parent);
    let Some(field) = registry.types.get(parent).and_then(|ty| ty.field_by_name(selection.name())) else { return 0 };
    let name = MetaTypeName::concrete_typename(&field.ty);
    if !registry.types.get(name).is_some_and(MetaType::is_composite) {
        return if selection.name() == TOTAL { COUNTING } else { 0 };
    }
    if name.ends_with("Connection") {
        return of_connection(registry, name, selection);
    }
    let below = selection.all_below();
    if name.ends_with("Statistics") {
        let rows = size(selection).unwrap_or(u64::from(DEFAULT_GROUPS));
        return of_fields(registry, name, &below, rows).saturating_add(COUNTING);
    }
    if selection.name() == FACETS {
        let one = of_fields(registry, name, &below, size(selection).unwrap_or(SHORT)).saturating_add(COUNTING);
        return one.saturating_mul(selection.items("by").len() as u64);
    }
    let one = cost(registry, name, &below).saturating_add(u64::from(is_record(registry, name)));
    let times = match selection.argument("ids") {
        _ if !field.ty.contains('[') => 1,
        Some(Value::List(ids)) => ids.len() as u64,
        _ => size(selection).unwrap_or(length),
    };
    times.saturating_mul(one)
}

/// The rows of a page, and what stands beside them.
fn of_connection(registry: &Registry, name: &str, selection: &Selection<'_>) -> u64 {
    // nodes and edges are two ways to the same rows
    let (ways, others): (Vec<_>, Vec<_>) = selection.all_below().into_iter().partition(|below| matches!(below.name(), "nodes" | EDGES));
    let below = ways.iter().flat_map(|way| {
        let rows = match way.name() {
            EDGES => way.all_below().into_iter().filter(|below| below.name() == "node").collect(),
            _ => vec![way.clone()],
        };
        rows.into_iter().map(|row| cost(registry, &row_type(registry, name, way.name()), &row.all_below()))
    });
    let one = below.fold(1, u64::saturating_add);
    let rows = match ways.is_empty() {
        true => 0,
        // a page that is too large is refused where it is read
        false => size(selection).unwrap_or(u64::from(DEFAULT_PAGE_SIZE)).min(u64::from(MAX_PAGE_SIZE)),
    };
    rows.saturating_mul(one).saturating_add(cost(registry, name, &others))
}

/// Type of the rows of a connection.
fn row_type(registry: &Registry, connection: &str, by: &str) -> String {
    let of = |ty: &str, field: &str| {
        let field = registry.types.get(ty).and_then(|ty| ty.field_by_name(field));
        field.map(|field| MetaTypeName::concrete_typename(&field.ty).to_owned()).unwrap_or_default()
    };
    let row = of(connection, by);
    if by == EDGES { of(&row, "node") } else { row }
}

fn is_record(registry: &Registry, name: &str) -> bool {
    match registry.types.get(name) {
        Some(MetaType::Object { .. }) => registry.implements.get(name).is_some_and(|interfaces| interfaces.contains(NODE)),
        Some(MetaType::Interface { .. } | MetaType::Union { .. }) => true,
        _ => false,
    }
}

/// Rows that a field is asked for.
fn size(selection: &Selection<'_>) -> Option<u64> {
    selection.number("first").or_else(|| selection.number("last")).map(|size| size.max(0).unsigned_abs())
}
