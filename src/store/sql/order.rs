//! The order of a list: ORDER BY, and the keyset predicate that starts a page at a cursor.

use sea_orm::Value;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, Order, SelectStatement};

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::core::error::{Result, invalid_cursor};
use crate::core::pagination::{Cursor, Direction};
use crate::store::read::plan::ListPlan;
use crate::store::sql::column::{column, sort_key};

/// Kind of the sort key of a field.
pub(crate) fn sort_key_kind(field: &Field) -> FieldKind {
    if field.is_label { FieldKind::Text } else { field.kind }
}

/// The field whose sort key the cursors of a list hold, if the plan asks for cursors.
pub(crate) fn cursor_field(list: &ListPlan) -> Option<&'static Field> {
    list.cursors.then(|| catalog().get(list.plan.ty).field(list.order.0))
}

/// Orders the rows of a table by the order of a list, with the id as tie-breaker; backward pages are read in reverse.
pub(crate) fn order_by(select: &mut SelectStatement, table: &str, list: &ListPlan) {
    let order = match (list.order.1, list.page.backward) {
        (Direction::Asc, false) | (Direction::Desc, true) => Order::Asc,
        (Direction::Asc, true) | (Direction::Desc, false) => Order::Desc,
    };
    let field = catalog().get(list.plan.ty).field(list.order.0);
    select.order_by_expr(sort_key(table, field), order.clone());
    select.order_by_expr(column(table, "id"), order);
}

/// The rows beyond a cursor: one comparison of the pair (sort key, id), for which an index can be entered from both ends.
pub(super) fn keyset_predicate(table: &str, field: &Field, cursor: &Cursor, direction: Direction, argument: &str) -> Result<Cond> {
    let corrupt = || invalid_cursor(argument, "the cursor is corrupt; start again at the first page");
    let [key] = cursor.key.as_slice() else { return Err(corrupt()) };
    let key = bind_sort_key(field, key).ok_or_else(corrupt)?;
    let row = Expr::tuple([sort_key(table, field), column(table, "id")]);
    let bound = Expr::tuple([Expr::val(key), Expr::val(cursor.id)]);
    Ok(Cond::all().add(match direction {
        Direction::Asc => row.gt(bound),
        Direction::Desc => row.lt(bound),
    }))
}

fn bind_sort_key(field: &Field, key: &serde_json::Value) -> Option<Value> {
    Some(match sort_key_kind(field) {
        FieldKind::Integer => key.as_i64()?.into(),
        FieldKind::Number => key.as_f64()?.into(),
        FieldKind::Instant => chrono::DateTime::parse_from_rfc3339(key.as_str()?).ok()?.to_utc().into(),
        _ => key.as_str()?.into(),
    })
}
