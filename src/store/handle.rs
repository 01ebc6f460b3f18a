//! The store handle: the connections, and which of them serves a read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::sea_query::SelectStatement;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};
use tokio::sync::watch;

use crate::core::auth::Role;
use crate::core::clock::Clock;
use crate::core::error::{Result, internal, unavailable};
use crate::entity::RecordType;
use crate::observability::metrics;
use crate::store::access::saved_query_cache::SavedQueryCache;
use crate::store::db::changes::Changes;
use crate::store::db::derived::DerivedCache;
use crate::store::db::pool::{PoolStatus, Pools, StoreOptions};
use crate::store::db::replica::{Replica, ReplicaState, Replicas};
use crate::store::db::snapshot::{RowBatches, Snapshot};
use crate::store::db::statement::{fetch_rows, system};
use crate::store::db::statement_guard::{FastStatements, RunningRead};
use crate::store::error::{database, is_connection_lost, is_transient};
use crate::store::likeness::pair::DuplicatePairs;
use crate::store::read::table_sizes::TableSizes;
use crate::store::sql::filter::Visibility;
use crate::store::sql::statement::statement;

/// A handle on the database. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    /// Source of instants and of new ids.
    pub clock: Clock,
    pub(crate) changes: Arc<Changes>,
    replicas: Arc<Replicas>,
    pub(crate) saved_queries: SavedQueryCache,
    statement_count: Arc<AtomicU64>,
    fast_statements: Arc<FastStatements>,
    pub(crate) table_sizes: TableSizes,
    /// Numbers of records that need care, by the name of the reason and the type.
    pub(crate) care_counts: DerivedCache<HashMap<(&'static str, RecordType), u64>>,
    /// Possible duplicates among records of these types.
    pub(crate) duplicate_pairs: DerivedCache<HashMap<Vec<RecordType>, Arc<DuplicatePairs>>>,
    /// Size of the pool for queries.
    max_connections: u32,
    /// Whether reads include drafts.
    pub(crate) visibility: Visibility,
    /// The transaction that serves all reads, if they must observe one instant.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Time limit of one statement.
    statement_timeout: Option<Duration>,
    /// Secret of the digests by which withheld persons are recognized.
    pub(crate) withholding_secret: Option<Arc<str>>,
}

impl Store {
    /// Connects to the database, without changing it.
    pub async fn connect(options: &StoreOptions, clock: Clock) -> Result<Self, DbErr> {
        let (pools, changes) = Pools::connect(options).await?;
        Ok(Self {
            pools,
            clock,
            changes: Arc::new(changes),
            replicas: Arc::new(Replicas::new(options).await?),
            saved_queries: SavedQueryCache::default(),
            statement_count: Arc::default(),
            fast_statements: Arc::default(),
            table_sizes: TableSizes::default(),
            care_counts: DerivedCache::default(),
            duplicate_pairs: DerivedCache::default(),
            max_connections: options.max_connections,
            visibility: Visibility::Published,
            snapshot: None,
            statement_timeout: options.statement_timeout,
            withholding_secret: options.withholding_secret.as_deref().map(Arc::from),
        })
    }

    /// The store as seen by a role: editors and admins see drafts, readers see published records.
    pub fn for_role(&self, role: Role) -> Self {
        let visibility = if role.sees_drafts() { Visibility::All } else { Visibility::Published };
        Self { visibility, ..self.clone() }
    }

    /// Closes all connections to the primary once their statements have ended. Reads and writes fail afterwards.
    pub async fn close(&self) {
        self.pools.close().await;
        self.changes.close().await;
    }

    /// Checks that the database answers; while the primary is down, that a replica does.
    pub async fn ping(&self) -> Result<()> {
        let pool = match self.replica() {
            Some(replica) if self.changes.is_primary_down() => &replica.reader,
            _ => &self.pools.control,
        };
        pool.execute_unprepared("SELECT 1").await.map(drop).map_err(database)
    }

    /// Status of the replicas, as last observed by [`Store::listen`].
    pub fn replicas(&self) -> Vec<ReplicaState> {
        self.replicas.states(&self.changes)
    }

    /// The generation of the dataset: a number that differs from all numbers returned before the latest write, including
    /// writes of other processes. `None` if it cannot be known, as before [`Store::listen`] has subscribed.
    pub async fn generation(&self) -> Option<u64> {
        self.changes.generation().await
    }

    /// Subscribes to changes of the dataset; changes by other processes are included while [`Store::listen`] runs.
    pub fn subscribe_changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Listens for writes of other processes and probes the primary and its replicas. Never completes while there is
    /// anything to listen for.
    pub async fn listen(&self) {
        tokio::join!(self.changes.listen(&self.pools.writer), self.replicas.monitor(&self.changes));
    }

    /// Number of statements executed for reads since the store was connected.
    pub fn statement_count(&self) -> u64 {
        self.statement_count.load(Ordering::Relaxed)
    }

    /// A replica that may serve reads now. `None` for editors: they read their own writes.
    fn replica(&self) -> Option<&Replica> {
        match self.visibility {
            Visibility::All => None,
            Visibility::Published => self.replicas.next(&self.changes),
        }
    }

    /// Time limit of one statement of a query.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.statement_timeout
    }

    /// The generation of the dataset that reads observe. Not set if changes may be missed, and for the reads of a snapshot, which
    /// may be older.
    pub(crate) async fn latest_generation(&self) -> Option<u64> {
        if self.snapshot.is_some() { None } else { self.changes.generation().await }
    }

    /// The kind of database.
    pub(crate) fn backend(&self) -> DbBackend {
        self.pools.reader.get_database_backend()
    }

    /// Status of the connection pools.
    pub fn pools(&self) -> Vec<PoolStatus> {
        self.pools.status()
    }

    /// Size of the pool for queries.
    pub fn max_connections(&self) -> u32 {
        self.max_connections
    }

    /// Name of the database system in OpenTelemetry's conventions.
    pub fn system(&self) -> &'static str {
        system(self.backend())
    }

    /// Executes a statement for a read: in the snapshot if there is one, else on a replica, else on the primary. The
    /// primary answers where a replica fails. Connections are not tested before each use, which would cost a round trip;
    /// a statement is retried if its connection turns out to be closed.
    pub(crate) async fn fetch_all(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        if let Some(snapshot) = &self.snapshot {
            self.statement_count.fetch_add(1, Ordering::Relaxed);
            return snapshot.fetch_all(self.render(select), self.statement_timeout).await;
        }
        if let Some(replica) = self.replica() {
            let rows = tokio::select! {
                rows = self.fetch_from((&replica.reader, &replica.scanner), select) => Some(rows),
                () = replica.unavailable() => None,
            };
            match rows {
                Some(Err(error)) if is_transient(&error) => {
                    tracing::debug!(%error, "falling back to the primary after a replica failed");
                    replica.request_probe();
                }
                Some(rows) => return rows.map_err(database),
                None => {}
            }
        }
        let pool = if self.visibility == Visibility::All { &self.pools.primary } else { &self.pools.reader };
        self.fetch_from_primary(pool, select).await
    }

    /// Executes a short statement that must observe every acknowledged write, such as the check whether a token was revoked.
    pub(crate) async fn fetch_latest(&self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        self.fetch_from_primary(&self.pools.control, select).await
    }

    /// Executes a statement on the primary; fails at once while the primary is known to be down.
    async fn fetch_from_primary(&self, pool: &DatabaseConnection, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        if self.replicas.is_empty() {
            return self.fetch_from((pool, &self.pools.scanner), select).await.map_err(database);
        }
        tokio::select! {
            biased;
            () = self.replicas.primary_down() => Err(unavailable("the primary is down")),
            rows = self.fetch_from((pool, &self.pools.scanner), select) => rows.map_err(database),
        }
    }

    /// Executes a statement on a pool; it ends when the future is dropped. `canceller` is another pool of the same server.
    async fn fetch_from(
        &self,
        (pool, canceller): (&DatabaseConnection, &DatabaseConnection),
        select: &SelectStatement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        self.statement_count.fetch_add(1, Ordering::Relaxed);
        let waiting_since = metrics::start_wait();
        // each connection of the pool may have been closed
        let mut retries = self.max_connections;
        loop {
            let statement = self.render(select);
            let read = RunningRead::new(canceller, &statement.sql, &self.fast_statements);
            match read.statement(self.statement_timeout, fetch_rows(pool, statement)).await {
                Err(error) if is_connection_lost(&error) && retries > 0 => retries -= 1,
                result => {
                    metrics::record_connection_wait(waiting_since);
                    return result.inspect(|rows| metrics::record_rows(rows.len()));
                }
            }
        }
    }

    /// Executes a statement on the primary for the server itself, and returns its first row. It does not count as a
    /// statement of a read.
    pub(crate) async fn fetch_uncounted_row(&self, select: &SelectStatement) -> Result<Option<QueryResult>> {
        if self.replicas.is_empty() {
            return self.fetch_control_row(select).await;
        }
        let row = tokio::select! {
            biased;
            () = self.replicas.primary_down() => Err(unavailable("the primary is down")),
            row = self.fetch_control_row(select) => row,
        };
        // replicas may lack what was read here, though no notification has arrived yet
        self.changes.watermark.advance();
        row
    }

    async fn fetch_control_row(&self, select: &SelectStatement) -> Result<Option<QueryResult>> {
        let rows = fetch_rows(&self.pools.control, statement(self.backend(), select)).await.map_err(database)?;
        Ok(rows.into_iter().next())
    }

    /// The statement as text and values. The text is also traced under the target `kurultai::sql`.
    fn render(&self, select: &SelectStatement) -> Statement {
        let statement = statement(self.backend(), select);
        tracing::trace!(target: "kurultai::sql", sql = statement.sql);
        statement
    }

    /// Executes a statement that returns one count.
    pub(crate) async fn fetch_count(&self, select: &SelectStatement) -> Result<u64> {
        let rows = self.fetch_all(select).await?;
        let count: Option<i64> = rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// Executes a statement that returns one nullable text.
    pub(crate) async fn fetch_text(&self, select: &SelectStatement) -> Result<Option<String>> {
        let rows = self.fetch_all(select).await?;
        rows.first().map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)
    }

    /// The store as of now: all reads through the result observe the same instant. It holds a connection until it is
    /// dropped.
    pub async fn snapshot(&self) -> Result<Self> {
        let snapshot = match self.replica() {
            Some(replica) => match Snapshot::begin(&replica.scanner).await {
                Err(error) if is_transient(&error) => Snapshot::begin(&self.pools.scanner).await,
                begun => begun,
            },
            None => Snapshot::begin(&self.pools.scanner).await,
        };
        Ok(Self { snapshot: Some(Arc::new(snapshot.map_err(database)?)), ..self.clone() })
    }

    /// Executes a statement in the snapshot whose rows are read in batches, as [`Snapshot::stream`] does.
    pub(crate) async fn stream(&self, select: &SelectStatement, batch_rows: usize) -> Result<RowBatches> {
        let snapshot = self.snapshot.clone().ok_or_else(|| internal("rows are streamed from a snapshot only"))?;
        self.statement_count.fetch_add(1, Ordering::Relaxed);
        snapshot.stream(self.render(select), batch_rows, self.statement_timeout).await
    }
}
