//! Insert statements for many rows, made in the way that each database takes them fastest.
//!
//! PostgreSQL gets one array for each column, so that the text of the statement is the same for any number of rows
//! and is prepared once. SQLite gets rows of single values, always as many in one statement but for the last, so that
//! it knows these texts too.

use sea_orm::sea_query::{Alias, Expr, InsertStatement, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Value as Bound};

use crate::core::error::{Result, internal};
use crate::store::database;
use crate::store::sql::dialect::elements;
use crate::store::sql::pg_array::{Array, element};

/// Bytes of the values of one statement on PostgreSQL. What is encrypted is sent by 16 KiB, and sqlx lets the system
/// hold back the end of a longer message until the database has acknowledged the beginning, which it does after 40 ms.
const SHORT: usize = 15_500;
/// Bytes where some row is longer than that by itself: as many as make the 40 ms small beside the rest.
const LONG: usize = 1_000_000;
/// Values bound in one statement on SQLite: more make the statement no faster, and its text longer to compare.
const VALUES: usize = 512;
/// Values bound in one statement on SQLite at most.
const MOST_VALUES: usize = 32_766;

/// Where rows go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Into<'c> {
    pub(crate) table: &'static str,
    pub(crate) columns: &'c [&'static str],
    pub(crate) conflict: Conflict,
    pub(crate) split: Split,
}

/// What becomes of a row whose key is in the table already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Nothing is written at all.
    Fails,
    /// It takes the place of the row with the same id.
    Replaces,
    /// It is left out.
    Yields,
}

/// How rows are spread over statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// As is fastest.
    Freely,
    /// Each statement is dear, whatever it holds: SQLite gets this many rows in one.
    By(usize),
    /// Rows refer to each other, so that one statement must hold them all.
    Never,
}

/// Inserts rows.
pub(crate) async fn insert(transaction: &DatabaseTransaction, into: Into<'_>, rows: Vec<Vec<Bound>>) -> Result<()> {
    match transaction.get_database_backend() {
        DbBackend::Postgres => insert_arrays(transaction, into, rows).await,
        _ => insert_values(transaction, into, rows).await,
    }
}

async fn insert_arrays(transaction: &DatabaseTransaction, into: Into<'_>, rows: Vec<Vec<Bound>>) -> Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let empty = || first.iter().map(Array::of).collect::<Result<Vec<Array>>>();
    let mut arrays = empty()?;
    let mut bytes = 0;
    for row in &rows {
        let row: Vec<String> = row.iter().map(element).collect();
        let more: usize = row.iter().map(|element| element.len() + 1).sum();
        let most = if bytes.max(more) > SHORT { LONG } else { SHORT };
        if bytes > 0 && bytes + more > most && into.split != Split::Never {
            transaction.execute(&into.arrays(std::mem::replace(&mut arrays, empty()?))?).await.map_err(database)?;
            bytes = 0;
        }
        for (array, element) in arrays.iter_mut().zip(&row) {
            array.push(element);
        }
        bytes += more;
    }
    transaction.execute(&into.arrays(arrays)?).await.map(drop).map_err(database)
}

async fn insert_values(transaction: &DatabaseTransaction, into: Into<'_>, rows: Vec<Vec<Bound>>) -> Result<()> {
    let most = match into.split {
        Split::Freely => VALUES / into.columns.len(),
        Split::By(rows) => rows.min(MOST_VALUES / into.columns.len()),
        Split::Never => MOST_VALUES / into.columns.len(),
    };
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        transaction.execute(&into.values(rows.by_ref().take(most.max(1)))?).await.map_err(database)?;
    }
    Ok(())
}

impl Into<'_> {
    /// The statement that inserts rows given as one array for each column.
    fn arrays(&self, arrays: Vec<Array>) -> Result<InsertStatement> {
        let mut rows = Query::select();
        // functions that give many rows go along side by side
        rows.exprs(arrays.into_iter().map(|array| elements(array.bound())));
        let mut insert = self.insert();
        insert.select_from(rows).map_err(internal)?;
        Ok(insert)
    }

    /// The statement that inserts rows given value by value.
    fn values(&self, rows: impl Iterator<Item = Vec<Bound>>) -> Result<InsertStatement> {
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
        match self.conflict {
            Conflict::Fails => {}
            Conflict::Replaces => {
                insert.on_conflict(OnConflict::column("id").update_columns(columns().skip(1)).to_owned());
            }
            Conflict::Yields => {
                insert.on_conflict(OnConflict::new().do_nothing().to_owned());
            }
        }
        insert
    }
}
