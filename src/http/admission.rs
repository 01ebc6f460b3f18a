//! Who may be answered at the same time. What comes beyond that waits for a moment; where more comes than can be answered
//! for longer than a moment, it is sent away at once, so that those who are let in are answered in good time.
//!
//! The bound on waiting is that of "Controlled Delay" (Nichols and Jacobson, 2012) as servers use it: where half of the
//! room was free a moment ago, a queue is a burst, and is worked off; where it was not for longer, it is overload. Then nobody
//! waits longer than half of what an answer takes, so that waiting adds little to it, whatever is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::meter;

/// How long a queue may last, and so how long one may wait in a burst.
const BURST: Duration = Duration::from_millis(250);
/// How long one may wait at least, and at most, while there is more than can be answered.
const OVERLOAD: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));
/// Answers that what is typical is taken from, the latest counting most.
const TYPICAL: u64 = 64;

/// Room for requests.
#[derive(Debug, Clone)]
pub struct Admission {
    room: Arc<Semaphore>,
    most: usize,
    start: Instant,
    known: Arc<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When half of the room was free last, in milliseconds from the start.
    calm: AtomicU64,
    /// What an answer takes, in microseconds.
    takes: AtomicU64,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    begun: Instant,
    known: Arc<Known>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let took = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let takes = self.known.takes.load(Ordering::Relaxed);
        // of two who write at the same time one is lost, which matters nothing to what is typical
        self.known.takes.store(takes - takes / TYPICAL + took / TYPICAL, Ordering::Relaxed);
    }
}

impl Admission {
    /// Room for so many requests at the same time.
    pub fn new(most: u32) -> Self {
        let most = most.max(1) as usize;
        Self { room: Arc::new(Semaphore::new(most)), most, start: Instant::now(), known: Arc::default() }
    }

    /// A place, until it is dropped; nothing where there is none in time.
    pub(super) async fn enter(&self) -> Option<Place> {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let permit = match self.room.clone().try_acquire_owned() {
            Ok(permit) => {
                // under overload, too, a place is free for a moment when those who waited have gone
                if self.room.available_permits() * 2 >= self.most.saturating_sub(1) {
                    self.known.calm.store(now, Ordering::Relaxed);
                }
                Some(permit)
            }
            Err(_) => tokio::time::timeout(self.patience(now), self.room.clone().acquire_owned()).await.ok().and_then(Result::ok),
        };
        if permit.is_none() {
            meter::limit("concurrency");
        }
        permit.map(|permit| Place { _permit: permit, begun: Instant::now(), known: self.known.clone() })
    }

    fn patience(&self, now: u64) -> Duration {
        let waiting = Duration::from_millis(now.saturating_sub(self.known.calm.load(Ordering::Relaxed)));
        match waiting < BURST {
            true => BURST,
            false => Duration::from_micros(self.known.takes.load(Ordering::Relaxed) / 2).clamp(OVERLOAD.0, OVERLOAD.1),
        }
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

    #[test]
    fn under_overload_one_waits_for_half_of_what_an_answer_takes() {
        let admission = Admission::new(1);
        assert_eq!(admission.patience(0), BURST);
        assert_eq!(admission.patience(1_000), OVERLOAD.0);
        admission.known.takes.store(40_000, Ordering::Relaxed);
        assert_eq!(admission.patience(1_000), Duration::from_millis(20));
        admission.known.calm.store(900, Ordering::Relaxed);
        assert_eq!(admission.patience(1_000), BURST);
        admission.known.takes.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(admission.patience(2_000), OVERLOAD.1);
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
