//! Maintenance before and after bulk writes.

use sea_orm::ConnectionTrait;

use crate::core::error::Result;
use crate::store::error::database;
use crate::store::handle::Store;
use crate::store::sql::dialect;

/// Number of records from which on a write is worth the maintenance.
pub const BULK_WRITE_RECORDS: usize = 1_000;

impl Store {
    /// Prepares for a bulk write: SQLite gets a larger page cache, until [`Store::run_upkeep`].
    pub async fn prepare_bulk_write(&self) -> Result<()> {
        self.run_maintenance(dialect::before_bulk_write(self.backend())).await
    }

    /// Optimizes the database after a bulk write: PostgreSQL analyzes its tables, and SQLite merges the segments of its
    /// full-text index. Query results stay the same.
    pub async fn run_upkeep(&self) -> Result<()> {
        self.run_maintenance(dialect::after_bulk_write(self.backend())).await
    }

    async fn run_maintenance(&self, statements: &[&str]) -> Result<()> {
        for statement in statements {
            self.pools.writer.execute_unprepared(statement).await.map_err(database)?;
        }
        Ok(())
    }
}
