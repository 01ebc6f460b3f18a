//! Number of published records of each type.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query};

use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::handle::Store;

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
}
