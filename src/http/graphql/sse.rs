//! Answers as streams of events: the protocol graphql-sse, a connection for each operation ("distinct connections mode").
//!
//! What is shared with WebSockets is here too: how an operation begins, and how many streams there may be.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::body::Bytes;
use axum::http::header::{ACCEPT, CACHE_CONTROL, RETRY_AFTER, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch as told};
use tracing::Instrument;

use crate::core::auth::Caller;
use crate::core::language::Languages;
use crate::graphql::engine::PrepareError as NotRun;
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::subscription::EventStream;
use crate::http::authentication;
use crate::http::client::Sender;
use crate::http::graphql::handler::{BUSY, Media, body, error, execute, languages, refuse, rejected};
use crate::http::graphql::request::{NoDocument, Request};
use crate::http::middleware::rate_limit::Purse;
use crate::http::middleware::request_log;
use crate::http::router::AppState;
use crate::observability::metrics;
use crate::observability::metrics::{GaugeGuard, StreamKind};

/// What a client of graphql-sse, or a browser, sends of the last event that it got.
const LAST_EVENT_ID: &str = "last-event-id";
/// Events that wait for a client at most; who reads more slowly than they come is waited for, and then cut off.
const WAITING: usize = 8;
/// What is said where there is no room.
pub(crate) const FULL: &str = "this server has as many streams as it can bear; try again in a moment";

/// Streams that are open, and what they are held to.
#[derive(Debug, Clone)]
pub struct StreamLimits {
    room: Arc<Semaphore>,
    most: u32,
    stopping: told::Sender<bool>,
    /// How long it is waited for a client that does not read.
    pub patience: Duration,
    /// How often something is sent though nothing happens, so that nobody on the way takes the connection for dead.
    pub keep_alive: Duration,
    /// How long a WebSocket may be open before its client says who it is.
    pub initialization: Duration,
    /// Operations that one WebSocket may have under way.
    pub per_socket: usize,
}

impl StreamLimits {
    /// Room for this many streams: subscriptions and open WebSockets.
    pub fn new(most: u32) -> Self {
        let room = Arc::new(Semaphore::new(most as usize));
        let second = Duration::from_secs;
        Self {
            room,
            most,
            stopping: told::Sender::new(false),
            patience: second(20),
            keep_alive: second(12),
            initialization: second(10),
            per_socket: 50,
        }
    }

    /// Ends all streams, each in the way of its protocol, and lets no other begin.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until all streams have ended.
    pub async fn ended(&self) {
        // the room is never closed
        drop(self.room.acquire_many(self.most).await);
    }

    /// Number of streams that are open.
    pub fn open(&self) -> usize {
        (self.most as usize).saturating_sub(self.room.available_permits())
    }

    /// Number of streams that may be open.
    pub fn most(&self) -> u32 {
        self.most
    }

    /// A place for one more stream, if there is one.
    pub(crate) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        if *self.stopping.borrow() {
            return None;
        }
        let place = self.room.clone().try_acquire_owned().ok();
        if place.is_none() {
            metrics::record_limit_hit("streams");
        }
        place
    }

    /// Waits until the server stops.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopping = self.stopping.subscribe();
        async move { drop(stopping.wait_for(|stopping| *stopping).await) }
    }
}

/// An operation that has begun.
pub(crate) enum Operation {
    /// It was answered: this is the result.
    Done(Vec<u8>),
    /// It goes on.
    Following(Box<EventStream>, Place),
    /// It is wrong.
    Failed(Vec<GraphqlError>),
}

/// The place of a subscription that is followed.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _open: GaugeGuard,
}

/// Begins an operation of a client that can be sent any number of results.
pub(crate) async fn begin(
    service: &AppState,
    request: Request,
    languages: &Languages,
    (caller, purse): (&Caller, &Purse),
    last: Option<&str>,
    allows: impl Fn(OperationType) -> bool,
) -> Operation {
    let found = match request.into_run(service).await {
        Ok(found) => found,
        Err(NoDocument::Unknown(failure) | NoDocument::Failed(failure)) => return Operation::Failed(vec![failure]),
        Err(NoDocument::Wrong(refused)) => return Operation::Failed(vec![GraphqlError::new(codes::REQUEST, refused.message)]),
    };
    let prepared = match service.api.prepare(found.asked, allows).await {
        Ok(prepared) => prepared,
        Err(NotRun::Failures(failures)) => return Operation::Failed(failures),
        Err(NotRun::Kind) => return Operation::Failed(vec![GraphqlError::new(codes::REQUEST, "send this by POST: a GET changes nothing")]),
    };
    let caller = &match purse.pay(caller, prepared.nodes()) {
        Ok(allowance) => Caller { allowance, ..caller.clone() },
        Err(spent) => return Operation::Failed(vec![spent.failure()]),
    };
    if let Some(hash) = found.keep {
        service.documents.keep(hash, prepared.text());
    }
    let operation = request_log::Operation::begin(service, &prepared, found.saved);
    if prepared.kind() != OperationType::Subscription {
        let Some(_place) = service.admission.enter().await else {
            return Operation::Failed(vec![GraphqlError::new(codes::UNAVAILABLE, BUSY)]);
        };
        return match execute(service, &prepared, operation, languages, caller).await {
            Ok(answer) => Operation::Done(body(&prepared, &answer)),
            Err(failure) => Operation::Failed(vec![failure]),
        };
    }
    // whoever has a place follows already: what is written from then on is told
    let following = operation.of(service.api.follow(&prepared, languages, caller, last)).await;
    operation.end(following.is_ok(), None);
    match following {
        Ok(following) => match service.streams.enter() {
            Some(permit) => {
                Operation::Following(Box::new(following), Place { _permit: permit, _open: metrics::stream_open(StreamKind::Subscription) })
            }
            None => Operation::Failed(vec![GraphqlError::new(codes::UNAVAILABLE, FULL)]),
        },
        Err(failure) => Operation::Failed(vec![failure]),
    }
}

/// Whether a client wants a stream of events before anything else.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).next().is_some_and(|first| {
        let first: Option<mime::Mime> = first.trim().parse().ok();
        first.is_some_and(|media| media.essence_str() == mime::TEXT_EVENT_STREAM)
    })
}

/// Answers by a stream of events.
pub(crate) async fn answer(service: &AppState, sender: &Sender, asked: Bytes, is_get: bool) -> Response {
    let caller = match authentication::of(&service.store, sender).await {
        Ok(caller) => caller,
        Err(failed) => return rejected(Media::Json, failed),
    };
    let request = match if is_get { Request::from_address(&asked) } else { Request::from_body(&asked) } {
        Ok(request) => request,
        Err(refused) => return error(Media::Json, &refused),
    };
    let last = sender.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()).filter(|id| !id.is_empty());
    let allows = |kind| !is_get || kind != OperationType::Mutation;
    let operation = begin(service, request, &languages(sender), (&caller, &sender.purse), last, allows).await;
    if matches!(&operation, Operation::Failed(failures) if failures.iter().any(|failure| failure.message == FULL)) {
        let mut response = error(Media::Json, &refuse(StatusCode::SERVICE_UNAVAILABLE, FULL));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    }
    let (to, from) = mpsc::channel(WAITING);
    tokio::spawn(send_all(operation, to, service.streams.clone()).in_current_span());
    let events = futures_util::stream::unfold(from, async |mut from| Some((Ok::<_, Infallible>(from.recv().await?), from)));
    let keep_alive = KeepAlive::new().interval(service.streams.keep_alive).text("");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Language, Authorization"));
    // nginx would hold back what it should pass on
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn next(json: Vec<u8>) -> Sent {
    Sent::default().event("next").data(String::from_utf8(json).unwrap_or_default())
}

fn failed(failures: &[GraphqlError]) -> Sent {
    next(json!({"errors": failures}).to_string().into_bytes())
}

/// Sends all results of an operation. Where the client does not read, the stream ends; where the server stops, it ends
/// without the word that all is complete, so that the client comes back.
async fn send_all(operation: Operation, to: mpsc::Sender<Sent>, streams: StreamLimits) {
    let _open = metrics::stream_open(StreamKind::Events);
    let send = async |event: Sent| tokio::time::timeout(streams.patience, to.send(event)).await.is_ok_and(|sent| sent.is_ok());
    let complete = || Sent::default().event("complete").data("");
    let mut stopped = std::pin::pin!(streams.stopped());
    match operation {
        Operation::Done(json) => {
            let _ = send(next(json)).await && send(complete()).await;
        }
        Operation::Failed(failures) => {
            let _ = send(failed(&failures)).await && send(complete()).await;
        }
        Operation::Following(mut following, _permit) => loop {
            let event = tokio::select! {
                biased;
                () = &mut stopped => return,
                () = to.closed() => return,
                event = following.next() => event,
            };
            match event {
                Ok(event) => {
                    let mut json = b"{\"data\":".to_vec();
                    json.extend_from_slice(&event.data);
                    json.push(b'}');
                    if !send(next(json).id(event.cursor)).await {
                        tracing::debug!("a stream was cut off: its client does not read");
                        return;
                    }
                }
                Err(failure) => {
                    let _ = send(failed(&[failure])).await && send(complete()).await;
                    return;
                }
            }
        },
    }
}
