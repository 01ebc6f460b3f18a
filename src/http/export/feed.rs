//! Atom feeds (RFC 4287): the list of a query, the history of a record, or all changes.

use std::sync::Arc;

use atom_syndication::{Category, Entry, Feed, FixedDateTime, Generator, Link, Person, Text};
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value as Json, json};
use url::Url;
use uuid::Uuid;

use async_graphql::parser::types::OperationType;

use crate::core::auth::Caller;
use crate::core::id;
use crate::core::language::Languages;
use crate::graphql::engine::{OperationRequest, PrepareError as NotRun, PreparedOperation};
use crate::graphql::error::{GraphqlError, codes};
use crate::http::authentication;
use crate::http::conditional::Freshness;
use crate::http::graphql::handler::{BUSY, Media, error, failed, languages, no_document, refuse, rejected};
use crate::http::graphql::request::{NoDocument, Request};
use crate::http::middleware::request_log;
use crate::http::router::AppState;

const MEDIA: &str = "application/atom+xml; charset=utf-8";
/// Who the data is by, where no entry says so.
const AUTHOR: &str = "Kurultai";
/// Everything that changed, the latest first.
const CHANGES: &str =
    "query($filter: RevisionFilter) { revisions(first: 50, order: {field: SEQUENCE, direction: DESC}, filter: $filter) { nodes { id } } }";
/// The history of a record.
const HISTORY: &str = "query($id: ID!) { node(id: $id) { __typename id ... on Record { label permalink updatedAt history(first: 50) { nodes { __typename id kind at by message recordType } } } } }";

/// What a feed tells of.
struct Told {
    id: Uuid,
    title: String,
    /// Path or address of what the feed is about.
    about: String,
    entries: Vec<Json>,
}

/// Why there is no feed.
enum NoFeed {
    Response(Response),
    Failed(Vec<GraphqlError>),
}

impl From<GraphqlError> for NoFeed {
    fn from(failure: GraphqlError) -> Self {
        Self::Failed(vec![failure])
    }
}

/// A feed.
pub async fn feed(State(service): State<Arc<AppState>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let base = match service.dataset.public_url {
        Some(_) => service.dataset.address(""),
        None => base(&headers),
    };
    let fresh = match Freshness::of(&service, &headers, &[b"feed", base.as_bytes(), query.as_bytes()]).await {
        Ok(fresh) => fresh,
        Err(not_modified) => return not_modified,
    };
    let caller = match authentication::of(&service.store, &headers).await {
        Ok(caller) => caller,
        Err(error) => return fresh.put_once(rejected(Media::Json, error)),
    };
    let Some(_place) = service.admission.enter().await else {
        return fresh.put_once(failed(Media::Json, &[GraphqlError::new(codes::UNAVAILABLE, BUSY)]));
    };
    match told(&service, &query, &languages(&headers), &caller).await {
        Ok(told) => {
            let changed = fresh.changed_at().unwrap_or_else(|| service.store.clock.now()).fixed_offset();
            let text = write(&told, &base, &format!("/feed.atom?{query}"), changed);
            fresh.put(([(CONTENT_TYPE, MEDIA)], text).into_response())
        }
        Err(NoFeed::Response(response)) => fresh.put_once(response),
        Err(NoFeed::Failed(failures)) => fresh.put_once(failed(Media::Json, &failures)),
    }
}

/// Where the server is, as the client calls it.
pub(crate) fn base(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if text("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    let host = text(HOST.as_str()).and_then(|host| Url::parse(&format!("{scheme}://{host}")).ok());
    host.map_or(String::new(), |url| url.origin().ascii_serialization())
}

async fn told(service: &AppState, query: &str, languages: &Languages, caller: &Caller) -> Result<Told, NoFeed> {
    let given: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let one = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let ways = [["saved", "documentId", "query"].iter().find_map(|name| one(name)), one("record"), one("types")];
    if ways.iter().flatten().count() > 1 {
        return Err(wrong("give one of saved, query, record and types"));
    }
    if let Some(record) = one("record") {
        return history(service, record, languages, caller).await;
    }
    if ways[0].is_none() {
        return changes(service, one("types").unwrap_or_default(), languages, caller).await;
    }
    let request = Request::from_address(query.as_bytes()).map_err(|refused| NoFeed::Response(error(Media::Json, &refused)))?;
    let name = one("saved").or(one("documentId"));
    let title = match name {
        Some(name) => service.store.saved_query(name).await.ok().flatten().and_then(|saved| saved.title.or(saved.name)),
        None => None,
    };
    let found = request.into_run(service).await.map_err(|missing: NoDocument| NoFeed::Response(no_document(Media::Json, missing)))?;
    let key = json!([found.asked.query, found.asked.operation, found.asked.variables]).to_string();
    let prepared = prepare(service, found.asked).await?;
    let entries = watched(service, &prepared, found.saved, service.api.entries(&prepared, languages, caller)).await?;
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes());
    let title = title.unwrap_or_else(|| format!("{AUTHOR}: records of a query"));
    Ok(Told { id, title, about: "/".to_owned(), entries })
}

fn wrong(message: impl Into<String>) -> NoFeed {
    NoFeed::Response(error(Media::Json, &refuse(StatusCode::BAD_REQUEST, message)))
}

async fn prepare(service: &AppState, asked: OperationRequest) -> Result<PreparedOperation, NoFeed> {
    service.api.prepare(asked, |kind| kind == OperationType::Query).await.map_err(|refused| match refused {
        NotRun::Failures(failures) => NoFeed::Failed(failures),
        NotRun::Kind => wrong("a feed is made of a query"),
    })
}

async fn run(service: &AppState, query: &str, variables: Json) -> Result<PreparedOperation, NoFeed> {
    let variables = variables.as_object().cloned().unwrap_or_default();
    prepare(service, OperationRequest { query: query.to_owned(), operation: None, variables, uploads: Vec::new() }).await
}

/// What the queries that are ours are counted as.
fn ours() -> Option<String> {
    Some("feed".to_owned())
}

/// Runs a query as an operation that is watched.
async fn watched<T, E>(
    service: &AppState,
    prepared: &PreparedOperation,
    saved: Option<String>,
    run: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let operation = request_log::Operation::begin(service, prepared, saved);
    let result = operation.of(run).await;
    operation.end(result.is_ok(), None);
    result
}

/// All changes of records of some types.
async fn changes(service: &AppState, types: &str, languages: &Languages, caller: &Caller) -> Result<Told, NoFeed> {
    let mut types: Vec<String> = types.split(',').map(|ty| ty.trim().to_uppercase()).filter(|ty| !ty.is_empty()).collect();
    types.sort();
    types.dedup();
    if let Some(unknown) = types.iter().find(|ty| crate::entity::RecordType::from_prefix(&ty.to_lowercase()).is_none()) {
        return Err(wrong(format!("types: there is no type of records {unknown}; write such as CASE,LAW")));
    }
    let variables = if types.is_empty() { json!({}) } else { json!({"filter": {"recordType": {"in": types}}}) };
    let prepared = run(service, CHANGES, variables).await?;
    let entries = watched(service, &prepared, ours(), service.api.entries(&prepared, languages, caller)).await?;
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("changes {}", types.join(",")).as_bytes());
    let of = if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
    Ok(Told { id, title: format!("{AUTHOR}: changes{of}"), about: "/".to_owned(), entries })
}

/// The history of a record.
async fn history(service: &AppState, record: &str, languages: &Languages, caller: &Caller) -> Result<Told, NoFeed> {
    let prepared = run(service, HISTORY, json!({"id": record})).await?;
    let answer = watched(service, &prepared, ours(), service.api.run(&prepared, languages, caller)).await?;
    if !answer.failures.is_empty() {
        return Err(NoFeed::Failed(answer.failures));
    }
    let mut data: Map<String, Json> = serde_json::from_slice(&answer.data).unwrap_or_default();
    let mut node = data.get_mut("node").map(Json::take).unwrap_or_default();
    let id = node["id"].as_str().and_then(uuid).filter(|_| node["label"].is_string());
    let Some(id) = id else {
        let message = "record: there is no record with this id";
        return Err(NoFeed::Response(error(Media::Json, &refuse(StatusCode::NOT_FOUND, message))));
    };
    let about = json!({"__typename": node["__typename"], "id": node["id"], "label": node["label"], "permalink": node["permalink"]});
    let mut entries = match node["history"]["nodes"].take() {
        Json::Array(entries) => entries,
        _ => Vec::new(),
    };
    entries.iter_mut().for_each(|entry| entry["record"] = about.clone());
    let text = |name: &str| about[name].as_str().unwrap_or_default();
    Ok(Told { id, title: format!("{AUTHOR}: {}", text("label")), about: text("permalink").to_owned(), entries })
}

/// The UUID in an id.
fn uuid(text: &str) -> Option<Uuid> {
    id::decode(text).ok().map(|(_, uuid)| uuid)
}

/// The name of a type or of a kind in words: `VoteEvent` and `vote_event` become `Vote event`.
pub(crate) fn in_words(name: &str) -> String {
    let mut words = String::new();
    // the value of an enum is in capitals, which say nothing of where a word begins
    let is_enum = !name.contains(|letter: char| letter.is_ascii_lowercase());
    let name = if is_enum { name.to_ascii_lowercase() } else { name.to_owned() };
    for letter in name.chars() {
        match letter {
            '_' => words.push(' '),
            letter if letter.is_ascii_uppercase() && words.ends_with(|before: char| before.is_ascii_lowercase()) => {
                words.push(' ');
                words.push(letter.to_ascii_lowercase());
            }
            letter if words.is_empty() => words.push(letter.to_ascii_uppercase()),
            letter => words.push(letter.to_ascii_lowercase()),
        }
    }
    words
}

fn person(name: &str) -> Person {
    Person { name: name.to_owned(), ..Person::default() }
}

fn link(rel: &str, href: String, media: Option<&str>) -> Link {
    Link { rel: rel.to_owned(), href, mime_type: media.map(ToOwned::to_owned), ..Link::default() }
}

/// Address of a path of the server; what is an address already stays as it is.
fn address(base: &str, path: &str) -> String {
    if path.starts_with('/') { format!("{base}{path}") } else { path.to_owned() }
}

fn entry(node: &Json, base: &str) -> Option<Entry> {
    let text = |name: &str| node[name].as_str();
    let instant = |name: &str| text(name).and_then(|text| FixedDateTime::parse_from_rfc3339(text).ok());
    let id = format!("urn:uuid:{}", uuid(text("id")?)?);
    let entry = Entry { id, ..Entry::default() };
    if text("__typename") != Some("Revision") {
        let ty = in_words(text("__typename")?);
        return Some(Entry {
            title: Text::plain(text("label")?),
            updated: instant("updatedAt")?,
            published: instant("createdAt"),
            links: vec![link("alternate", address(base, text("permalink")?), None)],
            categories: vec![Category { term: text("__typename")?.to_owned(), label: Some(ty.clone()), ..Category::default() }],
            summary: Some(Text::plain(ty)),
            ..entry
        });
    }
    let record = &node["record"];
    let ty = in_words(text("recordType")?);
    let kind = text("kind")?.to_lowercase();
    // what is gone has no name any more
    let label = record["label"].as_str().map_or(ty.clone(), |label| format!("{ty}: {label}"));
    let page = record["permalink"].as_str().map(|path| link("alternate", address(base, path), None));
    let at = instant("at")?;
    let by = text("by").unwrap_or_default();
    Some(Entry {
        title: Text::plain(format!("{label} ({kind})")),
        updated: at,
        published: Some(at),
        authors: vec![person(if by.is_empty() { AUTHOR } else { by })],
        links: page.into_iter().collect(),
        categories: vec![Category { term: text("recordType")?.to_uppercase(), label: Some(ty), ..Category::default() }],
        summary: Some(Text::plain(text("message").map_or(kind, ToOwned::to_owned))),
        ..entry
    })
}

fn write(told: &Told, base: &str, address: &str, changed: FixedDateTime) -> String {
    let entries: Vec<Entry> = told.entries.iter().filter_map(|node| entry(node, base)).collect();
    let feed = Feed {
        id: format!("urn:uuid:{}", told.id),
        title: Text::plain(told.title.clone()),
        updated: entries.iter().map(|entry| entry.updated).max().unwrap_or(changed),
        authors: vec![person(AUTHOR)],
        generator: Some(Generator { value: AUTHOR.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()), uri: None }),
        links: vec![
            link("self", format!("{base}{address}"), Some("application/atom+xml")),
            link("alternate", self::address(base, &told.about), None),
        ],
        entries,
        ..Feed::default()
    };
    feed.to_string()
}
