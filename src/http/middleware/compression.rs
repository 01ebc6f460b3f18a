//! Which content coding a response gets, and what that means for its entity tag.
//!
//! `tower-http` compresses; it prefers zstd to Brotli where a client accepts both equally, as browsers do. At the levels in
//! use, a Brotli response is smaller: by 2 % for a page of records, by 3 % for the schema.

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG};
use axum::http::{HeaderMap, HeaderValue, Request};
use axum::response::Response;

const BROTLI: &str = "br";
const ZSTD: &str = "zstd";

/// Withdraws zstd from the request unless the client prefers it to Brotli, so that Brotli precedes zstd and zstd gzip.
pub(crate) fn prefer_brotli<B>(mut request: Request<B>) -> Request<B> {
    let headers = request.headers_mut();
    let brotli = weight(headers, BROTLI);
    if brotli > 0.0 && brotli >= weight(headers, ZSTD) {
        let kept = codings(headers).filter(|(coding, _)| !coding.eq_ignore_ascii_case(ZSTD));
        let mut rewritten: Vec<String> = kept.map(|(coding, weight)| format!("{coding};q={weight}")).collect();
        // named, because * would include it
        rewritten.push(format!("{ZSTD};q=0"));
        if let Ok(value) = HeaderValue::from_str(&rewritten.join(", ")) {
            headers.insert(ACCEPT_ENCODING, value);
        }
    }
    request
}

/// Makes the entity tag of a compressed response weak: a strong one belongs to one sequence of bytes (RFC 9110, 8.8.1).
pub(crate) fn weaken_etag<B>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    if headers.contains_key(CONTENT_ENCODING)
        && let Some(strong) = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""))
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", strong.as_bytes()].concat())
    {
        headers.insert(ETAG, weak);
    }
    response
}

/// The codings that the client accepts, with their weights as written.
fn codings(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|item| {
        let (coding, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = parameter.split_once('=').map_or("", |(_, weight)| weight);
        (coding.trim(), weight.trim())
    })
}

/// The weight of a coding: its own, or else that of `*`, or else 0.
fn weight(headers: &HeaderMap, coding: &str) -> f32 {
    let of =
        |name: &str| codings(headers).find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, weight)| weight.parse().unwrap_or(0.0));
    of(coding).or_else(|| of("*")).unwrap_or(0.0)
}
