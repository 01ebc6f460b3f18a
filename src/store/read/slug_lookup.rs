//! What the database already calls records: by the identifiers they carry, and which slugs are taken.

use std::collections::{HashMap, HashSet};

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use uuid::Uuid;

use crate::catalog::record::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::sql::dialect::{one_of, one_of_ids};
use crate::store::{Store, database};

/// Values that one statement looks for at most.
const CHUNK: usize = 10_000;

impl Store {
    /// Slugs of the records of a type that carry one of these identifiers of a scheme, by the value of the identifier.
    pub async fn slugs_by_identifier(&self, ty: RecordType, scheme: &str, values: &[String]) -> Result<HashMap<String, String>> {
        let identifiers = catalog().get(RecordType::Identifier).table;
        let mut owners: HashMap<Uuid, String> = HashMap::new();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        for chunk in values.chunks(CHUNK) {
            let select = Query::select()
                .columns(["record_id", "value"])
                .from(Alias::new(identifiers))
                .and_where(Expr::col("scheme").eq(scheme))
                .and_where(one_of(self.backend(), "value", chunk)?)
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                owners.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            }
        }
        let ids: Vec<Uuid> = owners.keys().copied().collect();
        let mut slugs = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let select = named(ty, "id").and_where(one_of_ids(self.backend(), "id", chunk)?).to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let id: Uuid = row.try_get_by_index(1).map_err(internal)?;
                if let Some(value) = owners.remove(&id) {
                    slugs.insert(value, row.try_get_by_index(0).map_err(internal)?);
                }
            }
        }
        Ok(slugs)
    }

    /// Slugs of the records of a type that have one of these values in a column, by the value.
    pub async fn slugs_by_field(&self, ty: RecordType, field: &str, values: &[String]) -> Result<HashMap<String, String>> {
        let record = catalog().get(ty);
        let Some(column) = record.field_index(field).map(|index| record.fields[index].column) else { return Ok(HashMap::new()) };
        let mut slugs = HashMap::new();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        for chunk in values.chunks(CHUNK) {
            let select = named(ty, column).and_where(one_of(self.backend(), column, chunk)?).to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                slugs.insert(row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(0).map_err(internal)?);
            }
        }
        Ok(slugs)
    }

    /// Those of these slugs that records of the type have already.
    pub async fn taken_slugs(&self, ty: RecordType, slugs: &[String]) -> Result<HashSet<String>> {
        Ok(self.slugs_by_field(ty, "slug", slugs).await?.into_keys().collect())
    }
}

fn named(ty: RecordType, column: &'static str) -> SelectStatement {
    Query::select().columns([Alias::new("slug"), Alias::new(column)]).from(Alias::new(catalog().get(ty).table)).to_owned()
}
