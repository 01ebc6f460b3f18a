//! References to the columns of a table in a statement.

use sea_orm::sea_query::{Alias, Expr};

use crate::catalog::field::Field;

/// A column of a table, which is given by its alias.
pub(crate) fn column(table: &str, column: &'static str) -> Expr {
    Expr::col((Alias::new(table), Alias::new(column)))
}

/// The column that a list sorted by this field is ordered by: never null, and indexed.
pub(crate) fn sort_key(table: &str, field: &Field) -> Expr {
    Expr::col((Alias::new(table), Alias::new(field.order_column())))
}
