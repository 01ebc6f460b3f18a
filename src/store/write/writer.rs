//! Writes a change set: rows, revisions, redirects, search documents, visibility and freshness.

use std::collections::HashSet;

use migration::duration::minutes;
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value as Bound};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::store::database;
use crate::store::history::redirects::insert_former_slugs;
use crate::store::history::revisions::{hide_revisions, insert_revisions};
use crate::store::read::result::Cell;
use crate::store::sql::bulk_insert::{Batching, ConflictAction, InsertTarget, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::diff::ChangeSet;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::NewRow;
use crate::store::write::value::{bind, folded_names, is_record, sort_key};

impl ChangeSet<'_> {
    /// Writes all changes. Returns whether anything changed, including the freshness of sources and jurisdictions.
    pub(crate) async fn write(mut self, transaction: &DatabaseTransaction) -> Result<bool> {
        let freshness = std::mem::take(&mut self.freshness);
        let (now, has_revisions) = (self.stamp.at, !self.revisions.is_empty());
        if has_revisions {
            self.write_records(transaction).await?;
        }
        Ok(freshness.write(transaction, now).await? || has_revisions)
    }

    async fn write_records(mut self, transaction: &DatabaseTransaction) -> Result<()> {
        let nodes = std::mem::take(&mut self.new_nodes);
        let nodes = nodes.into_iter().map(|(id, prefix)| vec![id.into(), prefix.into()]).collect();
        let into = InsertTarget {
            table: "nodes",
            columns: &["id", "record_type"],
            on_conflict: ConflictAction::Replace,
            batching: Batching::Fastest,
        };
        insert(transaction, into, nodes).await?;
        let order = catalog().write_order();
        for ty in &order {
            let Some(rows) = self.rows.remove(ty) else { continue };
            self.upsert_rows(transaction, catalog().get(*ty), rows).await?;
        }
        for ty in order.iter().rev() {
            let Some(ids) = self.removed_parts.remove(ty) else { continue };
            delete_rows(transaction, catalog().get(*ty).table, "id", &ids).await?;
        }
        hide_revisions(transaction, &self.unpublished).await?;
        insert_revisions(self.store, transaction, &self.stamp, std::mem::take(&mut self.revisions)).await?;
        insert_former_slugs(transaction, std::mem::take(&mut self.former_slugs)).await?;
        self.documents.write(transaction).await?;
        self.visibility.write(transaction, &self.draft_sources).await
    }

    async fn upsert_rows(&mut self, transaction: &DatabaseTransaction, record: &'static Record, rows: Vec<NewRow>) -> Result<()> {
        let mut columns = vec!["id"];
        columns.extend(record.fields.iter().map(|field| field.column));
        columns.extend(record.fields.iter().filter_map(Field::minutes_column));
        if is_record(record) {
            columns.extend(["sort_key", "folded"]);
        } else {
            columns.push("published");
        }
        self.visibility.written(record, rows.iter().filter(|row| row.published).map(|row| row.id));
        let into =
            InsertTarget { table: record.table, columns: &columns, on_conflict: ConflictAction::Replace, batching: Batching::Fastest };
        let bound = |rows: Vec<NewRow>| rows.iter().map(|row| bound_values(record, row)).collect();
        let (ordered, cyclic) = parents_first(record, rows);
        insert(transaction, into, bound(ordered)).await?;
        insert(transaction, InsertTarget { batching: Batching::Single, ..into }, bound(cyclic)).await
    }
}

/// Values of a row in the order of its columns.
fn bound_values(record: &Record, row: &NewRow) -> Vec<Bound> {
    let mut values = vec![row.id.into()];
    let cells = || record.fields.iter().zip(&row.cells);
    values.extend(cells().map(|(field, cell)| bind(field.kind, cell)));
    let durations = cells().filter(|(field, _)| field.minutes_column().is_some());
    values.extend(durations.map(|(_, cell)| Bound::from(cell.as_text().and_then(minutes))));
    if is_record(record) {
        values.extend([sort_key(record, &row.cells).into(), folded_names(record, &row.cells).into()]);
    } else {
        values.push(row.published.into());
    }
    values
}

/// Splits rows into those ordered so that each follows the row of the same type that it refers to, and those that cannot
/// be ordered because their references form a cycle.
fn parents_first(record: &Record, mut rows: Vec<NewRow>) -> (Vec<NewRow>, Vec<NewRow>) {
    let Some(parent) = record.find_field(|field| matches!(field.kind, FieldKind::One(target) if target == record.ty)) else {
        return (rows, Vec::new());
    };
    let mut waiting: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut ordered = Vec::with_capacity(rows.len());
    while !rows.is_empty() {
        let (ready, rest): (Vec<NewRow>, Vec<NewRow>) =
            rows.into_iter().partition(|row| !matches!(&row.cells[parent.index()], Cell::Id(id) if waiting.contains(id) && *id != row.id));
        let is_stuck = ready.is_empty();
        for row in &ready {
            waiting.remove(&row.id);
        }
        ordered.extend(ready);
        rows = rest;
        if is_stuck {
            break;
        }
    }
    (ordered, rows)
}

/// Deletes the rows whose `column` is one of these ids.
pub(crate) async fn delete_rows(transaction: &DatabaseTransaction, table: &'static str, column: &'static str, ids: &[Uuid]) -> Result<()> {
    for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
        let delete = Query::delete()
            .from_table(Alias::new(table))
            .and_where(one_of_ids(transaction.get_database_backend(), column, batch)?)
            .to_owned();
        transaction.execute(&delete).await.map_err(database)?;
    }
    Ok(())
}
