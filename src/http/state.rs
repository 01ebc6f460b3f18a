//! The state that all handlers share.

use std::sync::Arc;
use std::time::Duration;

use crate::core::dataset::Dataset;
use crate::graphql::engine::Api;
use crate::http::graphql::persisted_documents::PersistedDocuments;
use crate::http::graphql::response_cache::ResponseCache;
use crate::http::graphql::stream_limits::StreamLimits;
use crate::http::middleware::admission::AdmissionQueue;
use crate::http::ops::health_state::HealthState;
use crate::http::rate_limiter::ClientRateLimiter;
use crate::http::revalidation::Revalidation;
use crate::http::server::Timeouts;
use crate::http::shares::Shares;
use crate::store::{Store, scanner_connections};

/// The state of the application.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The GraphQL engine.
    pub api: Api,
    /// The store.
    pub store: Store,
    /// The schema in the schema definition language.
    pub sdl: Arc<str>,
    /// Cache of responses.
    pub response_cache: ResponseCache,
    /// Limit on concurrent queries.
    pub admission_queue: AdmissionQueue,
    /// Limit on concurrent table exports.
    pub table_queue: AdmissionQueue,
    /// Rate limits by client.
    pub rate_limiter: ClientRateLimiter,
    /// Timeouts of connections and queries.
    pub timeouts: Timeouts,
    /// What revalidates responses.
    pub revalidation: Revalidation,
    /// Cache of automatic persisted queries.
    pub persisted_documents: PersistedDocuments,
    /// Whether readers can execute saved queries only.
    pub trusted_documents_only: bool,
    /// Limit on concurrent streams.
    pub stream_limits: StreamLimits,
    /// Title, licence, attribution and public URL of the dataset.
    pub dataset: Arc<Dataset>,
    /// Origins whose pages may read responses.
    pub cors_origins: Vec<String>,
    /// Maximum size of a request body in bytes.
    pub max_body_bytes: usize,
    /// Maximum size of a multipart request in bytes.
    pub max_upload_bytes: usize,
    /// Whether the server is shutting down.
    pub health: HealthState,
    /// Duration from which an operation is logged as slow; `None` disables the log.
    pub slow_query_threshold: Option<Duration>,
}

/// The limit on concurrent table exports, given the number of database connections for queries: each export holds one
/// connection.
pub fn table_queue(max_connections: u32, shares: &Shares) -> AdmissionQueue {
    AdmissionQueue::of_tables(max_concurrent_tables(max_connections), shares)
}

pub(super) fn max_concurrent_tables(max_connections: u32) -> usize {
    scanner_connections(max_connections) as usize
}
