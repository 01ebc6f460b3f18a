//! States of records and items of their lists, as a merge compares and changes them.

use serde_json::{Map, Value as Json, json};

use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;

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
