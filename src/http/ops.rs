//! Operational endpoints: health, metrics, static assets, the schema and its changelog.

pub(super) mod assets;
pub(super) mod health;
pub(super) mod health_state;
pub(super) mod metrics;
pub(super) mod schema;
pub(super) mod schema_changes;
