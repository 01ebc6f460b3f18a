//! Imports into a running server, through its GraphQL endpoint.

mod client;
mod encode;
mod locate;
mod lookup;

pub use client::{MAX_PUSH_RECORDS, PushClient, PushError, PushMode, PushOutcome, RequestError};
pub use encode::to_input;
