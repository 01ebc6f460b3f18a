//! What every record can have: citations, identifiers, topics, statements about it, and revisions.

use sea_orm_migration::prelude::*;

use crate::table::{SortKey, Table, drop_tables, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::uncited_part("citations", "record_id", "nodes")
            .reference_required("source_id", "sources")
            .text("field")
            .text("value")
            .text("quote")
            .text("locator")
            .text("note")
            .create(manager)
            .await?;
        Table::uncited_part("identifiers", "record_id", "nodes").text_required("scheme").text_required("value").create(manager).await?;
        unique(manager, "identifiers", &["scheme", "value"]).await?;
        Table::uncited_part("tags", "record_id", "nodes").reference_required("topic_id", "topics").create(manager).await?;
        Table::uncited_part("subjects", "statement_id", "statements").reference_required("record_id", "nodes").create(manager).await?;
        Table::log("revisions")
            .ordered_by("number", SortKey::NotNull)
            .reference_required("record_id", "nodes")
            .integer_required("number")
            .instant_required("at")
            .text_required("by")
            .text("message")
            .json_required("changes")
            .sorted("at", SortKey::NotNull)
            .create(manager)
            .await?;
        unique(manager, "revisions", &["record_id", "number"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["revisions", "subjects", "tags", "identifiers", "citations"]).await
    }
}
