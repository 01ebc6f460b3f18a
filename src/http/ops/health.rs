//! Liveness and readiness checks.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::http::ops::health_state::ReadinessResponse;
use crate::http::state::AppState;

/// Timeout of one check, so that the response is prompt even if the database hangs.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// Time after which a probe gets the result of the latest checks.
const PROMPT_RESPONSE: Duration = Duration::from_millis(200);
/// Age up to which the result of the latest checks answers a probe.
const MAX_LATEST_AGE: Duration = Duration::from_secs(5);

/// Whether the server can serve requests, and the result of each check.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    checks: Vec<Check>,
    /// State of the replicas, in the order of the settings. It does not affect readiness: reads avoid unhealthy replicas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replicas: Vec<ReplicaStatus>,
}

/// State of a replica.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReplicaStatus {
    /// Whether it serves reads.
    in_rotation: bool,
    /// Whether it has replayed every known change.
    fresh: bool,
    /// Replication lag; null while it does not respond.
    lag_seconds: Option<f64>,
}

/// The result of one check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// What is wrong and how to correct it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

fn check(name: &'static str, problem: Option<String>) -> Check {
    Check { name, ok: problem.is_none(), problem }
}

/// Runs all checks, each with its own timeout.
pub(crate) async fn readiness(state: &AppState) -> Readiness {
    let shutdown = state.health.is_shutting_down().then(|| "the server is shutting down".to_owned());
    let database = database(state).await;
    let migrations = match &database {
        None => migrations(state).await,
        Some(_) => Some("unknown while the database does not respond".to_owned()),
    };
    let checks = vec![check("running", shutdown), check("database", database), check("migrations", migrations)];
    let replicas = state.store.replicas().into_iter();
    let replicas = replicas.map(|replica| ReplicaStatus {
        in_rotation: replica.is_alive,
        fresh: replica.is_fresh,
        lag_seconds: replica.lag.map(|lag| lag.as_secs_f64()),
    });
    Readiness { ready: checks.iter().all(|check| check.ok), checks, replicas: replicas.collect() }
}

async fn database(state: &AppState) -> Option<String> {
    match tokio::time::timeout(CHECK_TIMEOUT, state.store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            error.log();
            Some("the database does not respond".to_owned())
        }
        Err(_) => Some(timed_out()),
    }
}

async fn migrations(state: &AppState) -> Option<String> {
    match tokio::time::timeout(CHECK_TIMEOUT, state.store.migrations()).await {
        Ok(Ok(known)) if known.pending > 0 => {
            Some(format!("the schema of the database lacks {} migrations; run \"kurultai migrate\"", known.pending))
        }
        Ok(Ok(known)) if !known.unknown.is_empty() => Some(format!(
            "the schema of the database has {} migrations that this version does not know; upgrade the server",
            known.unknown.len()
        )),
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            tracing::error!(%error, "cannot read the applied migrations");
            Some("the migrations cannot be read".to_owned())
        }
        Err(_) => Some(timed_out()),
    }
}

fn timed_out() -> String {
    format!("no response within {} seconds", CHECK_TIMEOUT.as_secs())
}

const NO_STORE: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

/// Liveness: the process responds.
pub async fn live() -> impl IntoResponse {
    (NO_STORE, "ok\n")
}

/// Readiness: the database responds, and its schema is the one that this version expects. If the checks take longer than a
/// probe should wait, the response is that of the latest checks.
pub async fn ready(State(state): State<Arc<AppState>>) -> impl IntoResponse {
    let health = state.health.clone();
    let mut checked = tokio::spawn(async move {
        let readiness = readiness(&state).await;
        let response = ReadinessResponse { is_ready: readiness.ready, body: serde_json::json!(readiness).to_string() };
        state.health.remember(response.clone());
        response
    });
    let latest = || health.latest(MAX_LATEST_AGE).filter(|_| !health.is_shutting_down());
    let checked = match tokio::time::timeout(PROMPT_RESPONSE, &mut checked).await {
        Ok(checked) => checked.ok(),
        Err(_) => match latest() {
            Some(latest) => Some(latest),
            None => checked.await.ok(),
        },
    };
    // a check that panics is logged by the panic hook
    let response = checked.unwrap_or(ReadinessResponse { is_ready: false, body: String::new() });
    let status = if response.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, NO_STORE, [(CONTENT_TYPE, "application/json")], response.body)
}
