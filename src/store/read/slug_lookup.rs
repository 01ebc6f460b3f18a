//! Lookups of slugs: by the identifiers that records have, and by the values of a field.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, TransactionTrait};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::withheld_digest::{find_by_digest, find_former_slugs};
use crate::store::error::database;
use crate::store::handle::Store;
use crate::store::sql::dialect::{one_of, one_of_ids};

/// Number of values that one statement looks up.
const LOOKUP_BATCH_VALUES: usize = 10_000;

impl Store {
    /// Slugs of the records of a type that have one of these identifiers of a scheme, by identifier.
    pub async fn find_slugs_by_identifier(&self, ty: RecordType, scheme: &str, values: &[String]) -> Result<HashMap<String, String>> {
        let identifiers = catalog().get(RecordType::Identifier).table;
        // a record can have several identifiers of one scheme
        let mut values_by_owner: HashMap<Uuid, Vec<String>> = HashMap::new();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        for batch in values.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["record_id", "value"])
                .from(Alias::new(identifiers))
                .and_where(Expr::col("scheme").eq(scheme))
                .and_where(one_of(self.backend(), "value", batch)?)
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                values_by_owner
                    .entry(row.try_get_by_index(0).map_err(internal)?)
                    .or_default()
                    .push(row.try_get_by_index(1).map_err(internal)?);
            }
        }
        let ids: Vec<Uuid> = values_by_owner.keys().copied().collect();
        let mut slugs = HashMap::new();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let select = select_slug_and(ty, "id").and_where(one_of_ids(self.backend(), "id", batch)?).to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let id: Uuid = row.try_get_by_index(1).map_err(internal)?;
                let slug: String = row.try_get_by_index(0).map_err(internal)?;
                slugs.extend(values_by_owner.remove(&id).into_iter().flatten().map(|value| (value, slug.clone())));
            }
        }
        Ok(slugs)
    }

    /// Slugs of the records of a type that have one of these values in a field, by value. Of several records, the first slug in
    /// alphabetical order counts.
    pub async fn find_slugs_by_field(&self, ty: RecordType, field: &str, values: &[String]) -> Result<HashMap<String, String>> {
        let record = catalog().get(ty);
        let Some(column) = record.field_id(field).map(|id| record.field(id).column) else { return Ok(HashMap::new()) };
        let mut slugs = HashMap::new();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        for batch in values.chunks(LOOKUP_BATCH_VALUES) {
            let select = select_slug_and(ty, column).and_where(one_of(self.backend(), column, batch)?).to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let value = row.try_get_by_index(1).map_err(internal)?;
                insert_first(&mut slugs, value, row.try_get_by_index(0).map_err(internal)?);
            }
        }
        Ok(slugs)
    }
}

impl Store {
    /// The slugs among these that records of a type had before, those of withheld persons among them.
    pub async fn find_retired_slugs(&self, ty: RecordType, slugs: &[String]) -> Result<HashSet<String>> {
        let mut found = HashSet::new();
        let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
        for batch in slugs.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .column("slug")
                .from("former_slugs")
                .and_where(Expr::col("record_type").eq(ty.prefix()))
                .and_where(one_of(self.backend(), "slug", batch)?)
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                found.insert(row.try_get_by_index(0).map_err(internal)?);
            }
        }
        let transaction = self.pools.primary.begin().await.map_err(database)?;
        if let Some(key) = DigestKey::load(&transaction, self.withholding_secret.as_deref()).await? {
            let retired = find_former_slugs(&transaction, &key, ty, &slugs).await?;
            found.extend(retired.into_iter().map(|(slug, _)| slug));
            if ty == RecordType::Person {
                let digests = slugs.iter().map(|slug| (key.slug(slug), (*slug).to_owned())).collect();
                found.extend(find_by_digest(&transaction, &digests).await?.into_iter().map(|(slug, _)| slug));
            }
        }
        transaction.rollback().await.map_err(database)?;
        Ok(found)
    }
}

/// Inserts the slug of a record with a value, unless a record with this value has a slug that comes before it.
pub(crate) fn insert_first(slugs: &mut HashMap<String, String>, value: String, slug: String) {
    let first = slugs.entry(value).or_insert_with(|| slug.clone());
    if slug < *first {
        *first = slug;
    }
}

fn select_slug_and(ty: RecordType, column: &'static str) -> SelectStatement {
    Query::select().columns([Alias::new("slug"), Alias::new(column)]).from(Alias::new(catalog().get(ty).table)).to_owned()
}
