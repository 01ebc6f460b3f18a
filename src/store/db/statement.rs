//! Statements of reads on a connection pool.
//!
//! The futures of sea-orm's connections take 15 KB each and are moved several times per statement; those of sqlx are small.

use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use sea_orm::sea_query::Values;
use sea_orm::sqlx::{AssertSqlSafe, Error as SqlxError, Result as SqlxResult, query_with};
use sea_orm::{ConnAcquireErr, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;

use crate::observability::metrics;
use crate::observability::metrics::StatementKind;
use crate::observability::tracing as otel;
use crate::store::sql::dialect::Dialect;

/// Executes a statement on a connection of a pool and returns its rows.
pub(crate) fn fetch_rows(pool: &DatabaseConnection, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
    fetch(pool, statement).boxed()
}

async fn fetch(pool: &DatabaseConnection, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
    let Statement { sql, values, db_backend } = statement;
    let query = (AssertSqlSafe(sql.as_str()), SqlxValues(values.unwrap_or(Values(Vec::new()))));
    let record = |started: Instant, failed| record_statement(system(db_backend), &sql, started.elapsed(), failed);
    match Dialect::of(db_backend) {
        Dialect::Postgres => {
            let mut connection = acquired(pool.get_postgres_connection_pool().acquire().await)?;
            let started = Instant::now();
            let rows = query_with(query.0, query.1).fetch_all(&mut *connection).await;
            record(started, rows.is_err());
            rows_of(rows)
        }
        Dialect::Sqlite => {
            let mut connection = acquired(pool.get_sqlite_connection_pool().acquire().await)?;
            let started = Instant::now();
            let rows = query_with(query.0, query.1).fetch_all(&mut *connection).await;
            record(started, rows.is_err());
            rows_of(rows)
        }
    }
}

fn acquired<C>(connection: SqlxResult<C>) -> Result<C, DbErr> {
    connection.map_err(|error| match error {
        SqlxError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        SqlxError::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    })
}

fn rows_of<R: Into<QueryResult>>(rows: Result<Vec<R>, SqlxError>) -> Result<Vec<QueryResult>, DbErr> {
    let rows = rows.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Measures and traces a statement that has just ended.
pub(super) fn record_statement(system: &'static str, sql: &str, elapsed: Duration, failed: bool) {
    metrics::record_statement(StatementKind::of(sql), elapsed, failed);
    otel::record_statement(system, sql, elapsed, failed);
}

/// Name of a database system in OpenTelemetry's conventions.
pub(crate) fn system(backend: DbBackend) -> &'static str {
    match Dialect::of(backend) {
        Dialect::Postgres => "postgresql",
        Dialect::Sqlite => "sqlite",
    }
}
