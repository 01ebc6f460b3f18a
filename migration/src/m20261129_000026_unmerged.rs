//! What an unmerge restores beside the revisions: the instants of the merged record, and which of its former slugs readers may
//! follow, whatever happened to the record that was kept.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const FORMER_SLUGS: &str = "former_slugs";
const MERGES: &str = "merges";
const INSTANTS: [&str; 3] = ["created_at", "checked_at", "last_changed_at"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // not set for merges that were made before, and for records without the instant
        for name in INSTANTS {
            let column = ColumnDef::new(name).timestamp_with_time_zone().take();
            manager.alter_table(Table::alter().table(MERGES).add_column(column).to_owned()).await?;
        }
        let published = ColumnDef::new("origin_published").boolean().not_null().default(true).take();
        manager.alter_table(Table::alter().table(FORMER_SLUGS).add_column(published).to_owned()).await?;
        let update = Query::update().table(FORMER_SLUGS).value("origin_published", Expr::col("published")).to_owned();
        manager.execute(update).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(FORMER_SLUGS).drop_column("origin_published").to_owned()).await?;
        for name in INSTANTS {
            manager.alter_table(Table::alter().table(MERGES).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
