//! Errors in the response format of the GraphQL specification. Each carries a code; none exposes internals.

use async_graphql::{ErrorExtensionValues, PathSegment, Pos, ServerError};
use serde::Serialize;

use crate::core::error::{Error, ErrorCode};
use crate::observability::metrics;

/// Codes of errors in requests that were rejected before execution.
pub mod codes {
    /// The query is not valid GraphQL syntax.
    pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The query does not match the schema, or a variable does not match its type.
    pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The request exceeds a limit; `extensions.limit` names the limit.
    pub const LIMIT_EXCEEDED: &str = "LIMIT_EXCEEDED";
    /// The request is malformed.
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    /// The client exceeded its rate limit.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// The server is at capacity.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// No query with this hash is persisted; the client must send the query too.
    pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
}

/// A step of the path to a field of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ResponsePathSegment {
    /// The response key of a field.
    Field(String),
    /// An index in a list, counted from 0.
    Index(usize),
}

impl From<&str> for ResponsePathSegment {
    fn from(key: &str) -> Self {
        Self::Field(key.to_owned())
    }
}

/// An error of a response, as the GraphQL specification defines it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphqlError {
    /// What is wrong, where, and what would be right.
    pub message: String,
    /// Positions in the query; lines and columns count from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Pos>,
    /// Path to the field of the response that could not be resolved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<ResponsePathSegment>,
    /// Machine-readable details.
    pub extensions: Extensions,
}

/// Machine-readable details of an error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extensions {
    /// The error code.
    pub code: &'static str,
    /// The exceeded limit, if the code is [`codes::LIMIT_EXCEEDED`].
    #[serde(flatten)]
    pub exceeded: Option<LimitExceeded>,
}

/// A limit that a request exceeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitExceeded {
    /// Name of the limit in the configuration.
    pub limit: &'static str,
    /// Maximum that the limit allows.
    pub max: u64,
    /// Amount in the request.
    pub given: u64,
}

impl GraphqlError {
    /// Creates an error that concerns the whole request, and counts it in the metrics.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        metrics::record_error(code);
        Self { message: message.into(), locations: Vec::new(), path: Vec::new(), extensions: Extensions { code, exceeded: None } }
    }

    /// Adds the exceeded limit, and counts it in the metrics.
    pub(super) fn with_limit(mut self, exceeded: LimitExceeded) -> Self {
        metrics::record_limit_hit(exceeded.limit);
        self.extensions.exceeded = Some(exceeded);
        self
    }

    /// Sets the position in the query.
    pub(super) fn at(self, position: Pos) -> Self {
        Self { locations: vec![position], ..self }
    }

    /// Creates an error of a root field that could not be resolved.
    pub(super) fn for_field(error: Error, response_key: &str, position: Pos) -> Self {
        Self { path: vec![response_key.into()], ..Self::from(error).at(position) }
    }

    /// Converts an error that async-graphql reports while it parses or validates a query.
    pub(super) fn from_server_error(error: ServerError, code: &'static str) -> Self {
        Self { locations: error.locations, ..Self::new(code, error.message) }
    }

    /// Returns whether a retry may succeed.
    pub fn is_transient(&self) -> bool {
        [ErrorCode::Internal, ErrorCode::Unavailable, ErrorCode::Timeout].iter().any(|code| code.as_str() == self.extensions.code)
    }
}

impl From<Error> for GraphqlError {
    /// The error as the client may see it. Its cause is logged here, where the request ends.
    fn from(error: Error) -> Self {
        error.log();
        Self::new(error.code().as_str(), error.to_string())
    }
}

impl From<GraphqlError> for ServerError {
    /// The error as the framework reports it, with the same members.
    fn from(error: GraphqlError) -> Self {
        let GraphqlError { message, locations, path, extensions: Extensions { code, exceeded } } = error;
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", code);
        if let Some(LimitExceeded { limit, max, given }) = exceeded {
            extensions.set("limit", limit);
            extensions.set("max", max);
            extensions.set("given", given);
        }
        let path = path.into_iter().map(|segment| match segment {
            ResponsePathSegment::Field(key) => PathSegment::Field(key),
            ResponsePathSegment::Index(index) => PathSegment::Index(index),
        });
        Self { locations, path: path.collect(), extensions: Some(extensions), ..Self::new(message, None) }
    }
}
