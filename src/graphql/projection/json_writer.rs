//! The JSON of an answer, written once, in the order of the query.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::core::language::Languages;

/// JSON that is being written, for a reader who prefers some languages.
#[derive(Debug)]
pub(crate) struct JsonWriter<'l> {
    json: Vec<u8>,
    pub(crate) languages: &'l Languages,
}

/// Fields of an object, each with its name as JSON, in the order of the query.
pub(crate) type Fields<T> = Vec<(JsonKey, T)>;

/// The name of a field as an object has it: quoted, with the colon.
#[derive(Debug, Clone)]
pub(crate) struct JsonKey(String);

impl JsonKey {
    pub(crate) fn new(name: &str) -> Self {
        // names of GraphQL have no sign that JSON escapes
        Self(format!("\"{name}\":"))
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.0[1..self.0.len() - 2]
    }
}

impl<'l> JsonWriter<'l> {
    pub(crate) fn new(languages: &'l Languages) -> Self {
        Self { json: Vec::new(), languages }
    }

    pub(crate) fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// Anything that is JSON by itself: a text, a number, a truth value.
    pub(crate) fn value(&mut self, value: impl Serialize) {
        // what is written here are plain values, and writing to memory cannot fail
        let _ = serde_json::to_writer(&mut self.json, &value);
    }

    /// What is JSON already.
    pub(crate) fn json(&mut self, json: &[u8]) {
        self.json.extend_from_slice(json);
    }

    pub(crate) fn null(&mut self) {
        self.json.extend_from_slice(b"null");
    }

    /// A value, or null.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(T, &mut Self)) {
        match value {
            Some(value) => write(value, self),
            None => self.null(),
        }
    }

    /// An instant in UTC, to the microsecond.
    pub(crate) fn instant(&mut self, instant: DateTime<Utc>) {
        self.value(instant.to_rfc3339_opts(SecondsFormat::Micros, true));
    }

    /// The name of an enum's value: that of the vocabulary in capitals.
    pub(crate) fn choice(&mut self, value: &str) {
        self.json.push(b'"');
        self.json.extend(value.bytes().map(|byte| byte.to_ascii_uppercase()));
        self.json.push(b'"');
    }

    /// An object with these fields.
    pub(crate) fn object<T>(&mut self, fields: &[(JsonKey, T)], mut write: impl FnMut(&T, &mut Self)) {
        let mut before = b'{';
        for (key, field) in fields {
            self.json.push(before);
            before = b',';
            self.json.extend_from_slice(key.0.as_bytes());
            write(field, self);
        }
        if fields.is_empty() {
            self.json.push(b'{');
        }
        self.json.push(b'}');
    }

    /// A list of these.
    pub(crate) fn list<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(T, &mut Self)) {
        self.json.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            write(item, self);
        }
        self.json.push(b']');
    }
}
