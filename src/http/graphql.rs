//! GraphQL over HTTP, server-sent events and WebSocket.

pub(super) mod client_meter;
pub(super) mod execute;
mod executor;
pub(super) mod handler;
mod multipart;
pub(super) mod persisted_documents;
pub(super) mod request;
pub(super) mod response_cache;
mod sse;
pub(super) mod stream_limits;
mod streaming;
mod websocket;
