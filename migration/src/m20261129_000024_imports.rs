//! Marks the revisions that imports wrote, so that an import can tell what editors wrote since; and keeps which records the
//! files of a named import held, so that a later one can tell which are gone.

use sea_orm_migration::prelude::*;

use crate::table::drop_tables;

#[derive(DeriveMigrationName)]
pub struct Migration;

const REVISIONS: &str = "revisions";
const IMPORTED: &str = "imported";
const SETS: &str = "import_sets";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(IMPORTED);
        // nothing is known of earlier revisions: as imports, they are overwritten by imports, as before
        column.boolean().not_null().default(true);
        manager.alter_table(Table::alter().table(REVISIONS).add_column(column).to_owned()).await?;
        let mut to_nodes = ForeignKey::create();
        to_nodes.name("import_sets_record_id_fk").from(SETS, "record_id").to("nodes", "id").on_delete(ForeignKeyAction::Cascade);
        manager
            .create_table(
                Table::create()
                    .table(SETS)
                    .col(ColumnDef::new("hash").string().not_null())
                    .col(ColumnDef::new("record_id").uuid().not_null())
                    .primary_key(Index::create().name("import_sets_pkey").col("hash").col("record_id"))
                    .foreign_key(&mut to_nodes)
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[SETS]).await?;
        manager.alter_table(Table::alter().table(REVISIONS).drop_column(IMPORTED).to_owned()).await
    }
}
