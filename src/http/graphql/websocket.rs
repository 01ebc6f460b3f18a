//! GraphQL over WebSocket: the protocol `graphql-transport-ws`, as the npm package graphql-ws describes it.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::core::auth::Caller;
use crate::core::error::ErrorCode;
use crate::core::language::Languages;
use crate::graphql::error::{GraphqlError, codes};
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, accepted_languages};
use crate::http::graphql::request::GraphqlRequest;
use crate::http::graphql::stream_limits::TOO_MANY_STREAMS;
use crate::http::graphql::streaming::{StartedOperation, start_operation};
use crate::http::rate_limiter::RateLimitHandle;
use crate::http::response::{MediaType, reject, reject_response};
use crate::http::state::AppState;
use crate::observability::metrics;
use crate::store::access::token::TokenRejection;

const PROTOCOL: &str = "graphql-transport-ws";
/// Results buffered for the client, over all operations.
const RESULT_BUFFER: usize = 16;
/// Maximum length of an operation id in bytes.
const MAX_ID_BYTES: usize = 200;
/// Maximum length of the reason in a close frame (RFC 6455, 5.5: 125 bytes with the code), rounded down.
const MAX_REASON_BYTES: usize = 120;
/// Time for the client to complete the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Completes the handshake, unless the limit of streams is reached.
pub(super) fn upgrade(state: Arc<AppState>, client: ClientContext, upgrade: WebSocketUpgrade) -> Response {
    let Some(permit) = state.stream_limits.try_acquire() else {
        let mut response = reject_response(MediaType::Json, &reject(StatusCode::SERVICE_UNAVAILABLE, TOO_MANY_STREAMS));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    };
    let max_bytes = state.max_body_bytes;
    let span = tracing::Span::current();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(max_bytes)
        .max_frame_size(max_bytes)
        .on_upgrade(move |socket| async move { Connection::new(state, client, socket).serve(permit).await }.instrument(span))
}

/// Ends a connection: the code and the reason of the close frame, or `None` if the client has disconnected.
#[derive(Debug)]
struct Close(Option<(u16, String)>);

fn close(code: u16, reason: impl Into<String>) -> Close {
    Close(Some((code, reason.into())))
}

/// A message of an operation.
#[derive(Debug)]
enum OperationMessage {
    Next(Vec<u8>),
    Error(Vec<GraphqlError>),
    Complete,
}

/// An open WebSocket.
struct Connection {
    state: Arc<AppState>,
    headers: HeaderMap,
    rate_limit: RateLimitHandle,
    languages: Languages,
    socket: WebSocket,
    /// The caller, once the connection is initialized.
    caller: Option<Caller>,
    /// Running operations by id. The number tells apart operations that reuse an id.
    running: HashMap<String, (u64, tokio::task::AbortHandle)>,
    tasks: JoinSet<()>,
    next_number: u64,
    sender: mpsc::Sender<(String, u64, OperationMessage)>,
    receiver: mpsc::Receiver<(String, u64, OperationMessage)>,
}

impl Connection {
    fn new(state: Arc<AppState>, client: ClientContext, socket: WebSocket) -> Self {
        let ClientContext { headers, rate_limit } = client;
        let (sender, receiver) = mpsc::channel(RESULT_BUFFER);
        let languages = accepted_languages(&headers);
        let (running, tasks) = (HashMap::new(), JoinSet::new());
        Self { state, headers, rate_limit, languages, socket, caller: None, running, tasks, next_number: 0, sender, receiver }
    }

    async fn serve(mut self, _permit: OwnedSemaphorePermit) {
        let _open = metrics::stream_open(metrics::StreamKind::WebSocket);
        let Close(frame) = if self.socket.protocol().is_some_and(|protocol| protocol == PROTOCOL) {
            self.run().await
        } else {
            close(4406, "Subprotocol not acceptable")
        };
        self.tasks.abort_all();
        let Some((code, mut reason)) = frame else { return };
        while reason.len() > MAX_REASON_BYTES {
            reason.pop();
        }
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let handshake = async {
            if self.socket.send(close).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        drop(tokio::time::timeout(CLOSE_TIMEOUT, handshake).await);
    }

    /// Handles messages until the connection ends.
    async fn run(&mut self) -> Close {
        let mut stopped = pin!(self.state.stream_limits.stopped());
        let mut init_timeout = pin!(tokio::time::sleep(self.state.stream_limits.init_timeout));
        let mut keep_alive = tokio::time::interval(self.state.stream_limits.keep_alive_interval);
        keep_alive.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        keep_alive.tick().await;
        let mut is_alive = true;
        loop {
            let handled = tokio::select! {
                () = &mut stopped => Err(close(1001, "the server is shutting down; reconnect")),
                () = &mut init_timeout, if self.caller.is_none() => Err(close(4408, "Connection initialisation timeout")),
                _ = keep_alive.tick() => if std::mem::take(&mut is_alive) {
                    self.send(Message::Ping(axum::body::Bytes::new())).await
                } else {
                    // no message or pong since the last ping
                    Err(Close(None))
                },
                Some((id, number, message)) = self.receiver.recv() => self.forward(id, number, message).await,
                message = self.socket.recv() => {
                    is_alive = true;
                    match message {
                        Some(Ok(message)) => self.handle(message).await,
                        Some(Err(_)) => Err(close(4400, "the message is malformed or too long")),
                        None => Err(Close(None)),
                    }
                }
            };
            if let Err(close) = handled {
                return close;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Close> {
        match tokio::time::timeout(self.state.stream_limits.send_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            // disconnected, or does not read: a close frame would not arrive
            Ok(Err(_)) | Err(_) => Err(Close(None)),
        }
    }

    async fn send_json(&mut self, json: Json) -> Result<(), Close> {
        self.send(Message::Text(json.to_string().into())).await
    }

    /// Sends a message of an operation, unless the client has completed the operation.
    async fn forward(&mut self, id: String, number: u64, message: OperationMessage) -> Result<(), Close> {
        if self.running.get(&id).is_none_or(|(running, _)| *running != number) {
            return Ok(());
        }
        match message {
            OperationMessage::Next(body) => {
                let mut text = format!("{{\"id\":{},\"type\":\"next\",\"payload\":", Json::from(id));
                text.push_str(&String::from_utf8(body).unwrap_or_default());
                text.push('}');
                self.send(Message::Text(text.into())).await
            }
            OperationMessage::Error(errors) => {
                self.running.remove(&id);
                self.send_json(json!({"id": id, "type": "error", "payload": errors})).await
            }
            OperationMessage::Complete => {
                self.running.remove(&id);
                self.send_json(json!({"id": id, "type": "complete"})).await
            }
        }
    }

    /// Handles a message of the client.
    async fn handle(&mut self, message: Message) -> Result<(), Close> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(close(4400, "messages must be text, not binary")),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(Close(None)),
        };
        while self.tasks.try_join_next().is_some() {}
        let Ok(Json::Object(mut message)) = serde_json::from_str(&text) else { return Err(close(4400, "a message must be a JSON object")) };
        let payload = message.remove("payload").filter(|payload| !payload.is_null());
        let is_object = payload.as_ref().is_none_or(Json::is_object);
        match message.get("type").and_then(Json::as_str).unwrap_or_default() {
            "connection_init" | "ping" | "pong" if !is_object => Err(close(4400, "payload must be an object")),
            "connection_init" => self.initialize(payload.as_ref()).await,
            "ping" => match payload {
                Some(payload) => self.send_json(json!({"type": "pong", "payload": payload})).await,
                None => self.send_json(json!({"type": "pong"})).await,
            },
            "pong" => Ok(()),
            "subscribe" => {
                let id = operation_id(&message)?;
                let Some(Json::Object(payload)) = payload else { return Err(close(4400, "subscribe requires a payload with a query")) };
                self.subscribe(id, payload).await
            }
            "complete" => {
                if let Some((_, task)) = self.running.remove(&operation_id(&message)?) {
                    task.abort();
                }
                Ok(())
            }
            other => Err(close(4400, format!("unknown message type \"{}\"", other.chars().take(40).collect::<String>()))),
        }
    }

    /// Authenticates the caller by the token in the payload, or else by the one in the handshake.
    async fn initialize(&mut self, payload: Option<&Json>) -> Result<(), Close> {
        if self.caller.is_some() {
            return Err(close(4429, "Too many initialisation requests"));
        }
        let authorization = payload.and_then(|payload| {
            let member = payload.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION.as_str()));
            member.map(|(_, value)| value.as_str().unwrap_or_default().to_owned())
        });
        if let Some(authorization) = authorization {
            let value = HeaderValue::from_str(&authorization).map_err(|_| close(4403, "Forbidden: malformed token"))?;
            self.headers.insert(AUTHORIZATION, value);
        }
        match authenticate(&self.state.store, &self.headers).await {
            Ok(caller) => self.caller = Some(caller),
            Err(error) if error.code() == ErrorCode::Unauthenticated => return Err(close(4403, format!("Forbidden: {error}"))),
            Err(error) => {
                error.log();
                return Err(close(4500, "the database is not available; reconnect later"));
            }
        }
        self.send_json(json!({"type": "connection_ack"})).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Json>) -> Result<(), Close> {
        let Some(caller) = self.caller.clone() else { return Err(close(4401, "Unauthorized")) };
        if self.running.contains_key(&id) {
            return Err(close(4409, format!("Subscriber for {id} already exists")));
        }
        let request = GraphqlRequest::from_members(payload).map_err(|reject| close(4400, reject.message))?;
        let max = self.state.stream_limits.max_operations_per_socket;
        if self.running.len() >= max {
            metrics::record_limit_hit("socket_operations");
            let message = format!("this connection already has {max} operations, the maximum; complete some, or open another connection");
            let errors = [GraphqlError::new(codes::BAD_REQUEST, message)];
            return self.send_json(json!({"id": id, "type": "error", "payload": errors})).await;
        }
        self.next_number += 1;
        if let Err(limited) = self.rate_limit.charge_request() {
            return self.send_json(json!({"id": id, "type": "error", "payload": [limited.error()]})).await;
        }
        let (number, state) = (self.next_number, self.state.clone());
        let (languages, rate_limit) = (self.languages.clone(), self.rate_limit.clone());
        let sender = ResultSender { sender: self.sender.clone(), id: id.clone(), number };
        let run = async move { run_operation(&state, request, &languages, (&caller, &rate_limit), sender).await };
        let task = self.tasks.spawn(run.in_current_span());
        self.running.insert(id, (number, task));
        Ok(())
    }
}

/// Sends the results of one operation to its connection.
struct ResultSender {
    sender: mpsc::Sender<(String, u64, OperationMessage)>,
    id: String,
    number: u64,
}

impl ResultSender {
    /// Sends a message when the buffer has room; `false` if the connection has ended.
    async fn send(&self, message: OperationMessage) -> bool {
        self.sender.send((self.id.clone(), self.number, message)).await.is_ok()
    }
}

/// Runs an operation and sends all its results until the connection ends.
async fn run_operation(
    state: &AppState,
    request: GraphqlRequest,
    languages: &Languages,
    (caller, rate_limit): (&Caller, &RateLimitHandle),
    sender: ResultSender,
) {
    // the token may have been revoked since the connection was initialized
    let caller = match state.store.refresh_caller(caller).await.map_err(TokenRejection::into_error) {
        Ok(caller) => caller,
        Err(error) => {
            sender.send(OperationMessage::Error(vec![GraphqlError::from(error)])).await;
            return;
        }
    };
    match start_operation(state, request, languages, (&caller, rate_limit), None, |_| true).await {
        StartedOperation::Completed(body) => {
            let _ = sender.send(OperationMessage::Next(body)).await && sender.send(OperationMessage::Complete).await;
        }
        StartedOperation::Failed(errors) => {
            sender.send(OperationMessage::Error(errors)).await;
        }
        StartedOperation::Subscribed(mut events, _permit) => loop {
            match events.next().await {
                Ok(event) => {
                    let mut body = b"{\"data\":".to_vec();
                    body.extend_from_slice(&event.data);
                    body.push(b'}');
                    if !sender.send(OperationMessage::Next(body)).await {
                        return;
                    }
                }
                Err(error) => {
                    sender.send(OperationMessage::Error(vec![error])).await;
                    return;
                }
            }
        },
    }
}

/// The operation id of a message.
fn operation_id(message: &Map<String, Json>) -> Result<String, Close> {
    let id = message.get("id").and_then(Json::as_str).filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES);
    id.map(ToOwned::to_owned).ok_or_else(|| close(4400, format!("id must be a string of 1 to {MAX_ID_BYTES} bytes")))
}
