//! A number that moves on with everything that whoever reads from a replica must not miss.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// The number. It begins at one, so that what is marked with nothing has still to be looked at.
#[derive(Debug)]
pub(crate) struct Watermark {
    number: AtomicU64,
    moved: Notify,
}

impl Default for Watermark {
    fn default() -> Self {
        Self { number: AtomicU64::new(1), moved: Notify::new() }
    }
}

impl Watermark {
    pub(crate) fn now(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Something is known of that replicas may not have yet.
    pub(crate) fn advance(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
        self.moved.notify_one();
    }

    /// Waits until it has moved on since it was waited for last.
    pub(crate) async fn moved(&self) {
        self.moved.notified().await;
    }
}
