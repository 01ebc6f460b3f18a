//! Who asks, by the `Authorization` header. A token is written nowhere: not into a log, not into a key.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::core::auth::Caller;
use crate::core::error::{Result, unauthenticated};
use crate::store::Store;
use crate::store::access::token::TokenRejection;

/// The one who sent these headers.
pub(super) async fn of(store: &Store, headers: &HeaderMap) -> Result<Caller> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = given.next() else { return Ok(Caller::reader()) };
    if given.next().is_some() {
        return Err(unauthenticated("Authorization is given twice; send one token"));
    }
    let Some(token) = first.to_str().ok().and_then(token) else {
        return Err(unauthenticated(
            "Authorization is not understood; send Authorization: Bearer kurultai_..., or leave it out to read what is published",
        ));
    };
    store.authenticate(token).await.map_err(TokenRejection::into_error)
}

/// The token in the value of the header; the name of the scheme is written in any case.
fn token(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
