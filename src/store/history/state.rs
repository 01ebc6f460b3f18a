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
use crate::store::write::value::{PartKeys, as_json};

/// Name of the field that holds the position of a part in its list.
pub(crate) const POSITION: &str = "position";

/// State of a record or part with its parts, which include their positions. `types` are the types of the records that
/// polymorphic references point to, `keys` the keys of the parts around it.
pub(crate) fn of(record: &Record, row: &StoredRow, types: &HashMap<Uuid, RecordType>, keys: &PartKeys<'_>) -> Json {
    let is_part = record.kind != RecordKind::Record;
    let mut own_keys = PartKeys { around: Some(keys), ..PartKeys::default() };
    for (part, rows) in &row.parts {
        if let Some(key) = catalog().get(*part).field_id("key") {
            own_keys.own.extend(rows.iter().filter_map(|row| Some((row.id, row.cells[key.index()].as_text()?.to_owned()))));
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

/// A state whose later revisions are being undone. Parts are found by their keys in constant time: a revision may have
/// changed thousands of them.
pub(crate) struct UndoneState {
    record: &'static Record,
    members: Map<String, Json>,
    /// Indexes of the parts of each list of the record, by key. A removed part is null until the end.
    indexes: HashMap<&'static str, HashMap<String, usize>>,
}

impl UndoneState {
    /// Begins with the current state; that of a deleted record is empty.
    pub(crate) fn new(record: &'static Record, state: Json) -> Self {
        let members = match state {
            Json::Object(members) => members,
            _ => Map::new(),
        };
        let indexes = record.parts.iter().map(|list| {
            let items = members.get(list.name).and_then(Json::as_array).into_iter().flatten();
            (list.name, items.enumerate().filter_map(|(index, item)| Some((key(item)?.to_owned(), index))).collect())
        });
        let indexes = indexes.collect();
        Self { record, members, indexes }
    }

    /// Undoes one field change of a revision.
    pub(crate) fn undo(&mut self, change: &Json) {
        let (Some(path), Some(old)) = (change.get("field").and_then(Json::as_str), change.get("old")) else { return };
        let record = self.record;
        for list in &record.parts {
            let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
            let items = self.members.entry(list.name).or_insert_with(|| Json::Array(Vec::new()));
            let (Json::Array(items), Some(index)) = (items, self.indexes.get_mut(list.name)) else { continue };
            let found = key_and_rest(rest).find_map(|(key, rest)| Some((*index.get(key)?, key, rest)));
            match found {
                Some((place, renamed, Some("key"))) => {
                    set_at_path(catalog().get(list.part), &mut items[place], "key", old);
                    index.remove(renamed);
                    index.extend(old.as_str().map(|key| (key.to_owned(), place)));
                }
                Some((place, _, Some(rest))) => set_at_path(catalog().get(list.part), &mut items[place], rest, old),
                Some((place, key, None)) => {
                    items[place] = old.clone();
                    if *old == Json::Null {
                        index.remove(key);
                    }
                }
                None => {
                    if let Some(key) = key(old) {
                        index.insert(key.to_owned(), items.len());
                    }
                    if *old != Json::Null {
                        items.push(old.clone());
                    }
                }
            }
            return;
        }
        set_member(&mut self.members, path, old);
    }

    /// The value of a field of the record, if it is set.
    pub(crate) fn field(&self, name: &str) -> Option<&Json> {
        self.members.get(name)
    }

    /// The part with a key in a list of the record, if there is one.
    pub(crate) fn part(&self, list: &str, key: &str) -> Option<&Json> {
        let index = *self.indexes.get(list)?.get(key)?;
        self.members.get(list)?.get(index)
    }

    /// The state as it was.
    pub(crate) fn into_state(mut self) -> Json {
        for list in &self.record.parts {
            if let Some(Json::Array(items)) = self.members.get_mut(list.name) {
                items.retain(|item| *item != Json::Null);
                if items.is_empty() {
                    self.members.remove(list.name);
                }
            }
        }
        Json::Object(self.members)
    }
}

/// The key of a part.
pub(crate) fn key(item: &Json) -> Option<&str> {
    item.get("key").and_then(Json::as_str)
}

/// The keys that a path after `list[` may begin with, each with the rest of the path: keys may contain any character.
pub(crate) fn key_and_rest(path: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    path.match_indices(']').filter_map(|(end, _)| match &path[end + 1..] {
        "" => Some((&path[..end], None)),
        rest => Some((&path[..end], Some(rest.strip_prefix('.')?))),
    })
}

fn set_member(members: &mut Map<String, Json>, name: &str, value: &Json) {
    match value {
        Json::Null => {
            members.remove(name);
        }
        value => {
            members.insert(name.to_owned(), value.clone());
        }
    }
}

/// Sets the value at a path within a part, as the history spells it. A part has few parts of its own.
fn set_at_path(record: &Record, state: &mut Json, path: &str, value: &Json) {
    let Json::Object(members) = state else { return };
    for list in &record.parts {
        let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
        let part = catalog().get(list.part);
        let items = members.entry(list.name).or_insert_with(|| Json::Array(Vec::new()));
        let Json::Array(items) = items else { continue };
        let place = |wanted: &str| items.iter().position(|item| key(item) == Some(wanted));
        match key_and_rest(rest).find_map(|(key, rest)| Some((place(key)?, rest))) {
            Some((index, Some(rest))) => set_at_path(part, &mut items[index], rest, value),
            Some((index, None)) if *value == Json::Null => {
                items.remove(index);
            }
            Some((index, None)) => items[index] = value.clone(),
            None if *value != Json::Null => items.push(value.clone()),
            None => {}
        }
        if items.is_empty() {
            members.remove(list.name);
        }
        return;
    }
    set_member(members, path, value);
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

/// Adds the lists that a record and its parts do not have, such as the citations of an event.
fn complete_lists(record: &Record, members: &mut Map<String, Json>) {
    for list in &record.parts {
        let items = members.entry(list.name).or_insert_with(|| Json::Array(Vec::new()));
        for item in items.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
            complete_lists(catalog().get(list.part), item);
        }
    }
}

/// The state with every field and list, so that writing it clears those it does not set. The `kept` fields are left out.
pub(crate) fn complete(record: &Record, state: Json, kept: &[&str]) -> Json {
    let Json::Object(mut members) = without_system_fields(state) else { return Json::Null };
    for field in record.fields.iter().filter(|field| !field.system && !kept.contains(&field.name)) {
        members.entry(field.name).or_insert(Json::Null);
    }
    complete_lists(record, &mut members);
    for name in kept {
        members.remove(*name);
    }
    Json::Object(members)
}
