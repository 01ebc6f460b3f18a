//! What is known of each run of an import set beside the records that it held: when it began and ended, whether it refused
//! records, and whether another import of the set ended meanwhile.

use sea_orm_migration::prelude::*;

use crate::table::drop_tables;

#[derive(DeriveMigrationName)]
pub struct Migration;

const RUNS: &str = "import_runs";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // open runs of an earlier version have no beginning, and cannot be ended
        forget_names_with_a_prefix(manager).await?;
        let number = |name: &'static str| ColumnDef::new(name).integer().not_null().default(0).take();
        let flag = |name: &'static str| ColumnDef::new(name).boolean().not_null().default(false).take();
        manager
            .create_table(
                Table::create()
                    .table(RUNS)
                    .col(ColumnDef::new("hash").string().not_null().primary_key())
                    .col(ColumnDef::new("set_hash").string().not_null())
                    .col(ColumnDef::new("started_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
                    .col(flag("wrote"))
                    .col(flag("refused"))
                    .col(flag("overtaken"))
                    .col(number("deleted"))
                    .col(number("closed"))
                    .col(number("kept"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[RUNS]).await?;
        forget_names_with_a_prefix(manager).await
    }
}

/// Removes what is stored among the sets under a name with a prefix: the names of sets are hexadecimal.
async fn forget_names_with_a_prefix(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let delete = Query::delete().from_table("import_sets").and_where(Expr::col("hash").like("%:%")).to_owned();
    manager.execute(delete).await
}
