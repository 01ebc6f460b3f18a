//! HTTP: GraphQL at `/graphql`, pages for people, and the state of the service.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::core::dataset::Dataset;
use crate::graphql::engine::Api;
use crate::http::export::chart;
use crate::http::export::feed;
use crate::http::export::table;
use crate::http::graphql::handler;
use crate::http::middleware::cors;
use crate::http::middleware::rate_limit;
use crate::http::middleware::request_log;
use crate::http::middleware::security_headers;
use crate::http::ops::assets;
use crate::http::ops::health;
use crate::http::record_page::handler as record_page;
use crate::store::{Store, scanner_connections};

use crate::http::graphql::request::PersistedDocuments;
use crate::http::graphql::response_cache::ResponseCache;
use crate::http::graphql::sse::StreamLimits;
use crate::http::middleware::admission::AdmissionQueue;
use crate::http::middleware::rate_limit::ClientRateLimiter;
use crate::http::ops::health::HealthState;
use crate::http::server::Timeouts;

/// What every request can use.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The schema, with the store behind it.
    pub api: Api,
    /// The store.
    pub store: Store,
    /// The schema as text.
    pub sdl: Arc<str>,
    /// Answers that are kept.
    pub answers: ResponseCache,
    /// Room for queries that are run at the same time.
    pub admission: AdmissionQueue,
    /// Tables that may be read at the same time.
    pub tables: Arc<Semaphore>,
    /// What each client may ask for.
    pub rates: ClientRateLimiter,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Documents that clients sent with their hashes.
    pub documents: PersistedDocuments,
    /// Streams that are open.
    pub streams: StreamLimits,
    /// What the dataset says of itself.
    pub dataset: Arc<Dataset>,
    /// Origins whose pages may read answers.
    pub cors_origins: Vec<String>,
    /// Bytes that the body of a request may have at most.
    pub body_limit: usize,
    /// Bytes that a request with files may have at most.
    pub upload_limit: usize,
    /// Whether it has been told to stop.
    pub health: HealthState,
    /// How long an operation may take before a line tells of it; nothing tells of none.
    pub slow_query: Option<Duration>,
}

/// Room for tables that are read at the same time, where there are so many connections for queries: each table keeps a
/// connection to itself.
pub fn tables(connections: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most_tables(connections)))
}

pub(crate) fn most_tables(connections: u32) -> usize {
    scanner_connections(connections) as usize
}

/// All routes.
pub fn router(service: AppState) -> Router {
    let cors = cors::layer(&service.cors_origins);
    let service = Arc::new(service);
    // the first is outermost; as one, for each layer by itself costs as much again
    let around = ServiceBuilder::new()
        .layer(from_fn(request_log::request))
        .layer(cors)
        .map_response(security_headers::harden)
        // what is sent as it happens is not compressed, and neither are images
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(handler::panicked));
    let data = Router::new()
        .route("/graphql", get(handler::get).post(handler::post).fallback(handler::other_method))
        .route("/table.{format}", get(table::get))
        .route("/chart.{format}", get(chart::get))
        .route("/feed.atom", get(feed::feed))
        .route("/r/{name}", get(record_page::named))
        .route("/r/{type}/{name}", get(record_page::page))
        .route_layer(from_fn_with_state(service.clone(), rate_limit::count));
    Router::new()
        .route("/schema.graphql", get(assets::sdl))
        .route("/", get(assets::landing))
        .route("/graphiql", get(assets::graphiql))
        .route("/assets/record.css", get(record_page::style))
        .route("/assets/{*path}", get(assets::asset))
        .route("/favicon.svg", get(assets::favicon))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .merge(data)
        .fallback(assets::not_found)
        .layer(around)
        .with_state(service)
}
