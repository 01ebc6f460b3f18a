//! Records that refer to a record, and the records that parts belong to.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::database;
use crate::store::write::value::is_record;

/// A record that refers to another record, itself or by one of its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Referrer {
    pub(crate) ty: RecordType,
    pub(crate) id: Uuid,
    pub(crate) slug: String,
}

/// Other records that refer to a record, themselves or by one of their parts; at most `limit` for each field.
pub(crate) async fn referrers(transaction: &DatabaseTransaction, target: &Record, id: Uuid, limit: u64) -> Result<Vec<Referrer>> {
    let mut found = Vec::new();
    for record in catalog().all() {
        if record.kind == RecordKind::Log {
            continue;
        }
        for field in record.fields.iter().skip(usize::from(!is_record(record))) {
            let refers = match field.kind {
                FieldKind::One(ty) => ty == target.ty,
                FieldKind::Any => true,
                _ => false,
            };
            if !refers {
                continue;
            }
            let column = if is_record(record) { "id" } else { record.field(FieldId::OWNER).column };
            let select = Query::select()
                .column(Alias::new(column))
                .from(Alias::new(record.table))
                .and_where(Expr::col(Alias::new(field.column)).eq(id))
                .limit(limit)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let holder: Uuid = row.try_get_by_index(0).map_err(internal)?;
                found.extend(owner_of(transaction, record, holder).await?.filter(|referrer| referrer.id != id));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The record that a row belongs to. `holder` is the id of the row of a record, or of the owner of a part.
pub(crate) async fn owner_of(transaction: &DatabaseTransaction, record: &Record, holder: Uuid) -> Result<Option<Referrer>> {
    match record.owner().map(|owner| owner.kind) {
        Some(FieldKind::One(ty)) => record_from(transaction, ty, holder).await,
        Some(_) => record_of(transaction, holder).await,
        None => record_from(transaction, record.ty, holder).await,
    }
}

/// The record with this id, or the record that the part with this id belongs to.
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
