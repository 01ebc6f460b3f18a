//! A JSON serializer for response data. Data is written once, in the order of the query.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::core::language::Languages;

/// A JSON document being written for a reader with language preferences.
#[derive(Debug)]
pub(crate) struct JsonWriter<'l> {
    json: Vec<u8>,
    pub(crate) languages: &'l Languages,
    budget: Option<&'l ResponseBudget>,
    /// Bytes already taken from the budget.
    counted: usize,
}

/// The bytes that the writers of a response may still write together.
#[derive(Debug)]
pub(crate) struct ResponseBudget(AtomicUsize);

impl ResponseBudget {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self(AtomicUsize::new(max_bytes))
    }

    /// Takes bytes from the budget. Returns whether there were enough; if not, none are left for any writer.
    fn take(&self, bytes: usize) -> bool {
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)));
        left.is_ok_and(|left| left > bytes)
    }

    /// Whether the writers wanted more than the budget.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// Fields of an object with their serialized keys, in the order of the query.
pub(crate) type Fields<T> = Vec<(JsonKey, T)>;

/// The serialized key of an object member: quoted and followed by the colon.
#[derive(Debug, Clone)]
pub(crate) struct JsonKey(String);

impl JsonKey {
    pub(crate) fn new(name: &str) -> Self {
        // GraphQL names contain no character that JSON escapes
        Self(format!("\"{name}\":"))
    }

    /// The key without quotes and colon.
    pub(crate) fn name(&self) -> &str {
        &self.0[1..self.0.len() - 2]
    }
}

impl<'l> JsonWriter<'l> {
    pub(crate) fn new(languages: &'l Languages) -> Self {
        Self { json: Vec::new(), languages, budget: None, counted: 0 }
    }

    /// Creates a writer that writes no further items of lists once the budget is exhausted.
    pub(crate) fn with_budget(languages: &'l Languages, budget: &'l ResponseBudget) -> Self {
        Self { budget: Some(budget), ..Self::new(languages) }
    }

    /// Takes what was written since the last call from the budget. Returns whether more may be written.
    fn has_budget(&mut self) -> bool {
        let Some(budget) = self.budget else { return true };
        let written = self.json.len().saturating_sub(self.counted);
        self.counted = self.json.len();
        budget.take(written)
    }

    pub(crate) fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// Number of bytes written.
    pub(crate) fn len(&self) -> usize {
        self.json.len()
    }

    /// Serializes a plain value: a string, a number or a boolean.
    pub(crate) fn value(&mut self, value: impl Serialize) {
        // serializing a plain value to memory cannot fail
        let _ = serde_json::to_writer(&mut self.json, &value);
    }

    /// Appends serialized JSON.
    pub(crate) fn json(&mut self, json: &[u8]) {
        self.json.extend_from_slice(json);
    }

    pub(crate) fn null(&mut self) {
        self.json.extend_from_slice(b"null");
    }

    /// Writes a value, or null for `None`.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(T, &mut Self)) {
        match value {
            Some(value) => write(value, self),
            None => self.null(),
        }
    }

    /// Writes an instant in UTC with microseconds.
    pub(crate) fn instant(&mut self, instant: DateTime<Utc>) {
        self.value(instant.to_rfc3339_opts(SecondsFormat::Micros, true));
    }

    /// Writes an enum value: the vocabulary value in upper case.
    pub(crate) fn choice(&mut self, value: &str) {
        self.json.push(b'"');
        self.json.extend(value.bytes().map(|byte| byte.to_ascii_uppercase()));
        self.json.push(b'"');
    }

    /// Writes an object; `write` is called once for each field.
    pub(crate) fn object<T>(&mut self, fields: &[(JsonKey, T)], mut write: impl FnMut(&T, &mut Self)) {
        let mut separator = b'{';
        for (key, field) in fields {
            self.json.push(separator);
            separator = b',';
            self.json.extend_from_slice(key.0.as_bytes());
            write(field, self);
        }
        if fields.is_empty() {
            self.json.push(b'{');
        }
        self.json.push(b'}');
    }

    /// Writes a list; `write` is called once for each item.
    pub(crate) fn list<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(T, &mut Self)) {
        self.json.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            if !self.has_budget() {
                break;
            }
            write(item, self);
        }
        self.json.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_ends_once_the_budget_is_exhausted() {
        let (languages, budget) = (Languages::default(), ResponseBudget::new(100));
        let mut written = 0;
        for _ in 0..2 {
            let mut out = JsonWriter::with_budget(&languages, &budget);
            out.list(0..1_000, |number, out| {
                written += 1;
                out.value(number);
            });
        }
        assert!(budget.is_exhausted());
        assert!((20..60).contains(&written), "{written}");
    }
}
