//! Digests of the slugs and identifiers of withheld persons. They let an import recognize a withheld person without the
//! store keeping what identifies them.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::Query;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::core::digest::sha256_hex;
use crate::core::error::{Result, internal};
use crate::store::database;
use crate::store::sql::dialect::one_of;
use crate::store::write::load::LOOKUP_BATCH_VALUES;

/// Digest of a slug.
pub(crate) fn slug_digest(slug: &str) -> String {
    sha256_hex(format!("slug:{slug}"))
}

/// Digest of an identifier.
pub(crate) fn identifier_digest(scheme: &str, value: &str) -> String {
    sha256_hex(format!("identifier:{scheme}:{value}"))
}

/// Ids of all withheld persons.
pub(crate) async fn withheld_persons(transaction: &DatabaseTransaction) -> Result<HashSet<Uuid>> {
    let select = Query::select().column("record_id").from("withheld").distinct().to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)
}

/// Looks up digests. Returns the value of each digest found, with the id of its withheld person.
pub(crate) async fn find_by_digest<T: Clone>(transaction: &DatabaseTransaction, digests: &HashMap<String, T>) -> Result<Vec<(T, Uuid)>> {
    let wanted: Vec<&str> = digests.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for batch in wanted.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["record_id", "digest"])
            .from("withheld")
            .and_where(one_of(transaction.get_database_backend(), "digest", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let digest: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            found.extend(digests.get(&digest).map(|value| (value.clone(), id)));
        }
    }
    Ok(found)
}
