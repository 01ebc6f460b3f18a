//! The records that import sets hold.

use std::collections::HashSet;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::database;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// Table of the records of sets.
pub(super) const TABLE: &str = "import_sets";

/// The records of a set, with their types.
pub(super) async fn members(transaction: &DatabaseTransaction, hash: &str) -> Result<Vec<(RecordType, Uuid)>> {
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

/// Adds records to a set.
pub(super) async fn add_members(transaction: &DatabaseTransaction, hash: &str, records: impl Iterator<Item = Uuid>) -> Result<()> {
    let rows = records.map(|id| vec![hash.into(), id.into()]).collect();
    let columns = ["hash", "record_id"];
    let target = InsertTarget { table: TABLE, columns: &columns, on_conflict: ConflictAction::Ignore, batching: Batching::Fastest };
    insert(transaction, target, rows).await
}

/// Removes records from a set.
pub(super) async fn remove_members(transaction: &DatabaseTransaction, hash: &str, records: &[Uuid]) -> Result<()> {
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

/// The records among these that other sets have as well. What is stored beside the sets has a name with a colon.
pub(super) async fn of_other_sets(transaction: &DatabaseTransaction, hash: &str, records: &[Uuid]) -> Result<HashSet<Uuid>> {
    let mut found = HashSet::new();
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .column("record_id")
            .from(TABLE)
            .and_where(Expr::col("hash").ne(hash))
            .and_where(Expr::col("hash").not_like("%:%"))
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            found.insert(row.try_get_by_index(0).map_err(internal)?);
        }
    }
    Ok(found)
}

/// The records among these into which others were merged.
pub(super) async fn with_merged(transaction: &DatabaseTransaction, records: &[Uuid]) -> Result<HashSet<Uuid>> {
    let mut found = HashSet::new();
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .column("merged_into")
            .distinct()
            .from("nodes")
            .and_where(one_of_ids(transaction.get_database_backend(), "merged_into", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            found.insert(row.try_get_by_index(0).map_err(internal)?);
        }
    }
    Ok(found)
}
