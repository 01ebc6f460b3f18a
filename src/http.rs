//! The HTTP server: GraphQL, exports (tables, charts, feeds), record pages and operational endpoints.

mod authentication;
mod body;
mod client;
mod conditional;
mod export;
mod graphql;
mod middleware;
mod ops;
mod rate_limiter;
mod reconcile;
mod record_page;
mod response;
mod revalidation;
mod router;
mod server;
mod shares;
mod state;
mod url_parameters;

pub use graphql::persisted_documents::PersistedDocuments;
pub use graphql::response_cache::ResponseCache;
pub use graphql::stream_limits::StreamLimits;
pub use middleware::admission::AdmissionQueue;
pub use ops::health_state::HealthState;
pub use ops::metrics::metrics_router;
pub use rate_limiter::{ClientRateLimiter, RateLimits};
pub use revalidation::Revalidation;
pub use router::router;
pub use server::{ConnectionLimits, Timeouts, serve};
pub use shares::Shares;
pub use state::{AppState, table_queue};
