//! Pools of connections, one for each kind of use, so that none of them takes the connections of another: writing,
//! reading for queries, reading of whole lists, and reading what has just been written.

use std::str::FromStr;
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{ConnectOptions as _, Connection, Error as SqlxError};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr};

use crate::observability::metrics;
use crate::observability::metrics::StatementKind;
use crate::observability::tracing as otel;
use crate::store::db::changes::Changes;
use crate::store::sql::dialect;

/// Connections of PostgreSQL that wait for their turn to write, and one that hears of changes.
const WRITERS: u32 = 5;
/// How long a connection to a replica is waited for at most.
const WAIT: Duration = Duration::from_millis(500);
/// Steps of its machine after which SQLite asks whether it should go on: some hundred microseconds.
const STEPS: i32 = 20_000;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// `sqlite://path`, `sqlite::memory:` or `postgres://user:password@host/database`.
    pub url: String,
    /// Connections for queries at most. Half as many are for whole lists, and PostgreSQL has five more to write.
    pub connections: u32,
    /// How long to wait for a connection before giving up.
    pub timeout: Duration,
    /// How long a statement of a query may run; the database ends one that takes longer. What is written, and what
    /// brings the schema up to date, may take as long as it needs.
    pub statement: Option<Duration>,
    /// Streaming replicas of PostgreSQL, which what is published is read from.
    pub replicas: Vec<String>,
    /// How long a replica may lack what the primary has before it is no longer asked.
    pub lag: Duration,
    /// Where changes are told, if that is not where it is written: the primary itself, behind a pooler.
    pub listen: Option<String>,
}

impl StoreOptions {
    /// A database with the usual number of connections, no bound on statements, and no replicas.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 8,
            timeout: Duration::from_secs(5),
            statement: None,
            replicas: Vec::new(),
            lag: Duration::from_secs(10),
            listen: None,
        }
    }
}

/// Connections to the database.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    /// For writing: a single connection on SQLite.
    pub(crate) writer: DatabaseConnection,
    /// For reading what is about to be changed or has just been: it sees every write that was acknowledged.
    pub(crate) primary: DatabaseConnection,
    /// For queries.
    pub(crate) reader: DatabaseConnection,
    /// For whole lists, each of which keeps its connection for minutes.
    pub(crate) walker: DatabaseConnection,
}

impl Pools {
    /// Connects, and gives what tells of changes besides.
    pub(crate) async fn connect(options: &StoreOptions) -> Result<(Self, Changes), DbErr> {
        match options.url.starts_with("sqlite") {
            true => sqlite(options).await,
            false => postgres(options).await,
        }
    }

    /// Closes all of them, each when it has done what it does.
    pub(crate) async fn close(&self) {
        for pool in [&self.writer, &self.primary, &self.reader, &self.walker] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::debug!(%error, "a pool of connections could not be closed");
            }
        }
    }

    /// What they are doing.
    pub(crate) fn state(&self) -> Vec<PoolStatus> {
        [("reading", &self.reader), ("tables", &self.walker), ("writing", &self.writer)].map(|(name, of)| PoolStatus::of(name, of)).into()
    }
}

/// What a pool of connections is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// What it is for.
    pub name: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// Connections at most.
    pub most: u32,
}

impl PoolStatus {
    fn of(name: &'static str, connection: &DatabaseConnection) -> Self {
        let (open, idle, most) = match connection.get_database_backend() {
            DbBackend::Postgres => {
                let pool = connection.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            _ => {
                let pool = connection.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        Self { name, open, idle: u32::try_from(idle).unwrap_or(u32::MAX), most }
    }
}

/// Name of a database system, as OpenTelemetry knows it.
pub(crate) fn system(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Postgres { "postgresql" } else { "sqlite" }
}

/// Connections for whole lists, where there are so many for queries.
pub fn walkers(connections: u32) -> u32 {
    (connections / 2).max(1)
}

fn base(options: &StoreOptions, url: &str) -> ConnectOptions {
    let mut connect = ConnectOptions::new(url);
    connect.sqlx_logging(false).test_before_acquire(false).acquire_timeout(options.timeout).connect_timeout(options.timeout);
    connect
}

/// Opens a pool of so many connections, with what counts and traces their statements. Beginnings and ends of transactions
/// are no statements.
async fn open(connect: &ConnectOptions, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut connection = Database::connect(connect.clone().max_connections(connections).to_owned()).await?;
    let system = system(connection.get_database_backend());
    connection.set_metric_callback(move |info| {
        let sql = info.statement.sql.as_str();
        metrics::record_statement(StatementKind::of(sql), info.elapsed, info.failed);
        otel::record_statement(system, sql, info.elapsed, info.failed);
    });
    Ok(connection)
}

async fn sqlite(options: &StoreOptions) -> Result<(Pools, Changes), DbErr> {
    if !options.replicas.is_empty() || options.listen.is_some() {
        return Err(DbErr::Custom("SQLite has no replicas and no address to listen at; leave them out, or take PostgreSQL".to_owned()));
    }
    let mut connect = base(options, &options.url);
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
    // every connection to a database in memory would see a database of its own
    if options.url.contains(":memory:") {
        let all = || writer.clone();
        return Ok((Pools { primary: all(), reader: all(), walker: all(), writer }, Changes::alone()));
    }
    let changes = Changes::file(open(&connect, 1).await?);
    // editors read through them too
    let walker = open(&connect, walkers(options.connections) + 2).await?;
    if let Some(bound) = options.statement {
        connect.map_sqlx_sqlite_pool_opts(move |pool| pool.after_connect(move |connection, _| Box::pin(end_after(connection, bound))));
        connect.map_sqlx_sqlite_before_acquire(move |connection, _| {
            Box::pin(async move { end_after(connection, bound).await.map(|()| true) })
        });
    }
    let reader = open(&connect, options.connections).await?;
    Ok((Pools { writer, primary: walker.clone(), reader, walker }, changes))
}

/// Has a connection end what it does for whoever takes it now, when so much time is over.
async fn end_after(connection: &mut SqliteConnection, bound: Duration) -> Result<(), SqlxError> {
    let end = Instant::now() + bound;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

fn refused(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

async fn postgres(options: &StoreOptions) -> Result<(Pools, Changes), DbErr> {
    let mut connect = base(options, &options.url);
    // a pool tries until its time is over, and then says no more than that; one connection says why there is none
    let one = PgConnectOptions::from_str(&options.url).map_err(refused)?;
    match tokio::time::timeout(options.timeout, one.connect()).await {
        Ok(connected) => connected.map_err(refused)?.close().await.map_err(refused)?,
        Err(_) => return Err(refused(SqlxError::PoolTimedOut)),
    }
    let writer = open(&connect, WRITERS).await?;
    bound(&mut connect, options);
    let reader = open(&connect, options.connections).await?;
    if let Some(bound) = options.statement {
        warn_of_unbound(&reader, bound).await?;
    }
    let walker = open(connect.connect_lazy(true), walkers(options.connections)).await?;
    Ok((Pools { primary: writer.clone(), writer, reader, walker }, Changes::told(options.listen.clone())))
}

/// Has PostgreSQL end statements that take too long.
fn bound(connect: &mut ConnectOptions, options: &StoreOptions) {
    if let Some(bound) = options.statement {
        let bound = bound.as_millis().to_string();
        connect.map_sqlx_postgres_opts(move |postgres| postgres.options([("statement_timeout", &bound)]));
    }
}

/// A pooler may leave out what a connection asks for at its beginning; then statements that take too long go on.
async fn warn_of_unbound(reader: &DatabaseConnection, bound: Duration) -> Result<(), DbErr> {
    let row = reader.query_one(&dialect::bound()).await?;
    let set: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    let set = set.and_then(|set| set.parse::<u64>().ok()).map(Duration::from_millis);
    if set.is_none_or(|set| set.is_zero() || set > bound) {
        tracing::warn!(
            ?set,
            wanted = ?bound,
            "the database does not end statements that take too long, as a pooler in between leaves statement_timeout out; set it for the role (ALTER ROLE ... SET statement_timeout)"
        );
    }
    Ok(())
}

/// Connections to a replica for queries, and for whole lists. None is made before it is needed, and none is waited for
/// long: there is the primary.
pub(crate) async fn replica(options: &StoreOptions, url: &str) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let mut connect = base(options, url);
    let wait = options.timeout.min(WAIT);
    connect.acquire_timeout(wait).connect_timeout(wait).connect_lazy(true);
    bound(&mut connect, options);
    Ok((open(&connect, options.connections).await?, open(&connect, walkers(options.connections)).await?))
}
