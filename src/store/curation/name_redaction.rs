//! Redaction of a withheld person's names and part keys in the states and histories of records.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use crate::catalog::catalog;
use crate::store::curation::name_recognition::NameRecognizer;

/// Redactions of one text. Removing a name can bring two other words of it together.
const MAX_PASSES: usize = 4;

/// Part keys that identify a person, with their replacements.
pub(super) type ReplacedKeys = HashMap<String, String>;

/// The names of a withheld person and their replacements.
pub(super) struct NameRedaction<'r> {
    pub(super) recognizer: &'r NameRecognizer,
    /// Ids of the person, and of records merged into the person.
    pub(super) ids: Vec<String>,
    pub(super) new_slug: String,
}

impl NameRedaction<'_> {
    /// Collects the keys of parts that refer to the person or contain a name, each with a replacement.
    pub(super) fn collect_keys(&self, value: &Json, lone: bool, keys: &mut ReplacedKeys) {
        match value {
            Json::Array(items) => items.iter().for_each(|item| self.collect_keys(item, lone, keys)),
            Json::Object(members) => {
                let is_person = |value: &Json| value.as_str().is_some_and(|text| self.ids.iter().any(|id| id == text));
                let refers = members.values().any(|value| is_person(value) || value.get("person").is_some_and(is_person));
                if let Some(key) = members.get("key").and_then(Json::as_str).filter(|key| !key.starts_with(&self.new_slug))
                    && (refers || self.finds(key, lone))
                {
                    let count = keys.len() + 1;
                    keys.entry(key.to_owned()).or_insert_with(|| match count {
                        1 => self.new_slug.clone(),
                        count => format!("{}-{count}", self.new_slug),
                    });
                }
                members.values().for_each(|value| self.collect_keys(value, lone, keys));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    /// Whether a text contains a name; with `lone` also a single word of one.
    pub(super) fn finds(&self, text: &str, lone: bool) -> bool {
        if lone { self.recognizer.finds_words(text) } else { self.recognizer.finds(text) }
    }

    /// Redacts the names and keys in a value. `lone` also redacts single words of the names. A URL, an identifier or a unique
    /// text with a name is removed: a part of it would mean something else.
    pub(super) fn redact(&self, value: Json, keys: &ReplacedKeys, lone: bool) -> Json {
        match value {
            Json::String(text) => match keys.get(&text) {
                Some(key) => json!(key),
                None if is_url(&text) && self.finds(&text, lone) => Json::Null,
                None => json!(self.redact_text(replace_keys(text, keys), lone)),
            },
            Json::Array(items) => items
                .into_iter()
                .map(|item| (item.get("url").is_some_and(Json::is_string), self.redact(item, keys, lone)))
                .filter(|(had_url, item)| !(*had_url && item.get("url").is_some_and(Json::is_null) && item.get("key").is_none()))
                .map(|(_, item)| item)
                .collect(),
            Json::Object(members) => {
                let redacted: Map<String, Json> = members
                    .into_iter()
                    .map(|(name, value)| {
                        let value = match value {
                            Json::String(text) if is_unique(&name) && self.finds(&text, lone) => Json::Null,
                            Json::Array(mut items) if name == "identifiers" => {
                                items.retain(|item| !self.is_found_in(item, lone));
                                self.redact(Json::Array(items), keys, lone)
                            }
                            value => self.redact(value, keys, lone),
                        };
                        (name, value)
                    })
                    .collect();
                Json::Object(redacted)
            }
            other => other,
        }
    }

    /// Whether a value has a text with a name at any depth.
    fn is_found_in(&self, value: &Json, lone: bool) -> bool {
        texts(value).into_iter().any(|text| self.finds(text, lone))
    }

    /// A text without the names. In slugs, keys and paths they become the new slug of the person.
    pub(super) fn redact_text(&self, mut text: String, lone: bool) -> String {
        for _ in 0..MAX_PASSES {
            let is_name = text.chars().all(|letter| !letter.is_whitespace() && !letter.is_uppercase()) && text.is_ascii();
            let redacted =
                if is_name { self.recognizer.replace(&text, lone, |_| self.new_slug.clone()) } else { self.recognizer.redact(&text, lone) };
            match redacted {
                Some(redacted) => text = redacted,
                None => break,
            }
        }
        text
    }
}

/// All texts in a value.
pub(crate) fn texts(value: &Json) -> Vec<&str> {
    match value {
        Json::String(text) => vec![text],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        Json::Object(members) => members.values().flat_map(texts).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => Vec::new(),
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Whether fields with this name are unique, apart from slugs.
fn is_unique(name: &str) -> bool {
    catalog().all().flat_map(|record| &record.fields).any(|field| field.unique && field.name == name && name != "slug")
}

/// Replaces the keys in the path of a field change.
fn replace_keys(mut path: String, keys: &ReplacedKeys) -> String {
    if path.contains('[') {
        for (old, new) in keys {
            path = path.replace(&format!("[{old}]"), &format!("[{new}]"));
        }
    }
    path
}
