//! Laws, their relations, and their provisions with the versions of their text.

use sea_orm_migration::prelude::*;

use crate::table::{SortKey, Table, drop_tables};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::record("laws")
            .ordered_by("adopted", SortKey::NullableText)
            .json_required("title")
            .text("number")
            .text_required("kind")
            .filtered("kind")
            .text_required("status")
            .filtered("status")
            .text("adopted")
            .text("in_force_from")
            .sorted("in_force_from", SortKey::NullableText)
            .text("repealed")
            .sorted("repealed", SortKey::NullableText)
            .text("eli")
            .unique("eli")
            .json("summary")
            .reference("jurisdiction_id", "jurisdictions")
            .create(manager)
            .await?;
        Table::part("law_relations", "law_id", "laws")
            .text_required("kind")
            .reference_required("target_id", "laws")
            .json("note")
            .create(manager)
            .await?;
        Table::record("provisions")
            .ordered_by("position", SortKey::NotNull)
            .text("number")
            .text_required("kind")
            .filtered("kind")
            .json_required("heading")
            .integer_required("position")
            .json("summary")
            .reference_required("law_id", "laws")
            .reference("parent_id", "provisions")
            .create(manager)
            .await?;
        Table::part("provision_versions", "provision_id", "provisions")
            .ordered_by("valid_from", SortKey::NullableText)
            .text("valid_from")
            .text("valid_to")
            .json_required("text")
            .text("note")
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["provision_versions", "provisions", "law_relations", "laws"]).await
    }
}
