//! States of records and items of their lists, as a merge compares and changes them.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::history::state::{key, key_and_rest};

/// Replaces every text value that equals `old`, at any depth.
pub(super) fn replace_text(value: Json, old: &str, new: &str) -> Json {
    match value {
        Json::String(text) if text == old => Json::String(new.to_owned()),
        Json::Array(items) => Json::Array(items.into_iter().map(|item| replace_text(item, old, new)).collect()),
        Json::Object(members) => Json::Object(members.into_iter().map(|(name, value)| (name, replace_text(value, old, new))).collect()),
        other => other,
    }
}

/// An item of a list without its key.
pub(super) fn without_key(item: &Json) -> Json {
    match item {
        Json::Object(members) => {
            Json::Object(members.iter().filter(|(name, _)| *name != "key").map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        other => other.clone(),
    }
}

/// State of the kept record after the merge: its own values, those of the merged record where it has none, and the lists
/// of both. A name of the merged record becomes another name of the kept one.
pub(super) fn merged_state(record: &Record, ours: Json, theirs: Json) -> Json {
    let (Json::Object(mut ours), Json::Object(mut theirs)) = (ours, theirs) else { return Json::Null };
    let label = record.label().map_or("", |field| field.name);
    let other_names = additional_names(&theirs, label, &ours);
    for (name, value) in std::mem::take(&mut theirs) {
        if ["slug", "published", label].contains(&name.as_str()) {
            continue;
        }
        match (ours.get_mut(&name), value) {
            (Some(Json::Array(ours)), Json::Array(theirs)) => append(ours, theirs),
            (None, value) => {
                ours.insert(name, value);
            }
            _ => {}
        }
    }
    let is_list = |field: &Field| matches!(field.kind, FieldKind::List(_));
    if !other_names.is_empty() && record.fields.iter().any(|field| field.name == "otherNames" && is_list(field)) {
        let names = ours.entry("otherNames").or_insert_with(|| json!([]));
        if let Json::Array(names) = names {
            append(names, other_names);
        }
    }
    Json::Object(ours)
}

/// Names of the merged record that the kept record does not have.
fn additional_names(theirs: &Map<String, Json>, label: &str, ours: &Map<String, Json>) -> Vec<Json> {
    let own: Vec<&Json> = ours.get(label).and_then(Json::as_object).into_iter().flat_map(Map::values).collect();
    let names = theirs.get(label).and_then(Json::as_object).into_iter().flatten();
    names.filter(|(_, name)| !own.contains(name)).map(|(lang, name)| json!({"name": name, "lang": lang})).collect()
}

/// Appends the items that are not in the list yet. A key that is taken gets a number.
fn append(ours: &mut Vec<Json>, theirs: Vec<Json>) {
    for mut item in theirs {
        if ours.iter().any(|own| without_key(own) == without_key(&item)) {
            continue;
        }
        if let Some(key) = item.get("key").and_then(Json::as_str).map(str::to_owned) {
            let is_taken = |key: &str| ours.iter().any(|own| own.get("key").and_then(Json::as_str) == Some(key));
            let (mut free, mut count) = (key.clone(), 1);
            while is_taken(&free) {
                count += 1;
                free = format!("{key}-{count}");
            }
            item["key"] = json!(free);
        }
        ours.push(item);
    }
}

/// Removes parts that a merge has made equal to an earlier one of their list, such as two topics that became one, at any depth. The
/// earlier one gets the citations of the removed one.
pub(super) fn remove_alike_parts(record: &Record, state: &mut Json) {
    for list in &record.parts {
        let part = catalog().get(list.part);
        let Some(Json::Array(items)) = state.get_mut(list.name) else { continue };
        if part.distinct.is_empty() {
            for item in items.iter_mut() {
                remove_alike_parts(part, item);
            }
            continue;
        }
        let mut kept: Vec<Json> = Vec::with_capacity(items.len());
        for mut item in std::mem::take(items) {
            let values = without_lists(part, &item);
            let Some(alike) = kept.iter_mut().find(|other| without_lists(part, other) == values) else {
                kept.push(item);
                continue;
            };
            for nested in &part.parts {
                let Some(Json::Array(theirs)) = item.get_mut(nested.name).map(Json::take) else { continue };
                if let Some(Json::Array(ours)) = alike.as_object_mut().map(|alike| alike.entry(nested.name).or_insert_with(|| json!([]))) {
                    append(ours, theirs);
                }
            }
        }
        for item in &mut kept {
            remove_alike_parts(part, item);
        }
        *items = kept;
    }
}

/// The parts of a state at any depth, each with its path as the history spells it. The parts of a part follow it.
pub(super) fn parts_with_paths<'s>(record: &Record, state: &'s Json) -> Vec<(String, &'s Json)> {
    let mut found = Vec::new();
    for list in &record.parts {
        for item in state.get(list.name).and_then(Json::as_array).into_iter().flatten() {
            let path = part_path(list.name, item);
            let below = parts_with_paths(catalog().get(list.part), item);
            let below: Vec<_> = below.into_iter().map(|(rest, item)| (format!("{path}.{rest}"), item)).collect();
            found.push((path, item));
            found.extend(below);
        }
    }
    found
}

/// Path of a part as the history spells it.
pub(super) fn part_path(list: &str, part: &Json) -> String {
    match key(part) {
        Some(key) => format!("{list}[{key}]"),
        None => list.to_owned(),
    }
}

/// Whether the part at a path is alike to another one of its list: no list can have both.
pub(super) fn is_repeated(record: &Record, state: &Json, path: &str) -> bool {
    for list in &record.parts {
        let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
        let part = catalog().get(list.part);
        let Some(Json::Array(items)) = state.get(list.name) else { return false };
        let item_with = |wanted: &str| items.iter().find(|item| key(item) == Some(wanted));
        return match key_and_rest(rest).find_map(|(key, rest)| Some((item_with(key)?, rest))) {
            Some((item, Some(rest))) => is_repeated(part, item, rest),
            Some((item, None)) => items.iter().any(|other| key(other) != key(item) && is_alike(part, other, item)),
            None => false,
        };
    }
    false
}

/// Whether two parts of the same list, each with its path, are alike.
pub(super) fn is_alike_at(record: &Record, (path, one): (&str, &Json), (other_path, other): (&str, &Json)) -> bool {
    for list in &record.parts {
        let rest = |path: &str| Some(path.strip_prefix(list.name)?.strip_prefix('[')?.to_owned());
        let (Some(rest), Some(other_rest)) = (rest(path), rest(other_path)) else { continue };
        let part = catalog().get(list.part);
        let is_whole = |rest: &str, value: &Json| key(value).is_some_and(|key| rest.strip_prefix(key) == Some("]"));
        if is_whole(&rest, one) && is_whole(&other_rest, other) {
            return is_alike(part, one, other);
        }
        // parts of the same part
        return key_and_rest(&rest).any(|(key, below)| {
            let same = key_and_rest(&other_rest).find(|(other, _)| *other == key).and_then(|(_, below)| below);
            below.zip(same).is_some_and(|(below, same)| is_alike_at(part, (below, one), (same, other)))
        });
    }
    false
}

/// Whether two parts have the same values in all fields that are declared distinct.
fn is_alike(part: &Record, one: &Json, other: &Json) -> bool {
    let value = |item: &Json, name: &str| item.get(name).filter(|value| !value.is_null()).cloned();
    !part.distinct.is_empty() && part.distinct.iter().all(|name| value(one, name) == value(other, name))
}

/// An item of a list without its key and the parts in it.
fn without_lists(part: &Record, item: &Json) -> Json {
    let mut item = without_key(item);
    if let Json::Object(members) = &mut item {
        members.retain(|name, value| !value.is_null() && !part.parts.iter().any(|nested| nested.name == name));
    }
    item
}

/// The record type and the UUID, if a text is the id of a record.
pub(super) fn decode_record(text: &str) -> Option<(&'static Record, Uuid)> {
    let (prefix, uuid) = id::decode(text).ok()?;
    let record = catalog().get(RecordType::from_prefix(prefix)?);
    (record.kind == RecordKind::Record).then_some((record, uuid))
}
