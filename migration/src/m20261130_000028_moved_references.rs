//! Marks the revisions in which a merge, or its undoing, moved references of other records: they are no edits, which imports keep.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const REVISIONS: &str = "revisions";
const MERGES: &str = "merges";
const MOVED: &str = "moved";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moved = ColumnDef::new(MOVED).boolean().not_null().default(false).take();
        manager.alter_table(Table::alter().table(REVISIONS).add_column(moved).to_owned()).await?;
        // of merges that were undone, nothing is recorded
        let sequence = || Expr::col((REVISIONS, "sequence"));
        let of_merge = Query::select()
            .column((MERGES, "record_id"))
            .from(MERGES)
            .and_where(Expr::col((MERGES, "first_sequence")).lte(sequence()))
            .and_where(Expr::col((MERGES, "last_sequence")).gte(sequence()))
            .and_where(Expr::col((MERGES, "into_id")).not_equals((REVISIONS, "record_id")))
            .to_owned();
        let update = Query::update().table(REVISIONS).value(MOVED, true).and_where(Expr::exists(of_merge)).to_owned();
        manager.execute(update).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(REVISIONS).drop_column(MOVED).to_owned()).await
    }
}
