//! The state of a record as a JSON value: the current one, and earlier ones by undoing the later revisions.
//!
//! The value has the form in which records are given, so that an earlier state can be parsed and written again.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::{Record, RecordKind};
use crate::entity::RecordType;
use crate::store::write::model::StoredRow;
use crate::store::write::value::as_json;

/// Name of the field that holds the position of a part in its list.
const POSITION: &str = "position";

/// State of a record or part with its parts, which include their positions. `types` are the types of the records that
/// polymorphic references point to, `keys` the keys of the parts around it.
pub(crate) fn of(record: &Record, row: &StoredRow, types: &HashMap<Uuid, RecordType>, keys: &HashMap<Uuid, &str>) -> Json {
    let is_part = record.kind != RecordKind::Record;
    let mut own_keys = keys.clone();
    for (part, rows) in &row.parts {
        if let Some(key) = catalog().get(*part).field_id("key") {
            own_keys.extend(rows.iter().filter_map(|row| Some((row.id, row.cells[key.index()].as_text()?))));
        }
    }
    let mut state = Map::new();
    for (field, cell) in record.fields.iter().zip(&row.cells).skip(usize::from(is_part)) {
        if !field.system || (is_part && field.name == POSITION) {
            let value = as_json(field.kind, cell, types, &own_keys);
            if value != Json::Null {
                state.insert(field.name.to_owned(), value);
            }
        }
    }
    for list in &record.parts {
        let part = catalog().get(list.part);
        let rows = row.parts.get(&list.part).map(Vec::as_slice).unwrap_or_default();
        let mut values: Vec<Json> = rows.iter().map(|row| of(part, row, types, &own_keys)).collect();
        values.sort_by_key(position);
        if !values.is_empty() {
            state.insert(list.name.to_owned(), Json::Array(values));
        }
    }
    Json::Object(state)
}

fn position(part: &Json) -> i64 {
    part.get(POSITION).and_then(Json::as_i64).unwrap_or(i64::MAX)
}

/// Undoes one field change of a revision.
pub(crate) fn undo(record: &Record, state: &mut Json, change: &Json) {
    let (Some(path), Some(old)) = (change.get("field").and_then(Json::as_str), change.get("old")) else { return };
    set_at_path(record, state, path, old);
}

/// Sets the value at a path as the history spells it. Keys of parts may contain any character, so the path is matched
/// against the existing keys and not split.
fn set_at_path(record: &Record, state: &mut Json, path: &str, value: &Json) {
    let Json::Object(members) = state else { return };
    for list in &record.parts {
        let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
        let part = catalog().get(list.part);
        let items = members.entry(list.name).or_insert_with(|| Json::Array(Vec::new()));
        let Json::Array(items) = items else { continue };
        let key = |item: &Json| item.get("key").and_then(Json::as_str).map(str::to_owned);
        let below = |item: &Json| {
            let rest = rest.strip_prefix(key(item)?.as_str())?.strip_prefix(']')?;
            if rest.is_empty() { Some(None) } else { rest.strip_prefix('.').map(Some) }
        };
        let found = items.iter().position(|item| below(item).is_some());
        match (found, found.and_then(|index| below(&items[index])).flatten()) {
            (Some(index), Some(rest)) => set_at_path(part, &mut items[index], rest, value),
            (Some(index), None) if *value == Json::Null => {
                items.remove(index);
            }
            (Some(index), None) => items[index] = value.clone(),
            (None, _) if *value != Json::Null => items.push(value.clone()),
            (None, _) => {}
        }
        if items.is_empty() {
            members.remove(list.name);
        }
        return;
    }
    match value {
        Json::Null => {
            members.remove(path);
        }
        value => {
            members.insert(path.to_owned(), value.clone());
        }
    }
}

/// The state without system fields, its lists in order.
pub(crate) fn without_system_fields(mut state: Json) -> Json {
    fn strip(state: &mut Json) {
        let Json::Object(members) = state else { return };
        for value in members.values_mut() {
            if let Json::Array(items) = value {
                items.sort_by_key(position);
                for item in items {
                    if let Json::Object(members) = item {
                        members.remove(POSITION);
                    }
                    strip(item);
                }
            }
        }
    }
    strip(&mut state);
    state
}

/// The state with every field and list, so that writing it clears those it does not set. The `kept` fields are left out.
pub(crate) fn complete(record: &Record, state: Json, kept: &[&str]) -> Json {
    let Json::Object(mut members) = without_system_fields(state) else { return Json::Null };
    for field in record.fields.iter().filter(|field| !field.system && !kept.contains(&field.name)) {
        members.entry(field.name).or_insert(Json::Null);
    }
    for list in &record.parts {
        members.entry(list.name).or_insert_with(|| Json::Array(Vec::new()));
    }
    for name in kept {
        members.remove(*name);
    }
    Json::Object(members)
}
