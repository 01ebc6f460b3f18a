//! Cost of read plans that do not follow from the page sizes of a query: the rows of tables, whose lists are widened, and
//! record pages.

use crate::catalog::catalog;
use crate::core::pagination::MAX_PAGE_SIZE;
use crate::graphql::error::GraphqlError;
use crate::graphql::limits::bounds::{Limits, ensure_at_most};
use crate::graphql::limits::cost::UNPAGED_LIST_LENGTH;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};

/// Records of a row of a plan, itself included, if every list below it is full.
pub(crate) fn row_nodes(plan: &Plan) -> u64 {
    let below = plan.children.iter().map(|child| match child {
        ChildPlan::One(_, plan) => row_nodes(plan),
        ChildPlan::Any(_, plans) | ChildPlan::MergedInto(_, plans) => plans.iter().map(row_nodes).max().unwrap_or(0),
        // a list without pages is short
        ChildPlan::Many(relation, _) if catalog().get(plan.ty).relation(*relation).short => UNPAGED_LIST_LENGTH,
        ChildPlan::Many(_, list) => list_nodes(list),
    });
    below.fold(1, u64::saturating_add)
}

fn list_nodes(list: &ListPlan) -> u64 {
    if list.rows { u64::from(list.page.size).saturating_mul(row_nodes(&list.plan)) } else { 0 }
}

/// Widens the lists below a row that have the default size to `widest` rows, or as many as keep the row within `max_nodes`
/// records, but no less than the largest page. Returns the number.
pub(crate) fn widen_lists(plan: &mut Plan, widest: u32, max_nodes: u64) -> u32 {
    let mut size = widest;
    loop {
        plan.set_default_page_size(size);
        if row_nodes(plan) <= max_nodes || size <= MAX_PAGE_SIZE {
            return size;
        }
        size = (size / 2).max(MAX_PAGE_SIZE);
    }
}

/// Rejects a table whose rows could contain too many records.
pub(crate) fn check_row(limits: &Limits, plan: &Plan) -> Result<(), GraphqlError> {
    let nodes = row_nodes(plan);
    ensure_at_most(
        "nodes",
        limits.nodes,
        nodes,
        &format!("a row of the table could contain {nodes} records, by the sizes of its lists multiplied through the levels"),
        "say how many rows each list has with first, or use an inner list as the rows of the table",
    )
}
