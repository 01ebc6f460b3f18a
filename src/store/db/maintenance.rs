//! What is done before and after many records are written.

use sea_orm::ConnectionTrait;

use crate::core::error::Result;
use crate::store::sql::dialect;
use crate::store::{Store, database};

/// From this many records on, a write is worth preparing for and tidying up after.
pub const MANY_RECORDS: usize = 1_000;

impl Store {
    /// Prepares for many records: SQLite keeps more of the database in memory, which is given back by [`Store::tidy`].
    pub async fn expect_many(&self) -> Result<()> {
        self.run(dialect::before_many(self.backend())).await
    }

    /// Brings the database in order after many records have been written. What is read afterwards is the same, and
    /// read faster: PostgreSQL plans by what is in the tables now, and SQLite finds words in one piece of its index.
    pub async fn tidy(&self) -> Result<()> {
        self.run(dialect::after_many(self.backend())).await
    }

    async fn run(&self, statements: &[&str]) -> Result<()> {
        for statement in statements {
            self.pools.writer.execute_unprepared(statement).await.map_err(database)?;
        }
        Ok(())
    }
}
