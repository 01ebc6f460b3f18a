//! Metrics for Prometheus, served on a separate address for the operators.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::http::ops::health;
use crate::http::state::{AppState, max_concurrent_tables};
use crate::observability::metrics;
use crate::observability::metrics::CacheKind;

/// The text format of Prometheus.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Timeout of the query for the dataset version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(1);

/// The router of the operators' server: metrics and health checks.
pub fn metrics_router(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(Arc::new(state))
}

async fn metrics(State(state): State<Arc<AppState>>) -> impl IntoResponse {
    update_gauges(&state).await;
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], metrics::render())
}

/// Updates the gauges that are read on demand.
async fn update_gauges(state: &AppState) {
    let store = &state.store;
    for pool in store.pools() {
        let name = ("pool", pool.name);
        metrics::set_gauge("kurultai_database_connections", &[name, ("state", "in_use")], f64::from(pool.open.saturating_sub(pool.idle)));
        metrics::set_gauge("kurultai_database_connections", &[name, ("state", "idle")], f64::from(pool.idle));
        metrics::set_gauge("kurultai_database_connections_max", &[name], f64::from(pool.max));
    }
    let replicas = store.replicas();
    let (mut fresh, mut behind, mut out) = (0_u32, 0_u32, 0_u32);
    for replica in &replicas {
        let state = match (replica.is_alive, replica.is_fresh) {
            (true, true) => &mut fresh,
            (true, false) => &mut behind,
            (false, _) => &mut out,
        };
        *state += 1;
    }
    for (state, count) in [("fresh", fresh), ("behind", behind), ("out", out)] {
        metrics::set_gauge("kurultai_replicas", &[("state", state)], f64::from(count));
    }
    let lag = replicas.iter().filter_map(|replica| replica.lag).max().unwrap_or_default();
    metrics::set_gauge("kurultai_replica_lag_seconds", &[], lag.as_secs_f64());
    let queries = state.admission_queue.stats();
    metrics::set_gauge("kurultai_queries_running", &[], queries.running as f64);
    metrics::set_gauge("kurultai_queries_max", &[], queries.capacity as f64);
    metrics::set_gauge("kurultai_queries_waiting", &[], queries.waiting as f64);
    let caches = [
        (CacheKind::Responses, state.response_cache.usage().await),
        (CacheKind::Documents, state.api.document_cache_usage()),
        (CacheKind::PersistedDocuments, state.persisted_documents.usage()),
    ];
    for (cache, (entries, bytes)) in caches {
        metrics::set_gauge("kurultai_cache_entries", &[("cache", cache.as_str())], entries as f64);
        metrics::set_gauge("kurultai_cache_bytes", &[("cache", cache.as_str())], bytes as f64);
    }
    metrics::set_gauge("kurultai_stream_places", &[], f64::from(state.stream_limits.max()));
    metrics::set_gauge("kurultai_stream_places_taken", &[], state.stream_limits.open() as f64);
    let tables = max_concurrent_tables(store.max_connections());
    metrics::set_gauge("kurultai_tables_max", &[], tables as f64);
    metrics::set_gauge("kurultai_tables_reading", &[], state.table_queue.stats().running as f64);
    // the gauges keep their value if the database does not respond in time
    if let Ok(Ok(version)) = tokio::time::timeout(VERSION_TIMEOUT, store.version()).await {
        metrics::set_gauge("kurultai_dataset_version", &[], version.number as f64);
        if let Some(generation) = version.generation {
            metrics::set_gauge("kurultai_dataset_generation", &[], generation as f64);
        }
    }
    let is_ready = health::readiness(state).await.ready;
    metrics::set_gauge("kurultai_ready", &[], f64::from(u8::from(is_ready)));
    metrics::set_gauge("kurultai_build_info", &[("version", env!("CARGO_PKG_VERSION")), ("database", store.system())], 1.0);
}
