//! Search: one document per record, the full-text index of each database, and spelling variants with one letter deleted.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::table::{drop_tables, text_column};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let text = |name: &'static str| text_column(backend, name).not_null().take();
        manager
            .create_table(
                Table::create()
                    .table("search_documents")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(text("record_type"))
                    .col(ColumnDef::new("jurisdiction_id").uuid())
                    .col(text("sort_key"))
                    .col(text("label"))
                    .col(text("body"))
                    .col(text("names"))
                    .col(text("words"))
                    .col(ColumnDef::new("published").boolean().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .name("search_documents_id_fk")
                            .from("search_documents", "id")
                            .to("nodes", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("search_documents_jurisdiction_id_fk")
                            .from("search_documents", "jurisdiction_id")
                            .to("jurisdictions", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("search_variants")
                    .col(text("variant"))
                    .col(text("word"))
                    .primary_key(Index::create().name("search_variants_pkey").col("variant").col("word"))
                    .to_owned(),
            )
            .await?;
        let statements: &[&str] = match backend {
            DbBackend::Postgres => &[
                "ALTER TABLE search_documents ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS \
                 (setweight(to_tsvector('simple', names), 'A') || setweight(to_tsvector('simple', words), 'D')) STORED",
                "CREATE INDEX search_documents_document_idx ON search_documents USING gin (document)",
            ],
            // the index stores no copy of the text, so triggers synchronize it with the documents
            DbBackend::Sqlite => &[
                "CREATE VIRTUAL TABLE search_index USING fts5(names, words, content='search_documents', \
                 tokenize='ascii', prefix='2 3 4')",
                "CREATE TRIGGER search_documents_insert AFTER INSERT ON search_documents BEGIN \
                 INSERT INTO search_index(rowid, names, words) VALUES (new.rowid, new.names, new.words); END",
                "CREATE TRIGGER search_documents_delete AFTER DELETE ON search_documents BEGIN \
                 INSERT INTO search_index(search_index, rowid, names, words) \
                 VALUES ('delete', old.rowid, old.names, old.words); END",
                "CREATE TRIGGER search_documents_update AFTER UPDATE ON search_documents BEGIN \
                 INSERT INTO search_index(search_index, rowid, names, words) \
                 VALUES ('delete', old.rowid, old.names, old.words); \
                 INSERT INTO search_index(rowid, names, words) VALUES (new.rowid, new.names, new.words); END",
            ],
            other => return Err(DbErr::Migration(format!("{other:?} is not supported"))),
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Sqlite {
            manager.get_connection().execute_unprepared("DROP TABLE search_index").await?;
        }
        drop_tables(manager, &["search_variants", "search_documents"]).await
    }
}
