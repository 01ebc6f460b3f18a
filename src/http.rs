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
mod multipart;
mod record;
mod socket;
mod stream;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;

use crate::dataset::Dataset;
use crate::graphql::Api;
use crate::store::db::Store;

pub use asked::Documents;
pub use cache::Answers;
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
    /// What the dataset says of itself.
    pub dataset: Arc<Dataset>,
    /// Origins whose pages may read answers.
    pub cors_origins: Vec<String>,
    /// Bytes that the body of a request may have at most.
    pub body_limit: usize,
    /// Bytes that a request with files may have at most.
    pub upload_limit: usize,
}

/// Room for tables that are read at the same time: each keeps a connection to itself, and half of them stay for queries.
pub fn tables(connections: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((connections as usize / 2).max(1)))
}

/// All routes.
pub fn router(service: Service) -> Router {
    let cors = cors::layer(&service.cors_origins);
    Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post).fallback(graphql::other_method))
        .route("/table.{format}", get(table::get))
        .route("/chart.{format}", get(chart::get))
        .route("/feed.atom", get(feed::feed))
        .route("/r/{name}", get(record::named))
        .route("/r/{type}/{name}", get(record::page))
        .route("/schema.graphql", get(assets::sdl))
        .route("/", get(assets::landing))
        .route("/graphiql", get(assets::graphiql))
        .route("/assets/record.css", get(record::style))
        .route("/assets/{*path}", get(assets::asset))
        .route("/favicon.svg", get(assets::favicon))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(assets::not_found)
        // what is sent as it happens is not compressed, and neither are images
        .layer(CompressionLayer::new())
        .layer(cors)
        .layer(TraceLayer::new_for_http())
        .with_state(Arc::new(service))
}
