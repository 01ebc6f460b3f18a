//! GraphQL over HTTP, after the specification of that name (draft of the GraphQL working group).

use std::any::Any;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, UPGRADE, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mime::Mime;
use serde_json::json;

use crate::core::auth::{Caller, Role};
use crate::core::error::{Error, ErrorCode, internal};
use crate::core::language::Languages;
use crate::graphql::engine::{OperationResult, PrepareError as NotRun, PreparedOperation};
use crate::graphql::error::{GraphqlError, codes};
use crate::http::authentication;
use crate::http::client::Sender;
use crate::http::conditional::Freshness;
use crate::http::graphql::multipart::Sent;
use crate::http::graphql::request::{NoDocument, Request, ToRun};
use crate::http::graphql::response_cache::{Answered, Kept, Key};
use crate::http::graphql::{sse, websocket};
use crate::http::middleware::request_log;
use crate::http::router::AppState;
use crate::observability::metrics;

/// Media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Media {
    /// `application/graphql-response+json`: the status tells whether the request could be run.
    Response,
    /// `application/json`, for older clients: the status is 200 for every request that is well formed.
    Json,
}

impl Media {
    fn as_str(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The media type that a client likes best, or none if it takes neither.
    fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
        if accept.trim().is_empty() {
            return Some(Self::Json);
        }
        let mut best: Option<(f32, Self)> = None;
        for range in accept.split(',').filter_map(|range| range.trim().parse::<Mime>().ok()) {
            let weight = range.get_param("q").map_or(Some(1.0), |q| q.as_str().parse().ok()).unwrap_or(0.0);
            let utf8 = range.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8);
            let media = match (range.type_().as_str(), range.subtype().as_str(), range.suffix().map(|suffix| suffix.as_str())) {
                ("application", "graphql-response", Some("json")) => Self::Response,
                ("application", "json", None) | ("application" | "*", "*", None) => Self::Json,
                _ => continue,
            };
            if weight > 0.0 && utf8 && best.is_none_or(|(least, _)| weight > least) {
                best = Some((weight, media));
            }
        }
        best.map(|(_, media)| media)
    }
}

/// Marks an answer that holds until the dataset changes.
#[derive(Debug, Clone, Copy)]
struct Holds;

/// Why a request was not run.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

/// What is said to who asks for a subscription by a request that is answered once.
const NO_STREAM: &str = "a subscription is answered by a stream: send this with Accept: text/event-stream, or over a WebSocket to this address with the protocol graphql-transport-ws";

/// What is said where there is no room to run anything more.
pub(crate) const BUSY: &str = "there is more to do here than can be done just now; try again in a moment";

pub(crate) fn refuse(status: StatusCode, message: impl Into<String>) -> Refused {
    Refused { status, message: message.into() }
}

/// A query in the address, or a WebSocket that wants to be opened.
pub async fn get(
    State(service): State<Arc<AppState>>,
    sender: Sender,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    match upgrade {
        Ok(upgrade) => return websocket::upgrade(service, sender, upgrade),
        Err(rejected) if sender.contains_key(UPGRADE) => return rejected.into_response(),
        Err(_) => {}
    }
    answer(&service, &sender, Bytes::from(query.unwrap_or_default()), true).await
}

/// A query or mutation in the body.
pub async fn post(State(service): State<Arc<AppState>>, sender: Sender, body: Body) -> Response {
    if sender.get(CONTENT_TYPE).is_some_and(is_multipart) {
        return Box::pin(answer_with_files(&service, &sender, body)).await;
    }
    match read_body(&service, &sender, body).await {
        Ok(body) => answer(&service, &sender, body, false).await,
        Err(refused) => error(Media::negotiate(&sender).unwrap_or(Media::Json), &refused),
    }
}

/// Any other method.
pub async fn other_method() -> Response {
    let mut response = error(Media::Json, &refuse(StatusCode::METHOD_NOT_ALLOWED, "GraphQL is asked by GET or POST"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

/// The answer to a request in which this program failed. It is one request that fails, and not the server.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    failed(Media::Json, &[GraphqlError::from(internal(format!("panic: {}", text.unwrap_or("of an unknown kind"))))])
}

async fn read_body(service: &AppState, headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    if !headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON in UTF-8; send it with Content-Type: application/json",
        ));
    }
    let limit = service.body_limit;
    let read = tokio::time::timeout(service.timeouts.body(), to_bytes(body, limit)).await;
    let read = read.map_err(|_| refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come to its end in time (timeouts.body_seconds)"))?;
    read.map_err(|error| {
        let too_long = std::error::Error::source(&error).is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
        match too_long {
            true => {
                metrics::record_limit_hit("body_bytes");
                refuse(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit} bytes"))
            }
            false => refuse(StatusCode::BAD_REQUEST, "the body could not be read to its end"),
        }
    })
}

/// Whether a media type is JSON in UTF-8.
fn is_json(media: &HeaderValue) -> bool {
    if media == "application/json" {
        return true;
    }
    let media: Option<Mime> = media.to_str().ok().and_then(|text| text.parse().ok());
    media.is_some_and(|media| {
        media.essence_str() == "application/json" && media.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8)
    })
}

async fn answer(service: &AppState, sender: &Sender, asked: Bytes, is_get: bool) -> Response {
    if sse::is_wanted(sender) {
        return Box::pin(sse::answer(service, sender, asked, is_get)).await;
    }
    if sender.contains_key(AUTHORIZATION) {
        return Box::pin(answer_with_token(service, sender, asked, is_get)).await;
    }
    if !is_get {
        let generation = service.store.version().await.ok().and_then(|version| version.generation);
        return answer_all(service, sender, asked, is_get, generation).await;
    }
    let fresh = match Freshness::of(service, sender, &[b"graphql", &asked]).await {
        Ok(fresh) => fresh,
        Err(not_modified) => return not_modified,
    };
    let response = answer_all(service, sender, asked, is_get, fresh.generation()).await;
    if response.extensions().get::<Holds>().is_some() { fresh.put(response) } else { fresh.put_once(response) }
}

/// Answers one without a token, where the dataset is in this state.
async fn answer_all(service: &AppState, sender: &Sender, asked: Bytes, is_get: bool, generation: Option<u64>) -> Response {
    let key = key(service, sender, &asked, is_get, generation);
    if let Some(key) = &key
        && let Some(kept) = service.answers.get(key).await
    {
        return send(kept);
    }
    // apart, because what it takes to run a query is large, and would be moved about with every kept answer too
    Box::pin(make(service, sender, asked, is_get, &Caller::reader(), key)).await
}

/// Answers one who shows a token. What they see is for them alone: it is kept neither here nor on the way.
async fn answer_with_token(service: &AppState, sender: &Sender, asked: Bytes, is_get: bool) -> Response {
    let mut response = match authentication::of(&service.store, sender).await {
        Ok(caller) => make(service, sender, asked, is_get, &caller, None).await,
        Err(failed) => rejected(Media::negotiate(sender).unwrap_or(Media::Json), failed),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// Answers a request with files. Only of those who may change something are they read at all.
async fn answer_with_files(service: &AppState, sender: &Sender, body: Body) -> Response {
    let media = Media::negotiate(sender).unwrap_or(Media::Json);
    let caller = match authentication::of(&service.store, sender).await {
        Ok(caller) => match caller.require(Role::Editor) {
            Ok(()) => caller,
            Err(error) => return rejected(media, error),
        },
        Err(error) => return rejected(media, error),
    };
    let sent = match Sent::read(sender, body, service.upload_limit).await {
        Ok(sent) => sent,
        Err(refused) => return error(media, &refused),
    };
    let request = match Request::from_members(sent.members.clone()) {
        Ok(request) => request,
        Err(refused) => return error(media, &refused),
    };
    let asked = match request.into_run(service).await {
        Ok(mut found) => {
            found.asked.uploads = sent.uploads();
            found
        }
        Err(missing) => return no_document(media, missing),
    };
    let mut response = run(service, sender, media, asked, false, &caller, None).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

fn is_multipart(media: &HeaderValue) -> bool {
    let media: Option<Mime> = media.to_str().ok().and_then(|text| text.parse().ok());
    media.is_some_and(|media| media.essence_str() == "multipart/form-data")
}

/// The answer to a token that does not work.
pub(crate) fn rejected(media: Media, error: Error) -> Response {
    failed(media, &[GraphqlError::from(error)])
}

/// The answer to a request that is wrong or failed, where the status tells which.
pub(crate) fn failed(media: Media, failures: &[GraphqlError]) -> Response {
    let mut response = send(broken(media, failures));
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    }
    response
}

/// The same, as it is sent.
fn broken(media: Media, failures: &[GraphqlError]) -> Kept {
    let has = |code: &str| failures.iter().any(|failure| failure.extensions.code == code);
    let found = STATUSES.iter().find(|(code, _)| has(code));
    let status = found.map_or(StatusCode::BAD_REQUEST, |(_, status)| *status);
    Kept { status, media, holds: false, body: json!({"errors": failures}).to_string().into() }
}

/// Statuses of errors by their codes, those that count most first. All others are errors of the request.
const STATUSES: [(&str, StatusCode); 6] = [
    (ErrorCode::Unauthenticated.as_str(), StatusCode::UNAUTHORIZED),
    (ErrorCode::Forbidden.as_str(), StatusCode::FORBIDDEN),
    (codes::RATE, StatusCode::TOO_MANY_REQUESTS),
    (ErrorCode::Unavailable.as_str(), StatusCode::SERVICE_UNAVAILABLE),
    (ErrorCode::Timeout.as_str(), StatusCode::GATEWAY_TIMEOUT),
    (ErrorCode::Internal.as_str(), StatusCode::INTERNAL_SERVER_ERROR),
];

/// The status of an error.
pub(crate) fn status(code: ErrorCode) -> StatusCode {
    STATUSES.iter().find(|(known, _)| *known == code.as_str()).map_or(StatusCode::BAD_REQUEST, |(_, status)| *status)
}

/// Runs what is asked, and keeps the answer.
async fn make(service: &AppState, sender: &Sender, asked: Bytes, is_get: bool, caller: &Caller, key: Option<Key>) -> Response {
    let Some(media) = Media::negotiate(sender) else {
        let message = "answers are application/graphql-response+json or application/json; accept one of them";
        return error(Media::Json, &refuse(StatusCode::NOT_ACCEPTABLE, message));
    };
    let Some(_place) = service.admission.enter().await else { return busy(media) };
    let request = match if is_get { Request::from_address(&asked) } else { Request::from_body(&asked) } {
        Ok(request) => request,
        Err(refused) => return error(media, &refused),
    };
    let asked = match request.into_run(service).await {
        Ok(asked) => asked,
        Err(missing) => return no_document(media, missing),
    };
    run(service, sender, media, asked, is_get, caller, key).await
}

/// The answer where there is no room to run anything more.
fn busy(media: Media) -> Response {
    let mut response = failed(media, &[GraphqlError::new(codes::UNAVAILABLE, BUSY)]);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Runs a request that has been read.
async fn run(
    service: &AppState,
    sender: &Sender,
    media: Media,
    ToRun { asked, keep, saved }: ToRun,
    is_get: bool,
    caller: &Caller,
    key: Option<Key>,
) -> Response {
    let languages = languages(sender);
    let prepared = match service.api.prepare(asked, |kind| !is_get || kind != OperationType::Mutation).await {
        Ok(prepared) => prepared,
        Err(NotRun::Failures(failures)) => return send(not_run(media, &failures)),
        Err(NotRun::Kind) => {
            let mut response = error(media, &refuse(StatusCode::METHOD_NOT_ALLOWED, "only queries are run by GET; send this by POST"));
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
    };
    if prepared.kind() == OperationType::Subscription {
        return error(media, &refuse(StatusCode::BAD_REQUEST, NO_STREAM));
    }
    let caller = &match sender.purse.pay(caller, prepared.nodes()) {
        Ok(allowance) => Caller { allowance, ..caller.clone() },
        Err(spent) => return spent.response(),
    };
    if let Some(hash) = keep {
        service.documents.keep(hash, prepared.text());
    }
    let run = async {
        let operation = request_log::Operation::begin(service, &prepared, saved);
        match execute(service, &prepared, operation, &languages, caller).await {
            Ok(answer) => answered(media, &prepared, &answer),
            Err(failure) if failure.is_of_the_moment() => Answered::Once(broken(media, &[failure])),
            Err(failure) => Answered::Always(not_run(media, &[failure])),
        }
    };
    let kept = match key {
        Some(key) => service.answers.get_or(key, run).await,
        None => match run.await {
            Answered::Always(kept) | Answered::Once(kept) => kept,
        },
    };
    send(kept)
}

/// Runs an operation; a query for as long as one may take. What changes something is never left half way: its database
/// may still be at it.
pub(crate) async fn execute(
    service: &AppState,
    prepared: &PreparedOperation,
    operation: request_log::Operation,
    languages: &Languages,
    caller: &Caller,
) -> Result<OperationResult, GraphqlError> {
    // what it takes to run a query is large, and would be part of everything around it
    let run = operation.of(Box::pin(service.api.run(prepared, languages, caller)));
    let answer = match prepared.kind() {
        OperationType::Mutation => run.await,
        _ => tokio::time::timeout(service.timeouts.request(), run).await.unwrap_or_else(|_| Err(GraphqlError::from(Error::Timeout))),
    };
    let is_whole = answer.as_ref().is_ok_and(|answer| answer.failures.is_empty());
    operation.end(is_whole, answer.as_ref().ok().map(|answer| answer.data.len()));
    answer
}

/// The languages that one prefers.
pub(crate) fn languages(headers: &HeaderMap) -> Languages {
    headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map(Languages::from_header).unwrap_or_default()
}

/// The answer to a request whose document is not there.
pub(crate) fn no_document(media: Media, missing: NoDocument) -> Response {
    match missing {
        NoDocument::Unknown(failure) | NoDocument::Failed(failure) => {
            let mut response = send(Kept { holds: false, ..not_run(media, &[failure]) });
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        NoDocument::Wrong(refused) => error(media, &refused),
    }
}

/// What an answer to this is kept under, where answers are kept and it is known whether the dataset has changed.
fn key(service: &AppState, headers: &HeaderMap, asked: &Bytes, is_get: bool, generation: Option<u64>) -> Option<Key> {
    if !service.answers.are_kept() {
        return None;
    }
    Some(Key {
        generation: generation?,
        role: Role::Reader,
        is_get,
        asked: asked.clone(),
        accept: one(headers, ACCEPT)?,
        accept_language: one(headers, ACCEPT_LANGUAGE)?,
    })
}

/// A header that is given once or not at all.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<Option<HeaderValue>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().cloned();
    values.next().is_none().then_some(first)
}

/// The answer as a JSON object; errors, if there are any, first, and last what it cost.
pub(crate) fn body(prepared: &PreparedOperation, answer: &OperationResult) -> Vec<u8> {
    let mut body = Vec::with_capacity(answer.data.len() + 80);
    body.push(b'{');
    if !answer.failures.is_empty() {
        body.extend_from_slice(b"\"errors\":");
        body.extend_from_slice(json!(answer.failures).to_string().as_bytes());
        body.push(b',');
    }
    body.extend_from_slice(b"\"data\":");
    body.extend_from_slice(&answer.data);
    body.extend_from_slice(format!(",\"extensions\":{{\"cost\":{{\"nodes\":{}}}}}}}", prepared.nodes()).as_bytes());
    body
}

fn answered(media: Media, prepared: &PreparedOperation, answer: &OperationResult) -> Answered {
    let body = body(prepared, answer);
    let holds = !answer.is_personal && !answer.failures.iter().any(GraphqlError::is_of_the_moment);
    let kept = Kept { status: StatusCode::OK, media, holds, body: body.into() };
    if holds { Answered::Always(kept) } else { Answered::Once(kept) }
}

/// The answer to a request that was not run: errors, and no data.
pub(crate) fn not_run(media: Media, failures: &[GraphqlError]) -> Kept {
    let status = if media == Media::Response { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Kept { status, media, holds: false, body: json!({"errors": failures}).to_string().into() }
}

pub(crate) fn error(media: Media, refused: &Refused) -> Response {
    let body = json!({"errors": [GraphqlError::new(codes::REQUEST, &refused.message)]});
    send(Kept { status: refused.status, media, holds: false, body: body.to_string().into() })
}

pub(crate) fn send(kept: Kept) -> Response {
    let headers = [(CONTENT_TYPE, kept.media.as_str()), (VARY, "Accept, Accept-Language, Authorization")];
    let mut response = (kept.status, headers, kept.body).into_response();
    if kept.holds {
        response.extensions_mut().insert(Holds);
    }
    response
}
