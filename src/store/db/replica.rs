//! Replicas of PostgreSQL: which of them a read may go to.
//!
//! A replica shows what its primary wrote a moment ago. It is asked only once it is known to show everything that this process
//! has heard of or written itself ([`Mark`]): until then the primary answers. So nothing that was told of is missing from an
//! answer, and answers can be kept and tagged as if there were one database.
//!
//! What is known of each replica is found out by a task of its own, which asks it how much of the log it shows. A replica
//! that does not answer, or lags for too long, is not asked by readers until it does better.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::{Notify, watch};

use crate::store::db::changes::Changes;
use crate::store::db::pool;
use crate::store::db::pool::StoreOptions;
use crate::store::db::replica_probe::{Link, Position};

/// How often each server is asked, though nothing has changed.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Pauses between two questions to a replica that is waited for: from the first, twice as long each time, to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));
/// Places of the log that lie nearer to each other in time are taken for one, to tell how far a replica lags.
const SPACING: Duration = Duration::from_millis(100);
/// Places of the log that are kept for a replica which does not show them.
const PLACES: usize = 1_000;

/// A replica, as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaState {
    /// Its host, port and database.
    pub name: String,
    /// Whether readers may be sent to it: it answers, and does not lag for too long.
    pub is_alive: bool,
    /// Whether it shows everything that this process has heard of.
    pub is_fresh: bool,
    /// For how long the primary has had something that it does not show, as of when the primary answered last; nothing
    /// while the replica does not answer.
    pub lag: Option<Duration>,
    /// Bytes of the log of the primary that it does not show yet; nothing while either does not answer.
    pub behind: Option<u64>,
}

/// All replicas of the database.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    all: Vec<Replica>,
    /// Turns, which they take.
    turn: AtomicUsize,
    /// How long one may lag.
    lag: Duration,
    /// Where the primary itself is asked, not a pooler before it.
    url: String,
    primary: watch::Sender<Primary>,
}

/// What is known of the primary.
#[derive(Debug, Clone, Copy, Default)]
struct Primary {
    /// The mark that it had reached at `position`; 0 where it is not known yet.
    mark: u64,
    position: Position,
    asked: Option<Instant>,
    is_away: bool,
}

/// One replica.
#[derive(Debug)]
pub(crate) struct Replica {
    name: String,
    url: String,
    /// For queries.
    pub(crate) reader: DatabaseConnection,
    /// For whole lists.
    pub(crate) walker: DatabaseConnection,
    alive: watch::Sender<bool>,
    /// The mark up to which it shows everything.
    fresh: AtomicU64,
    /// Asks for a look at once.
    suspected: Notify,
    seen: Mutex<Seen>,
}

/// What was seen of a replica last.
#[derive(Debug, Default)]
struct Seen {
    /// Whether it was said in the log that it is not asked.
    is_told: bool,
    lag: Option<Duration>,
    behind: Option<u64>,
}

/// Places in the log of the primary that a replica does not show yet, and when each was the last.
#[derive(Debug, Default)]
struct Missing(VecDeque<(Instant, u64)>);

impl Replicas {
    /// Replicas as they are set; nobody has asked them anything yet.
    pub(crate) async fn new(options: &StoreOptions) -> Result<Self, DbErr> {
        let mut all = Vec::with_capacity(options.replicas.len());
        for url in &options.replicas {
            let (reader, walker) = pool::replica(options, url).await?;
            all.push(Replica {
                name: Link::name(url).map_err(|error| DbErr::Custom(format!("a replica cannot be reached by its address: {error}")))?,
                url: url.clone(),
                reader,
                walker,
                alive: watch::Sender::new(false),
                fresh: AtomicU64::new(0),
                suspected: Notify::new(),
                seen: Mutex::default(),
            });
        }
        let url = options.listen.clone().unwrap_or_else(|| options.url.clone());
        Ok(Self { all, lag: options.lag, url, ..Self::default() })
    }

    /// Whether there are any.
    pub(crate) fn are_there(&self) -> bool {
        !self.all.is_empty()
    }

    /// The replica whose turn it is among those that show everything that is known of. Where the primary is away, the
    /// choice is between an answer that may lack the latest and none.
    pub(crate) fn next(&self, changes: &Changes) -> Option<&Replica> {
        let is_away = changes.is_away();
        if self.all.is_empty() || !(is_away || changes.hears()) {
            return None;
        }
        let mark = changes.mark.now();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut in_turn = (0..self.all.len()).map(|place| &self.all[turn.wrapping_add(place) % self.all.len()]);
        in_turn.find(|replica| replica.is_alive() && (is_away || replica.fresh.load(Ordering::Acquire) >= mark))
    }

    /// How each of them is.
    pub(crate) fn states(&self, changes: &Changes) -> Vec<ReplicaState> {
        let mark = changes.mark.now();
        let state = |replica: &Replica| {
            let seen = replica.seen();
            let (lag, behind) = (seen.lag, seen.behind);
            drop(seen);
            ReplicaState {
                name: replica.name.clone(),
                is_alive: replica.is_alive(),
                is_fresh: replica.fresh.load(Ordering::Acquire) >= mark,
                lag,
                behind,
            }
        };
        self.all.iter().map(state).collect()
    }

    /// Waits until the primary is away.
    pub(crate) async fn left_alone(&self) {
        let mut primary = self.primary.subscribe();
        // it ends with the store alone, and so does whoever waits
        drop(primary.wait_for(|primary| primary.is_away).await);
    }

    /// Finds out how the primary and the replicas are, for as long as it is awaited.
    pub(crate) async fn attend(&self, changes: &Changes) {
        if self.are_there() {
            let each = self.all.iter().map(|replica| replica.attend(self.primary.subscribe(), self.lag));
            tokio::join!(self.attend_primary(changes), join_all(each));
        }
    }

    /// Asks the primary how long its log is, whenever something has changed.
    async fn attend_primary(&self, changes: &Changes) {
        let mut link = Link::to_primary(&self.url);
        loop {
            let (mark, asked) = (changes.mark.now(), Instant::now());
            match link.ask().await {
                Ok(position) => {
                    let told = Primary { mark, position, asked: Some(asked), is_away: false };
                    if self.primary.send_replace(told).is_away {
                        changes.set_away(false);
                        tracing::info!("the primary answers again");
                    }
                }
                Err(error) => {
                    let is_new = self.primary.send_if_modified(|primary| !std::mem::replace(&mut primary.is_away, true));
                    if is_new {
                        changes.set_away(true);
                        tracing::warn!(%error, "the primary is away; replicas answer meanwhile what anyone may read");
                    }
                }
            }
            tokio::select! {
                () = changes.mark.moved() => {}
                () = tokio::time::sleep(HEARTBEAT) => {}
            }
        }
    }
}

impl Replica {
    fn is_alive(&self) -> bool {
        *self.alive.borrow()
    }

    /// Waits until readers may no longer be sent to it.
    pub(crate) async fn gone(&self) {
        let mut alive = self.alive.subscribe();
        drop(alive.wait_for(|alive| !alive).await);
    }

    /// Something was amiss with it: it is looked at now.
    pub(crate) fn suspect(&self) {
        self.suspected.notify_one();
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, lag: Option<Duration>, behind: Option<u64>) {
        let mut seen = self.seen();
        (seen.lag, seen.behind) = (lag, behind);
    }

    async fn attend(&self, mut primary: watch::Receiver<Primary>, lag: Duration) {
        let mut link = Link::to_replica(&self.url);
        let mut missing = Missing::default();
        let mut pause = PAUSES.0;
        loop {
            let told = *primary.borrow_and_update();
            if let (Some(asked), false) = (told.asked, told.is_away) {
                missing.add(asked, told.position.bytes());
            }
            match link.ask().await {
                Ok(position) if told.mark > 0 && position.cluster != told.position.cluster => {
                    self.leave("it is a replica of another cluster than the primary");
                }
                Ok(position) => {
                    missing.shown(position.bytes);
                    let lags = told.asked.map_or(Duration::ZERO, |asked| missing.longest(asked));
                    self.note(Some(lags), behind(&told, &position));
                    if position.bytes >= told.position.bytes() {
                        self.fresh.fetch_max(told.mark, Ordering::AcqRel);
                    }
                    if lags > lag {
                        self.leave(format_args!("it lags by {} seconds", lags.as_secs()));
                    } else if told.mark > 0 {
                        self.come_back();
                    }
                }
                Err(error) => {
                    // what comes back may be another server, or an earlier state of it
                    self.fresh.store(0, Ordering::Release);
                    self.note(None, None);
                    self.leave(error);
                }
            }
            let is_awaited = self.is_alive() && !told.is_away && self.fresh.load(Ordering::Acquire) < told.mark;
            pause = if is_awaited { (pause * 2).min(PAUSES.1) } else { PAUSES.0 };
            let looked = if is_awaited { pause } else { HEARTBEAT };
            tokio::select! {
                changed = primary.changed() => if changed.is_err() { return },
                () = self.suspected.notified() => {}
                () = tokio::time::sleep(looked) => {}
            }
        }
    }

    /// Readers are not sent to it from now on.
    fn leave(&self, reason: impl std::fmt::Display) {
        self.alive.send_if_modified(|alive| std::mem::replace(alive, false));
        if !std::mem::replace(&mut self.seen().is_told, true) {
            tracing::warn!(replica = self.name, %reason, "a replica is not asked until it does better");
        }
    }

    /// Readers are sent to it again.
    fn come_back(&self) {
        if self.alive.send_if_modified(|alive| !std::mem::replace(alive, true)) {
            self.seen().is_told = false;
            tracing::info!(replica = self.name, "a replica is asked from now on");
        }
    }
}

/// Bytes that a replica does not show, of those that the primary had.
fn behind(told: &Primary, position: &Position) -> Option<u64> {
    (told.mark > 0 && !told.is_away).then(|| told.position.bytes().saturating_sub(position.bytes))
}

impl Missing {
    /// The log had so many bytes at this time.
    fn add(&mut self, at: Instant, bytes: u64) {
        let is_full = self.0.len() >= PLACES;
        match self.0.back_mut() {
            Some((_, last)) if *last >= bytes => {}
            Some((since, last)) if at.saturating_duration_since(*since) < SPACING => *last = bytes,
            Some((_, last)) if is_full => *last = bytes,
            _ => self.0.push_back((at, bytes)),
        }
    }

    /// The replica shows so many bytes.
    fn shown(&mut self, bytes: u64) {
        while self.0.front().is_some_and(|(_, place)| *place <= bytes) {
            self.0.pop_front();
        }
    }

    /// For how long something had been missing when the primary was asked last. While it is away nothing new is known of:
    /// who lagged lags on, and who did not may answer.
    fn longest(&self, asked: Instant) -> Duration {
        self.0.front().map_or(Duration::ZERO, |(since, _)| asked.saturating_duration_since(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_lags_by_the_age_of_the_first_place_that_it_does_not_show() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut missing = Missing::default();
        [(0, 100), (3, 200), (5, 200), (8, 300)].into_iter().for_each(|(seconds, bytes)| missing.add(at(seconds), bytes));
        assert_eq!(missing.longest(at(8)), Duration::from_secs(8));
        missing.shown(100);
        assert_eq!(missing.longest(at(8)), Duration::from_secs(5));
        missing.shown(250);
        assert_eq!(missing.longest(at(8)), Duration::ZERO);
        assert_eq!(missing.longest(at(20)), Duration::from_secs(12));
        missing.shown(300);
        assert_eq!(missing.longest(at(20)), Duration::ZERO);
    }

    #[test]
    fn places_that_come_fast_are_few() {
        let (start, mut missing) = (Instant::now(), Missing::default());
        (0..100_000_u64).for_each(|number| missing.add(start + Duration::from_millis(number), number));
        assert!(missing.0.len() <= PLACES);
        assert_eq!(missing.longest(start + Duration::from_secs(100)), Duration::from_secs(100));
        missing.shown(99_999);
        assert!(missing.0.is_empty());
    }
}
