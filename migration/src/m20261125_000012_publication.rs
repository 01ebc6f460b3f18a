//! Unpublishes existing links and revisions that reference drafts, as writes do from this version on.

use sea_orm_migration::prelude::*;

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
        // each write looks up the draft sources, which are few
        let index = "CREATE INDEX sources_draft_idx ON sources (id) WHERE published = FALSE";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("sources_draft_idx").table("sources").to_owned()).await
    }
}
