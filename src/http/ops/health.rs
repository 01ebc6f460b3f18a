//! Whether the service lives, and whether it can answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::http::router::AppState;

/// How long a check may take: a database that hangs must not make those wait who ask whether it answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of the state of the service without asking.
#[derive(Debug, Clone, Default)]
pub struct HealthState {
    leaving: Arc<AtomicBool>,
}

impl HealthState {
    /// From now on the service is not ready: it has been told to stop.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }
}

/// Whether the service can answer, and what stands in the way.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    checks: Vec<Check>,
    /// How the replicas are, in the order of the settings. Readers do without those that are not well, so the service is
    /// ready all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replicas: Vec<Replica>,
}

/// How a replica is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Replica {
    /// Whether readers may be sent to it.
    in_rotation: bool,
    /// Whether it shows everything that is known of.
    fresh: bool,
    /// For how long the primary has had something that it does not show; nothing while it does not answer.
    lag_seconds: Option<f64>,
}

/// One thing that must be so.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// What is wrong, and what would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

fn check(name: &'static str, problem: Option<String>) -> Check {
    Check { name, ok: problem.is_none(), problem }
}

/// Looks at everything that must be so; a further check is a function beside these, with its own time, and its name in
/// this list.
pub(crate) async fn readiness(service: &AppState) -> Readiness {
    let leaving = service.health.leaving.load(Ordering::Acquire).then(|| "the server was told to stop".to_owned());
    let database = database(service).await;
    let migrations = match &database {
        None => migrations(service).await,
        Some(_) => Some("not known while the database does not answer".to_owned()),
    };
    let checks = vec![check("running", leaving), check("database", database), check("migrations", migrations)];
    let replicas = service.store.replicas().into_iter();
    let replicas = replicas.map(|replica| Replica {
        in_rotation: replica.is_alive,
        fresh: replica.is_fresh,
        lag_seconds: replica.lag.map(|lag| lag.as_secs_f64()),
    });
    Readiness { ready: checks.iter().all(|check| check.ok), checks, replicas: replicas.collect() }
}

async fn database(service: &AppState) -> Option<String> {
    match tokio::time::timeout(PATIENCE, service.store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(_)) => Some("the database cannot be reached".to_owned()),
        Err(_) => Some(late()),
    }
}

async fn migrations(service: &AppState) -> Option<String> {
    match tokio::time::timeout(PATIENCE, service.store.migrations()).await {
        Ok(Ok(known)) if known.pending > 0 => {
            Some(format!("the database lacks {} changes of its schema: run \"kurultai migrate\"", known.pending))
        }
        Ok(Ok(known)) if !known.unknown.is_empty() => {
            Some(format!("the database has {} changes of its schema that this program does not know: it is too old", known.unknown.len()))
        }
        Ok(Ok(_)) => None,
        Ok(Err(_)) => Some("the changes of the schema cannot be read".to_owned()),
        Err(_) => Some(late()),
    }
}

fn late() -> String {
    format!("no answer within {} seconds", PATIENCE.as_secs())
}

/// What nobody on the way may keep.
const PASSING: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

/// The process answers.
pub async fn live() -> impl IntoResponse {
    (PASSING, "ok\n")
}

/// The service can answer: the database does, and its schema is the one that this program knows.
pub async fn ready(State(service): State<Arc<AppState>>) -> impl IntoResponse {
    let readiness = readiness(&service).await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_string(&readiness).unwrap_or_default();
    (status, PASSING, [(CONTENT_TYPE, "application/json")], body)
}
