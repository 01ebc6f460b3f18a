//! Atom feeds (RFC 4287): the records of a query, the history of a record, or all changes.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use atom_syndication::{
    Category, Entry as AtomEntry, Feed, FixedDateTime, Generator, Link as AtomLink, Person as AtomPerson, Text as AtomText,
};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::core::auth::Caller;
use crate::core::error::Error;
use crate::core::id;
use crate::core::language::Languages;
use crate::core::text::printable;
use crate::entity::RecordType;
use crate::graphql::engine::{OnError, OperationRequest, PrepareError, PreparedOperation};
use crate::graphql::error::GraphqlError;
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, accepted_languages, request_origin};
use crate::http::conditional::Validators;
use crate::http::graphql::request::{GraphqlRequest, document_error_response};
use crate::http::middleware::request_log::OperationLog;
use crate::http::rate_limiter::RateLimitHandle;
use crate::http::record_page::format::spaced_words;
use crate::http::response::{MediaType, error_response, errors_response, reject, reject_response};
use crate::http::state::AppState;
use crate::http::url_parameters::UrlParameters;

pub(crate) const ATOM_MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";
/// The author of entries that have none.
pub(crate) const AUTHOR: &str = "Kurultai";
/// Scheme of the category with the id of the record that changed.
const RECORD_ID_SCHEME: &str = "urn:kurultai:recordId";
/// Scheme of the category with the id of the record that it was merged into.
const MERGED_INTO_SCHEME: &str = "urn:kurultai:mergedInto";
/// The name under which the built-in queries are counted.
const BUILT_IN_QUERY: &str = "feed";
const PARAMETERS: &[&str] = &["query", "saved", "documentId", "variables", "operationName", "extensions", "record", "types"];
/// All changes, the latest first.
const CHANGES_QUERY: &str =
    "query($filter: RevisionFilter) { revisions(first: 50, order: {field: SEQUENCE, direction: DESC}, filter: $filter) { nodes { id } } }";
/// The history of a record.
const HISTORY_QUERY: &str = "query($id: ID!) { node(id: $id) { __typename id ... on Record { label permalink updatedAt history(first: 50) { nodes { __typename id kind changedAt by message recordType recordId } } } } }";

/// The content of a feed.
struct FeedContent {
    id: Uuid,
    title: String,
    /// Path or URL of the page that the feed is about.
    alternate: String,
    entries: Vec<Json>,
}

/// The client of a feed.
#[derive(Clone, Copy)]
struct FeedCaller<'a> {
    languages: &'a Languages,
    caller: &'a Caller,
    rate_limit: &'a RateLimitHandle,
}

/// Why there is no feed.
enum FeedError {
    Response(Box<Response>),
    Graphql(Vec<GraphqlError>),
}

impl From<GraphqlError> for FeedError {
    fn from(error: GraphqlError) -> Self {
        Self::Graphql(vec![error])
    }
}

impl From<Response> for FeedError {
    fn from(response: Response) -> Self {
        Self::Response(Box::new(response))
    }
}

/// `GET /feed.atom`.
pub async fn get(State(state): State<Arc<AppState>>, client: ClientContext, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let base_url = match state.dataset.public_url {
        Some(_) => state.dataset.address(""),
        None => request_origin(&client),
    };
    let validators = match Validators::check(&state, &client, &[b"feed", base_url.as_bytes(), query.as_bytes()]).await {
        Ok(validators) => validators,
        Err(not_modified) => return not_modified,
    };
    let caller = match authenticate(&state.store, &client).await {
        Ok(caller) => caller,
        Err(error) => return validators.apply_uncacheable(error_response(MediaType::Json, error)),
    };
    let Some(_permit) = state.admission_queue.acquire(client.rate_limit.client(&caller)).await else {
        return validators.apply_uncacheable(error_response(MediaType::Json, Error::Overloaded));
    };
    let asked = FeedCaller { languages: &accepted_languages(&client), caller: &caller, rate_limit: &client.rate_limit };
    let content = tokio::time::timeout(state.timeouts.query(), Box::pin(content(&state, &query, asked))).await;
    match content.unwrap_or_else(|_| Err(FeedError::from(error_response(MediaType::Json, Error::Timeout)))) {
        Ok(content) => {
            let changed_at = validators.changed_at().unwrap_or_else(|| state.store.clock.now()).fixed_offset();
            let xml = to_atom(&content, &base_url, &format!("/feed.atom?{query}"), changed_at);
            validators.apply(([(CONTENT_TYPE, ATOM_MEDIA_TYPE)], xml).into_response())
        }
        Err(FeedError::Response(response)) => validators.apply_uncacheable(*response),
        Err(FeedError::Graphql(errors)) => validators.apply_uncacheable(errors_response(MediaType::Json, &errors)),
    }
}

/// The content of the feed that the query string describes.
async fn content(state: &AppState, query: &str, asked: FeedCaller<'_>) -> Result<FeedContent, FeedError> {
    let parameters = UrlParameters::new(query);
    parameters.reject_unknown(&[PARAMETERS]).map_err(|reject| FeedError::from(reject_response(MediaType::Json, &reject)))?;
    let is_given = |name: &&str| parameters.contains(name);
    let of_query = ["saved", "documentId", "query", "extensions"].iter().any(is_given);
    if [of_query, parameters.contains("record"), parameters.contains("types")].into_iter().filter(|given| *given).count() > 1 {
        return Err(bad_request("specify only one of saved, query, record and types"));
    }
    if let Some(name) = ["variables", "operationName"].iter().find(|name| is_given(name)).filter(|_| !of_query) {
        return Err(bad_request(format!("{name} requires query, saved or documentId")));
    }
    if parameters.contains("record") {
        let record = parameters.value("record").ok_or_else(|| bad_request("record: give the id of a record"))?;
        return history(state, record, asked).await;
    }
    if !of_query {
        let types = parameters.list("types").map_err(|reject| FeedError::from(reject_response(MediaType::Json, &reject)))?;
        return changes(state, &types, asked).await;
    }
    let request =
        GraphqlRequest::from_query_string(query.as_bytes()).map_err(|reject| FeedError::from(reject_response(MediaType::Json, &reject)))?;
    let title = match parameters.value("saved").or(parameters.value("documentId")) {
        Some(name) => {
            state.store.saved_query(name).await.inspect_err(Error::log).ok().flatten().and_then(|saved| saved.title.or(saved.name))
        }
        None => None,
    };
    let resolved =
        request.resolve(state, asked.caller).await.map_err(|error| FeedError::from(document_error_response(MediaType::Json, error)))?;
    let key = json!([resolved.request.query, resolved.request.operation, resolved.request.variables]).to_string();
    let prepared = prepare(state, resolved.request, asked)?;
    let entries =
        logged(state, &prepared, resolved.saved_query, Box::pin(state.api.entries(&prepared, asked.languages, asked.caller))).await?;
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes());
    let title = title.unwrap_or_else(|| format!("{AUTHOR}: records of a query"));
    Ok(FeedContent { id, title, alternate: "/".to_owned(), entries })
}

fn bad_request(message: impl Into<String>) -> FeedError {
    FeedError::from(reject_response(MediaType::Json, &reject(StatusCode::BAD_REQUEST, message)))
}

/// Validates a query and charges it to the caller.
fn prepare(state: &AppState, request: OperationRequest, asked: FeedCaller<'_>) -> Result<PreparedOperation, FeedError> {
    let prepared = state.api.prepare(request, |kind| kind == OperationType::Query).map_err(|error| match error {
        PrepareError::Invalid(errors) => FeedError::Graphql(errors),
        PrepareError::OperationNotAllowed => bad_request("a feed requires a query"),
    })?;
    match asked.rate_limit.charge_query(asked.caller, prepared.points()) {
        Ok(_) => Ok(prepared),
        Err(limited) => Err(FeedError::from(limited.response())),
    }
}

fn prepare_built_in(state: &AppState, query: &str, variables: &Json, asked: FeedCaller<'_>) -> Result<PreparedOperation, FeedError> {
    let variables = variables.as_object().cloned().unwrap_or_default();
    let request =
        OperationRequest { query: query.to_owned(), operation: None, variables, uploads: Vec::new(), on_error: OnError::default() };
    prepare(state, request, asked)
}

/// Executes a query and records its measurements.
async fn logged<T, E>(
    state: &AppState,
    prepared: &PreparedOperation,
    saved_query: Option<String>,
    run: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let log = OperationLog::start(state, prepared, saved_query);
    let result = log.scope(run).await;
    log.finish(result.is_ok(), None);
    result
}

/// All changes of records of these types; of all types if there are none.
async fn changes(state: &AppState, types: &[String], asked: FeedCaller<'_>) -> Result<FeedContent, FeedError> {
    let mut types: Vec<String> = types.iter().map(|ty| ty.to_uppercase()).collect();
    types.sort();
    types.dedup();
    if let Some(unknown) = types.iter().find(|ty| RecordType::from_prefix(&ty.to_lowercase()).is_none()) {
        return Err(bad_request(format!("types: there is no record type {unknown}; use for example CASE,LAW")));
    }
    let variables = if types.is_empty() { json!({}) } else { json!({"filter": {"recordType": {"in": types}}}) };
    let prepared = prepare_built_in(state, CHANGES_QUERY, &variables, asked)?;
    let entries =
        logged(state, &prepared, Some(BUILT_IN_QUERY.to_owned()), Box::pin(state.api.entries(&prepared, asked.languages, asked.caller)))
            .await?;
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("changes {}", types.join(",")).as_bytes());
    let suffix = if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
    Ok(FeedContent { id, title: format!("{AUTHOR}: changes{suffix}"), alternate: "/".to_owned(), entries })
}

/// The history of a record.
async fn history(state: &AppState, record: &str, asked: FeedCaller<'_>) -> Result<FeedContent, FeedError> {
    let prepared = prepare_built_in(state, HISTORY_QUERY, &json!({"id": record}), asked)?;
    let result =
        logged(state, &prepared, Some(BUILT_IN_QUERY.to_owned()), Box::pin(state.api.execute(&prepared, asked.languages, asked.caller)))
            .await?;
    if !result.errors.is_empty() {
        return Err(FeedError::Graphql(result.errors));
    }
    let mut data: Map<String, Json> = serde_json::from_slice(&result.data).unwrap_or_default();
    let mut node = data.get_mut("node").map(Json::take).unwrap_or_default();
    let id = node["id"].as_str().and_then(uuid).filter(|_| node["label"].is_string());
    let Some(id) = id else {
        let reject = reject(StatusCode::NOT_FOUND, "record: there is no record with this id");
        return Err(reject_response(MediaType::Json, &reject).into());
    };
    let record = json!({"__typename": node["__typename"], "id": node["id"], "label": node["label"], "permalink": node["permalink"]});
    let mut entries = match node["history"]["nodes"].take() {
        Json::Array(entries) => entries,
        _ => Vec::new(),
    };
    for entry in &mut entries {
        entry["record"] = record.clone();
    }
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    Ok(FeedContent { id, title: format!("{AUTHOR}: {}", text("label")), alternate: text("permalink").to_owned(), entries })
}

/// The UUID of a global id.
fn uuid(text: &str) -> Option<Uuid> {
    id::decode(text).ok().map(|(_, uuid)| uuid)
}

pub(crate) fn person(name: &str) -> AtomPerson {
    AtomPerson { name: name.to_owned(), ..AtomPerson::default() }
}

pub(crate) fn link(rel: &str, href: String, media: Option<&str>) -> AtomLink {
    AtomLink { rel: rel.to_owned(), href, mime_type: media.map(ToOwned::to_owned), ..AtomLink::default() }
}

/// The absolute URL of a path; a URL is returned unchanged.
fn absolute_url(base_url: &str, path: &str) -> String {
    if path.starts_with('/') { format!("{base_url}{path}") } else { path.to_owned() }
}

/// The entry of a record or a change; `None` if a required member is missing.
fn entry(node: &Json, base_url: &str) -> Option<AtomEntry> {
    let text = |name: &str| node[name].as_str();
    let instant = |name: &str| text(name).and_then(|text| FixedDateTime::parse_from_rfc3339(text).ok());
    let id = format!("urn:uuid:{}", uuid(text("id")?)?);
    let entry = AtomEntry { id, ..AtomEntry::default() };
    if text("__typename") != Some("Revision") {
        let ty = spaced_words(text("__typename")?);
        return Some(AtomEntry {
            title: AtomText::plain(text("label")?),
            updated: instant("updatedAt")?,
            published: instant("createdAt"),
            links: vec![link("alternate", absolute_url(base_url, text("permalink")?), None)],
            categories: vec![Category { term: text("__typename")?.to_owned(), label: Some(ty.clone()), ..Category::default() }],
            summary: Some(AtomText::plain(ty)),
            ..entry
        });
    }
    let record = &node["record"];
    let ty = spaced_words(text("recordType")?);
    let kind = text("kind")?.to_lowercase();
    // a deleted record has no label
    let label = record["label"].as_str().map_or(ty.clone(), |label| format!("{ty}: {label}"));
    let page = record["permalink"].as_str().map(|path| link("alternate", absolute_url(base_url, path), None));
    let merged_into = &node["mergedInto"];
    let kept_page = merged_into["permalink"].as_str().map(|path| link("related", absolute_url(base_url, path), None));
    // a record that is gone has no page, so programs find it by these
    let named = [(RECORD_ID_SCHEME, text("recordId")), (MERGED_INTO_SCHEME, merged_into["id"].as_str())];
    let named = named
        .into_iter()
        .filter_map(|(scheme, id)| Some(Category { term: id?.to_owned(), scheme: Some(scheme.to_owned()), ..Category::default() }));
    let of_type = Category { term: text("recordType")?.to_uppercase(), label: Some(ty.clone()), ..Category::default() };
    let at = instant("changedAt")?;
    let by = text("by").unwrap_or_default();
    Some(AtomEntry {
        title: AtomText::plain(format!("{label} ({kind})")),
        updated: at,
        published: Some(at),
        authors: vec![person(if by.is_empty() { AUTHOR } else { by })],
        links: page.into_iter().chain(kept_page).collect(),
        categories: std::iter::once(of_type).chain(named).collect(),
        summary: Some(AtomText::plain(text("message").map_or(kind, ToOwned::to_owned))),
        ..entry
    })
}

fn to_atom(content: &FeedContent, base_url: &str, path: &str, changed_at: FixedDateTime) -> String {
    let entries: Vec<AtomEntry> = content.entries.iter().filter_map(|node| entry(node, base_url)).collect();
    let feed = Feed {
        id: format!("urn:uuid:{}", content.id),
        title: AtomText::plain(content.title.clone()),
        updated: entries.iter().map(|entry| entry.updated).max().unwrap_or(changed_at),
        authors: vec![person(AUTHOR)],
        generator: Some(Generator { value: AUTHOR.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()), uri: None }),
        links: vec![
            link("self", format!("{base_url}{path}"), Some("application/atom+xml")),
            link("alternate", absolute_url(base_url, &content.alternate), None),
        ],
        entries,
        ..Feed::default()
    };
    printable(&feed.to_string()).into_owned()
}
