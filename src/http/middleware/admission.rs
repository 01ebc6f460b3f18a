//! Who may be answered at the same time, and who of those that wait comes next.
//!
//! Those who wait are let in as they came, for as long as all of them can be in good time. Where more come than that, it is
//! overload: who came last is let in first, and who has not been let in after a tenth of a second is sent away. Whoever is
//! let in has then waited for next to nothing, whatever is asked and however many ask, where a queue would make all of them
//! late. Servers know this as adaptive LIFO (Maurer, "Fail at Scale", ACM Queue 13(8), 2015). Half of the places are closed
//! meanwhile: to have more under way than can be worked at keeps all busy, but makes each take longer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::observability::metrics;

/// How long one may wait at most.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long one may wait under overload. It is over when all who wait could be let in within this as they came.
const OVERLOAD: Duration = Duration::from_millis(100);
/// How many may wait at least, and at most, however long an answer takes.
const WAITING: (usize, usize) = (16, 1_000);
/// Requests that what an answer takes is taken from, the latest counting most.
const TYPICAL: u32 = 64;

/// Room for requests.
#[derive(Debug, Clone)]
pub struct AdmissionQueue(Arc<Room>);

#[derive(Debug)]
struct Room(Mutex<State>);

#[derive(Debug)]
struct State {
    places: usize,
    taken: usize,
    /// The one who waits longest is first.
    waiting: VecDeque<Waiting>,
    is_overload: bool,
    /// What an answer takes.
    takes: Duration,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// Who is not told of a place, but forgotten, is sent away.
    told: oneshot::Sender<Place>,
}

impl State {
    /// Places that may be taken now.
    fn open(&self) -> usize {
        if self.is_overload { self.places.div_ceil(2) } else { self.places }
    }

    /// How many can be let in within this time.
    fn within(&self, time: Duration) -> usize {
        let each = self.takes.as_micros().max(1);
        usize::try_from(time.as_micros().saturating_mul(self.open() as u128) / each).unwrap_or(usize::MAX)
    }

    /// Sends away who has waited too long, forgets who is gone, and sees whether overload is over.
    fn tidy(&mut self) {
        while self.waiting.front().is_some_and(|one| one.told.is_closed() || (self.is_overload && one.since.elapsed() > OVERLOAD)) {
            self.waiting.pop_front();
        }
        self.is_overload &= self.waiting.len() > self.within(OVERLOAD);
    }

    /// Takes a place for the next of those that wait, if there is one for somebody.
    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        self.tidy();
        if self.taken >= self.open() {
            return None;
        }
        let next = if self.is_overload { self.waiting.pop_back() } else { self.waiting.pop_front() }?;
        self.taken += 1;
        Some(next.told)
    }

    /// One more waits, and the one who has waited longest does not where there is no room for both.
    fn push(&mut self, told: oneshot::Sender<Place>) {
        self.tidy();
        if self.waiting.len() >= self.within(PATIENCE).clamp(WAITING.0, WAITING.1) {
            self.is_overload = true;
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting { since: Instant::now(), told });
    }
}

/// How many there are of what, just now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Requests that have a place.
    pub(crate) taken: usize,
    /// Places that may be taken, fewer under overload.
    pub(crate) open: usize,
    /// Requests that wait.
    pub(crate) waiting: usize,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    /// Nothing where it was not taken.
    room: Option<Arc<Room>>,
    begun: Instant,
}

impl Place {
    fn of(room: Arc<Room>) -> Self {
        Self { room: Some(room), begun: Instant::now() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(room) = self.room.take() {
            room.left(self.begun.elapsed());
        }
    }
}

impl Room {
    fn state(&self) -> MutexGuard<'_, State> {
        // what is done while it is held cannot be left half done
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place is left, after so long.
    fn left(self: Arc<Self>, took: Duration) {
        let mut state = self.state();
        state.takes = state.takes - state.takes / TYPICAL + took / TYPICAL;
        state.taken -= 1;
        drop(state);
        self.fill();
    }

    /// Gives the places that are free to those who wait.
    fn fill(self: &Arc<Self>) {
        let next = || self.state().next();
        while let Some(next) = next() {
            if let Err(mut untaken) = next.send(Place::of(self.clone())) {
                // they do not wait any more
                untaken.room = None;
                self.state().taken -= 1;
            }
        }
    }
}

impl AdmissionQueue {
    /// Room for so many requests at the same time.
    pub fn new(most: u32) -> Self {
        let places = most.max(1) as usize;
        let state = State { places, taken: 0, waiting: VecDeque::new(), is_overload: false, takes: Duration::ZERO };
        Self(Arc::new(Room(Mutex::new(state))))
    }

    /// A place, until it is dropped; nothing where there is none in time.
    pub(crate) async fn enter(&self) -> Option<Place> {
        let place = match self.place_or_wait() {
            Ok(place) => return Some(place),
            Err(waiting) => tokio::time::timeout(PATIENCE, waiting).await.ok().and_then(Result::ok),
        };
        if place.is_none() {
            metrics::record_limit_hit("concurrency");
        }
        place
    }

    /// How it is just now.
    pub(crate) fn look(&self) -> Seen {
        // whoever is gone does not count
        self.0.fill();
        let state = self.0.state();
        Seen { taken: state.taken, open: state.open(), waiting: state.waiting.len() }
    }

    fn place_or_wait(&self) -> Result<Place, oneshot::Receiver<Place>> {
        let mut state = self.0.state();
        if state.waiting.is_empty() && state.taken < state.open() {
            state.taken += 1;
            return Ok(Place::of(self.0.clone()));
        }
        let (told, waiting) = oneshot::channel();
        state.push(told);
        drop(state);
        // there may be room that was closed under overload
        self.0.fill();
        Err(waiting)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{join_all, poll_fn};
    use std::pin::Pin;
    use std::task::Poll;

    use super::*;

    type Entering = Pin<Box<dyn Future<Output = Option<Place>>>>;

    /// So many who ask to be let in, one after the other.
    async fn come(admission: &AdmissionQueue, count: usize) -> Vec<Entering> {
        let mut all = Vec::new();
        for _ in 0..count {
            let admission = admission.clone();
            let mut one: Entering = Box::pin(async move { admission.enter().await });
            assert!(is_waiting(&mut one).await);
            all.push(one);
        }
        all
    }

    async fn is_waiting(one: &mut Entering) -> bool {
        poll_fn(|context| Poll::Ready(one.as_mut().poll(context).is_pending())).await
    }

    fn taken(admission: &AdmissionQueue) -> usize {
        admission.0.state().taken
    }

    fn takes(admission: &AdmissionQueue, milliseconds: u64) {
        admission.0.state().takes = Duration::from_millis(milliseconds);
    }

    /// Leaves the only place for these, in this order, where an answer takes 20 ms. Each must wait until it is their turn.
    async fn are_let_in(
        admission: &AdmissionQueue,
        mut place: Option<Place>,
        waiting: impl IntoIterator<Item = Entering>,
    ) -> Option<Place> {
        for mut one in waiting {
            takes(admission, 20);
            assert!(place.is_some() && is_waiting(&mut one).await);
            drop(place);
            place = one.await;
        }
        place
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_are_let_in_as_they_came() {
        let admission = AdmissionQueue::new(1);
        takes(&admission, 20);
        let place = admission.enter().await;
        // as many as can be let in within a second
        let waiting = come(&admission, 50).await;
        drop(are_let_in(&admission, place, waiting).await);
        assert_eq!(taken(&admission), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_answer_takes_is_learnt_from_those_who_leave() {
        let admission = AdmissionQueue::new(1);
        for _ in 0..1_000 {
            let place = admission.enter().await;
            tokio::time::advance(Duration::from_millis(40)).await;
            drop(place);
        }
        let takes = admission.0.state().takes;
        assert!(takes > Duration::from_millis(39) && takes <= Duration::from_millis(40), "{takes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn sixteen_may_wait_however_long_an_answer_takes_and_a_thousand_however_short_it_is() {
        for (milliseconds, most) in [(60_000, 16), (0, 1_000)] {
            let admission = AdmissionQueue::new(1);
            takes(&admission, milliseconds);
            let _place = admission.enter().await;
            let mut waiting = come(&admission, most).await;
            assert!(is_waiting(&mut waiting[0]).await);
            let _newest = come(&admission, 1).await;
            assert!(!is_waiting(&mut waiting[0]).await && is_waiting(&mut waiting[1]).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_more_come_than_can_be_let_in_in_time_the_oldest_are_sent_away_and_the_newest_let_in() {
        let admission = AdmissionQueue::new(2);
        takes(&admission, 40);
        let (first, second) = (admission.enter().await, admission.enter().await);
        // each of two places is free 25 times a second
        let mut waiting = come(&admission, 50).await;
        let newest = come(&admission, 3).await;
        let begun = Instant::now();
        assert!(join_all(waiting.drain(..3)).await.iter().all(Option::is_none));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for one in &mut waiting {
            assert!(is_waiting(one).await);
        }
        // one of the two is closed now
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
    async fn after_overload_all_places_are_open_again() {
        let admission = AdmissionQueue::new(4);
        let places = join_all((0..4).map(|_| admission.enter())).await;
        takes(&admission, 1_000);
        let waiting = come(&admission, WAITING.0 + 1).await;
        drop(waiting);
        drop(places);
        assert_eq!(join_all((0..4).map(|_| admission.enter())).await.iter().flatten().count(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn under_overload_who_has_waited_for_a_tenth_of_a_second_is_sent_away() {
        let admission = AdmissionQueue::new(1);
        takes(&admission, 1_000);
        let place = admission.enter().await;
        let mut waiting = come(&admission, WAITING.0).await;
        let newer = come(&admission, 1).await;
        tokio::time::advance(OVERLOAD).await;
        let newest = come(&admission, 1).await;
        // for each who came one who had waited longest is sent away; the others have not waited for too long
        for (place, one) in waiting.iter_mut().enumerate() {
            assert_eq!(is_waiting(one).await, place > 1);
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        admission.look();
        waiting.drain(..2);
        waiting.extend(newer);
        let begun = Instant::now();
        assert!(join_all(waiting).await.iter().all(Option::is_none));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(place);
        assert!(join_all(newest).await.iter().all(Option::is_some));
        // and then it is over
        assert_eq!((taken(&admission), admission.0.state().is_overload), (0, false));
    }

    #[tokio::test(start_paused = true)]
    async fn overload_is_over_when_all_who_wait_can_be_let_in_within_a_tenth_of_a_second_as_they_came() {
        let admission = AdmissionQueue::new(1);
        takes(&admission, 20);
        let place = admission.enter().await;
        let mut waiting = come(&admission, 51).await;
        assert!(waiting.remove(0).await.is_none());
        // five are let in within a tenth of a second
        let newest = waiting.split_off(5).into_iter().rev();
        let place = are_let_in(&admission, place, newest).await;
        drop(are_let_in(&admission, place, waiting).await);
        assert_eq!(taken(&admission), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_a_second() {
        let admission = AdmissionQueue::new(1);
        let _place = admission.enter().await;
        let begun = Instant::now();
        assert!(admission.enter().await.is_none());
        assert!(begun.elapsed() >= PATIENCE && begun.elapsed() <= PATIENCE + Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_takes_no_place() {
        let admission = AdmissionQueue::new(1);
        let place = admission.enter().await;
        let mut waiting = come(&admission, 3).await;
        drop(waiting.remove(0));
        drop(place);
        // it was given to the next one, who goes before looking
        drop(waiting.remove(0));
        assert!(waiting.remove(0).await.is_some());
        assert_eq!(taken(&admission), 0);
    }
}
