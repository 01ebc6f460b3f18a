//! The feed of changes: kind and sequence number of each revision. Former slugs, and digests of withheld names.

use sea_orm_migration::prelude::*;

use crate::table::{drop_tables, text_column, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const REVISIONS: &str = "revisions";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let text = |name: &'static str| text_column(backend, name).not_null().take();
        let columns = [
            text("kind").default("updated").take(),
            text("record_type").default("").take(),
            ColumnDef::new("sequence").integer().not_null().default(0).take(),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table(REVISIONS).add_column(column).to_owned()).await?;
        }
        // existing revisions are numbered by id, which is the order of time
        let statements = [
            "UPDATE revisions SET kind = 'created' WHERE number = 1",
            "UPDATE revisions SET record_type = nodes.record_type FROM nodes WHERE nodes.id = revisions.record_id",
            "UPDATE revisions SET sequence = numbered.place FROM \
             (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place FROM revisions) AS numbered WHERE numbered.id = revisions.id",
        ];
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        unique(manager, REVISIONS, &["sequence"]).await?;
        let mut index = Index::create();
        index.name("revisions_record_type_idx").table(REVISIONS);
        for column in ["record_type", "sequence", "id"] {
            index.col(column);
        }
        manager.create_index(index).await?;
        manager
            .create_index(Index::create().name("revisions_sequence_order_idx").table(REVISIONS).col("sequence").col("id").to_owned())
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("former_slugs")
                    .col(text("record_type"))
                    .col(text("slug"))
                    .col(ColumnDef::new("record_id").uuid().not_null())
                    .primary_key(Index::create().name("former_slugs_pkey").col("record_type").col("slug"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("former_slugs_record_id_fk")
                            .from("former_slugs", "record_id")
                            .to("nodes", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("withheld")
                    .col(text("digest").primary_key())
                    .col(ColumnDef::new("record_id").uuid().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .name("withheld_record_id_fk")
                            .from("withheld", "record_id")
                            .to("nodes", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["withheld", "former_slugs"]).await?;
        for index in ["revisions_sequence_order_idx", "revisions_record_type_idx", "revisions_sequence_key"] {
            manager.drop_index(Index::drop().name(index).table(REVISIONS).to_owned()).await?;
        }
        for column in ["sequence", "record_type", "kind"] {
            manager.alter_table(Table::alter().table(REVISIONS).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
