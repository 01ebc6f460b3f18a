//! Which pages of other origins may read the data: by default all, for it is public and nothing depends on cookies.

use std::time::Duration;

use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_LENGTH, ETAG, HeaderName, LAST_MODIFIED, LINK, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::http::middleware::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::http::middleware::request_log::REQUEST_ID;

/// How long a browser need not ask again whether it may ask.
const A_DAY: Duration = Duration::from_secs(86_400);
/// What stands for every origin in the configuration.
const EVERY: &str = "*";

/// Lets pages of these origins read answers. `*` stands for all.
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
        .max_age(A_DAY);
    if origins.iter().any(|origin| origin == EVERY) {
        // the answer is the same for every origin: a cache needs only one
        return layer.allow_origin(Any).vary([]);
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin.trim_end_matches('/')).ok());
    layer.allow_origin(origins.collect::<Vec<_>>()).vary([ORIGIN])
}
