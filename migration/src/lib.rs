//! The database schema: one migration per file, with the same tables on SQLite and PostgreSQL.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigratorTrait, sea_orm};

pub mod duration;
mod m20261124_000001_nodes;
mod m20261124_000002_people;
mod m20261124_000003_laws;
mod m20261124_000004_proposals;
mod m20261124_000005_cases;
mod m20261124_000006_statements;
mod m20261124_000007_topics;
mod m20261124_000008_sources;
mod m20261124_000009_shared;
mod m20261124_000010_search;
mod m20261125_000011_tokens;
mod m20261125_000012_publication;
mod m20261125_000013_history;
mod m20261125_000014_lengths;
mod m20261125_000015_live_urls;
mod m20261125_000016_freshness;
mod m20261129_000017_date_names;
mod m20261129_000018_document_ids;
mod m20261129_000019_withholding;
mod m20261129_000020_clean_texts;
mod m20261129_000021_merges;
mod m20261129_000022_contact_details;
mod m20261129_000023_care;
mod m20261129_000024_imports;
mod m20261129_000025_name_keys;
mod m20261129_000026_unmerged;
mod m20261129_000027_shared_names;
mod m20261130_000028_moved_references;
mod m20261130_000029_web_addresses;
mod m20261130_000030_import_runs;
mod table;
pub mod web_address;

/// The migrations, in order. The name of each module is stored in the database and must not change.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_nodes::Migration),
            Box::new(m20261124_000002_people::Migration),
            Box::new(m20261124_000003_laws::Migration),
            Box::new(m20261124_000004_proposals::Migration),
            Box::new(m20261124_000005_cases::Migration),
            Box::new(m20261124_000006_statements::Migration),
            Box::new(m20261124_000007_topics::Migration),
            Box::new(m20261124_000008_sources::Migration),
            Box::new(m20261124_000009_shared::Migration),
            Box::new(m20261124_000010_search::Migration),
            Box::new(m20261125_000011_tokens::Migration),
            Box::new(m20261125_000012_publication::Migration),
            Box::new(m20261125_000013_history::Migration),
            Box::new(m20261125_000014_lengths::Migration),
            Box::new(m20261125_000015_live_urls::Migration),
            Box::new(m20261125_000016_freshness::Migration),
            Box::new(m20261129_000017_date_names::Migration),
            Box::new(m20261129_000018_document_ids::Migration),
            Box::new(m20261129_000019_withholding::Migration),
            Box::new(m20261129_000020_clean_texts::Migration),
            Box::new(m20261129_000021_merges::Migration),
            Box::new(m20261129_000022_contact_details::Migration),
            Box::new(m20261129_000023_care::Migration),
            Box::new(m20261129_000024_imports::Migration),
            Box::new(m20261129_000025_name_keys::Migration),
            Box::new(m20261129_000026_unmerged::Migration),
            Box::new(m20261129_000027_shared_names::Migration),
            Box::new(m20261130_000028_moved_references::Migration),
            Box::new(m20261130_000029_web_addresses::Migration),
            Box::new(m20261130_000030_import_runs::Migration),
        ]
    }
}
