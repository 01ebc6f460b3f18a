//! Types of a write: its author, its outcome and its errors.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::core::error::Error;
use crate::core::text::TextRule;
use crate::entity::RecordType;
use crate::store::draft::{Draft, InputProblem, Origin};

/// Author of a write and the reason for it, as recorded in the history.
#[derive(Debug, Clone)]
pub struct Author {
    /// Name of the author.
    pub by: String,
    /// Reason for the write.
    pub message: Option<String>,
}

impl Author {
    /// Requires a name and a message that histories can hold.
    pub(crate) fn check(&self) -> Result<(), WriteError> {
        let name = TextRule::NAME.clean_name(&self.by).map(drop).map_err(|message| ("by", message));
        let message = self.message.as_deref().map_or(Ok(()), |text| TextRule::MESSAGE.check(text)).map_err(|message| ("message", message));
        let problems: Vec<InputProblem> = [name, message]
            .into_iter()
            .filter_map(Result::err)
            .map(|(member, message)| InputProblem::new(Origin::input([member]), message))
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(WriteError::Problems(problems)) }
    }
}

/// Outcome of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteSummary {
    /// Number of created records.
    pub created: usize,
    /// Number of updated records.
    pub updated: usize,
    /// Number of unchanged records.
    pub unchanged: usize,
    /// Number of skipped drafts.
    pub skipped: usize,
    /// These numbers by the type of the records.
    pub by_type: BTreeMap<RecordType, ActionCounts>,
    /// Each record, in the order of the drafts.
    pub records: Vec<WrittenRecord>,
    /// Number of records in whose texts the name of a withheld person was redacted.
    pub redacted: usize,
    /// Ids of these records.
    pub redacted_records: BTreeSet<Uuid>,
    /// What may be wrong, without preventing the write.
    pub warnings: Vec<InputProblem>,
    /// What an import did not write, because editors wrote something else there since the last import.
    pub kept: Vec<InputProblem>,
    /// The first updated records of each type with their fields that change; at most [`MAX_LISTED_UPDATES`] of a type.
    pub updates: Vec<RecordUpdate>,
    /// Whether there is anything to commit: a created or updated record, or a checked source or jurisdiction.
    pub has_changes: bool,
}

impl WriteSummary {
    /// The stored records that the drafts stand for.
    pub fn held(&self) -> impl Iterator<Item = (RecordType, Uuid)> {
        self.records.iter().filter(|written| written.action != WriteAction::Skipped).map(|written| (written.ty, written.id))
    }
}

/// Numbers of records by what a write did to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionCounts {
    /// Number of created records.
    pub created: usize,
    /// Number of updated records.
    pub updated: usize,
    /// Number of unchanged records.
    pub unchanged: usize,
    /// Number of skipped drafts.
    pub skipped: usize,
}

impl ActionCounts {
    /// Counts one record.
    pub fn count(&mut self, action: WriteAction) {
        match action {
            WriteAction::Created => self.created += 1,
            WriteAction::Updated => self.updated += 1,
            WriteAction::Unchanged => self.unchanged += 1,
            WriteAction::Skipped => self.skipped += 1,
        }
    }
}

impl std::ops::AddAssign for ActionCounts {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.skipped += other.skipped;
    }
}

/// What the result of a record says of a name that was redacted.
pub const REDACTED_WARNING: &str = "in this record the name of a withheld person was redacted";

/// Number of updated records of each type that a summary lists.
pub const MAX_LISTED_UPDATES: usize = 20;

/// A record that a write changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordUpdate {
    /// Type of the record.
    pub ty: RecordType,
    /// Slug of the record before the write.
    pub slug: String,
    /// Fields that change, with the paths of parts, as the history names them.
    pub fields: Vec<String>,
}

/// Adds the updates of one write to those of others.
pub(crate) fn add_updates(updates: &mut Vec<RecordUpdate>, more: impl IntoIterator<Item = RecordUpdate>) {
    for update in more {
        if updates.iter().filter(|listed| listed.ty == update.ty).count() < MAX_LISTED_UPDATES {
            updates.push(update);
        }
    }
}

/// Outcome of a write for one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenRecord {
    /// Type of the record.
    pub ty: RecordType,
    /// Id of the record.
    pub id: Uuid,
    /// What the write did.
    pub action: WriteAction,
    /// Whether a response may show the record. A former slug or an identifier must not lead to a withheld person.
    pub is_shown: bool,
}

impl WrittenRecord {
    /// Whether the record exists after the write.
    pub fn is_stored(&self, is_dry_run: bool) -> bool {
        match self.action {
            WriteAction::Created => !is_dry_run,
            WriteAction::Updated | WriteAction::Unchanged => true,
            WriteAction::Skipped => false,
        }
    }
}

/// What a write did to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteAction {
    /// The record is new.
    Created,
    /// The record changed.
    Updated,
    /// The record already had the given values.
    Unchanged,
    /// The draft is not written, and its id belongs to no record; a warning gives the reason.
    Skipped,
}

/// How the transaction of a valid write ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// The changes are kept.
    Commit,
    /// The changes are kept if there are no warnings; otherwise the warnings are problems.
    CommitWithoutWarnings,
    /// The changes are discarded: a dry run.
    Rollback,
    /// As [`Self::Rollback`], and warnings are problems.
    RollbackWithoutWarnings,
}

impl TransactionEnd {
    /// The end for these options of an import.
    pub fn of(dry_run: bool, strict: bool) -> Self {
        match (dry_run, strict) {
            (true, false) => Self::Rollback,
            (false, false) => Self::Commit,
            (true, true) => Self::RollbackWithoutWarnings,
            (false, true) => Self::CommitWithoutWarnings,
        }
    }

    /// Whether nothing is written.
    pub(crate) fn is_dry_run(self) -> bool {
        matches!(self, Self::Rollback | Self::RollbackWithoutWarnings)
    }

    /// Whether warnings are problems.
    pub(crate) fn is_strict(self) -> bool {
        matches!(self, Self::CommitWithoutWarnings | Self::RollbackWithoutWarnings)
    }
}

impl std::ops::AddAssign for WriteSummary {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.skipped += other.skipped;
        self.redacted += other.redacted;
        self.redacted_records.extend(other.redacted_records);
        for (ty, counts) in other.by_type {
            *self.by_type.entry(ty).or_default() += counts;
        }
        self.records.extend(other.records);
        self.warnings.extend(other.warnings);
        self.kept.extend(other.kept);
        add_updates(&mut self.updates, other.updates);
        self.has_changes |= other.has_changes;
    }
}

/// Why a write did not happen.
#[derive(Debug)]
pub enum WriteError {
    /// The input is not valid; these are all problems found.
    Problems(Vec<InputProblem>),
    /// The store failed.
    Failed(Error),
}

impl WriteError {
    /// A write with one problem.
    pub(crate) fn problem(problem: InputProblem) -> Self {
        Self::Problems(vec![problem])
    }

    /// The same error with its problems changed. What is wrong at one place of the input is said once, also if several values of a
    /// record follow from it.
    pub fn map_problems(self, change: impl FnOnce(Vec<InputProblem>) -> Vec<InputProblem>) -> Self {
        match self {
            Self::Problems(problems) => Self::Problems(each_once(change(problems))),
            Self::Failed(error) => Self::Failed(error),
        }
    }
}

fn each_once(problems: Vec<InputProblem>) -> Vec<InputProblem> {
    let mut said = Vec::with_capacity(problems.len());
    for problem in problems {
        if !said.contains(&problem) {
            said.push(problem);
        }
    }
    said
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A draft of a record with the id of the existing or new record.
#[derive(Debug)]
pub(crate) struct ResolvedDraft<'d> {
    pub(crate) id: Uuid,
    pub(crate) is_new: bool,
    /// Whether the record that the draft is for is unknown; it then has an id that no record has.
    pub(crate) is_unidentified: bool,
    pub(crate) draft: &'d Draft,
    /// Slug generated for a new record whose draft has none.
    pub(crate) generated_slug: Option<String>,
    /// Whether the record keeps its slug, because a withholding replaced the one that the draft gives. No response shows it.
    pub(crate) keeps_slug: bool,
    /// Position among all drafts of the write.
    pub(crate) position: usize,
}

/// Collects the outcome of a write, record by record in any order.
#[derive(Debug, Default)]
pub(crate) struct SummaryBuilder {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
    pub(crate) skipped: usize,
    pub(crate) redacted: BTreeSet<Uuid>,
    pub(crate) warnings: Vec<InputProblem>,
    pub(crate) kept: Vec<InputProblem>,
    pub(crate) updates: Vec<RecordUpdate>,
    /// Each record with its position among all drafts.
    pub(crate) records: Vec<(usize, WrittenRecord)>,
}

impl SummaryBuilder {
    /// The summary, with the records in the order of the drafts.
    pub(crate) fn finish(mut self) -> WriteSummary {
        self.records.sort_by_key(|(position, _)| *position);
        let Self { created, updated, unchanged, skipped, redacted, warnings, kept, updates, records } = self;
        let records: Vec<WrittenRecord> = records.into_iter().map(|(_, written)| written).collect();
        let mut by_type: BTreeMap<RecordType, ActionCounts> = BTreeMap::new();
        for written in &records {
            by_type.entry(written.ty).or_default().count(written.action);
        }
        WriteSummary {
            created,
            updated,
            unchanged,
            skipped,
            by_type,
            records,
            redacted: redacted.len(),
            redacted_records: redacted,
            warnings,
            kept,
            updates,
            has_changes: false,
        }
    }
}
