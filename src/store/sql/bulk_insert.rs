//! Multi-row inserts, in the form that is fastest on each database.
//!
//! PostgreSQL gets one array per column, so that the text of the statement does not depend on the number of rows and is
//! prepared once. SQLite gets rows of single values, with a fixed number of rows in all statements but the last, so that
//! these texts are prepared once, too.

use sea_orm::sea_query::{Alias, Expr, InsertStatement, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};

use crate::core::error::{Result, internal};
use crate::store::error::database;
use crate::store::sql::dialect::{Dialect, unnest};
use crate::store::sql::pg_array::{PgArray, encode_element};
use crate::store::sql::statement::SQLITE_MAX_VARIABLES;

/// Size of the values of one statement on PostgreSQL. TLS records hold 16 KiB, and with sqlx the operating system holds
/// back the end of a longer message until its beginning is acknowledged, which the database delays by 40 ms.
const PG_STATEMENT_BYTES: usize = 15_500;
/// Size of a statement that has to exceed [`PG_STATEMENT_BYTES`] because of a long row: large enough to make the 40 ms
/// negligible.
const PG_LONG_STATEMENT_BYTES: usize = 1_000_000;
/// Number of values in one statement on SQLite. More values are not faster, and make a longer text to look up.
const SQLITE_STATEMENT_VALUES: usize = 512;

/// The table to insert into, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InsertTarget<'c> {
    pub(crate) table: &'static str,
    pub(crate) columns: &'c [&'static str],
    pub(crate) on_conflict: ConflictAction,
    pub(crate) batching: Batching,
}

/// What to do with a row whose key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConflictAction {
    /// Fail the statement.
    Fail,
    /// Replace the row with the same id.
    Replace,
    /// Skip the row.
    Ignore,
}

/// How rows are divided into statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batching {
    /// By the size that is fastest.
    Fastest,
    /// This many rows per statement on SQLite, for tables where each statement has a high fixed cost.
    Rows(usize),
    /// All rows in one statement, because they refer to each other.
    Single,
}

/// Inserts rows.
pub(crate) async fn insert(transaction: &DatabaseTransaction, target: InsertTarget<'_>, rows: Vec<Vec<Value>>) -> Result<()> {
    match Dialect::of(transaction.get_database_backend()) {
        Dialect::Postgres => insert_arrays(transaction, target, rows).await,
        Dialect::Sqlite => insert_values(transaction, target, rows).await,
    }
}

async fn insert_arrays(transaction: &DatabaseTransaction, target: InsertTarget<'_>, rows: Vec<Vec<Value>>) -> Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let empty = || first.iter().map(PgArray::of_type).collect::<Result<Vec<PgArray>>>();
    let mut arrays = empty()?;
    let mut bytes = 0;
    for row in &rows {
        let row: Vec<String> = row.iter().map(encode_element).collect();
        let row_bytes: usize = row.iter().map(|element| element.len() + 1).sum();
        let max_bytes = if bytes.max(row_bytes) > PG_STATEMENT_BYTES { PG_LONG_STATEMENT_BYTES } else { PG_STATEMENT_BYTES };
        if bytes > 0 && bytes + row_bytes > max_bytes && target.batching != Batching::Single {
            transaction.execute(&target.insert_arrays(std::mem::replace(&mut arrays, empty()?))?).await.map_err(database)?;
            bytes = 0;
        }
        for (array, element) in arrays.iter_mut().zip(&row) {
            array.push(element);
        }
        bytes += row_bytes;
    }
    transaction.execute(&target.insert_arrays(arrays)?).await.map(drop).map_err(database)
}

async fn insert_values(transaction: &DatabaseTransaction, target: InsertTarget<'_>, rows: Vec<Vec<Value>>) -> Result<()> {
    let max_rows = match target.batching {
        Batching::Fastest => SQLITE_STATEMENT_VALUES / target.columns.len(),
        Batching::Rows(rows) => rows.min(SQLITE_MAX_VARIABLES / target.columns.len()),
        Batching::Single => SQLITE_MAX_VARIABLES / target.columns.len(),
    };
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        transaction.execute(&target.insert_values(rows.by_ref().take(max_rows.max(1)))?).await.map_err(database)?;
    }
    Ok(())
}

impl InsertTarget<'_> {
    /// Inserts rows that are bound as one array per column.
    fn insert_arrays(&self, arrays: Vec<PgArray>) -> Result<InsertStatement> {
        let mut rows = Query::select();
        // set-returning functions in a select list advance in parallel
        rows.exprs(arrays.into_iter().map(|array| unnest(array.into_expr())));
        let mut insert = self.insert();
        insert.select_from(rows).map_err(internal)?;
        Ok(insert)
    }

    /// Inserts rows that are bound value by value.
    fn insert_values(&self, rows: impl Iterator<Item = Vec<Value>>) -> Result<InsertStatement> {
        let mut insert = self.insert();
        for row in rows {
            insert.values(row.into_iter().map(Expr::val)).map_err(internal)?;
        }
        Ok(insert)
    }

    fn insert(&self) -> InsertStatement {
        let columns = || self.columns.iter().copied().map(Alias::new);
        let mut insert = Query::insert();
        insert.into_table(Alias::new(self.table)).columns(columns());
        match self.on_conflict {
            ConflictAction::Fail => {}
            ConflictAction::Replace => {
                insert.on_conflict(OnConflict::column("id").update_columns(columns().skip(1)).to_owned());
            }
            ConflictAction::Ignore => {
                insert.on_conflict(OnConflict::new().do_nothing().to_owned());
            }
        }
        insert
    }
}
