//! The version of the dataset: a number that every process over the database tells alike, and when it changed last.
//!
//! It moves on with every write that readers can see something of, in the transaction of the write. Drafts
//! that stay drafts leave it alone.
//!
//! Beside it stands when something was last found to be still so, which changes nothing and is seen by readers all the
//! same: answers are kept until either moves on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use tokio::sync::Mutex;

use crate::core::error::{Result, internal};
use crate::store::{Store, database};

const TABLE: &str = "dataset_state";
/// Kinds of changes that readers can see something of though their entries are hidden: what told of the record goes too.
const LEAVES: [&str; 3] = ["deleted", "merged", "withheld"];

/// The version of the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetVersion {
    /// The number: greater after every change.
    pub number: i64,
    /// When it changed last: always later than before.
    pub changed_at: DateTime<Utc>,
    /// When a source or a jurisdiction was last checked, changed or not: always later than before.
    pub checked_at: Option<DateTime<Utc>>,
    /// What [`Store::generation`] said before the version was read: what is read from then on is of this version or a
    /// later one.
    pub generation: Option<u64>,
}

/// Vouches for what is read from when it was taken: that it is of the version told after that, or of a later one. It is not
/// so where the primary went away meanwhile, and a replica answered that may lack the latest.
#[derive(Debug, Clone)]
pub struct ConsistencyGuard {
    outages: Arc<AtomicU64>,
    before: u64,
}

impl ConsistencyGuard {
    /// Whether it is so until now.
    pub fn holds(&self) -> bool {
        self.outages.load(Ordering::Acquire) == self.before
    }
}

/// What a write concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteScope {
    /// Records: readers see something of it if the history says so.
    Records,
    /// Something else that readers see.
    Others,
}

/// The version that is known for a generation.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    known: RwLock<Option<(u64, DatasetVersion)>>,
    /// Held by the one who reads it: one reading does for all who wait for it.
    reading: Mutex<()>,
}

impl Versions {
    fn known(&self) -> Option<(u64, DatasetVersion)> {
        self.known.read().ok().and_then(|known| *known)
    }
}

impl Store {
    /// The version of the dataset, read once until something is written. It is part of finding out whether anything
    /// has changed, and not counted among the statements for readers.
    ///
    /// What is read after it is of this version or a later one, never of an earlier: so an answer may be given out
    /// under this version, and whoever has it learns of every change.
    pub async fn version(&self) -> Result<DatasetVersion> {
        let versions = &self.changes.versions;
        loop {
            let Some(generation) = self.generation().await else { return self.read_version(None).await };
            if let Some((of, version)) = versions.known()
                && of == generation
            {
                return Ok(version);
            }
            let _alone = versions.reading.lock().await;
            match versions.known() {
                Some((of, version)) if of == generation => return Ok(version),
                // answers of the earlier generation may be older than what would be read now
                Some((of, _)) if of > generation => continue,
                _ => {}
            }
            let version = self.read_version(Some(generation)).await?;
            if let Ok(mut known) = versions.known.write() {
                *known = Some((generation, version));
            }
            return Ok(version);
        }
    }

    /// Vouches for what is read from now on.
    pub fn voucher(&self) -> ConsistencyGuard {
        let outages = self.changes.outages().clone();
        ConsistencyGuard { before: outages.load(Ordering::Acquire), outages }
    }

    async fn read_version(&self, generation: Option<u64>) -> Result<DatasetVersion> {
        let row = self.look_up(&select()).await?;
        let row = row.ok_or_else(|| internal("the database has no row that tells its version"))?;
        let State { number, changed_at, checked_at, .. } = read(&row)?;
        Ok(DatasetVersion { number, changed_at, checked_at, generation })
    }
}

/// The row that tells the version.
pub(crate) struct State {
    pub(crate) number: i64,
    sequence: i32,
    pub(crate) changed_at: DateTime<Utc>,
    checked_at: Option<DateTime<Utc>>,
}

pub(crate) fn select() -> SelectStatement {
    let columns = ["version", "sequence", "changed_at", "checked_at"];
    Query::select().columns(columns).from(TABLE).and_where(Expr::col("id").eq(1)).to_owned()
}

pub(crate) fn read(row: &QueryResult) -> Result<State> {
    Ok(State {
        number: row.try_get_by_index(0).map_err(internal)?,
        sequence: row.try_get_by_index(1).map_err(internal)?,
        changed_at: row.try_get_by_index(2).map_err(internal)?,
        checked_at: row.try_get_by_index(3).map_err(internal)?,
    })
}

async fn state(transaction: &DatabaseTransaction) -> Result<State> {
    let row = transaction.query_one(&select()).await.map_err(database)?;
    read(&row.ok_or_else(|| internal("the database has no row that tells its version"))?)
}

/// An instant that is later than the one before: clocks of two machines differ, and may stand still.
fn later(now: DateTime<Utc>, before: DateTime<Utc>) -> DateTime<Utc> {
    if now > before { now } else { before + TimeDelta::seconds(1) }
}

/// Notes that something that readers see was checked: the version stays, and answers that are kept do not.
pub(crate) async fn note_check(transaction: &DatabaseTransaction, now: DateTime<Utc>) -> Result<()> {
    let checked_at = state(transaction).await?.checked_at;
    let now = checked_at.map_or(now, |before| later(now, before));
    let update = Query::update().table(TABLE).value("checked_at", now).and_where(Expr::col("id").eq(1)).to_owned();
    transaction.execute(&update).await.map_err(database).map(drop)
}

/// Moves the version on, where readers can see something of what this transaction wrote.
pub(crate) async fn note(transaction: &DatabaseTransaction, now: DateTime<Utc>, concerns: WriteScope) -> Result<()> {
    let State { number, sequence, changed_at, .. } = state(transaction).await?;
    let is_new = || Expr::col("sequence").gt(sequence);
    let latest = Query::select().expr(Func::max(Expr::col("sequence"))).from("revisions").to_owned();
    let latest = transaction.query_one(&latest).await.map_err(database)?;
    let latest: Option<i32> = latest.map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)?;
    let seen = Expr::col("published").eq(true).or(Expr::col("kind").is_in(LEAVES));
    let seen = Query::select()
        .column("sequence")
        .from("revisions")
        .and_where(is_new())
        .and_where(seen)
        .order_by("sequence", Order::Asc)
        .limit(1)
        .to_owned();
    let concerns_readers = concerns == WriteScope::Others || transaction.query_one(&seen).await.map_err(database)?.is_some();
    let mut update = Query::update();
    update.table(TABLE).value("sequence", latest.unwrap_or(sequence)).and_where(Expr::col("id").eq(1));
    if concerns_readers {
        update.value("version", number + 1).value("changed_at", later(now, changed_at));
    }
    transaction.execute(&update).await.map_err(database).map(drop)
}
