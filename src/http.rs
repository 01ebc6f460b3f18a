//! HTTP: GraphQL at `/graphql`, tables, charts, feeds, pages of records, and operational endpoints.

mod authentication;
mod client;
mod conditional;
mod export;
mod graphql;
mod middleware;
mod ops;
mod record_page;
mod router;
mod server;

pub use graphql::request::PersistedDocuments;
pub use graphql::response_cache::ResponseCache;
pub use graphql::sse::StreamLimits;
pub use middleware::admission::AdmissionQueue;
pub use middleware::rate_limit::{ClientRateLimiter, RateLimits};
pub use ops::health::HealthState;
pub use ops::metrics::metrics_router;
pub use router::{AppState, router, tables};
pub use server::{Timeouts, serve};
