//! Connections: one writer and a pool of readers on SQLite, one pool on PostgreSQL.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    QueryResult, RuntimeErr, TransactionTrait, sqlx,
};
use tokio::sync::watch;

use super::change::Changes;
use super::condition::Sees;
use super::saved::SavedQueries;
use super::sql::statement;
use crate::clock::Clock;
use crate::error::{Error, Result, internal, unavailable};
use crate::meter::{self, Statement};
use crate::role::Role;
use crate::telemetry::trace;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://path`, `sqlite::memory:` or `postgres://user:password@host/database`.
    pub url: String,
    /// Connections for reading at most.
    pub connections: u32,
    /// How long to wait for a connection before giving up.
    pub timeout: Duration,
}

/// How the schema of the database and this program differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrations {
    /// Changes that the database lacks.
    pub pending: usize,
    /// Changes that the database has and the program does not know.
    pub unknown: usize,
}

/// What a pool of connections is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// What it is for.
    pub name: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// Connections at most.
    pub most: u32,
}

/// The store: everything that is read or written goes through it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) reader: DatabaseConnection,
    pub(super) writer: DatabaseConnection,
    /// Where instants and new ids come from.
    pub clock: Clock,
    pub(super) changes: Arc<Changes>,
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
        let mut connect = ConnectOptions::new(&options.url);
        connect.sqlx_logging(false).test_before_acquire(false).acquire_timeout(options.timeout).connect_timeout(options.timeout);
        let (writer, reader, changes) = if options.url.starts_with("sqlite") {
            connect.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .busy_timeout(Duration::from_secs(10))
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "NORMAL")
                    .pragma("cache_size", "-1024")
                    .pragma("temp_store", "MEMORY")
            });
            let single = async || watched(Database::connect(connect.clone().max_connections(1).to_owned()).await);
            let writer = single().await?;
            // every connection to a database in memory would see a database of its own
            if options.url.contains(":memory:") {
                (writer.clone(), writer, Changes::alone())
            } else {
                let changes = Changes::file(single().await?);
                (writer, watched(Database::connect(connect.max_connections(options.connections).to_owned()).await)?, changes)
            }
        } else {
            // one more than for reading: hearing of changes keeps a connection to itself
            let pool = watched(Database::connect(connect.max_connections(options.connections + 1).to_owned()).await)?;
            (pool.clone(), pool, Changes::told())
        };
        let (changes, statements) = (Arc::new(changes), Arc::default());
        let saved = SavedQueries::default();
        Ok(Self {
            reader,
            writer,
            clock,
            changes,
            saved,
            statements,
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
        let begun = match self.backend() {
            DbBackend::Postgres => self.reader.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await,
            _ => self.reader.begin().await,
        };
        Ok(Self { snapshot: Some(Arc::new(begun.map_err(database)?)), ..self.clone() })
    }

    /// Brings the schema of the database up to date; gives the number of changes made.
    pub async fn migrate(&self) -> Result<usize, DbErr> {
        let pending = self.pending_migrations().await?;
        Migrator::up(&self.writer, None).await?;
        Ok(pending)
    }

    /// Takes back the latest changes of the schema, with the data in them.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        Migrator::down(&self.writer, Some(steps)).await
    }

    /// Number of changes of the schema that the database does not have yet.
    pub async fn pending_migrations(&self) -> Result<usize, DbErr> {
        Ok(Migrator::get_pending_migrations_read_only(&self.writer).await?.len())
    }

    /// Changes of the schema that the database lacks, and those that it has and this program does not know.
    pub async fn migrations(&self) -> Result<Migrations> {
        let select = Query::select().column("version").from("seaql_migrations").to_owned();
        let rows = self.reader.query_all_raw(statement(self.backend(), &select)).await.map_err(database)?;
        let made = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<HashSet<String>, _>>().map_err(internal)?;
        let known: HashSet<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        Ok(Migrations { pending: known.difference(&made).count(), unknown: made.difference(&known).count() })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop).map_err(database)
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

    /// Hears of the writes of other processes, for as long as it is awaited.
    pub async fn listen(&self) {
        self.changes.listen(&self.reader).await;
    }

    /// Statements run for readers since the store was made.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Which database it is.
    pub(super) fn backend(&self) -> DbBackend {
        self.reader.get_database_backend()
    }

    /// What the connections are doing: one pool on PostgreSQL; on SQLite one for reading, and one of one that writes.
    pub fn pools(&self) -> Vec<Pool> {
        let pool =
            |name, size: (u32, usize, u32)| Pool { name, open: size.0, idle: u32::try_from(size.1).unwrap_or(u32::MAX), most: size.2 };
        match self.backend() {
            DbBackend::Postgres => {
                let all = self.reader.get_postgres_connection_pool();
                vec![pool("all", (all.size(), all.num_idle(), all.options().get_max_connections()))]
            }
            _ => [("reading", &self.reader), ("writing", &self.writer)]
                .map(|(name, connection)| {
                    let of = connection.get_sqlite_connection_pool();
                    pool(name, (of.size(), of.num_idle(), of.options().get_max_connections()))
                })
                .into(),
        }
    }

    /// Connections for reading at most.
    pub fn connections(&self) -> u32 {
        self.connections
    }

    /// Name of the database system, as OpenTelemetry knows it.
    pub fn system(&self) -> &'static str {
        system(self.backend())
    }

    /// Runs one statement for a reader. A connection is not asked whether it lives before each use, which would be a
    /// round trip each time; where the database has closed it meanwhile, the statement is run again on another.
    pub(super) async fn read(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let asked = meter::wait();
        let mut tries = self.connections;
        loop {
            let statement = statement(self.backend(), select);
            tracing::trace!(target: "kurultai::sql", sql = statement.sql);
            let result = match &self.snapshot {
                Some(snapshot) => return snapshot.query_all_raw(statement).await.inspect(|rows| meter::rows(rows.len())).map_err(database),
                None => self.reader.query_all_raw(statement).await,
            };
            match result {
                Err(error) if is_lost(&error) && tries > 0 => tries -= 1,
                result => {
                    meter::waited(asked);
                    return result.inspect(|rows| meter::rows(rows.len())).map_err(database);
                }
            }
        }
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

/// The same connections, with what counts and traces their statements. Beginnings and ends of transactions are no
/// statements.
fn watched(connected: Result<DatabaseConnection, DbErr>) -> Result<DatabaseConnection, DbErr> {
    let mut connection = connected?;
    let system = system(connection.get_database_backend());
    connection.set_metric_callback(move |info| {
        let sql = info.statement.sql.as_str();
        meter::statement(Statement::of(sql), info.elapsed, info.failed);
        trace::statement(system, sql, info.elapsed, info.failed);
    });
    Ok(connection)
}

fn system(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Postgres { "postgresql" } else { "sqlite" }
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

/// Tells a database that is away from a fault of ours.
pub(super) fn database(error: DbErr) -> Error {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => unavailable(error),
        _ => internal(error),
    }
}
