//! Redaction of a withheld person's names and part keys in the states and histories of records.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::{CONTACT_DETAIL, FieldKind, Structure};
use crate::catalog::record::Record;
use crate::store::curation::withholding::name_recognition::{NameRecognizer, label};
use crate::store::history::state::key_and_rest;

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
                    && (refers || self.finds(key, lone) || (lone && self.recognizer.is_short_word(key)))
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

    /// Redacts the names and keys in the state of a record. `lone` also redacts single words of the names, and short ones where
    /// they are the whole text of a field. A URL, an email address, an identifier, a way to reach somebody or a unique text with
    /// a name is removed: a part of it would mean something else.
    pub(super) fn redact_state(&self, record: &'static Record, state: Json, keys: &ReplacedKeys, lone: bool) -> Json {
        self.redact(state, Scope::Record(record), keys, lone)
    }

    /// As [`Self::redact_state`], for the field changes of a revision.
    pub(super) fn redact_changes(&self, record: &'static Record, changes: &Json, keys: &ReplacedKeys, lone: bool) -> Json {
        let redacted = self.redact(changes.clone(), Scope::Changes(record), keys, lone);
        if redacted == *changes { redacted } else { join_changes(redacted) }
    }

    /// As [`Self::redact_state`], for the value of a field.
    pub(super) fn redact_field(&self, field: &Field, value: Json, lone: bool) -> Json {
        self.redact(value, Scope::of(field.name, field.kind, field.unique), &ReplacedKeys::new(), lone)
    }

    fn redact(&self, value: Json, scope: Scope, keys: &ReplacedKeys, lone: bool) -> Json {
        match value {
            Json::String(text) => match scope {
                Scope::Closed => Json::String(text),
                Scope::Unique if self.finds(&text, lone) => Json::Null,
                Scope::Text if is_address(&text) && self.finds(&text, lone) => json!(label(&text)),
                Scope::Text if lone && self.recognizer.is_short_word(&text) => json!(label(&text)),
                Scope::Text | Scope::Unique => json!(self.redact_text(text, lone)),
                Scope::Record(_) | Scope::Structure(_) | Scope::Changes(_) | Scope::Name => match keys.get(&text) {
                    Some(key) => json!(key),
                    None if is_address(&text) && self.finds(&text, lone) => Json::Null,
                    // what is left of a slug can identify the person, too; the path of a change is none
                    None if is_slug(&text) && !text.contains('[') && self.finds(&text, lone) => json!(self.new_slug),
                    None => json!(self.redact_text(replace_keys(text, keys), lone)),
                },
            },
            Json::Array(items) => items
                .into_iter()
                .filter(|item| !(scope.is_change_of_identifier(item) && self.is_found_in(item, lone)))
                .filter(|item| !(scope.is_contact_details() && item.get("value").is_some_and(|value| self.is_found_in(value, lone))))
                .map(|item| (item.get("url").is_some_and(Json::is_string), self.redact(item, scope, keys, lone)))
                .filter(|(had_url, item)| !(*had_url && item.get("url").is_some_and(Json::is_null) && item.get("key").is_none()))
                .map(|(_, item)| item)
                .collect(),
            Json::Object(members) => {
                let path = members.get("field").and_then(Json::as_str).unwrap_or_default().to_owned();
                let redact = |(name, value): (String, Json)| {
                    let scope = scope.member(&name, &path);
                    let value = match value {
                        Json::Array(mut items) if name == "identifiers" => {
                            items.retain(|item| !self.is_found_in(item, lone));
                            self.redact(Json::Array(items), scope, keys, lone)
                        }
                        value => self.redact(value, scope, keys, lone),
                    };
                    (name, value)
                };
                Json::Object(members.into_iter().map(redact).collect::<Map<String, Json>>())
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => value,
        }
    }

    /// Whether a value has a text with a name at any depth.
    fn is_found_in(&self, value: &Json, lone: bool) -> bool {
        texts(value).into_iter().any(|text| self.finds(text, lone))
    }

    /// A text without the names. In slugs, keys and paths they become the new slug of the person.
    pub(super) fn redact_text(&self, mut text: String, lone: bool) -> String {
        for _ in 0..MAX_PASSES {
            let redacted = if is_slug(&text) {
                self.recognizer.replace(&text, lone, |_| self.new_slug.clone())
            } else {
                self.recognizer.redact(&text, lone)
            };
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

/// Whether a text is a URL or an email address.
fn is_address(text: &str) -> bool {
    !text.contains(char::is_whitespace) && (text.starts_with("http://") || text.starts_with("https://") || text.contains('@'))
}

/// Whether a text has the form of a slug, a key or a path, rather than of a sentence.
fn is_slug(text: &str) -> bool {
    text.is_ascii() && !text.contains(|letter: char| letter.is_whitespace() || letter.is_uppercase())
}

/// Joins the changes of a part that has its replaced key before and after: one that removes it and one that adds it.
/// Otherwise an earlier state, which undoes both, would lose the part.
fn join_changes(changes: Json) -> Json {
    let Json::Array(changes) = changes else { return changes };
    let mut joined: Vec<Json> = Vec::with_capacity(changes.len());
    let mut indexes: HashMap<String, usize> = HashMap::new();
    for change in changes {
        let path = change.get("field").and_then(Json::as_str).filter(|path| path.ends_with(']')).map(str::to_owned);
        let is_null = |change: &Json, side: &str| change.get(side).is_none_or(Json::is_null);
        let earlier = path.as_ref().and_then(|path| indexes.get(path)).copied();
        match (earlier, path) {
            (Some(index), _) if is_null(&joined[index], "new") && is_null(&change, "old") => joined[index]["new"] = change["new"].clone(),
            (Some(index), _) if is_null(&joined[index], "old") && is_null(&change, "new") => joined[index]["old"] = change["old"].clone(),
            (_, path) => {
                indexes.extend(path.map(|path| (path, joined.len())));
                joined.push(change);
            }
        }
    }
    joined.retain(|change| !change["field"].as_str().is_some_and(|path| path.ends_with(']')) || change["old"] != change["new"]);
    Json::Array(joined)
}

/// What a value is, by its place in the state of a record.
#[derive(Debug, Clone, Copy)]
enum Scope {
    /// A record or part, or a list of parts.
    Record(&'static Record),
    /// A structure of a list field, or a list of structures.
    Structure(&'static Structure),
    /// The field changes of a revision of a record.
    Changes(&'static Record),
    /// Text, or texts by language.
    Text,
    /// Text that no two records share, apart from slugs.
    Unique,
    /// A value of a closed list, a date and the like: no text about people.
    Closed,
    /// A slug, a key, an address or a reference.
    Name,
}

impl Scope {
    /// The scope of the values of a field.
    fn of(name: &str, kind: FieldKind, is_unique: bool) -> Self {
        match kind {
            _ if name == "slug" || name == "key" => Self::Name,
            _ if is_unique => Self::Unique,
            FieldKind::Text | FieldKind::Translated => Self::Text,
            FieldKind::List(structure) => Self::Structure(structure),
            FieldKind::Url | FieldKind::One(_) | FieldKind::Any => Self::Name,
            FieldKind::Choice(_)
            | FieldKind::Language
            | FieldKind::Date
            | FieldKind::Instant
            | FieldKind::Duration
            | FieldKind::Integer
            | FieldKind::Number
            | FieldKind::Boolean => Self::Closed,
        }
    }

    /// The scope of a member of a value. `path` is that of a field change.
    fn member(self, name: &str, path: &str) -> Self {
        match self {
            Self::Record(record) => Self::in_record(record, name).unwrap_or(Self::Name),
            Self::Structure(structure) => {
                let member = structure.members.iter().find(|member| member.name == name);
                member.map_or(Self::Name, |member| Self::of(member.name, member.kind, false))
            }
            Self::Changes(record) if name == "old" || name == "new" => Self::at_path(record, path).unwrap_or(Self::Name),
            Self::Changes(_) => Self::Name,
            Self::Text | Self::Unique | Self::Closed | Self::Name => self,
        }
    }

    fn in_record(record: &'static Record, name: &str) -> Option<Self> {
        if let Some(list) = record.parts.iter().find(|list| list.name == name) {
            return Some(Self::Record(catalog().get(list.part)));
        }
        record.fields.iter().find(|field| field.name == name).map(|field| Self::of(field.name, field.kind, field.unique))
    }

    /// The scope of the value at the path of a field change.
    fn at_path(record: &'static Record, path: &str) -> Option<Self> {
        for list in &record.parts {
            let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
            let part = catalog().get(list.part);
            return key_and_rest(rest).find_map(|(_, rest)| rest.map_or(Some(Self::Record(part)), |rest| Self::at_path(part, rest)));
        }
        Self::in_record(record, path)
    }

    /// Whether a value is a list of ways to reach somebody.
    fn is_contact_details(self) -> bool {
        matches!(self, Self::Structure(structure) if structure.name == CONTACT_DETAIL.name)
    }

    /// Whether a value is a field change that adds, changes or removes an identifier.
    fn is_change_of_identifier(self, value: &Json) -> bool {
        let path = value.get("field").and_then(Json::as_str);
        matches!(self, Self::Changes(_)) && path.is_some_and(|path| path.starts_with("identifiers["))
    }
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
