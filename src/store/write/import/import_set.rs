//! Import sets: the records that the files of a named import held, and what happens to those that are gone.

use std::collections::{BTreeMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::partial_date::PartialDate;
use crate::entity::RecordType;
use crate::store::curation::referrers::referrers;
use crate::store::curation::withholding::withheld_digest::withheld_persons;
use crate::store::draft::{Draft, DraftSource, DraftValue, InputProblem, Origin, WriteMode, WriteTarget};
use crate::store::read::result::Cell;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::import::edits;
use crate::store::write::import::import_run::{ImportRun, RUN_PREFIX, TABLE, is_pruned, set_hash, take_run};
use crate::store::write::load::{LOOKUP_BATCH_VALUES, load_rows};
use crate::store::write::model::StoredRow;
use crate::store::write::session::WriteSession;
use crate::store::write::types::{Author, TransactionEnd, WriteError};
use crate::store::{Store, database};

/// Name of the field that ends a record, such as a membership.
const END: &str = "end";
/// Name of the field with the begin of such a record.
const START: &str = "start";
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

/// The records that an import of a set held.
#[derive(Debug, Clone, Copy)]
pub enum HeldRecords<'h> {
    /// These.
    Given(&'h [(RecordType, Uuid)]),
    /// Those of the batches of a run, which ends.
    OfRun(&'h ImportRun),
}

impl Store {
    /// Adds the records that an import held to its set, and prunes those of the set that it did not hold. All of it is one
    /// transaction. The records come in the order in which they are pruned: first those that refer to others.
    ///
    /// Fails if the set has records and the import held none of them: an empty or a wrong file must not empty the set.
    pub async fn prune_import_set(
        &self,
        name: &str,
        held: HeldRecords<'_>,
        mode: &PruneMode,
        author: &Author,
        end: TransactionEnd,
    ) -> Result<Vec<PrunedRecord>, WriteError> {
        let session = self.begin(author).await?;
        let hash = set_hash(name);
        let members = members(&session.transaction, &hash).await?;
        let held: HashSet<Uuid> = match held {
            HeldRecords::Given(records) => records.iter().filter(|(ty, _)| is_pruned(*ty)).map(|(_, id)| *id).collect(),
            HeldRecords::OfRun(run) => take_run(&session.transaction, run).await?,
        };
        if *mode != PruneMode::List && !members.is_empty() && members.iter().all(|(_, id)| !held.contains(id)) {
            let message = format!(
                "the files hold none of the {} records of the set \"{name}\", so none is pruned; is it the right file? Delete the records one by one if they are really gone",
                members.len()
            );
            return Err(WriteError::problem(InputProblem::new(Origin::default(), message)));
        }
        let gone: Vec<(RecordType, Uuid)> = members.iter().filter(|(_, id)| !held.contains(id)).copied().collect();
        let (pruned, left) = session.prune(&hash, gone, mode).await?;
        remove_members(&session.transaction, &hash, &left).await?;
        let known: HashSet<Uuid> = members.into_iter().map(|(_, id)| id).collect();
        let rows = held.iter().filter(|id| !known.contains(id)).map(|id| vec![hash.as_str().into(), (*id).into()]).collect();
        let columns = ["hash", "record_id"];
        let target = InsertTarget { table: TABLE, columns: &columns, on_conflict: ConflictAction::Fail, batching: Batching::Fastest };
        match end {
            TransactionEnd::Commit | TransactionEnd::CommitWithoutWarnings => {
                insert(&session.transaction, target, rows).await?;
                session.commit().await?;
            }
            // new records of a dry run do not exist
            TransactionEnd::Rollback | TransactionEnd::RollbackWithoutWarnings => session.transaction.rollback().await.map_err(database)?,
        }
        Ok(pruned)
    }
}

impl WriteSession<'_> {
    /// Prunes records. Returns what happened to them, and those that are no longer in the set.
    async fn prune(
        &self,
        hash: &str,
        gone: Vec<(RecordType, Uuid)>,
        mode: &PruneMode,
    ) -> Result<(Vec<PrunedRecord>, Vec<Uuid>), WriteError> {
        let withheld = withheld_persons(&self.transaction).await?;
        let of_others = of_other_sets(&self.transaction, hash, &gone).await?;
        let mut by_type: BTreeMap<usize, (RecordType, Vec<Uuid>)> = BTreeMap::new();
        let order = catalog().write_order();
        for (ty, id) in gone.into_iter().filter(|(_, id)| !withheld.contains(id)) {
            let place = order.iter().position(|of| *of == ty).ok_or_else(|| internal("a set has a record of an unknown type"))?;
            by_type.entry(place).or_insert((ty, Vec::new())).1.push(id);
        }
        let (mut pruned, mut left) = (Vec::new(), Vec::new());
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
                    *outcome = Some(match edits.get(&row.id).and_then(edits::Edits::latest) {
                        _ if *mode == PruneMode::List => PruneOutcome::Listed,
                        _ if of_others.contains(&row.id) => PruneOutcome::Kept("another set holds it".to_owned()),
                        Some(edit) => PruneOutcome::Kept(format!("it was edited by {}", edit.attribution())),
                        None => self.prune_record(record, row, mode).await?,
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
                    || (*mode != PruneMode::List && of_others.contains(&row.id))
                {
                    left.push(row.id);
                }
                pruned.push(PrunedRecord { ty, slug: slug(record, row).to_owned(), outcome });
            }
        }
        Ok((pruned, left))
    }

    async fn prune_record(&self, record: &'static Record, row: &StoredRow, mode: &PruneMode) -> Result<PruneOutcome, WriteError> {
        match mode {
            PruneMode::List => Ok(PruneOutcome::Listed),
            PruneMode::Delete => {
                let referrers = referrers(&self.transaction, record, row.id, MAX_LISTED_REFERRERS).await?;
                if referrers.is_empty() {
                    self.remove(record, row, "deleted").await?;
                    return Ok(PruneOutcome::Deleted);
                }
                let names = referrers.iter().map(|referrer| format!("{} \"{}\"", catalog().get(referrer.ty).singular(), referrer.slug));
                Ok(PruneOutcome::Kept(format!("other records refer to it: {}", names.collect::<Vec<_>>().join(", "))))
            }
            PruneMode::Close(day) => {
                let Some(field) = record.field_id(END) else {
                    return Ok(PruneOutcome::Kept(format!("{} has no end", crate::core::article::with_article(&record.singular()))));
                };
                if row.cells[field.index()] != Cell::Null {
                    return Ok(PruneOutcome::Closed);
                }
                let start = record.field_id(START).and_then(|field| row.cells[field.index()].as_text());
                if let Some(start) = start.filter(|start| *start > day.end().as_str()) {
                    return Ok(PruneOutcome::Kept(format!("it begins on {start}, after the end given")));
                }
                let target = WriteTarget {
                    mode: WriteMode::Update,
                    id: Some(row.id),
                    source: DraftSource::OverwritingImport,
                    ..WriteTarget::default()
                };
                let value = (field, DraftValue::Cell(Cell::Text(day.as_str().to_owned())), Origin::default());
                let draft = Draft { target, values: vec![value], ..Draft::default() };
                self.write(&vec![(record.ty, vec![draft])], &|_| ()).await?;
                Ok(PruneOutcome::Closed)
            }
        }
    }
}

impl PruneOutcome {
    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// The records among these that other sets have as well.
async fn of_other_sets(transaction: &DatabaseTransaction, hash: &str, records: &[(RecordType, Uuid)]) -> Result<HashSet<Uuid>> {
    let ids: Vec<Uuid> = records.iter().map(|(_, id)| *id).collect();
    let mut found = HashSet::new();
    for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .column("record_id")
            .from(TABLE)
            .and_where(Expr::col("hash").ne(hash))
            .and_where(Expr::col("hash").not_like(format!("{RUN_PREFIX}%")))
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            found.insert(row.try_get_by_index(0).map_err(internal)?);
        }
    }
    Ok(found)
}

fn slug<'r>(record: &Record, row: &'r StoredRow) -> &'r str {
    record.field_id("slug").and_then(|field| row.cells[field.index()].as_text()).unwrap_or("")
}

/// The records of a set, with their types.
async fn members(transaction: &DatabaseTransaction, hash: &str) -> Result<Vec<(RecordType, Uuid)>> {
    let select = Query::select()
        .columns([("nodes", "record_type"), ("nodes", "id")])
        .from(TABLE)
        .inner_join("nodes", Expr::col(("nodes", "id")).equals((TABLE, "record_id")))
        .and_where(Expr::col((TABLE, "hash")).eq(hash))
        .to_owned();
    let mut members = Vec::new();
    for row in transaction.query_all(&select).await.map_err(database)? {
        let prefix: String = row.try_get_by_index(0).map_err(internal)?;
        let ty = RecordType::from_prefix(&prefix).ok_or_else(|| internal("a node has an unknown type"))?;
        members.push((ty, row.try_get_by_index(1).map_err(internal)?));
    }
    Ok(members)
}

async fn remove_members(transaction: &DatabaseTransaction, hash: &str, records: &[Uuid]) -> Result<()> {
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let delete = Query::delete()
            .from_table(Alias::new(TABLE))
            .and_where(Expr::col("hash").eq(hash))
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", batch)?)
            .to_owned();
        transaction.execute(&delete).await.map_err(database)?;
    }
    Ok(())
}
