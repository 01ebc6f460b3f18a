//! The query string of tables and charts.

use std::ops::Deref;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use crate::core::error::Error;
use crate::core::language;
use crate::core::language::Languages;
use crate::graphql::engine::PrepareError;
use crate::graphql::error::GraphqlError;
use crate::graphql::tabular::{TableOptions, TableQuery};
use crate::http::authentication::authenticate;
use crate::http::client::{ClientContext, accepted_languages};
use crate::http::graphql::client_meter::ClientMeter;
use crate::http::graphql::request::{DocumentError, GraphqlRequest};
use crate::http::middleware::admission::Permit;
use crate::http::middleware::request_log::OperationLog;
use crate::http::response;
use crate::http::response::{HttpReject, MediaType, reject};
use crate::http::state::AppState;
use crate::http::url_parameters::UrlParameters;

/// Names of the parameters that select and lay out a table, also that of a chart.
pub(super) const TABLE_PARAMETERS: &[&str] =
    &["query", "saved", "documentId", "variables", "operationName", "extensions", "lang", "rows", "lists", "explode", "sources", "limit"];

/// The parameters of a table or chart.
#[derive(Debug)]
pub(super) struct TableParameters {
    /// The query string as received.
    pub(super) query_string: String,
    parameters: UrlParameters,
}

impl Deref for TableParameters {
    type Target = UrlParameters;

    fn deref(&self) -> &UrlParameters {
        &self.parameters
    }
}

fn bad_request(message: impl Into<String>) -> HttpReject {
    reject(StatusCode::BAD_REQUEST, message)
}

impl TableParameters {
    /// Parses a query string.
    pub(super) fn new(query: Option<&str>) -> Self {
        let query_string = query.unwrap_or_default().to_owned();
        Self { parameters: UrlParameters::new(&query_string), query_string }
    }

    /// Sets the default of `limit`.
    pub(super) fn default_limit(&mut self, rows: usize) {
        self.parameters.set_default("limit", || rows.to_string());
    }

    fn layout(&self) -> Result<TableOptions, HttpReject> {
        let exploded = match (self.value("lists"), self.value("explode")) {
            (None | Some("join"), None) => false,
            (None | Some("explode"), _) => true,
            (Some(other), _) => return Err(bad_request(format!("lists: \"{other}\" is not valid here; use join or explode"))),
        };
        let limit = self
            .value("limit")
            .map(|limit| limit.parse().map_err(|_| bad_request(format!("limit: \"{limit}\" is not a number of rows"))))
            .transpose()?;
        let text = |name| self.value(name).map(str::to_owned);
        Ok(TableOptions { rows: text("rows"), exploded, explode: text("explode"), sources: self.flag("sources", false)?, limit })
    }

    /// The preferred languages: the parameter `lang`, or else the `Accept-Language` header.
    pub(super) fn languages(&self, headers: &HeaderMap) -> Result<Languages, HttpReject> {
        let Some(lang) = self.value("lang") else { return Ok(accepted_languages(headers)) };
        // a header may contain ranges that are not valid, a parameter may not
        for range in lang.split(',').map(|range| range.split_once(';').map_or(range, |(range, _)| range).trim()) {
            if range != "*" {
                language::tag(range).map_err(|error| bad_request(format!("lang: {error}")))?;
            }
        }
        Ok(Languages::from_header(lang))
    }

    /// Plans the table and waits for a permit to read it.
    pub(super) async fn open_table(&self, state: &AppState, client: &ClientContext) -> Result<(TableQuery, TableRun), Response> {
        let request = GraphqlRequest::from_query_string(self.query_string.as_bytes()).map_err(reject_response)?;
        let caller = authenticate(&state.store, client).await.map_err(error_response)?;
        let resolved = request.resolve(state, &caller).await.map_err(|error| match error {
            DocumentError::Rejected(reject) => reject_response(reject),
            DocumentError::NotFound(error) | DocumentError::Failed(error) => errors_response(&[error]),
        })?;
        let layout = self.layout().map_err(reject_response)?;
        let languages = self.languages(client).map_err(reject_response)?;
        let prepared = state.api.prepare(resolved.request, |kind| kind == OperationType::Query);
        let prepared = prepared.map_err(|error| match error {
            PrepareError::Invalid(errors) => errors_response(&errors),
            PrepareError::OperationNotAllowed => reject_response(reject(StatusCode::METHOD_NOT_ALLOWED, "a table requires a query")),
        })?;
        client.rate_limit.charge_query(&caller, prepared.points()).map_err(|limited| limited.response())?;
        let Some(permit) = state.table_queue.acquire(client.rate_limit.client(&caller)).await else {
            let mut response = reject_response(reject(
                StatusCode::SERVICE_UNAVAILABLE,
                "the server has reached its limit of concurrent tables (half of database_max_connections), or this client its share (shares.client_percent); retry later",
            ));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
            return Err(response);
        };
        let log = OperationLog::start(state, &prepared, resolved.saved_query).into_table();
        let meter = Arc::new(ClientMeter::new(state, &client.rate_limit, &caller));
        match log.scope(state.api.table(&prepared, &layout, &languages, &caller, meter)).await {
            Ok(table) => Ok((table, TableRun { _permit: permit, log })),
            Err(errors) => {
                log.finish(false, None);
                Err(errors_response(&errors))
            }
        }
    }
}

/// The permit and the measurement of a table while it is read.
pub(super) struct TableRun {
    pub(super) _permit: Permit,
    pub(super) log: OperationLog,
}

/// The response to an invalid request.
#[expect(clippy::needless_pass_by_value, reason = "it maps the error of a result")]
pub(super) fn reject_response(reject: HttpReject) -> Response {
    response::reject_response(MediaType::Json, &reject)
}

/// The response to a request that failed.
pub(super) fn error_response(error: Error) -> Response {
    response::error_response(MediaType::Json, error)
}

/// The response to a query that is invalid or failed.
fn errors_response(errors: &[GraphqlError]) -> Response {
    response::errors_response(MediaType::Json, errors)
}
