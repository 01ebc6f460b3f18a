//! The schema of the database: the changes that were made to it, and those that this program knows.

use std::collections::HashSet;

use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::{Order, Query};
use sea_orm::{ConnectionTrait, DbErr};

use crate::store::{Store, lacks_table};

/// How the schema of the database and this program differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrations {
    /// Number of changes that the database lacks.
    pub pending: usize,
    /// Names of changes that the database has and the program does not know: a later version made them.
    pub unknown: Vec<String>,
}

impl Store {
    /// Brings the schema of the database up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        Migrator::up(&self.pools.writer, None).await
    }

    /// Takes back the latest changes of the schema, with the data in them.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        Migrator::down(&self.pools.writer, Some(steps)).await
    }

    /// How the schema of the database and this program differ; nothing is changed.
    pub async fn migrations(&self) -> Result<Migrations, DbErr> {
        let select = Query::select().column("version").from("seaql_migrations").order_by("version", Order::Asc).to_owned();
        let rows = match self.pools.primary.query_all(&select).await {
            Err(error) if lacks_table(&error) => Vec::new(),
            rows => rows?,
        };
        let made = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, _>>()?;
        let known: HashSet<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        let pending = known.iter().filter(|name| !made.contains(name)).count();
        Ok(Migrations { pending, unknown: made.into_iter().filter(|name| !known.contains(name)).collect() })
    }
}
