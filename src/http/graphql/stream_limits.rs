//! The limit on concurrent streams, and the timeouts of a stream.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::graphql::error::{GraphqlError, codes};
use crate::http::shares::{ClientId, ClientPlace, ClientPlaces, Shares};
use crate::observability::metrics;

/// Message of a stream that is rejected.
const TOO_MANY_STREAMS: &str = "the server has reached its limit of concurrent streams (max_streams); retry later";

/// Permits for streams (subscriptions and open WebSockets), and their timeouts.
#[derive(Debug, Clone)]
pub struct StreamLimits {
    permits: Arc<Semaphore>,
    places: ClientPlaces,
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

/// Permission for one stream, returned when it is dropped.
#[derive(Debug)]
pub(super) struct StreamPlace {
    _permit: OwnedSemaphorePermit,
    _place: ClientPlace,
}

impl StreamLimits {
    /// Permits for this many streams, of which one client can have its share.
    pub fn new(max: u32, shares: &Shares) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(max as usize)),
            places: ClientPlaces::new(shares.of(max as usize)),
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

    /// A permit for one stream of this client. Fails with the error to send at the limit of the server, at that of the client,
    /// and during shutdown.
    pub(super) fn try_acquire(&self, client: ClientId) -> Result<StreamPlace, GraphqlError> {
        let unavailable = || GraphqlError::new(codes::UNAVAILABLE, TOO_MANY_STREAMS);
        if *self.is_stopping.borrow() {
            return Err(unavailable());
        }
        let Some(place) = self.places.try_take(client) else {
            metrics::record_limit_hit("client_streams");
            let message = format!(
                "this client already has {} streams, the share of max_streams that one client can have (shares.client_percent); close some, or retry later",
                self.places.max()
            );
            return Err(GraphqlError::new(codes::RATE_LIMITED, message));
        };
        let permit = self.permits.clone().try_acquire_owned().map_err(|_| {
            metrics::record_limit_hit("streams");
            unavailable()
        })?;
        Ok(StreamPlace { _permit: permit, _place: place })
    }

    /// Waits until [`Self::stop`] is called.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut is_stopping = self.is_stopping.subscribe();
        async move { drop(is_stopping.wait_for(|is_stopping| *is_stopping).await) }
    }
}
