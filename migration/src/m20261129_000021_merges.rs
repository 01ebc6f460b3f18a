//! What each merge moved, so that it can be undone: numbers and ids only. The values are in the revisions of the merge.

use sea_orm_migration::prelude::*;

use crate::table::drop_tables;

#[derive(DeriveMigrationName)]
pub struct Migration;

const FORMER_SLUGS: &str = "former_slugs";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let uuid = |name: &'static str| ColumnDef::new(name).uuid().not_null().take();
        let integer = |name: &'static str| ColumnDef::new(name).integer().not_null().take();
        let to_nodes = |name: &str, table: &'static str, column: &'static str| {
            ForeignKey::create().name(name).from(table, column).to("nodes", "id").on_delete(ForeignKeyAction::Restrict).to_owned()
        };
        manager
            .create_table(
                Table::create()
                    .table("merges")
                    .col(uuid("record_id").primary_key())
                    .col(uuid("into_id"))
                    .col(integer("revision"))
                    .col(integer("first_sequence"))
                    .col(integer("last_sequence"))
                    .foreign_key(&mut to_nodes("merges_record_id_fk", "merges", "record_id"))
                    .foreign_key(&mut to_nodes("merges_into_id_fk", "merges", "into_id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("merged_redirects")
                    .col(uuid("record_id"))
                    .col(uuid("former_id"))
                    .primary_key(Index::create().name("merged_redirects_pkey").col("record_id").col("former_id"))
                    .foreign_key(&mut to_nodes("merged_redirects_record_id_fk", "merged_redirects", "record_id"))
                    .foreign_key(&mut to_nodes("merged_redirects_former_id_fk", "merged_redirects", "former_id"))
                    .to_owned(),
            )
            .await?;
        // null for slugs that were registered before: the record that had one may have been merged since
        let origin = ColumnDef::new("origin_id").uuid().take();
        manager.alter_table(Table::alter().table(FORMER_SLUGS).add_column(origin).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(FORMER_SLUGS).drop_column("origin_id").to_owned()).await?;
        drop_tables(manager, &["merged_redirects", "merges"]).await
    }
}
