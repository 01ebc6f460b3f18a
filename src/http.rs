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

pub use graphql::request::Documents;
pub use graphql::response_cache::Answers;
pub use graphql::sse::Streams;
pub use middleware::admission::Admission;
pub use middleware::rate_limit::{Quotas, Rates};
pub use ops::health::Health;
pub use ops::metrics::metrics_router;
pub use router::{Service, router, tables};
pub use server::{Timeouts, serve};
