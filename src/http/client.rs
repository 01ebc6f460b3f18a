//! The client of a request: its headers and its rate limit.

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, HOST};
use axum::http::request::Parts;
use url::Url;

use crate::core::language::Languages;
use crate::http::rate_limiter::RateLimitHandle;

/// Extractor of the headers of a request and the rate limit that it is charged to.
#[derive(Debug, Clone)]
pub struct ClientContext {
    pub(super) headers: HeaderMap,
    pub(super) rate_limit: RateLimitHandle,
}

impl Deref for ClientContext {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        &self.headers
    }
}

impl<S: Sync> FromRequestParts<S> for ClientContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { headers: parts.headers.clone(), rate_limit: parts.extensions.get().cloned().unwrap_or_default() })
    }
}

/// The languages of the `Accept-Language` headers.
pub(super) fn accepted_languages(headers: &HeaderMap) -> Languages {
    Languages::from_headers(headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok()))
}

/// The origin under which the client reaches the server, from `Host` and `X-Forwarded-Proto`; empty without a valid host.
pub(super) fn request_origin(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if text("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    let host = text(HOST.as_str()).and_then(|host| Url::parse(&format!("{scheme}://{host}")).ok());
    host.map_or(String::new(), |url| url.origin().ascii_serialization())
}
