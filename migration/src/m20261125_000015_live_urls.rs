//! Saved queries, and the dataset version, which all processes share.

use sea_orm_migration::prelude::*;

use crate::table::{drop_tables, text_column};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let text = |name: &'static str| text_column(backend, name);
        manager
            .create_table(
                Table::create()
                    .table("saved_queries")
                    .col(text("hash").not_null().primary_key())
                    .col(text("document_hash").not_null())
                    .col(text("name"))
                    .col(text("title"))
                    .col(text("document").not_null())
                    .col(text("operation_name"))
                    .col(text("variables").not_null())
                    .col(text("saved_by").not_null())
                    .col(ColumnDef::new("saved_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await?;
        for (name, column, unique) in [
            ("saved_queries_name_key", "name", true),
            ("saved_queries_document_hash_idx", "document_hash", false),
            ("saved_queries_saved_at_idx", "saved_at", false),
        ] {
            let mut index = Index::create();
            index.name(name).table("saved_queries").col(column);
            if unique {
                index.unique();
            }
            manager.create_index(index).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("dataset_state")
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    .col(ColumnDef::new("version").big_integer().not_null())
                    .col(ColumnDef::new("sequence").integer().not_null())
                    .col(ColumnDef::new("changed_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await?;
        let initialize = "INSERT INTO dataset_state (id, version, sequence, changed_at) \
             SELECT 1, COALESCE(MAX(sequence), 0), COALESCE(MAX(sequence), 0), COALESCE(MAX(at), CURRENT_TIMESTAMP) FROM revisions";
        manager.get_connection().execute_unprepared(initialize).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["dataset_state", "saved_queries"]).await
    }
}
