//! Redirects: former slugs and merged ids that lead to a record.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::screening::records_of_withheld_persons;
use crate::store::curation::withholding::withheld_digest::{Recognizers, find_by_digest, withheld_persons};
use crate::store::db::dataset_version;
use crate::store::db::dataset_version::WriteScope;
use crate::store::read::dump::FormerName;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::{Store, database};

impl Store {
    /// Registers former slugs and former ids of records as redirects. Redirects to records that do not exist or are
    /// withheld are skipped, and so are former ids that belong to an existing record.
    pub async fn register_redirects(&self, slugs: &[FormerName<String>], ids: &[FormerName<Uuid>]) -> Result<()> {
        let transaction = self.begin_exclusive().await?;
        let Recognizers { anywhere, beside } = Recognizers::load(&transaction, self.withholding_secret.as_deref()).await?;
        let related =
            if beside.is_empty() && anywhere.is_empty() { HashSet::new() } else { records_of_withheld_persons(&transaction).await? };
        let key = DigestKey::load(&transaction, self.withholding_secret.as_deref()).await?;
        let mut slugs = new_slugs(&transaction, slugs, key.as_ref()).await?;
        let names = |former: &FormerName<String>| {
            let is_about = related.contains(&former.record) && (anywhere.finds_words(&former.name) || beside.finds_words(&former.name));
            is_about || anywhere.finds(&former.name)
        };
        slugs.retain(|former| !names(former));
        let ids = new_ids(&transaction, ids).await?;
        if slugs.is_empty() && ids.is_empty() {
            return transaction.rollback().await.map_err(database);
        }
        let columns = &["id", "record_type", "merged_into"];
        let into = InsertTarget { table: "nodes", columns, on_conflict: ConflictAction::Replace, batching: Batching::Fastest };
        let row = |former: &FormerName<Uuid>| vec![former.name.into(), former.ty.prefix().into(), former.record.into()];
        insert(&transaction, into, ids.iter().map(row).collect()).await?;
        insert_former_slugs(&transaction, slugs.into_iter().map(|slug| (slug, true)).collect()).await?;
        dataset_version::advance(&transaction, self.clock.now(), WriteScope::Others).await?;
        self.commit(transaction).await
    }
}

/// Stores former slugs, each of which leads to its record from now on. The flag says whether readers may follow it: the
/// record was public while it had the slug.
pub(crate) async fn insert_former_slugs(transaction: &DatabaseTransaction, slugs: Vec<(FormerName<String>, bool)>) -> Result<()> {
    for (FormerName { ty, name, record }, published) in slugs {
        let mut insert = Query::insert();
        let columns = ["record_type", "slug", "record_id", "origin_id", "published", "origin_published"];
        insert.into_table("former_slugs").columns(columns.map(Alias::new));
        let [target, origin] = [record, record].map(Expr::val);
        insert
            .values([Expr::val(ty.prefix()), Expr::val(name), target, origin, Expr::val(published), Expr::val(published)])
            .map_err(internal)?;
        let mut conflict = OnConflict::columns(["record_type", "slug"].map(Alias::new));
        insert.on_conflict(conflict.update_columns(columns[2..].iter().copied().map(Alias::new)).to_owned());
        transaction.execute(&insert).await.map_err(database)?;
    }
    Ok(())
}

/// Lets the former slugs and former ids of a record lead to another one.
pub(crate) async fn move_redirects(transaction: &DatabaseTransaction, from: Uuid, into: Uuid) -> Result<()> {
    let unknown = Query::update()
        .table("former_slugs")
        .value("origin_id", from)
        .value("origin_published", Expr::col("published"))
        .and_where(Expr::col("record_id").eq(from))
        .and_where(Expr::col("origin_id").is_null())
        .to_owned();
    transaction.execute(&unknown).await.map_err(database)?;
    for (table, column) in [("former_slugs", "record_id"), ("nodes", "merged_into")] {
        let update = Query::update().table(table).value(column, into).and_where(Expr::col(column).eq(from)).to_owned();
        transaction.execute(&update).await.map_err(database)?;
    }
    Ok(())
}

/// Undoes [`move_redirects`] for those that came from the record `from` or from the records `redirected` to it before. Readers
/// may follow the former slugs of `from` that they could follow before.
pub(crate) async fn return_redirects(transaction: &DatabaseTransaction, from: Uuid, into: Uuid, redirected: &[Uuid]) -> Result<()> {
    let origins = || redirected.iter().copied();
    let slugs = Query::update()
        .table("former_slugs")
        .value("record_id", from)
        .and_where(Expr::col("record_id").eq(into))
        .and_where(Expr::col("origin_id").is_in(origins().chain([from])))
        .to_owned();
    let ids = Query::update()
        .table("nodes")
        .value("merged_into", from)
        .and_where(Expr::col("merged_into").eq(into))
        .and_where(Expr::col("id").is_in(origins()))
        .to_owned();
    let itself = Query::update().table("nodes").value("merged_into", None::<Uuid>).and_where(Expr::col("id").eq(from)).to_owned();
    let followed = Query::update()
        .table("former_slugs")
        .value("published", Expr::col("origin_published"))
        .and_where(Expr::col("record_id").eq(from))
        .and_where(Expr::col("origin_id").eq(from))
        .to_owned();
    for update in [slugs, followed, ids, itself] {
        transaction.execute(&update).await.map_err(database)?;
    }
    Ok(())
}

/// Removes the redirect of a former slug, because a record has the slug again.
pub(crate) async fn delete_former_slug(transaction: &DatabaseTransaction, ty: RecordType, slug: &str) -> Result<()> {
    let delete = Query::delete()
        .from_table("former_slugs")
        .and_where(Expr::col("record_type").eq(ty.prefix()))
        .and_where(Expr::col("slug").eq(slug))
        .to_owned();
    transaction.execute(&delete).await.map(drop).map_err(database)
}

/// The record that had a former slug itself, and the record that the slug leads to. The first is not set if the slug was
/// registered before the store kept it.
pub(crate) async fn former_slug_origin(
    connection: &impl ConnectionTrait,
    ty: RecordType,
    slug: &str,
) -> Result<Option<(Option<Uuid>, Uuid)>> {
    let select = Query::select()
        .columns(["origin_id", "record_id"])
        .from("former_slugs")
        .and_where(Expr::col("record_type").eq(ty.prefix()))
        .and_where(Expr::col("slug").eq(slug))
        .to_owned();
    let row = connection.query_one(&select).await.map_err(database)?;
    row.map(|row| Ok((row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?))).transpose()
}

/// The former slugs that are not registered yet and may be.
async fn new_slugs(
    transaction: &DatabaseTransaction,
    slugs: &[FormerName<String>],
    key: Option<&DigestKey>,
) -> Result<Vec<FormerName<String>>> {
    let mut registered: HashSet<(RecordType, String, Uuid)> = HashSet::new();
    let records: Vec<Uuid> = slugs.iter().map(|former| former.record).collect();
    for batch in records.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["record_type", "slug", "record_id"])
            .from("former_slugs")
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let prefix: String = row.try_get_by_index(0).map_err(internal)?;
            let (slug, id) = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
            registered.extend(RecordType::from_prefix(&prefix).map(|ty| (ty, slug, id)));
        }
    }
    let existing = existing_records(transaction, slugs).await?;
    let withheld = withheld_persons(transaction).await?;
    let digests: HashMap<String, &str> = match key {
        Some(key) => slugs.iter().map(|former| (key.slug(&former.name), former.name.as_str())).collect(),
        None => HashMap::new(),
    };
    let withheld_slugs: HashSet<&str> = find_by_digest(transaction, &digests).await?.into_iter().map(|(slug, _)| slug).collect();
    let is_new = |former: &&FormerName<String>| {
        let is_withheld =
            former.ty == RecordType::Person && (withheld.contains(&former.record) || withheld_slugs.contains(former.name.as_str()));
        existing.contains(&former.record) && !is_withheld && !registered.contains(&(former.ty, former.name.clone(), former.record))
    };
    Ok(slugs.iter().filter(is_new).cloned().collect())
}

/// The former ids that are not registered yet and may be.
async fn new_ids(transaction: &DatabaseTransaction, ids: &[FormerName<Uuid>]) -> Result<Vec<FormerName<Uuid>>> {
    let mut registered: HashMap<Uuid, Option<Uuid>> = HashMap::new();
    let former_ids: Vec<Uuid> = ids.iter().map(|former| former.name).collect();
    for batch in former_ids.chunks(LOOKUP_BATCH_VALUES) {
        let is_one = one_of_ids(transaction.get_database_backend(), "id", batch)?;
        let select = Query::select().columns(["id", "merged_into"]).from("nodes").and_where(is_one).to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            registered.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
        }
    }
    let targets = existing_records(transaction, ids).await?;
    let under_former_id: Vec<FormerName<Uuid>> = ids.iter().map(|former| FormerName { record: former.name, ..former.clone() }).collect();
    let occupied = existing_records(transaction, &under_former_id).await?;
    let is_new = |former: &&FormerName<Uuid>| {
        let is_registered = registered.get(&former.name).copied().flatten() == Some(former.record);
        targets.contains(&former.record) && !occupied.contains(&former.name) && !is_registered
    };
    Ok(ids.iter().filter(is_new).cloned().collect())
}

/// Ids of the target records that exist.
async fn existing_records<T>(transaction: &DatabaseTransaction, former: &[FormerName<T>]) -> Result<HashSet<Uuid>> {
    let mut by_type: HashMap<RecordType, Vec<Uuid>> = HashMap::new();
    for former in former {
        by_type.entry(former.ty).or_default().push(former.record);
    }
    let mut existing = HashSet::new();
    for (ty, ids) in by_type {
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let is_one = one_of_ids(transaction.get_database_backend(), "id", batch)?;
            let select = Query::select().column("id").from(Alias::new(catalog().get(ty).table)).and_where(is_one).to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                existing.insert(row.try_get_by_index(0).map_err(internal)?);
            }
        }
    }
    Ok(existing)
}
