//! The times at which sources and jurisdictions were last checked and last changed.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["jurisdictions", "sources"];
const COLUMNS: [&str; 2] = ["checked_at", "last_changed_at"];
const STATE_TABLE: &str = "dataset_state";
/// Record tables.
const RECORD_TABLES: [&str; 13] = [
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
/// Tables of citable parts, each with its owner column and owner table.
const PART_TABLES: [(&str, &str, &str); 10] = [
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

/// An UPDATE that raises `last_changed_at` of a table to the latest change among `rows`: a FROM and a WHERE clause in
/// which `r` is the changed record.
fn raise_last_changed(table: &str, rows: &str) -> String {
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
                // SQLite requires a default to add a NOT NULL column
                let definition = ColumnDef::new(column).timestamp_with_time_zone().not_null().default("1970-01-01 00:00:00+00:00").take();
                manager.alter_table(Table::alter().table(table).add_column(definition).to_owned()).await?;
                let fill = format!("UPDATE {table} SET {column} = updated_at");
                connection.execute_unprepared(&fill).await?;
                let index = Index::create().name(format!("{table}_{column}_order_idx")).table(table).col(column).col("id").take();
                manager.create_index(index).await?;
            }
        }
        for table in RECORD_TABLES {
            let rows = format!("FROM search_documents d JOIN {table} r ON r.id = d.id WHERE d.jurisdiction_id = jurisdictions.id");
            connection.execute_unprepared(&raise_last_changed("jurisdictions", &rows)).await?;
            let rows = format!("FROM citations c JOIN {table} r ON r.id = c.record_id WHERE c.source_id = sources.id");
            connection.execute_unprepared(&raise_last_changed("sources", &rows)).await?;
        }
        for (part, owner, table) in PART_TABLES {
            let rows = format!(
                "FROM citations c JOIN {part} p ON p.id = c.record_id JOIN {table} r ON r.id = p.{owner} WHERE c.source_id = sources.id"
            );
            connection.execute_unprepared(&raise_last_changed("sources", &rows)).await?;
        }
        let checked = ColumnDef::new(COLUMNS[0]).timestamp_with_time_zone().take();
        manager.alter_table(Table::alter().table(STATE_TABLE).add_column(checked).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            for column in COLUMNS {
                manager.drop_index(Index::drop().name(format!("{table}_{column}_order_idx")).table(table).to_owned()).await?;
                manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
            }
        }
        manager.alter_table(Table::alter().table(STATE_TABLE).drop_column(COLUMNS[0]).to_owned()).await
    }
}
