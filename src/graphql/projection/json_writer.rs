//! A JSON serializer for response data. Data is written once, in the order of the query.
//!
//! Writing ends early once the response is too large or too late: [`ResponseBudget`].

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::core::blocking;
use crate::core::error::{Error, Result};
use crate::core::language::Languages;

/// Bytes of an object after which the budget is checked between its fields. Lists check it before each item.
const BYTES_BETWEEN_CHECKS: usize = 16 << 10;

/// A JSON document being written for a reader with language preferences.
#[derive(Debug)]
pub(crate) struct JsonWriter<'l> {
    json: Vec<u8>,
    pub(crate) languages: &'l Languages,
    budget: Option<&'l ResponseBudget>,
    /// Bytes already taken from the budget.
    counted: usize,
    /// Whether the budget ended the writing.
    has_ended: bool,
    /// Whether the current list is part of a list that is written outside of the asynchronous tasks.
    is_blocking: bool,
}

/// What the writers of a response may still use together: bytes, and time until a deadline.
#[derive(Debug)]
pub(crate) struct ResponseBudget {
    bytes: AtomicUsize,
    deadline: Option<Instant>,
    is_late: AtomicBool,
    /// Whether lists are written outside of the asynchronous tasks.
    is_large: bool,
}

impl ResponseBudget {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { bytes: AtomicUsize::new(max_bytes), deadline: None, is_late: AtomicBool::new(false), is_large: false }
    }

    /// Ends the writing at an instant.
    pub(crate) fn until(self, deadline: Option<Instant>) -> Self {
        Self { deadline, ..self }
    }

    /// Lets other tasks progress while lists are written, if the response may be large.
    pub(crate) fn large(self, is_large: bool) -> Self {
        Self { is_large, ..self }
    }

    /// Takes bytes from the budget. Returns whether there were enough, in time; if not, none are left for any writer.
    fn take(&self, bytes: usize) -> bool {
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            self.is_late.store(true, Ordering::Relaxed);
            return false;
        }
        let left = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)));
        left.is_ok_and(|left| left > bytes)
    }

    /// Whether the writers wanted more bytes than the budget.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) == 0
    }

    /// Fails if the deadline ended the writing.
    pub(crate) fn check_deadline(&self) -> Result<()> {
        if self.is_late.load(Ordering::Relaxed) { Err(Error::Timeout) } else { Ok(()) }
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
        Self { json: Vec::new(), languages, budget: None, counted: 0, has_ended: false, is_blocking: false }
    }

    /// Creates a writer that writes no further fields and items once the budget is exhausted. The document is not valid then.
    pub(crate) fn with_budget(languages: &'l Languages, budget: &'l ResponseBudget) -> Self {
        Self { budget: Some(budget), ..Self::new(languages) }
    }

    /// Creates a writer for a part of this document, which [`Self::json`] appends.
    pub(crate) fn part(&self) -> Self {
        Self { budget: self.budget, is_blocking: self.is_blocking, ..Self::new(self.languages) }
    }

    /// Takes what was written since the last call from the budget. Returns whether more may be written.
    fn has_budget(&mut self) -> bool {
        let Some(budget) = self.budget else { return true };
        let written = self.json.len().saturating_sub(self.counted);
        self.counted = self.json.len();
        self.has_ended = self.has_ended || !budget.take(written);
        !self.has_ended
    }

    /// As [`Self::has_budget`], checked only after many bytes.
    fn may_continue(&mut self) -> bool {
        if self.json.len().saturating_sub(self.counted) < BYTES_BETWEEN_CHECKS { !self.has_ended } else { self.has_budget() }
    }

    pub(crate) fn into_json(mut self) -> Vec<u8> {
        self.has_budget();
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

    /// Appends the JSON of a part, which has been taken from the budget already.
    pub(crate) fn json(&mut self, json: &[u8]) {
        self.json.extend_from_slice(json);
        self.counted += json.len();
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
            if !self.may_continue() {
                break;
            }
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
    pub(crate) fn list<T>(&mut self, items: impl Iterator<Item = T>, write: impl FnMut(T, &mut Self)) {
        if self.is_blocking || !self.budget.is_some_and(|budget| budget.is_large) {
            return self.items(items, write);
        }
        self.is_blocking = true;
        blocking::run(|| self.items(items, write));
        self.is_blocking = false;
    }

    fn items<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(T, &mut Self)) {
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
        assert!(budget.check_deadline().is_ok());
    }

    #[test]
    fn writing_ends_at_the_deadline() {
        let languages = Languages::default();
        let budget = ResponseBudget::new(usize::MAX).until(Some(Instant::now())).large(true);
        let mut out = JsonWriter::with_budget(&languages, &budget);
        let mut part = out.part();
        std::thread::sleep(std::time::Duration::from_millis(2));
        part.list(0..1_000_000, |number, out| out.value(number));
        out.json(&part.into_json());
        assert!(out.into_json().len() < 100);
        assert!(matches!(budget.check_deadline(), Err(Error::Timeout)));
        assert!(!budget.is_exhausted());
    }
}
