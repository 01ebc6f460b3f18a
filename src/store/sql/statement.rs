//! Renders a query as a prepared statement: a text that does not vary between requests, and bound values.

use std::fmt::Write;

use sea_orm::sea_query::{PostgresQueryBuilder, QueryBuilder, SelectStatement, SqlWriter, SqliteQueryBuilder, Values};
use sea_orm::{DbBackend, Statement, Value};

use crate::store::sql::dialect::Dialect;

/// Maximum number of values in a list of which each is bound as a variable.
pub(crate) const MAX_BOUND_VALUES: usize = 16_000;
/// Maximum number of variables that SQLite accepts in one statement.
pub(crate) const SQLITE_MAX_VARIABLES: usize = 32_766;

/// Renders a query.
pub(crate) fn statement(backend: DbBackend, select: &SelectStatement) -> Statement {
    let mut text = StatementWriter { sql: String::with_capacity(1_024), values: Vec::new() };
    match Dialect::of(backend) {
        Dialect::Postgres => select.build_collect_any_into(&PostgresQueryBuilder, &mut text),
        Dialect::Sqlite => select.build_collect_any_into(&SqliteQueryBuilder, &mut text),
    }
    Statement { sql: text.sql, values: Some(Values(text.values)), db_backend: backend }
}

/// Collects the text and the values of a statement. Limits and booleans are written into the text instead of being bound:
/// the database plans a statement once for all of its values, but these two decide which plan is good.
struct StatementWriter {
    sql: String,
    values: Vec<Value>,
}

impl Write for StatementWriter {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.sql.write_str(text)
    }
}

#[allow(clippy::to_string_trait_impl)] // required by SqlWriter
impl ToString for StatementWriter {
    fn to_string(&self) -> String {
        self.sql.clone()
    }
}

impl SqlWriter for StatementWriter {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, builder: &T) {
        // writing to a string is infallible
        let _ = match value {
            // only limits have this type
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
