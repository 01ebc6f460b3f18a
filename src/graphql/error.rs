//! Errors as GraphQL sends them: each with a code, none with internals.

use async_graphql::{Pos, ServerError};
use serde::Serialize;

use super::MAX_DEPTH;
use crate::error::{Code, Error};
use crate::meter;

/// Codes of errors in a request that was not run.
pub mod codes {
    /// The query is not GraphQL.
    pub const PARSE: &str = "GRAPHQL_PARSE_FAILED";
    /// The query does not fit the schema or its limits.
    pub const VALIDATION: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The request cannot be understood.
    pub const REQUEST: &str = "BAD_REQUEST";
    /// There is no room just now.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The hash of a persisted query is not known here: send the query too.
    pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
}

/// An error of an answer, as the response format of the GraphQL specification has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
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
}

impl Failure {
    /// An error of the whole request.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        meter::error(code);
        Self { message: message.into(), locations: Vec::new(), path: Vec::new(), extensions: Extensions { code } }
    }

    /// The same error, at a place of the query.
    pub(super) fn at(self, position: Pos) -> Self {
        Self { locations: vec![position], ..self }
    }

    /// A field that could not be given.
    pub(super) fn of_field(error: Error, name: &str, position: Pos) -> Self {
        Self { path: vec![name.to_owned()], ..Self::new(error.code.as_str(), error.message).at(position) }
    }

    /// An error of the framework in reading a query.
    pub(super) fn of_framework(error: ServerError, code: &'static str) -> Self {
        let message = match error.message.as_str() {
            "Query is nested too deep." => {
                meter::limit("depth");
                format!("the query is more than {MAX_DEPTH} levels deep; ask for what lies deeper in a request of its own")
            }
            _ => error.message,
        };
        Self { locations: error.locations, ..Self::new(code, message) }
    }

    /// Whether another try could go better.
    pub fn is_of_the_moment(&self) -> bool {
        [Code::Internal, Code::Unavailable].iter().any(|code| code.as_str() == self.extensions.code)
    }
}
