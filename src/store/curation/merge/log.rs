//! The record of a merge: what is needed to undo it. It holds ids and numbers only; the values are in the revisions.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::field::{CHECKED_AT, LAST_CHANGED_AT};
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::database;
use crate::store::history::revisions::TABLE as REVISIONS;
use crate::store::read::result::Cell;
use crate::store::write::model::StoredRow;
use crate::store::write::writer::delete_rows;

const MERGES: &str = "merges";
const REDIRECTS: &str = "merged_redirects";

/// What a merge moved.
#[derive(Debug, Clone)]
pub(crate) struct RecordedMerge {
    /// The record that was kept.
    pub(crate) into: Uuid,
    /// Last revision of the merged record before the merge.
    pub(crate) revision: i64,
    /// Sequence numbers of the revisions that moved values and references; empty if the second is less than the first.
    pub(crate) sequences: (i32, i32),
    /// Records that were merged into the merged record before. Their ids and slugs went with it.
    pub(crate) redirected: Vec<Uuid>,
    /// Instants of the merged record, which no revision has.
    pub(crate) instants: MergedInstants,
}

/// When a merged record was created, last checked, and last changed with the records that depend on it. Not set for records
/// without such an instant, and for merges that an earlier version recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MergedInstants {
    pub(crate) created: Option<DateTime<Utc>>,
    pub(crate) checked: Option<DateTime<Utc>>,
    pub(crate) last_changed: Option<DateTime<Utc>>,
}

/// Columns of [`MergedInstants`], in `merges` and in the tables of records.
const INSTANT_COLUMNS: [&str; 3] = ["created_at", "checked_at", "last_changed_at"];

impl MergedInstants {
    /// The instants of a record.
    pub(crate) fn of(record: &Record, row: &StoredRow) -> Self {
        let instant = |name| match record.field_id(name).map(|id| &row.cells[id.index()]) {
            Some(Cell::Instant(at)) => Some(*at),
            _ => None,
        };
        Self { created: instant("createdAt"), checked: instant(CHECKED_AT), last_changed: instant(LAST_CHANGED_AT) }
    }

    /// Gives the instants to a restored record.
    pub(crate) async fn restore(self, transaction: &DatabaseTransaction, record: &Record, id: Uuid) -> Result<()> {
        let instants = [self.created, self.checked, self.last_changed];
        let values: Vec<_> = INSTANT_COLUMNS.into_iter().zip(instants).filter_map(|(column, at)| Some((column, at?.into()))).collect();
        if values.is_empty() {
            return Ok(());
        }
        let update = Query::update().table(record.table).values(values).and_where(Expr::col("id").eq(id)).to_owned();
        transaction.execute(&update).await.map(drop).map_err(database)
    }
}

/// A revision that a merge wrote.
#[derive(Debug)]
pub(crate) struct MergeRevision {
    pub(crate) ty: RecordType,
    pub(crate) record: Uuid,
    /// Field changes.
    pub(crate) changes: Vec<Json>,
}

/// Stores what the merge of a record moved.
pub(crate) async fn insert_merge(transaction: &DatabaseTransaction, merged: Uuid, merge: &RecordedMerge) -> Result<()> {
    let mut insert = Query::insert();
    let columns = ["record_id", "into_id", "revision", "first_sequence", "last_sequence"];
    insert.into_table(MERGES).columns(columns.into_iter().chain(INSTANT_COLUMNS).map(Alias::new));
    let revision = i32::try_from(merge.revision).map_err(internal)?;
    let (first, last) = merge.sequences;
    let MergedInstants { created, checked, last_changed } = merge.instants;
    let values = [Expr::val(merged), Expr::val(merge.into), Expr::val(revision), Expr::val(first), Expr::val(last)];
    insert.values(values.into_iter().chain([created, checked, last_changed].map(Expr::val))).map_err(internal)?;
    transaction.execute(&insert).await.map_err(database)?;
    for former in &merge.redirected {
        let mut insert = Query::insert();
        insert.into_table(REDIRECTS).columns(["record_id", "former_id"].map(Alias::new));
        insert.values([Expr::val(merged), Expr::val(*former)]).map_err(internal)?;
        transaction.execute(&insert).await.map_err(database)?;
    }
    Ok(())
}

/// What the merge of a record moved. Not set if the record is not merged, or if nothing was recorded.
pub(crate) async fn load_merge(transaction: &DatabaseTransaction, merged: Uuid) -> Result<Option<RecordedMerge>> {
    let select = Query::select()
        .columns(["into_id", "revision", "first_sequence", "last_sequence"])
        .columns(INSTANT_COLUMNS)
        .from(MERGES)
        .and_where(Expr::col("record_id").eq(merged))
        .to_owned();
    let Some(row) = transaction.query_one(&select).await.map_err(database)? else { return Ok(None) };
    let redirects = Query::select().column("former_id").from(REDIRECTS).and_where(Expr::col("record_id").eq(merged)).to_owned();
    let redirects = transaction.query_all(&redirects).await.map_err(database)?;
    let redirected = redirects.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)?;
    let revision: i32 = row.try_get_by_index(1).map_err(internal)?;
    Ok(Some(RecordedMerge {
        into: row.try_get_by_index(0).map_err(internal)?,
        revision: revision.into(),
        sequences: (row.try_get_by_index(2).map_err(internal)?, row.try_get_by_index(3).map_err(internal)?),
        redirected,
        instants: MergedInstants {
            created: row.try_get_by_index(4).map_err(internal)?,
            checked: row.try_get_by_index(5).map_err(internal)?,
            last_changed: row.try_get_by_index(6).map_err(internal)?,
        },
    }))
}

/// Other records that were merged into a record, each with its last revision before the merge.
pub(crate) async fn merged_into(transaction: &DatabaseTransaction, into: Uuid) -> Result<Vec<(Uuid, i64)>> {
    let select = Query::select()
        .columns(["record_id", "revision"])
        .from(MERGES)
        .and_where(Expr::col("into_id").eq(into))
        .order_by("record_id", Order::Asc)
        .to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let merges = rows.iter().map(|row| {
        let revision: i32 = row.try_get_by_index(1)?;
        Ok((row.try_get_by_index(0)?, revision.into()))
    });
    merges.collect::<std::result::Result<_, sea_orm::DbErr>>().map_err(internal)
}

/// The field changes by which merges that were made after this one, and are not undone, changed a record; those of the last merge
/// first.
pub(crate) async fn changes_of_later_merges(transaction: &DatabaseTransaction, record: Uuid, merge: &RecordedMerge) -> Result<Vec<Json>> {
    let sequence = || Expr::col((REVISIONS, "sequence"));
    let of_later = Query::select()
        .column((MERGES, "record_id"))
        .from(MERGES)
        .and_where(Expr::col((MERGES, "first_sequence")).gt(merge.sequences.1))
        .and_where(Expr::col((MERGES, "first_sequence")).lte(sequence()))
        .and_where(Expr::col((MERGES, "last_sequence")).gte(sequence()))
        .to_owned();
    let select = Query::select()
        .column("changes")
        .from(REVISIONS)
        .and_where(Expr::col("record_id").eq(record))
        .and_where(Expr::exists(of_later))
        .order_by("sequence", Order::Desc)
        .to_owned();
    let mut all = Vec::new();
    for row in transaction.query_all(&select).await.map_err(database)? {
        let changes: Json = row.try_get_by_index(0).map_err(internal)?;
        let Json::Array(changes) = changes else { return Err(internal("the changes of a revision are not a list")) };
        all.extend(changes);
    }
    Ok(all)
}

/// Deletes what is recorded of all merges of these records, and into them.
pub(crate) async fn forget_merges(transaction: &DatabaseTransaction, records: &[Uuid]) -> Result<()> {
    let is_one = || Expr::col("record_id").is_in(records.iter().copied());
    let select = Query::select()
        .column("record_id")
        .from(MERGES)
        .cond_where(Cond::any().add(is_one()).add(Expr::col("into_id").is_in(records.iter().copied())))
        .to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let merged: Vec<Uuid> = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)?;
    delete_merges(transaction, &merged).await
}

/// Deletes what is recorded of the merges of these records.
pub(crate) async fn delete_merges(transaction: &DatabaseTransaction, merged: &[Uuid]) -> Result<()> {
    for table in [REDIRECTS, MERGES] {
        delete_rows(transaction, table, "record_id", merged).await?;
    }
    Ok(())
}

/// The revisions that a merge wrote, in their order.
pub(crate) async fn merge_revisions(transaction: &DatabaseTransaction, merge: &RecordedMerge) -> Result<Vec<MergeRevision>> {
    let (first, last) = merge.sequences;
    let select = Query::select()
        .columns(["record_type", "record_id", "changes"])
        .from(REVISIONS)
        .and_where(Expr::col("sequence").between(first, last))
        .order_by("sequence", Order::Asc)
        .to_owned();
    let mut revisions = Vec::new();
    for row in transaction.query_all(&select).await.map_err(database)? {
        let prefix: String = row.try_get_by_index(0).map_err(internal)?;
        let ty = RecordType::from_prefix(&prefix).ok_or_else(|| internal(format!("no record type has the prefix {prefix}")))?;
        let changes: Json = row.try_get_by_index(2).map_err(internal)?;
        let Json::Array(changes) = changes else { return Err(internal("the changes of a revision are not a list")) };
        revisions.push(MergeRevision { ty, record: row.try_get_by_index(1).map_err(internal)?, changes });
    }
    Ok(revisions)
}

/// The record that a record was merged into. Not set if it is not merged.
pub(crate) async fn merge_target(transaction: &DatabaseTransaction, merged: Uuid) -> Result<Option<Uuid>> {
    let select = Query::select().column("merged_into").from("nodes").and_where(Expr::col("id").eq(merged)).to_owned();
    let row = transaction.query_one(&select).await.map_err(database)?;
    row.map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)
}

/// Records whose ids redirect to a record.
pub(crate) async fn redirected_ids(transaction: &DatabaseTransaction, target: Uuid) -> Result<Vec<Uuid>> {
    let select =
        Query::select().column("id").from("nodes").and_where(Expr::col("merged_into").eq(target)).order_by("id", Order::Asc).to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)
}
