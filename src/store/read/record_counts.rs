//! How many records of each type are published.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query};

use crate::catalog::record::{RecordKind, catalog};
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::Store;

impl Store {
    /// Number of published records of each type, by one statement. Parts of records are not counted.
    pub async fn published(&self) -> Result<Vec<(RecordType, u64)>> {
        let types: Vec<_> = catalog().all().filter(|record| record.shape == RecordKind::Record).collect();
        let mut select = Query::select();
        for record in &types {
            let count = Query::select()
                .expr(Func::count(Expr::col("id")))
                .from(Alias::new(record.table))
                .and_where(Expr::col("published").eq(true))
                .to_owned();
            select.expr(Expr::from(count));
        }
        let rows = self.read(&select).await?;
        let row = rows.first().ok_or_else(|| internal("counting gave no row"))?;
        let count = |place| row.try_get_by_index::<i64>(place).map(i64::unsigned_abs).map_err(internal);
        types.iter().enumerate().map(|(place, record)| Ok((record.ty, count(place)?))).collect()
    }
}
