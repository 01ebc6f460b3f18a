//! Operations over a transport that can carry any number of results: server-sent events and WebSocket.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;

use crate::core::auth::Caller;
use crate::core::error::Error;
use crate::core::language::Languages;
use crate::graphql::engine::{OperationResult, PrepareError};
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::limits::Cost;
use crate::graphql::subscription::EventStream;
use crate::http::graphql::client_meter::ClientMeter;
use crate::http::graphql::execute::execute;
use crate::http::graphql::request::{DocumentError, GraphqlRequest};
use crate::http::graphql::stream_limits::StreamPlace;
use crate::http::middleware::request_log::OperationLog;
use crate::http::rate_limiter::RateLimitHandle;
use crate::http::state::AppState;
use crate::observability::metrics;
use crate::observability::metrics::{GaugeGuard, StreamKind};

/// An operation that was started.
pub(super) enum StartedOperation {
    /// A query or mutation with its result and its cost.
    Completed(OperationResult, Cost),
    /// A subscription.
    Subscribed(Box<EventStream>, StreamPermit),
    /// The operation was rejected or failed.
    Failed(Vec<GraphqlError>),
}

/// The permit of an active subscription.
pub(super) struct StreamPermit {
    _place: StreamPlace,
    _open: GaugeGuard,
}

fn failed(error: GraphqlError) -> StartedOperation {
    StartedOperation::Failed(vec![error])
}

/// Executes a query or mutation, or starts a subscription, after the event `last_event_id` if it is given.
pub(super) async fn start_operation(
    state: &AppState,
    request: GraphqlRequest,
    languages: &Languages,
    (caller, rate_limit): (&Caller, &RateLimitHandle),
    last_event_id: Option<&str>,
    is_allowed: impl Fn(OperationType) -> bool,
) -> StartedOperation {
    let resolved = match request.resolve(state, caller).await {
        Ok(resolved) => resolved,
        Err(DocumentError::NotFound(error) | DocumentError::Failed(error)) => return failed(error),
        Err(DocumentError::Rejected(reject)) => return failed(GraphqlError::new(codes::BAD_REQUEST, reject.message)),
    };
    let prepared = match state.api.prepare(resolved.request, is_allowed) {
        Ok(prepared) => prepared,
        Err(PrepareError::Invalid(errors)) => return StartedOperation::Failed(errors),
        Err(PrepareError::OperationNotAllowed) => return failed(GraphqlError::new(codes::BAD_REQUEST, "mutations require POST")),
    };
    let caller = &match rate_limit.charge_query(caller, prepared.points()) {
        Ok(allowance) => Caller { allowance, ..caller.clone() },
        Err(limited) => return failed(limited.error()),
    };
    if let Some(hash) = resolved.persist_as {
        state.persisted_documents.insert(hash, prepared.text());
    }
    let log = OperationLog::start(state, &prepared, resolved.saved_query);
    if prepared.kind() != OperationType::Subscription {
        let Some(_permit) = state.admission_queue.acquire(rate_limit.client(caller)).await else {
            return failed(GraphqlError::from(Error::Overloaded));
        };
        return match execute(state, &prepared, log, languages, caller).await {
            Ok(result) => StartedOperation::Completed(result, prepared.cost()),
            Err(error) => failed(error),
        };
    }
    // subscribed before the permit is taken, so that no event after the response is missed
    let meter = ClientMeter::new(state, rate_limit, caller);
    let subscribed = log.scope(Box::pin(state.api.subscribe(&prepared, languages, caller, last_event_id, Arc::new(meter)))).await;
    log.finish(subscribed.is_ok(), None);
    match subscribed {
        Ok(events) => match state.stream_limits.try_acquire(rate_limit.client(caller).id) {
            Ok(place) => StartedOperation::Subscribed(
                Box::new(events),
                StreamPermit { _place: place, _open: metrics::stream_open(StreamKind::Subscription) },
            ),
            Err(error) => failed(error),
        },
        Err(error) => failed(error),
    }
}
