//! Snapshots: transactions whose reads all observe the database at one instant.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::TryStreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, QueryResult, Statement, StreamTrait,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::mpsc;
use tracing::Instrument;

use crate::core::error::{Error, Result, unavailable};
use crate::observability::metrics;
use crate::observability::metrics::StatementStats;
use crate::store::db::statement_guard;
use crate::store::db::statement_guard::RunningRead;
use crate::store::error::{database, is_transient};
use crate::store::sql::dialect;
use crate::store::sql::dialect::Dialect;

/// Batches that are read ahead of the consumer.
const READ_AHEAD_BATCHES: usize = 1;

/// A read transaction on one server.
#[derive(Debug)]
pub(crate) struct Snapshot {
    transaction: DatabaseTransaction,
    /// Ends a statement that nobody waits for.
    read: RunningRead,
    /// The server of the transaction, to cancel a statement from another connection.
    pool: DatabaseConnection,
}

/// The rows of one statement, in batches.
#[derive(Debug)]
pub(crate) struct RowBatches(mpsc::Receiver<Result<Vec<QueryResult>>>);

/// Begins a transaction whose reads observe one instant; on PostgreSQL a repeatable read.
pub(crate) async fn begin_read(pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = match Dialect::of(pool.get_database_backend()) {
        Dialect::Postgres => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        },
        Dialect::Sqlite => TransactionOptions::default(),
    };
    begin(pool, options).await
}

/// Begins a transaction in a task of its own. If the beginning were dropped, as when a client disconnects, the driver would
/// return the connection to the pool with the transaction open.
pub(crate) async fn begin(pool: &DatabaseConnection, options: TransactionOptions) -> Result<DatabaseTransaction, DbErr> {
    let pool = pool.clone();
    let begun = statement_guard::inherit(async move { pool.begin_with_options(options).await });
    tokio::spawn(begun.in_current_span()).await.map_err(|error| DbErr::Custom(error.to_string()))?
}

impl RowBatches {
    /// The next batch, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<QueryResult>>> {
        let rows = self.0.recv().await.transpose()?;
        Ok(rows.inspect(|rows| metrics::record_rows(rows.len())))
    }
}

impl Snapshot {
    /// Begins a transaction; on PostgreSQL a repeatable read.
    pub(crate) async fn begin(pool: &DatabaseConnection) -> Result<Self, DbErr> {
        let read = RunningRead::of_snapshot(pool);
        let transaction = read.scope(begin_read(pool)).await?;
        Ok(Self { transaction, read, pool: pool.clone() })
    }

    /// Executes a statement and returns all of its rows. The statement ends at the time limit, or when the snapshot is
    /// dropped.
    pub(crate) async fn fetch_all(&self, statement: Statement, timeout: Option<Duration>) -> Result<Vec<QueryResult>> {
        let rows = self.read.statement(timeout, self.transaction.query_all_raw(statement)).await;
        rows.inspect(|rows| metrics::record_rows(rows.len())).map_err(snapshot_error)
    }

    /// Executes a statement on PostgreSQL whose rows are read in batches, as fast as they are consumed. The snapshot
    /// serves no other read until the batches end. `timeout` applies until the first batch; the statement is cancelled
    /// when the batches are dropped.
    pub(crate) async fn stream(self: Arc<Self>, statement: Statement, batch_rows: usize, timeout: Option<Duration>) -> Result<RowBatches> {
        for setting in dialect::SCAN_SETTINGS {
            self.transaction.execute_unprepared(setting).await.map_err(snapshot_error)?;
        }
        let session = self.read.session();
        let (sender, receiver) = mpsc::channel(READ_AHEAD_BATCHES);
        let tally = StatementStats::current();
        let run = async move {
            let Some(session) = session else { return };
            if !self.send_batches(statement, batch_rows, timeout, &sender).await {
                self.cancel(session).await;
            }
        };
        tokio::spawn(async move { tally.scope(run).await }.in_current_span());
        Ok(RowBatches(receiver))
    }

    /// Sends the rows of a statement in batches. Returns whether the statement has ended: it is still running if the
    /// receiver was dropped, or if the first batch timed out.
    async fn send_batches(
        &self,
        statement: Statement,
        batch_rows: usize,
        mut timeout: Option<Duration>,
        sender: &mpsc::Sender<Result<Vec<QueryResult>>>,
    ) -> bool {
        let rows = match self.transaction.stream_raw(statement).await {
            Ok(rows) => rows,
            Err(error) => return sender.send(Err(snapshot_error(error))).await.is_ok(),
        };
        let mut batches = pin!(rows.map_err(snapshot_error).try_chunks(batch_rows).map_err(|error| error.1));
        loop {
            let (batch, has_ended) = tokio::select! {
                batch = with_timeout(timeout.take(), batches.try_next()) => match batch {
                    None => (Err(Error::Timeout), false),
                    Some(Ok(None)) => return true,
                    Some(Ok(Some(rows))) => (Ok(rows), false),
                    Some(Err(error)) => (Err(error), true),
                },
                () = sender.closed() => return false,
            };
            let is_last = batch.is_err();
            if sender.send(batch).await.is_err() || is_last {
                return has_ended;
            }
        }
    }

    /// Cancels the statement that the session of this snapshot is executing.
    async fn cancel(&self, session: i32) {
        if let Err(error) = self.pool.query_one(&dialect::cancel(session)).await {
            tracing::debug!(%error, "failed to cancel an abandoned statement");
        }
    }
}

/// Awaits a future for at most this long; `None` on timeout.
async fn with_timeout<T>(timeout: Option<Duration>, run: impl Future<Output = T>) -> Option<T> {
    match timeout {
        Some(timeout) => tokio::time::timeout(timeout, run).await.ok(),
        None => Some(run.await),
    }
}

/// Translates an error of a snapshot. A lost connection cannot be replaced: another one would see another instant.
fn snapshot_error(error: DbErr) -> Error {
    if is_transient(&error) { unavailable(error) } else { database(error) }
}
