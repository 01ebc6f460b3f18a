//! Ctrl-C while a command runs.

use tokio::signal;
use tokio::sync::watch;

/// Counts how often Ctrl-C was pressed.
#[derive(Debug)]
pub(super) struct InterruptCounter(watch::Receiver<u8>);

impl InterruptCounter {
    /// Starts counting.
    pub(super) fn start() -> Self {
        let (count, receiver) = watch::channel(0u8);
        tokio::spawn(async move {
            while signal::ctrl_c().await.is_ok() {
                count.send_modify(|count| *count = count.saturating_add(1));
            }
        });
        Self(receiver)
    }

    /// Whether Ctrl-C was pressed at least once.
    pub(super) fn is_interrupted(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Completes once Ctrl-C was pressed `times` times.
    pub(super) async fn wait_for(&mut self, times: u8) {
        if self.0.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
