//! HTTP: GraphQL at `/graphql`, pages for people, and the state of the service.

mod asked;
mod assets;
mod cache;
mod caller;
mod chart;
mod conditional;
mod cors;
mod feed;
mod graphql;
mod health;
mod metrics;
mod multipart;
mod socket;
mod stream;
mod table;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;

use crate::graphql::Api;
use crate::store::db::Store;

pub use asked::Documents;
pub use cache::Answers;
pub use health::Health;
pub use metrics::metrics_router;
pub use stream::Streams;

/// What every request can use.
#[derive(Debug, Clone)]
pub struct Service {
    /// The schema, with the store behind it.
    pub api: Api,
    /// The store.
    pub store: Store,
    /// The schema as text.
    pub sdl: Arc<str>,
    /// Answers that are kept.
    pub answers: Answers,
    /// Tables that may be read at the same time.
    pub tables: Arc<Semaphore>,
    /// Documents that clients sent with their hashes.
    pub documents: Documents,
    /// Streams that are open.
    pub streams: Streams,
    /// Origins whose pages may read answers.
    pub cors_origins: Vec<String>,
    /// Bytes that the body of a request may have at most.
    pub body_limit: usize,
    /// Bytes that a request with files may have at most.
    pub upload_limit: usize,
    /// Whether it has been told to stop.
    pub health: Health,
    /// How long an operation may take before a line tells of it; nothing tells of none.
    pub slow_query: Option<Duration>,
}

/// Room for tables that are read at the same time: each keeps a connection to itself, and half of them stay for queries.
pub fn tables(connections: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most_tables(connections)))
}

fn most_tables(connections: u32) -> usize {
    (connections as usize / 2).max(1)
}

/// All routes.
pub fn router(service: Service) -> Router {
    let cors = cors::layer(&service.cors_origins);
    Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post).fallback(graphql::other_method))
        .route("/table.{format}", get(table::get))
        .route("/chart.{format}", get(chart::get))
        .route("/feed.atom", get(feed::feed))
        .route("/schema.graphql", get(assets::sdl))
        .route("/", get(assets::landing))
        .route("/graphiql", get(assets::graphiql))
        .route("/assets/{*path}", get(assets::asset))
        .route("/favicon.svg", get(assets::favicon))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(assets::not_found)
        // what is sent as it happens is not compressed, and neither are images
        .layer(CompressionLayer::new())
        .layer(cors)
        .layer(from_fn(watch::request))
        .with_state(Arc::new(service))
}
