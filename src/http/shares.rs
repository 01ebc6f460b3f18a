//! Shares of one client: how many places of each kind (queries, tables, streams, connections) it can hold at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use uuid::Uuid;

/// Settings: the share of one client, and the places of editors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Percentage of the places of each kind that one client can hold; 100 disables the limit.
    pub client_percent: u32,
    /// Concurrent queries of editors and admins in addition to those of readers.
    pub editor_queries: u32,
}

impl Default for Shares {
    /// The values of `config.default.toml`.
    fn default() -> Self {
        Self { client_percent: 25, editor_queries: 2 }
    }
}

impl Shares {
    /// The places that one client can hold of this many: at least one, and at least two of four or more; any number without a
    /// limit.
    pub(super) fn of(&self, places: usize) -> usize {
        if self.client_percent >= 100 {
            return usize::MAX;
        }
        let share = places.saturating_mul(self.client_percent as usize) / 100;
        share.max((places / 2).min(2)).max(1)
    }
}

/// The client that a place counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClientId {
    /// A token, wherever it is used from.
    Token(Uuid),
    /// An address; with IPv6, its /64 network.
    Address(IpAddr),
    /// A client without an address, as in tests without a network.
    Unknown,
}

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) id: ClientId,
    /// Whether the caller is an editor or admin, for whom places are reserved.
    pub(crate) is_editor: bool,
}

/// The places that each client holds, of one kind.
#[derive(Debug, Clone)]
pub(super) struct ClientPlaces {
    held: Arc<Mutex<HashMap<ClientId, usize>>>,
    max: usize,
}

/// A place that a client holds until it is dropped.
#[derive(Debug)]
pub(super) struct ClientPlace {
    places: ClientPlaces,
    client: ClientId,
}

impl ClientPlaces {
    /// Places of which one client can hold `max`.
    pub(super) fn new(max: usize) -> Self {
        Self { held: Arc::default(), max }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<ClientId, usize>> {
        // no critical section can panic halfway
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place; `None` if the client holds its share.
    pub(super) fn try_take(&self, client: ClientId) -> Option<ClientPlace> {
        let mut held = self.held();
        let count = held.entry(client).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(ClientPlace { places: self.clone(), client })
    }

    /// Number of places that one client can hold.
    pub(super) fn max(&self) -> usize {
        self.max
    }
}

impl Drop for ClientPlace {
    fn drop(&mut self) {
        let mut held = self.places.held();
        if let Some(count) = held.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(25, 1000, 250)]
    #[case(25, 8, 2)]
    #[case(25, 4, 2)]
    #[case(25, 3, 1)]
    #[case(25, 1, 1)]
    #[case(0, 100, 2)]
    #[case(100, 7, usize::MAX)]
    fn share_is_never_none_and_rarely_all(#[case] client_percent: u32, #[case] places: usize, #[case] expected: usize) {
        assert_eq!(Shares { client_percent, ..Shares::default() }.of(places), expected);
    }
}
