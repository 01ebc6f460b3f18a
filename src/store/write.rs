//! Writing: checked whole, then written whole. The rows, their revisions and their search documents
//! commit together or not at all, and what is the same as before is not written again.
//!
//! Writes come one after the other, in all processes: SQLite has one writer, and on PostgreSQL each takes a lock
//! first. So no two of them wait for each other, and the order of the changes is the order in which they are seen.

pub(crate) mod apply;
pub(crate) mod resolve;
pub(crate) mod validate;

use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, RecordKind, catalog};
use crate::core::error::{Error, Result};
use crate::entity::RecordType;
use crate::store::curation::disputes;
use crate::store::db::dataset_version;
use crate::store::db::dataset_version::WriteScope;
use crate::store::draft::{Draft, InputProblem};
use crate::store::read::result::Cell;
use crate::store::write::resolve::Names;
use crate::store::{Store, database};

/// Values looked up by one statement at most: few enough for one message to PostgreSQL, of 16 KiB.
pub(crate) const CHUNK: usize = 256;

/// Records that a check looks at before it lets go of them.
const CHECKED: usize = 1_000;

/// Records of one type to be written.
pub type Drafts = Vec<(RecordType, Vec<Draft>)>;

/// Who writes, and why.
#[derive(Debug, Clone)]
pub struct Author {
    /// Name of the one who writes.
    pub by: String,
    /// Why.
    pub message: Option<String>,
}

/// What a write did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteSummary {
    /// Records that are new.
    pub created: usize,
    /// Records that changed.
    pub updated: usize,
    /// Records that were the same already.
    pub unchanged: usize,
    /// Each record, in the order in which they were given.
    pub records: Vec<WrittenRecord>,
    /// Whether there is anything to be kept: a record that is new or changed, or a source or jurisdiction that was checked.
    pub touched: bool,
}

/// What a write did to one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenRecord {
    /// Type of the record.
    pub ty: RecordType,
    /// Its id.
    pub id: Uuid,
    /// What was done.
    pub done: WriteAction,
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteAction {
    /// It is new.
    Created,
    /// It changed.
    Updated,
    /// It was the same already.
    Unchanged,
}

/// How a write ends, if nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// It is kept.
    Commit,
    /// It was to see what it would do.
    Rollback,
}

impl std::ops::AddAssign for WriteSummary {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.records.extend(other.records);
        self.touched |= other.touched;
    }
}

/// Why nothing was written.
#[derive(Debug)]
pub enum WriteError {
    /// Something in what was given is wrong; this is all of it.
    Problems(Vec<InputProblem>),
    /// The database failed.
    Failed(Error),
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A record or part with the id it has or is to have.
#[derive(Debug)]
pub(crate) struct ResolvedDraft<'d> {
    pub(crate) id: Uuid,
    pub(crate) is_new: bool,
    pub(crate) draft: &'d Draft,
    /// Slug that was made for it, where it has none.
    pub(crate) slug: Option<String>,
    /// Place among all that was given.
    pub(crate) place: usize,
}

/// A transaction that writes, alone.
pub(crate) struct WriteSession<'s> {
    pub(crate) store: &'s Store,
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) author: &'s Author,
}

impl Store {
    /// Writes records: all of them, or none if anything is wrong with any. `progress` is told how many are done.
    pub async fn write(
        &self,
        drafts: &Drafts,
        author: &Author,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        self.write_or_try(drafts, author, TransactionEnd::Commit, progress).await
    }

    /// Writes records, or only finds out what that would do.
    pub async fn write_or_try(
        &self,
        drafts: &Drafts,
        author: &Author,
        ending: TransactionEnd,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        let writing = self.begin(author).await?;
        let outcome = writing.write(drafts, &progress).await?;
        match ending {
            TransactionEnd::Commit if outcome.touched => writing.commit().await?,
            _ => writing.transaction.rollback().await.map_err(database)?,
        }
        Ok(outcome)
    }

    /// Says what a write would do, and everything that is wrong with it, without writing and without keeping all of it in memory.
    pub async fn check(
        &self,
        drafts: &Drafts,
        author: &Author,
        progress: impl Fn(usize) + Send + Sync,
    ) -> Result<WriteSummary, WriteError> {
        // nothing is written, so nobody has to wait
        let transaction = self.pools.primary.begin().await.map_err(database)?;
        let writing = WriteSession { store: self, transaction, author };
        let outcome = writing.gather(drafts, &progress, true).await?.outcome.finish();
        writing.transaction.rollback().await.map_err(database)?;
        Ok(outcome)
    }

    pub(crate) async fn begin<'s>(&'s self, author: &'s Author) -> Result<WriteSession<'s>> {
        Ok(WriteSession { store: self, transaction: self.begin_alone().await?, author })
    }

    /// Begins a transaction that writes, once no other does.
    pub(crate) async fn begin_alone(&self) -> Result<DatabaseTransaction> {
        // a reader that becomes a writer would fail where another has written meanwhile
        let options =
            TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() };
        let asked = crate::observability::metrics::start_wait();
        let transaction = self.pools.writer.begin_with_options(options).await.map_err(database)?;
        crate::store::db::changes::alone(&transaction).await.map_err(database)?;
        crate::observability::metrics::record_write_wait(asked);
        Ok(transaction)
    }

    /// Keeps what a transaction wrote, and tells of it.
    pub(crate) async fn commit(&self, transaction: DatabaseTransaction) -> Result<()> {
        self.changes.tell(&transaction).await.map_err(database)?;
        transaction.commit().await.map_err(database)?;
        self.changes.bump();
        Ok(())
    }
}

impl WriteSession<'_> {
    pub(crate) async fn write(&self, drafts: &Drafts, progress: &(impl Fn(usize) + Send + Sync)) -> Result<WriteSummary, WriteError> {
        let mut work = self.gather(drafts, progress, false).await?;
        let outcome = std::mem::take(&mut work.outcome);
        let touched = work.write(&self.transaction).await?;
        Ok(WriteSummary { touched, ..outcome.finish() })
    }

    /// Finds out what is to be written, and everything that is wrong. `only_check` lets go of it as it is found.
    async fn gather(
        &self,
        drafts: &Drafts,
        progress: &(impl Fn(usize) + Send + Sync),
        only_check: bool,
    ) -> Result<apply::Work<'_>, WriteError> {
        let transaction = &self.transaction;
        let mut problems = Vec::new();
        let mut names = Names::default();
        let named = names.resolve(self.store, transaction, drafts, &mut problems).await?;
        validate::references(drafts, &names, &mut problems);
        validate::unique(transaction, &named, &mut problems).await?;
        let draft_sources = disputes::draft_sources(transaction, &named).await?;
        let mut work = apply::Work::new(self.store, self.author, draft_sources, std::mem::take(&mut names.types));
        work.outcome = names.skipped();
        for (ty, records) in &named {
            for chunk in records.chunks(if only_check { CHECKED } else { records.len().max(1) }) {
                work.add(transaction, catalog().get(*ty), chunk, &names, &mut problems, progress).await?;
                if only_check {
                    work.forget();
                }
            }
        }
        if problems.is_empty() {
            return Ok(work);
        }
        problems.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
        Err(WriteError::Problems(problems))
    }

    /// Keeps what was written, and tells of it.
    pub(crate) async fn commit(self) -> Result<()> {
        dataset_version::note(&self.transaction, self.store.clock.now(), WriteScope::Records).await?;
        self.store.commit(self.transaction).await
    }
}

/// An instant and the transaction's author, as a revision keeps them.
#[derive(Debug)]
pub(crate) struct Stamp {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    pub(crate) message: Option<String>,
}

/// Value of a kind as the database takes it.
fn bind(kind: FieldKind, cell: &Cell) -> sea_orm::Value {
    match cell {
        Cell::Null => match kind {
            FieldKind::Integer => sea_orm::Value::Int(None),
            FieldKind::Number => sea_orm::Value::Double(None),
            FieldKind::Boolean => sea_orm::Value::Bool(None),
            FieldKind::Instant => sea_orm::Value::ChronoDateTimeUtc(None),
            FieldKind::Translated | FieldKind::List(_) => sea_orm::Value::Json(None),
            FieldKind::One(_) | FieldKind::Any => sea_orm::Value::Uuid(None),
            _ => sea_orm::Value::String(None),
        },
        Cell::Text(text) => text.as_str().into(),
        Cell::Integer(number) => i32::try_from(*number).unwrap_or(i32::MAX).into(),
        Cell::Number(number) => (*number).into(),
        Cell::Boolean(boolean) => (*boolean).into(),
        Cell::Id(id) => (*id).into(),
        Cell::Instant(instant) => (*instant).into(),
        Cell::Json(json) => json.clone().into(),
    }
}

/// Whether this is a record with a life of its own.
pub(crate) fn lives(record: &Record) -> bool {
    record.shape == RecordKind::Record
}
