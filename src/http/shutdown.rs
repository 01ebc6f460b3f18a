//! The shutdown flag, read by the readiness check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server is shutting down.
#[derive(Debug, Clone, Default)]
pub struct HealthState {
    is_shutting_down: Arc<AtomicBool>,
}

impl HealthState {
    /// Makes the readiness check fail from now on.
    pub fn begin_shutdown(&self) {
        self.is_shutting_down.store(true, Ordering::Release);
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        self.is_shutting_down.load(Ordering::Acquire)
    }
}
