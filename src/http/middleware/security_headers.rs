//! Security headers: content security policies, MIME sniffing, referrers.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// Policy of pages: resources from this origin only, no framing.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// Policy of data: nothing is loaded or executed.
const DATA_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const DEFAULT_REFERRER_POLICY: HeaderValue = HeaderValue::from_static("strict-origin-when-cross-origin");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = header::HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = header::HeaderName::from_static("permissions-policy");

/// Policy of GraphiQL. Its editor creates style elements, which the nonce allows, and style attributes, which cannot have
/// a nonce; neither executes code. One font is embedded in its styles.
pub(crate) fn graphiql_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-elem 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Sets the headers that a response does not set itself.
pub(crate) fn insert_security_headers<B>(mut response: Response<B>) -> Response<B> {
    if response.status() == StatusCode::NOT_MODIFIED {
        // headers of a 304 would replace those of the response that the browser has cached
        return response;
    }
    let headers = response.headers_mut();
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"text/html"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(if is_page { PAGE_POLICY } else { DATA_POLICY });
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(NO_SNIFF);
    headers.entry(REFERRER_POLICY).or_insert(DEFAULT_REFERRER_POLICY);
    if is_page {
        headers.entry(CROSS_ORIGIN_OPENER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
        headers.entry(PERMISSIONS_POLICY).or_insert(HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    }
    response
}
