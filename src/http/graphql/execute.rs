//! Execution of prepared operations, with the timeout of queries.

use async_graphql::parser::types::OperationType;
use serde_json::json;

use crate::core::auth::Caller;
use crate::core::error::Error;
use crate::core::language::Languages;
use crate::graphql::engine::{OperationResult, PreparedOperation};
use crate::graphql::error::GraphqlError;
use crate::graphql::limits::Cost;
use crate::http::middleware::request_log::OperationLog;
use crate::http::state::AppState;

/// Executes an operation. Only queries time out: a mutation that is abandoned could still commit.
pub(crate) async fn execute(
    state: &AppState,
    prepared: &PreparedOperation,
    log: OperationLog,
    languages: &Languages,
    caller: &Caller,
) -> Result<OperationResult, GraphqlError> {
    // boxed because the future is large and would be part of every future around it
    let run = log.scope(Box::pin(state.api.execute(prepared, languages, caller)));
    let result = match prepared.kind() {
        OperationType::Mutation => run.await,
        OperationType::Query | OperationType::Subscription => {
            tokio::time::timeout(state.timeouts.query(), run).await.unwrap_or_else(|_| Err(GraphqlError::from(Error::Timeout)))
        }
    };
    let is_complete = result.as_ref().is_ok_and(|result| result.errors.is_empty());
    log.finish(is_complete, result.as_ref().ok().map(|result| result.data.len()));
    result
}

/// The response body: a JSON object with `errors` if there are any, `data`, and the cost in `extensions`.
pub(super) fn response_body(cost: Cost, result: &OperationResult) -> Vec<u8> {
    let mut body = Vec::with_capacity(result.data.len() + 80);
    body.push(b'{');
    if !result.errors.is_empty() {
        body.extend_from_slice(b"\"errors\":");
        body.extend_from_slice(json!(result.errors).to_string().as_bytes());
        body.push(b',');
    }
    body.extend_from_slice(b"\"data\":");
    body.extend_from_slice(&result.data);
    body.extend_from_slice(format!(",\"extensions\":{}}}", json!({"cost": cost})).as_bytes());
    body
}
