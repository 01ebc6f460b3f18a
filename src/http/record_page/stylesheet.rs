//! The stylesheet of the record pages.

use std::sync::LazyLock;

use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::core::digest::hex_digest;

/// The styles shared with the landing page, and those of the record pages.
const CSS: &str = concat!(include_str!("../../../web/src/base.css"), include_str!("record.css"));

/// `GET /assets/record.css`. With its version as the query string, the response is immutable.
pub async fn get(RawQuery(query): RawQuery) -> Response {
    let is_current = query.as_deref() == Some(stylesheet_version());
    let cache_control = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", stylesheet_version());
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, cache_control), (ETAG, tag.as_str())], CSS).into_response()
}

/// Hash of the stylesheet.
pub(super) fn stylesheet_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| hex_digest(&Sha256::digest(CSS)[..8]));
    &VERSION
}
