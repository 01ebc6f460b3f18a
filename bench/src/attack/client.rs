//! Performs the actions of an attack. Bodies are counted, not kept.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::attack::MAX_RESPONSE_BYTES;
use crate::attack::action::{Action, AttackRequest, WebSocketAttack};
use crate::attack::outcome::{HEAD_BYTES, Outcome, Outcomes};
use crate::network::{UNREAD_BUFFER_BYTES, connect};

/// Time for which streams without an end are read, and unread or incomplete requests are kept open.
const HOLD_DURATION: Duration = Duration::from_secs(8);
/// Time until an intended disconnection, if no response begins before.
const DISCONNECT_DELAY: Duration = Duration::from_millis(200);

/// One client of the server.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub server: SocketAddr,
    /// Source address, if the server is on the loopback interface.
    pub source: Option<IpAddr>,
    /// Time until a response counts as missing.
    pub timeout: Duration,
}

/// The part of a response that is read.
#[derive(Debug, Clone, Copy)]
enum Extent {
    Whole,
    /// The first part of the body.
    Beginning,
    /// What arrives until then.
    Until(Instant),
}

/// The end of a response, or of the part that was read.
#[derive(Debug)]
pub struct Response {
    pub outcome: Outcome,
    /// Time until the first part of the body.
    pub first_byte: Duration,
    pub bytes: u64,
}

impl Client {
    /// Performs the actions concurrently.
    pub async fn perform(self, actions: Vec<Action>) -> Outcomes {
        let mut tasks = JoinSet::new();
        for action in actions {
            match action {
                Action::NeverRead(request, connections) => {
                    let bytes = request.to_bytes(&self.host());
                    (0..connections).for_each(|_| drop(tasks.spawn(self.hold(bytes.clone()))));
                }
                Action::Incomplete(bytes, connections) => {
                    (0..connections).for_each(|_| drop(tasks.spawn(self.hold(bytes.clone()))));
                }
                Action::Send(requests) => drop(tasks.spawn(self.send_all(requests))),
                Action::Disconnect(request) => drop(tasks.spawn(self.disconnect(request))),
                Action::ReadStream(request) => drop(tasks.spawn(self.read_stream(request))),
                Action::WebSocket(attack) => drop(tasks.spawn(self.web_socket(attack))),
                Action::Http2Reset(request, count) => drop(tasks.spawn(self.http2_reset(request, count))),
            }
        }
        let mut outcomes = Outcomes::default();
        while let Some(finished) = tasks.join_next().await {
            outcomes.merge(finished.expect("actions do not panic"));
        }
        outcomes
    }

    /// Sends one request over a new connection and reads the whole response; returns its outcome and duration.
    pub async fn request(self, request: &AttackRequest) -> (Response, Duration) {
        let started = Instant::now();
        let mut sender = None;
        let response = self.exchange(&mut sender, request, Extent::Whole).await;
        (response, started.elapsed())
    }

    fn host(self) -> String {
        self.server.to_string()
    }

    async fn send_all(self, requests: Vec<AttackRequest>) -> Outcomes {
        let (mut outcomes, mut sender) = (Outcomes::default(), None);
        for request in requests {
            let started = Instant::now();
            let response = self.exchange(&mut sender, &request, Extent::Whole).await;
            outcomes.add(response.outcome, started.elapsed(), response.bytes);
            if !request.is_table() {
                outcomes.largest = outcomes.largest.max(response.bytes);
            }
        }
        outcomes
    }

    async fn disconnect(self, request: AttackRequest) -> Outcomes {
        let (mut outcomes, mut sender) = (Outcomes::default(), None);
        let exchange = self.exchange(&mut sender, &request, Extent::Beginning);
        let outcome = tokio::time::timeout(DISCONNECT_DELAY, exchange).await.map_or(Outcome::Disconnected, |response| response.outcome);
        outcomes.add(outcome, Duration::ZERO, 0);
        outcomes
    }

    async fn read_stream(self, request: AttackRequest) -> Outcomes {
        let (mut outcomes, mut sender) = (Outcomes::default(), None);
        let response = self.exchange(&mut sender, &request, Extent::Until(Instant::now() + HOLD_DURATION)).await;
        outcomes.add(response.outcome, response.first_byte, response.bytes);
        outcomes.largest = if request.is_table() { 0 } else { response.bytes };
        outcomes
    }

    /// Sends a request over the connection, or over a new one if there is none or it is closed.
    async fn exchange(self, sender: &mut Option<SendRequest<Full<Bytes>>>, request: &AttackRequest, extent: Extent) -> Response {
        let started = Instant::now();
        let failed = |outcome| Response { outcome, first_byte: started.elapsed(), bytes: 0 };
        if let Some(open) = sender
            && open.ready().await.is_err()
        {
            *sender = None;
        }
        if sender.is_none() {
            let opened = tokio::time::timeout(self.timeout, connect(self.server, self.source, None)).await;
            let Ok(Ok(stream)) = opened else { return failed(Outcome::NotConnected) };
            let Ok((opened, driver)) = handshake(TokioIo::new(stream)).await else { return failed(Outcome::NotConnected) };
            tokio::spawn(driver);
            *sender = Some(opened);
        }
        let (Some(open), Ok(request)) = (sender.as_mut(), request.to_http(&self.host())) else {
            return failed(Outcome::Invalid("not an HTTP request".to_owned()));
        };
        let deadline = started + self.timeout;
        let response = tokio::time::timeout_at(deadline.into(), open.send_request(request)).await;
        let response = match response {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                *sender = None;
                return failed(Outcome::Closed);
            }
            Err(_) => {
                *sender = None;
                return failed(Outcome::TimedOut);
            }
        };
        let response = read(response, started, deadline, extent).await;
        if !matches!(response.outcome, Outcome::Answered | Outcome::Refused(_)) {
            *sender = None;
        }
        response
    }

    /// Sends bytes and keeps the connection open without reading.
    async fn hold(self, bytes: Vec<u8>) -> Outcomes {
        let mut outcomes = Outcomes::default();
        let opened = tokio::time::timeout(self.timeout, connect(self.server, self.source, Some(UNREAD_BUFFER_BYTES))).await;
        let outcome = match opened {
            Ok(Ok(mut stream)) => {
                let sent = tokio::time::timeout(HOLD_DURATION, stream.write_all(&bytes)).await;
                if matches!(sent, Ok(Ok(()))) {
                    tokio::time::sleep(HOLD_DURATION).await;
                }
                state_of(&mut stream).await
            }
            _ => Outcome::NotConnected,
        };
        // the time that an unread socket stays open is not a response time
        outcomes.add(outcome, Duration::ZERO, 0);
        outcomes
    }

    async fn web_socket(self, attack: WebSocketAttack) -> Outcomes {
        let mut outcomes = Outcomes::default();
        let started = Instant::now();
        match tokio::time::timeout(self.timeout, self.run_web_socket(&attack, started)).await {
            Ok(Ok(operations)) => {
                for (outcome, latency, bytes) in operations {
                    outcomes.add(outcome, latency, bytes);
                    outcomes.largest = outcomes.largest.max(bytes);
                }
            }
            Ok(Err(outcome)) => outcomes.add(outcome, started.elapsed(), 0),
            Err(_) => outcomes.add(Outcome::TimedOut, started.elapsed(), 0),
        }
        outcomes
    }

    /// The outcome of each operation, its latency (for a subscription that of the first event), and its bytes.
    async fn run_web_socket(self, attack: &WebSocketAttack, started: Instant) -> Result<Vec<(Outcome, Duration, u64)>, Outcome> {
        let buffer = (!attack.is_read).then_some(UNREAD_BUFFER_BYTES);
        let stream = connect(self.server, self.source, buffer).await.map_err(|_| Outcome::NotConnected)?;
        let mut request = format!("ws://{}/graphql", self.server).into_client_request().map_err(|_| Outcome::Closed)?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        if let Some(languages) = &attack.accept_language {
            let value = HeaderValue::from_str(languages).map_err(|_| Outcome::Invalid("not a header".to_owned()))?;
            request.headers_mut().insert("accept-language", value);
        }
        let (mut socket, _) = client_async_with_config(request, stream, Some(web_socket_limits())).await.map_err(|error| match error {
            tokio_tungstenite::tungstenite::Error::Http(response) => Outcome::of_response(response.status().as_u16(), b""),
            _ => Outcome::Closed,
        })?;
        let init = std::iter::once(json!({"type": "connection_init"}));
        let messages = init.chain(
            attack
                .operations
                .iter()
                .enumerate()
                .map(|(id, payload)| json!({"id": id.to_string(), "type": "subscribe", "payload": payload})),
        );
        for message in messages {
            socket.send(Message::text(message.to_string())).await.map_err(|_| Outcome::Closed)?;
        }
        if !attack.is_read {
            tokio::time::sleep(HOLD_DURATION).await;
            return Ok(vec![(Outcome::KeptOpen, Duration::ZERO, 0)]);
        }
        let mut operations: Vec<Option<(Outcome, Duration, u64)>> = vec![None; attack.operations.len()];
        let mut running = operations.len();
        let is_subscription = attack.operations.iter().any(|operation| operation["query"].as_str().is_some_and(is_subscription));
        while running > 0 {
            let next = if is_subscription {
                let end = started + HOLD_DURATION;
                let Ok(next) = tokio::time::timeout_at(end.into(), socket.next()).await else { break };
                next
            } else {
                socket.next().await
            };
            let text = match next {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    return Err(Outcome::Refused(frame.map_or_else(|| "close".to_owned(), |frame| frame.code.to_string())));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(Outcome::Closed),
            };
            let head = &text.as_bytes()[..text.len().min(HEAD_BYTES)];
            let Some((kind, id)) = message_kind(&text) else { continue };
            let Some(operation) = operations.get_mut(id) else { continue };
            match (kind, &operation) {
                (MessageKind::Complete, _) => running -= 1,
                (MessageKind::Error, _) => {
                    running -= 1;
                    *operation = Some((Outcome::of_response(400, head), started.elapsed(), text.len() as u64));
                }
                (MessageKind::Next, None) => {
                    *operation = Some((Outcome::of_response(200, head), started.elapsed(), text.len() as u64));
                }
                (MessageKind::Next, Some(_)) => {
                    if let Some((_, _, bytes)) = operation {
                        *bytes += text.len() as u64;
                    }
                }
            }
        }
        Ok(operations.into_iter().map(|operation| operation.unwrap_or((Outcome::TimedOut, started.elapsed(), 0))).collect())
    }

    async fn http2_reset(self, request: AttackRequest, count: usize) -> Outcomes {
        let mut outcomes = Outcomes::default();
        let outcome = match tokio::time::timeout(self.timeout, self.run_http2_reset(&request, count)).await {
            Ok(Ok(())) => Outcome::Disconnected,
            // GOAWAY is the refusal of an HTTP/2 connection
            Ok(Err(error)) if error.is_go_away() && error.is_remote() => Outcome::Refused("GOAWAY".to_owned()),
            Ok(Err(_)) => Outcome::CutOff,
            Err(_) => Outcome::TimedOut,
        };
        outcomes.add(outcome, Duration::ZERO, 0);
        outcomes
    }

    async fn run_http2_reset(self, request: &AttackRequest, count: usize) -> Result<(), h2::Error> {
        let Ok(stream) = connect(self.server, self.source, None).await else { return Err(h2::Reason::CONNECT_ERROR.into()) };
        let (mut sender, connection) = h2::client::handshake(stream).await?;
        tokio::spawn(connection);
        for _ in 0..count {
            sender = sender.ready().await?;
            let Ok(http) = request.to_http2(&self.host()) else { return Err(h2::Reason::INTERNAL_ERROR.into()) };
            let has_body = !request.body().is_empty();
            let (_, mut stream) = sender.send_request(http, !has_body)?;
            if has_body {
                stream.send_data(request.body(), true)?;
            }
            stream.send_reset(h2::Reason::CANCEL);
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// Reads a response body without keeping it.
async fn read(response: hyper::Response<Incoming>, started: Instant, deadline: Instant, extent: Extent) -> Response {
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let (mut head, mut bytes, mut first_byte) = (Vec::new(), 0_u64, None);
    let end = match extent {
        Extent::Until(end) => end.min(deadline),
        Extent::Whole | Extent::Beginning => deadline,
    };
    let outcome = loop {
        let frame = match tokio::time::timeout_at(end.into(), body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => break Outcome::CutOff,
            Ok(None) => break Outcome::of_response(status, &head),
            // a stream without events sends no frames
            Err(_) if end < deadline => {
                first_byte.get_or_insert(Duration::ZERO);
                break intended_end(status, &head);
            }
            Err(_) => break Outcome::TimedOut,
        };
        first_byte.get_or_insert_with(|| started.elapsed());
        if let Some(data) = frame.data_ref() {
            bytes += data.len() as u64;
            let missing = HEAD_BYTES - head.len();
            head.extend_from_slice(&data[..data.len().min(missing)]);
        }
        if matches!(extent, Extent::Beginning) {
            break intended_end(status, &head);
        }
    };
    Response { outcome, first_byte: first_byte.unwrap_or_else(|| started.elapsed()), bytes }
}

/// The outcome of a response that the client abandons.
fn intended_end(status: u16, head: &[u8]) -> Outcome {
    match Outcome::of_response(status, head) {
        Outcome::Answered => Outcome::Disconnected,
        refused => refused,
    }
}

/// Whether the server has closed a connection that was not read. What it has sent is read for a moment.
async fn state_of(stream: &mut TcpStream) -> Outcome {
    let mut received = vec![0; 65_536];
    let is_closed = async {
        loop {
            match stream.read(&mut received).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    };
    match tokio::time::timeout(DISCONNECT_DELAY, is_closed).await {
        Ok(()) => Outcome::CutOff,
        Err(_) => Outcome::KeptOpen,
    }
}

fn is_subscription(query: &str) -> bool {
    query.trim_start().starts_with("subscription")
}

enum MessageKind {
    Next,
    Error,
    Complete,
}

/// Messages as large as a response may be; the default of the library is smaller.
fn web_socket_limits() -> WebSocketConfig {
    let max = usize::try_from(MAX_RESPONSE_BYTES).unwrap_or(usize::MAX);
    WebSocketConfig::default().max_message_size(Some(max)).max_frame_size(Some(max))
}

/// Kind and operation of a message; `None` if it belongs to no operation. The payload is not parsed, because it can be large.
fn message_kind(text: &str) -> Option<(MessageKind, usize)> {
    let start: String = text.chars().take(100).collect();
    let kind = [("\"next\"", MessageKind::Next), ("\"error\"", MessageKind::Error), ("\"complete\"", MessageKind::Complete)]
        .into_iter()
        .find_map(|(name, kind)| start.contains(&format!("\"type\":{name}")).then_some(kind))?;
    let id = match serde_json::from_str::<Value>(text) {
        Ok(message) if text.len() < HEAD_BYTES => message["id"].as_str()?.parse().ok()?,
        _ => start.split_once("\"id\":\"")?.1.split_once('"')?.0.parse().ok()?,
    };
    Some((kind, id))
}
