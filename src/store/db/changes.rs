//! Whether the dataset has changed: a number that is another after every write, in any process.
//!
//! On PostgreSQL a write notifies all processes when it commits (`LISTEN`, `NOTIFY`). On SQLite the
//! database itself tells whether another connection has written (`PRAGMA data_version`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::{PgListener, PgPoolOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use crate::store::db::dataset_version::Versions;
use crate::store::db::watermark::Watermark;
use crate::store::sql::dialect;

/// Name of the channel that writes are told on.
const CHANNEL: &str = "kurultai_changed";
/// How long an answer of SQLite is believed.
const BELIEVED: Duration = Duration::from_millis(1);
/// Pause before another try to listen.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a connection is waited for; the longer, the longer are the pauses between the tries.
const WAIT: Duration = Duration::from_secs(5);
/// Pause between two looks at a file for those who wait for changes.
const LOOKS: Duration = Duration::from_millis(100);

/// Knows whether the dataset has changed.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Name of this process among those that tell of changes.
    teller: String,
    generation: AtomicU64,
    /// Whether changes of other processes are heard of.
    heard: AtomicBool,
    /// For a SQLite file: a connection of its own, for `data_version` compares connections.
    file: Option<File>,
    /// Wakes those who wait for changes.
    wakes: watch::Sender<()>,
    /// The version of the dataset, for each generation.
    pub(crate) versions: Versions,
    /// Moves on with every change that is known of.
    pub(crate) mark: Watermark,
    /// Where notices are heard, if that is not where it is written: a pooler passes none on.
    listened: Option<String>,
    /// Whether the primary is away: what is read then may be older than what was told of.
    away: AtomicBool,
    /// Times that the primary went away.
    outages: Arc<AtomicU64>,
}

#[derive(Debug)]
struct File {
    connection: DatabaseConnection,
    version: AtomicI64,
    start: Instant,
    /// Nanoseconds from the start to the last look.
    looked: AtomicU64,
    /// Held by the one who looks: one look does for all who wait for it.
    looking: Mutex<()>,
}

impl Changes {
    /// For a database that only this process can write to, until [`Changes::listen`] is called.
    pub(crate) fn alone() -> Self {
        Self {
            teller: Uuid::new_v4().to_string(),
            generation: AtomicU64::new(0),
            heard: AtomicBool::new(true),
            file: None,
            wakes: watch::Sender::new(()),
            versions: Versions::default(),
            mark: Watermark::default(),
            listened: None,
            away: AtomicBool::new(false),
            outages: Arc::default(),
        }
    }

    /// For a server that tells of changes, at this address if it is another: nothing is known before
    /// [`Changes::listen`] hears.
    pub(crate) fn told(listened: Option<String>) -> Self {
        Self { heard: AtomicBool::new(false), listened, ..Self::alone() }
    }

    /// For a file that other processes can write to.
    pub(crate) fn file(connection: DatabaseConnection) -> Self {
        let file =
            File { connection, version: AtomicI64::new(0), start: Instant::now(), looked: AtomicU64::new(0), looking: Mutex::new(()) };
        Self { file: Some(file), ..Self::alone() }
    }

    /// Closes what only this uses.
    pub(crate) async fn close(&self) {
        if let Some(file) = &self.file
            && let Err(error) = file.connection.close_by_ref().await
        {
            tracing::debug!(%error, "the connection that looks for changes could not be closed");
        }
    }

    /// A number that differs from every number given before the latest write; nothing where that cannot be known.
    pub(crate) async fn generation(&self) -> Option<u64> {
        if let Some(file) = &self.file
            && file.look(&self.generation).await.ok()?
        {
            self.wakes.send_replace(());
        }
        self.hears().then(|| self.generation.load(Ordering::Acquire))
    }

    /// Whether every change becomes known.
    pub(crate) fn hears(&self) -> bool {
        self.heard.load(Ordering::Acquire) && !self.is_away()
    }

    /// Whether the primary is away.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Acquire)
    }

    /// The primary is away, or there again. What was kept until now is kept no more: while it is away, replicas may answer
    /// that do not have all of it.
    pub(crate) fn set_away(&self, away: bool) {
        if away {
            self.outages.fetch_add(1, Ordering::AcqRel);
        }
        self.away.store(away, Ordering::Release);
        self.bump();
    }

    /// Times that the primary went away.
    pub(crate) fn outages(&self) -> &Arc<AtomicU64> {
        &self.outages
    }

    /// The dataset has changed.
    pub(crate) fn bump(&self) {
        // whoever learns of the new generation must not be sent to a replica that lacks it
        self.mark.advance();
        self.generation.fetch_add(1, Ordering::AcqRel);
        if let Some(file) = &self.file {
            file.looked.store(0, Ordering::Release);
        }
        self.wakes.send_replace(());
    }

    /// What tells of every change from now on.
    pub(crate) fn waking(&self) -> watch::Receiver<()> {
        self.wakes.subscribe()
    }

    /// Hears of the writes of other processes, for ever. A file says nothing by itself: it is looked at for as long as
    /// somebody waits.
    pub(crate) async fn listen(&self, pool: &DatabaseConnection) {
        if pool.get_database_backend() != DbBackend::Postgres {
            while self.file.is_some() {
                tokio::time::sleep(LOOKS).await;
                if self.wakes.receiver_count() > 0 {
                    self.generation().await;
                }
            }
            return;
        }
        loop {
            if let Err(error) = self.hear(pool).await {
                tracing::warn!(%error, "changes of other processes are not heard of; answers are not kept meanwhile");
            }
            self.heard.store(false, Ordering::Release);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn hear(&self, pool: &DatabaseConnection) -> Result<(), sea_orm::sqlx::Error> {
        let mut listener = match &self.listened {
            Some(url) => {
                PgListener::connect_with(&PgPoolOptions::new().max_connections(1).acquire_timeout(WAIT).connect(url).await?).await?
            }
            None => PgListener::connect_with(pool.get_postgres_connection_pool()).await?,
        };
        listener.listen(CHANNEL).await?;
        // what was written while nobody listened is unknown
        self.bump();
        self.heard.store(true, Ordering::Release);
        while let Some(notification) = listener.try_recv().await? {
            // what this process wrote it knows already
            if notification.payload() != self.teller {
                self.bump();
            }
        }
        Ok(())
    }

    /// Tells the other processes, when the transaction commits.
    pub(crate) async fn tell(&self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        match dialect::notice(transaction.get_database_backend(), CHANNEL, &self.teller) {
            Some(notice) => transaction.query_all(&notice).await.map(drop),
            None => Ok(()),
        }
    }
}

/// Waits until no other transaction writes; none does until this one ends.
pub(crate) async fn alone(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    match dialect::alone(transaction.get_database_backend()) {
        Some(lock) => transaction.query_all(&lock).await.map(drop),
        None => Ok(()),
    }
}

impl File {
    /// The time since the start, and whether what was seen last is still believed.
    fn now(&self) -> (u64, bool) {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let looked = self.looked.load(Ordering::Acquire);
        (now, looked != 0 && now.saturating_sub(looked) < BELIEVED.as_nanos() as u64)
    }

    /// Looks whether another connection has written; tells whether this look found that one has.
    async fn look(&self, generation: &AtomicU64) -> Result<bool, DbErr> {
        if let (_, true) = self.now() {
            return Ok(false);
        }
        let _alone = self.looking.lock().await;
        let (now, believed) = self.now();
        if believed {
            return Ok(false);
        }
        let pragma = Statement::from_string(DbBackend::Sqlite, "PRAGMA data_version");
        let mut has_changed = false;
        if let Some(row) = self.connection.query_one_raw(pragma).await? {
            let version: i64 = row.try_get_by_index(0)?;
            has_changed = self.version.swap(version, Ordering::AcqRel) != version;
            if has_changed {
                generation.fetch_add(1, Ordering::AcqRel);
            }
        }
        self.looked.store(now.max(1), Ordering::Release);
        Ok(has_changed)
    }
}
