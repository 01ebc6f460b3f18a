//! The schema as a file: all of it, or the part that a client needs.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::conditional::respond_static;
use crate::http::response::{HttpReject, MediaType, reject, reject_response};
use crate::http::state::AppState;
use crate::http::url_parameters::UrlParameters;

const PARAMETERS: &[&str] = &["types", "descriptions"];

/// `GET /schema.graphql`.
pub async fn get(State(state): State<Arc<AppState>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    match respond(&state, &headers, &query.unwrap_or_default()) {
        Ok(response) => response,
        Err(reject) => reject_response(MediaType::Json, &reject),
    }
}

fn respond(state: &AppState, headers: &HeaderMap, query: &str) -> Result<Response, HttpReject> {
    let (types, has_descriptions) = requested_part(query)?;
    let subset = state.api.schema_subset(&types, has_descriptions).map_err(|message| reject(StatusCode::BAD_REQUEST, message))?;
    let part = format!("{} {has_descriptions}", types.join(","));
    Ok(respond_static(headers, &[state.sdl.as_bytes(), part.as_bytes()], || {
        let is_whole = types.is_empty() && has_descriptions;
        let sdl = if is_whole { state.sdl.to_string() } else { subset.to_sdl() };
        ([(CONTENT_TYPE, "text/plain; charset=utf-8")], sdl).into_response()
    }))
}

/// The requested types, sorted, and whether descriptions are requested.
fn requested_part(query: &str) -> Result<(Vec<String>, bool), HttpReject> {
    let parameters = UrlParameters::new(query);
    parameters.reject_unknown(&[PARAMETERS])?;
    Ok((parameters.list("types")?, parameters.flag("descriptions", true)?))
}
