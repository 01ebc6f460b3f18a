//! Gives the URLs of sources the one form in which they are stored and compared. Histories keep what was written.
//!
//! Logs a warning with the number of URLs that changed, of URLs that are not valid and stay as they are, and of URLs that several
//! sources have now: they are one page, and `mergeSources` makes them one source.

use std::collections::{HashMap, HashSet};

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;
use sea_orm_migration::sea_orm::prelude::Uuid;

use crate::web_address::canonical;

#[derive(DeriveMigrationName)]
pub struct Migration;

const SOURCES: &str = "sources";
const URL: &str = "url";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let select = Query::select().columns(["id", URL]).from(SOURCES).and_where(Expr::col(URL).is_not_null()).to_owned();
        let mut spellings: HashMap<String, HashSet<String>> = HashMap::new();
        let (mut changed, mut invalid) = (0, 0);
        for row in connection.query_all(&select).await? {
            let (id, url): (Uuid, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let Some(form) = canonical(&url) else {
                invalid += 1;
                continue;
            };
            if form != url {
                let update = Query::update().table(SOURCES).value(URL, form.as_str()).and_where(Expr::col("id").eq(id)).to_owned();
                connection.execute(&update).await?;
                changed += 1;
            }
            spellings.entry(form).or_default().insert(url);
        }
        let shared = spellings.values().filter(|spellings| spellings.len() > 1).count();
        if changed > 0 || invalid > 0 {
            tracing::warn!(
                urls.changed = changed,
                urls.invalid = invalid,
                urls.shared = shared,
                "URLs of sources brought into one form; find sources that share a URL by it, and merge them"
            );
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        // the earlier spellings are not restored
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
