//! The rules for messages that `GraphQLWebSocket` does not enforce itself: which ones a client may send and in which order,
//! ids, and how a rejected operation is reported.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_graphql::http::WebSocketProtocols;
use async_graphql_value::RAW_VALUE_TOKEN;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use crate::core::strict_json;
use crate::http::graphql::request::{DOCUMENT_ID, GraphqlRequest, ON_ERROR};

/// The member with the content of a message.
const PAYLOAD: &str = "payload";
/// Maximum length of an operation id in bytes.
const MAX_ID_BYTES: usize = 200;
/// Characters of an unknown message type that the close reason quotes.
const MAX_QUOTED_CHARS: usize = 40;

/// How a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Close {
    /// With a close frame of this code and reason.
    Frame(u16, String),
    /// Without one: the client has disconnected, or does not read.
    Disconnected,
}

/// A close frame.
pub(super) fn close(code: u16, reason: impl Into<String>) -> Close {
    Close::Frame(code, reason.into())
}

/// The messages of one connection.
#[derive(Debug)]
pub(super) struct Messages {
    protocol: WebSocketProtocols,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the client has sent `connection_init`. Messages after it are handled once it is acknowledged.
    is_initialized: bool,
    /// Ids of running operations.
    running: HashSet<String>,
}

#[derive(Deserialize)]
struct ClientMessage<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ServerMessage<'a> {
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ServerResponse<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    /// The cost, of an executed operation.
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

/// A message with the id of an operation.
#[derive(Serialize)]
struct OperationMessage<'a, P> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    payload: P,
}

impl Messages {
    pub(super) fn new(protocol: WebSocketProtocols) -> Self {
        Self { protocol, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks a message of the client. Returns it in the form that the framework parses.
    pub(super) fn receive(&self, text: &str) -> Result<String, Close> {
        let mut strict = strict_json::parse(text.as_bytes()).map_err(|error| close(4400, error.message("the message")))?;
        let message: ClientMessage<'_> = serde_json::from_str(text).map_err(|_| malformed(&strict))?;
        // an array is an object to the parser
        if message.kind.is_empty() || !strict.is_object() {
            return Err(malformed(&strict));
        }
        let payload = strict.get_mut(PAYLOAD).map(Json::take);
        let is_old = self.protocol == WebSocketProtocols::SubscriptionsTransportWS;
        match (message.kind.as_str(), is_old) {
            ("connection_init", _) => {
                let text = payload_message(&message.kind, payload)?;
                self.state().is_initialized = true;
                return Ok(text);
            }
            ("ping" | "pong", false) => return payload_message(&message.kind, payload),
            ("subscribe", false) | ("start", true) => return self.receive_request(&message, payload),
            ("complete", false) => {
                self.state().running.remove(operation_id(&message)?);
            }
            ("stop", true) => {
                operation_id(&message)?;
            }
            ("connection_terminate", true) => {}
            (other, _) => {
                let quoted: String = other.chars().take(MAX_QUOTED_CHARS).collect();
                return Err(close(4400, format!("unknown message type \"{quoted}\"")));
            }
        }
        Ok(text.to_owned())
    }

    /// Checks a request, whose payload was also parsed as `members`.
    fn receive_request(&self, message: &ClientMessage<'_>, members: Option<Json>) -> Result<String, Close> {
        let id = operation_id(message)?;
        let payload = message.payload.map_or("null", RawValue::get);
        let Some(Json::Object(members)) = members else {
            return Err(close(4400, format!("{} requires a payload with a query", message.kind)));
        };
        if !self.state().is_initialized {
            return Err(close(4401, "Unauthorized"));
        }
        if self.state().running.contains(id) {
            return Err(close(4409, format!("Subscriber for {id} already exists")));
        }
        GraphqlRequest::from_members(members).map_err(|reject| close(4400, reject.message))?;
        // the members are valid, as far as they are unique
        let malformed = |_: serde_json::Error| close(4400, "payload must have each of its members only once");
        let payload = RequestPayload::parse(payload).map_err(malformed)?;
        let text = serde_json::to_string(&OperationMessage { kind: &message.kind, id, payload }).map_err(malformed)?;
        self.state().running.insert(id.to_owned());
        Ok(text)
    }

    /// Adapts a message of the framework for the client: borrowed if it is sent as it is, `None` if it must not be sent.
    pub(super) fn send<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let unchanged = Some(Cow::Borrowed(text));
        let Ok(message) = serde_json::from_str::<ServerMessage<'_>>(text) else { return unchanged };
        let Some(id) = &message.id else { return unchanged };
        match (message.kind.as_ref(), self.protocol) {
            // the framework also confirms what the client has completed; a client may have reused the id by then
            ("complete", protocol) => {
                let was_running = self.state().running.remove(id);
                let is_sent = was_running || protocol == WebSocketProtocols::SubscriptionsTransportWS;
                if is_sent { unchanged } else { None }
            }
            // a response without data and cost rejects the operation: the protocol reports it as an error, which is final
            ("next", WebSocketProtocols::GraphQLWS) => match serde_json::from_str(message.payload.map_or("null", RawValue::get)) {
                Ok(ServerResponse { data: None, errors: Some(errors), extensions: None }) => {
                    self.state().running.remove(id);
                    serde_json::to_string(&OperationMessage { kind: "error", id, payload: errors }).ok().map(Cow::Owned)
                }
                Ok(_) | Err(_) => unchanged,
            },
            _ => unchanged,
        }
    }
}

/// A request in the form of the framework, which knows neither `documentId` nor `onError` and takes no null for most members. Members are as
/// the client wrote them: parsing and writing them again could change numbers.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestPayload<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    query: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    operation_name: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    variables: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    document_id: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    on_error: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
}

impl<'a> RequestPayload<'a> {
    /// Parses a payload, and moves `documentId` and `onError` to the extensions.
    fn parse(payload: &'a str) -> serde_json::Result<Self> {
        let mut request: Self = serde_json::from_str(payload)?;
        let extensions = request.extensions.get_or_insert_default();
        for (name, member) in [(DOCUMENT_ID, request.document_id.take()), (ON_ERROR, request.on_error.take())] {
            extensions.extend(member.map(|member| (Cow::Borrowed(name), member)));
        }
        Ok(request)
    }
}

/// How the connection of a client ends whose message has not the members of one.
fn malformed(message: &Json) -> Close {
    let is_text = |member: &Json| member.as_str().is_some_and(|text| !text.is_empty());
    let reason = match (message.get("type"), message.get("id")) {
        (Some(kind), _) if !is_text(kind) => "type must be a string",
        (Some(_), Some(id)) if !id.is_string() => "id must be a string",
        (Some(_) | None, _) => "a message must be a JSON object with type",
    };
    close(4400, reason)
}

/// A message without an operation, in the form that the framework parses.
fn payload_message(kind: &str, payload: Option<Json>) -> Result<String, Close> {
    let payload = match payload {
        None | Some(Json::Null) => Json::Null,
        Some(payload) if has_raw_value(&payload) => return Err(close(4400, "a member of the payload has a reserved name")),
        Some(payload @ Json::Object(_)) => payload,
        Some(_) => return Err(close(4400, "payload must be an object")),
    };
    Ok(json!({"type": kind, PAYLOAD: payload}).to_string())
}

/// Whether a value has a member with the name [`RAW_VALUE_TOKEN`], whose text the framework would parse in its place.
fn has_raw_value(value: &Json) -> bool {
    match value {
        Json::Object(members) => members.contains_key(RAW_VALUE_TOKEN) || members.values().any(has_raw_value),
        Json::Array(items) => items.iter().any(has_raw_value),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// The operation id of a message.
fn operation_id<'m>(message: &'m ClientMessage<'_>) -> Result<&'m str, Close> {
    let id = message.id.as_deref().filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES);
    id.ok_or_else(|| close(4400, format!("id must be a string of 1 to {MAX_ID_BYTES} bytes")))
}
