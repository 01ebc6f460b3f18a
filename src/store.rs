//! The store: what is read and written goes through it, and errors of the database become ours here.

pub mod access;
pub mod aggregate;
pub mod curation;
pub mod db;
pub mod draft;
pub mod history;
pub mod read;
pub mod search;
pub mod sql;
pub mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::sea_query::SelectStatement;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement, sqlx};
use tokio::sync::watch;

use crate::core::auth::Role;
use crate::core::clock::Clock;
use crate::core::error::{Error, Result, internal, unavailable};
use crate::observability::metrics;
use crate::store::access::saved_query_cache::SavedQueryCache;
use crate::store::db::changes::Changes;
use crate::store::db::pool;
use crate::store::db::pool::{PoolStatus, Pools};
use crate::store::db::replica::{Replica, ReplicaState, Replicas};
use crate::store::db::snapshot::Snapshot;
use crate::store::sql::filter::Visibility;
use crate::store::sql::statement::statement;

pub use crate::store::db::migrations::Migrations;
pub use crate::store::db::pool::{StoreOptions, walkers};

/// The store: everything that is read or written goes through it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    /// Where instants and new ids come from.
    pub clock: Clock,
    pub(crate) changes: Arc<Changes>,
    replicas: Arc<Replicas>,
    pub(crate) saved: SavedQueryCache,
    pub(crate) statements: Arc<AtomicU64>,
    /// Connections for reading at most.
    connections: u32,
    /// Whom it reads for.
    pub(crate) sees: Visibility,
    /// The one transaction that everything is read in, where it is to be of one moment.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// How long a statement may run.
    pub(crate) bound: Option<Duration>,
}

impl Store {
    /// Connects, without changing anything.
    pub async fn connect(options: &StoreOptions, clock: Clock) -> Result<Self, DbErr> {
        let (pools, changes) = Pools::connect(options).await?;
        Ok(Self {
            pools,
            clock,
            changes: Arc::new(changes),
            replicas: Arc::new(Replicas::new(options).await?),
            saved: SavedQueryCache::default(),
            statements: Arc::default(),
            connections: options.connections,
            sees: Visibility::Published,
            snapshot: None,
            bound: options.statement,
        })
    }

    /// The same store as one with this role sees it; who has none sees what is published.
    pub fn seen_by(&self, role: Role) -> Self {
        let sees = if role.sees_drafts() { Visibility::All } else { Visibility::Published };
        Self { sees, ..self.clone() }
    }

    /// Closes all connections to the primary, each when it has done what it does. Nothing can be read or written after.
    pub async fn close(&self) {
        self.pools.close().await;
        self.changes.close().await;
    }

    /// Whether the database answers; where the primary is away, a replica does.
    pub async fn ping(&self) -> Result<()> {
        let pool = match self.replica() {
            Some(replica) if self.changes.is_away() => &replica.reader,
            _ => &self.pools.reader,
        };
        pool.execute_unprepared("SELECT 1").await.map(drop).map_err(database)
    }

    /// How the replicas are, as far as [`Store::listen`] has found out.
    pub fn replicas(&self) -> Vec<ReplicaState> {
        self.replicas.states(&self.changes)
    }

    /// A number that differs from every number given before the latest write, also one of another process; nothing
    /// where that cannot be known, as before [`Store::listen`] hears.
    pub async fn generation(&self) -> Option<u64> {
        self.changes.generation().await
    }

    /// What tells of every change from now on, also of another process for as long as [`Store::listen`] hears.
    pub fn waking(&self) -> watch::Receiver<()> {
        self.changes.waking()
    }

    /// Hears of the writes of other processes, and finds out how the replicas are, for as long as it is awaited.
    pub async fn listen(&self) {
        tokio::join!(self.changes.listen(&self.pools.writer), self.replicas.attend(&self.changes));
    }

    /// Statements run for readers since the store was made.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The replica that it may be read from now; none for editors, who see what they have just written.
    pub(crate) fn replica(&self) -> Option<&Replica> {
        match self.sees {
            Visibility::All => None,
            Visibility::Published => self.replicas.next(&self.changes),
        }
    }

    /// Which database it is.
    pub(crate) fn backend(&self) -> DbBackend {
        self.pools.reader.get_database_backend()
    }

    /// What the connections are doing.
    pub fn pools(&self) -> Vec<PoolStatus> {
        self.pools.state()
    }

    /// Connections for reading at most.
    pub fn connections(&self) -> u32 {
        self.connections
    }

    /// Name of the database system, as OpenTelemetry knows it.
    pub fn system(&self) -> &'static str {
        pool::system(self.backend())
    }

    /// Runs one statement for a reader. A connection is not asked whether it lives before each use, which would be a
    /// round trip each time; where the database has closed it meanwhile, the statement is run again on another. What a
    /// replica does not answer the primary does.
    pub(crate) async fn read(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        if let Some(snapshot) = &self.snapshot {
            self.statements.fetch_add(1, Ordering::Relaxed);
            return snapshot.read(self.written(select)).await;
        }
        if let Some(replica) = self.replica() {
            let read = tokio::select! {
                read = self.read_from(&replica.reader, select) => Some(read),
                () = replica.gone() => None,
            };
            match read {
                Some(Err(error)) if is_passing(&error) => {
                    tracing::debug!(%error, "what a replica did not answer is asked of the primary");
                    replica.suspect();
                }
                Some(read) => return read.map_err(database),
                None => {}
            }
        }
        let pool = if self.sees == Visibility::All { &self.pools.primary } else { &self.pools.reader };
        self.read_from_primary(pool, select).await
    }

    /// Runs one statement that must see every write that was acknowledged, such as whether a token was taken back.
    pub(crate) async fn read_now(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        self.read_from_primary(&self.pools.primary, select).await
    }

    /// Runs one statement on the primary, which is not waited for where it is known to be away.
    async fn read_from_primary(&self, pool: &DatabaseConnection, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        if !self.replicas.are_there() {
            return self.read_from(pool, select).await.map_err(database);
        }
        tokio::select! {
            biased;
            () = self.replicas.left_alone() => Err(unavailable("the primary is away")),
            read = self.read_from(pool, select) => read.map_err(database),
        }
    }

    async fn read_from(&self, pool: &DatabaseConnection, select: &SelectStatement) -> Result<Vec<QueryResult>, DbErr> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let asked = metrics::start_wait();
        let mut tries = self.connections;
        loop {
            match pool.query_all_raw(self.written(select)).await {
                Err(error) if is_lost(&error) && tries > 0 => tries -= 1,
                result => {
                    metrics::record_connection_wait(asked);
                    return result.inspect(|rows| metrics::record_rows(rows.len()));
                }
            }
        }
    }

    /// The row of one statement on the primary that readers are not charged with.
    pub(crate) async fn look_up(&self, select: &SelectStatement) -> Result<Option<QueryResult>> {
        if !self.replicas.are_there() {
            return self.pools.reader.query_one_raw(statement(self.backend(), select)).await.map_err(database);
        }
        let row = tokio::select! {
            biased;
            () = self.replicas.left_alone() => Err(unavailable("the primary is away")),
            row = self.pools.reader.query_one_raw(statement(self.backend(), select)) => row.map_err(database),
        };
        // what was seen here replicas may lack, though nobody has told of it yet
        self.changes.mark.advance();
        row
    }

    pub(crate) fn written(&self, select: &SelectStatement) -> Statement {
        let statement = statement(self.backend(), select);
        tracing::trace!(target: "kurultai::sql", sql = statement.sql);
        statement
    }

    /// Runs one statement that gives one number of rows, for a reader.
    pub(crate) async fn read_count(&self, select: &SelectStatement) -> Result<u64> {
        let rows = self.read(select).await?;
        let count: Option<i64> = rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// Runs one statement that gives one text, or nothing, for a reader.
    pub(crate) async fn read_text(&self, select: &SelectStatement) -> Result<Option<String>> {
        let rows = self.read(select).await?;
        rows.first().map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)
    }
}

/// What the database itself says is wrong, by its code.
fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    error.as_database_error()?.code().map(|code| code.into_owned())
}

/// The primary code of SQLite in an extended one; codes of PostgreSQL have five characters.
fn sqlite(code: &str) -> Option<u32> {
    (code.len() < 5).then(|| code.parse::<u32>().ok()).flatten().map(|code| code & 0xff)
}

/// Whether the database closed the connection: for all that is known, the next one works.
fn is_lost(error: &DbErr) -> bool {
    match error {
        DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)) if matches!(**error, sqlx::Error::Io(_)) => {
            true
        }
        // class 57P: the server ends, or was told to end the connection
        error => code(error).is_some_and(|code| code.starts_with("57P")),
    }
}

/// Whether what was asked for is a table that is not there (undefined_table, and what SQLite says of a statement that it
/// cannot read).
pub(crate) fn lacks_table(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code == "42P01" || code == "1")
}

/// Whether another server would answer: this one has no connection left, is away, or cannot go on with the statement while
/// it follows the primary.
pub(crate) fn is_passing(error: &DbErr) -> bool {
    if let Some(code) = code(error) {
        // 40: conflict with what is replayed; 57P: it ends, or begins; 08, 53, 58, XX: no connection, no room, no disk, no order
        return code.len() == 5 && ["40", "57P", "08", "53", "58", "XX"].iter().any(|class| code.starts_with(class));
    }
    match error {
        DbErr::Query(RuntimeErr::SqlxError(cause)) | DbErr::Exec(RuntimeErr::SqlxError(cause)) => matches!(
            **cause,
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_)
        ),
        error => matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)),
    }
}

/// Whether the file is no database (SQLITE_CORRUPT, SQLITE_NOTADB).
pub fn is_damaged(error: &DbErr) -> bool {
    code(error).and_then(|code| sqlite(&code)).is_some_and(|code| matches!(code, 11 | 26))
}

fn read_only(reason: &'static str, error: DbErr) -> Error {
    Error::ReadOnly { reason, source: Arc::new(error) }
}

/// Tells a database that is away or cannot be written to, and a question that is too much for it, from a fault of ours.
pub(crate) fn database(error: DbErr) -> Error {
    let code = code(&error).unwrap_or_default();
    match (code.as_str(), sqlite(&code)) {
        // query_canceled, SQLITE_INTERRUPT
        ("57014", _) | (_, Some(9)) => Error::Timeout,
        // read_only_sql_transaction, SQLITE_READONLY
        ("25006", _) | (_, Some(8)) => read_only("it is read-only", error),
        // disk_full, SQLITE_FULL, SQLITE_IOERR
        ("53100", _) | (_, Some(10 | 13)) => read_only("its disk is full or failing", error),
        // too_many_connections, cannot_connect_now and what else class 57P tells of a server that ends, SQLITE_BUSY
        ("53300", _) | (_, Some(5)) => unavailable(error),
        (code, _) if code.starts_with("57P") => unavailable(error),
        _ => match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => unavailable(error),
            error if is_lost(&error) => unavailable(error),
            error => internal(error),
        },
    }
}
