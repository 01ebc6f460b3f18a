//! Responses: content negotiation, status codes of errors, and error responses.

use std::any::Any;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mime::Mime;
use serde_json::json;

use crate::core::error::{Error, ErrorCode, internal};
use crate::graphql::error::{GraphqlError, codes};

/// Seconds after which a client should retry, if nothing more is known.
const DEFAULT_RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Media type of a GraphQL response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status code says whether the request could be executed.
    GraphqlResponse,
    /// `application/json`, for older clients: the status code is 200 for every well-formed request.
    Json,
}

impl MediaType {
    fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The media type that the client prefers; `None` if it accepts neither.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        if !headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(|text| !text.trim().is_empty())) {
            return Some(Self::Json);
        }
        Self::preferred(headers).map(|(media_type, _)| media_type)
    }

    /// The media type that the `Accept` headers prefer, and how much.
    pub(super) fn preferred(headers: &HeaderMap) -> Option<(Self, Acceptance)> {
        let acceptance = |media_type, essence| Some((media_type, Acceptance::of(headers, essence)?));
        let json = acceptance(Self::Json, "application/json");
        let response = acceptance(Self::GraphqlResponse, "application/graphql-response+json");
        let accepted = [json, response].into_iter().flatten().filter(|(_, acceptance)| acceptance.weight > 0.0);
        // JSON comes first: a range such as */* means it
        accepted.reduce(|best, other| if other.1.is_above(best.1) { other } else { best })
    }

    /// The negotiated media type; JSON for an error response to a client that accepts neither.
    pub(super) fn negotiate_or_json(headers: &HeaderMap) -> Self {
        Self::negotiate(headers).unwrap_or(Self::Json)
    }
}

/// How much a client accepts a media type: what the most specific range says that matches (RFC 9110, 12.5.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Acceptance {
    /// From 0, not accepted, to 1.
    pub(super) weight: f32,
    /// Whether the range is the media type itself rather than a pattern.
    pub(super) is_named: bool,
    /// Position of the range in the headers.
    position: usize,
}

impl Acceptance {
    /// The acceptance of a media type such as `text/html`, in UTF-8; `None` if no range matches.
    pub(super) fn of(headers: &HeaderMap, essence: &str) -> Option<Self> {
        let mut best: Option<(u8, Self)> = None;
        for (position, (range, weight)) in accepted_media_types(headers).enumerate() {
            let is_utf8 = range.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8);
            let specificity = match range.essence_str() {
                named if named == essence => 2,
                "*/*" => 0,
                pattern if pattern.strip_suffix('*').is_some_and(|kind| kind.ends_with('/') && essence.starts_with(kind)) => 1,
                _ => continue,
            };
            let acceptance = Self { weight, is_named: specificity == 2, position };
            if is_utf8 && best.is_none_or(|(known, best)| (specificity, weight) > (known, best.weight)) {
                best = Some((specificity, acceptance));
            }
        }
        best.map(|(_, acceptance)| acceptance)
    }

    /// Whether a media type is preferred to another: its weight is higher, or it is equal and the client lists it first.
    pub(super) fn is_above(self, other: Self) -> bool {
        self.weight > other.weight || (self.weight >= other.weight && self.position < other.position)
    }
}

/// The media ranges of the `Accept` headers with their weights, in the order of the client. Malformed ranges are ignored; a
/// malformed weight is 0.
pub(super) fn accepted_media_types(headers: &HeaderMap) -> impl Iterator<Item = (Mime, f32)> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|range| {
        let range: Mime = range.trim().parse().ok()?;
        let weight = range.get_param("q").map_or(1.0, |weight| weight.as_str().parse().unwrap_or(0.0));
        Some((range, weight))
    })
}

/// Response extension: the response is valid until the dataset changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValidUntilChange;

/// An HTTP request that is rejected before a GraphQL operation exists.
#[derive(Debug)]
pub(super) struct HttpReject {
    pub(super) status: StatusCode,
    /// What is wrong and what would be right.
    pub(super) message: String,
}

/// A rejection with this status code and message.
pub(super) fn reject(status: StatusCode, message: impl Into<String>) -> HttpReject {
    HttpReject { status, message: message.into() }
}

/// A response that can be cached in memory.
#[derive(Debug, Clone)]
pub(super) struct CachedResponse {
    pub(super) status: StatusCode,
    pub(super) media_type: MediaType,
    /// Whether it is valid until the dataset changes.
    pub(super) is_valid_until_change: bool,
    pub(super) body: Bytes,
}

impl IntoResponse for CachedResponse {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, self.media_type.as_str()), (VARY, "Accept, Accept-Language, Authorization")];
        let mut response = (self.status, headers, self.body).into_response();
        if self.is_valid_until_change {
            response.extensions_mut().insert(ValidUntilChange);
        }
        response
    }
}

/// The response to a request whose handler panicked. The server goes on.
#[expect(clippy::needless_pass_by_value, reason = "tower-http passes the cause by value")]
pub(super) fn panic_response(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    error_response(MediaType::Json, internal(format!("panic: {}", text.unwrap_or("unknown payload"))))
}

/// The response to a request that failed; logs the cause of the error.
pub(super) fn error_response(media_type: MediaType, error: Error) -> Response {
    errors_response(media_type, &[GraphqlError::from(error)])
}

/// The response with these errors and without data. The status code follows from the codes of the errors.
pub(super) fn errors_response(media_type: MediaType, errors: &[GraphqlError]) -> Response {
    let mut response = execution_failure(media_type, errors).into_response();
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    }
    response
}

/// An operation whose execution failed as a whole. The status code follows from the codes of the errors.
pub(super) fn execution_failure(media_type: MediaType, errors: &[GraphqlError]) -> CachedResponse {
    let has = |code: &str| errors.iter().any(|error| error.extensions.code == code);
    let status = STATUS_CODES.iter().find(|(code, _)| has(code)).map_or(StatusCode::BAD_REQUEST, |(_, status)| *status);
    CachedResponse { status, media_type, is_valid_until_change: false, body: json!({"errors": errors}).to_string().into() }
}

/// A request error of the GraphQL specification: the operation was not executed.
pub(super) fn request_error(media_type: MediaType, errors: &[GraphqlError]) -> CachedResponse {
    let status = match media_type {
        MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
        MediaType::Json => StatusCode::OK,
    };
    CachedResponse { status, media_type, is_valid_until_change: false, body: json!({"errors": errors}).to_string().into() }
}

/// Status codes by error code, in order of precedence. Every other code is an error of the client.
const STATUS_CODES: [(&str, StatusCode); 6] = [
    (ErrorCode::Unauthenticated.as_str(), StatusCode::UNAUTHORIZED),
    (ErrorCode::Forbidden.as_str(), StatusCode::FORBIDDEN),
    (codes::RATE_LIMITED, StatusCode::TOO_MANY_REQUESTS),
    (ErrorCode::Unavailable.as_str(), StatusCode::SERVICE_UNAVAILABLE),
    (ErrorCode::Timeout.as_str(), StatusCode::GATEWAY_TIMEOUT),
    (ErrorCode::Internal.as_str(), StatusCode::INTERNAL_SERVER_ERROR),
];

/// The status code of an error.
pub(super) fn status_code(code: ErrorCode) -> StatusCode {
    STATUS_CODES.iter().find(|(known, _)| *known == code.as_str()).map_or(StatusCode::BAD_REQUEST, |(_, status)| *status)
}

/// The response 503 to a request that was not admitted.
pub(super) fn overloaded_response(media_type: MediaType) -> Response {
    error_response(media_type, Error::Overloaded)
}

/// Adds `Retry-After` to every response that asks the client to retry later, whatever made it.
pub(super) fn insert_retry_after<B>(mut response: axum::http::Response<B>) -> axum::http::Response<B> {
    if matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().entry(RETRY_AFTER).or_insert(DEFAULT_RETRY_AFTER);
    }
    response
}

/// The response to a rejected request.
pub(super) fn reject_response(media_type: MediaType, reject: &HttpReject) -> Response {
    let code = STATUS_CODES.iter().find(|(_, status)| *status == reject.status).map_or(codes::BAD_REQUEST, |(code, _)| *code);
    let body = json!({"errors": [GraphqlError::new(code, &reject.message)]}).to_string().into();
    CachedResponse { status: reject.status, media_type, is_valid_until_change: false, body }.into_response()
}
