//! Errors as GraphQL sends them: each with a code, none with internals.

use async_graphql::{Pos, ServerError};
use serde::Serialize;

use crate::core::error::{Error, ErrorCode};
use crate::observability::metrics;

/// Codes of errors in a request that was not run.
pub mod codes {
    /// The query is not GraphQL.
    pub const PARSE: &str = "GRAPHQL_PARSE_FAILED";
    /// The query does not fit the schema or its limits.
    pub const VALIDATION: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The request asks for more than a limit allows; `extensions.limit` names it.
    pub const LIMIT: &str = "LIMIT_EXCEEDED";
    /// The request cannot be understood.
    pub const REQUEST: &str = "BAD_REQUEST";
    /// The client asked for too much in too short a time.
    pub const RATE: &str = "RATE_LIMITED";
    /// There is no room just now.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The hash of a persisted query is not known here: send the query too.
    pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
}

/// An error of an answer, as the response format of the GraphQL specification has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphqlError {
    /// What is wrong, where, and what would be right.
    pub message: String,
    /// Where in the query; lines and columns count from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Pos>,
    /// Which field of the answer could not be given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// The code that programs can tell errors apart by.
    pub extensions: Extensions,
}

/// What an error says to programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extensions {
    /// The code.
    pub code: &'static str,
    /// The limit that the request goes beyond, if that is what is wrong.
    #[serde(flatten)]
    pub exceeded: Option<LimitExceeded>,
}

/// A limit that a request goes beyond.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitExceeded {
    /// Name of the limit, as the configuration has it.
    pub limit: &'static str,
    /// What it allows.
    #[serde(rename = "max")]
    pub most: u64,
    /// What the request asks for.
    pub given: u64,
}

impl GraphqlError {
    /// An error of the whole request.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        metrics::record_error(code);
        Self { message: message.into(), locations: Vec::new(), path: Vec::new(), extensions: Extensions { code, exceeded: None } }
    }

    /// The same error, where a limit is what is wrong.
    pub(super) fn beyond(mut self, exceeded: LimitExceeded) -> Self {
        metrics::record_limit_hit(exceeded.limit);
        self.extensions.exceeded = Some(exceeded);
        self
    }

    /// The same error, at a place of the query.
    pub(super) fn at(self, position: Pos) -> Self {
        Self { locations: vec![position], ..self }
    }

    /// A field that could not be given.
    pub(super) fn of_field(error: Error, name: &str, position: Pos) -> Self {
        Self { path: vec![name.to_owned()], ..Self::from(error).at(position) }
    }

    /// An error of the framework in reading a query.
    pub(super) fn of_framework(error: ServerError, code: &'static str) -> Self {
        Self { locations: error.locations, ..Self::new(code, error.message) }
    }

    /// Whether another try could go better.
    pub fn is_of_the_moment(&self) -> bool {
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
