//! Jurisdictions, organizations, persons and memberships.

use sea_orm_migration::prelude::*;

use crate::table::{SortKey, Table, drop_tables};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::record("jurisdictions")
            .json_required("name")
            .text_required("classification")
            .filtered("classification")
            .text("ocd_id")
            .unique("ocd_id")
            .reference("parent_id", "jurisdictions")
            .create(manager)
            .await?;
        Table::record("organizations")
            .json_required("name")
            .json_list("other_names")
            .text_required("classification")
            .filtered("classification")
            .text("founded")
            .sorted("founded", SortKey::NullableText)
            .text("dissolved")
            .json("description")
            .text("image")
            .json_list("links")
            .reference("parent_id", "organizations")
            .reference("jurisdiction_id", "jurisdictions")
            .create(manager)
            .await?;
        Table::record("persons")
            .json_required("name")
            .json_list("other_names")
            .text("sort_name")
            .text("birth_date")
            .sorted("birth_date", SortKey::NullableText)
            .text("death_date")
            .text("gender")
            .json("biography")
            .text("image")
            .json_list("links")
            .reference("jurisdiction_id", "jurisdictions")
            .create(manager)
            .await?;
        Table::record("memberships")
            .ordered_by("start_date", SortKey::NullableText)
            .json_required("label")
            .text("role")
            .text("start_date")
            .text("end_date")
            .text("end_reason")
            .reference_required("person_id", "persons")
            .reference_required("organization_id", "organizations")
            .reference("on_behalf_of_id", "organizations")
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["memberships", "persons", "organizations", "jurisdictions"]).await
    }
}
