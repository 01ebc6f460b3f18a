//! Cases, with their parties, charges, events and sentences.

use sea_orm_migration::prelude::*;

use crate::table::{SortKey, Table, drop_tables};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::record("cases")
            .ordered_by("opened", SortKey::NullableText)
            .json_required("title")
            .text("docket_number")
            .filtered("docket_number")
            .text("ecli")
            .unique("ecli")
            .text_required("kind")
            .filtered("kind")
            .text_required("status")
            .filtered("status")
            .text("opened")
            .text("decided")
            .sorted("decided", SortKey::NullableText)
            .json("summary")
            .reference("court_id", "organizations")
            .reference("jurisdiction_id", "jurisdictions")
            .create(manager)
            .await?;
        Table::part("case_parties", "case_id", "cases")
            .reference("person_id", "persons")
            .reference("organization_id", "organizations")
            .json("description")
            .text_required("role")
            .create(manager)
            .await?;
        Table::part("charges", "case_id", "cases")
            .reference("party_id", "case_parties")
            .reference("provision_id", "provisions")
            .text("locator")
            .text("date")
            .sorted_unindexed("date", SortKey::NullableText)
            .text_required("outcome")
            .json("text")
            .create(manager)
            .await?;
        Table::part("case_events", "case_id", "cases")
            .text("date")
            .sorted_unindexed("date", SortKey::NullableText)
            .text_required("kind")
            .reference("organization_id", "organizations")
            .json_required("text")
            .create(manager)
            .await?;
        Table::part("sentences", "case_id", "cases")
            .reference("party_id", "case_parties")
            .text_required("kind")
            .text("length")
            .number("amount")
            .text("unit")
            .json("text")
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["sentences", "case_events", "charges", "case_parties", "cases"]).await
    }
}
