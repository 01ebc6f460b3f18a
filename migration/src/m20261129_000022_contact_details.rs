//! Contact details of people, organizations and memberships, parts of names, and the posts, areas and legislative periods of
//! memberships.

use sea_orm_migration::prelude::*;

use crate::table::text_column;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Nullable text columns by table.
const TEXT_COLUMNS: [(&str, &[&str]); 3] = [
    ("persons", &["given_name", "additional_name", "patronymic_name", "family_name", "honorific_prefix", "honorific_suffix"]),
    ("organizations", &["area"]),
    ("memberships", &["post", "post_start", "post_end", "area", "legislative_period", "period_start", "period_end"]),
];
/// Columns with lists by table.
const LIST_COLUMNS: [(&str, &[&str]); 3] =
    [("persons", &["contact_details"]), ("organizations", &["contact_details"]), ("memberships", &["contact_details", "links"])];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in TEXT_COLUMNS {
            for column in columns {
                let definition = text_column(manager.get_database_backend(), column);
                manager.alter_table(Table::alter().table(table).add_column(definition).to_owned()).await?;
            }
        }
        for (table, columns) in LIST_COLUMNS {
            for column in columns {
                let definition = ColumnDef::new(*column).json().not_null().default("[]").take();
                manager.alter_table(Table::alter().table(table).add_column(definition).to_owned()).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in TEXT_COLUMNS.into_iter().chain(LIST_COLUMNS) {
            for column in columns {
                manager.alter_table(Table::alter().table(table).drop_column(*column).to_owned()).await?;
            }
        }
        Ok(())
    }
}
