//! Middleware that charges each request to its client and reports the points left.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::rate_limiter::{RATE_LIMIT, RateLimitHandle, insert_headers};
use crate::http::server::PeerAddress;
use crate::http::state::AppState;

/// Charges one point for each request, rejects it if none is left, and reports the points left in the response. Places are
/// counted for the same client, also without a limit.
pub(crate) async fn charge(State(state): State<Arc<AppState>>, mut request: Request, next: Next) -> Response {
    let Some(PeerAddress(peer)) = request.extensions().get::<PeerAddress>().copied() else { return next.run(request).await };
    let rate_limit = RateLimitHandle::new(&state.rate_limiter, state.rate_limiter.client_address(peer, request.headers()));
    if let Err(limited) = rate_limit.charge_request() {
        return limited.response();
    }
    request.extensions_mut().insert(rate_limit.clone());
    let mut response = next.run(request).await;
    if let Some(allowance) = rate_limit.take_latest().filter(|_| !response.headers().contains_key(RATE_LIMIT)) {
        insert_headers(response.headers_mut(), &allowance);
    }
    response
}
