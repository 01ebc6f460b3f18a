//! Ends statements that nobody waits for: at their deadline, or when the future of the read is dropped, as when a client
//! disconnects.
//!
//! The driver does not end them. SQLite asks a guard, while a statement runs, whether it should go on. On PostgreSQL the
//! `statement_timeout` is the deadline, and a dropped read cancels its statement from another connection, by the process id
//! of the session. Asking for that id takes a round trip, so it is done only for reads that may take long by their cost, and
//! not for statements that were fast before.
//!
//! A pool calls its hooks within the task that acquires a connection, so the hooks find the guard of the read there.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{Error as SqlxError, query_scalar};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};

use crate::store::sql::dialect;

/// Virtual machine instructions of SQLite between two checks of the guard: some hundred microseconds.
const PROGRESS_INSTRUCTIONS: i32 = 20_000;

tokio::task_local! {
    static CURRENT: Arc<Guard>;
    static IS_LONG: bool;
}

/// Runs reads of which each may take long.
pub(crate) async fn long_reads<T>(is_long: bool, run: impl Future<Output = T>) -> T {
    IS_LONG.scope(is_long, run).await
}

/// Longest duration of a fast statement.
const FAST_DURATION: Duration = Duration::from_millis(50);
/// Number of fast statements that are remembered.
const MAX_FAST_STATEMENTS: usize = 10_000;

/// Statements that were fast when they last ran, by the hash of their text. A statement that is slow or abandoned once is
/// not among them.
#[derive(Debug, Default)]
pub(crate) struct FastStatements {
    hashes: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

impl FastStatements {
    fn hash(&self, sql: &str) -> u64 {
        self.hasher.hash_one(sql)
    }

    fn contains(&self, statement: u64) -> bool {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner).contains(&statement)
    }

    fn record(&self, statement: u64, is_fast: bool) {
        let mut statements = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_fast {
            statements.remove(&statement);
            return;
        }
        if statements.len() >= MAX_FAST_STATEMENTS {
            statements.clear();
        }
        statements.insert(statement);
    }
}

#[derive(Debug, Default)]
struct Guard {
    deadline: Mutex<Option<Instant>>,
    is_abandoned: AtomicBool,
    /// The session of PostgreSQL that executes the statement.
    session: OnceLock<i32>,
    wants_session: bool,
}

impl Guard {
    fn may_continue(&self) -> bool {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        !self.is_abandoned.load(Ordering::Relaxed) && deadline.is_none_or(|deadline| Instant::now() < deadline)
    }

    fn start(&self, timeout: Option<Duration>) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = timeout.map(|timeout| Instant::now() + timeout);
    }
}

/// The statements of one read or one snapshot. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct RunningRead {
    guard: Arc<Guard>,
    /// Connections to the same server, to cancel a statement of PostgreSQL.
    canceller: DatabaseConnection,
    is_running: AtomicBool,
    /// The statement, if it may take long by its cost.
    long_statement: Option<(Arc<FastStatements>, u64)>,
}

impl RunningRead {
    /// A read whose statement can be cancelled, on PostgreSQL only within [`long_reads`] and unless it was fast before.
    pub(crate) fn new(canceller: &DatabaseConnection, sql: &str, fast: &Arc<FastStatements>) -> Self {
        let is_long = IS_LONG.try_with(|is_long| *is_long).unwrap_or(false);
        let long_statement = is_long.then(|| (fast.clone(), fast.hash(sql)));
        let wants_session = long_statement.as_ref().is_some_and(|(fast, statement)| !fast.contains(*statement));
        let mut read = Self::with_session(canceller, wants_session);
        read.long_statement = long_statement;
        read
    }

    /// The reads of a snapshot, whose statements can always be cancelled.
    pub(crate) fn of_snapshot(canceller: &DatabaseConnection) -> Self {
        Self::with_session(canceller, true)
    }

    fn with_session(canceller: &DatabaseConnection, wants_session: bool) -> Self {
        let guard = Arc::new(Guard { wants_session, ..Guard::default() });
        Self { guard, canceller: canceller.clone(), is_running: AtomicBool::new(false), long_statement: None }
    }

    fn record(&self, is_fast: bool) {
        if let Some((fast, statement)) = &self.long_statement {
            fast.record(*statement, is_fast);
        }
    }

    /// Acquires a connection under this guard.
    pub(crate) async fn scope<T>(&self, run: impl Future<Output = T>) -> T {
        CURRENT.scope(self.guard.clone(), run).await
    }

    /// Runs a statement under this guard, on a connection that it acquires or that was acquired in [`Self::scope`].
    pub(crate) async fn statement<T>(&self, timeout: Option<Duration>, run: impl Future<Output = T>) -> T {
        self.guard.start(timeout);
        self.is_running.store(true, Ordering::Relaxed);
        let started = Instant::now();
        let result = self.scope(run).await;
        self.is_running.store(false, Ordering::Relaxed);
        self.record(started.elapsed() < FAST_DURATION);
        result
    }

    /// The session of PostgreSQL, if it was asked for.
    pub(crate) fn session(&self) -> Option<i32> {
        self.guard.session.get().copied()
    }
}

impl Drop for RunningRead {
    fn drop(&mut self) {
        if !self.is_running.load(Ordering::Relaxed) {
            return;
        }
        self.guard.is_abandoned.store(true, Ordering::Relaxed);
        self.record(false);
        let (Some(session), Ok(runtime)) = (self.session(), tokio::runtime::Handle::try_current()) else { return };
        let canceller = self.canceller.clone();
        runtime.spawn(async move {
            if let Err(error) = canceller.query_one(&dialect::cancel(session)).await {
                tracing::debug!(%error, "failed to cancel an abandoned statement");
            }
        });
    }
}

/// A future that finds the guard of this task in another one.
pub(crate) fn inherit<T>(run: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    let guard = CURRENT.try_with(Arc::clone).ok();
    async move {
        match guard {
            Some(guard) => CURRENT.scope(guard, run).await,
            None => run.await,
        }
    }
}

/// Lets the guards end the statements of a pool of SQLite.
pub(crate) fn guard_sqlite(connect: &mut ConnectOptions) {
    connect.map_sqlx_sqlite_pool_opts(|pool| pool.after_connect(|connection, _| Box::pin(set_progress_handler(connection))));
    connect.map_sqlx_sqlite_before_acquire(|connection, _| Box::pin(async move { set_progress_handler(connection).await.map(|()| true) }));
}

async fn set_progress_handler(connection: &mut SqliteConnection) -> Result<(), SqlxError> {
    let guard = CURRENT.try_with(Arc::clone).ok();
    let mut handle = connection.lock_handle().await?;
    match guard {
        Some(guard) => handle.set_progress_handler(PROGRESS_INSTRUCTIONS, move || guard.may_continue()),
        None => handle.remove_progress_handler(),
    }
    Ok(())
}

/// Lets the guards cancel the statements of a pool of PostgreSQL.
pub(crate) fn guard_postgres(connect: &mut ConnectOptions) {
    connect.map_sqlx_postgres_pool_opts(|pool| pool.after_connect(|connection, _| Box::pin(learn_session(connection))));
    connect.map_sqlx_postgres_before_acquire(|connection, _| Box::pin(async move { learn_session(connection).await.map(|()| true) }));
}

async fn learn_session(connection: &mut PgConnection) -> Result<(), SqlxError> {
    let Some(guard) = CURRENT.try_with(Arc::clone).ok().filter(|guard| guard.wants_session) else { return Ok(()) };
    let session: i32 = query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await?;
    // a read that is retried on another connection keeps its first session, which has ended
    let _ = guard.session.set(session);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, Statement};

    use super::*;
    use crate::store::db::pool::{Pools, StoreOptions};

    #[test]
    fn statement_is_fast_until_it_is_slow_or_abandoned() {
        let fast = FastStatements::default();
        let [a, b] = ["SELECT 1", "SELECT 2"].map(|sql| fast.hash(sql));
        fast.record(a, true);
        assert!(fast.contains(a) && !fast.contains(b));
        fast.record(a, false);
        assert!(!fast.contains(a));
    }

    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

    #[tokio::test]
    async fn statement_of_sqlite_ends_at_its_deadline_and_with_its_read() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let (pools, _) = Pools::connect(&StoreOptions { max_connections: 1, ..StoreOptions::new(url) }).await.unwrap();
        for pool in [&pools.reader, &pools.scanner, &pools.primary] {
            let endless = || pool.query_one_raw(Statement::from_string(DbBackend::Sqlite, ENDLESS));
            let read = RunningRead::new(&pools.scanner, ENDLESS, &Arc::default());
            assert!(read.statement(Some(Duration::from_millis(50)), endless()).await.is_err());
            let read = RunningRead::new(&pools.scanner, ENDLESS, &Arc::default());
            assert!(tokio::time::timeout(Duration::from_millis(50), read.statement(None, endless())).await.is_err());
            drop(read);
            // the connection is free again, and its statements are not ended
            for _ in 0..8 {
                pool.execute_unprepared("SELECT 1").await.unwrap();
            }
        }
    }
}
