//! Results as server-sent events: the protocol graphql-sse in "distinct connections mode", one connection per operation.

use std::convert::Infallible;

use async_graphql::parser::types::OperationType;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::mpsc;
use tracing::Instrument;

use crate::graphql::error::{GraphqlError, codes};
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, accepted_languages};
use crate::http::graphql::execute::response_body;
use crate::http::graphql::request::GraphqlRequest;
use crate::http::graphql::stream_limits::StreamLimits;
use crate::http::graphql::streaming::{StartedOperation, start_operation};
use crate::http::response::{Acceptance, MediaType, error_response, errors_response, reject_response};
use crate::http::state::AppState;
use crate::observability::metrics;
use crate::observability::metrics::StreamKind;

/// Header with the id of the last event received, sent by a client that reconnects.
const LAST_EVENT_ID: &str = "last-event-id";
/// Events buffered for a client; a slower client delays the stream and is then disconnected.
const EVENT_BUFFER: usize = 8;

/// Whether the client prefers an event stream to JSON. It must be named: `*/*` is JSON.
pub(super) fn is_preferred(headers: &HeaderMap) -> bool {
    let stream = Acceptance::of(headers, mime::TEXT_EVENT_STREAM.essence_str());
    stream
        .filter(|stream| stream.is_named && stream.weight > 0.0)
        .is_some_and(|stream| MediaType::preferred(headers).is_none_or(|(_, json)| stream.is_above(json)))
}

/// Responds with an event stream.
pub(super) async fn respond(state: &AppState, client: &ClientContext, payload: Bytes, is_get: bool) -> Response {
    let caller = match authenticate(&state.store, client).await {
        Ok(caller) => caller,
        Err(error) => return error_response(MediaType::Json, error),
    };
    let request = match if is_get { GraphqlRequest::from_query_string(&payload) } else { GraphqlRequest::from_body(&payload) } {
        Ok(request) => request,
        Err(reject) => return reject_response(MediaType::Json, &reject),
    };
    let last_event_id = client.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let is_allowed = |kind| !is_get || kind != OperationType::Mutation;
    let languages = accepted_languages(client);
    let operation = start_operation(state, request, &languages, (&caller, &client.rate_limit), last_event_id, is_allowed).await;
    // a client retries by the status and Retry-After, which an event does not have
    if let StartedOperation::Failed(errors) = &operation
        && errors.iter().any(|error| [codes::UNAVAILABLE, codes::RATE_LIMITED].contains(&error.extensions.code))
    {
        return errors_response(MediaType::Json, errors);
    }
    let (sender, receiver) = mpsc::channel(EVENT_BUFFER);
    tokio::spawn(send_results(operation, sender, state.stream_limits.clone()).in_current_span());
    let events = futures_util::stream::unfold(receiver, async |mut receiver| Some((Ok::<_, Infallible>(receiver.recv().await?), receiver)));
    let keep_alive = KeepAlive::new().interval(state.stream_limits.keep_alive_interval).text("");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Language, Authorization"));
    // disables the response buffering of nginx
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn next_event(json: Vec<u8>) -> SseEvent {
    SseEvent::default().event("next").data(String::from_utf8(json).unwrap_or_default())
}

fn errors_event(errors: &[GraphqlError]) -> SseEvent {
    next_event(json!({"errors": errors}).to_string().into_bytes())
}

/// Sends all results of an operation. The stream ends without `complete` if the client does not read, and on shutdown, so
/// that the client reconnects.
async fn send_results(operation: StartedOperation, sender: mpsc::Sender<SseEvent>, limits: StreamLimits) {
    let _open = metrics::stream_open(StreamKind::Events);
    let send = async |event: SseEvent| tokio::time::timeout(limits.send_timeout, sender.send(event)).await.is_ok_and(|sent| sent.is_ok());
    let complete = || SseEvent::default().event("complete").data("");
    let mut stopped = std::pin::pin!(limits.stopped());
    match operation {
        StartedOperation::Completed(result, cost) => {
            let _ = send(next_event(response_body(cost, &result))).await && send(complete()).await;
        }
        StartedOperation::Failed(errors) => {
            let _ = send(errors_event(&errors)).await && send(complete()).await;
        }
        StartedOperation::Subscribed(mut events, _permit) => loop {
            let event = tokio::select! {
                biased;
                () = &mut stopped => return,
                () = sender.closed() => return,
                event = events.next() => event,
            };
            match event {
                Ok(event) => {
                    let mut json = b"{\"data\":".to_vec();
                    json.extend_from_slice(&event.data);
                    json.push(b'}');
                    if !send(next_event(json).id(event.cursor)).await {
                        tracing::debug!("event stream closed: the client does not read");
                        return;
                    }
                }
                Err(error) => {
                    let _ = send(errors_event(&[error])).await && send(complete()).await;
                    return;
                }
            }
        },
    }
}
