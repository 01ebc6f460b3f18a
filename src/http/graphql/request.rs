//! What a request asks, by whatever way it comes: in the address, in a body, or as a message.
//!
//! Besides a query it can name one that the server has: by the hash of automatic persisted queries
//! (`extensions.persistedQuery`), or a saved query by its name or hash (`documentId`).

use axum::http::StatusCode;
use moka::sync::Cache;
use serde_json::{Map, Value as Json};

use crate::core::digest::sha256_hex;
use crate::graphql::engine::OperationRequest;
use crate::graphql::error::{GraphqlError, codes};
use crate::http::graphql::handler::{Refused, refuse};
use crate::http::router::AppState;
use crate::observability::metrics;

/// Bytes of documents that clients sent with their hashes, which are kept.
const KEPT: u64 = 8 << 20;
/// Bytes of a document that is kept at most.
const LONGEST: usize = 100_000;

/// Documents by their hashes, as clients sent them. Each process has its own: a client that asks by a hash that is not
/// there is told so, and sends the document too.
#[derive(Debug, Clone)]
pub struct PersistedDocuments(Cache<String, String>);

impl Default for PersistedDocuments {
    fn default() -> Self {
        let weigh = |hash: &String, text: &String| u32::try_from(hash.len() + text.len() + 200).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity(KEPT).build())
    }
}

/// A request that has been read.
#[derive(Debug)]
pub(crate) struct Request {
    query: Option<String>,
    /// Hash of the document, by the protocol of automatic persisted queries.
    hash: Option<String>,
    /// Name or hash of a saved query.
    document_id: Option<String>,
    operation: Option<String>,
    variables: Map<String, Json>,
}

/// What is to be run, and the hash that its document is to be kept under if it is valid.
#[derive(Debug)]
pub(crate) struct ToRun {
    pub(crate) asked: OperationRequest,
    pub(crate) keep: Option<String>,
    /// What a saved query is known by: its name, or the beginning of its hash.
    pub(crate) saved: Option<String>,
}

/// Why a request names no document.
#[derive(Debug)]
pub(crate) enum NoDocument {
    /// It is not known here; the same with the document would do.
    Unknown(GraphqlError),
    /// The request is wrong.
    Wrong(Refused),
    /// The database failed.
    Failed(GraphqlError),
}

impl Request {
    /// Reads the query of an address.
    pub(crate) fn from_address(query: &[u8]) -> Result<Self, Refused> {
        let mut members = Map::new();
        for (name, value) in url::form_urlencoded::parse(query) {
            // short, for addresses that people read
            let name = if name == "saved" { "documentId".into() } else { name };
            let member = match name.as_ref() {
                "query" | "operationName" | "documentId" => Json::String(value.into_owned()),
                "variables" | "extensions" if value.is_empty() => continue,
                "variables" | "extensions" => serde_json::from_str(&value)
                    .map_err(|_| refuse(StatusCode::BAD_REQUEST, format!("{name} in the address is not JSON")))?,
                _ => continue,
            };
            if members.insert(name.clone().into_owned(), member).is_some() {
                return Err(refuse(StatusCode::BAD_REQUEST, format!("{name} is given twice in the address")));
            }
        }
        Self::from_members(members)
    }

    /// Reads a body.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, Refused> {
        match serde_json::from_slice(body) {
            Ok(Json::Object(members)) => Self::from_members(members),
            Ok(_) => Err(refuse(StatusCode::BAD_REQUEST, "the body must be one JSON object with a query")),
            Err(error) => {
                Err(refuse(StatusCode::BAD_REQUEST, format!("the body is not JSON: line {}, column {}", error.line(), error.column())))
            }
        }
    }

    /// Reads a request from its members, each of which must be of its type.
    pub(crate) fn from_members(mut members: Map<String, Json>) -> Result<Self, Refused> {
        let wrong = |name: &str, expected: &str| refuse(StatusCode::BAD_REQUEST, format!("{name} must be {expected}"));
        let mut text = |name: &str, expected: &str| match members.remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, expected)),
        };
        let query = text("query", "a text with the GraphQL document")?;
        let document_id = text("documentId", "the name or the hash of a saved query")?;
        let operation = text("operationName", "a text")?.filter(|name| !name.is_empty());
        let variables = match members.remove("variables") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(variables)) => variables,
            Some(_) => return Err(wrong("variables", "an object")),
        };
        let hash = match members.remove("extensions") {
            None | Some(Json::Null) => None,
            Some(Json::Object(extensions)) => persisted(&extensions)?,
            Some(_) => return Err(wrong("extensions", "an object")),
        };
        if query.is_none() && hash.is_none() && document_id.is_none() {
            return Err(wrong("query", "a text with the GraphQL document"));
        }
        if document_id.is_some() && query.is_some() {
            return Err(refuse(StatusCode::BAD_REQUEST, "give query or documentId, not both"));
        }
        Ok(Self { query, hash, document_id, operation, variables })
    }

    /// Finds the document that the request names.
    pub(crate) async fn into_run(self, service: &AppState) -> Result<ToRun, NoDocument> {
        let Self { query, hash: wanted, document_id, mut operation, mut variables } = self;
        let failed = |error: crate::core::error::Error| NoDocument::Failed(GraphqlError::from(error));
        let (query, keep, saved) = match (query, wanted, document_id) {
            (Some(query), None, _) => (query, None, None),
            (Some(query), Some(wanted), _) => match sha256_hex(&query) == wanted {
                true => (query, Some(wanted), None),
                false => return Err(NoDocument::Wrong(refuse(StatusCode::BAD_REQUEST, "provided sha does not match query"))),
            },
            (None, Some(wanted), None) => {
                let known = service.documents.0.get(&wanted);
                metrics::record_cache_lookup(metrics::CacheKind::PersistedDocuments, known.is_some());
                match known {
                    Some(query) => (query, None, None),
                    None => match service.store.saved_document(&wanted).await.map_err(failed)? {
                        Some(query) => (query, None, Some(short(&wanted))),
                        None => {
                            return Err(NoDocument::Unknown(GraphqlError::new(codes::PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")));
                        }
                    },
                }
            }
            (None, _, Some(which)) => {
                let saved = service.store.saved_query(&which).await.map_err(failed)?;
                let saved = saved.ok_or_else(|| {
                    let message = format!(
                        "documentId: there is no saved query with the name or hash \"{}\"",
                        which.chars().take(100).collect::<String>()
                    );
                    NoDocument::Wrong(refuse(StatusCode::NOT_FOUND, message))
                })?;
                let given = std::mem::replace(&mut variables, saved.variables);
                variables.extend(given);
                operation = operation.or(saved.operation_name);
                let known_by = saved.name.unwrap_or_else(|| short(&saved.hash));
                (saved.document, None, Some(known_by))
            }
            (None, None, None) => {
                return Err(NoDocument::Wrong(refuse(StatusCode::BAD_REQUEST, "query must be a text with the GraphQL document")));
            }
        };
        Ok(ToRun { asked: OperationRequest { query, operation, variables, uploads: Vec::new() }, keep, saved })
    }
}

impl PersistedDocuments {
    /// How many are kept, and their bytes.
    pub(crate) fn kept(&self) -> (u64, u64) {
        self.0.run_pending_tasks();
        (self.0.entry_count(), self.0.weighted_size())
    }

    /// Keeps a valid document under its hash.
    pub(crate) fn keep(&self, hash: String, text: &str) {
        if text.len() <= LONGEST {
            self.0.insert(hash, text.to_owned());
        }
    }
}

/// The beginning of a hash, by which people can tell it apart.
fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// The hash in the extension of automatic persisted queries.
fn persisted(extensions: &Map<String, Json>) -> Result<Option<String>, Refused> {
    let wrong = |message| refuse(StatusCode::BAD_REQUEST, message);
    let Some(persisted) = extensions.get("persistedQuery").filter(|given| !given.is_null()) else { return Ok(None) };
    if persisted.get("version").and_then(Json::as_u64) != Some(1) {
        return Err(wrong("extensions.persistedQuery.version must be 1: only that version of persisted queries is known"));
    }
    match persisted.get("sha256Hash").and_then(Json::as_str) {
        Some(hash) if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(Some(hash.to_ascii_lowercase())),
        _ => Err(wrong("extensions.persistedQuery.sha256Hash must be the SHA-256 of the query in hexadecimal")),
    }
}
