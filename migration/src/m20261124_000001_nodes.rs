//! The register of all ids ever assigned. Citations reference it, and ids of merged records resolve through it.

use sea_orm_migration::prelude::*;

use crate::table::drop_tables;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("nodes")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("record_type").text().not_null())
                    .col(ColumnDef::new("merged_into").uuid())
                    .foreign_key(
                        ForeignKey::create()
                            .name("nodes_merged_into_fk")
                            .from("nodes", "merged_into")
                            .to("nodes", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["nodes"]).await
    }
}
