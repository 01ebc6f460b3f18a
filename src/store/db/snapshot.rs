//! What is read as it was at one moment.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream::TryStreamExt;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, QueryResult, Statement,
    StreamTrait, TransactionTrait,
};
use tokio::sync::mpsc;
use tracing::Instrument;

use crate::core::error::{Error, Result, internal, unavailable};
use crate::observability::metrics;
use crate::observability::metrics::StatementStats;
use crate::store::sql::dialect;
use crate::store::{Store, database, is_passing};

/// Pieces that are read ahead of who takes them.
const AHEAD: usize = 1;

/// The one transaction that everything is read in.
#[derive(Debug)]
pub(crate) struct Snapshot {
    transaction: DatabaseTransaction,
    /// The server that it is on.
    pool: DatabaseConnection,
}

/// Rows of one statement, some at a time.
#[derive(Debug)]
pub(crate) struct Pieces(mpsc::Receiver<Result<Vec<QueryResult>>>);

impl Pieces {
    /// The next rows; nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<QueryResult>>> {
        let rows = self.0.recv().await.transpose()?;
        Ok(rows.inspect(|rows| metrics::record_rows(rows.len())))
    }
}

impl Store {
    /// The same store as it is now: what is read from it later is of this moment too. It keeps a connection for as long
    /// as it lives.
    pub async fn snapshot(&self) -> Result<Self> {
        let begun = match self.replica() {
            Some(replica) => match self.stand_still(&replica.walker).await {
                Err(error) if is_passing(&error) => self.stand_still(&self.pools.walker).await,
                begun => begun,
            },
            None => self.stand_still(&self.pools.walker).await,
        };
        let mut still = self.clone();
        still.snapshot = Some(Arc::new(begun.map_err(database)?));
        Ok(still)
    }

    /// Begins a transaction that sees one moment.
    async fn stand_still(&self, pool: &DatabaseConnection) -> Result<Snapshot, DbErr> {
        let transaction = match self.backend() {
            DbBackend::Postgres => pool.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?,
            _ => pool.begin().await?,
        };
        Ok(Snapshot { transaction, pool: pool.clone() })
    }

    /// Runs a statement whose rows are all wanted and come as fast as they are taken, this many at a time. Nothing else can
    /// be read from the snapshot meanwhile. It has as long as any statement until the first rows come, and ends when nobody
    /// takes them any more.
    pub(crate) async fn pieces(&self, select: &SelectStatement, size: usize) -> Result<Pieces> {
        let snapshot = self.snapshot.clone().ok_or_else(|| internal("what is read at one moment is read from a snapshot"))?;
        for statement in dialect::BEFORE_ALL {
            snapshot.transaction.execute_unprepared(statement).await.map_err(lost)?;
        }
        let id = snapshot.transaction.query_one(&dialect::session()).await.map_err(lost)?;
        let id: Option<i32> = id.map(|row| row.try_get_by_index(0)).transpose().map_err(internal)?;
        let (send, receive) = mpsc::channel(AHEAD);
        self.statements.fetch_add(1, Ordering::Relaxed);
        let (statement, bound) = (self.written(select), self.bound);
        let tally = StatementStats::current();
        let run = async move {
            let Some(id) = id else { return };
            if !snapshot.hand_on(statement, size, bound, &send).await {
                snapshot.cancel(id).await;
            }
        };
        tokio::spawn(async move { tally.scope(run).await }.in_current_span());
        Ok(Pieces(receive))
    }
}

impl Snapshot {
    /// Runs one statement.
    pub(crate) async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.transaction.query_all_raw(statement).await.inspect(|rows| metrics::record_rows(rows.len())).map_err(lost)
    }

    /// Hands rows of a statement on, and tells whether it has ended: it goes on where nobody takes them any more, and where
    /// the first did not come in time.
    async fn hand_on(
        &self,
        statement: Statement,
        size: usize,
        mut bound: Option<Duration>,
        to: &mpsc::Sender<Result<Vec<QueryResult>>>,
    ) -> bool {
        let rows = match self.transaction.stream_raw(statement).await {
            Ok(rows) => rows,
            Err(error) => return to.send(Err(lost(error))).await.is_ok(),
        };
        let mut pieces = pin!(rows.map_err(lost).try_chunks(size).map_err(|error| error.1));
        loop {
            let (piece, has_ended) = tokio::select! {
                piece = within(bound.take(), pieces.try_next()) => match piece {
                    None => (Err(Error::Timeout), false),
                    Some(Ok(None)) => return true,
                    Some(Ok(Some(rows))) => (Ok(rows), false),
                    Some(Err(error)) => (Err(error), true),
                },
                () = to.closed() => return false,
            };
            let is_last = piece.is_err();
            if to.send(piece).await.is_err() || is_last {
                return has_ended;
            }
        }
    }

    /// Ends what the session with this id is doing, which is this one's.
    async fn cancel(&self, id: i32) {
        if let Err(error) = self.pool.query_one(&dialect::cancel(id)).await {
            tracing::debug!(%error, "a statement goes on whose rows nobody takes");
        }
    }
}

/// What comes of something in this time.
async fn within<T>(bound: Option<Duration>, run: impl Future<Output = T>) -> Option<T> {
    match bound {
        Some(bound) => tokio::time::timeout(bound, run).await.ok(),
        None => Some(run.await),
    }
}

/// An error in a snapshot, which no other connection has.
fn lost(error: DbErr) -> Error {
    if is_passing(&error) { unavailable(error) } else { database(error) }
}
