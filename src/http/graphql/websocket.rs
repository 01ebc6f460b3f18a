//! GraphQL over WebSocket: `GraphQLWebSocket` of async-graphql-axum, over a server with limits.
//!
//! The framework speaks the protocols `graphql-transport-ws` (of the npm package graphql-ws) and `graphql-ws` (of its
//! predecessor subscriptions-transport-ws), and runs operations by a [`ServerExecutor`]. It sees the connection through a
//! stream and a sink that add what it does not do itself: a timeout for `connection_init`, pings, a timeout for clients that
//! do not read, shutdown, close codes, and the rules in [`messages`].

mod messages;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_graphql::Data;
use async_graphql::http::{ALL_WEBSOCKET_PROTOCOLS, WebSocketProtocols};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, HeaderValue, Request};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Sink, SinkExt, Stream, StreamExt, sink, stream};
use serde_json::Value as Json;
use tokio::sync::{Mutex, OnceCell};
use tracing::Instrument;

use crate::core::auth::Caller;
use crate::core::error::ErrorCode;
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, accepted_languages};
use crate::http::graphql::executor::{ServerExecutor, Session};
use crate::http::graphql::stream_limits::StreamPlace;
use crate::http::graphql::websocket::messages::{Close, Messages, close};
use crate::http::response::{MediaType, errors_response};
use crate::http::state::AppState;
use crate::observability::metrics;

/// Close code of the framework for a message that it cannot parse.
const FRAMEWORK_PARSE_ERROR: u16 = 1002;
/// Maximum length of the reason in a close frame (RFC 6455, 5.5: 125 bytes with the code), rounded down.
const MAX_REASON_BYTES: usize = 120;
/// Time for the client to complete the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Completes the handshake, unless the limit of streams is reached. The token may come later, so the stream counts for the
/// address.
pub(super) async fn upgrade(state: Arc<AppState>, client: ClientContext, upgrade: WebSocketUpgrade) -> Response {
    let place = match state.stream_limits.try_acquire(client.rate_limit.client(&Caller::reader()).id) {
        Ok(place) => place,
        Err(error) => return errors_response(MediaType::Json, &[error]),
    };
    let max_bytes = state.max_body_bytes;
    let upgrade = upgrade.protocols(preferred_protocol(&client)).max_message_size(max_bytes).max_frame_size(max_bytes);
    let protocol = negotiated_protocol(upgrade.selected_protocol()).await;
    let span = tracing::Span::current();
    upgrade.on_upgrade(move |socket| {
        let served = async move {
            let _place: StreamPlace = place;
            let _open = metrics::stream_open(metrics::StreamKind::WebSocket);
            serve(state, client, socket, protocol).await;
        };
        served.instrument(span)
    })
}

/// The first protocol of the client's list that the server speaks. The Python client gql 4 lists both and then speaks the first,
/// because it does not find the header of the response, whose name is in lowercase.
fn preferred_protocol(headers: &HeaderMap) -> Option<&'static str> {
    let requested =
        headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    requested.map(str::trim).find_map(|name| ALL_WEBSOCKET_PROTOCOLS.into_iter().find(|known| *known == name))
}

/// The protocol that the response to the handshake names.
async fn negotiated_protocol(selected: Option<&HeaderValue>) -> Option<(WebSocketProtocols, GraphQLProtocol)> {
    let selected = selected?;
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.headers.insert(SEC_WEBSOCKET_PROTOCOL, selected.clone());
    let extracted = GraphQLProtocol::from_request_parts(&mut parts, &()).await.ok()?;
    Some((selected.to_str().ok()?.parse().ok()?, extracted))
}

/// Serves a connection until it ends, and closes it.
async fn serve(state: Arc<AppState>, client: ClientContext, socket: WebSocket, protocol: Option<(WebSocketProtocols, GraphQLProtocol)>) {
    let (writer, mut reader) = socket.split();
    let (end, writer) = match protocol {
        None => (close(4406, "Subprotocol not acceptable"), writer),
        Some((protocol, extracted)) => {
            let connection = Connection {
                state,
                messages: Messages::new(protocol),
                handshake: Arc::default(),
                is_alive: AtomicBool::new(true),
                writer: Mutex::new(writer),
                end: OnceCell::new(),
            };
            let end = Box::pin(connection.run(client, &mut reader, extracted)).await;
            (end, connection.writer.into_inner())
        }
    };
    send_close(end, writer, reader).await;
}

/// Sends the close frame and waits for the client's.
async fn send_close(end: Close, mut writer: SplitSink<WebSocket, Message>, mut reader: SplitStream<WebSocket>) {
    let Close::Frame(code, mut reason) = end else { return };
    while reason.len() > MAX_REASON_BYTES {
        reason.pop();
    }
    let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let handshake = async {
        if writer.send(frame).await.is_ok() {
            while let Some(Ok(_)) = reader.next().await {}
        }
    };
    drop(tokio::time::timeout(CLOSE_TIMEOUT, handshake).await);
}

/// An open WebSocket.
struct Connection {
    state: Arc<AppState>,
    messages: Messages,
    handshake: Arc<Handshake>,
    /// Whether a frame was received since the last ping.
    is_alive: AtomicBool,
    writer: Mutex<SplitSink<WebSocket, Message>>,
    /// How the connection ends: the first reason counts.
    end: OnceCell<Close>,
}

/// The outcome of `connection_init`.
#[derive(Debug, Default)]
struct Handshake {
    is_acknowledged: AtomicBool,
    rejection: OnceCell<Close>,
}

/// The connection has ended; [`Connection::end`] says how.
struct Ended;

impl Connection {
    /// Serves operations until the connection ends.
    async fn run(&self, client: ClientContext, reader: &mut SplitStream<WebSocket>, protocol: GraphQLProtocol) -> Close {
        let (state, handshake) = (self.state.clone(), self.handshake.clone());
        let served = GraphQLWebSocket::new_with_pair(self.sink(), self.stream(reader), ServerExecutor::new(self.state.clone()), protocol)
            .on_connection_init(async move |payload| initialize(&state, client, &payload, &handshake).await)
            .on_ping(|_: Option<&Data>, payload| std::future::ready(Ok(payload)))
            .serve();
        tokio::select! {
            () = self.state.stream_limits.stopped() => close(1001, "the server is shutting down; reconnect"),
            () = self.init_timeout() => close(4408, "Connection initialisation timeout"),
            () = self.keep_alive() => Close::Disconnected,
            // the framework itself ends a connection after a connection_terminate or connection_error
            () = served => self.handshake.rejection.get().or(self.end.get()).cloned().unwrap_or_else(|| close(1000, "")),
        }
    }

    fn end(&self, close: Close) -> Ended {
        // an earlier reason counts
        drop(self.end.set(close));
        Ended
    }

    /// The messages of the client that the framework handles. Ends after a violation of the protocol.
    fn stream<'c>(&'c self, reader: &'c mut SplitStream<WebSocket>) -> impl Stream<Item = Result<Message, axum::Error>> + Send + 'c {
        stream::unfold(reader, move |reader| async move {
            loop {
                let frame = reader.next().await;
                self.is_alive.store(true, Ordering::Relaxed);
                let received = match frame {
                    Some(Ok(Message::Text(text))) => self.messages.receive(&text),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Binary(_))) => Err(close(4400, "messages must be text, not binary")),
                    Some(Err(_)) => Err(close(4400, "the message is malformed or too long")),
                    Some(Ok(Message::Close(_))) | None => Err(Close::Disconnected),
                };
                match received {
                    Ok(text) => return Some((Ok(Message::Text(text.into())), reader)),
                    Err(close) => {
                        self.end(close);
                        return None;
                    }
                }
            }
        })
    }

    /// Takes the messages of the framework. Fails when the connection ends.
    fn sink(&self) -> impl Sink<Message, Error = Ended> + Send + '_ {
        sink::unfold(self, async |connection: &Self, message| {
            match message {
                Message::Text(text) => {
                    let adapted = connection.messages.send(&text).map(|sent| match sent {
                        Cow::Borrowed(_) => None,
                        Cow::Owned(other) => Some(other.into()),
                    });
                    if let Some(other) = adapted {
                        connection.send(Message::Text(other.unwrap_or(text))).await?;
                    }
                }
                Message::Close(frame) => {
                    let frame = frame.map_or((1000, String::new()), |frame| (frame.code, frame.reason.to_string()));
                    let code = if frame.0 == FRAMEWORK_PARSE_ERROR { 4400 } else { frame.0 };
                    return Err(connection.end(close(code, frame.1)));
                }
                other => connection.send(other).await?,
            }
            Ok(connection)
        })
    }

    async fn send(&self, message: Message) -> Result<(), Ended> {
        let mut writer = self.writer.lock().await;
        match tokio::time::timeout(self.state.stream_limits.send_timeout, writer.send(message)).await {
            Ok(Ok(())) => Ok(()),
            // disconnected, or does not read: a close frame would not arrive
            Ok(Err(_)) | Err(_) => Err(self.end(Close::Disconnected)),
        }
    }

    /// Returns if the connection is not initialized in time.
    async fn init_timeout(&self) {
        tokio::time::sleep(self.state.stream_limits.init_timeout).await;
        if self.handshake.is_acknowledged.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Sends pings. Returns if the client does not respond.
    async fn keep_alive(&self) {
        let mut interval = tokio::time::interval(self.state.stream_limits.keep_alive_interval);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        interval.tick().await;
        loop {
            interval.tick().await;
            // a message that is being sent has a timeout of its own
            if self.writer.try_lock().is_err() {
                continue;
            }
            if !self.is_alive.swap(false, Ordering::Relaxed) || self.send(Message::Ping(axum::body::Bytes::new())).await.is_err() {
                return;
            }
        }
    }
}

/// Authenticates the caller by the token in the payload of `connection_init`, or else by the one of the HTTP request.
async fn initialize(state: &AppState, client: ClientContext, payload: &Json, handshake: &Handshake) -> async_graphql::Result<Data> {
    let ClientContext { mut headers, rate_limit } = client;
    match authenticate_payload(state, &mut headers, payload).await {
        Ok(caller) => {
            handshake.is_acknowledged.store(true, Ordering::Relaxed);
            let mut data = Data::default();
            data.insert(Session::new(caller, accepted_languages(&headers), rate_limit, state.stream_limits.max_operations_per_socket));
            Ok(data)
        }
        Err((code, reason)) => {
            drop(handshake.rejection.set(close(code, reason.clone())));
            Err(async_graphql::Error::new(reason))
        }
    }
}

/// The caller, or the code and the reason to close the connection.
async fn authenticate_payload(state: &AppState, headers: &mut HeaderMap, payload: &Json) -> Result<Caller, (u16, String)> {
    let members = payload.as_object().into_iter().flatten();
    let token = members.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION.as_str()));
    if let Some((_, token)) = token {
        let value = HeaderValue::from_str(token.as_str().unwrap_or_default());
        headers.insert(AUTHORIZATION, value.map_err(|_| (4403, "Forbidden: malformed token".to_owned()))?);
    }
    authenticate(&state.store, headers).await.map_err(|error| {
        if error.code() == ErrorCode::Unauthenticated {
            return (4403, format!("Forbidden: {error}"));
        }
        error.log();
        (4500, "the database is not available; reconnect later".to_owned())
    })
}
