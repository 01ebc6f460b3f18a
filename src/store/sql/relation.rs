//! Joins from the records of a relation to their parents.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, JoinType, SelectStatement};

use crate::catalog::relation::{Relation, RelationJoin};
use crate::store::sql::column::column;

/// The column with the ids of the parents of the records in `table`. Joins the link table of the relation, if it has one,
/// under a new alias.
pub(crate) fn join_parent_id(select: &mut SelectStatement, relation: &Relation, table: &str, new_alias: impl FnOnce() -> String) -> Expr {
    match relation.via {
        RelationJoin::ForeignKey(name) => column(table, name),
        RelationJoin::LinkTable { table: link, parent, child } => {
            let link_alias = new_alias();
            let on = column(&link_alias, child).equals((Alias::new(table), Alias::new("id")));
            select.join_as(JoinType::InnerJoin, Alias::new(link), Alias::new(&link_alias), on);
            column(&link_alias, parent)
        }
    }
}
