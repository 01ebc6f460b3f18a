//! Who may be answered at the same time. What comes beyond that waits for a moment; where more comes than can be answered
//! for longer than a moment, it is sent away at once, so that those who are let in are answered in good time.
//!
//! The bound on waiting is that of "Controlled Delay" (Nichols and Jacobson, 2012) as servers use it: a queue that was
//! empty a moment ago is a burst, and is worked off; one that has not been empty for longer is overload.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::meter;

/// How long a queue may last, and so how long one may wait in a burst.
const BURST: Duration = Duration::from_millis(250);
/// How long one may wait while there is more than can be answered.
const OVERLOAD: Duration = Duration::from_millis(5);

/// Room for requests.
#[derive(Debug, Clone)]
pub struct Admission {
    room: Arc<Semaphore>,
    start: Instant,
    /// When nobody waited last, in milliseconds from the start.
    calm: Arc<AtomicU64>,
}

impl Admission {
    /// Room for so many requests at the same time.
    pub fn new(most: u32) -> Self {
        Self { room: Arc::new(Semaphore::new(most.max(1) as usize)), start: Instant::now(), calm: Arc::default() }
    }

    /// A place, until it is dropped; nothing where there is none in time.
    pub(super) async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Ok(place) = self.room.clone().try_acquire_owned() {
            self.calm.store(now, Ordering::Relaxed);
            return Some(place);
        }
        let is_burst = u128::from(now.saturating_sub(self.calm.load(Ordering::Relaxed))) < BURST.as_millis();
        let patience = if is_burst { BURST } else { OVERLOAD };
        let place = tokio::time::timeout(patience, self.room.clone().acquire_owned()).await.ok().and_then(Result::ok);
        if place.is_none() {
            meter::limit("concurrency");
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_waited_for() {
        let admission = Admission::new(1);
        let first = admission.enter().await.unwrap();
        let second = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter().await.is_some() }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(first);
        assert!(second.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_a_burst_may_last() {
        let admission = Admission::new(1);
        let _first = admission.enter().await.unwrap();
        let begun = tokio::time::Instant::now();
        assert!(admission.enter().await.is_none());
        assert!(begun.elapsed() <= BURST + Duration::from_millis(2));
    }
}
