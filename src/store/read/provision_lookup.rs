//! Lookup of the provisions that laws have, with their versions.

use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::core::error::{Result, internal};
use crate::store::error::database;
use crate::store::handle::Store;
use crate::store::sql::dialect::{one_of, one_of_ids};

/// Number of values that one statement looks up.
const LOOKUP_BATCH_VALUES: usize = 10_000;

/// A stored provision, as an import of its law matches it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredProvision {
    /// Its slug.
    pub slug: String,
    /// Slug of its law.
    pub law: String,
    /// Schemes and values of its identifiers.
    pub identifiers: Vec<(String, String)>,
    /// Its versions.
    pub versions: Vec<StoredVersion>,
}

/// A stored version of a provision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredVersion {
    /// Its key.
    pub key: String,
    /// First day in force.
    pub valid_from: Option<String>,
    /// First day no longer in force.
    pub valid_to: Option<String>,
    /// Languages and texts, the original first.
    pub texts: Vec<(String, String)>,
}

impl Store {
    /// The provisions of the laws with these slugs, published or not, in the order of their slugs.
    pub async fn find_provisions_of(&self, laws: &[String]) -> Result<Vec<StoredProvision>> {
        let mut found: HashMap<Uuid, StoredProvision> = HashMap::new();
        let laws: Vec<&str> = laws.iter().map(String::as_str).collect();
        let column = |table: &str, column: &str| (Alias::new(table), Alias::new(column));
        for batch in laws.chunks(LOOKUP_BATCH_VALUES) {
            let ids = Query::select().column("id").from("laws").and_where(one_of(self.backend(), "slug", batch)?).to_owned();
            let select = Query::select()
                .columns([column("provisions", "id"), column("provisions", "slug"), column("laws", "slug")])
                .from("provisions")
                .inner_join("laws", Expr::col(("laws", "id")).equals(("provisions", "law_id")))
                .and_where(Expr::col(("provisions", "law_id")).in_subquery(ids))
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let provision = StoredProvision {
                    slug: row.try_get_by_index(1).map_err(internal)?,
                    law: row.try_get_by_index(2).map_err(internal)?,
                    ..StoredProvision::default()
                };
                found.insert(row.try_get_by_index(0).map_err(internal)?, provision);
            }
        }
        let ids: Vec<Uuid> = found.keys().copied().collect();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["record_id", "scheme", "value"])
                .from("identifiers")
                .and_where(one_of_ids(self.backend(), "record_id", batch)?)
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let owner: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let identifier = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
                if let Some(provision) = found.get_mut(&owner) {
                    provision.identifiers.push(identifier);
                }
            }
            let select = Query::select()
                .columns(["provision_id", "key", "valid_from", "valid_to", "text"])
                .from("provision_versions")
                .and_where(one_of_ids(self.backend(), "provision_id", batch)?)
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let owner: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let texts: Json = row.try_get_by_index(4).map_err(internal)?;
                let texts = texts.as_object().into_iter().flatten();
                let version = StoredVersion {
                    key: row.try_get_by_index(1).map_err(internal)?,
                    valid_from: row.try_get_by_index(2).map_err(internal)?,
                    valid_to: row.try_get_by_index(3).map_err(internal)?,
                    texts: texts.filter_map(|(language, text)| Some((language.clone(), text.as_str()?.to_owned()))).collect(),
                };
                if let Some(provision) = found.get_mut(&owner) {
                    provision.versions.push(version);
                }
            }
        }
        let mut provisions: Vec<StoredProvision> = found.into_values().collect();
        provisions.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(provisions)
    }
}
