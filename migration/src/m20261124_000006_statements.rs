//! What was said, and the figures that were published.

use sea_orm_migration::prelude::*;

use crate::table::{Key, Table, drop_tables};

/// See the file's own description.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::record("statements")
            .ordered_by("said_on", Key::Text)
            .json_required("text")
            .text("said_on")
            .json("occasion")
            .reference("speaker_id", "persons")
            .reference("organization_id", "organizations")
            .create(manager)
            .await?;
        Table::record("statistics")
            .ordered_by("period_start", Key::Text)
            .json_required("measure")
            .number_required("value")
            .sorted("value", Key::Required)
            .text_required("unit")
            .text("period_start")
            .text("period_end")
            .sorted("period_end", Key::Text)
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
