//! The GraphQL request, parsed from a query string, a body or a WebSocket message.
//!
//! Instead of a query, a request can name a stored document: by the hash of an automatic persisted query
//! (`extensions.persistedQuery`), or by the name or hash of a saved query, its id in a manifest, or the hash of its document
//! with the prefix `sha256:` (`documentId`).

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value as Json};

use crate::core::auth::{Caller, Role};
use crate::core::digest::sha256_hex;
use crate::core::error::Error;
use crate::core::nearest::nearest;
use crate::core::strict_json;
use crate::graphql::engine::{OnError, OperationRequest};
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::executor::json_object;
use crate::http::response::{CachedResponse, HttpReject, MediaType, reject, reject_response, request_error};
use crate::http::state::AppState;
use crate::observability::metrics;
use crate::store::access::saved_query::HASH_PREFIX;

/// The member that names a saved query.
pub(super) const DOCUMENT_ID: &str = "documentId";
/// The member that says what an error does to the response.
pub(super) const ON_ERROR: &str = "onError";
/// The members of a request.
const MEMBERS: [&str; 6] = ["query", DOCUMENT_ID, "operationName", ON_ERROR, "variables", "extensions"];
/// Message of a request without a document.
const QUERY_REQUIRED: &str = "query must be a string with the GraphQL document";
/// Values of the parameter `onError`.
const ON_ERROR_VALUES: &str = "PROPAGATE, NULL or HALT";
/// Characters of a hash that identify a saved query without a name.
const SHORT_HASH_CHARS: usize = 12;
/// Characters of an unknown `documentId` that the error message quotes.
const MAX_QUOTED_CHARS: usize = 100;

/// A parsed request.
#[derive(Debug)]
pub(crate) struct GraphqlRequest {
    query: Option<String>,
    /// SHA-256 of the document, of an automatic persisted query.
    persisted_hash: Option<String>,
    /// Name or hash of a saved query.
    document_id: Option<String>,
    operation_name: Option<String>,
    on_error: OnError,
    variables: Map<String, Json>,
}

/// A request with its document.
#[derive(Debug)]
pub(crate) struct ResolvedRequest {
    pub(crate) request: OperationRequest,
    /// Hash under which to cache the document once it has been validated.
    pub(crate) persist_as: Option<String>,
    /// Name of the saved query, or its shortened hash.
    pub(crate) saved_query: Option<String>,
}

/// Why a request cannot be resolved.
#[derive(Debug)]
pub(crate) enum DocumentError {
    /// The hash is unknown; the client may retry with the document.
    NotFound(GraphqlError),
    /// The request is not valid.
    Rejected(HttpReject),
    /// The lookup failed.
    Failed(GraphqlError),
}

fn bad_request(message: impl Into<String>) -> HttpReject {
    reject(StatusCode::BAD_REQUEST, message)
}

impl GraphqlRequest {
    /// Parses a query string.
    pub(crate) fn from_query_string(query: &[u8]) -> Result<Self, HttpReject> {
        let mut members = Map::new();
        for (name, value) in url::form_urlencoded::parse(query) {
            // `saved` is the short form for readable URLs
            let name = if name == "saved" { DOCUMENT_ID.into() } else { name };
            let member = match name.as_ref() {
                "query" | "operationName" | "documentId" | "onError" => Json::String(value.into_owned()),
                "variables" | "extensions" if value.is_empty() => continue,
                "variables" | "extensions" => {
                    let parsed = strict_json::parse(value.as_bytes());
                    parsed.map_err(|error| bad_request(error.message(&format!("the URL parameter {name}"))))?
                }
                // the parameters of the endpoint itself
                _ => continue,
            };
            if members.insert(name.clone().into_owned(), member).is_some() {
                return Err(bad_request(format!("the URL parameter {name} is given twice")));
            }
        }
        Self::from_members(members)
    }

    /// Parses a body.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, HttpReject> {
        match strict_json::parse(body) {
            Ok(Json::Object(members)) => Self::from_members(members),
            Ok(_) => Err(bad_request("the body must be one JSON object with a query")),
            Err(error) => Err(bad_request(error.message("the body"))),
        }
    }

    /// Validates the members of a request.
    pub(crate) fn from_members(mut members: Map<String, Json>) -> Result<Self, HttpReject> {
        let mut text = |name: &str, expected: &str| match members.remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(bad_request(format!("{name} must be {expected}"))),
        };
        let query = text("query", "a string with the GraphQL document")?;
        let document_id = text(DOCUMENT_ID, "the name, the hash or the id of a saved query")?;
        let operation_name = text("operationName", "a string")?.filter(|name| !name.is_empty());
        let on_error = match text(ON_ERROR, ON_ERROR_VALUES)? {
            None => OnError::default(),
            Some(value) => {
                value.parse().map_err(|_| bad_request(format!("onError: \"{value}\" is not known; it must be {ON_ERROR_VALUES}")))?
            }
        };
        let variables = match members.remove("variables") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(variables)) => variables,
            Some(_) => return Err(bad_request("variables must be an object")),
        };
        let persisted_hash = match members.remove("extensions") {
            None | Some(Json::Null) => None,
            Some(Json::Object(extensions)) => persisted_hash(&extensions)?,
            Some(_) => return Err(bad_request("extensions must be an object")),
        };
        // other members are ignored, as the specification allows them, unless a known one was probably meant
        let misspelled = members.keys().find_map(|name| Some((name, nearest(name, MEMBERS.into_iter())?)));
        if let Some((name, meant)) = misspelled {
            return Err(bad_request(format!("the request has no member \"{name}\"; did you mean {meant}?")));
        }
        if query.is_none() && persisted_hash.is_none() && document_id.is_none() {
            return Err(bad_request(QUERY_REQUIRED));
        }
        if document_id.is_some() && query.is_some() {
            return Err(bad_request("specify query or documentId, not both"));
        }
        Ok(Self { query, persisted_hash, document_id, operation_name, on_error, variables })
    }

    /// Converts a request of the framework, which carries `documentId` and `onError` in its extensions.
    pub(crate) fn from_framework(request: &async_graphql::Request) -> Result<Self, HttpReject> {
        let mut extensions = json_object(&*request.extensions);
        let mut members = Map::new();
        for name in [DOCUMENT_ID, ON_ERROR] {
            members.extend(extensions.remove(name).map(|member| (name.to_owned(), member)));
        }
        // the framework does not tell an absent query from an empty one
        if !request.query.is_empty() {
            members.insert("query".to_owned(), Json::from(request.query.as_str()));
        }
        members.insert("operationName".to_owned(), Json::from(request.operation_name.clone()));
        members.insert("variables".to_owned(), Json::Object(json_object(&*request.variables)));
        members.insert("extensions".to_owned(), Json::Object(extensions));
        Self::from_members(members)
    }

    /// Looks up the document that the request names.
    pub(crate) async fn resolve(self, state: &AppState, caller: &Caller) -> Result<ResolvedRequest, DocumentError> {
        let Self { query, persisted_hash, document_id, operation_name: mut operation, on_error, mut variables } = self;
        let (query, persist_as, saved_query) = match (query, persisted_hash, document_id) {
            (Some(query), expected, _) => {
                if expected.as_ref().is_some_and(|expected| sha256_hex(&query) != *expected) {
                    return Err(DocumentError::Rejected(bad_request("provided sha does not match query")));
                }
                require_trusted(state, caller, &query).await?;
                (query, expected, None)
            }
            (None, Some(expected), None) => {
                let (query, saved_query) = persisted_document(state, caller, &expected).await?;
                (query, None, saved_query)
            }
            (None, _, Some(document_id)) if document_id.starts_with(HASH_PREFIX) => {
                let hash = document_hash(&document_id).map_err(DocumentError::Rejected)?;
                let found = persisted_document(state, caller, &hash).await;
                let (query, saved_query) = found.map_err(|error| match error {
                    DocumentError::NotFound(_) => no_document(&document_id),
                    DocumentError::Rejected(_) | DocumentError::Failed(_) => error,
                })?;
                (query, None, saved_query)
            }
            (None, _, Some(document_id)) => {
                let saved = state.store.saved_query(&document_id).await.map_err(lookup_failed)?;
                let saved = saved.ok_or_else(|| no_document(&document_id))?;
                // the variables of the request override those of the saved query
                let given = std::mem::replace(&mut variables, saved.variables);
                variables.extend(given);
                operation = operation.or(saved.operation_name);
                let name = saved.name.unwrap_or_else(|| short_hash(&saved.hash));
                (saved.document, None, Some(name))
            }
            (None, None, None) => return Err(DocumentError::Rejected(bad_request(QUERY_REQUIRED))),
        };
        let request = OperationRequest { query, operation, variables, uploads: Vec::new(), on_error };
        Ok(ResolvedRequest { request, persist_as, saved_query })
    }
}

fn no_document(document_id: &str) -> DocumentError {
    let quoted: String = document_id.chars().take(MAX_QUOTED_CHARS).collect();
    let message = format!("documentId: there is no saved query with the name, hash or id \"{quoted}\"");
    DocumentError::Rejected(reject(StatusCode::NOT_FOUND, message))
}

/// The hash in a `documentId` such as `sha256:<hex>`, in lowercase.
fn document_hash(document_id: &str) -> Result<String, HttpReject> {
    let hash = document_id.strip_prefix(HASH_PREFIX).unwrap_or(document_id);
    if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hash.to_ascii_lowercase());
    }
    Err(bad_request("documentId: sha256: must be followed by the SHA-256 of the document in hexadecimal"))
}

/// Requires that a document is saved if the server executes trusted documents only. Editors and admins can send any.
async fn require_trusted(state: &AppState, caller: &Caller, query: &str) -> Result<(), DocumentError> {
    if !state.trusted_documents_only || caller.role > Role::Reader {
        return Ok(());
    }
    match state.store.saved_document(&sha256_hex(query)).await.map_err(lookup_failed)? {
        Some(_) => Ok(()),
        None => Err(DocumentError::Rejected(reject(
            StatusCode::FORBIDDEN,
            "this server executes only saved queries (trusted_documents_only); send the documentId of one",
        ))),
    }
}

fn lookup_failed(error: Error) -> DocumentError {
    DocumentError::Failed(GraphqlError::from(error))
}

/// The document with this hash: a persisted one, or that of a saved query with its shortened hash.
///
/// An editor may have sent a persisted one that readers of trusted documents must not execute.
async fn persisted_document(state: &AppState, caller: &Caller, hash: &str) -> Result<(String, Option<String>), DocumentError> {
    let persisted = state.persisted_documents.get(hash);
    metrics::record_cache_lookup(metrics::CacheKind::PersistedDocuments, persisted.is_some());
    if let Some(query) = persisted {
        require_trusted(state, caller, &query).await?;
        return Ok((query, None));
    }
    match state.store.saved_document(hash).await.map_err(lookup_failed)? {
        Some(query) => Ok((query, Some(short_hash(hash)))),
        None => Err(DocumentError::NotFound(GraphqlError::new(codes::PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound"))),
    }
}

fn short_hash(hash: &str) -> String {
    hash.chars().take(SHORT_HASH_CHARS).collect()
}

/// The hash in the extension of automatic persisted queries, in lowercase.
fn persisted_hash(extensions: &Map<String, Json>) -> Result<Option<String>, HttpReject> {
    let Some(persisted) = extensions.get("persistedQuery").filter(|persisted| !persisted.is_null()) else { return Ok(None) };
    if persisted.get("version").and_then(Json::as_u64) != Some(1) {
        return Err(bad_request("extensions.persistedQuery.version must be 1, the only supported version"));
    }
    match persisted.get("sha256Hash").and_then(Json::as_str) {
        Some(hash) if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(Some(hash.to_ascii_lowercase())),
        Some(_) | None => Err(bad_request("extensions.persistedQuery.sha256Hash must be the SHA-256 of the query in hexadecimal")),
    }
}

/// The response to a request that cannot be resolved.
pub(crate) fn document_error_response(media_type: MediaType, error: DocumentError) -> Response {
    match error {
        DocumentError::NotFound(error) | DocumentError::Failed(error) => {
            let response = CachedResponse { is_valid_until_change: false, ..request_error(media_type, &[error]) };
            let mut response = response.into_response();
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        DocumentError::Rejected(reject) => reject_response(media_type, &reject),
    }
}
