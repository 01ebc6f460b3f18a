//! GraphQL over HTTP, server-sent events and WebSockets.

pub(crate) mod handler;
pub(crate) mod multipart;
pub(crate) mod request;
pub(crate) mod response_cache;
pub(crate) mod sse;
pub(crate) mod websocket;
