//! Former slugs with the name of a withheld person.

use std::collections::HashSet;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::name_redaction::NameRedaction;
use crate::store::curation::withholding::text_scan::{TextPlace, TextPlaces};
use crate::store::curation::withholding::withheld_digest::insert_slug_digest;
use crate::store::database;
use crate::store::write::session::WriteSession;

impl WriteSession<'_> {
    /// Deletes the former slugs with a name, and those of records that are about the person (`related`) also with a single word of
    /// it: none of them leads anywhere from then on. `is_shared` means that others have the name, so that only related records
    /// lose theirs. An import with a deleted slug still leaves its record unchanged.
    pub(super) async fn redact_former_slugs(
        &self,
        related: &HashSet<Uuid>,
        redaction: &NameRedaction<'_>,
        key: &DigestKey,
        is_shared: bool,
        places: &mut TextPlaces,
    ) -> Result<()> {
        let select = Query::select().columns(["record_type", "slug", "record_id"]).from("former_slugs").to_owned();
        for row in self.transaction.query_all(&select).await.map_err(database)? {
            let (prefix, slug): (String, String) = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            let record: Uuid = row.try_get_by_index(2).map_err(internal)?;
            let is_related = related.contains(&record);
            let is_named = if is_related {
                redaction.finds(&slug, true) || redaction.recognizer.finds_short_words(&slug)
            } else {
                !is_shared && redaction.finds(&slug, false)
            };
            if !is_named {
                continue;
            }
            let declared = catalog().all().find(|declared| declared.ty.prefix() == prefix);
            let ty = declared.ok_or_else(|| internal(format!("there is no type with the prefix {prefix}")))?.ty;
            let delete = Query::delete()
                .from_table("former_slugs")
                .and_where(Expr::col("record_type").eq(prefix.as_str()))
                .and_where(Expr::col("slug").eq(slug.as_str()))
                .to_owned();
            self.transaction.execute(&delete).await.map_err(database)?;
            insert_slug_digest(&self.transaction, key, (ty, record), &slug).await?;
            places.add(TextPlace { kind: "former_slugs".to_owned(), record: slug, field: "slug".to_owned(), redacted: true });
        }
        Ok(())
    }
}
