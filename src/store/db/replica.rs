//! Read replicas of PostgreSQL, and the choice of the replica that serves a read.
//!
//! A replica shows the state of its primary of a moment ago. It serves reads only once it has replayed everything that
//! this process has written or been notified of (see [`Watermark`]); until then the primary serves them. Reads therefore
//! never miss a known write, and responses can be cached and validated as with a single database.
//!
//! A background task per replica probes how much of the log it has replayed. A replica that does not answer, or lags for
//! too long, serves no reads until it recovers.
//!
//! [`Watermark`]: crate::store::db::watermark::Watermark

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
use crate::store::db::replica_probe::{LogPosition, ReplicaProbe};

/// Interval of the probes while nothing changes.
const REPLICA_PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Backoff between the probes of a replica that is catching up: the first pause, doubled up to the last.
const CATCH_UP_BACKOFF: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));
/// Resolution of the measured lag: log positions of the primary within this time are merged into one.
const LAG_RESOLUTION: Duration = Duration::from_millis(100);
/// Maximum number of log positions that are remembered for a replica that has not replayed them.
const MAX_PENDING_POSITIONS: usize = 1_000;

/// Status of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaState {
    /// Host, port and database.
    pub name: String,
    /// Whether it may serve reads: it answers, and its lag is within the limit.
    pub is_alive: bool,
    /// Whether it has replayed everything that this process knows of.
    pub is_fresh: bool,
    /// Age of the oldest write of the primary that it has not replayed, as of the last probe of the primary. `None` while
    /// the replica does not answer.
    pub lag: Option<Duration>,
    /// Bytes of the primary's log that it has not replayed. `None` while either server does not answer.
    pub behind: Option<u64>,
}

/// All replicas of the database.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    all: Vec<Replica>,
    /// Counter of the round robin.
    next: AtomicUsize,
    max_lag: Duration,
    /// Address of the primary itself, not of a pooler before it.
    primary_url: String,
    primary: watch::Sender<PrimaryState>,
}

/// The last probe of the primary.
#[derive(Debug, Clone, Copy, Default)]
struct PrimaryState {
    /// The watermark that the primary had reached at `position`; 0 before the first probe.
    watermark: u64,
    position: LogPosition,
    probed_at: Option<Instant>,
    is_down: bool,
}

/// One replica.
#[derive(Debug)]
pub(crate) struct Replica {
    name: String,
    url: String,
    /// For queries.
    pub(crate) reader: DatabaseConnection,
    /// For scans of whole lists.
    pub(crate) scanner: DatabaseConnection,
    alive: watch::Sender<bool>,
    /// The watermark up to which it has replayed.
    replayed_watermark: AtomicU64,
    /// Triggers a probe at once.
    probe_requested: Notify,
    observation: Mutex<ReplicaObservation>,
}

/// What the last probe of a replica observed.
#[derive(Debug, Default)]
struct ReplicaObservation {
    /// Whether its removal from rotation has been logged.
    is_removal_logged: bool,
    lag: Option<Duration>,
    behind: Option<u64>,
}

/// Log positions of the primary that a replica has not replayed, each with the last instant at which it was current.
#[derive(Debug, Default)]
struct PendingPositions(VecDeque<(Instant, u64)>);

impl Replicas {
    /// The configured replicas; none serves reads before its first probe.
    pub(crate) async fn new(options: &StoreOptions) -> Result<Self, DbErr> {
        let mut all = Vec::with_capacity(options.replicas.len());
        for url in &options.replicas {
            let (reader, scanner) = pool::open_replica(options, url).await?;
            all.push(Replica {
                name: ReplicaProbe::name(url).map_err(|error| DbErr::Custom(format!("invalid address of a replica: {error}")))?,
                url: url.clone(),
                reader,
                scanner,
                alive: watch::Sender::new(false),
                replayed_watermark: AtomicU64::new(0),
                probe_requested: Notify::new(),
                observation: Mutex::default(),
            });
        }
        let primary_url = options.listen_url.clone().unwrap_or_else(|| options.url.clone());
        Ok(Self { all, max_lag: options.max_replica_lag, primary_url, ..Self::default() })
    }

    /// Whether no replicas are configured.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The next replica, in rotation, that has replayed everything known to this process. While the primary is down any
    /// live replica is eligible, since the alternative is no answer at all.
    pub(crate) fn next(&self, changes: &Changes) -> Option<&Replica> {
        let is_primary_down = changes.is_primary_down();
        if self.all.is_empty() || !(is_primary_down || changes.is_listening()) {
            return None;
        }
        let watermark = changes.watermark.current();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut rotation = (0..self.all.len()).map(|offset| &self.all[first.wrapping_add(offset) % self.all.len()]);
        rotation.find(|replica| replica.is_alive() && (is_primary_down || replica.has_replayed(watermark)))
    }

    /// Status of each replica.
    pub(crate) fn states(&self, changes: &Changes) -> Vec<ReplicaState> {
        let watermark = changes.watermark.current();
        let state = |replica: &Replica| {
            let observation = replica.observation();
            let (lag, behind) = (observation.lag, observation.behind);
            drop(observation);
            ReplicaState {
                name: replica.name.clone(),
                is_alive: replica.is_alive(),
                is_fresh: replica.has_replayed(watermark),
                lag,
                behind,
            }
        };
        self.all.iter().map(state).collect()
    }

    /// Waits until the primary is down.
    pub(crate) async fn primary_down(&self) {
        let mut primary = self.primary.subscribe();
        // an error means that the store was dropped, and its reads with it
        drop(primary.wait_for(|primary| primary.is_down).await);
    }

    /// Probes the primary and the replicas. Never returns if there are replicas.
    pub(crate) async fn monitor(&self, changes: &Changes) {
        if !self.is_empty() {
            let each = self.all.iter().map(|replica| replica.monitor(self.primary.subscribe(), self.max_lag));
            tokio::join!(self.monitor_primary(changes), join_all(each));
        }
    }

    /// Probes the insert position of the primary after each change, and at the probe interval.
    async fn monitor_primary(&self, changes: &Changes) {
        let mut probe = ReplicaProbe::primary(&self.primary_url);
        loop {
            let (watermark, probed_at) = (changes.watermark.current(), Instant::now());
            match probe.probe().await {
                Ok(position) => {
                    let state = PrimaryState { watermark, position, probed_at: Some(probed_at), is_down: false };
                    if self.primary.send_replace(state).is_down {
                        changes.set_primary_down(false);
                        tracing::info!("the primary is back");
                    }
                }
                Err(error) => {
                    let is_new = self.primary.send_if_modified(|primary| !std::mem::replace(&mut primary.is_down, true));
                    if is_new {
                        changes.set_primary_down(true);
                        tracing::warn!(%error, "the primary is down; replicas serve reads of published records");
                    }
                }
            }
            tokio::select! {
                () = changes.watermark.advanced() => {}
                () = tokio::time::sleep(REPLICA_PROBE_INTERVAL) => {}
            }
        }
    }
}

impl Replica {
    fn is_alive(&self) -> bool {
        *self.alive.borrow()
    }

    fn has_replayed(&self, watermark: u64) -> bool {
        self.replayed_watermark.load(Ordering::Acquire) >= watermark
    }

    /// Waits until the replica may no longer serve reads.
    pub(crate) async fn unavailable(&self) {
        let mut alive = self.alive.subscribe();
        drop(alive.wait_for(|alive| !alive).await);
    }

    /// Probes the replica at once, after a read from it failed.
    pub(crate) fn request_probe(&self) {
        self.probe_requested.notify_one();
    }

    fn observation(&self) -> std::sync::MutexGuard<'_, ReplicaObservation> {
        self.observation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record_lag(&self, lag: Option<Duration>, behind: Option<u64>) {
        let mut observation = self.observation();
        (observation.lag, observation.behind) = (lag, behind);
    }

    async fn monitor(&self, mut primary: watch::Receiver<PrimaryState>, max_lag: Duration) {
        let mut probe = ReplicaProbe::replica(&self.url);
        let mut pending = PendingPositions::default();
        let mut backoff = CATCH_UP_BACKOFF.0;
        loop {
            let known = *primary.borrow_and_update();
            if let (Some(probed_at), false) = (known.probed_at, known.is_down) {
                pending.push(probed_at, known.position.end_of_last_record());
            }
            match probe.probe().await {
                Ok(position) if known.watermark > 0 && position.cluster != known.position.cluster => {
                    self.remove_from_rotation("it belongs to another cluster than the primary");
                }
                Ok(position) => {
                    pending.remove_replayed(position.bytes);
                    let lag = known.probed_at.map_or(Duration::ZERO, |probed_at| pending.lag(probed_at));
                    self.record_lag(Some(lag), bytes_behind(&known, &position));
                    if position.bytes >= known.position.end_of_last_record() {
                        self.replayed_watermark.fetch_max(known.watermark, Ordering::AcqRel);
                    }
                    if lag > max_lag {
                        self.remove_from_rotation(format_args!("it lags by {} seconds", lag.as_secs()));
                    } else if known.watermark > 0 {
                        self.add_to_rotation();
                    }
                }
                Err(error) => {
                    // the server that comes back may be another one, or restored to an earlier state
                    self.replayed_watermark.store(0, Ordering::Release);
                    self.record_lag(None, None);
                    self.remove_from_rotation(error);
                }
            }
            let is_catching_up = self.is_alive() && !known.is_down && !self.has_replayed(known.watermark);
            backoff = if is_catching_up { (backoff * 2).min(CATCH_UP_BACKOFF.1) } else { CATCH_UP_BACKOFF.0 };
            let pause = if is_catching_up { backoff } else { REPLICA_PROBE_INTERVAL };
            tokio::select! {
                changed = primary.changed() => if changed.is_err() { return },
                () = self.probe_requested.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Stops reads from the replica.
    fn remove_from_rotation(&self, reason: impl std::fmt::Display) {
        self.alive.send_if_modified(|alive| std::mem::replace(alive, false));
        if !std::mem::replace(&mut self.observation().is_removal_logged, true) {
            tracing::warn!(replica = self.name, %reason, "a replica was removed from rotation until it recovers");
        }
    }

    /// Starts reads from the replica.
    fn add_to_rotation(&self) {
        if self.alive.send_if_modified(|alive| !std::mem::replace(alive, true)) {
            self.observation().is_removal_logged = false;
            tracing::info!(replica = self.name, "a replica was added to rotation");
        }
    }
}

/// Bytes of the primary's log that a replica has not replayed.
fn bytes_behind(primary: &PrimaryState, position: &LogPosition) -> Option<u64> {
    (primary.watermark > 0 && !primary.is_down).then(|| primary.position.end_of_last_record().saturating_sub(position.bytes))
}

impl PendingPositions {
    /// Records the position of the primary at an instant.
    fn push(&mut self, at: Instant, bytes: u64) {
        let is_full = self.0.len() >= MAX_PENDING_POSITIONS;
        match self.0.back_mut() {
            Some((_, last)) if *last >= bytes => {}
            Some((since, last)) if at.saturating_duration_since(*since) < LAG_RESOLUTION => *last = bytes,
            Some((_, last)) if is_full => *last = bytes,
            _ => self.0.push_back((at, bytes)),
        }
    }

    /// Removes the positions that the replica has replayed.
    fn remove_replayed(&mut self, bytes: u64) {
        while self.0.front().is_some_and(|(_, position)| *position <= bytes) {
            self.0.pop_front();
        }
    }

    /// Age of the oldest pending position at the last probe of the primary. It does not grow while the primary is down, so
    /// that a replica within the limit may go on serving reads.
    fn lag(&self, probed_at: Instant) -> Duration {
        self.0.front().map_or(Duration::ZERO, |(since, _)| probed_at.saturating_duration_since(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_age_of_the_first_position_not_replayed() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pending = PendingPositions::default();
        for (seconds, bytes) in [(0, 100), (3, 200), (5, 200), (8, 300)] {
            pending.push(at(seconds), bytes);
        }
        assert_eq!(pending.lag(at(8)), Duration::from_secs(8));
        pending.remove_replayed(100);
        assert_eq!(pending.lag(at(8)), Duration::from_secs(5));
        pending.remove_replayed(250);
        assert_eq!(pending.lag(at(8)), Duration::ZERO);
        assert_eq!(pending.lag(at(20)), Duration::from_secs(12));
        pending.remove_replayed(300);
        assert_eq!(pending.lag(at(20)), Duration::ZERO);
    }

    #[test]
    fn frequent_positions_are_bounded_in_number() {
        let (start, mut pending) = (Instant::now(), PendingPositions::default());
        (0..100_000_u64).for_each(|number| pending.push(start + Duration::from_millis(number), number));
        assert!(pending.0.len() <= MAX_PENDING_POSITIONS);
        assert_eq!(pending.lag(start + Duration::from_secs(100)), Duration::from_secs(100));
        pending.remove_replayed(99_999);
        assert!(pending.0.is_empty());
    }
}
