//! Admission and price of what a client reads while its response is sent.

use futures_util::future::BoxFuture;

use crate::core::auth::Caller;
use crate::core::error::{Error, Result};
use crate::graphql::limits::ReadMeter;
use crate::http::middleware::admission::AdmissionQueue;
use crate::http::rate_limiter::RateLimitHandle;
use crate::http::state::AppState;

/// Admits the reads of a client as queries, and charges them to its rate limit.
pub(crate) struct ClientMeter {
    queue: AdmissionQueue,
    rate_limit: RateLimitHandle,
    caller: Caller,
}

impl ClientMeter {
    pub(crate) fn new(state: &AppState, rate_limit: &RateLimitHandle, caller: &Caller) -> Self {
        Self { queue: state.admission_queue.clone(), rate_limit: rate_limit.clone(), caller: caller.clone() }
    }
}

impl ReadMeter for ClientMeter {
    fn admit(&self) -> BoxFuture<'_, Result<Box<dyn Send>>> {
        Box::pin(async {
            match self.queue.acquire(self.rate_limit.client(&self.caller)).await {
                Some(permit) => Ok(Box::new(permit) as Box<dyn Send>),
                None => Err(Error::Overloaded),
            }
        })
    }

    fn pay(&self, points: u64) -> BoxFuture<'_, ()> {
        Box::pin(self.rate_limit.pay(&self.caller, points))
    }
}
