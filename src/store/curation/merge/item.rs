//! States of records and items of their lists, as a merge compares and changes them.

use serde_json::Value as Json;

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
