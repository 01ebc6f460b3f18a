//! The length of a sentence as a number beside its text, so that the database can compute medians.

use sea_orm_migration::prelude::*;

use crate::duration::minutes;

/// See the file's own description.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "sentences";
const TEXT: &str = "length";
const NUMBER: &str = "length_minutes";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new(NUMBER).double().take();
        manager.alter_table(Table::alter().table(TABLE).add_column(column).to_owned()).await?;
        let known = Query::select().distinct().column(TEXT).from(TABLE).and_where(Expr::col(TEXT).is_not_null()).to_owned();
        let connection = manager.get_connection();
        // few texts are different: three years, fifteen days
        for row in connection.query_all(&known).await? {
            let text: String = row.try_get_by_index(0)?;
            let fill = Query::update().table(TABLE).value(NUMBER, minutes(&text)).and_where(Expr::col(TEXT).eq(text)).to_owned();
            manager.execute(fill).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(TABLE).drop_column(NUMBER).to_owned()).await
    }
}
