//! Links and entries of the history that lead to drafts are hidden, as they are when written from now on.

use sea_orm_migration::prelude::*;

/// See the file's own description.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [("citations", "source_id"), ("tags", "topic_id"), ("subjects", "record_id"), ("revisions", "record_id")] {
            let drafts = Query::select().column("id").from("search_documents").and_where(Expr::col("published").eq(false)).to_owned();
            let hide = Query::update()
                .table(table)
                .value("published", false)
                .and_where(Expr::col("published").eq(true))
                .and_where(Expr::col(column).in_subquery(drafts))
                .to_owned();
            manager.execute(hide).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
