//! Loads stored rows with their parts.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::database;
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::model::StoredRow;
use crate::store::write::value::is_record;

/// Maximum number of values looked up by one statement: few enough for a single message of 16 KiB to PostgreSQL.
pub(crate) const LOOKUP_BATCH_VALUES: usize = 256;

/// Loads the rows of a type whose `column` is one of these ids. Each row comes with the value of that column and its parts.
pub(crate) fn load_rows<'a>(
    transaction: &'a DatabaseTransaction,
    record: &'static Record,
    column: &'static str,
    ids: &'a [Uuid],
) -> BoxFuture<'a, Result<Vec<(Uuid, StoredRow)>>> {
    Box::pin(async move {
        let mut rows = Vec::new();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let mut select = Query::select();
            select.column("id").column(Alias::new(column)).from(Alias::new(record.table));
            select.columns(record.fields.iter().map(|field| Alias::new(field.column)));
            select.and_where(one_of_ids(transaction.get_database_backend(), column, batch)?);
            for row in transaction.query_all(&select).await.map_err(database)? {
                let cells = record
                    .fields
                    .iter()
                    .enumerate()
                    .map(|(index, field)| Cell::decode(&row, index + 2, field.kind))
                    .collect::<Result<_, _>>()
                    .map_err(internal)?;
                let id = row.try_get_by_index(0).map_err(internal)?;
                rows.push((row.try_get_by_index(1).map_err(internal)?, StoredRow { id, cells, parts: HashMap::new() }));
            }
        }
        if rows.is_empty() {
            return Ok(rows);
        }
        let owners: Vec<Uuid> = rows.iter().map(|(_, row)| row.id).collect();
        for list in &record.parts {
            let part = catalog().get(list.part);
            let mut by_owner: HashMap<Uuid, Vec<StoredRow>> = HashMap::new();
            for (owner, row) in load_rows(transaction, part, part.field(FieldId::OWNER).column, &owners).await? {
                by_owner.entry(owner).or_default().push(row);
            }
            for (_, row) in &mut rows {
                if let Some(parts) = by_owner.remove(&row.id) {
                    row.parts.insert(list.part, parts);
                }
            }
        }
        Ok(rows)
    })
}

/// Types of the records that polymorphic references in these rows and their parts point to.
pub(crate) async fn referenced_types<'r>(
    transaction: &DatabaseTransaction,
    record: &Record,
    rows: impl Iterator<Item = &'r StoredRow>,
) -> Result<HashMap<Uuid, RecordType>> {
    let mut ids = HashSet::new();
    rows.for_each(|row| collect_references(record, row, &mut ids));
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut types = HashMap::new();
    for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
        let select = Query::select()
            .columns(["id", "record_type"])
            .from("nodes")
            .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let prefix: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            types.extend(RecordType::from_prefix(&prefix).map(|ty| (id, ty)));
        }
    }
    Ok(types)
}

fn collect_references(record: &Record, row: &StoredRow, ids: &mut HashSet<Uuid>) {
    for (field, cell) in record.fields.iter().zip(&row.cells).skip(usize::from(!is_record(record))) {
        if let (FieldKind::Any, Cell::Id(id)) = (field.kind, cell) {
            ids.insert(*id);
        }
    }
    for (part, rows) in &row.parts {
        for row in rows {
            collect_references(catalog().get(*part), row, ids);
        }
    }
}
