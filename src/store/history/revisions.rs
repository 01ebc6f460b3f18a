//! Revisions: the entries of the history of records, and how they are numbered.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::screening::records_of_withheld_persons;
use crate::store::curation::withholding::withheld_digest::Recognizers;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::{Store, database};

pub(crate) const TABLE: &str = "revisions";
/// Column of the revisions in which a merge, or its undoing, moved references of another record. They are no edits.
pub(crate) const MOVED: &str = "moved";
const COLUMNS: [&str; 12] =
    ["id", "record_id", "number", "changed_at", "by", "message", "changes", "published", "kind", "record_type", "sequence", "imported"];

/// Instant, author and message of the revisions of one write.
#[derive(Debug)]
pub(crate) struct RevisionStamp {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    pub(crate) message: Option<String>,
    /// Whether an import writes them, not an edit.
    pub(crate) imported: bool,
}

/// A revision to insert.
#[derive(Debug)]
pub(crate) struct NewRevision {
    pub(crate) record: Uuid,
    pub(crate) ty: RecordType,
    pub(crate) number: i64,
    pub(crate) kind: &'static str,
    /// Field changes: objects with `field`, `old` and `new`.
    pub(crate) changes: Vec<Json>,
    /// Whether readers see the revision.
    pub(crate) published: bool,
}

/// A stored revision.
pub(crate) struct StoredRevision {
    pub(crate) number: i64,
    /// Position in the history of the dataset.
    pub(crate) sequence: i32,
    pub(crate) kind: String,
    pub(crate) changes: Json,
    pub(crate) published: bool,
    /// Whether a merge of another record, or its undoing, wrote it.
    pub(crate) moved: bool,
}

impl StoredRevision {
    /// Whether readers may read the state of the record after this revision. This is the rule for every reader of history:
    ///
    /// - The record was public once the revision was written, and has not been unpublished, deleted, merged or withheld
    ///   since: that hides all earlier revisions ([`hide_revisions`]).
    /// - The revision left a public state behind. The entries that report the removal of a record are visible, but the state
    ///   after them is that of a draft, which may have been changed together with the removal.
    pub(crate) fn has_public_state(&self) -> bool {
        self.published && matches!(self.kind.as_str(), "created" | "updated" | "published" | "unmerged")
    }
}

/// Revisions that record one change of a record. `revision` holds the field changes and its number is the first free one;
/// `was_published` is not set for a new record.
///
/// Publishing and unpublishing is a revision of its own: readers must not see the changes made before or together with it.
/// A publication lists `published_state`, the whole record, as its changes.
pub(crate) fn numbered(
    revision: NewRevision,
    was_published: Option<bool>,
    published_state: impl FnOnce() -> Vec<Json>,
) -> Vec<NewRevision> {
    let (kind, changes) = match (was_published, revision.published) {
        (None, _) => return vec![NewRevision { kind: "created", ..revision }],
        (Some(false), true) => ("published", published_state()),
        (Some(true), false) => ("unpublished", Vec::new()),
        (Some(false), false) | (Some(true), true) => return vec![revision],
    };
    let (record, ty, number) = (revision.record, revision.ty, revision.number);
    let visibility = |number| NewRevision { record, ty, number, kind, changes, published: true };
    if revision.changes.iter().all(is_publication) {
        vec![visibility(number)]
    } else {
        vec![NewRevision { published: false, ..revision }, visibility(number + 1)]
    }
}

/// Whether a field change is that of `published`.
pub(crate) fn is_publication(change: &Json) -> bool {
    change.get("field").and_then(Json::as_str) == Some("published")
}

/// Whether a revision of this kind reports that its record is gone. Readers see that, but not what was removed.
pub(crate) fn is_removal(kind: &str) -> bool {
    matches!(kind, "deleted" | "merged")
}

/// Hides all existing revisions of these records from readers, and their former slugs. Slugs of records that were merged into
/// them are hidden only while they lead there.
pub(crate) async fn hide_revisions(transaction: &DatabaseTransaction, records: &[Uuid]) -> Result<()> {
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let is_one = || one_of_ids(transaction.get_database_backend(), "record_id", batch);
        for table in [TABLE, "former_slugs"] {
            let update = Query::update().table(table).value("published", false).and_where(is_one()?).to_owned();
            transaction.execute(&update).await.map_err(database)?;
        }
        let own = Query::update()
            .table("former_slugs")
            .value("origin_published", false)
            .and_where(is_one()?)
            .and_where(Expr::col("origin_id").equals("record_id"))
            .to_owned();
        transaction.execute(&own).await.map_err(database)?;
    }
    Ok(())
}

/// Sequence number of the latest revision of the dataset; 0 if there is none.
pub(crate) async fn latest_sequence(transaction: &DatabaseTransaction) -> Result<i32> {
    let latest = Query::select().expr(Func::max(Expr::col("sequence"))).from(TABLE).to_owned();
    let latest = transaction.query_one(&latest).await.map_err(database)?;
    let latest: Option<i32> = latest.map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)?;
    Ok(latest.unwrap_or(0))
}

/// Inserts revisions. Their sequence numbers continue the history of the whole dataset, in commit order.
pub(crate) async fn insert_revisions(
    store: &Store,
    transaction: &DatabaseTransaction,
    stamp: &RevisionStamp,
    revisions: Vec<NewRevision>,
) -> Result<()> {
    let latest = latest_sequence(transaction).await?;
    let Recognizers { anywhere, beside } = Recognizers::load(transaction, store.withholding_secret.as_deref()).await?;
    // a message is public, and so is the name of a token
    let by = anywhere.redact(&stamp.by, false).unwrap_or_else(|| stamp.by.clone());
    let without_names =
        |recognizer: &NameRecognizer, message: &String, lone| recognizer.redact(message, lone).unwrap_or_else(|| message.clone());
    let message = stamp.message.as_ref().map(|message| without_names(&anywhere, message, false));
    let message_beside_person =
        stamp.message.as_ref().map(|message| without_names(&beside, &without_names(&anywhere, message, true), true));
    // a single word of a name tells who the withheld person is that a record is linked to
    let related = if message == message_beside_person { HashSet::new() } else { records_of_withheld_persons(transaction).await? };
    let rows = revisions
        .into_iter()
        .zip(latest + 1..)
        .map(|(revision, sequence)| {
            let message = if related.contains(&revision.record) { &message_beside_person } else { &message };
            vec![
                store.clock.new_uuid().into(),
                revision.record.into(),
                i32::try_from(revision.number).unwrap_or(i32::MAX).into(),
                stamp.at.into(),
                by.as_str().into(),
                message.clone().into(),
                Json::from(revision.changes).into(),
                revision.published.into(),
                revision.kind.into(),
                revision.ty.prefix().into(),
                sequence.into(),
                stamp.imported.into(),
            ]
        })
        .collect();
    let into = InsertTarget { table: TABLE, columns: &COLUMNS, on_conflict: ConflictAction::Fail, batching: Batching::Fastest };
    insert(transaction, into, rows).await
}

/// Gives a kind to the revisions of these records after a sequence number. Returns the records that have one.
pub(crate) async fn set_kind(transaction: &DatabaseTransaction, records: &[Uuid], after: i32, kind: &'static str) -> Result<Vec<Uuid>> {
    let is_one = || Expr::col("record_id").is_in(records.iter().copied()).and(Expr::col("sequence").gt(after));
    let update = Query::update().table(TABLE).value("kind", kind).and_where(is_one()).to_owned();
    transaction.execute(&update).await.map_err(database)?;
    let select = Query::select().column("record_id").from(TABLE).and_where(is_one()).distinct().to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)
}

/// Marks the revisions after a sequence number, except those of these records, as ones in which a merge moved references.
pub(crate) async fn mark_as_moved(transaction: &DatabaseTransaction, after: i32, except: &[Uuid]) -> Result<()> {
    let update = Query::update()
        .table(TABLE)
        .value(MOVED, true)
        .and_where(Expr::col("sequence").gt(after))
        .and_where(Expr::col("record_id").is_not_in(except.iter().copied()))
        .to_owned();
    transaction.execute(&update).await.map(drop).map_err(database)
}

/// Deletes one revision of a record.
pub(crate) async fn delete_revision(transaction: &DatabaseTransaction, record: Uuid, number: i64) -> Result<()> {
    let delete = Query::delete()
        .from_table(TABLE)
        .and_where(Expr::col("record_id").eq(record))
        .and_where(Expr::col("number").eq(i32::try_from(number).unwrap_or(i32::MAX)))
        .to_owned();
    transaction.execute(&delete).await.map(drop).map_err(database)
}

/// All revisions of a record, the latest first.
pub(crate) async fn load_revisions(transaction: &DatabaseTransaction, record: Uuid) -> Result<Vec<StoredRevision>> {
    let select = Query::select()
        .columns(["number", "kind", "changes", "published", "sequence", MOVED])
        .from(TABLE)
        .and_where(Expr::col("record_id").eq(record))
        .order_by("number", Order::Desc)
        .to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    let revisions = rows.iter().map(|row| {
        let number: i32 = row.try_get_by_index(0)?;
        Ok(StoredRevision {
            number: number.into(),
            kind: row.try_get_by_index(1)?,
            changes: row.try_get_by_index(2)?,
            published: row.try_get_by_index(3)?,
            sequence: row.try_get_by_index(4)?,
            moved: row.try_get_by_index(5)?,
        })
    });
    revisions.collect::<Result<_, sea_orm::DbErr>>().map_err(internal)
}
