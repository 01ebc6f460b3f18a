//! The shutdown flag, read by the readiness check, and the latest result of that check.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Whether the server is shutting down, and what the latest readiness check found.
#[derive(Debug, Clone, Default)]
pub struct HealthState {
    is_shutting_down: Arc<AtomicBool>,
    latest: Arc<Mutex<Option<(Instant, ReadinessResponse)>>>,
}

/// The response to a readiness check.
#[derive(Debug, Clone)]
pub(super) struct ReadinessResponse {
    pub(super) is_ready: bool,
    /// The result of each check as JSON.
    pub(super) body: String,
}

impl HealthState {
    /// Makes the readiness check fail from now on.
    pub fn begin_shutdown(&self) {
        self.is_shutting_down.store(true, Ordering::Release);
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        self.is_shutting_down.load(Ordering::Acquire)
    }

    /// Keeps the result of a check that has ended now.
    pub(super) fn remember(&self, response: ReadinessResponse) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), response));
    }

    /// The result of the latest check, if it is at most this old.
    pub(super) fn latest(&self, max_age: Duration) -> Option<ReadinessResponse> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.as_ref().filter(|(at, _)| at.elapsed() <= max_age).map(|(_, response)| response.clone())
    }
}
