//! Change detection: the generation of the dataset, a number that advances with every write of any process.
//!
//! On PostgreSQL a write notifies all processes when it commits (`LISTEN`, `NOTIFY`). On SQLite the database reports
//! whether another connection has written (`PRAGMA data_version`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::{PgListener, PgPoolOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use crate::store::db::statement::fetch_rows;
use crate::store::db::version_cache::VersionCache;
use crate::store::db::watermark::Watermark;
use crate::store::sql::dialect;
use crate::store::sql::dialect::Dialect;

/// The channel of `NOTIFY`.
const CHANNEL: &str = "kurultai_changed";
/// How long a `data_version` of SQLite is taken as current.
const DATA_VERSION_TTL: Duration = Duration::from_millis(1);
/// Pause before the next attempt to listen.
const LISTEN_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait for a connection to listen on. The pool of sqlx backs off within this time.
const LISTEN_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a SQLite file is polled while there are subscribers.
const DATA_VERSION_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Tracks whether the dataset has changed.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Payload of the notifications of this process.
    process_id: String,
    generation: AtomicU64,
    /// Whether writes of other processes become known.
    listening: AtomicBool,
    /// Set for a SQLite file that other processes may write to.
    data_version: Option<DataVersion>,
    subscribers: watch::Sender<()>,
    /// The dataset version of the current generation.
    pub(crate) version_cache: VersionCache,
    /// Advances with every change that becomes known.
    pub(crate) watermark: Watermark,
    /// Address to listen at, if it differs from the address of the database: a pooler forwards no notifications.
    listen_url: Option<String>,
    primary_down: AtomicBool,
    /// Number of outages of the primary so far.
    outages: Arc<AtomicU64>,
}

/// The `data_version` of a SQLite file, read on a connection of its own because it is relative to a connection.
#[derive(Debug)]
struct DataVersion {
    connection: DatabaseConnection,
    value: AtomicI64,
    start: Instant,
    /// Nanoseconds from `start` to the last read; 0 if the next read must not rely on it.
    read_at: AtomicU64,
    /// Held during a read, so that concurrent callers share it.
    reading: Mutex<()>,
}

impl Changes {
    /// For a database that only this process writes to.
    pub(crate) fn single_process() -> Self {
        Self {
            process_id: Uuid::new_v4().to_string(),
            generation: AtomicU64::new(0),
            listening: AtomicBool::new(true),
            data_version: None,
            subscribers: watch::Sender::new(()),
            version_cache: VersionCache::default(),
            watermark: Watermark::default(),
            listen_url: None,
            primary_down: AtomicBool::new(false),
            outages: Arc::default(),
        }
    }

    /// For a server that notifies of changes. The generation is unknown until [`Changes::listen`] has subscribed.
    pub(crate) fn notified(listen_url: Option<String>) -> Self {
        Self { listening: AtomicBool::new(false), listen_url, ..Self::single_process() }
    }

    /// For a file that other processes may write to.
    pub(crate) fn polled(connection: DatabaseConnection) -> Self {
        let data_version = DataVersion {
            connection,
            value: AtomicI64::new(0),
            start: Instant::now(),
            read_at: AtomicU64::new(0),
            reading: Mutex::new(()),
        };
        Self { data_version: Some(data_version), ..Self::single_process() }
    }

    /// Closes the connection for polling.
    pub(crate) async fn close(&self) {
        if let Some(data_version) = &self.data_version
            && let Err(error) = data_version.connection.close_by_ref().await
        {
            tracing::debug!(%error, "failed to close the connection that polls for changes");
        }
    }

    /// A number that differs from all numbers returned before the latest write; `None` if it cannot be known.
    pub(crate) async fn generation(&self) -> Option<u64> {
        if let Some(data_version) = &self.data_version
            && data_version.poll(&self.generation).await.ok()?
        {
            self.subscribers.send_replace(());
        }
        self.is_listening().then(|| self.generation.load(Ordering::Acquire))
    }

    /// Whether every change becomes known.
    pub(crate) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Acquire) && !self.is_primary_down()
    }

    /// Whether the primary is down.
    pub(crate) fn is_primary_down(&self) -> bool {
        self.primary_down.load(Ordering::Acquire)
    }

    /// Records that the primary went down or came back. Both advance the generation and so invalidate caches: during an
    /// outage reads may be served by a replica that lacks the latest writes.
    pub(crate) fn set_primary_down(&self, is_down: bool) {
        if is_down {
            self.outages.fetch_add(1, Ordering::AcqRel);
        }
        self.primary_down.store(is_down, Ordering::Release);
        self.advance_generation();
    }

    /// Number of outages of the primary so far.
    pub(crate) fn outages(&self) -> &Arc<AtomicU64> {
        &self.outages
    }

    /// Records that the dataset has changed.
    pub(crate) fn advance_generation(&self) {
        // first, so that no reader of the new generation is routed to a replica that lacks it
        self.watermark.advance();
        self.generation.fetch_add(1, Ordering::AcqRel);
        if let Some(data_version) = &self.data_version {
            data_version.read_at.store(0, Ordering::Release);
        }
        self.subscribers.send_replace(());
    }

    /// Subscribes to all changes from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.subscribers.subscribe()
    }

    /// Listens for writes of other processes. Never returns on PostgreSQL and for a SQLite file, which is polled while
    /// there are subscribers.
    pub(crate) async fn listen(&self, pool: &DatabaseConnection) {
        if Dialect::of(pool.get_database_backend()) == Dialect::Sqlite {
            while self.data_version.is_some() {
                tokio::time::sleep(DATA_VERSION_POLL_INTERVAL).await;
                if self.subscribers.receiver_count() > 0 {
                    self.generation().await;
                }
            }
            return;
        }
        loop {
            if let Err(error) = self.listen_once(pool).await {
                tracing::warn!(%error, "lost the connection for change notifications; responses are not cached until it is back");
            }
            self.listening.store(false, Ordering::Release);
            tokio::time::sleep(LISTEN_RETRY_INTERVAL).await;
        }
    }

    /// Listens until the connection is lost.
    async fn listen_once(&self, pool: &DatabaseConnection) -> Result<(), sea_orm::sqlx::Error> {
        let mut listener = match &self.listen_url {
            Some(url) => {
                let options = PgPoolOptions::new().max_connections(1).acquire_timeout(LISTEN_CONNECT_TIMEOUT);
                PgListener::connect_with(&options.connect(url).await?).await?
            }
            None => PgListener::connect_with(pool.get_postgres_connection_pool()).await?,
        };
        listener.listen(CHANNEL).await?;
        // writes during the gap are unknown
        self.advance_generation();
        self.listening.store(true, Ordering::Release);
        while let Some(notification) = listener.try_recv().await? {
            // own writes have advanced the generation already
            if notification.payload() != self.process_id {
                self.advance_generation();
            }
        }
        Ok(())
    }

    /// Notifies the other processes when the transaction commits.
    pub(crate) async fn notify(&self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        match dialect::notify(transaction.get_database_backend(), CHANNEL, &self.process_id) {
            Some(notify) => transaction.query_all(&notify).await.map(drop),
            None => Ok(()),
        }
    }
}

/// Waits until no other transaction writes, and keeps others from writing until this one ends.
pub(crate) async fn lock_writes(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    match dialect::lock_writes(transaction.get_database_backend()) {
        Some(lock) => transaction.query_all(&lock).await.map(drop),
        None => Ok(()),
    }
}

impl DataVersion {
    /// The time since the start, and whether the last read is still current.
    fn now(&self) -> (u64, bool) {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let read_at = self.read_at.load(Ordering::Acquire);
        (now, read_at != 0 && Duration::from_nanos(now.saturating_sub(read_at)) < DATA_VERSION_TTL)
    }

    /// Reads the `data_version` unless it is current, and advances the generation if another connection has written.
    /// Returns whether this call found a change.
    async fn poll(&self, generation: &AtomicU64) -> Result<bool, DbErr> {
        if let (_, true) = self.now() {
            return Ok(false);
        }
        let _guard = self.reading.lock().await;
        let (now, is_current) = self.now();
        if is_current {
            return Ok(false);
        }
        let pragma = Statement::from_string(DbBackend::Sqlite, "PRAGMA data_version");
        let mut has_changed = false;
        if let Some(row) = fetch_rows(&self.connection, pragma).await?.first() {
            let value: i64 = row.try_get_by_index(0)?;
            has_changed = self.value.swap(value, Ordering::AcqRel) != value;
            if has_changed {
                generation.fetch_add(1, Ordering::AcqRel);
            }
        }
        self.read_at.store(now.max(1), Ordering::Release);
        Ok(has_changed)
    }
}
