//! SQL that differs between the two databases.

use sea_orm::sea_query::{Alias, BinOper, CaseStatement, Cond, Expr, ExprTrait, Func, FunctionCall, Query, SelectStatement, SimpleExpr};
use sea_orm::{DbBackend, Value};
use uuid::Uuid;

use crate::catalog::kind::FieldKind;
use crate::core::error::Result;
use crate::store::sql::pg_array;

/// A supported database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    /// The dialect of a database.
    ///
    /// # Panics
    /// If the database is neither PostgreSQL nor SQLite. The pools connect to no other.
    pub(crate) fn of(backend: DbBackend) -> Self {
        match backend {
            DbBackend::Postgres => Self::Postgres,
            DbBackend::Sqlite => Self::Sqlite,
            _ => unreachable!("the pools connect to PostgreSQL and SQLite only"),
        }
    }
}

/// Whether a text contains another, compared byte by byte.
pub(crate) fn contains(backend: DbBackend, text: Expr, part: &str) -> SimpleExpr {
    let function = match Dialect::of(backend) {
        Dialect::Postgres => "strpos",
        Dialect::Sqlite => "instr",
    };
    Expr::expr(Func::cust(function).args([text, Expr::val(part)])).gt(0)
}

/// A text, or the empty text if it is null.
pub(crate) fn text_or_empty(text: Expr) -> Expr {
    Expr::expr(Func::coalesce([text, Expr::val("")]))
}

/// Concatenates two texts.
pub(crate) fn concat(left: Expr, right: Expr) -> SimpleExpr {
    left.binary(BinOper::Custom("||"), right)
}

/// Whether a partial date has the precision of a day.
pub(crate) fn has_day_precision(date: Expr) -> SimpleExpr {
    Expr::expr(Func::cust("length").arg(date)).eq(10)
}

/// Days from one partial date to another; null unless both have the precision of a day.
pub(crate) fn days_between(backend: DbBackend, from: Expr, to: Expr) -> Expr {
    let both = Cond::all().add(has_day_precision(from.clone())).add(has_day_precision(to.clone()));
    let days = match Dialect::of(backend) {
        Dialect::Postgres => to.cast_as("date").sub(from.cast_as("date")),
        Dialect::Sqlite => {
            let day = |date: Expr| Expr::expr(Func::cust("julianday").arg(date));
            day(to).sub(day(from)).cast_as("integer")
        }
    };
    CaseStatement::new().case(both, days).into()
}

/// A JSON array of expressions.
pub(crate) fn json_array(backend: DbBackend, elements: Vec<SimpleExpr>) -> SimpleExpr {
    let function = match Dialect::of(backend) {
        Dialect::Postgres => "json_build_array",
        Dialect::Sqlite => "json_array",
    };
    Func::cust(function).args(elements).into()
}

/// Aggregates an expression over the rows, in their order, into a JSON array.
pub(crate) fn json_agg(backend: DbBackend, row: SimpleExpr) -> SimpleExpr {
    let function = match Dialect::of(backend) {
        Dialect::Postgres => "json_agg",
        Dialect::Sqlite => "json_group_array",
    };
    Func::cust(function).arg(row).into()
}

/// An id as an element of a JSON array. SQLite stores ids as bytes, which are encoded in hexadecimal.
pub(crate) fn json_id(backend: DbBackend, id: Expr) -> SimpleExpr {
    match Dialect::of(backend) {
        Dialect::Postgres => id,
        Dialect::Sqlite => Func::cust("hex").arg(id).into(),
    }
}

/// A column as an element of a JSON array.
pub(crate) fn json_value(backend: DbBackend, kind: FieldKind, column: Expr) -> SimpleExpr {
    match (Dialect::of(backend), kind) {
        (Dialect::Sqlite, FieldKind::One(_) | FieldKind::Any) => json_id(backend, column),
        (Dialect::Sqlite, FieldKind::Translated | FieldKind::List(_)) => Func::cust("json").arg(column).into(),
        // SQLite prints 15 digits of a number; it takes 17 to restore it exactly
        (Dialect::Sqlite, FieldKind::Number) => {
            let digits = Func::cust("printf").args([Expr::val("%!.17g"), column.clone()]);
            CaseStatement::new().case(column.is_not_null(), digits).into()
        }
        (Dialect::Postgres | Dialect::Sqlite, _) => column,
    }
}

/// Whether a column equals one of these texts. They are bound as one value, whatever their number.
pub(crate) fn one_of(backend: DbBackend, column: &'static str, texts: &[&str]) -> Result<SimpleExpr> {
    let mut listed = Query::select();
    match Dialect::of(backend) {
        Dialect::Postgres => listed.expr(unnest(pg_array::pg_array(texts.iter().map(|text| Value::from(*text)))?)),
        Dialect::Sqlite => listed.column("value").from_function(json_each(texts), "given"),
    };
    Ok(Expr::col(column).in_subquery(listed))
}

/// Whether a column equals one of these ids. They are bound as one value, whatever their number.
pub(crate) fn one_of_ids(backend: DbBackend, column: &'static str, ids: &[Uuid]) -> Result<SimpleExpr> {
    let mut listed = Query::select();
    match Dialect::of(backend) {
        Dialect::Postgres => listed.expr(unnest(pg_array::pg_array(ids.iter().map(|id| Value::from(*id)))?)),
        Dialect::Sqlite => {
            let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
            listed.expr(Func::cust("unhex").arg(Expr::col("value"))).from_function(json_each(&ids), "given")
        }
    };
    Ok(Expr::col(column).in_subquery(listed))
}

/// Whether a column equals one of these numbers. They are bound as one value, whatever their number.
pub(crate) fn one_of_numbers(backend: DbBackend, column: &'static str, numbers: &[i64]) -> Result<SimpleExpr> {
    let mut listed = Query::select();
    match Dialect::of(backend) {
        Dialect::Postgres => listed.expr(unnest(pg_array::pg_array(numbers.iter().map(|number| Value::from(*number)))?)),
        Dialect::Sqlite => {
            let numbers: serde_json::Value = numbers.iter().copied().collect();
            listed.column("value").from_function(Func::cust("json_each").arg(numbers.to_string()), "given")
        }
    };
    Ok(Expr::col(column).in_subquery(listed))
}

/// The elements of an array of PostgreSQL as rows. A column is compared with them in a subquery, because
/// `= ANY (array)` would parse the literal of the array again for each row.
pub(crate) fn unnest(array: Expr) -> FunctionCall {
    Func::cust("UNNEST").arg(array)
}

/// The elements of a JSON array of texts as rows.
fn json_each<T: AsRef<str>>(texts: &[T]) -> FunctionCall {
    let texts: serde_json::Value = texts.iter().map(AsRef::as_ref).collect();
    Func::cust("json_each").arg(texts.to_string())
}

/// Statements to run before a bulk write. SQLite gets a page cache of 64 MiB, so that it does not read the indexes
/// repeatedly, and checkpoints rarely.
pub(crate) fn before_bulk_write(backend: DbBackend) -> &'static [&'static str] {
    match Dialect::of(backend) {
        Dialect::Postgres => &[],
        Dialect::Sqlite => &["PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 16384"],
    }
}

/// Statements to run after a bulk write; they revert [`before_bulk_write`]. SQLite is not analyzed: with statistics it
/// would read lists without the index that has them in order.
pub(crate) fn after_bulk_write(backend: DbBackend) -> &'static [&'static str] {
    match Dialect::of(backend) {
        Dialect::Postgres => &["ANALYZE"],
        Dialect::Sqlite => &[
            "INSERT INTO search_index(search_index) VALUES ('optimize')",
            "PRAGMA wal_autocheckpoint = 1000",
            "PRAGMA cache_size = -1024",
            // otherwise the next process to open the database has to read the whole log
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ],
    }
}

/// A column as text. SQLite stores ids as bytes, which are encoded in hexadecimal.
pub(crate) fn text_of(backend: DbBackend, column: &'static str) -> Expr {
    match (Dialect::of(backend), column) {
        (Dialect::Sqlite, "id") => Func::cust("hex").arg(Expr::col(column)).into(),
        (Dialect::Sqlite | Dialect::Postgres, _) => Expr::col(column).cast_as("text"),
    }
}

/// Statements that remove deleted words from the full-text index. SQLite marks them as deleted until its parts are merged.
pub(crate) fn purge_search_index(backend: DbBackend) -> &'static [&'static str] {
    match Dialect::of(backend) {
        Dialect::Postgres => &[],
        Dialect::Sqlite => &["INSERT INTO search_index(search_index) VALUES ('optimize')"],
    }
}

/// Whether a whole list is best read by one statement whose rows are streamed with backpressure.
pub(crate) fn streams_rows(backend: DbBackend) -> bool {
    Dialect::of(backend) == Dialect::Postgres
}

/// Settings of a transaction of PostgreSQL for a statement that streams a whole list: joins and sorts in memory, and no
/// time limit while its rows are consumed.
pub(crate) const SCAN_SETTINGS: &[&str] = &["SET LOCAL work_mem = '32MB'", "SET LOCAL jit = off", "SET LOCAL statement_timeout = 0"];

/// The statement that cancels the current statement of a session on PostgreSQL.
pub(crate) fn cancel(session: i32) -> SelectStatement {
    Query::select().expr(Func::cust("pg_cancel_backend").arg(session)).to_owned()
}

/// A JSON value to write. PostgreSQL gets a text: bound as `jsonb`, the value would lose the order of its keys.
pub(crate) fn json(backend: DbBackend, json: &serde_json::Value) -> Expr {
    match Dialect::of(backend) {
        Dialect::Postgres => Expr::val(json.to_string()).cast_as("json"),
        Dialect::Sqlite => Expr::val(json.clone()),
    }
}

/// The statement that notifies other processes; `None` on SQLite.
pub(crate) fn notify(backend: DbBackend, channel: &str, payload: &str) -> Option<SelectStatement> {
    let call = || Func::cust("pg_notify").args([Expr::val(channel), Expr::val(payload)]);
    (Dialect::of(backend) == Dialect::Postgres).then(|| Query::select().expr(call()).to_owned())
}

/// The statement that locks writes until the transaction ends; `None` on SQLite, which has a single writer anyway.
pub(crate) fn lock_writes(backend: DbBackend) -> Option<SelectStatement> {
    // arbitrary, but the same in all processes
    const LOCK_KEY: i64 = 0x6b75_7275;
    let lock = || Func::cust("pg_advisory_xact_lock").args([Expr::val(LOCK_KEY)]);
    (Dialect::of(backend) == Dialect::Postgres).then(|| Query::select().expr(lock()).to_owned())
}

/// The statement that returns the insert position of a primary in bytes of its write-ahead log, and the identifier of its
/// cluster. The position includes all earlier commits, also with asynchronous commit.
pub(crate) fn wal_insert_position() -> SelectStatement {
    with_cluster(vec![lsn_bytes(Func::cust("pg_current_wal_insert_lsn"))])
}

/// The statement that returns the replay position of a replica in bytes of its primary's log, null on a server that is
/// not a replica, and the identifier of its cluster.
pub(crate) fn wal_replay_position() -> SelectStatement {
    with_cluster(vec![lsn_bytes(Func::cust("pg_last_wal_replay_lsn"))])
}

fn with_cluster(columns: Vec<Expr>) -> SelectStatement {
    let mut select = Query::select();
    select.exprs(columns).column("system_identifier").from_function(Func::cust("pg_control_system"), "cluster").to_owned()
}

fn lsn_bytes(position: FunctionCall) -> Expr {
    let start = Expr::val("0/0").cast_as("pg_lsn");
    Expr::expr(Func::cust("pg_wal_lsn_diff").args([position.into(), start])).cast_as("bigint")
}

/// The statement that returns the `statement_timeout` of the connection on PostgreSQL, in milliseconds as text.
pub(crate) fn statement_timeout() -> SelectStatement {
    Query::select().column("setting").from("pg_settings").and_where(Expr::col("name").eq("statement_timeout")).to_owned()
}

/// The approximate number of rows of a table, read without counting them: null or negative while it is not known.
pub(crate) fn approximate_rows(backend: DbBackend, table: &'static str) -> SelectStatement {
    let mut select = Query::select();
    match Dialect::of(backend) {
        Dialect::Postgres => select
            .expr(Expr::col("reltuples").cast_as("bigint"))
            .from("pg_class")
            .and_where(Expr::col("oid").eq(Expr::val(table).cast_as("text").cast_as("regclass"))),
        Dialect::Sqlite => select.expr(Func::max(Expr::col("rowid"))).from(Alias::new(table)),
    };
    select
}

/// The terms of a full-text search: all must match, each by any of its spellings. Spellings are normalized words.
#[derive(Debug)]
pub(crate) struct SearchTerms<'a>(pub &'a [Vec<String>]);

/// How closely a document must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatchMode {
    /// Every term is a word of a name.
    WholeName,
    /// Every term is a prefix of a word of a name.
    NamePrefix,
    /// Every term is a prefix of a word anywhere in the document.
    Anywhere,
}

impl SearchTerms<'_> {
    /// The terms in the query language of the full-text index. Normalized words contain none of its operators.
    fn to_query(&self, backend: DbBackend, mode: MatchMode) -> String {
        let dialect = Dialect::of(backend);
        let word = |word: &String| match (dialect, mode) {
            (Dialect::Postgres, MatchMode::WholeName) => format!("{word}:A"),
            (Dialect::Postgres, MatchMode::NamePrefix) => format!("{word}:*A"),
            (Dialect::Postgres, MatchMode::Anywhere) => format!("{word}:*"),
            (Dialect::Sqlite, MatchMode::WholeName) => format!("names:\"{word}\""),
            (Dialect::Sqlite, MatchMode::NamePrefix) => format!("names:\"{word}\"*"),
            (Dialect::Sqlite, MatchMode::Anywhere) => format!("\"{word}\"*"),
        };
        let (and, or) = match dialect {
            Dialect::Postgres => (" & ", " | "),
            Dialect::Sqlite => (" AND ", " OR "),
        };
        let any = |spellings: &Vec<String>| format!("({})", spellings.iter().map(word).collect::<Vec<_>>().join(or));
        self.0.iter().map(any).collect::<Vec<_>>().join(and)
    }

    /// The predicate that a document matches.
    pub(crate) fn matches(&self, backend: DbBackend, mode: MatchMode) -> SimpleExpr {
        let query = self.to_query(backend, mode);
        match Dialect::of(backend) {
            Dialect::Postgres => Expr::cust_with_values("d.document @@ to_tsquery('simple', $1)", [query]),
            Dialect::Sqlite => {
                let index = Alias::new("search_index");
                let rows: SelectStatement = Query::select()
                    .column(Alias::new("rowid"))
                    .from(index.clone())
                    .and_where(Expr::col(index).binary(BinOper::Custom("MATCH"), Expr::val(query)))
                    .to_owned();
                Expr::col((Alias::new("d"), Alias::new("rowid"))).in_subquery(rows)
            }
        }
    }
}
