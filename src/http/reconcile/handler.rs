//! The endpoints below `/reconcile`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use crate::core::error;
use crate::core::error::{Error, internal};
use crate::http::client::ClientContext;
use crate::http::reconcile::extend;
use crate::http::reconcile::manifest::manifest;
use crate::http::reconcile::operation::{items, run};
use crate::http::reconcile::parameters::{CALLBACK, bad_request, callback, read_form, rejected, respond};
use crate::http::reconcile::query;
use crate::http::reconcile::query::{EntityType, ReconciliationQuery};
use crate::http::reconcile::suggest;
use crate::http::response::{MediaType, error_response, reject};
use crate::http::state::AppState;
use crate::http::url_parameters::UrlParameters;

/// The parameter with the queries.
const QUERIES: &str = "queries";
/// The parameter with a request for columns.
const EXTEND: &str = "extend";
/// Highest score of a result; those of `match` go to 1.
const MAX_SCORE: f64 = 100.0;

/// `GET /reconcile`: the manifest, or the results of queries in the URL.
pub async fn get(State(state): State<Arc<AppState>>, client: ClientContext, RawQuery(query): RawQuery) -> Response {
    let parameters = UrlParameters::new(query.as_deref().unwrap_or(""));
    if parameters.contains(QUERIES) || parameters.contains(EXTEND) {
        return answer(&state, &client, &parameters).await;
    }
    let checked = parameters.reject_unknown(&[&[QUERIES, EXTEND, CALLBACK]]).and_then(|()| callback(&parameters));
    match checked {
        Ok(callback) => respond(&manifest(&state, &client), callback.as_deref()),
        Err(reject) => rejected(reject),
    }
}

/// `POST /reconcile`: the results of queries in a form.
pub async fn post(State(state): State<Arc<AppState>>, client: ClientContext, body: Body) -> Response {
    match read_form(&state, &client, body).await {
        Ok(form) => answer(&state, &client, &UrlParameters::new(&form)).await,
        Err(reject) => rejected(reject),
    }
}

/// Every other method.
pub async fn method_not_allowed() -> Response {
    let mut response = rejected(reject(StatusCode::METHOD_NOT_ALLOWED, "the methods of this URL are GET and POST"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

/// `GET /reconcile/suggest/{kind}`: entities, types or properties while a user types.
pub async fn suggest(
    State(state): State<Arc<AppState>>,
    Path(kind): Path<String>,
    client: ClientContext,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = UrlParameters::new(query.as_deref().unwrap_or(""));
    match Box::pin(suggestions(&state, &kind, &client, &parameters)).await {
        Ok(response) | Err(response) => response,
    }
}

async fn suggestions(state: &AppState, kind: &str, client: &ClientContext, parameters: &UrlParameters) -> Result<Response, Response> {
    parameters.reject_unknown(&[suggest::PARAMETERS, &[suggest::CURSOR, CALLBACK]]).map_err(rejected)?;
    let callback = callback(parameters).map_err(rejected)?;
    let is_first_page = parameters.value(suggest::CURSOR).is_none_or(|cursor| cursor == "0");
    let json = match kind {
        "entity" | "type" | "property" if !is_first_page => json!({"result": []}),
        "entity" => {
            let variables = suggest::entity_variables(parameters).map_err(rejected)?;
            let locate = |_: &str, message: &str| message.replacen("query:", "prefix:", 1);
            let data = run(state, client, ("SuggestEntities", suggest::entity_query()), variables, locate).await?;
            suggest::entities(&data).map_err(failed)?
        }
        "type" => suggest::types(parameters).map_err(rejected)?,
        "property" => suggest::properties(parameters).map_err(rejected)?,
        _ => return Err(rejected(reject(StatusCode::NOT_FOUND, "suggestions are of entity, type or property"))),
    };
    Ok(respond(&json, callback.as_deref()))
}

/// `GET /reconcile/extend/propose`: the properties whose values can be added as columns.
pub async fn propose(RawQuery(query): RawQuery) -> Response {
    let parameters = UrlParameters::new(query.as_deref().unwrap_or(""));
    let checked = parameters.reject_unknown(&[extend::PROPOSE_PARAMETERS, &[CALLBACK]]).and_then(|()| callback(&parameters));
    match checked.and_then(|callback| Ok((extend::propose(&parameters)?, callback))) {
        Ok((json, callback)) => respond(&json, callback.as_deref()),
        Err(reject) => rejected(reject),
    }
}

/// The response to an error of the server.
fn failed(error: Error) -> Response {
    error_response(MediaType::Json, error)
}

async fn answer(state: &AppState, client: &ClientContext, parameters: &UrlParameters) -> Response {
    let answer = match (parameters.contains(QUERIES), parameters.contains(EXTEND)) {
        (true, true) => return rejected(bad_request("give queries or extend, not both")),
        (false, true) => Box::pin(columns(state, client, parameters)).await,
        (_, false) => Box::pin(results(state, client, parameters)).await,
    };
    match answer {
        Ok(response) | Err(response) => response,
    }
}

/// Values of properties for ids.
async fn columns(state: &AppState, client: &ClientContext, parameters: &UrlParameters) -> Result<Response, Response> {
    parameters.reject_unknown(&[&[EXTEND, CALLBACK]]).map_err(rejected)?;
    let callback = callback(parameters).map_err(rejected)?;
    let text =
        parameters.value(EXTEND).ok_or_else(|| rejected(bad_request("extend is missing: give a JSON object with ids and properties")))?;
    let extension = extend::parse(text).map_err(rejected)?;
    let locate = |_: &str, message: &str| message.replacen("ids", "extend.ids", 1);
    let data = run(state, client, ("Extend", extend::query()), extension.variables(), locate).await?;
    Ok(respond(&extension.rows(&data).map_err(failed)?, callback.as_deref()))
}

/// The results of queries: one operation with a `match` for each type, which is limited and charged as any query.
async fn results(state: &AppState, client: &ClientContext, parameters: &UrlParameters) -> Result<Response, Response> {
    parameters.reject_unknown(&[&[QUERIES, CALLBACK]]).map_err(rejected)?;
    let callback = callback(parameters).map_err(rejected)?;
    let text = parameters.value(QUERIES).ok_or_else(|| rejected(bad_request("queries is missing: give a JSON object with the queries")))?;
    let queries = query::parse(text).map_err(rejected)?;
    let groups: Vec<(EntityType, Vec<&ReconciliationQuery>)> = EntityType::ALL
        .into_iter()
        .map(|ty| (ty, queries.iter().filter(|query| query.types.contains(&ty)).collect::<Vec<_>>()))
        .filter(|(_, of)| !of.is_empty())
        .collect();
    let limit = queries.iter().map(|query| query.limit).max().unwrap_or(1);
    let mut variables: Map<String, Json> = [("first".to_owned(), json!(limit))].into_iter().collect();
    for (ty, of) in &groups {
        variables.insert(ty.id().to_owned(), of.iter().map(|query| Json::Object(query.candidate.clone())).collect());
    }
    // an error names the place among the candidates of a type
    let locate = |alias: &str, message: &str| {
        let queries = groups.iter().find(|(ty, _)| ty.id() == alias).map(|(_, of)| of);
        let place = message.strip_prefix("candidates[").and_then(|rest| rest.split_once(']'));
        let located = place.and_then(|(index, rest)| Some((queries?.get(index.parse::<usize>().ok()?)?, rest)));
        located.map_or_else(|| message.to_owned(), |(query, rest)| query.locate(rest))
    };
    let data = run(state, client, ("Reconcile", document(&groups)), variables, locate).await?;
    let mut found: Map<String, Json> = Map::new();
    for query in &queries {
        let mut results: Vec<(f64, Json)> = Vec::new();
        for (ty, of) in &groups {
            let Some(place) = of.iter().position(|of| of.key == query.key) else { continue };
            for found in items(&data[ty.id()][place]["matches"]).map_err(failed)? {
                results.push(result(*ty, found).map_err(failed)?);
            }
        }
        results.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let mut results: Vec<Json> = results.into_iter().map(|(_, result)| result).collect();
        // a record of another type could be meant
        if results.iter().filter(|result| result["match"] == true).count() > 1 {
            for result in &mut results {
                result["match"] = json!(false);
            }
        }
        results.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        found.insert(query.key.clone(), json!({"result": results}));
    }
    Ok(respond(&Json::Object(found), callback.as_deref()))
}

/// The document with a `match` for each of these types.
fn document(groups: &[(EntityType, Vec<&ReconciliationQuery>)]) -> String {
    let declared: String = groups.iter().map(|(ty, _)| format!(", ${}: [MatchCandidate!]!", ty.id())).collect();
    let fields: String = groups
        .iter()
        .map(|(ty, _)| {
            let (alias, value) = (ty.id(), ty.enum_value());
            format!(" {alias}: match(type: {value}, candidates: ${alias}, first: $first) {{ ...Found }}")
        })
        .collect();
    format!(
        "query Reconcile($first: Int{declared}) {{{fields} }} fragment Found on CandidateMatches {{ matches {{ score isCertain features {{ name share }} record {{ id label ... on Person {{ birthDate jurisdiction {{ slug }} }} ... on Organization {{ foundedOn jurisdiction {{ slug }} }} }} }} }}"
    )
}

/// A match as the specification writes it, with its score.
fn result(ty: EntityType, found: &Json) -> error::Result<(f64, Json)> {
    let record = &found["record"];
    let known = [&record["birthDate"], &record["foundedOn"], &record["jurisdiction"]["slug"]];
    let known: Vec<&str> = known.into_iter().filter_map(Json::as_str).collect();
    let missing = |what: &str| internal(format!("a match lacks its {what}"));
    let feature = |feature: &Json| {
        let name = feature["name"].as_str().ok_or_else(|| missing("feature"))?;
        Ok(json!({"id": name.to_lowercase(), "value": feature["share"]}))
    };
    let features = items(&found["features"])?.iter().map(feature).collect::<error::Result<Vec<Json>>>()?;
    let score = (found["score"].as_f64().ok_or_else(|| missing("score"))? * MAX_SCORE * 10.0).round() / 10.0;
    let json = json!({
        "id": record["id"],
        "name": record["label"],
        "description": known.join(", "),
        "type": [ty.json()],
        "score": score,
        "match": found["isCertain"],
        "features": features,
    });
    Ok((score, json))
}
