//! The watermark of replication.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Monotonic number that advances with every change that becomes known: a replica may serve reads once it has replayed
/// up to it. It starts at 1; 0 marks a position that was never compared with the primary.
#[derive(Debug)]
pub(crate) struct Watermark {
    number: AtomicU64,
    advanced: Notify,
}

impl Default for Watermark {
    fn default() -> Self {
        Self { number: AtomicU64::new(1), advanced: Notify::new() }
    }
}

impl Watermark {
    /// The current value.
    pub(crate) fn current(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Advances: a change became known that replicas may lack.
    pub(crate) fn advance(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
        self.advanced.notify_one();
    }

    /// Waits until the watermark has advanced since the previous wait.
    pub(crate) async fn advanced(&self) {
        self.advanced.notified().await;
    }
}
