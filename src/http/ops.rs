//! Operational endpoints: health, metrics and static assets.

pub(super) mod assets;
pub(super) mod health;
pub(super) mod metrics;
