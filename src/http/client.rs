//! The one who sends a request: what their headers say, and what they pay from.

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::http::middleware::rate_limit::Purse;

/// The headers of a request, and the purse that it is paid from.
#[derive(Debug, Clone)]
pub struct Sender {
    pub(super) headers: HeaderMap,
    pub(super) purse: Purse,
}

impl Deref for Sender {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        &self.headers
    }
}

impl<S: Sync> FromRequestParts<S> for Sender {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { headers: parts.headers.clone(), purse: parts.extensions.get().cloned().unwrap_or_default() })
    }
}
