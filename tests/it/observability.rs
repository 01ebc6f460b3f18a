//! What operators see of a server: readiness, metrics, logs and traces, and what these never contain.

mod logging;
mod metrics;
mod readiness;
pub mod server_process;
mod tracing;
