//! The server as an [`Executor`]: operations of the engine with stored documents, rate limits, timeouts, metrics and logs.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::core::auth::Caller;
use crate::core::error::internal;
use crate::core::language::Languages;
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::executor::{datum, errors_response, event_responses, response_stream, result_response};
use crate::http::graphql::request::GraphqlRequest;
use crate::http::graphql::streaming::{StartedOperation, start_operation};
use crate::http::rate_limiter::RateLimitHandle;
use crate::http::state::AppState;
use crate::observability::metrics;
use crate::store::access::token::TokenRejection;

/// Executes requests that have a [`Session`] in their data or in that of their connection.
#[derive(Debug, Clone)]
pub(super) struct ServerExecutor(Arc<AppState>);

/// A connection on which a client executes operations.
#[derive(Debug, Clone)]
pub(super) struct Session {
    caller: Caller,
    languages: Languages,
    rate_limit: RateLimitHandle,
    max_operations: usize,
    /// A permit for each running operation.
    operations: Arc<Semaphore>,
    /// The permit to hand over a result. The semaphore is fair, so no operation starves the others of its connection, and at
    /// most one result is buffered.
    turn: Arc<Semaphore>,
}

impl Session {
    pub(super) fn new(caller: Caller, languages: Languages, rate_limit: RateLimitHandle, max_operations: usize) -> Self {
        let (operations, turn) = (Arc::new(Semaphore::new(max_operations)), Arc::new(Semaphore::new(1)));
        Self { caller, languages, rate_limit, max_operations, operations, turn }
    }

    /// Admits another operation, or returns the error of the exceeded limit.
    fn admit(&self) -> Result<OwnedSemaphorePermit, GraphqlError> {
        let max = self.max_operations;
        let permit = self.operations.clone().try_acquire_owned().map_err(|_| {
            metrics::record_limit_hit("socket_operations");
            let message = format!("this connection already has {max} operations, the maximum; complete some, or open another connection");
            GraphqlError::new(codes::BAD_REQUEST, message)
        })?;
        self.rate_limit.charge_request().map_err(|limited| limited.error())?;
        Ok(permit)
    }
}

/// A response, with the turn of its operation until it is received.
type Handover = (Response, OwnedSemaphorePermit);

impl ServerExecutor {
    pub(super) fn new(state: Arc<AppState>) -> Self {
        Self(state)
    }
}

impl Executor for ServerExecutor {
    /// Executes a query or mutation. Of a subscription, returns the first response.
    async fn execute(&self, request: Request) -> Response {
        let response = self.execute_stream(request, None).next().await;
        response.unwrap_or_else(|| errors_response(vec![GraphqlError::from(internal("the operation ended without a response"))]))
    }

    /// Executes an operation in a task of its own, so that it neither waits for a client that does not read nor delays other
    /// operations. Dropping the stream aborts the task.
    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let Some(session) = datum::<Session>(&request, session_data.as_deref()) else {
            return response_stream(errors_response(vec![GraphqlError::from(internal("the request has no session"))]));
        };
        let permit = match session.admit() {
            Ok(permit) => permit,
            Err(error) => return response_stream(errors_response(vec![error])),
        };
        let (sender, receiver) = mpsc::channel(1);
        let state = self.0.clone();
        let run = async move { run(&state, &request, &session, sender).await };
        let task = AbortOnDropHandle::new(tokio::spawn(run.in_current_span()));
        let responses = stream::unfold((receiver, Some(task), permit), |(mut receiver, mut task, permit)| async move {
            let received: Option<Handover> = receiver.recv().await;
            let response = match received {
                Some((response, _turn)) => response,
                None => match task.take()?.await {
                    Ok(()) => return None,
                    Err(error) => errors_response(vec![GraphqlError::from(internal(error))]),
                },
            };
            Some((response, (receiver, task, permit)))
        });
        responses.boxed()
    }
}

/// Runs an operation and sends all its responses until the receiver is dropped.
async fn run(state: &AppState, request: &Request, session: &Session, sender: mpsc::Sender<Handover>) {
    let mut responses = start(state, request, session).await;
    while let Some(response) = responses.next().await {
        // the semaphore is never closed
        let Ok(turn) = session.turn.clone().acquire_owned().await else { return };
        if sender.send((response, turn)).await.is_err() {
            return;
        }
    }
}

async fn start(state: &AppState, request: &Request, session: &Session) -> BoxStream<'static, Response> {
    // the token may have been revoked since the connection was initialized
    let caller = match state.store.refresh_caller(&session.caller).await.map_err(TokenRejection::into_error) {
        Ok(caller) => caller,
        Err(error) => return response_stream(errors_response(vec![GraphqlError::from(error)])),
    };
    let request = match GraphqlRequest::from_framework(request) {
        Ok(request) => request,
        Err(reject) => return response_stream(errors_response(vec![GraphqlError::new(codes::BAD_REQUEST, reject.message)])),
    };
    match start_operation(state, request, &session.languages, (&caller, &session.rate_limit), None, |_| true).await {
        StartedOperation::Completed(result, cost) => response_stream(result_response(result, cost)),
        StartedOperation::Failed(errors) => response_stream(errors_response(errors)),
        StartedOperation::Subscribed(events, permit) => event_responses(*events)
            .map(move |response| {
                // held until the stream is dropped
                let _ = &permit;
                response
            })
            .boxed(),
    }
}
