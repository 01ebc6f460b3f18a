//! Statements as the database gets them: text that stays the same from request to request, and values.

use std::fmt::Write;

use sea_orm::sea_query::{PostgresQueryBuilder, QueryBuilder, SelectStatement, SqlWriter, SqliteQueryBuilder, Values};
use sea_orm::{DbBackend, Statement, Value};

/// The statement of a query.
pub(crate) fn statement(backend: DbBackend, select: &SelectStatement) -> Statement {
    let mut text = Text { sql: String::with_capacity(1_024), values: Vec::new() };
    match backend {
        DbBackend::Postgres => select.build_collect_any_into(&PostgresQueryBuilder, &mut text),
        _ => select.build_collect_any_into(&SqliteQueryBuilder, &mut text),
    }
    Statement { sql: text.sql, values: Some(Values(text.values)), db_backend: backend }
}

/// Collects a statement. Limits and truth values become part of the text: the database plans a statement once for
/// all of its values, and how many rows are wanted, and whether a row must be published, decides which plan is good.
struct Text {
    sql: String,
    values: Vec<Value>,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.sql.write_str(text)
    }
}

#[allow(clippy::to_string_trait_impl)] // what SqlWriter asks for
impl ToString for Text {
    fn to_string(&self) -> String {
        self.sql.clone()
    }
}

impl SqlWriter for Text {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, builder: &T) {
        // writing to a text cannot fail
        let _ = match value {
            // only limits are numbers of this type
            Value::BigUnsigned(Some(limit)) => write!(self.sql, "{limit}"),
            Value::Bool(Some(true)) => self.sql.write_str("TRUE"),
            Value::Bool(Some(false)) => self.sql.write_str("FALSE"),
            value => {
                self.values.push(value);
                match builder.placeholder() {
                    (sign, true) => write!(self.sql, "{sign}{}", self.values.len()),
                    (sign, false) => self.sql.write_str(sign),
                }
            }
        };
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}
