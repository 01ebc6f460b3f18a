//! GraphQL over WebSocket: the protocol `graphql-transport-ws`, as the npm package graphql-ws describes it.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

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
use crate::http::authentication;
use crate::http::client::Sender;
use crate::http::graphql::handler::{Media, error, languages, refuse};
use crate::http::graphql::request::Request;
use crate::http::graphql::sse;
use crate::http::graphql::sse::{FULL, Operation};
use crate::http::middleware::rate_limit::Purse;
use crate::http::router::AppState;
use crate::observability::metrics;
use crate::store::access::token::TokenRejection;

/// Name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// Messages that wait to be sent at most.
const WAITING: usize = 16;
/// Letters of the id of an operation at most.
const MAX_ID: usize = 200;

/// Takes the connection over, if there is room.
pub(crate) fn upgrade(service: Arc<AppState>, sender: Sender, upgrade: WebSocketUpgrade) -> Response {
    let Some(permit) = service.streams.enter() else {
        let mut response = error(Media::Json, &refuse(StatusCode::SERVICE_UNAVAILABLE, FULL));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    };
    let limit = service.body_limit;
    let span = tracing::Span::current();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(move |socket| async move { Connection::new(service, sender, socket).serve(permit).await }.instrument(span))
}

/// Why a connection ends: the code and the reason of the close frame, or nothing where the client is gone.
#[derive(Debug)]
struct Closed(Option<(u16, String)>);

fn close(code: u16, reason: impl Into<String>) -> Closed {
    Closed(Some((code, reason.into())))
}

/// What an operation says.
#[derive(Debug)]
enum Said {
    Next(Vec<u8>),
    Error(Vec<GraphqlError>),
    Complete,
}

/// An open connection.
struct Connection {
    service: Arc<AppState>,
    headers: HeaderMap,
    purse: Purse,
    languages: Languages,
    socket: WebSocket,
    /// Who it is, once that was said.
    caller: Option<Caller>,
    /// Operations under way by their ids, each with its number: an id can be used again.
    running: HashMap<String, (u64, tokio::task::AbortHandle)>,
    tasks: JoinSet<()>,
    count: u64,
    to: mpsc::Sender<(String, u64, Said)>,
    from: mpsc::Receiver<(String, u64, Said)>,
}

impl Connection {
    fn new(service: Arc<AppState>, sender: Sender, socket: WebSocket) -> Self {
        let Sender { headers, purse } = sender;
        let (to, from) = mpsc::channel(WAITING);
        let languages = languages(&headers);
        let (running, tasks) = (HashMap::new(), JoinSet::new());
        Self { service, headers, purse, languages, socket, caller: None, running, tasks, count: 0, to, from }
    }

    async fn serve(mut self, _permit: OwnedSemaphorePermit) {
        let _open = metrics::stream_open(metrics::StreamKind::WebSocket);
        let Closed(closed) = match self.socket.protocol().is_some_and(|protocol| protocol == PROTOCOL) {
            true => self.run().await,
            false => close(4406, "Subprotocol not acceptable"),
        };
        self.tasks.abort_all();
        let Some((code, mut reason)) = closed else { return };
        // a close frame has room for no more
        while reason.len() > 120 {
            reason.pop();
        }
        let last = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let goodbye = async {
            if self.socket.send(last).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        drop(tokio::time::timeout(std::time::Duration::from_secs(1), goodbye).await);
    }

    /// Serves until the connection is to end.
    async fn run(&mut self) -> Closed {
        let mut stopped = pin!(self.service.streams.stopped());
        let mut late = pin!(tokio::time::sleep(self.service.streams.initialization));
        let mut beat = tokio::time::interval(self.service.streams.keep_alive);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        beat.tick().await;
        let mut is_alive = true;
        loop {
            let done = tokio::select! {
                () = &mut stopped => Err(close(1001, "the server stops; connect again")),
                () = &mut late, if self.caller.is_none() => Err(close(4408, "Connection initialisation timeout")),
                _ = beat.tick() => match std::mem::take(&mut is_alive) {
                    true => self.send(Message::Ping(axum::body::Bytes::new())).await,
                    // two beats without a sign of life
                    false => Err(Closed(None)),
                },
                Some((id, number, said)) = self.from.recv() => self.tell(id, number, said).await,
                message = self.socket.recv() => {
                    is_alive = true;
                    match message {
                        Some(Ok(message)) => self.hear(message).await,
                        Some(Err(_)) => Err(close(4400, "the message cannot be read, or is too long")),
                        None => Err(Closed(None)),
                    }
                }
            };
            if let Err(closed) = done {
                return closed;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Closed> {
        match tokio::time::timeout(self.service.streams.patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            // gone, or does not read: nothing more would reach it
            _ => Err(Closed(None)),
        }
    }

    async fn send_json(&mut self, json: Json) -> Result<(), Closed> {
        self.send(Message::Text(json.to_string().into())).await
    }

    /// Sends what an operation says, unless the client has done with it.
    async fn tell(&mut self, id: String, number: u64, said: Said) -> Result<(), Closed> {
        if self.running.get(&id).is_none_or(|(running, _)| *running != number) {
            return Ok(());
        }
        match said {
            Said::Next(body) => {
                let mut text = format!("{{\"id\":{},\"type\":\"next\",\"payload\":", Json::from(id));
                text.push_str(&String::from_utf8(body).unwrap_or_default());
                text.push('}');
                self.send(Message::Text(text.into())).await
            }
            Said::Error(failures) => {
                self.running.remove(&id);
                self.send_json(json!({"id": id, "type": "error", "payload": failures})).await
            }
            Said::Complete => {
                self.running.remove(&id);
                self.send_json(json!({"id": id, "type": "complete"})).await
            }
        }
    }

    /// Does what the client says.
    async fn hear(&mut self, message: Message) -> Result<(), Closed> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(close(4400, "messages are text, not binary")),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(Closed(None)),
        };
        while self.tasks.try_join_next().is_some() {}
        let Ok(Json::Object(mut message)) = serde_json::from_str(&text) else { return Err(close(4400, "a message is a JSON object")) };
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
                let id = id(&message)?;
                let Some(Json::Object(payload)) = payload else { return Err(close(4400, "subscribe needs a payload with a query")) };
                self.subscribe(id, payload).await
            }
            "complete" => {
                if let Some((_, task)) = self.running.remove(&id(&message)?) {
                    task.abort();
                }
                Ok(())
            }
            other => Err(close(4400, format!("there is no message of the type \"{}\"", other.chars().take(40).collect::<String>()))),
        }
    }

    /// Learns who it is: by a token in the message, or else by one in the request for the connection.
    async fn initialize(&mut self, payload: Option<&Json>) -> Result<(), Closed> {
        if self.caller.is_some() {
            return Err(close(4429, "Too many initialisation requests"));
        }
        let given = payload.and_then(|payload| {
            let member = payload.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION.as_str()));
            member.map(|(_, value)| value.as_str().unwrap_or_default().to_owned())
        });
        if let Some(given) = given {
            let value = HeaderValue::from_str(&given).map_err(|_| close(4403, "Forbidden: this is not a token"))?;
            self.headers.insert(AUTHORIZATION, value);
        }
        match authentication::of(&self.service.store, &self.headers).await {
            Ok(caller) => self.caller = Some(caller),
            Err(error) if error.code() == ErrorCode::Unauthenticated => return Err(close(4403, format!("Forbidden: {error}"))),
            Err(_) => return Err(close(4500, "the database does not answer just now; connect again in a moment")),
        }
        self.send_json(json!({"type": "connection_ack"})).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Json>) -> Result<(), Closed> {
        let Some(caller) = self.caller.clone() else { return Err(close(4401, "Unauthorized")) };
        if self.running.contains_key(&id) {
            return Err(close(4409, format!("Subscriber for {id} already exists")));
        }
        let request = Request::from_members(payload).map_err(|refused| close(4400, refused.message))?;
        let most = self.service.streams.per_socket;
        if self.running.len() >= most {
            metrics::record_limit_hit("socket_operations");
            let message = format!("this connection has {most} operations under way already; complete some, or open another connection");
            let failures = [GraphqlError::new(codes::REQUEST, message)];
            return self.send_json(json!({"id": id, "type": "error", "payload": failures})).await;
        }
        self.count += 1;
        if let Err(spent) = self.purse.enter() {
            return self.send_json(json!({"id": id, "type": "error", "payload": [spent.failure()]})).await;
        }
        let (number, service, languages, purse) = (self.count, self.service.clone(), self.languages.clone(), self.purse.clone());
        let voice = Voice { to: self.to.clone(), id: id.clone(), number };
        let task =
            self.tasks.spawn(async move { execute(&service, request, &languages, (&caller, &purse), voice).await }.in_current_span());
        self.running.insert(id, (number, task));
        Ok(())
    }
}

/// What an operation speaks by.
struct Voice {
    to: mpsc::Sender<(String, u64, Said)>,
    id: String,
    number: u64,
}

impl Voice {
    /// Says something, once there is room; tells whether somebody listens.
    async fn say(&self, said: Said) -> bool {
        self.to.send((self.id.clone(), self.number, said)).await.is_ok()
    }
}

/// Runs an operation and says all that comes of it, for as long as somebody listens.
async fn execute(service: &AppState, request: Request, languages: &Languages, (caller, purse): (&Caller, &Purse), voice: Voice) {
    // the connection may have been open for long
    let caller = match service.store.refresh_caller(caller).await.map_err(TokenRejection::into_error) {
        Ok(caller) => caller,
        Err(error) => {
            voice.say(Said::Error(vec![GraphqlError::from(error)])).await;
            return;
        }
    };
    match sse::begin(service, request, languages, (&caller, purse), None, |_| true).await {
        Operation::Done(body) => {
            let _ = voice.say(Said::Next(body)).await && voice.say(Said::Complete).await;
        }
        Operation::Failed(failures) => {
            voice.say(Said::Error(failures)).await;
        }
        Operation::Following(mut following, _permit) => loop {
            match following.next().await {
                Ok(event) => {
                    let mut body = b"{\"data\":".to_vec();
                    body.extend_from_slice(&event.data);
                    body.push(b'}');
                    if !voice.say(Said::Next(body)).await {
                        return;
                    }
                }
                Err(failure) => {
                    voice.say(Said::Error(vec![failure])).await;
                    return;
                }
            }
        },
    }
}

/// The id of an operation.
fn id(message: &Map<String, Json>) -> Result<String, Closed> {
    let id = message.get("id").and_then(Json::as_str).filter(|id| !id.is_empty() && id.len() <= MAX_ID);
    id.map(ToOwned::to_owned).ok_or_else(|| close(4400, format!("id must be a text of 1 to {MAX_ID} bytes")))
}
