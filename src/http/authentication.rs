//! Authentication by the `Authorization` header. Tokens are never logged and never part of a cache key.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::core::auth::Caller;
use crate::core::error::{Result, unauthenticated};
use crate::store::Store;
use crate::store::access::token::TokenRejection;

/// The caller that sent these headers; a reader if there is no `Authorization` header.
pub(super) async fn authenticate(store: &Store, headers: &HeaderMap) -> Result<Caller> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = values.next() else { return Ok(Caller::reader()) };
    if values.next().is_some() {
        return Err(unauthenticated("the Authorization header is given twice; send one token"));
    }
    let Some(token) = first.to_str().ok().and_then(bearer_token) else {
        return Err(unauthenticated(
            "the Authorization header is malformed; send Authorization: Bearer kurultai_..., or omit it to read published records",
        ));
    };
    store.authenticate(token).await.map_err(TokenRejection::into_error)
}

/// The token of a header value; the scheme is case-insensitive.
fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
