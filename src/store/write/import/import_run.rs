//! Runs of an import set: what the batches of one import held, until the set is pruned. An import of several transactions is
//! known in full only at its end, and what is gone is known only then.
//!
//! The records of a run are stored among the sets, under a name that no set has. A run that was not ended within a week is
//! forgotten as a whole; only its name is kept, so that a late batch does not begin it again.

use std::collections::HashSet;

use chrono::{DateTime, Days, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::core::digest::sha256_hex;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::draft::{Drafts, InputProblem, Origin, ProblemCode, has_problems};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::import::members::{TABLE, add_members};
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::types::{Author, TransactionEnd, WriteError, WriteSummary};
use crate::store::{Store, database};

/// Table of the runs.
const RUNS: &str = "import_runs";
/// Beginning of the names under which the records of runs are stored; those of sets are hexadecimal.
const RUN_PREFIX: &str = "run:";
/// Days after which a run that was not ended is forgotten.
const MAX_RUN_DAYS: u64 = 7;
/// Beginning of the message that a run has ended.
pub const RUN_HAS_ENDED: &str = "this run has ended";

/// The name under which a set is stored.
pub(super) fn set_hash(name: &str) -> String {
    sha256_hex(name)
}

/// Whether records of a type are pruned. Sources are not: an import finds one by its URL without having it in a file.
pub(super) fn is_pruned(ty: RecordType) -> bool {
    ty != RecordType::Source
}

/// One import of a set.
#[derive(Debug, Clone)]
pub struct ImportRun {
    /// Name of the set.
    pub set: String,
    /// Name of the run, which all of its batches have.
    pub run: String,
}

impl ImportRun {
    /// The name under which its records are stored.
    pub(super) fn name(&self) -> String {
        format!("{RUN_PREFIX}{}:{}", set_hash(&self.set), sha256_hex(&self.run))
    }
}

/// Numbers of records that the end of a run pruned or kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PruneCounts {
    pub(super) deleted: i32,
    pub(super) closed: i32,
    pub(super) kept: i32,
}

/// A stored run.
#[derive(Debug, Clone)]
pub(super) struct StoredRun {
    name: String,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    /// Whether a batch was written, not only validated.
    wrote: bool,
    /// Whether a record of a batch was refused.
    pub(super) is_refused: bool,
    /// Whether another import of the set ended since the run began.
    pub(super) is_overtaken: bool,
    counts: PruneCounts,
}

impl StoredRun {
    fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && self.started.checked_add_days(Days::new(MAX_RUN_DAYS)).is_some_and(|end| end < now)
    }

    /// Whether the import may still be writing records.
    fn is_under_way(&self, now: DateTime<Utc>) -> bool {
        self.wrote && self.ended.is_none() && !self.is_expired(now)
    }

    /// The problem that the run cannot be continued or ended any more.
    fn expiry(&self, now: DateTime<Utc>) -> std::result::Result<(), WriteError> {
        if !self.is_expired(now) {
            return Ok(());
        }
        let message = format!(
            "this run began on {}, more than {MAX_RUN_DAYS} days ago, and what it held is forgotten; import all of it again under \
             another name",
            self.started.date_naive()
        );
        Err(run_problem(message, ProblemCode::NotFound))
    }
}

fn run_problem(message: String, code: ProblemCode) -> WriteError {
    WriteError::problem(InputProblem::new(Origin::input(["run"]), message).with_code(code))
}

impl Store {
    /// Writes a batch of a run, and adds the records that it held to the run, in one transaction. The set gets them once the
    /// run ends. A run of which only dry runs are known begins anew with the first batch that is written.
    ///
    /// Fails if the run began too long ago. A batch with problems is noted in the run: the records it held are unknown.
    pub async fn write_in_run(
        &self,
        drafts: &Drafts,
        author: &Author,
        end: TransactionEnd,
        run: &ImportRun,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        let result = Box::pin(self.try_in_run(drafts, author, end, run, progress)).await;
        if matches!(result, Err(WriteError::Problems(_))) && !end.is_dry_run() {
            let transaction = self.begin_exclusive().await?;
            let now = self.clock.now();
            match open(&transaction, run, now, true).await {
                Ok(()) => {
                    let update = Query::update().table(RUNS).value("refused", true).and_where(Expr::col("hash").eq(run.name())).to_owned();
                    transaction.execute(&update).await.map_err(database)?;
                }
                // an expired run is refused already
                Err(WriteError::Problems(_)) => {}
                Err(error) => return Err(error),
            }
            transaction.commit().await.map_err(database)?;
        }
        result
    }

    async fn try_in_run(
        &self,
        drafts: &Drafts,
        author: &Author,
        end: TransactionEnd,
        run: &ImportRun,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        if has_problems(drafts) {
            return self.check(drafts, author, progress).await;
        }
        let session = self.begin(author).await?;
        open(&session.transaction, run, self.clock.now(), !end.is_dry_run()).await?;
        let summary = session.write_of_set(&set_hash(&run.set), drafts, &progress).await?;
        if !end.is_dry_run() {
            add_held(&session.transaction, &run.name(), summary.held()).await?;
            return session.end_import(summary, end).await;
        }
        let summary = session.end_import(summary, end).await?;
        let transaction = self.begin_exclusive().await?;
        open(&transaction, run, self.clock.now(), false).await?;
        let stored = summary.records.iter().filter(|written| written.is_stored(true)).map(|written| (written.ty, written.id));
        add_held(&transaction, &run.name(), stored).await?;
        transaction.commit().await.map_err(database)?;
        Ok(summary)
    }
}

/// Begins a run, or continues it. `writes` is false for a dry run.
async fn open(transaction: &DatabaseTransaction, run: &ImportRun, now: DateTime<Utc>, writes: bool) -> std::result::Result<(), WriteError> {
    let name = run.name();
    let stored = load(transaction, &name).await?;
    if let Some(stored) = &stored {
        stored.expiry(now)?;
        let is_continued = stored.ended.is_none() && stored.wrote == writes;
        // a dry run of what is being written looks at it
        if is_continued || (stored.ended.is_none() && stored.wrote) {
            return Ok(());
        }
        forget(transaction, std::slice::from_ref(&name), true).await?;
    }
    forget_outdated(transaction, now).await?;
    let mut begin = Query::insert();
    begin.into_table(RUNS).columns(["hash", "set_hash", "started_at", "wrote"].map(Alias::new));
    begin.values([name.into(), set_hash(&run.set).into(), Expr::val(now), writes.into()]).map_err(internal)?;
    transaction.execute(&begin).await.map(drop).map_err(database)?;
    Ok(())
}

async fn add_held(transaction: &DatabaseTransaction, name: &str, held: impl Iterator<Item = (RecordType, Uuid)>) -> Result<()> {
    add_members(transaction, name, held.filter(|(ty, _)| is_pruned(*ty)).map(|(_, id)| id)).await
}

/// A run that can be ended, and the records that its batches held. Fails if it has ended, if it is not known, or if it is
/// too old.
pub(super) async fn load_open(
    transaction: &DatabaseTransaction,
    run: &ImportRun,
    now: DateTime<Utc>,
) -> std::result::Result<(StoredRun, HashSet<Uuid>), WriteError> {
    let Some(stored) = load(transaction, &run.name()).await? else {
        let message = format!(
            "the set \"{}\" has no run \"{}\": nothing was imported with this name; give importRecords the same set and run",
            run.set, run.run
        );
        return Err(run_problem(message, ProblemCode::NotFound));
    };
    stored.expiry(now)?;
    if let Some(ended) = stored.ended {
        let PruneCounts { deleted, closed, kept } = stored.counts;
        let message = format!(
            "{RUN_HAS_ENDED}, at {}: of the records that were gone from the set, {deleted} were deleted, {closed} have ended, and \
             {kept} were kept; to prune again, import all of it under another name",
            ended.format("%Y-%m-%dT%H:%M:%SZ")
        );
        return Err(run_problem(message, ProblemCode::Taken));
    }
    let select = Query::select().column("record_id").from(TABLE).and_where(Expr::col("hash").eq(stored.name.as_str())).to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let held = rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>().map_err(internal)?;
    Ok((stored, held))
}

/// Ends a run. What it pruned is remembered for a while, for a client that asks again.
pub(super) async fn end(transaction: &DatabaseTransaction, run: &StoredRun, counts: PruneCounts, now: DateTime<Utc>) -> Result<()> {
    forget(transaction, std::slice::from_ref(&run.name), false).await?;
    let update = Query::update()
        .table(RUNS)
        .value("ended_at", now)
        .value("deleted", counts.deleted)
        .value("closed", counts.closed)
        .value("kept", counts.kept)
        .and_where(Expr::col("hash").eq(run.name.as_str()))
        .to_owned();
    transaction.execute(&update).await.map(drop).map_err(database)
}

/// Notes in the runs of a set that are under way that another import of the set has ended: what they hold may be older.
pub(super) async fn overtake(transaction: &DatabaseTransaction, set: &str) -> Result<()> {
    let update = Query::update()
        .table(RUNS)
        .value("overtaken", true)
        .and_where(Expr::col("set_hash").eq(set))
        .and_where(Expr::col("ended_at").is_null())
        .to_owned();
    transaction.execute(&update).await.map(drop).map_err(database)
}

/// The records among these that imports hold which are under way, of any set, except the run that is given.
pub(super) async fn of_other_runs(
    transaction: &DatabaseTransaction,
    own: Option<&StoredRun>,
    records: &[Uuid],
    now: DateTime<Utc>,
) -> Result<HashSet<Uuid>> {
    let own = own.map(|run| run.name.as_str());
    let open = load_all(transaction, Expr::col("ended_at").is_null()).await?;
    let runs = open.into_iter().filter(|run| run.is_under_way(now) && Some(run.name.as_str()) != own);
    let names: Vec<String> = runs.map(|run| run.name).collect();
    let mut found = HashSet::new();
    if names.is_empty() {
        return Ok(found);
    }
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .column("record_id")
            .from(TABLE)
            .and_where(Expr::col("hash").is_in(names.iter().map(String::as_str)))
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            found.insert(row.try_get_by_index(0).map_err(internal)?);
        }
    }
    Ok(found)
}

async fn load(transaction: &DatabaseTransaction, name: &str) -> Result<Option<StoredRun>> {
    Ok(load_all(transaction, Expr::col("hash").eq(name)).await?.pop())
}

async fn load_all(transaction: &DatabaseTransaction, condition: SimpleExpr) -> Result<Vec<StoredRun>> {
    let columns = ["hash", "started_at", "ended_at", "wrote", "refused", "overtaken", "deleted", "closed", "kept"];
    let select = Query::select().columns(columns).from(RUNS).and_where(condition).to_owned();
    let mut runs = Vec::new();
    for row in transaction.query_all(&select).await.map_err(database)? {
        let number = |index: usize| row.try_get_by_index::<i32>(index).map_err(internal);
        let flag = |index: usize| row.try_get_by_index::<bool>(index).map_err(internal);
        runs.push(StoredRun {
            name: row.try_get_by_index(0).map_err(internal)?,
            started: row.try_get_by_index(1).map_err(internal)?,
            ended: row.try_get_by_index(2).map_err(internal)?,
            wrote: flag(3)?,
            is_refused: flag(4)?,
            is_overtaken: flag(5)?,
            counts: PruneCounts { deleted: number(6)?, closed: number(7)?, kept: number(8)? },
        });
    }
    Ok(runs)
}

/// Removes the records of runs, and with `with_names` that there were such runs.
async fn forget(transaction: &DatabaseTransaction, names: &[String], with_names: bool) -> Result<()> {
    for table in [TABLE, RUNS].into_iter().take(1 + usize::from(with_names)) {
        let names = names.iter().map(String::as_str);
        let delete = Query::delete().from_table(Alias::new(table)).and_where(Expr::col("hash").is_in(names)).to_owned();
        transaction.execute(&delete).await.map_err(database)?;
    }
    Ok(())
}

/// Removes what runs held that were not ended in time, and the runs that ended long ago or wrote nothing.
async fn forget_outdated(transaction: &DatabaseTransaction, now: DateTime<Utc>) -> Result<()> {
    let runs = load_all(transaction, Expr::col("started_at").lt(now)).await?;
    let is_outdated = |ended: DateTime<Utc>| ended.checked_add_days(Days::new(MAX_RUN_DAYS)).is_some_and(|end| end < now);
    let (mut kept_names, mut others) = (Vec::new(), Vec::new());
    for run in runs {
        if run.is_expired(now) && run.wrote {
            kept_names.push(run.name);
        } else if run.is_expired(now) || run.ended.is_some_and(is_outdated) {
            others.push(run.name);
        }
    }
    for names in kept_names.chunks(LOOKUP_BATCH_VALUES) {
        forget(transaction, names, false).await?;
    }
    for names in others.chunks(LOOKUP_BATCH_VALUES) {
        forget(transaction, names, true).await?;
    }
    Ok(())
}
