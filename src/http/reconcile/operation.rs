//! Runs the GraphQL operation behind a request: with the limits, the price, the admission and the log of any query.

use std::collections::HashSet;

use async_graphql::parser::types::OperationType;
use axum::response::Response;
use serde_json::{Map, Value as Json};

use crate::core::error::{self, internal};
use crate::graphql::engine::{OnError, OperationRequest, PrepareError};
use crate::graphql::error::{GraphqlError, ResponsePathSegment};
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, accepted_languages};
use crate::http::graphql::execute::execute;
use crate::http::middleware::request_log::OperationLog;
use crate::http::response::{MediaType, error_response, errors_response, overloaded_response};
use crate::http::state::AppState;

/// Executes a query and returns its data. `locate` changes the message of an error of the root field with this alias, so that
/// it names the place in the request.
pub(super) async fn run(
    state: &AppState,
    client: &ClientContext,
    (name, query): (&str, String),
    variables: Map<String, Json>,
    locate: impl Fn(&str, &str) -> String,
) -> Result<Json, Response> {
    let failed = |error| error_response(MediaType::Json, error);
    let caller = authenticate(&state.store, client).await.map_err(failed)?;
    let Some(_permit) = state.admission_queue.acquire(client.rate_limit.client(&caller)).await else {
        return Err(overloaded_response(MediaType::Json));
    };
    let request = OperationRequest { query, operation: Some(name.to_owned()), variables, uploads: Vec::new(), on_error: OnError::Null };
    let prepared = state.api.prepare(request, |kind| kind == OperationType::Query).map_err(|error| match error {
        PrepareError::Invalid(errors) => errors_response(MediaType::Json, &errors),
        PrepareError::OperationNotAllowed => failed(internal("the operation of a reconciliation is not a query")),
    })?;
    client.rate_limit.charge_query(&caller, prepared.points()).map_err(|limited| limited.response())?;
    let log = OperationLog::start(state, &prepared, None);
    let result = execute(state, &prepared, log, &accepted_languages(client), &caller).await;
    let result = result.map_err(|error| errors_response(MediaType::Json, &[error]))?;
    if result.errors.is_empty() {
        return serde_json::from_slice(&result.data).map_err(|error| failed(internal(error)));
    }
    let mut errors: Vec<GraphqlError> = result
        .errors
        .into_iter()
        .map(|error| {
            let message = match error.path.first() {
                Some(ResponsePathSegment::Field(alias)) => locate(alias, &error.message),
                Some(ResponsePathSegment::Index(_)) | None => error.message,
            };
            // paths and positions are those of a document that the client does not know
            GraphqlError { message, path: Vec::new(), locations: Vec::new(), ..error }
        })
        .collect();
    // a query without a type is one of each type
    let mut seen: HashSet<String> = HashSet::new();
    errors.retain(|error| seen.insert(error.message.clone()));
    Err(errors_response(MediaType::Json, &errors))
}

/// The items of a list in the data of an operation. Its fields were selected, so that anything else is a fault of the server.
pub(super) fn items(list: &Json) -> error::Result<&[Json]> {
    list.as_array().map(Vec::as_slice).ok_or_else(|| internal("the data of a reconciliation lacks a list"))
}
