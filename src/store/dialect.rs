//! SQL that the two databases do not share.

use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr};
use sea_orm::{DbBackend, Value};

use crate::store::record::Kind;

/// Whether a text has another somewhere in it, compared byte by byte.
pub(super) fn contains(backend: DbBackend, text: Expr, part: &str) -> SimpleExpr {
    let function = match backend {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    Expr::expr(Func::cust(function).args([text, Expr::val(part)])).gt(0)
}

/// A text, empty where it is unknown.
pub(super) fn known(text: Expr) -> Expr {
    Expr::expr(Func::coalesce([text, Expr::val("")]))
}

/// A JSON array of these.
pub(super) fn array(backend: DbBackend, elements: Vec<SimpleExpr>) -> SimpleExpr {
    let function = match backend {
        DbBackend::Postgres => "json_build_array",
        _ => "json_array",
    };
    Func::cust(function).args(elements).into()
}

/// A JSON array with this for each row, in the order of the rows.
pub(super) fn array_of(backend: DbBackend, row: SimpleExpr) -> SimpleExpr {
    let function = match backend {
        DbBackend::Postgres => "json_agg",
        _ => "json_group_array",
    };
    Func::cust(function).arg(row).into()
}

/// An id as an element of a JSON array; SQLite keeps ids as bytes, which JSON has no place for.
pub(super) fn sent_id(backend: DbBackend, id: Expr) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => id,
        _ => Func::cust("hex").arg(id).into(),
    }
}

/// A column of this kind as an element of a JSON array.
pub(super) fn sent(backend: DbBackend, kind: Kind, column: Expr) -> SimpleExpr {
    match (backend, kind) {
        (DbBackend::Postgres, _) => column,
        (_, Kind::One(_) | Kind::Any) => sent_id(backend, column),
        (_, Kind::Translated | Kind::List(_)) => Func::cust("json").arg(column).into(),
        // SQLite writes 15 digits of a number, and 17 make it whole again
        (_, Kind::Number) => {
            let digits = Func::cust("printf").args([Expr::val("%!.17g"), column.clone()]);
            CaseStatement::new().case(column.is_not_null(), digits).into()
        }
        _ => column,
    }
}

/// A value to be written. PostgreSQL is given JSON as text: as `jsonb`, which it would be otherwise, it
/// would lose the order of its keys, and with it which language is a record's own.
pub(super) fn written(backend: DbBackend, value: Value) -> Expr {
    match (backend, value) {
        (DbBackend::Postgres, Value::Json(json)) => Expr::val(json.map(|json| json.to_string())).cast_as("json"),
        (_, value) => Expr::val(value),
    }
}

/// The statement that tells other processes of a change, where the database can.
pub(super) fn notice(backend: DbBackend, channel: &str) -> Option<SelectStatement> {
    let notify = || Func::cust("pg_notify").args([Expr::val(channel), Expr::val("")]);
    (backend == DbBackend::Postgres).then(|| Query::select().expr(notify()).to_owned())
}

/// The statement that waits until no other transaction writes, and keeps others waiting until this one ends. SQLite has
/// one writer by itself.
pub(super) fn alone(backend: DbBackend) -> Option<SelectStatement> {
    // any number will do, as long as all processes take the same
    const LOCK: i64 = 0x6b75_7275;
    let lock = || Func::cust("pg_advisory_xact_lock").args([Expr::val(LOCK)]);
    (backend == DbBackend::Postgres).then(|| Query::select().expr(lock()).to_owned())
}

/// What a search looks for, as words that have been folded: the last letters may be missing.
#[derive(Debug)]
pub(super) struct Terms<'a>(pub &'a [Vec<String>]);

/// How near a document must come to the words of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
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
    pub(super) fn matches(&self, backend: DbBackend, how: Match) -> SimpleExpr {
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
