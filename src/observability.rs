//! What operators see of a running server: metrics, logs and traces.

pub mod logging;
pub mod metrics;
pub mod tracing;
