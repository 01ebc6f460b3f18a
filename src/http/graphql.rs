//! GraphQL over HTTP, after the specification of that name (draft of the GraphQL working group).

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mime::Mime;
use serde_json::{Map, Value as Json, json};

use super::Service;
use super::cache::{Answered, Kept, Key};
use super::caller;
use super::multipart::Sent;
use crate::error::{Code, Error};
use crate::graphql::{Answer, Asked, Failure, Refused as NotRun, codes};
use crate::lang::Languages;
use crate::role::{Caller, Role};

/// Media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Media {
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

/// Why a request was not run.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

pub(super) fn refuse(status: StatusCode, message: impl Into<String>) -> Refused {
    Refused { status, message: message.into() }
}

/// A query in the address.
pub async fn get(State(service): State<Arc<Service>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    answer(&service, &headers, Bytes::from(query.unwrap_or_default()), true).await
}

/// A query or mutation in the body.
pub async fn post(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Response {
    if headers.get(CONTENT_TYPE).is_some_and(is_multipart) {
        return Box::pin(answer_with_files(&service, &headers, body)).await;
    }
    match read_body(&headers, body, service.body_limit).await {
        Ok(body) => answer(&service, &headers, body, false).await,
        Err(refused) => error(Media::negotiate(&headers).unwrap_or(Media::Json), &refused),
    }
}

/// Any other method.
pub async fn other_method() -> Response {
    let mut response = error(Media::Json, &refuse(StatusCode::METHOD_NOT_ALLOWED, "GraphQL is asked by GET or POST"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

fn from_address(query: &[u8]) -> Result<Asked, Refused> {
    from_pairs(url::form_urlencoded::parse(query))
}

/// Reads a request from names and values of an address; others than its own are left out.
pub(super) fn from_pairs<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Result<Asked, Refused> {
    let mut members = Map::new();
    for (name, value) in pairs {
        let member = match name.as_ref() {
            "query" | "operationName" => Json::String(value.into_owned()),
            "variables" | "extensions" if value.is_empty() => continue,
            "variables" | "extensions" => {
                serde_json::from_str(&value).map_err(|_| refuse(StatusCode::BAD_REQUEST, format!("{name} in the address is not JSON")))?
            }
            _ => continue,
        };
        if members.insert(name.clone().into_owned(), member).is_some() {
            return Err(refuse(StatusCode::BAD_REQUEST, format!("{name} is given twice in the address")));
        }
    }
    asked(members)
}

async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refused> {
    if !headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON in UTF-8; send it with Content-Type: application/json",
        ));
    }
    to_bytes(body, limit).await.map_err(|error| {
        let too_long = std::error::Error::source(&error).is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
        match too_long {
            true => refuse(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit} bytes")),
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

fn from_body(body: &[u8]) -> Result<Asked, Refused> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(members)) => asked(members),
        Ok(_) => Err(refuse(StatusCode::BAD_REQUEST, "the body must be one JSON object with a query")),
        Err(error) => {
            Err(refuse(StatusCode::BAD_REQUEST, format!("the body is not JSON: line {}, column {}", error.line(), error.column())))
        }
    }
}

/// Reads a request from its members, each of which must be of its type.
pub(super) fn asked(mut members: Map<String, Json>) -> Result<Asked, Refused> {
    let wrong = |name: &str, expected: &str| refuse(StatusCode::BAD_REQUEST, format!("{name} must be {expected}"));
    let Some(Json::String(query)) = members.remove("query") else { return Err(wrong("query", "a text with the GraphQL document")) };
    let operation = match members.remove("operationName") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err(wrong("operationName", "a text")),
    };
    let variables = match members.remove("variables") {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(variables)) => variables,
        Some(_) => return Err(wrong("variables", "an object")),
    };
    match members.remove("extensions") {
        None | Some(Json::Null | Json::Object(_)) => Ok(Asked { query, operation, variables, uploads: Vec::new() }),
        Some(_) => Err(wrong("extensions", "an object")),
    }
}

async fn answer(service: &Service, headers: &HeaderMap, asked: Bytes, is_get: bool) -> Response {
    if headers.contains_key(AUTHORIZATION) {
        return Box::pin(answer_with_token(service, headers, asked, is_get)).await;
    }
    let key = key(service, headers, &asked, is_get).await;
    if let Some(key) = &key
        && let Some(kept) = service.answers.get(key).await
    {
        return send(kept);
    }
    // apart, because what it takes to run a query is large, and would be moved about with every kept answer too
    Box::pin(make(service, headers, asked, is_get, &Caller::reader(), key)).await
}

/// Answers one who shows a token. What they see is for them alone: it is kept neither here nor on the way.
async fn answer_with_token(service: &Service, headers: &HeaderMap, asked: Bytes, is_get: bool) -> Response {
    let mut response = match caller::of(&service.store, headers).await {
        Ok(caller) => make(service, headers, asked, is_get, &caller, None).await,
        Err(failed) => rejected(Media::negotiate(headers).unwrap_or(Media::Json), failed),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// Answers a request with files. Only of those who may change something are they read at all.
async fn answer_with_files(service: &Service, headers: &HeaderMap, body: Body) -> Response {
    let media = Media::negotiate(headers).unwrap_or(Media::Json);
    let caller = match caller::of(&service.store, headers).await {
        Ok(caller) => match caller.require(Role::Editor) {
            Ok(()) => caller,
            Err(error) => return rejected(media, error),
        },
        Err(error) => return rejected(media, error),
    };
    let sent = match Sent::read(headers, body, service.upload_limit).await {
        Ok(sent) => sent,
        Err(refused) => return error(media, &refused),
    };
    let asked = match asked(sent.members.clone()) {
        Ok(asked) => Asked { uploads: sent.uploads(), ..asked },
        Err(refused) => return error(media, &refused),
    };
    let mut response = run(service, headers, media, asked, false, &caller, None).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

fn is_multipart(media: &HeaderValue) -> bool {
    let media: Option<Mime> = media.to_str().ok().and_then(|text| text.parse().ok());
    media.is_some_and(|media| media.essence_str() == "multipart/form-data")
}

/// The answer to a token that does not work.
fn rejected(media: Media, error: Error) -> Response {
    let status = match error.code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let body = json!({"errors": [Failure::new(error.code.as_str(), error.message)]});
    let mut response = send(Kept { status, media, body: body.to_string().into() });
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    }
    response
}

/// Runs what is asked, and keeps the answer.
async fn make(service: &Service, headers: &HeaderMap, asked: Bytes, is_get: bool, caller: &Caller, key: Option<Key>) -> Response {
    let Some(media) = Media::negotiate(headers) else {
        let message = "answers are application/graphql-response+json or application/json; accept one of them";
        return error(Media::Json, &refuse(StatusCode::NOT_ACCEPTABLE, message));
    };
    let asked = match if is_get { from_address(&asked) } else { from_body(&asked) } {
        Ok(asked) => asked,
        Err(refused) => return error(media, &refused),
    };
    run(service, headers, media, asked, is_get, caller, key).await
}

/// Runs a request that has been read.
async fn run(
    service: &Service,
    headers: &HeaderMap,
    media: Media,
    asked: Asked,
    is_get: bool,
    caller: &Caller,
    key: Option<Key>,
) -> Response {
    let languages = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map(Languages::from_header).unwrap_or_default();
    let prepared = match service.api.prepare(asked, |kind| !is_get || kind == OperationType::Query).await {
        Ok(prepared) => prepared,
        Err(NotRun::Failures(failures)) => return send(not_run(media, &failures)),
        Err(NotRun::Kind) => {
            let mut response = error(media, &refuse(StatusCode::METHOD_NOT_ALLOWED, "only queries are run by GET; send this by POST"));
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
    };
    let run = async {
        match service.api.run(&prepared, &languages, caller).await {
            Ok(answer) => answered(media, &answer),
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

/// What an answer to this is kept under, where answers are kept and it is known whether the dataset has changed.
async fn key(service: &Service, headers: &HeaderMap, asked: &Bytes, is_get: bool) -> Option<Key> {
    if !service.answers.are_kept() {
        return None;
    }
    Some(Key {
        generation: service.store.generation().await?,
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

/// The answer as a JSON object; errors, if there are any, first.
fn answered(media: Media, answer: &Answer) -> Answered {
    let mut body = Vec::with_capacity(answer.data.len() + 16);
    body.push(b'{');
    if !answer.failures.is_empty() {
        body.extend_from_slice(b"\"errors\":");
        body.extend_from_slice(json!(answer.failures).to_string().as_bytes());
        body.push(b',');
    }
    body.extend_from_slice(b"\"data\":");
    body.extend_from_slice(&answer.data);
    body.push(b'}');
    let kept = Kept { status: StatusCode::OK, media, body: body.into() };
    let failed = answer.failures.iter().any(Failure::is_of_the_moment);
    if failed { Answered::Once(kept) } else { Answered::Always(kept) }
}

/// The answer to a request that was not run: errors, and no data.
fn not_run(media: Media, failures: &[Failure]) -> Kept {
    let status = if media == Media::Response { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Kept { status, media, body: json!({"errors": failures}).to_string().into() }
}

fn error(media: Media, refused: &Refused) -> Response {
    let body = json!({"errors": [Failure::new(codes::REQUEST, &refused.message)]});
    send(Kept { status: refused.status, media, body: body.to_string().into() })
}

fn send(kept: Kept) -> Response {
    let headers = [(CONTENT_TYPE, kept.media.as_str()), (VARY, "Accept, Accept-Language, Authorization")];
    (kept.status, headers, kept.body).into_response()
}
