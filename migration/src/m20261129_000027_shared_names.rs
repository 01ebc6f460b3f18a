//! Words of the names that a withheld person shares with others: they are recognized beside the person only.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const WORDS: &str = "withheld_words";
const SHARED: &str = "shared";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let shared = ColumnDef::new(SHARED).boolean().not_null().default(false).take();
        manager.alter_table(Table::alter().table(WORDS).add_column(shared).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let shared = Query::delete().from_table(WORDS).and_where(Expr::col(SHARED).eq(true)).to_owned();
        manager.execute(shared).await?;
        manager.alter_table(Table::alter().table(WORDS).drop_column(SHARED).to_owned()).await
    }
}
