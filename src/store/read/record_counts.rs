//! Number of published records of each type, and approximate sizes of the tables.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query};

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::handle::Store;
use crate::store::read::table_sizes::TableSizes;
use crate::store::sql::dialect;

impl Store {
    /// Counts the published records of each type, in one statement. Parts of records are not counted.
    pub async fn published_counts(&self) -> Result<Vec<(RecordType, u64)>> {
        let types: Vec<_> = catalog().all().filter(|record| record.kind == RecordKind::Record).collect();
        let mut select = Query::select();
        for record in &types {
            let count = Query::select()
                .expr(Func::count(Expr::col("id")))
                .from(Alias::new(record.table))
                .and_where(Expr::col("published").eq(true))
                .to_owned();
            select.expr(Expr::from(count));
        }
        let rows = self.fetch_all(&select).await?;
        let row = rows.first().ok_or_else(|| internal("the count of published records returned no row"))?;
        let count = |index| row.try_get_by_index::<i64>(index).map(i64::unsigned_abs).map_err(internal);
        types.iter().enumerate().map(|(index, record)| Ok((record.ty, count(index)?))).collect()
    }

    /// The sizes of the tables, to estimate what a query scans.
    pub fn table_sizes(&self) -> &TableSizes {
        &self.table_sizes
    }

    /// Refreshes the sizes of the tables. They are read from the statistics of PostgreSQL or the largest row ids of SQLite,
    /// without counting rows.
    pub async fn refresh_table_sizes(&self) -> Result<()> {
        let types: Vec<_> = catalog().all().collect();
        let mut select = Query::select();
        for record in &types {
            select.expr(Expr::from(dialect::approximate_rows(self.backend(), record.table)));
        }
        let Some(row) = self.fetch_uncounted_row(&select).await? else { return Ok(()) };
        let size = |index| row.try_get_by_index::<Option<i64>>(index).map(|rows| u64::try_from(rows.unwrap_or(0)).unwrap_or(0));
        let sizes = types.iter().enumerate().map(|(index, record)| Ok((record.ty, size(index)?)));
        self.table_sizes.set(sizes.collect::<Result<_, sea_orm::DbErr>>().map_err(internal)?);
        Ok(())
    }
}
