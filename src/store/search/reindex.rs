//! Writes the search index and the folded names of all records anew, after an upgrade that folds texts in another way.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::store::database;
use crate::store::handle::Store;
use crate::store::search::index::SearchDocuments;
use crate::store::write::load::load_rows;
use crate::store::write::model::{NewRow, is_published};
use crate::store::write::value::{folded_names, is_record, sort_key};

/// Records of one transaction.
const BATCH_RECORDS: u64 = 1_000;

impl Store {
    /// Indexes all records, drafts among them, in transactions of 1,000. Returns their number. An interrupted run can be
    /// repeated.
    pub async fn reindex(&self) -> Result<usize> {
        let mut total = 0;
        for ty in catalog().write_order() {
            let record = catalog().get(ty);
            let mut last: Option<Uuid> = None;
            while is_record(record) {
                let transaction = self.begin_exclusive().await?;
                let ids = next_ids(&transaction, record, last).await?;
                let Some(end) = ids.last().copied() else {
                    transaction.rollback().await.map_err(database)?;
                    break;
                };
                index(&transaction, record, &ids).await?;
                self.commit(transaction).await?;
                last = Some(end);
                total += ids.len();
            }
        }
        Ok(total)
    }
}

/// The ids after `last`, in order.
async fn next_ids(transaction: &DatabaseTransaction, record: &Record, last: Option<Uuid>) -> Result<Vec<Uuid>> {
    let select = Query::select()
        .column("id")
        .from(Alias::new(record.table))
        .and_where_option(last.map(|last| Expr::col("id").gt(last)))
        .order_by("id", Order::Asc)
        .limit(BATCH_RECORDS)
        .to_owned();
    let rows = transaction.query_all(&select).await.map_err(database)?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().map_err(internal)
}

async fn index(transaction: &DatabaseTransaction, record: &'static Record, ids: &[Uuid]) -> Result<()> {
    let mut rows = Vec::with_capacity(ids.len());
    for (_, row) in load_rows(transaction, record, "id", ids).await? {
        let update = Query::update()
            .table(Alias::new(record.table))
            .values([
                (Alias::new("sort_key"), Expr::val(sort_key(record, &row.cells))),
                (Alias::new("folded"), Expr::val(folded_names(record, &row.cells))),
            ])
            .and_where(Expr::col("id").eq(row.id))
            .to_owned();
        transaction.execute(&update).await.map_err(database)?;
        let published = is_published(record, &row);
        rows.push(NewRow { id: row.id, cells: row.cells, published });
    }
    let mut documents = SearchDocuments::default();
    documents.add(transaction, record, &rows).await?;
    documents.write(transaction).await
}
