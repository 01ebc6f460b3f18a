//! The endpoint `/graphql`: GraphQL over HTTP, after the draft specification of the GraphQL working group.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SEC_WEBSOCKET_VERSION, UPGRADE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mime::Mime;

use crate::core::auth::{Caller, Role};
use crate::core::error::Error;
use crate::core::nearest::nearest;
use crate::graphql::engine::{OperationResult, PrepareError, PreparedOperation};
use crate::graphql::error::GraphqlError;
use crate::http::authentication::authenticate;
use crate::http::body::{is_too_long, read_limited};
use crate::http::client::{ClientContext, accepted_languages};
use crate::http::conditional::Validators;
use crate::http::graphql::execute::{execute, response_body};
use crate::http::graphql::multipart::MultipartRequest;
use crate::http::graphql::request::{DOCUMENT_ID, GraphqlRequest, ON_ERROR, ResolvedRequest, document_error_response};
use crate::http::graphql::response_cache::{Cacheability, ResponseCacheKey};
use crate::http::graphql::{sse, websocket};
use crate::http::middleware::request_log::OperationLog;
use crate::http::response::{
    CachedResponse, HttpReject, MediaType, ValidUntilChange, accepted_media_types, error_response, execution_failure, overloaded_response,
    reject, reject_response, request_error,
};
use crate::http::state::AppState;
use crate::observability::metrics;

/// Message of a subscription over a transport without streams.
const STREAM_REQUIRED: &str = "a subscription requires a stream: send it with Accept: text/event-stream, or over a WebSocket to this URL with the protocol graphql-transport-ws";
/// The parameters of the URL.
const PARAMETERS: [&str; 7] = ["query", "saved", DOCUMENT_ID, "variables", "operationName", "extensions", ON_ERROR];
const PRIVATE_NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

/// `GET /graphql`: a query in the URL, the handshake of a WebSocket, or a browser that opens the URL.
pub async fn get(
    State(state): State<Arc<AppState>>,
    client: ClientContext,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => return websocket::upgrade(state, client, upgrade).await,
        Err(rejection) if requests_websocket(&client) => return handshake_rejected(&rejection),
        // a server may ignore the offer of another protocol, such as h2c (RFC 9110, 7.8)
        Err(_) => {}
    }
    let query = query.unwrap_or_default();
    if prefers_html(&client) && !names_document(&query) {
        return redirect_to_graphiql(&query);
    }
    if let Err(reject) = reject_misspelled(&query) {
        return reject_response(MediaType::negotiate_or_json(&client), &reject);
    }
    respond(&state, &client, Bytes::from(query), true).await
}

/// Rejects parameters whose names resemble those of the endpoint. Others are ignored, as the specification allows them.
fn reject_misspelled(query: &str) -> Result<(), HttpReject> {
    // most names are known as they are, without decoding
    let unknown = query.split('&').filter(|pair| !PARAMETERS.contains(&pair.split('=').next().unwrap_or_default()));
    for (name, _) in unknown.flat_map(|pair| url::form_urlencoded::parse(pair.as_bytes())) {
        if !PARAMETERS.contains(&name.as_ref())
            && !name.starts_with('_')
            && let Some(meant) = nearest(&name, PARAMETERS.into_iter())
        {
            return Err(reject(StatusCode::BAD_REQUEST, format!("there is no URL parameter \"{name}\"; did you mean {meant}?")));
        }
    }
    Ok(())
}

/// The response to a malformed handshake.
fn handshake_rejected(rejection: &WebSocketUpgradeRejection) -> Response {
    use WebSocketUpgradeRejection as Rejection;
    let requirement = match rejection {
        Rejection::WebSocketKeyHeaderMissing(_) => "the header Sec-WebSocket-Key",
        Rejection::InvalidWebSocketVersionHeader(_) => "the header Sec-WebSocket-Version: 13",
        Rejection::InvalidConnectionHeader(_) => "the header Connection: upgrade",
        _ => "a connection that can be upgraded",
    };
    let reject = reject(StatusCode::BAD_REQUEST, format!("the handshake of a WebSocket requires {requirement}"));
    let mut response = reject_response(MediaType::Json, &reject);
    response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}

/// Whether the request is the handshake of a WebSocket, well-formed or not.
fn requests_websocket(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Whether a query string specifies what to execute.
fn names_document(query: &str) -> bool {
    let mut names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    names.any(|name| matches!(name.as_ref(), "query" | "documentId" | "saved" | "extensions"))
}

/// Whether the client prefers a page to JSON. A page must be named: `*/*` is JSON.
fn prefers_html(headers: &HeaderMap) -> bool {
    let (mut html, mut json, mut any) = (0.0_f32, None::<f32>, 0.0_f32);
    for (media_type, weight) in accepted_media_types(headers) {
        match media_type.essence_str() {
            "text/html" | "application/xhtml+xml" => html = html.max(weight),
            "application/json" | "application/graphql-response+json" => json = Some(json.unwrap_or_default().max(weight)),
            "application/*" | "*/*" => any = any.max(weight),
            _ => {}
        }
    }
    // a named type is preferred to a range of the same weight
    html > 0.0 && json.map_or(html >= any, |json| html > json)
}

/// Sends a browser to GraphiQL, with the query string.
fn redirect_to_graphiql(query: &str) -> Response {
    let location = if query.is_empty() { "/graphiql".to_owned() } else { format!("/graphiql?{query}") };
    match HeaderValue::from_bytes(location.as_bytes()) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location), (VARY, HeaderValue::from_static("Accept"))]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// `POST /graphql`: an operation in the body.
pub async fn post(State(state): State<Arc<AppState>>, client: ClientContext, body: Body) -> Response {
    if client.get(CONTENT_TYPE).is_some_and(is_multipart) {
        return Box::pin(respond_to_multipart(&state, &client, body)).await;
    }
    match read_body(&state, &client, body).await {
        Ok(body) => respond(&state, &client, body, false).await,
        Err(reject) => reject_response(MediaType::negotiate_or_json(&client), &reject),
    }
}

/// Every other method.
pub async fn method_not_allowed() -> Response {
    let reject = reject(StatusCode::METHOD_NOT_ALLOWED, "the methods of this URL are GET and POST");
    let mut response = reject_response(MediaType::Json, &reject);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

async fn read_body(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Bytes, HttpReject> {
    if !headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return Err(reject(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON in UTF-8; send it with Content-Type: application/json",
        ));
    }
    let max_bytes = state.max_body_bytes;
    let read = tokio::time::timeout(state.timeouts.body(), read_limited(body, max_bytes)).await;
    let read = read.map_err(|_| reject(StatusCode::REQUEST_TIMEOUT, "the body was not received in time (timeouts.body_seconds)"))?;
    read.map_err(|error| {
        if is_too_long(&error) {
            metrics::record_limit_hit("body_bytes");
            reject(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {max_bytes} bytes (max_body_bytes)"))
        } else {
            reject(StatusCode::BAD_REQUEST, "the body ended before it was complete")
        }
    })
}

/// Whether a media type is JSON in UTF-8.
fn is_json(content_type: &HeaderValue) -> bool {
    if content_type == "application/json" {
        return true;
    }
    let media_type: Option<Mime> = content_type.to_str().ok().and_then(|text| text.parse().ok());
    media_type.is_some_and(|media_type| {
        media_type.essence_str() == "application/json" && media_type.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8)
    })
}

fn is_multipart(content_type: &HeaderValue) -> bool {
    let media_type: Option<Mime> = content_type.to_str().ok().and_then(|text| text.parse().ok());
    media_type.is_some_and(|media_type| media_type.essence_str() == "multipart/form-data")
}

async fn respond(state: &AppState, client: &ClientContext, payload: Bytes, is_get: bool) -> Response {
    if sse::is_preferred(client) {
        return Box::pin(sse::respond(state, client, payload, is_get)).await;
    }
    if client.contains_key(AUTHORIZATION) {
        return Box::pin(respond_with_token(state, client, payload, is_get)).await;
    }
    if !is_get {
        let generation = state.store.version().await.inspect_err(Error::log).ok().and_then(|version| version.generation);
        return respond_cached(state, client, payload, is_get, generation).await;
    }
    let validators = match Validators::check(state, client, &[b"graphql", &payload]).await {
        Ok(validators) => validators,
        Err(not_modified) => return not_modified,
    };
    let response = respond_cached(state, client, payload, is_get, validators.generation()).await;
    match response.extensions().get::<ValidUntilChange>() {
        Some(ValidUntilChange) => validators.apply(response),
        None => validators.apply_uncacheable(response),
    }
}

/// Responds to a request without a token, from the cache if possible.
async fn respond_cached(state: &AppState, client: &ClientContext, payload: Bytes, is_get: bool, generation: Option<u64>) -> Response {
    let key = cache_key(state, client, &payload, is_get, generation);
    if let Some(key) = &key
        && let Some(response) = state.response_cache.get(key).await
    {
        return response.into_response();
    }
    // boxed because the future is large, and a cached response does not need it
    Box::pin(respond_as(state, client, payload, is_get, &Caller::reader(), key)).await
}

/// Responds to a request with a token. The response is cached nowhere, as it may depend on the caller.
async fn respond_with_token(state: &AppState, client: &ClientContext, payload: Bytes, is_get: bool) -> Response {
    let mut response = match authenticate(&state.store, client).await {
        Ok(caller) => respond_as(state, client, payload, is_get, &caller, None).await,
        Err(error) => error_response(MediaType::negotiate_or_json(client), error),
    };
    response.headers_mut().insert(CACHE_CONTROL, PRIVATE_NO_STORE);
    response
}

/// Responds to a request with files. The body is read only if the caller is an editor.
async fn respond_to_multipart(state: &AppState, client: &ClientContext, body: Body) -> Response {
    let media_type = MediaType::negotiate_or_json(client);
    let caller = match authenticate(&state.store, client).await.and_then(|caller| caller.require(Role::Editor).map(|()| caller)) {
        Ok(caller) => caller,
        Err(error) => return error_response(media_type, error),
    };
    let multipart = match MultipartRequest::read(client, body, state.max_upload_bytes).await {
        Ok(multipart) => multipart,
        Err(reject) => return reject_response(media_type, &reject),
    };
    let request = match GraphqlRequest::from_members(multipart.members.clone()) {
        Ok(request) => request,
        Err(reject) => return reject_response(media_type, &reject),
    };
    let mut resolved = match request.resolve(state, &caller).await {
        Ok(resolved) => resolved,
        Err(error) => return document_error_response(media_type, error),
    };
    resolved.request.uploads = multipart.uploads();
    let Some(_permit) = state.admission_queue.acquire(client.rate_limit.client(&caller)).await else {
        return overloaded_response(media_type);
    };
    let mut response = execute_request(state, client, media_type, resolved, false, &caller, None).await;
    response.headers_mut().insert(CACHE_CONTROL, PRIVATE_NO_STORE);
    response
}

/// Responds to a request of this caller, and caches the response under `key`.
async fn respond_as(
    state: &AppState,
    client: &ClientContext,
    payload: Bytes,
    is_get: bool,
    caller: &Caller,
    key: Option<ResponseCacheKey>,
) -> Response {
    let Some(media_type) = MediaType::negotiate(client) else {
        let message = "responses are application/graphql-response+json or application/json; accept one of them";
        return reject_response(MediaType::Json, &reject(StatusCode::NOT_ACCEPTABLE, message));
    };
    let Some(_permit) = state.admission_queue.acquire(client.rate_limit.client(caller)).await else {
        return overloaded_response(media_type);
    };
    let request = match if is_get { GraphqlRequest::from_query_string(&payload) } else { GraphqlRequest::from_body(&payload) } {
        Ok(request) => request,
        Err(reject) => return reject_response(media_type, &reject),
    };
    let resolved = match request.resolve(state, caller).await {
        Ok(resolved) => resolved,
        Err(error) => return document_error_response(media_type, error),
    };
    execute_request(state, client, media_type, resolved, is_get, caller, key).await
}

/// Prepares, charges and executes a resolved request.
async fn execute_request(
    state: &AppState,
    client: &ClientContext,
    media_type: MediaType,
    ResolvedRequest { request, persist_as, saved_query }: ResolvedRequest,
    is_get: bool,
    caller: &Caller,
    key: Option<ResponseCacheKey>,
) -> Response {
    let languages = accepted_languages(client);
    let prepared = match state.api.prepare(request, |kind| !is_get || kind != OperationType::Mutation) {
        Ok(prepared) => prepared,
        Err(PrepareError::Invalid(errors)) => return request_error(media_type, &errors).into_response(),
        Err(PrepareError::OperationNotAllowed) => {
            let reject = reject(StatusCode::METHOD_NOT_ALLOWED, "mutations require POST");
            let mut response = reject_response(media_type, &reject);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
    };
    if prepared.kind() == OperationType::Subscription {
        return reject_response(media_type, &reject(StatusCode::BAD_REQUEST, STREAM_REQUIRED));
    }
    let caller = &match client.rate_limit.charge_query(caller, prepared.points()) {
        Ok(allowance) => Caller { allowance, ..caller.clone() },
        Err(limited) => return limited.response(),
    };
    if let Some(hash) = persist_as {
        state.persisted_documents.insert(hash, prepared.text());
    }
    let computed = async {
        let log = OperationLog::start(state, &prepared, saved_query);
        match execute(state, &prepared, log, &languages, caller).await {
            Ok(result) => success(media_type, &prepared, &result),
            Err(error) if error.is_transient() => Cacheability::Uncacheable(execution_failure(media_type, &[error])),
            Err(error) => Cacheability::Cacheable(request_error(media_type, &[error])),
        }
    };
    let response = match key {
        Some(key) => state.response_cache.get_or_compute(key, computed).await,
        None => match computed.await {
            Cacheability::Cacheable(response) | Cacheability::Uncacheable(response) => response,
        },
    };
    response.into_response()
}

/// The cache key of a request; `None` if the cache is disabled or the generation of the dataset is unknown.
fn cache_key(state: &AppState, headers: &HeaderMap, payload: &Bytes, is_get: bool, generation: Option<u64>) -> Option<ResponseCacheKey> {
    if !state.response_cache.is_enabled() {
        return None;
    }
    // parsed: a header that does not change the response must not make another entry
    Some(ResponseCacheKey {
        generation: generation?,
        role: Role::Reader,
        is_get,
        payload: payload.clone(),
        media_type: MediaType::negotiate(headers)?,
        languages: accepted_languages(headers),
    })
}

fn success(media_type: MediaType, prepared: &PreparedOperation, result: &OperationResult) -> Cacheability {
    let body = response_body(prepared.cost(), result).into();
    let is_valid_until_change = !result.is_personal && !result.errors.iter().any(GraphqlError::is_transient);
    let response = CachedResponse { status: StatusCode::OK, media_type, is_valid_until_change, body };
    if is_valid_until_change { Cacheability::Cacheable(response) } else { Cacheability::Uncacheable(response) }
}
