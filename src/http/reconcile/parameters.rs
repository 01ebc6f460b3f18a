//! The parameters of a request, from the URL or a form, and the response: JSON, or a script if a callback is given.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mime::Mime;
use serde_json::Value as Json;

use crate::http::body::{is_too_long, read_limited};
use crate::http::response::{HttpReject, MediaType, reject, reject_response};
use crate::http::state::AppState;
use crate::http::url_parameters::UrlParameters;

/// The parameter that requests a script in place of JSON.
pub(super) const CALLBACK: &str = "callback";
/// Maximum length of the name of a callback.
const MAX_CALLBACK_CHARS: usize = 128;

/// A rejection with the status 400.
pub(super) fn bad_request(message: impl Into<String>) -> HttpReject {
    reject(StatusCode::BAD_REQUEST, message)
}

/// Reads the body of a form.
pub(super) async fn read_form(state: &AppState, headers: &HeaderMap, body: Body) -> Result<String, HttpReject> {
    let media_type: Option<Mime> = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.parse().ok());
    if media_type.is_none_or(|media_type| media_type.essence_str() != "application/x-www-form-urlencoded") {
        return Err(reject(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be a form with the field queries; send it with Content-Type: application/x-www-form-urlencoded",
        ));
    }
    let max_bytes = state.max_body_bytes;
    let read = tokio::time::timeout(state.timeouts.body(), read_limited(body, max_bytes)).await;
    let read = read.map_err(|_| reject(StatusCode::REQUEST_TIMEOUT, "the body was not received in time (timeouts.body_seconds)"))?;
    let bytes = read.map_err(|error| {
        if is_too_long(&error) {
            let message = format!("the body is longer than {max_bytes} bytes (max_body_bytes); send fewer queries at once");
            reject(StatusCode::PAYLOAD_TOO_LARGE, message)
        } else {
            bad_request("the body ended before it was complete")
        }
    })?;
    String::from_utf8(bytes.into()).map_err(|_| bad_request("the body is not text in UTF-8"))
}

/// The name of the function to call with the response; `None` for plain JSON. Anything but the name of a function is
/// rejected, so that the response cannot contain a script of the caller.
pub(super) fn callback(parameters: &UrlParameters) -> Result<Option<String>, HttpReject> {
    let Some(name) = parameters.value(CALLBACK) else { return Ok(None) };
    let is_identifier = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, '_' | '$'))
            && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$'))
    };
    if name.len() <= MAX_CALLBACK_CHARS && name.split('.').all(is_identifier) {
        return Ok(Some(name.to_owned()));
    }
    Err(bad_request(format!(
        "callback: this is not the name of a function; use at most {MAX_CALLBACK_CHARS} letters A to Z, digits, _ and $, and dots between names"
    )))
}

/// A response with JSON, or with a script that calls a function with it.
pub(super) fn respond(json: &Json, callback: Option<&str>) -> Response {
    let text = json.to_string();
    let (media_type, body) = match callback {
        None => ("application/json; charset=utf-8", text),
        Some(name) => {
            // line separators end a statement in old scripts; the comment keeps the name from being the first bytes of the response
            let text = text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
            ("text/javascript; charset=utf-8", format!("/**/{name}({text});"))
        }
    };
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(media_type)), (CACHE_CONTROL, HeaderValue::from_static("private, no-store"))];
    (headers, body).into_response()
}

/// The response to a rejected request.
#[expect(clippy::needless_pass_by_value, reason = "it maps the error of a result")]
pub(super) fn rejected(reject: HttpReject) -> Response {
    reject_response(MediaType::Json, &reject)
}
