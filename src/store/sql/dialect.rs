//! SQL that the two databases do not share.

use sea_orm::sea_query::{Alias, BinOper, CaseStatement, Cond, Expr, ExprTrait, Func, FunctionCall, Query, SelectStatement, SimpleExpr};
use sea_orm::{DbBackend, Value};
use uuid::Uuid;

use crate::catalog::record::FieldKind;
use crate::core::error::Result;
use crate::store::sql::pg_array;

/// Whether a text has another somewhere in it, compared byte by byte.
pub(crate) fn contains(backend: DbBackend, text: Expr, part: &str) -> SimpleExpr {
    let function = match backend {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    Expr::expr(Func::cust(function).args([text, Expr::val(part)])).gt(0)
}

/// A text, empty where it is unknown.
pub(crate) fn known(text: Expr) -> Expr {
    Expr::expr(Func::coalesce([text, Expr::val("")]))
}

/// Two texts as one.
pub(crate) fn joined(begin: Expr, end: Expr) -> SimpleExpr {
    begin.binary(BinOper::Custom("||"), end)
}

/// Whether a partial date is known to the day.
pub(crate) fn is_day(date: Expr) -> SimpleExpr {
    Expr::expr(Func::cust("length").arg(date)).eq(10)
}

/// Days from one partial date to another, where both are known to the day.
pub(crate) fn days(backend: DbBackend, from: Expr, to: Expr) -> Expr {
    let both = Cond::all().add(is_day(from.clone())).add(is_day(to.clone()));
    let days = match backend {
        DbBackend::Postgres => to.cast_as("date").sub(from.cast_as("date")),
        _ => {
            let day = |date: Expr| Expr::expr(Func::cust("julianday").arg(date));
            day(to).sub(day(from)).cast_as("integer")
        }
    };
    CaseStatement::new().case(both, days).into()
}

/// A JSON array of these.
pub(crate) fn array(backend: DbBackend, elements: Vec<SimpleExpr>) -> SimpleExpr {
    let function = match backend {
        DbBackend::Postgres => "json_build_array",
        _ => "json_array",
    };
    Func::cust(function).args(elements).into()
}

/// A JSON array with this for each row, in the order of the rows.
pub(crate) fn array_of(backend: DbBackend, row: SimpleExpr) -> SimpleExpr {
    let function = match backend {
        DbBackend::Postgres => "json_agg",
        _ => "json_group_array",
    };
    Func::cust(function).arg(row).into()
}

/// An id as an element of a JSON array; SQLite keeps ids as bytes, which JSON has no place for.
pub(crate) fn sent_id(backend: DbBackend, id: Expr) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => id,
        _ => Func::cust("hex").arg(id).into(),
    }
}

/// A column of this kind as an element of a JSON array.
pub(crate) fn sent(backend: DbBackend, kind: FieldKind, column: Expr) -> SimpleExpr {
    match (backend, kind) {
        (DbBackend::Postgres, _) => column,
        (_, FieldKind::One(_) | FieldKind::Any) => sent_id(backend, column),
        (_, FieldKind::Translated | FieldKind::List(_)) => Func::cust("json").arg(column).into(),
        // SQLite writes 15 digits of a number, and 17 make it whole again
        (_, FieldKind::Number) => {
            let digits = Func::cust("printf").args([Expr::val("%!.17g"), column.clone()]);
            CaseStatement::new().case(column.is_not_null(), digits).into()
        }
        _ => column,
    }
}

/// Whether a column of texts has one of these, which are bound as one value, however many they are.
pub(crate) fn one_of(backend: DbBackend, column: &'static str, texts: &[&str]) -> Result<SimpleExpr> {
    let mut given = Query::select();
    match backend {
        DbBackend::Postgres => given.expr(elements(pg_array::array(texts.iter().map(|text| Value::from(*text)))?)),
        _ => given.column("value").from_function(json_elements(texts), "given"),
    };
    Ok(Expr::col(column).in_subquery(given))
}

/// Whether a column of ids has one of these, which are bound as one value, however many they are.
pub(crate) fn one_of_ids(backend: DbBackend, column: &'static str, ids: &[Uuid]) -> Result<SimpleExpr> {
    let mut given = Query::select();
    match backend {
        DbBackend::Postgres => given.expr(elements(pg_array::array(ids.iter().map(|id| Value::from(*id)))?)),
        _ => {
            let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
            given.expr(Func::cust("unhex").arg(Expr::col("value"))).from_function(json_elements(&ids), "given")
        }
    };
    Ok(Expr::col(column).in_subquery(given))
}

/// The elements of an array of PostgreSQL, as rows. They stand in a query of their own where a column is compared with
/// them: in `= ANY (array)` the text of the array would be read again for each row.
pub(crate) fn elements(array: Expr) -> FunctionCall {
    Func::cust("UNNEST").arg(array)
}

/// The elements of a JSON array of these texts, as rows.
fn json_elements<T: AsRef<str>>(texts: &[T]) -> FunctionCall {
    let texts: serde_json::Value = texts.iter().map(AsRef::as_ref).collect();
    Func::cust("json_each").arg(texts.to_string())
}

/// Statements that make the connection for writing ready for many records. SQLite keeps 64 MiB of pages, which spares
/// it from reading the index of each column again and again, and moves them into the database seldom.
pub(crate) fn before_many(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Postgres => &[],
        _ => &["PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 16384"],
    }
}

/// Statements that bring the database in order after many records, and undo what [`before_many`] did. SQLite is not
/// told to count its rows: knowing them, it reads lists by other ways than the index that has them in order.
pub(crate) fn after_many(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Postgres => &["ANALYZE"],
        _ => &[
            "INSERT INTO search_index(search_index) VALUES ('optimize')",
            "PRAGMA wal_autocheckpoint = 1000",
            "PRAGMA cache_size = -1024",
            // otherwise whoever opens the database next has to look through all that was written
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ],
    }
}

/// Whether all rows of a list are best read by one statement, and come no faster than they are taken.
pub(crate) fn gives_all(backend: DbBackend) -> bool {
    backend == DbBackend::Postgres
}

/// Statements that make a transaction of PostgreSQL ready for a statement whose rows are all read: tables are joined and
/// sorted in memory, and it may take as long as its rows are taken.
pub(crate) const BEFORE_ALL: &[&str] = &["SET LOCAL work_mem = '32MB'", "SET LOCAL jit = off", "SET LOCAL statement_timeout = 0"];

/// The statement that PostgreSQL answers by the id of the session.
pub(crate) fn session() -> SelectStatement {
    Query::select().expr(Func::cust("pg_backend_pid")).to_owned()
}

/// The statement that ends what a session of PostgreSQL is doing.
pub(crate) fn cancel(session: i32) -> SelectStatement {
    Query::select().expr(Func::cust("pg_cancel_backend").arg(session)).to_owned()
}

/// JSON to be written. PostgreSQL is given it as text: as `jsonb`, which it would be otherwise, it would lose the order
/// of its keys.
pub(crate) fn json(backend: DbBackend, json: &serde_json::Value) -> Expr {
    match backend {
        DbBackend::Postgres => Expr::val(json.to_string()).cast_as("json"),
        _ => Expr::val(json.clone()),
    }
}

/// The statement that tells other processes of a change, where the database can.
pub(crate) fn notice(backend: DbBackend, channel: &str, teller: &str) -> Option<SelectStatement> {
    let notify = || Func::cust("pg_notify").args([Expr::val(channel), Expr::val(teller)]);
    (backend == DbBackend::Postgres).then(|| Query::select().expr(notify()).to_owned())
}

/// The statement that waits until no other transaction writes, and keeps others waiting until this one ends. SQLite has
/// one writer by itself.
pub(crate) fn alone(backend: DbBackend) -> Option<SelectStatement> {
    // any number will do, as long as all processes take the same
    const LOCK: i64 = 0x6b75_7275;
    let lock = || Func::cust("pg_advisory_xact_lock").args([Expr::val(LOCK)]);
    (backend == DbBackend::Postgres).then(|| Query::select().expr(lock()).to_owned())
}

/// The statement that a primary of PostgreSQL answers by how many bytes its log has, and by the number of its cluster,
/// which replicas have too. What was committed before is in these bytes, even where a commit does not wait for the disk.
pub(crate) fn position() -> SelectStatement {
    of_cluster(vec![bytes(Func::cust("pg_current_wal_insert_lsn"))])
}

/// The statement that a replica of PostgreSQL answers by how many bytes of the log of its primary it shows, nothing where it
/// is none, and by the number of its cluster.
pub(crate) fn replayed() -> SelectStatement {
    of_cluster(vec![bytes(Func::cust("pg_last_wal_replay_lsn"))])
}

fn of_cluster(columns: Vec<Expr>) -> SelectStatement {
    let mut select = Query::select();
    select.exprs(columns).column("system_identifier").from_function(Func::cust("pg_control_system"), "cluster").to_owned()
}

fn bytes(position: FunctionCall) -> Expr {
    let start = Expr::val("0/0").cast_as("pg_lsn");
    Expr::expr(Func::cust("pg_wal_lsn_diff").args([position.into(), start])).cast_as("bigint")
}

/// The statement that PostgreSQL answers by the milliseconds a statement may take on this connection, as text.
pub(crate) fn bound() -> SelectStatement {
    Query::select().column("setting").from("pg_settings").and_where(Expr::col("name").eq("statement_timeout")).to_owned()
}

/// What a search looks for, as words that have been folded: the last letters may be missing.
#[derive(Debug)]
pub(crate) struct Terms<'a>(pub &'a [Vec<String>]);

/// How near a document must come to the words of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// Every word stands in a name, whole.
    WholeName,
    /// Every word begins a word of a name.
    NamePrefix,
    /// Every word begins a word of the text.
    Anywhere,
}

impl Terms<'_> {
    /// The words in the query language of the full-text index; folded words hold no sign that it knows.
    fn text(&self, backend: DbBackend, how: Match) -> String {
        let word = |word: &String| match (backend, how) {
            (DbBackend::Postgres, Match::WholeName) => format!("{word}:A"),
            (DbBackend::Postgres, Match::NamePrefix) => format!("{word}:*A"),
            (DbBackend::Postgres, Match::Anywhere) => format!("{word}:*"),
            (_, Match::WholeName) => format!("names:\"{word}\""),
            (_, Match::NamePrefix) => format!("names:\"{word}\"*"),
            (_, Match::Anywhere) => format!("\"{word}\"*"),
        };
        let (and, or) = match backend {
            DbBackend::Postgres => (" & ", " | "),
            _ => (" AND ", " OR "),
        };
        let any = |spellings: &Vec<String>| format!("({})", spellings.iter().map(word).collect::<Vec<_>>().join(or));
        self.0.iter().map(any).collect::<Vec<_>>().join(and)
    }

    /// Documents that come this near.
    pub(crate) fn matches(&self, backend: DbBackend, how: Match) -> SimpleExpr {
        let text = self.text(backend, how);
        match backend {
            DbBackend::Postgres => Expr::cust_with_values("d.document @@ to_tsquery('simple', $1)", [text]),
            _ => {
                let index = Alias::new("search_index");
                let rows: SelectStatement = Query::select()
                    .column(Alias::new("rowid"))
                    .from(index.clone())
                    .and_where(Expr::col(index).binary(sea_orm::sea_query::BinOper::Custom("MATCH"), Expr::val(text)))
                    .to_owned();
                Expr::col((Alias::new("d"), Alias::new("rowid"))).in_subquery(rows)
            }
        }
    }
}
