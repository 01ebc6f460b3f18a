//! Ids of documents in manifests of clients, such as the MD5 of Relay, and the saved queries that they lead to.

use sea_orm_migration::prelude::*;

use crate::table::{drop_tables, text_column};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        manager
            .create_table(
                Table::create()
                    .table("document_ids")
                    .col(text_column(backend, "id").not_null().primary_key())
                    .col(text_column(backend, "hash").not_null())
                    .foreign_key(
                        ForeignKey::create().name("document_ids_hash_fkey").from("document_ids", "hash").to("saved_queries", "hash"),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["document_ids"]).await
    }
}
