//! The database schema, one file per change, alike on SQLite and PostgreSQL.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigratorTrait, sea_orm};

pub mod duration;
mod table;

macro_rules! migrations {
    ($($module:ident,)*) => {
        $(mod $module;)*

        /// Every change of the schema, in order.
        #[derive(Debug)]
        pub struct Migrator;

        #[async_trait::async_trait]
        impl MigratorTrait for Migrator {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$(Box::new($module::Migration),)*]
            }
        }
    };
}

migrations! {
    m20261124_000001_nodes,
    m20261124_000002_people,
    m20261124_000003_laws,
    m20261124_000004_proposals,
    m20261124_000005_cases,
    m20261124_000006_statements,
    m20261124_000007_topics,
    m20261124_000008_sources,
    m20261124_000009_shared,
    m20261124_000010_search,
    m20261125_000011_tokens,
    m20261125_000012_publication,
    m20261125_000013_history,
    m20261125_000014_lengths,
    m20261125_000015_live_urls,
    m20261125_000016_freshness,
}
