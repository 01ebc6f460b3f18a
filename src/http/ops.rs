//! Operational endpoints: health, metrics and static assets.

pub(crate) mod assets;
pub(crate) mod health;
pub(crate) mod metrics;
