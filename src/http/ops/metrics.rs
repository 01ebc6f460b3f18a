//! What is counted, for Prometheus. It has an address of its own: it is for those who run the service.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::http::ops::health;
use crate::http::router::AppState;
use crate::observability::metrics;
use crate::observability::metrics::CacheKind;

/// The text format of Prometheus.
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long the dataset is asked for its state.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is served to those who run the service.
pub fn metrics_router(service: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(Arc::new(service))
}

async fn metrics(State(service): State<Arc<AppState>>) -> impl IntoResponse {
    look(&service).await;
    ([(CONTENT_TYPE, MEDIA)], metrics::render())
}

/// Looks at what is not counted as it happens.
#[allow(clippy::cast_precision_loss)] // a double holds whole numbers up to 2^53
async fn look(service: &AppState) {
    let store = &service.store;
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
    let queries = service.admission.look();
    metrics::set_gauge("kurultai_queries_running", &[], queries.taken as f64);
    metrics::set_gauge("kurultai_queries_max", &[], queries.open as f64);
    metrics::set_gauge("kurultai_queries_waiting", &[], queries.waiting as f64);
    let kept = [
        (CacheKind::Responses, service.answers.kept().await),
        (CacheKind::Documents, service.api.documents_kept()),
        (CacheKind::PersistedDocuments, service.documents.kept()),
    ];
    for (cache, (entries, bytes)) in kept {
        metrics::set_gauge("kurultai_cache_entries", &[("cache", cache.as_str())], entries as f64);
        metrics::set_gauge("kurultai_cache_bytes", &[("cache", cache.as_str())], bytes as f64);
    }
    metrics::set_gauge("kurultai_stream_places", &[], f64::from(service.streams.most()));
    metrics::set_gauge("kurultai_stream_places_taken", &[], service.streams.open() as f64);
    let tables = crate::http::router::most_tables(store.max_connections());
    metrics::set_gauge("kurultai_tables_max", &[], tables as f64);
    metrics::set_gauge("kurultai_tables_reading", &[], tables.saturating_sub(service.tables.available_permits()) as f64);
    // what the database does not tell in time keeps its last value
    if let Ok(Ok(version)) = tokio::time::timeout(PATIENCE, store.version()).await {
        metrics::set_gauge("kurultai_dataset_version", &[], version.number as f64);
        if let Some(generation) = version.generation {
            metrics::set_gauge("kurultai_dataset_generation", &[], generation as f64);
        }
    }
    let is_ready = health::readiness(service).await.ready;
    metrics::set_gauge("kurultai_ready", &[], f64::from(u8::from(is_ready)));
    metrics::set_gauge("kurultai_build_info", &[("version", env!("CARGO_PKG_VERSION")), ("database", store.system())], 1.0);
}
