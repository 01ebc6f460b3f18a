//! The store: what is read and written goes through it, and errors of the database become ours here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::SelectStatement;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, QueryResult, RuntimeErr,
    Statement, TransactionTrait, sqlx,
};
use tokio::sync::watch;

use super::change::Changes;
use super::condition::Sees;
use super::pool::Pools;
use super::replica::{Replica, ReplicaState, Replicas};
use super::saved::SavedQueries;
use super::sql::statement;
use crate::clock::Clock;
use crate::error::{Error, Result, internal, too_slow, unavailable};
use crate::role::Role;

pub use super::pool::{Options, walkers};

/// The store: everything that is read or written goes through it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pools: Pools,
    /// Where instants and new ids come from.
    pub clock: Clock,
    pub(super) changes: Arc<Changes>,
    replicas: Arc<Replicas>,
    pub(super) saved: SavedQueries,
    statements: Arc<AtomicU64>,
    /// Connections for reading at most.
    connections: u32,
    /// Whom it reads for.
    pub(super) sees: Sees,
    /// The one transaction that everything is read in, where it is to be of one moment.
    snapshot: Option<Arc<DatabaseTransaction>>,
}

impl Store {
    /// Connects, without changing anything.
    pub async fn connect(options: &Options, clock: Clock) -> Result<Self, DbErr> {
        let (pools, changes) = Pools::connect(options).await?;
        Ok(Self {
            pools,
            clock,
            changes: Arc::new(changes),
            replicas: Arc::new(Replicas::new(options).await?),
            saved: SavedQueries::default(),
            statements: Arc::default(),
            connections: options.connections,
            sees: Sees::Published,
            snapshot: None,
        })
    }

    /// The same store as one with this role sees it; who has none sees what is published.
    pub fn seen_by(&self, role: Role) -> Self {
        let sees = if role.sees_drafts() { Sees::All } else { Sees::Published };
        Self { sees, ..self.clone() }
    }

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
        Ok(Self { snapshot: Some(Arc::new(begun.map_err(database)?)), ..self.clone() })
    }

    /// Begins a transaction that sees one moment.
    async fn stand_still(&self, pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
        match self.backend() {
            DbBackend::Postgres => pool.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await,
            _ => pool.begin().await,
        }
    }

    /// Brings the schema of the database up to date; gives the number of changes made.
    pub async fn migrate(&self) -> Result<usize, DbErr> {
        let pending = self.pending_migrations().await?;
        Migrator::up(&self.pools.writer, None).await?;
        Ok(pending)
    }

    /// Takes back the latest changes of the schema, with the data in them.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        Migrator::down(&self.pools.writer, Some(steps)).await
    }

    /// Number of changes of the schema that the database does not have yet.
    pub async fn pending_migrations(&self) -> Result<usize, DbErr> {
        Ok(Migrator::get_pending_migrations_read_only(&self.pools.writer).await?.len())
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
    fn replica(&self) -> Option<&Replica> {
        match self.sees {
            Sees::All => None,
            Sees::Published => self.replicas.next(&self.changes),
        }
    }

    /// Which database it is.
    pub(super) fn backend(&self) -> DbBackend {
        self.pools.reader.get_database_backend()
    }

    /// Runs one statement for a reader. A connection is not asked whether it lives before each use, which would be a
    /// round trip each time; where the database has closed it meanwhile, the statement is run again on another. What a
    /// replica does not answer the primary does.
    pub(super) async fn read(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        if let Some(snapshot) = &self.snapshot {
            self.statements.fetch_add(1, Ordering::Relaxed);
            let read = snapshot.query_all_raw(self.written(select)).await;
            return read.map_err(|error| if is_passing(&error) { unavailable(error) } else { database(error) });
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
        let pool = if self.sees == Sees::All { &self.pools.primary } else { &self.pools.reader };
        self.read_from_primary(pool, select).await
    }

    /// Runs one statement that must see every write that was acknowledged, such as whether a token was taken back.
    pub(super) async fn read_now(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
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
        let mut tries = self.connections;
        loop {
            match pool.query_all_raw(self.written(select)).await {
                Err(error) if is_lost(&error) && tries > 0 => tries -= 1,
                result => return result,
            }
        }
    }

    /// The row of one statement on the primary that readers are not charged with.
    pub(super) async fn look_up(&self, select: &SelectStatement) -> Result<Option<QueryResult>> {
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

    fn written(&self, select: &SelectStatement) -> Statement {
        let statement = statement(self.backend(), select);
        tracing::trace!(target: "kurultai::sql", sql = statement.sql);
        statement
    }

    /// Runs one statement that gives one number of rows, for a reader.
    pub(super) async fn read_count(&self, select: &SelectStatement) -> Result<u64> {
        let rows = self.read(select).await?;
        let count: Option<i64> = rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// Runs one statement that gives one text, or nothing, for a reader.
    pub(super) async fn read_text(&self, select: &SelectStatement) -> Result<Option<String>> {
        let rows = self.read(select).await?;
        rows.first().map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)
    }
}

/// Whether the database closed the connection: for all that is known, the next one works.
fn is_lost(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error else { return false };
    match &**error {
        sqlx::Error::Io(_) => true,
        // class 57P: the server ends, or was told to end the connection
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Whether another server would answer: this one has no connection left, is away, or cannot go on with the statement while
/// it follows the primary.
fn is_passing(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause))) = error
    else {
        return matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_));
    };
    match &**cause {
        // 40: conflict with what is replayed; 57P: it ends, or begins; 08, 53, 58, XX: no connection, no room, no disk, no order
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.len() == 5 && ["40", "57P", "08", "53", "58", "XX"].iter().any(|class| code.starts_with(class))),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => true,
        _ => matches!(error, DbErr::Conn(_)),
    }
}

/// Whether the database ended a statement because it took too long.
fn is_ended(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error else { return false };
    // query_canceled of PostgreSQL, SQLITE_INTERRUPT of SQLite
    error.as_database_error().and_then(|error| error.code().map(|code| code == "57014" || code == "9")).unwrap_or(false)
}

/// Tells a database that is away, and a question that is too much for it, from a fault of ours.
pub(super) fn database(error: DbErr) -> Error {
    match error {
        error if is_ended(&error) => too_slow(),
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => unavailable(error),
        _ => internal(error),
    }
}
