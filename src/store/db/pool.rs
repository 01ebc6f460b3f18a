//! Connection pools, one for each kind of use so that none starves another: writes, queries, scans of whole lists, reads of
//! editors, and the short reads of the server itself.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{ConnectOptions as _, Connection, Error as SqlxError};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, RuntimeErr};

use crate::store::db::changes::Changes;
use crate::store::db::statement::{record_statement, system};
use crate::store::db::statement_guard::{guard_postgres, guard_sqlite};
use crate::store::sql::dialect;
use crate::store::sql::dialect::Dialect;

/// Connections to PostgreSQL for writes, which queue for a lock, and for change notifications.
const PG_WRITER_CONNECTIONS: u32 = 5;
/// Connections for the reads of editors and admins.
const EDITOR_CONNECTIONS: u32 = 4;
/// Connections for tokens, readiness and the dataset version: each statement reads one row.
const CONTROL_CONNECTIONS: u32 = 2;
/// Connections for scans of editors and admins, in addition to those of readers.
const EDITOR_SCANNER_CONNECTIONS: u32 = 2;
/// Longest wait for a connection to a replica.
const REPLICA_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(500);

/// How to connect to the database.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// `sqlite://path`, `sqlite::memory:` or `postgres://user:password@host/database`.
    pub url: String,
    /// Maximum number of connections for queries. Half as many and two more are opened for scans, four for editors, two for
    /// tokens and probes, and on PostgreSQL five for writes.
    pub max_connections: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// Time limit of a statement of a query, enforced by the database. Writes and migrations have none.
    pub statement_timeout: Option<Duration>,
    /// Addresses of streaming replicas of PostgreSQL, which serve reads of published records.
    pub replicas: Vec<String>,
    /// Replication lag from which on a replica serves no reads.
    pub max_replica_lag: Duration,
    /// Address to listen for change notifications at, if it differs from `url`: that of the primary behind a pooler.
    pub listen_url: Option<String>,
    /// Secret of the digests by which withheld persons are recognized.
    pub withholding_secret: Option<String>,
}

impl StoreOptions {
    /// Options with the default number of connections, no statement timeout and no replicas.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 8,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: None,
            replicas: Vec::new(),
            max_replica_lag: Duration::from_secs(10),
            listen_url: None,
            withholding_secret: None,
        }
    }
}

/// The connection pools of the primary.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    /// For writes: a single connection on SQLite.
    pub(crate) writer: DatabaseConnection,
    /// For the reads of editors and admins, which must observe every acknowledged write.
    pub(crate) primary: DatabaseConnection,
    /// For short reads that every request may depend on: tokens, readiness and the dataset version.
    pub(crate) control: DatabaseConnection,
    /// For queries.
    pub(crate) reader: DatabaseConnection,
    /// For scans of whole lists, each of which may hold its connection for minutes.
    pub(crate) scanner: DatabaseConnection,
}

impl Pools {
    /// Connects to the database.
    pub(crate) async fn connect(options: &StoreOptions) -> Result<(Self, Changes), DbErr> {
        if options.url.starts_with("sqlite") { connect_sqlite(options).await } else { connect_postgres(options).await }
    }

    /// Closes all pools once their statements have ended.
    pub(crate) async fn close(&self) {
        for pool in [&self.writer, &self.primary, &self.control, &self.reader, &self.scanner] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::debug!(%error, "failed to close a connection pool");
            }
        }
    }

    /// Status of the pools.
    pub(crate) fn status(&self) -> Vec<PoolStatus> {
        let pools = [
            ("reading", &self.reader),
            ("tables", &self.scanner),
            ("editing", &self.primary),
            ("control", &self.control),
            ("writing", &self.writer),
        ];
        pools.map(|(name, of)| PoolStatus::of(name, of)).into()
    }
}

/// Status of a connection pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Its use.
    pub name: &'static str,
    /// Number of open connections.
    pub open: u32,
    /// Number of open connections that are idle.
    pub idle: u32,
    /// Maximum number of connections.
    pub max: u32,
}

impl PoolStatus {
    fn of(name: &'static str, connection: &DatabaseConnection) -> Self {
        let (open, idle, max) = match Dialect::of(connection.get_database_backend()) {
            Dialect::Postgres => {
                let pool = connection.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            Dialect::Sqlite => {
                let pool = connection.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        Self { name, open, idle: u32::try_from(idle).unwrap_or(u32::MAX), max }
    }
}

/// Number of connections for scans, given the number for queries.
pub fn scanner_connections(connections: u32) -> u32 {
    (connections / 2).max(1)
}

fn base_options(options: &StoreOptions, url: &str) -> ConnectOptions {
    let mut connect = ConnectOptions::new(url);
    connect
        .sqlx_logging(false)
        .test_before_acquire(false)
        .acquire_timeout(options.acquire_timeout)
        .connect_timeout(options.acquire_timeout);
    connect
}

/// Opens a pool whose statements are measured and traced, except those that begin or end transactions.
async fn open(connect: &ConnectOptions, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut connection = Database::connect(connect.clone().max_connections(connections).to_owned()).await?;
    let system = system(connection.get_database_backend());
    connection.set_metric_callback(move |info| {
        record_statement(system, info.statement.sql.as_str(), info.elapsed, info.failed);
    });
    Ok(connection)
}

async fn connect_sqlite(options: &StoreOptions) -> Result<(Pools, Changes), DbErr> {
    if !options.replicas.is_empty() || options.listen_url.is_some() {
        let message = "SQLite has no replicas and no address for change notifications; remove these settings, or use PostgreSQL";
        return Err(DbErr::Custom(message.to_owned()));
    }
    let mut connect = base_options(options, &options.url);
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
    let writer = open(&connect, 1).await?;
    // each connection to an in-memory database would open a database of its own
    if options.url.contains(":memory:") {
        let all = || writer.clone();
        return Ok((Pools { primary: all(), control: all(), reader: all(), scanner: all(), writer }, Changes::single_process()));
    }
    let changes = Changes::polled(open(&connect, 1).await?);
    let control = open(&connect, CONTROL_CONNECTIONS).await?;
    guard_sqlite(&mut connect);
    let primary = open(&connect, EDITOR_CONNECTIONS).await?;
    let scanner = open(&connect, scanner_connections(options.max_connections) + EDITOR_SCANNER_CONNECTIONS).await?;
    let reader = open(&connect, options.max_connections).await?;
    Ok((Pools { writer, primary, control, reader, scanner }, changes))
}

fn connect_error(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

async fn connect_postgres(options: &StoreOptions) -> Result<(Pools, Changes), DbErr> {
    let mut connect = base_options(options, &options.url);
    // a pool retries until its timeout and reports only that; a single connection reports the cause
    let single = PgConnectOptions::from_str(&options.url).map_err(connect_error)?;
    match tokio::time::timeout(options.acquire_timeout, single.connect()).await {
        Ok(connected) => connected.map_err(connect_error)?.close().await.map_err(connect_error)?,
        Err(_) => return Err(connect_error(SqlxError::PoolTimedOut)),
    }
    // a transaction is not repeated on another connection, so a connection is tested before it begins one
    let mut tested = connect.clone();
    tested.test_before_acquire(true);
    let writer = open(&tested, PG_WRITER_CONNECTIONS).await?;
    // opened when needed, and without the statement timeout: dry runs of imports may take longer
    let primary = open(tested.connect_lazy(true), EDITOR_CONNECTIONS).await?;
    set_statement_timeout(&mut connect, options);
    guard_postgres(&mut connect);
    let reader = open(&connect, options.max_connections).await?;
    if let Some(timeout) = options.statement_timeout {
        check_statement_timeout(&reader, timeout).await?;
    }
    connect.connect_lazy(true);
    let control = open(&connect, CONTROL_CONNECTIONS).await?;
    let scanner = open(&connect, scanner_connections(options.max_connections) + EDITOR_SCANNER_CONNECTIONS).await?;
    Ok((Pools { writer, primary, control, reader, scanner }, Changes::notified(options.listen_url.clone())))
}

/// Sets the `statement_timeout` of new connections to PostgreSQL.
fn set_statement_timeout(connect: &mut ConnectOptions, options: &StoreOptions) {
    if let Some(timeout) = options.statement_timeout {
        let milliseconds = timeout.as_millis().to_string();
        connect.map_sqlx_postgres_opts(move |postgres| postgres.options([("statement_timeout", &milliseconds)]));
    }
}

/// Warns if the `statement_timeout` is not in effect: a pooler may drop the startup options of a connection.
async fn check_statement_timeout(reader: &DatabaseConnection, timeout: Duration) -> Result<(), DbErr> {
    let row = reader.query_one(&dialect::statement_timeout()).await?;
    let effective: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    let effective = effective.and_then(|value| value.parse::<u64>().ok()).map(Duration::from_millis);
    if effective.is_none_or(|effective| effective.is_zero() || effective > timeout) {
        tracing::warn!(
            ?effective,
            configured = ?timeout,
            "statement_timeout is not in effect, as a pooler in between drops it; set it for the role (ALTER ROLE ... SET statement_timeout)"
        );
    }
    Ok(())
}

/// Opens the pools of a replica, for queries and for scans. They connect on first use and give up early, as the primary
/// can answer instead.
pub(crate) async fn open_replica(options: &StoreOptions, url: &str) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let mut connect = base_options(options, url);
    let timeout = options.acquire_timeout.min(REPLICA_ACQUIRE_TIMEOUT);
    connect.acquire_timeout(timeout).connect_timeout(timeout).connect_lazy(true);
    set_statement_timeout(&mut connect, options);
    guard_postgres(&mut connect);
    Ok((open(&connect, options.max_connections).await?, open(&connect, scanner_connections(options.max_connections)).await?))
}
