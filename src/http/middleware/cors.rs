//! Cross-origin requests: by default every origin is allowed, because the data is public and no response depends on
//! cookies.

use std::time::Duration;

use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_LENGTH, ETAG, HeaderName, LAST_MODIFIED, LINK, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::http::middleware::request_log::REQUEST_ID;
use crate::http::rate_limiter::{RATE_LIMIT, RATE_LIMIT_POLICY};

/// Time for which a browser caches a preflight response.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(24);
/// The setting that allows every origin.
const ANY_ORIGIN: &str = "*";

/// Allows these origins to read responses; `*` allows all.
pub(crate) fn layer(origins: &[String]) -> CorsLayer {
    let exposed: [HeaderName; 11] = [
        CONTENT_DISPOSITION,
        CONTENT_LANGUAGE,
        CONTENT_LENGTH,
        ETAG,
        LAST_MODIFIED,
        LINK,
        RETRY_AFTER,
        WWW_AUTHENTICATE,
        REQUEST_ID,
        RATE_LIMIT,
        RATE_LIMIT_POLICY,
    ];
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(PREFLIGHT_MAX_AGE);
    if origins.iter().any(|origin| origin == ANY_ORIGIN) {
        // the response is the same for every origin: a cache needs one copy
        return layer.allow_origin(Any).vary([]);
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin.trim_end_matches('/')).ok());
    layer.allow_origin(origins.collect::<Vec<_>>()).vary([ORIGIN])
}
