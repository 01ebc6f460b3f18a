//! What records were called elsewhere before: slugs and ids that lead to them.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::record::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::withhold::{by_digest, slug_digest, withheld};
use crate::store::db::dataset_version;
use crate::store::db::dataset_version::WriteScope;
use crate::store::read::dump::Former;
use crate::store::sql::bulk_insert::{Conflict, Into, Split, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::{CHUNK, apply};
use crate::store::{Store, database};

impl Store {
    /// Lets slugs and ids that records had before lead to them. Those of records that are not here or are withheld are
    /// left out, and so are ids under which there is a record.
    pub async fn lead(&self, slugs: &[Former<String>], ids: &[Former<Uuid>]) -> Result<()> {
        let transaction = self.begin_alone().await?;
        let slugs = new_slugs(&transaction, slugs).await?;
        let ids = new_ids(&transaction, ids).await?;
        if slugs.is_empty() && ids.is_empty() {
            return transaction.rollback().await.map_err(database);
        }
        let columns = &["id", "record_type", "merged_into"];
        let into = Into { table: "nodes", columns, conflict: Conflict::Replaces, split: Split::Freely };
        let row = |former: &Former<Uuid>| vec![former.name.into(), former.ty.prefix().into(), former.record.into()];
        insert(&transaction, into, ids.iter().map(row).collect()).await?;
        apply::former(&transaction, slugs.into_iter().map(|former| (former.ty, former.name, former.record)).collect()).await?;
        dataset_version::note(&transaction, self.clock.now(), WriteScope::Others).await?;
        self.changes.tell(&transaction).await.map_err(database)?;
        transaction.commit().await.map_err(database)?;
        self.changes.bump();
        Ok(())
    }
}

/// Those that do not lead to their records yet and may do so.
async fn new_slugs(transaction: &DatabaseTransaction, slugs: &[Former<String>]) -> Result<Vec<Former<String>>> {
    let mut known: HashSet<(RecordType, String, Uuid)> = HashSet::new();
    let records: Vec<Uuid> = slugs.iter().map(|former| former.record).collect();
    for chunk in records.chunks(CHUNK) {
        let select = Query::select()
            .columns(["record_type", "slug", "record_id"])
            .from("former_slugs")
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", chunk)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let prefix: String = row.try_get_by_index(0).map_err(internal)?;
            let (slug, id) = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
            known.extend(RecordType::from_prefix(&prefix).map(|ty| (ty, slug, id)));
        }
    }
    let there = there(transaction, slugs).await?;
    let withheld = withheld(transaction).await?;
    let digests: HashMap<String, &str> = match withheld.is_empty() {
        true => HashMap::new(),
        false => slugs.iter().map(|former| (slug_digest(&former.name), former.name.as_str())).collect(),
    };
    let names: HashSet<&str> = by_digest(transaction, &digests).await?.into_iter().map(|(slug, _)| slug).collect();
    let may = |former: &&Former<String>| {
        let is_withheld = former.ty == RecordType::Person && (withheld.contains(&former.record) || names.contains(former.name.as_str()));
        there.contains(&former.record) && !is_withheld && !known.contains(&(former.ty, former.name.clone(), former.record))
    };
    Ok(slugs.iter().filter(may).cloned().collect())
}

/// Those that do not lead to their records yet and may do so.
async fn new_ids(transaction: &DatabaseTransaction, ids: &[Former<Uuid>]) -> Result<Vec<Former<Uuid>>> {
    let mut known: HashMap<Uuid, Option<Uuid>> = HashMap::new();
    let old: Vec<Uuid> = ids.iter().map(|former| former.name).collect();
    for chunk in old.chunks(CHUNK) {
        let is_one = one_of_ids(transaction.get_database_backend(), "id", chunk)?;
        let select = Query::select().columns(["id", "merged_into"]).from("nodes").and_where(is_one).to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            known.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
        }
    }
    let itself = |former: &Former<Uuid>| Former { record: former.name, ..former.clone() };
    let (there, live) = (there(transaction, ids).await?, there(transaction, &ids.iter().map(itself).collect::<Vec<_>>()).await?);
    let may = |former: &&Former<Uuid>| {
        let leads = known.get(&former.name).copied().flatten() == Some(former.record);
        there.contains(&former.record) && !live.contains(&former.name) && !leads
    };
    Ok(ids.iter().filter(may).cloned().collect())
}

/// Ids of those of these records that are there.
async fn there<T>(transaction: &DatabaseTransaction, former: &[Former<T>]) -> Result<HashSet<Uuid>> {
    let mut by_type: HashMap<RecordType, Vec<Uuid>> = HashMap::new();
    for former in former {
        by_type.entry(former.ty).or_default().push(former.record);
    }
    let mut there = HashSet::new();
    for (ty, ids) in by_type {
        for chunk in ids.chunks(CHUNK) {
            let is_one = one_of_ids(transaction.get_database_backend(), "id", chunk)?;
            let select = Query::select().column("id").from(Alias::new(catalog().get(ty).table)).and_where(is_one).to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                there.insert(row.try_get_by_index(0).map_err(internal)?);
            }
        }
    }
    Ok(there)
}
