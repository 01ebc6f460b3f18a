//! The length of a sentence in minutes, so that the database can compute medians.

use sea_orm_migration::prelude::*;

use crate::duration::minutes;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "sentences";
const TEXT_COLUMN: &str = "length";
const MINUTES_COLUMN: &str = "length_minutes";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new(MINUTES_COLUMN).double().take();
        manager.alter_table(Table::alter().table(TABLE).add_column(column).to_owned()).await?;
        let distinct =
            Query::select().distinct().column(TEXT_COLUMN).from(TABLE).and_where(Expr::col(TEXT_COLUMN).is_not_null()).to_owned();
        let connection = manager.get_connection();
        // there are few distinct texts, such as P3Y and P15D
        for row in connection.query_all(&distinct).await? {
            let text: String = row.try_get_by_index(0)?;
            let fill =
                Query::update().table(TABLE).value(MINUTES_COLUMN, minutes(&text)).and_where(Expr::col(TEXT_COLUMN).eq(text)).to_owned();
            manager.execute(fill).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(TABLE).drop_column(MINUTES_COLUMN).to_owned()).await
    }
}
