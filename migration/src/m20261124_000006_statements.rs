//! Statements and published statistics.

use sea_orm_migration::prelude::*;

use crate::table::{SortKey, Table, drop_tables};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::record("statements")
            .ordered_by("said_on", SortKey::NullableText)
            .json_required("text")
            .text("said_on")
            .json("occasion")
            .reference("speaker_id", "persons")
            .reference("organization_id", "organizations")
            .create(manager)
            .await?;
        Table::record("statistics")
            .ordered_by("period_start", SortKey::NullableText)
            .json_required("measure")
            .number_required("value")
            .sorted("value", SortKey::NotNull)
            .text_required("unit")
            .text("period_start")
            .text("period_end")
            .sorted("period_end", SortKey::NullableText)
            .json_list("breakdown")
            .json("note")
            .reference("publisher_id", "organizations")
            .reference("provision_id", "provisions")
            .reference("law_id", "laws")
            .reference("jurisdiction_id", "jurisdictions")
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["statistics", "statements"]).await
    }
}
