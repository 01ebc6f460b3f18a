//! Proposals, with their sponsors, actions and changes, and vote events.

use sea_orm_migration::prelude::*;

use crate::table::{SortKey, Table, drop_tables};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Table::record("proposals")
            .ordered_by("introduced", SortKey::NullableText)
            .json_required("title")
            .text("identifier")
            .text_required("kind")
            .filtered("kind")
            .text_required("status")
            .filtered("status")
            .text("introduced")
            .json("summary")
            .reference("jurisdiction_id", "jurisdictions")
            .reference("became_law_id", "laws")
            .create(manager)
            .await?;
        Table::part("sponsorships", "proposal_id", "proposals")
            .reference("person_id", "persons")
            .reference("organization_id", "organizations")
            .text("role")
            .create(manager)
            .await?;
        Table::part("proposal_actions", "proposal_id", "proposals")
            .text("date")
            .sorted_unindexed("date", SortKey::NullableText)
            .reference("organization_id", "organizations")
            .text_required("classification")
            .json("text")
            .create(manager)
            .await?;
        Table::part("proposed_changes", "proposal_id", "proposals")
            .reference_required("law_id", "laws")
            .reference("provision_id", "provisions")
            .json("note")
            .create(manager)
            .await?;
        Table::record("vote_events")
            .ordered_by("date", SortKey::NullableText)
            .json_required("motion")
            .text("date")
            .text_required("result")
            .filtered("result")
            .json_list("counts")
            .reference("proposal_id", "proposals")
            .reference("organization_id", "organizations")
            .create(manager)
            .await?;
        Table::part("votes", "vote_event_id", "vote_events")
            .reference_required("person_id", "persons")
            .text_required("option")
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["votes", "vote_events", "proposed_changes", "proposal_actions", "sponsorships", "proposals"]).await
    }
}
