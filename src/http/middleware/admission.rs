//! Admission control: how many queries execute concurrently, and which waiting query is admitted next.
//!
//! Waiting queries are admitted first in, first out while all of them can be admitted in time. If more arrive, the server
//! is overloaded: the newest is admitted first, and a query that has waited for [`OVERLOAD_WAIT`] is rejected. An admitted
//! query has then hardly waited, however many arrive, whereas a FIFO queue would delay all of them. This is adaptive LIFO
//! (Maurer, "Fail at Scale", ACM Queue 13(8), 2015). Only half of the permits are issued during overload: executing more
//! queries than the processors can work on makes each of them slower.
//!
//! Clients take turns: a client that was admitted goes behind all others that wait, however many queries it has. During
//! overload, a client without waiting queries goes before them. No client holds more than its share of the permits, and
//! editors and admins have permits that readers cannot take.

mod queue;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::http::middleware::admission::queue::{MAX_WAIT, QueueState};
use crate::http::shares::{Client, Shares};
use crate::observability::metrics;

/// Weight of the past in the moving average of durations, in queries.
const AVERAGE_QUERIES: u32 = 64;
/// Longest wait of a table for its permit: tables take longer than queries.
const MAX_TABLE_WAIT: Duration = Duration::from_secs(10);
/// Concurrent tables of editors and admins in addition to those of readers.
pub(crate) const EDITOR_TABLES: usize = 2;

/// Limits the number of queries that execute concurrently.
#[derive(Debug, Clone)]
pub struct AdmissionQueue(Arc<SharedQueue>);

#[derive(Debug)]
struct SharedQueue {
    state: Mutex<QueueState<Permit>>,
    /// Longest wait for a permit.
    max_wait: Duration,
    /// Name of the limit in metrics.
    limit: &'static str,
}

/// Current numbers of queries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdmissionStats {
    /// Queries that execute.
    pub(crate) running: usize,
    /// Queries of readers that may execute; fewer during overload.
    pub(crate) capacity: usize,
    /// Queries that wait.
    pub(crate) waiting: usize,
}

/// Permission to execute a query, returned when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// `None` if the permit was never received.
    queue: Option<Arc<SharedQueue>>,
    client: Client,
    issued_at: Instant,
}

impl Permit {
    fn new(queue: Arc<SharedQueue>, client: Client) -> Self {
        Self { queue: Some(queue), client, issued_at: Instant::now() }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.release(self.client, self.issued_at.elapsed());
        }
    }
}

impl SharedQueue {
    fn state(&self) -> MutexGuard<'_, QueueState<Permit>> {
        // no critical section can panic halfway
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a permit back after the query took this long.
    fn release(self: Arc<Self>, client: Client, duration: Duration) {
        let mut state = self.state();
        let average = state.average_duration;
        state.average_duration = average.saturating_sub(average / AVERAGE_QUERIES) + duration / AVERAGE_QUERIES;
        state.release(client);
        drop(state);
        self.admit_waiting();
    }

    /// Issues the free permits to waiting queries.
    fn admit_waiting(self: &Arc<Self>) {
        let next = || self.state().next();
        while let Some((client, admit)) = next() {
            if let Err(mut unreceived) = admit.send(Permit::new(self.clone(), client)) {
                // the client disconnected
                unreceived.queue = None;
                self.state().release(client);
            }
        }
    }
}

impl AdmissionQueue {
    /// A queue that admits this many concurrent queries of readers.
    pub fn new(max_permits: u32, shares: &Shares) -> Self {
        Self::with(max_permits.max(1) as usize, shares.editor_queries as usize, shares, (MAX_WAIT, true, "concurrency"))
    }

    /// A queue that admits this many concurrent tables of readers.
    pub(crate) fn of_tables(max_permits: usize, shares: &Shares) -> Self {
        Self::with(max_permits.max(1), EDITOR_TABLES, shares, (MAX_TABLE_WAIT, false, "tables"))
    }

    fn with(
        max_permits: usize,
        editor_permits: usize,
        shares: &Shares,
        (max_wait, is_adaptive, limit): (Duration, bool, &'static str),
    ) -> Self {
        let state = QueueState {
            max_permits,
            editor_permits,
            max_per_client: shares.of(max_permits),
            is_adaptive,
            issued_to_readers: 0,
            issued_to_editors: 0,
            clients: HashMap::new(),
            reader_turns: VecDeque::new(),
            editor_turns: VecDeque::new(),
            arrivals: VecDeque::new(),
            waiting: 0,
            next_number: 0,
            is_overloaded: false,
            average_duration: Duration::ZERO,
        };
        Self(Arc::new(SharedQueue { state: Mutex::new(state), max_wait, limit }))
    }

    /// Waits for a permit; `None` if the query is rejected.
    pub(crate) async fn acquire(&self, client: Client) -> Option<Permit> {
        let permit = match self.try_acquire_or_enqueue(client) {
            Ok(permit) => return Some(permit),
            Err(waiting) => tokio::time::timeout(self.0.max_wait, waiting).await.ok().and_then(Result::ok),
        };
        if permit.is_none() {
            metrics::record_limit_hit(self.0.limit);
        }
        permit
    }

    /// The current numbers.
    pub(crate) fn stats(&self) -> AdmissionStats {
        // disconnected clients do not count
        self.0.admit_waiting();
        let state = self.0.state();
        AdmissionStats { running: state.issued(), capacity: state.capacity(), waiting: state.waiting }
    }

    fn try_acquire_or_enqueue(&self, client: Client) -> Result<Permit, oneshot::Receiver<Permit>> {
        let mut state = self.0.state();
        // a client whose turn it would be first has been admitted already
        let has_turn = state.has_turn(client);
        if !has_turn && state.may_issue(client) {
            state.issue(client);
            return Ok(Permit::new(self.0.clone(), client));
        }
        let (admit, waiting) = oneshot::channel();
        state.push(client, admit);
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
    use crate::http::middleware::admission::queue::{OVERLOAD_WAIT, QUEUE_BOUNDS};
    use crate::http::shares::ClientId;

    type Acquiring = Pin<Box<dyn Future<Output = Option<Permit>>>>;

    /// A queue whose permits one client may hold alone.
    fn queue(max_permits: u32) -> AdmissionQueue {
        AdmissionQueue::new(max_permits, &Shares { client_percent: 100, editor_queries: 2 })
    }

    fn reader(number: u8) -> Client {
        Client { id: ClientId::Address([192, 0, 2, number].into()), is_editor: false }
    }

    fn editor() -> Client {
        Client { id: ClientId::Token(uuid::Uuid::nil()), is_editor: true }
    }

    /// Enqueues this many queries of a client one after another.
    async fn enqueue(admission: &AdmissionQueue, count: usize) -> Vec<Acquiring> {
        enqueue_of(admission, reader(0), count).await
    }

    async fn enqueue_of(admission: &AdmissionQueue, client: Client, count: usize) -> Vec<Acquiring> {
        let mut all = Vec::new();
        for _ in 0..count {
            let admission = admission.clone();
            let mut acquiring: Acquiring = Box::pin(async move { admission.acquire(client).await });
            assert!(is_waiting(&mut acquiring).await);
            all.push(acquiring);
        }
        all
    }

    async fn is_waiting(acquiring: &mut Acquiring) -> bool {
        poll_fn(|context| Poll::Ready(acquiring.as_mut().poll(context).is_pending())).await
    }

    fn issued(admission: &AdmissionQueue) -> usize {
        admission.0.state().issued()
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
        let admission = queue(1);
        set_average_duration(&admission, 20);
        let permit = admission.acquire(reader(0)).await;
        // as many as can be admitted within a second
        let waiting = enqueue(&admission, 50).await;
        drop(assert_admitted_in_order(&admission, permit, waiting).await);
        assert_eq!(issued(&admission), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn average_duration_follows_released_permits() {
        let admission = queue(1);
        for _ in 0..1_000 {
            let permit = admission.acquire(reader(0)).await;
            tokio::time::advance(Duration::from_millis(40)).await;
            drop(permit);
        }
        let average = admission.0.state().average_duration;
        assert!(average > Duration::from_millis(39) && average <= Duration::from_millis(40), "{average:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn queue_length_is_bounded_for_slow_and_fast_queries() {
        for (milliseconds, max) in [(60_000, 16), (0, 1_000)] {
            let admission = queue(1);
            set_average_duration(&admission, milliseconds);
            let _permit = admission.acquire(reader(0)).await;
            let mut waiting = enqueue(&admission, max).await;
            assert!(is_waiting(&mut waiting[0]).await);
            let _newest = enqueue(&admission, 1).await;
            assert!(!is_waiting(&mut waiting[0]).await && is_waiting(&mut waiting[1]).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn overload_evicts_oldest_admits_newest() {
        let admission = queue(2);
        set_average_duration(&admission, 40);
        let (first, second) = (admission.acquire(reader(0)).await, admission.acquire(reader(0)).await);
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
        let admission = queue(4);
        let permits = join_all((0..4).map(|_| admission.acquire(reader(0)))).await;
        set_average_duration(&admission, 1_000);
        let waiting = enqueue(&admission, QUEUE_BOUNDS.0 + 1).await;
        drop(waiting);
        drop(permits);
        assert_eq!(join_all((0..4).map(|_| admission.acquire(reader(0)))).await.iter().flatten().count(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn overload_rejects_queries_that_waited_100_ms() {
        let admission = queue(1);
        set_average_duration(&admission, 1_000);
        let permit = admission.acquire(reader(0)).await;
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
        let admission = queue(1);
        set_average_duration(&admission, 20);
        let permit = admission.acquire(reader(0)).await;
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
        let admission = queue(1);
        let _permit = admission.acquire(reader(0)).await;
        let start = Instant::now();
        assert!(admission.acquire(reader(0)).await.is_none());
        assert!(start.elapsed() >= MAX_WAIT && start.elapsed() <= MAX_WAIT + Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn disconnected_clients_hold_no_permit() {
        let admission = queue(1);
        let permit = admission.acquire(reader(0)).await;
        let mut waiting = enqueue(&admission, 3).await;
        drop(waiting.remove(0));
        drop(permit);
        // the permit was sent to the next client, which disconnects before receiving it
        drop(waiting.remove(0));
        assert!(waiting.remove(0).await.is_some());
        assert_eq!(issued(&admission), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn client_holds_no_more_than_its_share() {
        let admission = AdmissionQueue::new(8, &Shares { client_percent: 25, editor_queries: 2 });
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(admission.acquire(reader(0)).await.unwrap());
        }
        let mut waiting = enqueue_of(&admission, reader(0), 1).await;
        // others are admitted although a query waits
        for number in 1..=3 {
            held.push(admission.acquire(reader(number)).await.unwrap());
            held.push(admission.acquire(reader(number)).await.unwrap());
        }
        assert!(is_waiting(&mut waiting[0]).await);
        held.remove(0);
        held.push(waiting.remove(0).await.unwrap());
        drop(held);
        assert_eq!(issued(&admission), 0);
        assert!(admission.0.state().clients.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_clients_take_turns() {
        let admission = queue(1);
        let permit = admission.acquire(reader(0)).await;
        let mut flood = enqueue_of(&admission, reader(0), 10).await;
        let mut others = enqueue_of(&admission, reader(1), 1).await;
        others.extend(enqueue_of(&admission, reader(2), 1).await);
        let mut order = vec![flood.remove(0)];
        order.extend(others);
        order.extend(flood);
        drop(assert_admitted_in_order(&admission, permit, order).await);
        assert_eq!((issued(&admission), admission.0.state().clients.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn flood_of_one_client_rejects_only_its_own_queries() {
        let admission = queue(1);
        set_average_duration(&admission, 1_000);
        let permit = admission.acquire(reader(0)).await;
        let mut other = enqueue_of(&admission, reader(1), 1).await.remove(0);
        let mut flood = enqueue_of(&admission, reader(0), 60).await;
        assert!(is_waiting(&mut other).await);
        assert!(!is_waiting(&mut flood[0]).await);
        // a client that comes during overload goes first
        let newcomer = enqueue_of(&admission, reader(2), 1).await.remove(0);
        drop(permit);
        let admitted = newcomer.await;
        assert!(admitted.is_some() && is_waiting(&mut other).await);
        drop((admitted, other, flood));
        assert_eq!(admission.stats().running, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn readers_never_take_the_permits_of_editors() {
        let admission = queue(3);
        let held = join_all((0..3).map(|_| admission.acquire(reader(0)))).await;
        let mut waiting = enqueue(&admission, 30).await;
        let first = admission.acquire(editor()).await;
        let second = admission.acquire(editor()).await;
        assert!(first.is_some() && second.is_some() && is_waiting(&mut waiting[0]).await);
        // a third waits for a permit that readers may take, too, and comes before them
        let third = enqueue_of(&admission, editor(), 1).await.remove(0);
        drop(held);
        assert!(third.await.is_some());
        drop(waiting);
    }
}
