//! When sources and jurisdictions were last checked, and when what they stand for last changed.

use sea_orm_migration::prelude::*;

/// See the file's own description.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["jurisdictions", "sources"];
const COLUMNS: [&str; 2] = ["checked_at", "last_changed_at"];
const STATE: &str = "dataset_state";
/// Tables of records.
const RECORDS: [&str; 13] = [
    "jurisdictions",
    "organizations",
    "persons",
    "memberships",
    "laws",
    "provisions",
    "proposals",
    "vote_events",
    "cases",
    "statements",
    "statistics",
    "topics",
    "sources",
];
/// Tables of parts that can be cited for, with the column and the table of what they belong to.
const PARTS: [(&str, &str, &str); 10] = [
    ("law_relations", "law_id", "laws"),
    ("provision_versions", "provision_id", "provisions"),
    ("sponsorships", "proposal_id", "proposals"),
    ("proposal_actions", "proposal_id", "proposals"),
    ("proposed_changes", "proposal_id", "proposals"),
    ("votes", "vote_event_id", "vote_events"),
    ("case_parties", "case_id", "cases"),
    ("charges", "case_id", "cases"),
    ("case_events", "case_id", "cases"),
    ("sentences", "case_id", "cases"),
];

/// Moves `last_changed_at` of a table on to the latest change of what `rows` leads to: a FROM and a WHERE clause, in
/// which the changed record is `r`.
fn move_on(table: &str, rows: &str) -> String {
    format!(
        "UPDATE {table} SET last_changed_at = (SELECT MAX(r.updated_at) {rows} AND r.published) \
         WHERE EXISTS (SELECT 1 {rows} AND r.published AND r.updated_at > {table}.last_changed_at)"
    )
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for table in TABLES {
            for column in COLUMNS {
                // SQLite adds no column that is never unknown without a value for the rows there are
                let definition = ColumnDef::new(column).timestamp_with_time_zone().not_null().default("1970-01-01 00:00:00+00:00").take();
                manager.alter_table(Table::alter().table(table).add_column(definition).to_owned()).await?;
                let fill = format!("UPDATE {table} SET {column} = updated_at");
                connection.execute_unprepared(&fill).await?;
                let index = Index::create().name(format!("{table}_{column}_order_idx")).table(table).col(column).col("id").take();
                manager.create_index(index).await?;
            }
        }
        for table in RECORDS {
            let rows = format!("FROM search_documents d JOIN {table} r ON r.id = d.id WHERE d.jurisdiction_id = jurisdictions.id");
            connection.execute_unprepared(&move_on("jurisdictions", &rows)).await?;
            let rows = format!("FROM citations c JOIN {table} r ON r.id = c.record_id WHERE c.source_id = sources.id");
            connection.execute_unprepared(&move_on("sources", &rows)).await?;
        }
        for (part, owner, table) in PARTS {
            let rows = format!(
                "FROM citations c JOIN {part} p ON p.id = c.record_id JOIN {table} r ON r.id = p.{owner} WHERE c.source_id = sources.id"
            );
            connection.execute_unprepared(&move_on("sources", &rows)).await?;
        }
        let checked = ColumnDef::new(COLUMNS[0]).timestamp_with_time_zone().take();
        manager.alter_table(Table::alter().table(STATE).add_column(checked).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            for column in COLUMNS {
                manager.drop_index(Index::drop().name(format!("{table}_{column}_order_idx")).table(table).to_owned()).await?;
                manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
            }
        }
        manager.alter_table(Table::alter().table(STATE).drop_column(COLUMNS[0]).to_owned()).await
    }
}
