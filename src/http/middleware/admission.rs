//! Admission control: how many queries execute concurrently, and which waiting query is admitted next.
//!
//! Waiting queries are admitted first in, first out while all of them can be admitted in time. If more arrive, the server
//! is overloaded: the newest is admitted first, and a query that has waited for [`OVERLOAD_WAIT`] is rejected. An admitted
//! query has then hardly waited, however many arrive, whereas a FIFO queue would delay all of them. This is adaptive LIFO
//! (Maurer, "Fail at Scale", ACM Queue 13(8), 2015). Only half of the permits are issued during overload: executing more
//! queries than the processors can work on makes each of them slower.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::observability::metrics;

/// Longest wait for a permit.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Longest wait during overload. Overload ends when all waiting queries could be admitted in order within this time.
const OVERLOAD_WAIT: Duration = Duration::from_millis(100);
/// Lower and upper bound of the queue length, however long a query takes.
const QUEUE_BOUNDS: (usize, usize) = (16, 1_000);
/// Weight of the past in the moving average of durations, in queries.
const AVERAGE_QUERIES: u32 = 64;

/// Limits the number of queries that execute concurrently.
#[derive(Debug, Clone)]
pub struct AdmissionQueue(Arc<SharedQueue>);

#[derive(Debug)]
struct SharedQueue(Mutex<QueueState>);

#[derive(Debug)]
struct QueueState {
    max_permits: usize,
    issued: usize,
    /// The oldest is first.
    waiting: VecDeque<Waiter>,
    is_overloaded: bool,
    /// Moving average of the duration of a query.
    average_duration: Duration,
}

#[derive(Debug)]
struct Waiter {
    since: Instant,
    /// Dropping it rejects the query.
    admit: oneshot::Sender<Permit>,
}

impl QueueState {
    /// Permits that may be issued now.
    fn capacity(&self) -> usize {
        if self.is_overloaded { self.max_permits.div_ceil(2) } else { self.max_permits }
    }

    /// Number of queries that can be admitted within this time.
    fn admissible_within(&self, time: Duration) -> usize {
        let each = self.average_duration.as_micros().max(1);
        usize::try_from(time.as_micros().saturating_mul(self.capacity() as u128) / each).unwrap_or(usize::MAX)
    }

    /// Rejects queries that have waited too long, removes those of clients that disconnected, and detects the end of
    /// overload.
    fn evict(&mut self) {
        while self
            .waiting
            .front()
            .is_some_and(|waiter| waiter.admit.is_closed() || (self.is_overloaded && waiter.since.elapsed() > OVERLOAD_WAIT))
        {
            self.waiting.pop_front();
        }
        self.is_overloaded &= self.waiting.len() > self.admissible_within(OVERLOAD_WAIT);
    }

    /// Issues a permit to the next waiting query, if both exist.
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        self.evict();
        if self.issued >= self.capacity() {
            return None;
        }
        let next = if self.is_overloaded { self.waiting.pop_back() } else { self.waiting.pop_front() }?;
        self.issued += 1;
        Some(next.admit)
    }

    /// Enqueues a query; if the queue is full, overload begins and the oldest is rejected.
    fn push(&mut self, admit: oneshot::Sender<Permit>) {
        self.evict();
        if self.waiting.len() >= self.admissible_within(MAX_WAIT).clamp(QUEUE_BOUNDS.0, QUEUE_BOUNDS.1) {
            self.is_overloaded = true;
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiter { since: Instant::now(), admit });
    }
}

/// Current numbers of queries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdmissionStats {
    /// Queries that execute.
    pub(crate) running: usize,
    /// Queries that may execute; fewer during overload.
    pub(crate) capacity: usize,
    /// Queries that wait.
    pub(crate) waiting: usize,
}

/// Permission to execute a query, returned when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// `None` if the permit was never received.
    queue: Option<Arc<SharedQueue>>,
    issued_at: Instant,
}

impl Permit {
    fn new(queue: Arc<SharedQueue>) -> Self {
        Self { queue: Some(queue), issued_at: Instant::now() }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.release(self.issued_at.elapsed());
        }
    }
}

impl SharedQueue {
    fn state(&self) -> MutexGuard<'_, QueueState> {
        // no critical section can panic halfway
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a permit back after the query took this long.
    fn release(self: Arc<Self>, duration: Duration) {
        let mut state = self.state();
        let average = state.average_duration;
        state.average_duration = average.saturating_sub(average / AVERAGE_QUERIES) + duration / AVERAGE_QUERIES;
        state.issued -= 1;
        drop(state);
        self.admit_waiting();
    }

    /// Issues the free permits to waiting queries.
    fn admit_waiting(self: &Arc<Self>) {
        let next = || self.state().next();
        while let Some(admit) = next() {
            if let Err(mut unreceived) = admit.send(Permit::new(self.clone())) {
                // the client disconnected
                unreceived.queue = None;
                self.state().issued -= 1;
            }
        }
    }
}

impl AdmissionQueue {
    /// A queue that admits this many concurrent queries.
    pub fn new(max_permits: u32) -> Self {
        let max_permits = max_permits.max(1) as usize;
        let state = QueueState { max_permits, issued: 0, waiting: VecDeque::new(), is_overloaded: false, average_duration: Duration::ZERO };
        Self(Arc::new(SharedQueue(Mutex::new(state))))
    }

    /// Waits for a permit; `None` if the query is rejected.
    pub(crate) async fn acquire(&self) -> Option<Permit> {
        let permit = match self.try_acquire_or_enqueue() {
            Ok(permit) => return Some(permit),
            Err(waiting) => tokio::time::timeout(MAX_WAIT, waiting).await.ok().and_then(Result::ok),
        };
        if permit.is_none() {
            metrics::record_limit_hit("concurrency");
        }
        permit
    }

    /// The current numbers.
    pub(crate) fn stats(&self) -> AdmissionStats {
        // disconnected clients do not count
        self.0.admit_waiting();
        let state = self.0.state();
        AdmissionStats { running: state.issued, capacity: state.capacity(), waiting: state.waiting.len() }
    }

    fn try_acquire_or_enqueue(&self) -> Result<Permit, oneshot::Receiver<Permit>> {
        let mut state = self.0.state();
        if state.waiting.is_empty() && state.issued < state.capacity() {
            state.issued += 1;
            return Ok(Permit::new(self.0.clone()));
        }
        let (admit, waiting) = oneshot::channel();
        state.push(admit);
        drop(state);
        // the end of overload may have freed permits
        self.0.admit_waiting();
        Err(waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::Poll;

    use futures_util::future::{join_all, poll_fn};

    use super::*;

    type Acquiring = Pin<Box<dyn Future<Output = Option<Permit>>>>;

    /// Enqueues this many queries one after another.
    async fn enqueue(admission: &AdmissionQueue, count: usize) -> Vec<Acquiring> {
        let mut all = Vec::new();
        for _ in 0..count {
            let admission = admission.clone();
            let mut acquiring: Acquiring = Box::pin(async move { admission.acquire().await });
            assert!(is_waiting(&mut acquiring).await);
            all.push(acquiring);
        }
        all
    }

    async fn is_waiting(acquiring: &mut Acquiring) -> bool {
        poll_fn(|context| Poll::Ready(acquiring.as_mut().poll(context).is_pending())).await
    }

    fn issued(admission: &AdmissionQueue) -> usize {
        admission.0.state().issued
    }

    fn set_average_duration(admission: &AdmissionQueue, milliseconds: u64) {
        admission.0.state().average_duration = Duration::from_millis(milliseconds);
    }

    /// Passes the only permit to these queries in this order, at 20 ms each; each must wait until its turn.
    async fn assert_admitted_in_order(
        admission: &AdmissionQueue,
        mut permit: Option<Permit>,
        waiting: impl IntoIterator<Item = Acquiring>,
    ) -> Option<Permit> {
        for mut acquiring in waiting {
            set_average_duration(admission, 20);
            assert!(permit.is_some() && is_waiting(&mut acquiring).await);
            drop(permit);
            permit = acquiring.await;
        }
        permit
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_queries_are_admitted_in_order() {
        let admission = AdmissionQueue::new(1);
        set_average_duration(&admission, 20);
        let permit = admission.acquire().await;
        // as many as can be admitted within a second
        let waiting = enqueue(&admission, 50).await;
        drop(assert_admitted_in_order(&admission, permit, waiting).await);
        assert_eq!(issued(&admission), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn average_duration_follows_released_permits() {
        let admission = AdmissionQueue::new(1);
        for _ in 0..1_000 {
            let permit = admission.acquire().await;
            tokio::time::advance(Duration::from_millis(40)).await;
            drop(permit);
        }
        let average = admission.0.state().average_duration;
        assert!(average > Duration::from_millis(39) && average <= Duration::from_millis(40), "{average:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn queue_length_is_bounded_for_slow_and_fast_queries() {
        for (milliseconds, max) in [(60_000, 16), (0, 1_000)] {
            let admission = AdmissionQueue::new(1);
            set_average_duration(&admission, milliseconds);
            let _permit = admission.acquire().await;
            let mut waiting = enqueue(&admission, max).await;
            assert!(is_waiting(&mut waiting[0]).await);
            let _newest = enqueue(&admission, 1).await;
            assert!(!is_waiting(&mut waiting[0]).await && is_waiting(&mut waiting[1]).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn overload_evicts_oldest_admits_newest() {
        let admission = AdmissionQueue::new(2);
        set_average_duration(&admission, 40);
        let (first, second) = (admission.acquire().await, admission.acquire().await);
        // each of two permits is released 25 times a second
        let mut waiting = enqueue(&admission, 50).await;
        let newest = enqueue(&admission, 3).await;
        let start = Instant::now();
        assert!(join_all(waiting.drain(..3)).await.iter().all(Option::is_none));
        assert_eq!(start.elapsed(), Duration::ZERO);
        for acquiring in &mut waiting {
            assert!(is_waiting(acquiring).await);
        }
        // only one of the two permits is issued now
        drop(first);
        let mut newest = newest.into_iter();
        let mut last = newest.next_back().unwrap();
        assert!(is_waiting(&mut last).await);
        drop(second);
        let last = last.await;
        assert!(last.is_some());
        drop(last);
        assert!(newest.next_back().unwrap().await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn all_permits_are_issued_again_after_overload() {
        let admission = AdmissionQueue::new(4);
        let permits = join_all((0..4).map(|_| admission.acquire())).await;
        set_average_duration(&admission, 1_000);
        let waiting = enqueue(&admission, QUEUE_BOUNDS.0 + 1).await;
        drop(waiting);
        drop(permits);
        assert_eq!(join_all((0..4).map(|_| admission.acquire())).await.iter().flatten().count(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn overload_rejects_queries_that_waited_100_ms() {
        let admission = AdmissionQueue::new(1);
        set_average_duration(&admission, 1_000);
        let permit = admission.acquire().await;
        let mut waiting = enqueue(&admission, QUEUE_BOUNDS.0).await;
        let newer = enqueue(&admission, 1).await;
        tokio::time::advance(OVERLOAD_WAIT).await;
        let newest = enqueue(&admission, 1).await;
        // each arrival evicted the oldest; the others have not waited too long
        for (index, acquiring) in waiting.iter_mut().enumerate() {
            assert_eq!(is_waiting(acquiring).await, index > 1);
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        admission.stats();
        waiting.drain(..2);
        waiting.extend(newer);
        let start = Instant::now();
        assert!(join_all(waiting).await.iter().all(Option::is_none));
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(permit);
        assert!(join_all(newest).await.iter().all(Option::is_some));
        // overload has ended
        assert_eq!((issued(&admission), admission.0.state().is_overloaded), (0, false));
    }

    #[tokio::test(start_paused = true)]
    async fn overload_ends_when_the_queue_can_be_admitted_in_time() {
        let admission = AdmissionQueue::new(1);
        set_average_duration(&admission, 20);
        let permit = admission.acquire().await;
        let mut waiting = enqueue(&admission, 51).await;
        assert!(waiting.remove(0).await.is_none());
        // five are admitted within 100 ms
        let newest = waiting.split_off(5).into_iter().rev();
        let permit = assert_admitted_in_order(&admission, permit, newest).await;
        drop(assert_admitted_in_order(&admission, permit, waiting).await);
        assert_eq!(issued(&admission), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn no_query_waits_longer_than_a_second() {
        let admission = AdmissionQueue::new(1);
        let _permit = admission.acquire().await;
        let start = Instant::now();
        assert!(admission.acquire().await.is_none());
        assert!(start.elapsed() >= MAX_WAIT && start.elapsed() <= MAX_WAIT + Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn disconnected_clients_hold_no_permit() {
        let admission = AdmissionQueue::new(1);
        let permit = admission.acquire().await;
        let mut waiting = enqueue(&admission, 3).await;
        drop(waiting.remove(0));
        drop(permit);
        // the permit was sent to the next client, which disconnects before receiving it
        drop(waiting.remove(0));
        assert!(waiting.remove(0).await.is_some());
        assert_eq!(issued(&admission), 0);
    }
}
