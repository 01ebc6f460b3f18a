//! Keys by which records with like names are found. `kurultai reindex` makes those of the records that exist.

use sea_orm_migration::prelude::*;

use crate::table::drop_tables;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "name_keys";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(TABLE)
                    .col(ColumnDef::new("key").big_integer().not_null())
                    .col(ColumnDef::new("record_id").uuid().not_null())
                    .col(ColumnDef::new("published").boolean().not_null())
                    .primary_key(Index::create().name("name_keys_pkey").col("key").col("record_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("name_keys_record_id_fk")
                            .from(TABLE, "record_id")
                            .to("search_documents", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        let index = Index::create().name("name_keys_record_id_idx").table(TABLE).col("record_id").to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}
