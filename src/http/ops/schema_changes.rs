//! The changelog of the schema, `schema-changes.json`: as it is, and as an Atom feed with one entry for each day or release.
//! `make schema-changes` appends to it.

use std::sync::{Arc, LazyLock};

use atom_syndication::{Content, Entry, Feed, FixedDateTime, Generator, Text};
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::{NaiveDate, NaiveTime};
use serde::Deserialize;
use uuid::Uuid;

use crate::http::client::request_origin;
use crate::http::conditional::respond_static;
use crate::http::export::feed::{ATOM_MEDIA_TYPE, AUTHOR, link, person};
use crate::http::state::AppState;

const JSON: &str = include_str!("../../../schema-changes.json");
const JSON_PATH: &str = "/schema/changes.json";
const ATOM_PATH: &str = "/schema/changes.atom";

/// The changes, the latest first.
static CHANGELOG: LazyLock<Changelog> = LazyLock::new(|| serde_json::from_str(JSON).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
struct Changelog {
    changes: Vec<SchemaChange>,
}

#[derive(Debug, Deserialize)]
struct SchemaChange {
    date: NaiveDate,
    /// The release with the change, if there is one yet.
    version: Option<String>,
    criticality: Criticality,
    message: String,
}

/// What a change means for existing clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, strum::Display)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Criticality {
    /// Operations that were valid may be invalid.
    #[strum(to_string = "breaking")]
    Breaking,
    /// Operations stay valid, but clients may not expect the responses.
    #[strum(to_string = "dangerous")]
    Dangerous,
    /// Clients need not change.
    #[strum(to_string = "compatible")]
    NonBreaking,
}

/// `GET /schema/changes.json`.
pub async fn json(headers: HeaderMap) -> Response {
    respond_static(&headers, &[JSON.as_bytes()], || ([(CONTENT_TYPE, "application/json")], JSON).into_response())
}

/// `GET /schema/changes.atom`.
pub async fn atom(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    let base_url = match state.dataset.public_url {
        Some(_) => state.dataset.address(""),
        None => request_origin(&headers),
    };
    let mut response = respond_static(&headers, &[JSON.as_bytes(), base_url.as_bytes()], || {
        ([(CONTENT_TYPE, ATOM_MEDIA_TYPE)], to_atom(&CHANGELOG.changes, &base_url)).into_response()
    });
    response.headers_mut().append(VARY, HeaderValue::from_static("X-Forwarded-Proto"));
    response
}

fn to_atom(changes: &[SchemaChange], base_url: &str) -> String {
    let entries: Vec<Entry> = changes
        .chunk_by(|one, next| (one.date, &one.version) == (next.date, &next.version))
        .filter_map(|day| entry(day, base_url))
        .collect();
    let feed = Feed {
        id: feed_id("schema changes"),
        title: Text::plain(format!("{AUTHOR}: changes of the schema")),
        updated: entries.iter().map(|entry| entry.updated).max().unwrap_or_default(),
        authors: vec![person(AUTHOR)],
        generator: Some(Generator { value: AUTHOR.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()), uri: None }),
        links: vec![
            link("self", format!("{base_url}{ATOM_PATH}"), Some("application/atom+xml")),
            link("alternate", format!("{base_url}{JSON_PATH}"), Some("application/json")),
        ],
        entries,
        ..Feed::default()
    };
    feed.to_string()
}

/// The entry of the changes of a day and release.
fn entry(changes: &[SchemaChange], base_url: &str) -> Option<Entry> {
    let SchemaChange { date, version, .. } = changes.first()?;
    let count = |criticality| changes.iter().filter(|change| change.criticality == criticality).count();
    let counts = [Criticality::Breaking, Criticality::Dangerous, Criticality::NonBreaking]
        .into_iter()
        .map(|criticality| (criticality, count(criticality)))
        .filter(|(_, count)| *count > 0)
        .map(|(criticality, count)| format!("{count} {criticality}"));
    let summary = counts.collect::<Vec<_>>().join(", ");
    let release = version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
    let list = maud::html! { ul { @for change in changes { li { (change.criticality) ": " (change.message) } } } };
    let updated: FixedDateTime = date.and_time(NaiveTime::MIN).and_utc().fixed_offset();
    Some(Entry {
        id: feed_id(&format!("schema changes {date} {}", version.as_deref().unwrap_or_default())),
        title: Text::plain(format!("Schema of {date}{release}: {summary}")),
        updated,
        published: Some(updated),
        links: vec![link("alternate", format!("{base_url}{JSON_PATH}"), Some("application/json"))],
        content: Some(Content { value: Some(list.into_string()), content_type: Some("html".to_owned()), ..Content::default() }),
        ..Entry::default()
    })
}

fn feed_id(key: &str) -> String {
    format!("urn:uuid:{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_changelog_parses_latest_first() {
        let changelog: Changelog = serde_json::from_str(JSON).unwrap();
        assert!(!changelog.changes.is_empty());
        assert!(changelog.changes.is_sorted_by(|one, next| one.date >= next.date));
    }
}
