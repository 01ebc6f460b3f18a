//! One revision for each removal of a record, and the results of checks of the addresses of sources.
//!
//! Before, the removal of a published record was two revisions: one with the removed values, hidden from readers, and a
//! visible one without them. Now it is one, whose values only editors read.

use sea_orm_migration::prelude::*;

use crate::table::text_column;

#[derive(DeriveMigrationName)]
pub struct Migration;

const SOURCES: &str = "sources";
const STATUS: &str = "url_status";
const CHECKED_AT: &str = "url_checked_at";

/// The condition that `other` is a removal of the same kind as a revision, of the same record, and one number away.
fn is_pair(other: &str, number: &str) -> String {
    format!(
        "revisions.kind IN ('deleted', 'merged') AND {other}.record_id = revisions.record_id AND {other}.kind = revisions.kind \
         AND {other}.number = {number}"
    )
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let (hidden, visible) = (is_pair("h", "revisions.number - 1"), is_pair("v", "revisions.number + 1"));
        let fill = format!(
            "UPDATE revisions SET changes = (SELECT h.changes FROM revisions h WHERE {hidden}) \
             WHERE EXISTS (SELECT 1 FROM revisions h WHERE {hidden})"
        );
        connection.execute_unprepared(&fill).await?;
        let delete = format!("DELETE FROM revisions WHERE EXISTS (SELECT 1 FROM revisions v WHERE {visible})");
        connection.execute_unprepared(&delete).await?;
        let checked = ColumnDef::new(CHECKED_AT).timestamp_with_time_zone().take();
        manager.alter_table(Table::alter().table(SOURCES).add_column(checked).to_owned()).await?;
        let mut status = text_column(manager.get_database_backend(), STATUS);
        manager.alter_table(Table::alter().table(SOURCES).add_column(&mut status).to_owned()).await
    }

    /// Clears the values of removals that readers see: the earlier version would show them. The records that were removed
    /// can then not be restored.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let clear = "UPDATE revisions SET changes = '[]' WHERE kind IN ('deleted', 'merged') AND published";
        manager.get_connection().execute_unprepared(clear).await?;
        for column in [STATUS, CHECKED_AT] {
            manager.alter_table(Table::alter().table(SOURCES).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
