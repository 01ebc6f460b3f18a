//! Checks of the URLs of sources: which are due, and their results. A check is not a change: it appears neither in the
//! history nor in the feed of changes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use crate::catalog::field::{URL_CHECKED_AT, URL_STATUS};
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::db::dataset_version;
use crate::store::read::result::Cell;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::StoredRow;
use crate::store::{Store, database};

const TABLE: &str = "sources";

/// Result of the check of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlStatus {
    /// The URL leads to a page.
    Found,
    /// The page or the whole site is gone.
    Dead,
    /// The status of the page is unknown.
    Unknown,
}

impl UrlStatus {
    /// The value as stored.
    pub fn value(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }
}

/// A source whose URL is due for a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAddress {
    /// Id of the source.
    pub id: Uuid,
    /// Slug of the source.
    pub slug: String,
    /// The URL.
    pub url: String,
    /// Whether the source has the URL of an archived copy.
    pub is_archived: bool,
    /// Texts that citations quote from the source.
    pub quotes: Vec<String>,
}

/// The result of the check of a source.
#[derive(Debug, Clone, Copy)]
pub struct CheckedAddress<'a> {
    /// Id of the source.
    pub id: Uuid,
    /// The URL that was requested.
    pub url: &'a str,
    /// Whether it leads to a page.
    pub status: UrlStatus,
}

impl Store {
    /// Sources with a URL that was not checked since `before`, those checked longest ago first, at most `limit`.
    pub async fn sources_to_check(&self, before: DateTime<Utc>, limit: u64) -> Result<Vec<SourceAddress>> {
        let select = Query::select()
            .columns(["id", "slug", "url", "archived_url"])
            .from(TABLE)
            .and_where(Expr::col("url").is_not_null())
            .and_where(Expr::col("url_checked_at").is_null().or(Expr::col("url_checked_at").lt(before)))
            // PostgreSQL sorts null last
            .order_by_expr(Expr::col("url_checked_at").is_not_null(), Order::Asc)
            .order_by("url_checked_at", Order::Asc)
            .order_by("id", Order::Asc)
            .limit(limit)
            .to_owned();
        let rows = self.pools.primary.query_all(&select).await.map_err(database)?;
        let mut sources = rows.iter().map(decode).collect::<Result<Vec<_>>>()?;
        let ids: Vec<Uuid> = sources.iter().map(|source| source.id).collect();
        let mut quotes: HashMap<Uuid, Vec<String>> = HashMap::new();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["source_id", "quote"])
                .distinct()
                .from("citations")
                .and_where(Expr::col("source_id").is_in(batch.iter().copied()))
                .and_where(Expr::col("quote").is_not_null())
                .order_by("quote", Order::Asc)
                .to_owned();
            for row in self.pools.primary.query_all(&select).await.map_err(database)? {
                let source = row.try_get_by_index(0).map_err(internal)?;
                quotes.entry(source).or_default().push(row.try_get_by_index(1).map_err(internal)?);
            }
        }
        for source in &mut sources {
            source.quotes = quotes.remove(&source.id).unwrap_or_default();
        }
        Ok(sources)
    }

    /// Stores the results of checks. A source whose URL was changed in the meantime is left as it is.
    pub async fn record_address_checks(&self, checked: &[CheckedAddress<'_>]) -> Result<()> {
        let transaction = self.begin_exclusive().await?;
        let now = self.clock.now();
        let mut published = 0;
        for CheckedAddress { id, url, status } in checked {
            // two statements, because only those that readers see invalidate cached responses
            for is_published in [true, false] {
                let update = Query::update()
                    .table(TABLE)
                    .value("url_status", status.value())
                    .value("url_checked_at", now)
                    .and_where(Expr::col("id").eq(*id))
                    .and_where(Expr::col("url").eq(*url))
                    .and_where(Expr::col("published").eq(is_published))
                    .to_owned();
                let rows = transaction.execute(&update).await.map_err(database)?.rows_affected();
                published += if is_published { rows } else { 0 };
            }
        }
        if published > 0 {
            dataset_version::record_check(&transaction, now).await?;
        }
        self.commit(transaction).await
    }
}

fn decode(row: &QueryResult) -> Result<SourceAddress> {
    let archived: Option<String> = row.try_get_by_index(3).map_err(internal)?;
    Ok(SourceAddress {
        id: row.try_get_by_index(0).map_err(internal)?,
        slug: row.try_get_by_index(1).map_err(internal)?,
        url: row.try_get_by_index(2).map_err(internal)?,
        is_archived: archived.is_some(),
        quotes: Vec::new(),
    })
}

/// Clears the result of the last check of a source whose URL changes.
pub(crate) fn clear_outdated_check(record: &Record, existing: Option<&StoredRow>, cells: &mut [Cell]) {
    let Some(existing) = existing.filter(|_| record.ty == RecordType::Source) else { return };
    let url = record.known_field("url").index();
    if existing.cells[url] != cells[url] {
        for name in [URL_STATUS, URL_CHECKED_AT] {
            cells[record.known_field(name).index()] = Cell::Null;
        }
    }
}
