//! The write session: one exclusive transaction, and the steps from drafts to a commit.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use serde_json::Value as Json;
use typed_arena::Arena;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::core::path::{DisplayPath, PathSegment};
use crate::core::text::cleaned;
use crate::entity::RecordType;
use crate::store::curation::disputes;
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::withheld_digest::{Recognizers, insert_slug_digest};
use crate::store::db::dataset_version;
use crate::store::db::dataset_version::WriteScope;
use crate::store::db::snapshot::begin;
use crate::store::draft::record_names::name_records;
use crate::store::draft::{
    Draft, DraftSource, Drafts, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget, has_problems, parse, problems_of, value_tree,
};
use crate::store::history::revisions::{NewRevision, RevisionStamp, insert_revisions};
use crate::store::read::dump::FormerName;
use crate::store::write::diff::ChangeSet;
use crate::store::write::load::load_rows;
use crate::store::write::model::{StoredRow, is_published, revision_number};
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::screened::{Screening, screen_drafts, withheld_links};
use crate::store::write::stored_state::stored_state;
use crate::store::write::types::{Author, TransactionEnd, WriteError, WriteSummary};
use crate::store::write::validate;
use crate::store::{Store, database};

/// Records that a check keeps in memory at a time.
const CHECK_BATCH_RECORDS: usize = 1_000;

/// An exclusive transaction that writes records.
pub(crate) struct WriteSession<'s> {
    pub(crate) store: &'s Store,
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) author: &'s Author,
}

impl Store {
    /// Writes records: all of them, or none if any has a problem. `progress` receives the number of records diffed since
    /// its last call.
    pub async fn write(
        &self,
        drafts: &Drafts,
        author: &Author,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        self.write_or_try(drafts, author, TransactionEnd::Commit, progress).await
    }

    /// Writes records and commits, or rolls back for a dry run. Drafts with problems are only checked.
    pub async fn write_or_try(
        &self,
        drafts: &Drafts,
        author: &Author,
        end: TransactionEnd,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        if has_problems(drafts) {
            return self.check(drafts, author, progress).await;
        }
        let session = self.begin(author).await?;
        let summary = session.write(drafts, &progress).await?;
        session.end(summary, end).await
    }

    /// Finds all problems of a write, and what it would do, without writing. Neither blocks writers nor keeps all changes
    /// in memory.
    pub async fn check(
        &self,
        drafts: &Drafts,
        author: &Author,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        author.check()?;
        let transaction = self.pools.primary.begin().await.map_err(database)?;
        let session = WriteSession { store: self, transaction, author };
        let summary = session.diff(drafts, &progress, true).await?.summary.finish();
        session.transaction.rollback().await.map_err(database)?;
        Ok(summary)
    }

    pub(crate) async fn begin<'s>(&'s self, author: &'s Author) -> Result<WriteSession<'s>, WriteError> {
        author.check()?;
        Ok(WriteSession { store: self, transaction: self.begin_exclusive().await?, author })
    }

    /// Begins a write transaction once no other write is in progress.
    pub(crate) async fn begin_exclusive(&self) -> Result<DatabaseTransaction> {
        // a SQLite transaction that reads before it writes fails if another one has written in between
        let options =
            TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() };
        let asked = crate::observability::metrics::start_wait();
        let transaction = begin(&self.pools.writer, options).await.map_err(database)?;
        crate::store::db::changes::lock_writes(&transaction).await.map_err(database)?;
        crate::observability::metrics::record_write_wait(asked);
        Ok(transaction)
    }

    /// Commits a transaction and notifies all processes of the change.
    pub(crate) async fn commit(&self, transaction: DatabaseTransaction) -> Result<()> {
        self.changes.notify(&transaction).await.map_err(database)?;
        transaction.commit().await.map_err(database)?;
        self.changes.advance_generation();
        Ok(())
    }
}

impl WriteSession<'_> {
    /// Writes records within the transaction, without committing.
    pub(crate) async fn write(&self, drafts: &Drafts, progress: &(impl Fn(usize) + Send + Sync)) -> Result<WriteSummary, WriteError> {
        let mut changes = self.diff(drafts, progress, false).await?;
        let summary = std::mem::take(&mut changes.summary);
        let redacted_slugs = std::mem::take(&mut changes.redacted_slugs);
        let has_changes = changes.write(&self.transaction).await?;
        if let Some(key) =
            DigestKey::load(&self.transaction, self.store.withholding_secret.as_deref()).await?.filter(|_| !redacted_slugs.is_empty())
        {
            for former in redacted_slugs {
                insert_slug_digest(&self.transaction, &key, (former.ty, former.record), &former.name).await?;
            }
        }
        Ok(WriteSummary { has_changes, ..summary.finish() })
    }

    /// Resolves, validates and diffs the drafts; fails with all problems found, including those that the drafts already
    /// have. `only_check` discards changes as soon as
    /// they are diffed.
    async fn diff(
        &self,
        drafts: &Drafts,
        progress: &(impl Fn(usize) + Send + Sync),
        only_check: bool,
    ) -> Result<ChangeSet<'_>, WriteError> {
        let transaction = &self.transaction;
        let mut problems = problems_of(drafts);
        let mut names = ResolvedNames::default();
        let recognizers = Recognizers::load(transaction, self.store.withholding_secret.as_deref()).await?;
        let mut resolved = names.resolve(self.store, transaction, drafts, &recognizers, &mut problems).await?;
        let screened = Arena::new();
        let (skipped, merged_names) = names.skip_withheld_names(transaction, &recognizers.anywhere, &mut resolved).await?;
        names.skip_referrers(skipped, &mut resolved, &screened);
        names.find_memberships_again(transaction, &recognizers, &mut resolved).await?;
        let screening = Screening { names: &names, recognizers: &recognizers, merged_names: &merged_names };
        let links = Box::pin(withheld_links(transaction, &screening, &resolved, &mut problems)).await?;
        let redacted = screen_drafts(&screening, links, &mut resolved, &screened, &mut problems);
        validate::references(drafts, &names, &mut problems);
        validate::unique(transaction, &resolved, &mut problems).await?;
        let draft_sources = disputes::draft_sources(transaction, &resolved).await?;
        let (edits, imports): (Vec<&Draft>, Vec<&Draft>) =
            drafts.iter().flat_map(|(_, drafts)| drafts).partition(|draft| draft.target.source == DraftSource::Edit);
        problems.extend(edits.iter().flat_map(|draft| &draft.warnings).cloned());
        let imported = !imports.is_empty() || edits.iter().any(|draft| draft.target.restores_import);
        let stamp = RevisionStamp { imported, ..self.stamp() };
        let mut changes = ChangeSet::new(self.store, stamp, draft_sources, std::mem::take(&mut names.types));
        changes.summary = names.skipped();
        changes.summary.redacted = redacted.iter().map(|(_, id, _)| *id).collect();
        changes.summary.warnings.extend(imports.iter().flat_map(|draft| &draft.warnings).cloned());
        let slugs = redacted.into_iter().filter_map(|(ty, id, slug)| Some(FormerName { ty, name: slug?, record: id }));
        changes.redacted_slugs.extend(slugs);
        for (ty, records) in &resolved {
            for batch in records.chunks(if only_check { CHECK_BATCH_RECORDS } else { records.len().max(1) }) {
                changes.add(transaction, catalog().get(*ty), batch, &names, &mut problems, progress).await?;
                if only_check {
                    changes.discard();
                }
            }
        }
        changes.hierarchy.check(transaction, &mut problems).await?;
        changes.citation_cycles.check(transaction, &mut problems).await?;
        if problems.is_empty() {
            return Ok(changes);
        }
        problems.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
        name_records(drafts, &mut problems);
        Err(WriteError::Problems(problems))
    }

    /// Ends the transaction: commits what changed, or rolls it back for a dry run or if warnings are problems.
    pub(crate) async fn end(self, summary: WriteSummary, end: TransactionEnd) -> Result<WriteSummary, WriteError> {
        if end.is_strict() && !summary.warnings.is_empty() {
            self.transaction.rollback().await.map_err(database)?;
            return Err(WriteError::Problems(summary.warnings));
        }
        match end {
            TransactionEnd::Commit | TransactionEnd::CommitWithoutWarnings if summary.has_changes => self.commit().await?,
            TransactionEnd::Commit
            | TransactionEnd::CommitWithoutWarnings
            | TransactionEnd::Rollback
            | TransactionEnd::RollbackWithoutWarnings => self.transaction.rollback().await.map_err(database)?,
        }
        Ok(summary)
    }

    /// Commits the transaction, advances the dataset version and notifies all processes.
    pub(crate) async fn commit(self) -> Result<()> {
        dataset_version::advance(&self.transaction, self.store.clock.now(), WriteScope::Records).await?;
        self.store.commit(self.transaction).await
    }

    /// The stored record with this id, which the input has in `argument`; a problem if it does not exist.
    pub(crate) async fn existing(&self, record: &'static Record, id: Uuid, argument: &'static str) -> Result<StoredRow, WriteError> {
        let found = load_rows(&self.transaction, record, "id", &[id]).await?.pop();
        found.map(|(_, row)| row).ok_or_else(|| WriteError::problem(unknown_id(record, id, argument)))
    }

    /// Instant and author of the revisions that this session writes, which are edits.
    pub(crate) fn stamp(&self) -> RevisionStamp {
        let clean = |text: &str| cleaned(text).trim().to_owned();
        let (by, message) = (clean(&self.author.by), self.author.message.as_deref().map(clean).filter(|message| !message.is_empty()));
        RevisionStamp { at: self.store.clock.now(), by, message, imported: false }
    }

    /// Adds a revision without field changes to the history of a record.
    pub(crate) async fn add_empty_revision(&self, record: &'static Record, row: &StoredRow, kind: &'static str) -> Result<()> {
        let (number, published) = (revision_number(record, row) + 1, is_published(record, row));
        let revision = NewRevision { record: row.id, ty: record.ty, number, kind, changes: Vec::new(), published };
        insert_revisions(self.store, &self.transaction, &self.stamp(), vec![revision]).await?;
        let update = Query::update()
            .table(Alias::new(record.table))
            .value("revision", i32::try_from(number).map_err(internal)?)
            .and_where(Expr::col("id").eq(row.id))
            .to_owned();
        self.transaction.execute(&update).await.map(drop).map_err(database)
    }

    /// The current state of a record as a value that can be parsed into a draft.
    pub(crate) async fn state(&self, record: &'static Record, id: Uuid) -> Result<Json> {
        stored_state(&self.transaction, record, id).await
    }
}

/// The problem that no record has the id in an argument.
pub(crate) fn unknown_id(record: &Record, id: Uuid, argument: &'static str) -> InputProblem {
    let message = format!("there is no {} with the id {}", record.singular(), id::encode(record.ty.prefix(), id));
    InputProblem::new(Origin::input([argument]), message).with_code(ProblemCode::NotFound)
}

/// The conflict if the record is at this revision instead of the expected one.
pub(crate) fn revision_problem(number: i64, expected: Option<i64>) -> Option<InputProblem> {
    let expected = expected.filter(|expected| *expected != number)?;
    let message = format!("the record is at revision {number}, not {expected}: it was changed in the meantime; read it again");
    Some(InputProblem::new(Origin::input(["expectedRevision"]), message).with_code(ProblemCode::Conflict(number)))
}

/// A draft that updates a record to this state, which follows from the record in `argument` of the input.
pub(crate) fn update_draft(ty: RecordType, id: Uuid, state: &Json, argument: &'static str) -> Draft {
    let draft = parse::state(catalog().get(ty), &value_tree::from_json(state), &Origin::input([argument]));
    let target = WriteTarget { mode: WriteMode::Update, id: Some(id), restates_stored: true, ..WriteTarget::default() };
    Draft { target, ..draft }
}

/// Moves problems in a state below `state`, which is not part of the input, to the argument that the state follows from:
/// those of the record itself to `target`, those of its fields to `values`, where the message names the field.
pub(crate) fn relocate_state_problems(
    mut problems: Vec<InputProblem>,
    state: &Origin,
    target: &Origin,
    values: &Origin,
) -> Vec<InputProblem> {
    for problem in &mut problems {
        let Some(field) = problem.origin.path.strip_prefix(state.path.as_slice()) else { continue };
        match field {
            [] => problem.origin = target.clone(),
            [PathSegment::Name(name)] if name == "id" => problem.origin = target.clone(),
            [PathSegment::Name(name)] if name == "expectedRevision" => problem.origin = Origin::input(["expectedRevision"]),
            field => {
                problem.message = format!("{}: {}", DisplayPath(field), problem.message);
                problem.origin = values.clone();
            }
        }
    }
    problems
}
