//! Sources.

use sea_orm_migration::prelude::*;

use crate::table::{SortKey, Table, drop_tables};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::record("sources")
            .ordered_by("published_on", SortKey::NullableText)
            .json_required("title")
            .text("publisher")
            .text("author")
            .text("published_on")
            .text("accessed_on")
            .text("url")
            .text("archived_url")
            .text("language")
            .text_required("kind")
            .filtered("kind")
            .text("licence")
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["sources"]).await
    }
}
