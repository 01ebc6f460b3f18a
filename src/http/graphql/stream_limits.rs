//! The limit on concurrent streams, and the timeouts of a stream.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::observability::metrics;

/// Message of a stream that is rejected.
pub(super) const TOO_MANY_STREAMS: &str = "the server has reached its limit of concurrent streams (max_streams); retry later";

/// Permits for streams (subscriptions and open WebSockets), and their timeouts.
#[derive(Debug, Clone)]
pub struct StreamLimits {
    permits: Arc<Semaphore>,
    max: u32,
    is_stopping: watch::Sender<bool>,
    /// Time after which a client that does not read is disconnected.
    pub send_timeout: Duration,
    /// Interval of keep-alive messages, which prevent proxies from closing an idle connection.
    pub keep_alive_interval: Duration,
    /// Time for the `connection_init` message of a WebSocket.
    pub init_timeout: Duration,
    /// Concurrent operations of one WebSocket.
    pub max_operations_per_socket: usize,
}

impl StreamLimits {
    /// Permits for this many streams.
    pub fn new(max: u32) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(max as usize)),
            max,
            is_stopping: watch::Sender::new(false),
            send_timeout: Duration::from_secs(20),
            keep_alive_interval: Duration::from_secs(12),
            init_timeout: Duration::from_secs(10),
            max_operations_per_socket: 50,
        }
    }

    /// Ends all streams as their protocols provide, and rejects new ones.
    pub fn stop(&self) {
        self.is_stopping.send_replace(true);
    }

    /// Waits until all streams have ended.
    pub async fn wait_until_closed(&self) {
        // the semaphore is never closed
        drop(self.permits.acquire_many(self.max).await);
    }

    /// Number of open streams.
    pub fn open(&self) -> usize {
        (self.max as usize).saturating_sub(self.permits.available_permits())
    }

    /// Maximum number of open streams.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// A permit for one stream; `None` at the limit or during shutdown.
    pub(super) fn try_acquire(&self) -> Option<OwnedSemaphorePermit> {
        if *self.is_stopping.borrow() {
            return None;
        }
        let permit = self.permits.clone().try_acquire_owned().ok();
        if permit.is_none() {
            metrics::record_limit_hit("streams");
        }
        permit
    }

    /// Waits until [`Self::stop`] is called.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut is_stopping = self.is_stopping.subscribe();
        async move { drop(is_stopping.wait_for(|is_stopping| *is_stopping).await) }
    }
}
