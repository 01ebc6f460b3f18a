//! Schema migrations.

use std::collections::HashSet;

use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::{Order, Query};
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

use crate::store::curation::withholding::digest_key::renew_digests;
use crate::store::error::is_undefined_table;
use crate::store::handle::Store;

/// The difference between the migrations applied to the database and those known to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrations {
    /// Number of migrations that are yet to be applied.
    pub pending: usize,
    /// Names of applied migrations that a later version of the program must have made.
    pub unknown: Vec<String>,
}

impl Store {
    /// Applies all pending migrations.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        Migrator::up(&self.pools.writer, None).await?;
        let transaction = self.pools.writer.begin().await?;
        let secret = self.withholding_secret.as_deref();
        renew_digests(&transaction, secret).await.map_err(|error| DbErr::Migration(error.to_string()))?;
        transaction.commit().await
    }

    /// Rolls back the latest migrations, and deletes the data in what they created.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        Migrator::down(&self.pools.writer, Some(steps)).await
    }

    /// Compares the applied migrations with the known ones, without changing anything.
    pub async fn migrations(&self) -> Result<Migrations, DbErr> {
        let select = Query::select().column("version").from("seaql_migrations").order_by("version", Order::Asc).to_owned();
        let rows = match self.pools.control.query_all(&select).await {
            Err(error) if is_undefined_table(&error) => Vec::new(),
            rows => rows?,
        };
        let applied = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, _>>()?;
        let known: HashSet<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        let pending = known.iter().filter(|name| !applied.contains(name)).count();
        Ok(Migrations { pending, unknown: applied.into_iter().filter(|name| !known.contains(name)).collect() })
    }
}
