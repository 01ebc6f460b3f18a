//! The order in which waiting queries are admitted. `P` is the permit that an admitted query receives.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::http::shares::Client;

/// Longest wait for a permit.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(1);
/// Longest wait during overload. Overload ends when all waiting queries could be admitted in order within this time.
pub(super) const OVERLOAD_WAIT: Duration = Duration::from_millis(100);
/// Lower and upper bound of the queue length, however long a query takes.
pub(super) const QUEUE_BOUNDS: (usize, usize) = (16, 1_000);

#[derive(Debug)]
pub(super) struct QueueState<P> {
    pub(super) max_permits: usize,
    /// Permits that only editors and admins can take, in addition.
    pub(super) editor_permits: usize,
    /// Permits that one client can hold.
    pub(super) max_per_client: usize,
    /// Whether overload changes the order and the number of permits.
    pub(super) is_adaptive: bool,
    pub(super) issued_to_readers: usize,
    pub(super) issued_to_editors: usize,
    pub(super) clients: HashMap<Client, ClientState<P>>,
    /// Readers with waiting queries, the next first.
    pub(super) reader_turns: VecDeque<Client>,
    /// Editors and admins with waiting queries, the next first.
    pub(super) editor_turns: VecDeque<Client>,
    /// Numbers of waiting queries, the oldest first; also of some that no longer wait.
    pub(super) arrivals: VecDeque<(u64, Client)>,
    pub(super) waiting: usize,
    pub(super) next_number: u64,
    pub(super) is_overloaded: bool,
    /// Moving average of the duration of a query.
    pub(super) average_duration: Duration,
}

impl<P> ClientState<P> {
    fn new() -> Self {
        Self { issued: 0, waiting: VecDeque::new(), has_turn: false }
    }
}

/// The queries of one client.
#[derive(Debug)]
pub(super) struct ClientState<P> {
    issued: usize,
    /// The oldest is first.
    waiting: VecDeque<Waiter<P>>,
    /// Whether the client is among the turns.
    has_turn: bool,
}

#[derive(Debug)]
struct Waiter<P> {
    number: u64,
    since: Instant,
    /// Dropping it rejects the query.
    admit: oneshot::Sender<P>,
}

impl<P> QueueState<P> {
    /// Permits that readers may have now.
    pub(super) fn capacity(&self) -> usize {
        if self.is_overloaded { self.max_permits.div_ceil(2) } else { self.max_permits }
    }

    pub(super) fn issued(&self) -> usize {
        self.issued_to_readers + self.issued_to_editors
    }

    /// Whether there is a permit for readers, or for editors and admins.
    pub(super) fn has_permit(&self, is_editor: bool) -> bool {
        let of_readers = self.issued_to_readers + self.issued_to_editors.saturating_sub(self.editor_permits);
        of_readers < self.capacity() || (is_editor && self.issued_to_editors < self.editor_permits)
    }

    /// Whether this client may have another permit now.
    pub(super) fn may_issue(&self, client: Client) -> bool {
        self.has_permit(client.is_editor) && self.clients.get(&client).is_none_or(|state| state.issued < self.max_per_client)
    }

    pub(super) fn issue(&mut self, client: Client) {
        self.clients.entry(client).or_insert_with(ClientState::new).issued += 1;
        *self.issued_to(client) += 1;
    }

    /// Takes a permit back.
    pub(super) fn release(&mut self, client: Client) {
        *self.issued_to(client) -= 1;
        if let Some(state) = self.clients.get_mut(&client) {
            state.issued -= 1;
        }
        self.forget_if_idle(client);
    }

    pub(super) fn issued_to(&mut self, client: Client) -> &mut usize {
        if client.is_editor { &mut self.issued_to_editors } else { &mut self.issued_to_readers }
    }

    pub(super) fn forget_if_idle(&mut self, client: Client) {
        if self.clients.get(&client).is_some_and(|state| state.issued == 0 && state.waiting.is_empty() && !state.has_turn) {
            self.clients.remove(&client);
        }
    }

    /// Whether a client has waiting queries in its turn.
    pub(super) fn has_turn(&self, client: Client) -> bool {
        self.clients.get(&client).is_some_and(|state| state.has_turn)
    }

    /// Number of queries that can be admitted within this time.
    pub(super) fn admissible_within(&self, time: Duration) -> usize {
        let each = self.average_duration.as_micros().max(1);
        usize::try_from(time.as_micros().saturating_mul(self.capacity() as u128) / each).unwrap_or(usize::MAX)
    }

    /// Removes the oldest waiting query of a client, which rejects it.
    pub(super) fn reject_oldest(&mut self, client: Client) {
        let rejected = self.clients.get_mut(&client).and_then(|state| state.waiting.pop_front());
        self.waiting -= usize::from(rejected.is_some());
    }

    /// Rejects queries that have waited too long, removes those of clients that disconnected, and detects the end of
    /// overload.
    pub(super) fn evict(&mut self) {
        while let Some((number, client)) = self.arrivals.front().copied() {
            let oldest = self.clients.get(&client).and_then(|state| state.waiting.front()).filter(|oldest| oldest.number == number);
            if let Some(oldest) = oldest {
                if !(oldest.admit.is_closed() || (self.is_overloaded && oldest.since.elapsed() > OVERLOAD_WAIT)) {
                    break;
                }
                self.reject_oldest(client);
            }
            self.arrivals.pop_front();
        }
        if self.is_overloaded && self.waiting <= self.admissible_within(OVERLOAD_WAIT) {
            self.set_overloaded(false);
        }
    }

    /// Begins or ends overload, during which the clients that came last are the next.
    pub(super) fn set_overloaded(&mut self, is_overloaded: bool) {
        if self.is_overloaded != is_overloaded {
            self.is_overloaded = is_overloaded;
            self.reader_turns.make_contiguous().reverse();
            self.editor_turns.make_contiguous().reverse();
        }
    }

    /// Issues a permit to the next waiting query, if both exist.
    pub(super) fn next(&mut self) -> Option<(Client, oneshot::Sender<P>)> {
        self.evict();
        self.next_of(true).or_else(|| self.next_of(false))
    }

    pub(super) fn next_of(&mut self, of_editors: bool) -> Option<(Client, oneshot::Sender<P>)> {
        let mut index = 0;
        while self.has_permit(of_editors) {
            let turns = if of_editors { &mut self.editor_turns } else { &mut self.reader_turns };
            let client = *turns.get(index)?;
            let state = self.clients.entry(client).or_insert_with(ClientState::new);
            if state.issued >= self.max_per_client && !state.waiting.is_empty() {
                index += 1;
                continue;
            }
            turns.remove(index);
            let next = if self.is_overloaded { state.waiting.pop_back() } else { state.waiting.pop_front() };
            state.has_turn = !state.waiting.is_empty();
            if state.has_turn {
                turns.push_back(client);
            }
            let Some(next) = next else {
                self.forget_if_idle(client);
                continue;
            };
            self.waiting -= 1;
            self.issue(client);
            return Some((client, next.admit));
        }
        None
    }

    /// Enqueues a query. If the queue is full, overload begins, and the oldest query of the client with the most waiting ones
    /// is rejected.
    pub(super) fn push(&mut self, client: Client, admit: oneshot::Sender<P>) {
        self.evict();
        let max = if self.is_adaptive { self.admissible_within(MAX_WAIT).clamp(QUEUE_BOUNDS.0, QUEUE_BOUNDS.1) } else { QUEUE_BOUNDS.1 };
        if self.waiting >= max {
            self.set_overloaded(self.is_adaptive);
            let oldest = |state: &ClientState<P>| state.waiting.front().map(|oldest| std::cmp::Reverse(oldest.number));
            let longest = self.clients.iter().max_by_key(|(_, state)| (state.waiting.len(), oldest(state)));
            if let Some(client) = longest.map(|(client, _)| *client) {
                self.reject_oldest(client);
            }
        }
        let number = self.next_number;
        self.next_number += 1;
        let state = self.clients.entry(client).or_insert_with(ClientState::new);
        state.waiting.push_back(Waiter { number, since: Instant::now(), admit });
        self.waiting += 1;
        self.arrivals.push_back((number, client));
        if !std::mem::replace(&mut state.has_turn, true) {
            let turns = if client.is_editor { &mut self.editor_turns } else { &mut self.reader_turns };
            if self.is_overloaded { turns.push_front(client) } else { turns.push_back(client) }
        }
    }
}
