//! Import sets: the records that the files of a named import held, and what happens to those that are gone.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::curation::referrers::referrers;
use crate::store::curation::withholding::withheld_digest::withheld_persons;
use crate::store::draft::{Drafts, InputProblem, Origin, has_problems};
use crate::store::write::import::closings::Closing;
use crate::store::write::import::edits::{self, Edits};
use crate::store::write::import::import_run::{
    self, ImportRun, PruneCounts, StoredRun, is_pruned, load_open, of_other_runs, overtake, set_hash,
};
use crate::store::write::import::members::{add_members, members, of_other_sets, remove_members, with_merged};
use crate::store::write::load::load_rows;
use crate::store::write::model::StoredRow;
use crate::store::write::session::WriteSession;
use crate::store::write::types::{Author, TransactionEnd, WriteError, WriteSummary};
use crate::store::{Store, database};

/// Maximum number of referrers that keep a record, which a message lists.
const MAX_LISTED_REFERRERS: u64 = 3;

/// What happens to the records of a set that are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PruneMode {
    /// They are listed, and stay in the set.
    List,
    /// They are deleted, except those that other records refer to.
    Delete,
    /// Those that have an end, such as memberships, get this one unless they have ended.
    Close(PartialDate),
}

/// What happened to a record that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PruneOutcome {
    /// It is gone from the files.
    Listed,
    /// It was deleted.
    Deleted,
    /// It has ended.
    Closed,
    /// It is kept, for this reason.
    Kept(String),
}

/// A record of a set that its files no longer hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedRecord {
    /// Type of the record.
    pub ty: RecordType,
    /// Slug of the record.
    pub slug: String,
    /// What happened to it.
    pub outcome: PruneOutcome,
}

impl Store {
    /// Writes records that are all of an import of a set, and prunes those of the set that it did not hold, in one transaction:
    /// all of it, or nothing. The pruned records come in the order in which they are pruned: first those that refer to others.
    ///
    /// Fails if the set has records and the import held none of them: an empty or a wrong file must not empty the set.
    pub async fn write_set(
        &self,
        drafts: &Drafts,
        author: &Author,
        end: TransactionEnd,
        (set, mode): (&str, &PruneMode),
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<(WriteSummary, Vec<PrunedRecord>), WriteError> {
        if has_problems(drafts) {
            return Ok((self.check(drafts, author, progress).await?, Vec::new()));
        }
        let session = self.begin(author).await?;
        let mut summary = session.write_of_set(&set_hash(set), drafts, &progress).await?;
        if end.is_strict() && !summary.warnings.is_empty() {
            return Err(WriteError::Problems(summary.warnings));
        }
        let held = summary.held().filter(|(ty, _)| is_pruned(*ty)).map(|(_, id)| id).collect();
        let pruned = session.prune_set(set, (held, None), mode).await?;
        summary.has_changes |= pruned.has_changes();
        Ok((session.end_import(summary, end).await?, pruned.records))
    }

    /// Ends a run, adds the records that it held to its set, and prunes those of the set that it did not hold. A dry run only
    /// shows it, and the run goes on.
    ///
    /// Fails if the run cannot be ended, and as [`Self::write_set`]; then the run has ended, too.
    pub async fn prune_run(
        &self,
        run: &ImportRun,
        mode: &PruneMode,
        author: &Author,
        end: TransactionEnd,
    ) -> Result<Vec<PrunedRecord>, WriteError> {
        let session = self.begin(author).await?;
        let (stored, held) = load_open(&session.transaction, run, self.clock.now()).await?;
        let members = members(&session.transaction, &set_hash(&run.set)).await?;
        if let Some(problem) = wrong_files_problem(&run.set, &members, &held, mode) {
            // an import of other files is over, and does not keep what it held
            import_run::end(&session.transaction, &stored, PruneCounts::default(), self.clock.now()).await?;
            session.end_import(WriteSummary::default(), end).await?;
            return Err(WriteError::problem(problem));
        }
        let pruned = session.prune_set(&run.set, (held, Some(&stored)), mode).await?;
        import_run::end(&session.transaction, &stored, pruned.counts(), self.clock.now()).await?;
        let summary = WriteSummary { has_changes: pruned.has_changes(), ..WriteSummary::default() };
        session.end_import(summary, end).await?;
        Ok(pruned.records)
    }

    /// What [`Self::write_set`] would prune after an import that held these records.
    pub async fn preview_pruning(
        &self,
        set: &str,
        held: &[(RecordType, Uuid)],
        mode: &PruneMode,
        author: &Author,
    ) -> Result<Vec<PrunedRecord>, WriteError> {
        let session = self.begin(author).await?;
        let held = held.iter().filter(|(ty, _)| is_pruned(*ty)).map(|(_, id)| *id).collect();
        let records = session.find_pruned(&set_hash(set), (set, &held, None), mode).await?.0.records;
        session.transaction.rollback().await.map_err(database)?;
        Ok(records)
    }
}

/// The records that are gone from a set, with what happened to them.
#[derive(Debug, Default)]
struct Pruned {
    records: Vec<PrunedRecord>,
    /// Those that are no longer in the set.
    left: Vec<Uuid>,
}

impl Pruned {
    fn count(&self, is_counted: impl Fn(&PruneOutcome) -> bool) -> usize {
        self.records.iter().filter(|record| is_counted(&record.outcome)).count()
    }

    fn has_changes(&self) -> bool {
        self.count(|outcome| matches!(outcome, PruneOutcome::Deleted | PruneOutcome::Closed)) > 0
    }

    fn counts(&self) -> PruneCounts {
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        PruneCounts {
            deleted: number(self.count(|outcome| *outcome == PruneOutcome::Deleted)),
            closed: number(self.count(|outcome| *outcome == PruneOutcome::Closed)),
            kept: number(self.count(|outcome| matches!(outcome, PruneOutcome::Kept(_) | PruneOutcome::Listed))),
        }
    }
}

/// The problem that an import held no record of its set: an empty or a wrong file must not empty the set.
fn wrong_files_problem(set: &str, members: &[(RecordType, Uuid)], held: &HashSet<Uuid>, mode: &PruneMode) -> Option<InputProblem> {
    if *mode == PruneMode::List || members.is_empty() || members.iter().any(|(_, id)| held.contains(id)) {
        return None;
    }
    let message = format!(
        "the files hold none of the {} records of the set \"{set}\", so none is pruned; is it the right file? Delete the records one by one if they are really gone",
        members.len()
    );
    Some(InputProblem::new(Origin::default(), message))
}

/// The records that an import held, and its run, if it had one.
type Held<'r> = (HashSet<Uuid>, Option<&'r StoredRun>);

impl WriteSession<'_> {
    /// Writes records of an import of a set, which end as the import says: ends that earlier prunings of the set gave go away.
    pub(super) async fn write_of_set(
        &self,
        hash: &str,
        drafts: &Drafts,
        progress: &(impl Fn(usize) + Send + Sync),
    ) -> Result<WriteSummary, WriteError> {
        let mut summary = Box::pin(self.write(drafts, progress)).await?;
        Box::pin(self.reopen(hash, drafts, &mut summary)).await?;
        Ok(summary)
    }

    /// Ends the transaction of an import of a set, whose memory changes even if no record does.
    pub(super) async fn end_import(self, summary: WriteSummary, end: TransactionEnd) -> Result<WriteSummary, WriteError> {
        if summary.has_changes || end.is_dry_run() || (end.is_strict() && !summary.warnings.is_empty()) {
            return self.end(summary, end).await;
        }
        // nothing that is read has changed
        self.transaction.commit().await.map_err(database)?;
        Ok(summary)
    }

    /// Adds the records that an import held to its set, and prunes those that it did not hold.
    async fn prune_set(&self, set: &str, (held, run): Held<'_>, mode: &PruneMode) -> Result<Pruned, WriteError> {
        let hash = set_hash(set);
        let (pruned, known) = self.find_pruned(&hash, (set, &held, run), mode).await?;
        remove_members(&self.transaction, &hash, &pruned.left).await?;
        add_members(&self.transaction, &hash, held.into_iter().filter(|id| !known.contains(id))).await?;
        overtake(&self.transaction, &hash).await?;
        Ok(pruned)
    }

    /// Prunes the records of a set that an import did not hold. Returns the records of the set, too, as they were before.
    async fn find_pruned(
        &self,
        hash: &str,
        (set, held, run): (&str, &HashSet<Uuid>, Option<&StoredRun>),
        mode: &PruneMode,
    ) -> Result<(Pruned, HashSet<Uuid>), WriteError> {
        let members = members(&self.transaction, hash).await?;
        if let Some(problem) = wrong_files_problem(set, &members, held, mode) {
            return Err(WriteError::problem(problem));
        }
        let gone: Vec<(RecordType, Uuid)> = members.iter().filter(|(_, id)| !held.contains(id)).copied().collect();
        let pruned = Box::pin(self.prune(hash, gone, mode, run)).await?;
        Ok((pruned, members.into_iter().map(|(_, id)| id).collect()))
    }

    /// Prunes records.
    async fn prune(
        &self,
        hash: &str,
        gone: Vec<(RecordType, Uuid)>,
        mode: &PruneMode,
        run: Option<&StoredRun>,
    ) -> Result<Pruned, WriteError> {
        let withheld = withheld_persons(&self.transaction).await?;
        let reasons = KeepReasons::load(self, hash, &gone, run).await?;
        let mut by_type: BTreeMap<usize, (RecordType, Vec<Uuid>)> = BTreeMap::new();
        let order = catalog().write_order();
        for (ty, id) in gone.into_iter().filter(|(_, id)| !withheld.contains(id)) {
            let place = order.iter().position(|of| *of == ty).ok_or_else(|| internal("a set has a record of an unknown type"))?;
            by_type.entry(place).or_insert((ty, Vec::new())).1.push(id);
        }
        let mut pruned = Pruned::default();
        for (ty, ids) in by_type.into_values().rev() {
            let record = catalog().get(ty);
            let edits = edits::load(&self.transaction, &ids).await?;
            let mut rows: Vec<StoredRow> =
                load_rows(&self.transaction, record, "id", &ids).await?.into_iter().map(|(_, row)| row).collect();
            rows.sort_by(|a, b| slug(record, a).cmp(slug(record, b)));
            let mut outcomes: Vec<Option<PruneOutcome>> = vec![None; rows.len()];
            // a record may be kept by one that is pruned after it
            loop {
                let before = outcomes.iter().flatten().filter(|outcome| !outcome.is_kept()).count();
                for (row, outcome) in rows.iter().zip(&mut outcomes) {
                    if outcome.as_ref().is_some_and(|outcome| !outcome.is_kept()) {
                        continue;
                    }
                    *outcome = Some(match (mode, reasons.of(record, row.id, edits.get(&row.id))) {
                        (PruneMode::List, _) => PruneOutcome::Listed,
                        (PruneMode::Delete | PruneMode::Close(_), Some(reason)) => PruneOutcome::Kept(reason),
                        (PruneMode::Delete, None) => self.delete_gone(record, row).await?,
                        (PruneMode::Close(day), None) => match self.close(hash, record, row, day).await? {
                            Closing::Closed => PruneOutcome::Closed,
                            Closing::Open(reason) => PruneOutcome::Kept(reason),
                        },
                    });
                }
                let after = outcomes.iter().flatten().filter(|outcome| !outcome.is_kept()).count();
                if *mode != PruneMode::Delete || after == before {
                    break;
                }
            }
            for (row, outcome) in rows.iter().zip(outcomes) {
                let outcome = outcome.ok_or_else(|| internal("a record of a set was not pruned"))?;
                // what ended is gone from the set, which the other set still holds
                if matches!(outcome, PruneOutcome::Deleted | PruneOutcome::Closed)
                    || (*mode != PruneMode::List && reasons.of_all.is_none() && reasons.is_of_other_set(row.id))
                {
                    pruned.left.push(row.id);
                }
                pruned.records.push(PrunedRecord { ty, slug: slug(record, row).to_owned(), outcome });
            }
        }
        Ok(pruned)
    }

    /// Deletes a record, unless others refer to it.
    async fn delete_gone(&self, record: &'static Record, row: &StoredRow) -> Result<PruneOutcome, WriteError> {
        let referrers = referrers(&self.transaction, record, row.id, MAX_LISTED_REFERRERS).await?;
        if referrers.is_empty() {
            self.remove(record, row, "deleted").await?;
            return Ok(PruneOutcome::Deleted);
        }
        let names = referrers.iter().map(|referrer| format!("{} \"{}\"", catalog().get(referrer.ty).singular(), referrer.slug));
        Ok(PruneOutcome::Kept(format!("other records refer to it: {}", names.collect::<Vec<_>>().join(", "))))
    }
}

/// Why records that are gone from a set are kept.
struct KeepReasons {
    /// A reason that holds for all of them.
    of_all: Option<&'static str>,
    of_other_sets: HashSet<Uuid>,
    of_other_runs: HashSet<Uuid>,
    with_merged: HashSet<Uuid>,
}

impl KeepReasons {
    async fn load(session: &WriteSession<'_>, hash: &str, gone: &[(RecordType, Uuid)], run: Option<&StoredRun>) -> Result<Self> {
        let ids: Vec<Uuid> = gone.iter().map(|(_, id)| *id).collect();
        let transaction = &session.transaction;
        Ok(Self {
            of_all: match run {
                Some(run) if run.is_refused => {
                    Some("the import refused records, and this may be one of them; correct and import all again")
                }
                Some(run) if run.is_overtaken => Some("another import of the set ended while this one was under way; import again"),
                Some(_) | None => None,
            },
            of_other_sets: of_other_sets(transaction, hash, &ids).await?,
            of_other_runs: of_other_runs(transaction, run, &ids, session.store.clock.now()).await?,
            with_merged: with_merged(transaction, &ids).await?,
        })
    }

    fn is_of_other_set(&self, id: Uuid) -> bool {
        self.of_other_sets.contains(&id)
    }

    /// Why a record is kept.
    fn of(&self, record: &Record, id: Uuid, edits: Option<&Edits>) -> Option<String> {
        if let Some(reason) = self.of_all {
            return Some(reason.to_owned());
        }
        if self.is_of_other_set(id) {
            return Some("another set holds it".to_owned());
        }
        if self.of_other_runs.contains(&id) {
            return Some("another import that has not ended holds it".to_owned());
        }
        if let Some(edit) = edits.and_then(Edits::latest) {
            return Some(format!("it was edited by {}", edit.attribution()));
        }
        self.with_merged.contains(&id).then(|| format!("another {} was merged into it", record.singular()))
    }
}

impl PruneOutcome {
    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

fn slug<'r>(record: &Record, row: &'r StoredRow) -> &'r str {
    record.field_id("slug").and_then(|field| row.cells[field.index()].as_text()).unwrap_or("")
}
