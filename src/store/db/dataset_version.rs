//! The version of the dataset, which all processes over a database agree on.
//!
//! A write that readers can observe advances the version in its own transaction; drafts do not. A separate instant
//! records the last check of a source: a check changes no record, but readers see it. Cached responses are invalidated
//! when either advances.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};

use crate::core::error::{Result, internal};
use crate::store::db::version_cache::{ConsistencyGuard, DatasetVersion};
use crate::store::error::database;
use crate::store::handle::Store;

const TABLE: &str = "dataset_state";
/// Kinds of revisions that readers can observe though the revisions themselves are unpublished: the record disappears.
const REMOVAL_KINDS: [&str; 3] = ["deleted", "merged", "withheld"];

/// What a write changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteScope {
    /// Records: the revisions tell whether readers can observe it.
    Records,
    /// Anything else that readers can observe.
    Others,
}

impl Store {
    /// The version of the dataset, read once per generation. It does not count as a statement of a read.
    ///
    /// Reads that follow observe this version or a later one, never an earlier one. A response may therefore be labelled
    /// with this version, and a client that holds it learns of every change.
    pub async fn version(&self) -> Result<DatasetVersion> {
        let cache = &self.changes.version_cache;
        loop {
            let Some(generation) = self.generation().await else { return self.read_version(None).await };
            if let Some((cached, version)) = cache.get()
                && cached == generation
            {
                return Ok(version);
            }
            let _guard = cache.reading.lock().await;
            match cache.get() {
                Some((cached, version)) if cached == generation => return Ok(version),
                // a response of the earlier generation may be older than the version that would be read now
                Some((cached, _)) if cached > generation => continue,
                _ => {}
            }
            let version = self.read_version(Some(generation)).await?;
            cache.set(generation, version);
            return Ok(version);
        }
    }

    /// A guard for the reads from now on.
    pub fn consistency_guard(&self) -> ConsistencyGuard {
        ConsistencyGuard::new(self.changes.outages().clone())
    }

    async fn read_version(&self, generation: Option<u64>) -> Result<DatasetVersion> {
        let row = self.fetch_uncounted_row(&select_state()).await?;
        let DatasetState { number, changed_at, checked_at, .. } = decode_state(&row.ok_or_else(missing_state)?)?;
        Ok(DatasetVersion { number, changed_at, checked_at, generation })
    }
}

/// The row of the version.
pub(crate) struct DatasetState {
    pub(crate) number: i64,
    /// Sequence number of the last revision that the version includes.
    sequence: i32,
    pub(crate) changed_at: DateTime<Utc>,
    checked_at: Option<DateTime<Utc>>,
}

/// The statement that reads the version.
pub(crate) fn select_state() -> SelectStatement {
    let columns = ["version", "sequence", "changed_at", "checked_at"];
    Query::select().columns(columns).from(TABLE).and_where(Expr::col("id").eq(1)).to_owned()
}

/// Decodes a row of [`select_state`].
pub(crate) fn decode_state(row: &QueryResult) -> Result<DatasetState> {
    Ok(DatasetState {
        number: row.try_get_by_index(0).map_err(internal)?,
        sequence: row.try_get_by_index(1).map_err(internal)?,
        changed_at: row.try_get_by_index(2).map_err(internal)?,
        checked_at: row.try_get_by_index(3).map_err(internal)?,
    })
}

/// The error of a database without the row of the version.
pub(crate) fn missing_state() -> crate::core::error::Error {
    internal("table dataset_state has no row")
}

async fn fetch_state(transaction: &DatabaseTransaction) -> Result<DatasetState> {
    let row = transaction.query_one(&select_state()).await.map_err(database)?;
    decode_state(&row.ok_or_else(missing_state)?)
}

/// An instant later than the previous one, even if the clocks of two machines differ or a clock was set back.
fn strictly_after(now: DateTime<Utc>, previous: DateTime<Utc>) -> DateTime<Utc> {
    if now > previous { now } else { previous + TimeDelta::seconds(1) }
}

/// Records a check that readers can observe. The version stays; cached responses are invalidated.
pub(crate) async fn record_check(transaction: &DatabaseTransaction, now: DateTime<Utc>) -> Result<()> {
    let checked_at = fetch_state(transaction).await?.checked_at;
    let now = checked_at.map_or(now, |previous| strictly_after(now, previous));
    let update = Query::update().table(TABLE).value("checked_at", now).and_where(Expr::col("id").eq(1)).to_owned();
    transaction.execute(&update).await.map_err(database).map(drop)
}

/// Advances the version if readers can observe anything that this transaction wrote.
pub(crate) async fn advance(transaction: &DatabaseTransaction, now: DateTime<Utc>, scope: WriteScope) -> Result<()> {
    let DatasetState { number, sequence, changed_at, .. } = fetch_state(transaction).await?;
    let is_new = || Expr::col("sequence").gt(sequence);
    let latest = Query::select().expr(Func::max(Expr::col("sequence"))).from("revisions").to_owned();
    let latest = transaction.query_one(&latest).await.map_err(database)?;
    let latest: Option<i32> = latest.map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)?;
    let is_observable = Expr::col("published").eq(true).or(Expr::col("kind").is_in(REMOVAL_KINDS));
    let observable = Query::select()
        .column("sequence")
        .from("revisions")
        .and_where(is_new())
        .and_where(is_observable)
        .order_by("sequence", Order::Asc)
        .limit(1)
        .to_owned();
    let concerns_readers = scope == WriteScope::Others || transaction.query_one(&observable).await.map_err(database)?.is_some();
    let mut update = Query::update();
    update.table(TABLE).value("sequence", latest.unwrap_or(sequence)).and_where(Expr::col("id").eq(1));
    if concerns_readers {
        update.value("version", number + 1).value("changed_at", strictly_after(now, changed_at));
    }
    transaction.execute(&update).await.map_err(database).map(drop)
}
