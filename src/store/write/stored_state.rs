//! The current state of a record as a value that can be parsed into a draft.

use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::store::history::state;
use crate::store::write::load::{load_rows, referenced_types};
use crate::store::write::value::PartKeys;

/// The state of a record that exists.
pub(crate) async fn stored_state(transaction: &DatabaseTransaction, record: &'static Record, id: Uuid) -> Result<Json> {
    let row = load_rows(transaction, record, "id", &[id]).await?.pop().map(|(_, row)| row);
    let row = row.ok_or_else(|| internal("a record that others refer to does not exist"))?;
    let types = referenced_types(transaction, record, std::iter::once(&row)).await?;
    Ok(state::without_system_fields(state::of(record, &row, &types, &PartKeys::default())))
}
