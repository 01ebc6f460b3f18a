//! Headers that tell browsers what they may do with an answer.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// For pages: what they are made of comes from here, and nobody puts them into a frame.
const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// For all else: it is data, and nothing in it is run.
const DATA: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const ORIGIN: HeaderValue = HeaderValue::from_static("strict-origin-when-cross-origin");
const OPENER: HeaderName = header::HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS: HeaderName = header::HeaderName::from_static("permissions-policy");

/// For GraphiQL. Its editor makes style elements, for which the page has a nonce, and writes style attributes, on which
/// none can be put; neither can run anything. A font comes inside its styles.
pub(crate) fn policy_of_editor(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-elem 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Puts them on an answer that does not say otherwise.
pub(crate) fn harden<B>(mut response: Response<B>) -> Response<B> {
    if response.status() == StatusCode::NOT_MODIFIED {
        // what the browser has keeps the headers that it came with: those of this answer would take their place
        return response;
    }
    let headers = response.headers_mut();
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"text/html"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(if is_page { PAGE } else { DATA });
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(NO_SNIFF);
    headers.entry(REFERRER_POLICY).or_insert(ORIGIN);
    if is_page {
        headers.entry(OPENER).or_insert(HeaderValue::from_static("same-origin"));
        headers.entry(PERMISSIONS).or_insert(HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    }
    response
}
