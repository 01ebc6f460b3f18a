//! Deleting a record: it goes with its parts, its history stays, and nothing that others refer to goes.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, RecordKind, catalog};
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::freshness::Freshness;
use crate::store::curation::withhold::withheld;
use crate::store::draft::{InputProblem, Origin, ProblemCode};
use crate::store::history::state;
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::apply::{Change, Existing, load, types};
use crate::store::write::{Author, CHUNK, Stamp, WriteError, WriteSession, apply, lives};
use crate::store::{Store, database};

/// Records that are named at most where others refer to one.
const NAMED: u64 = 10;

/// A record that refers to another, by the name of its list and its slug.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Referrer {
    pub(crate) ty: RecordType,
    pub(crate) id: Uuid,
    pub(crate) slug: String,
}

impl Store {
    /// Deletes a record; refused while others refer to it. Its id is never given again.
    pub async fn delete(&self, ty: RecordType, id: Uuid, expected: Option<i64>, author: &Author) -> Result<(), WriteError> {
        let writing = self.begin(author).await?;
        let record = catalog().get(ty);
        let row = writing.existing(record, id).await?;
        writing.expect(record, &row, expected)?;
        if withheld(&writing.transaction).await?.contains(&id) {
            let message = "this person is withheld: the record stays, so that no import brings back what was in it";
            return Err(WriteError::Problems(vec![InputProblem::new(at("id"), message).of(ProblemCode::Withheld)]));
        }
        let referrers = referrers(&writing.transaction, record, id, NAMED).await?;
        if !referrers.is_empty() {
            let names: Vec<String> =
                referrers.iter().map(|referrer| format!("{} \"{}\"", catalog().get(referrer.ty).singular(), referrer.slug)).collect();
            let message = format!("others refer to this {}: {}; change or delete them first", record.singular(), names.join(", "));
            return Err(WriteError::Problems(vec![InputProblem::new(at("id"), message).of(ProblemCode::InUse)]));
        }
        writing.remove(record, &row, "deleted").await?;
        writing.commit().await?;
        Ok(())
    }
}

/// A place in the input of a mutation.
pub(crate) fn at(path: &str) -> Origin {
    Origin { path: format!("input.{path}"), ..Origin::default() }
}

impl WriteSession<'_> {
    /// The record with this id, as it is.
    pub(crate) async fn existing(&self, record: &'static Record, id: Uuid) -> Result<Existing, WriteError> {
        let found = load(&self.transaction, record, "id", &[id]).await?.pop();
        found.map(|(_, row)| row).ok_or_else(|| {
            let message = format!("there is no {} with the id {}", record.singular(), crate::core::id::encode(record.ty.prefix(), id));
            WriteError::Problems(vec![InputProblem::new(at("id"), message).of(ProblemCode::NotFound)])
        })
    }

    /// Refuses where the record is not at the change that is expected.
    pub(crate) fn expect(&self, record: &Record, row: &Existing, expected: Option<i64>) -> Result<(), WriteError> {
        let number = number(record, row);
        match expected {
            Some(expected) if expected != number => {
                let message = format!("it is at revision {number}, not {expected}: somebody has changed it meanwhile; read it again");
                Err(WriteError::Problems(vec![InputProblem::new(at("expectedRevision"), message).of(ProblemCode::Conflict(number))]))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { at: self.store.clock.now(), by: self.author.by.clone(), message: self.author.message.clone() }
    }

    /// Takes a record out with its parts. What it was is kept for editors, that it went is told to readers too.
    pub(crate) async fn remove(&self, record: &'static Record, row: &Existing, kind: &'static str) -> Result<()> {
        let transaction = &self.transaction;
        let types = types(transaction, record, std::iter::once(row)).await?;
        let state = state::of(record, row, &types, &Default::default());
        let mut changes = Vec::new();
        for (name, value) in state.as_object().into_iter().flatten() {
            match (record.parts.iter().any(|list| list.name == name), value.as_array()) {
                (true, Some(items)) => changes.extend(items.iter().map(|item| {
                    let key = item.get("key").and_then(|key| key.as_str()).unwrap_or_default();
                    json!({"field": format!("{name}[{key}]"), "old": item, "new": null})
                })),
                _ => changes.push(json!({"field": name, "old": value, "new": null})),
            }
        }
        let number = number(record, row);
        let is_published = field(record, row, "published") == &Cell::Boolean(true);
        let note = |number, changes, published| Change { record: row.id, ty: record.ty, number, kind, changes, published };
        let mut notes = vec![note(number + 1, changes, false)];
        if is_published {
            notes.push(note(number + 2, Vec::new(), true));
        }
        apply::hide(transaction, &[row.id]).await?;
        delete(transaction, "search_documents", "id", &[row.id]).await?;
        self.remove_rows(record, row).await?;
        let stamp = self.stamp();
        if is_published {
            let mut freshness = Freshness::default();
            freshness.gone(record, row);
            freshness.write(transaction, stamp.at).await?;
        }
        apply::note(self.store, transaction, &stamp, notes).await
    }

    /// Deletes the rows of a record or part, the innermost parts first.
    fn remove_rows<'a>(&'a self, record: &'static Record, row: &'a Existing) -> futures_util::future::BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // parts refer to each other, the later lists to the earlier
            let order = catalog().write_order();
            for ty in order.iter().rev() {
                let Some(rows) = row.parts.get(ty) else { continue };
                for part in rows {
                    self.remove_rows(catalog().get(*ty), part).await?;
                }
            }
            delete(&self.transaction, record.table, "id", &[row.id]).await
        })
    }
}

/// A field of a row.
pub(crate) fn field<'r>(record: &Record, row: &'r Existing, name: &str) -> &'r Cell {
    record.field_index(name).map_or(&Cell::Null, |field| &row.cells[field])
}

/// Number of the latest change of a record.
pub(crate) fn number(record: &Record, row: &Existing) -> i64 {
    match field(record, row, "revision") {
        Cell::Integer(number) => *number,
        _ => 0,
    }
}

/// Deletes rows whose column has one of these ids.
pub(crate) async fn delete(transaction: &DatabaseTransaction, table: &'static str, column: &'static str, ids: &[Uuid]) -> Result<()> {
    for chunk in ids.chunks(CHUNK) {
        let delete = Query::delete()
            .from_table(Alias::new(table))
            .and_where(one_of_ids(transaction.get_database_backend(), column, chunk)?)
            .to_owned();
        transaction.execute(&delete).await.map_err(database)?;
    }
    Ok(())
}

/// Records other than this that refer to it, by themselves or by one of their parts; not more than `most` for each field.
pub(crate) async fn referrers(transaction: &DatabaseTransaction, target: &Record, id: Uuid, most: u64) -> Result<Vec<Referrer>> {
    let mut found = Vec::new();
    for record in catalog().all() {
        if record.shape == RecordKind::Log {
            continue;
        }
        for field in record.fields.iter().skip(usize::from(!lives(record))) {
            let refers = match field.kind {
                FieldKind::One(ty) => ty == target.ty,
                FieldKind::Any => true,
                _ => false,
            };
            if !refers {
                continue;
            }
            let column = if lives(record) { "id" } else { record.fields[0].column };
            let select = Query::select()
                .column(Alias::new(column))
                .from(Alias::new(record.table))
                .and_where(Expr::col(Alias::new(field.column)).eq(id))
                .limit(most)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let holder: Uuid = row.try_get_by_index(0).map_err(internal)?;
                found.extend(owner(transaction, record, holder).await?.filter(|referrer| referrer.id != id));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The record that a row belongs to: itself, or by the owner of the part.
async fn owner(transaction: &DatabaseTransaction, record: &Record, holder: Uuid) -> Result<Option<Referrer>> {
    match record.owner().map(|owner| owner.kind) {
        Some(FieldKind::One(ty)) => record_from(transaction, ty, holder).await,
        Some(_) => record_of(transaction, holder).await,
        None => record_from(transaction, record.ty, holder).await,
    }
}

/// The record with this id, or the one that the part with this id belongs to.
pub(crate) async fn record_of(transaction: &DatabaseTransaction, id: Uuid) -> Result<Option<Referrer>> {
    match type_of(transaction, id).await? {
        Some(ty) => record_from(transaction, ty, id).await,
        None => Ok(None),
    }
}

async fn record_from(transaction: &DatabaseTransaction, mut ty: RecordType, mut id: Uuid) -> Result<Option<Referrer>> {
    // parts can belong to parts
    while let Some(field) = catalog().get(ty).owner() {
        let part = catalog().get(ty);
        let select =
            Query::select().column(Alias::new(field.column)).from(Alias::new(part.table)).and_where(Expr::col("id").eq(id)).to_owned();
        let Some(row) = transaction.query_one(&select).await.map_err(database)? else { return Ok(None) };
        id = row.try_get_by_index(0).map_err(internal)?;
        ty = match field.kind {
            FieldKind::One(ty) => ty,
            _ => match type_of(transaction, id).await? {
                Some(ty) => ty,
                None => return Ok(None),
            },
        };
    }
    let record = catalog().get(ty);
    let select = Query::select().column("slug").from(Alias::new(record.table)).and_where(Expr::col("id").eq(id)).to_owned();
    let row = transaction.query_one(&select).await.map_err(database)?;
    row.map(|row| Ok(Referrer { ty, id, slug: row.try_get_by_index(0).map_err(internal)? })).transpose()
}

async fn type_of(transaction: &DatabaseTransaction, id: Uuid) -> Result<Option<RecordType>> {
    let select = Query::select().column("record_type").from("nodes").and_where(Expr::col("id").eq(id)).to_owned();
    let row = transaction.query_one(&select).await.map_err(database)?;
    let prefix: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose().map_err(internal)?;
    Ok(prefix.as_deref().and_then(RecordType::from_prefix))
}
