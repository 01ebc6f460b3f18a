//! Operations: as requested, as prepared for execution, and their results.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Name, Variables};
use serde_json::{Map, Value as Json};

use crate::graphql::error::GraphqlError;
use crate::graphql::limits::Cost;
use crate::graphql::request::document;
use crate::graphql::request::document::Document;
use crate::graphql::request::upload::Upload;

/// A request to execute an operation.
#[derive(Debug, Clone)]
pub struct OperationRequest {
    /// The GraphQL document.
    pub query: String,
    /// Name of the operation to execute; required if the document has several.
    pub operation: Option<String>,
    /// Variables. An uploaded file appears as its key in `uploads`.
    pub variables: Map<String, Json>,
    /// Uploaded files.
    pub uploads: Vec<Upload>,
    /// What an error of a field does to the response.
    pub on_error: OnError,
}

/// What an error of a field does to the response: the parameter `onError` of a request, after the draft of the GraphQL
/// working group (<https://github.com/graphql/graphql-spec/pull/1163>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "UPPERCASE")]
pub enum OnError {
    /// The nearest nullable field above the error is null. This is what the specification requires without the parameter.
    #[default]
    Propagate,
    /// The field with the error is null, even if its type is non-null.
    Null,
    /// The data is null, and the response has a single error. Later mutations of the request are not executed.
    Halt,
}

/// A validated operation with its variables, ready for execution.
#[derive(Debug)]
pub struct PreparedOperation {
    pub(crate) document: Arc<Document>,
    pub(crate) request: OperationRequest,
    pub(crate) variables: Variables,
    pub(crate) cost: Cost,
}

/// Why a request cannot be executed.
#[derive(Debug)]
pub enum PrepareError {
    /// The transport does not allow operations of this type.
    OperationNotAllowed,
    /// The request does not parse, does not validate or exceeds a limit.
    Invalid(Vec<GraphqlError>),
}

impl From<GraphqlError> for PrepareError {
    fn from(error: GraphqlError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<Vec<GraphqlError>> for PrepareError {
    fn from(errors: Vec<GraphqlError>) -> Self {
        Self::Invalid(errors)
    }
}

/// Result of an operation.
#[derive(Debug)]
pub struct OperationResult {
    /// The data as JSON, with fields in the order of the query.
    pub data: Vec<u8>,
    /// Errors of root fields; those fields are null in the data.
    pub errors: Vec<GraphqlError>,
    /// Whether the result depends on the caller or the current time rather than on the dataset alone.
    pub is_personal: bool,
}

impl PreparedOperation {
    /// Type of the operation.
    pub fn kind(&self) -> OperationType {
        document::find_operation(&self.document.executable, self.request.operation.as_deref())
            .map_or(OperationType::Query, |operation| operation.ty)
    }

    /// What the operation may read and return at most. Of a subscription, the cost of a page of events.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Points of a rate limit that starting the operation costs. A subscription pays for its events as they are read.
    pub fn points(&self) -> u64 {
        match self.kind() {
            OperationType::Subscription => self.cost.without_response().points(),
            OperationType::Query | OperationType::Mutation => self.cost.points(),
        }
    }

    /// Name of the operation, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.request.operation.as_deref().or_else(|| self.document.executable.operations.iter().next()?.0.map(Name::as_str))
    }

    /// The GraphQL document.
    pub fn text(&self) -> &str {
        &self.request.query
    }
}
