//! Lookup of a part by its path of lists and keys within a record.

use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::db::snapshot::begin_read;
use crate::store::error::database;
use crate::store::handle::Store;
use crate::store::history::state::key_and_rest;
use crate::store::write::load::load_rows;
use crate::store::write::model::StoredRow;
use crate::store::write::part::listed;

impl Store {
    /// Finds the part of a record at a path as the history spells it, such as `parties[anna]`. The inner error says what is
    /// wrong with the path.
    pub async fn find_part(&self, ty: RecordType, id: Uuid, path: &str) -> Result<Result<(RecordType, Uuid), String>> {
        let record = catalog().get(ty);
        let transaction = begin_read(&self.pools.primary).await.map_err(database)?;
        let row = load_rows(&transaction, record, "id", &[id]).await?.pop();
        transaction.rollback().await.map_err(database)?;
        Ok(match row {
            Some((_, row)) => part_at(record, &row, path),
            None => Err(format!("there is no {} with this id", record.singular())),
        })
    }
}

fn part_at(record: &Record, row: &StoredRow, path: &str) -> Result<(RecordType, Uuid), String> {
    for list in &record.parts {
        let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
        let part = catalog().get(list.part);
        let key_field = part.known_field("key");
        let rows = row.parts.get(&list.part).map(Vec::as_slice).unwrap_or_default();
        let key_of = |row: &StoredRow| row.cells[key_field.index()].as_text().map(str::to_owned);
        let place = |key: &str| rows.iter().find(|row| key_of(row).as_deref() == Some(key));
        return match key_and_rest(rest).find_map(|(key, rest)| Some((place(key)?, rest))) {
            Some((_, None)) if !part.is_cited() => {
                Err(format!("an entry of {} has no entries of its own; give the record or another part", list.name))
            }
            Some((row, None)) => Ok((list.part, row.id)),
            Some((row, Some(rest))) => part_at(part, row, rest),
            None => {
                let keys = listed(rows.iter().filter_map(key_of).collect());
                Err(format!("\"{path}\" is no part of this {}; the keys in {} are: {keys}", record.singular(), list.name))
            }
        };
    }
    let lists: Vec<String> =
        record.parts.iter().filter(|list| catalog().get(list.part).is_cited()).map(|list| format!("{}[key]", list.name)).collect();
    let singular = record.singular();
    Err(match lists.as_slice() {
        [] => format!("\"{path}\" is no part of this {singular}: it has no parts with entries of their own"),
        lists => format!("\"{path}\" is no part of this {singular}; give one of {}", lists.join(", ")),
    })
}
