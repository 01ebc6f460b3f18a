//! Who may be answered at the same time. What comes beyond that waits for a moment; where more comes than can be answered
//! for longer than a moment, it is sent away at once, so that those who are let in are answered in good time.
//!
//! Two bounds on waiting, after "Controlled Delay" (Nichols and Jacobson, 2012) as servers use it: a queue that comes now and
//! then is a burst, and is worked off; one that is there for most who come is overload. Which it is, is told by how many of
//! those who came last found room at once. Under overload nobody waits for more than an eighth of what an answer takes, so
//! that waiting adds little to it, whatever is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::meter;

/// How long one may wait in a burst.
const BURST: Duration = Duration::from_millis(100);
/// How long one may wait at least, and at most, while there is more than can be answered.
const OVERLOAD: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));
/// Requests that what is typical is taken from, the latest counting most.
const TYPICAL: u64 = 64;
/// What stands for all of them.
const ALL: u64 = 1 << 16;

/// Room for requests.
#[derive(Debug, Clone)]
pub struct Admission {
    room: Arc<Semaphore>,
    known: Arc<Known>,
}

#[derive(Debug)]
struct Known {
    /// How many of those who came found room at once.
    at_once: AtomicU64,
    /// What an answer takes, in microseconds.
    takes: AtomicU64,
}

/// Moves what is typical towards what was seen. Of two who write at the same time one is lost, which matters nothing to it.
fn learn(typical: &AtomicU64, seen: u64) {
    let known = typical.load(Ordering::Relaxed);
    typical.store(known - known / TYPICAL + seen / TYPICAL, Ordering::Relaxed);
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
        learn(&self.known.takes, took);
    }
}

impl Admission {
    /// Room for so many requests at the same time.
    pub fn new(most: u32) -> Self {
        let known = Known { at_once: AtomicU64::new(ALL), takes: AtomicU64::default() };
        Self { room: Arc::new(Semaphore::new(most.max(1) as usize)), known: Arc::new(known) }
    }

    /// A place, until it is dropped; nothing where there is none in time.
    pub(super) async fn enter(&self) -> Option<Place> {
        let permit = match self.room.clone().try_acquire_owned() {
            Ok(permit) => {
                learn(&self.known.at_once, ALL);
                Some(permit)
            }
            Err(_) => {
                learn(&self.known.at_once, 0);
                tokio::time::timeout(self.patience(), self.room.clone().acquire_owned()).await.ok().and_then(Result::ok)
            }
        };
        if permit.is_none() {
            meter::limit("concurrency");
        }
        permit.map(|permit| Place { _permit: permit, begun: Instant::now(), known: self.known.clone() })
    }

    fn patience(&self) -> Duration {
        match self.known.at_once.load(Ordering::Relaxed) >= ALL / 2 {
            true => BURST,
            false => Duration::from_micros(self.known.takes.load(Ordering::Relaxed) / 8).clamp(OVERLOAD.0, OVERLOAD.1),
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
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(first);
        assert!(second.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn where_most_find_no_room_nobody_waits_for_more_than_an_eighth_of_an_answer() {
        let admission = Admission::new(1);
        let first = admission.enter().await.unwrap();
        admission.known.takes.store(40_000, Ordering::Relaxed);
        assert_eq!(admission.patience(), BURST);
        // a burst of some dozens is none of that
        let all = || (0..100).map(|_| admission.enter());
        let begun = tokio::time::Instant::now();
        assert!(futures_util::future::join_all(all()).await.iter().all(Option::is_none));
        assert!(begun.elapsed() >= BURST);
        assert_eq!(admission.patience(), Duration::from_millis(5));
        let begun = tokio::time::Instant::now();
        assert!(admission.enter().await.is_none());
        assert!(begun.elapsed() <= Duration::from_millis(7), "{:?}", begun.elapsed());
        // and it is over when there is room for most again
        drop(first);
        for _ in 0..100 {
            assert!(admission.enter().await.is_some());
        }
        assert_eq!(admission.patience(), BURST);
    }

    #[test]
    fn what_an_answer_takes_bounds_waiting_only_so_far() {
        let admission = Admission::new(1);
        admission.known.at_once.store(0, Ordering::Relaxed);
        assert_eq!(admission.patience(), OVERLOAD.0);
        admission.known.takes.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(admission.patience(), OVERLOAD.1);
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
