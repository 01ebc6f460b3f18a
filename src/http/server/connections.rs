//! The open connections: how many there are, how many of each address, and which are closed to make room for others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;

use crate::http::rate_limiter::address_key;
use crate::http::server::progress::{Activity, ReadingPace};
use crate::http::shares::Shares;
use crate::observability::metrics;

/// Connections beyond the maximum for addresses with few connections, such as those of probes.
const RESERVED_CONNECTIONS: usize = 16;
/// Connections of an address that may use the reserve.
const RESERVED_PER_ADDRESS: usize = 2;
/// Time after which an idle connection, or one whose client does not read, can be closed to make room.
const CLOSABLE_AFTER: Duration = Duration::from_secs(1);

/// Settings: how many connections there can be.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Maximum number of connections.
    pub max: u32,
    /// The share of one address.
    pub shares: Shares,
    /// Networks whose connections carry requests of many clients, and have no share.
    pub trusted_proxies: Vec<IpNet>,
}

/// The open connections.
#[derive(Debug)]
pub(super) struct Connections {
    state: Mutex<State>,
    max: usize,
    max_per_address: usize,
    trusted_proxies: Vec<IpNet>,
}

#[derive(Debug, Default)]
struct State {
    next_number: u64,
    open: HashMap<u64, Arc<Connection>>,
    by_address: HashMap<IpAddr, usize>,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Address of the peer; with IPv6, its network.
    address: IpAddr,
    pub(super) activity: Arc<Activity>,
    close: Notify,
}

impl Connection {
    /// Waits until the connection must be closed.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }

    /// Time for which the connection has been of no use, or for which its client has not read.
    fn closable(&self) -> Option<Duration> {
        Some(self.activity.idle().unwrap_or_else(|| self.activity.waiting())).filter(|time| *time >= CLOSABLE_AFTER)
    }
}

/// Removes a connection when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionGuard {
    connections: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

/// Why there is no place for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The address holds its share.
    Address,
    /// The server holds its maximum.
    Server,
}

impl State {
    /// Asks the connection of these that has been closable for longest to close, and no longer counts it.
    fn close_one(&mut self, is_candidate: impl Fn(&Connection) -> bool) -> bool {
        let closable = self.open.iter().filter(|(_, connection)| is_candidate(connection));
        let longest = closable.filter_map(|(number, connection)| Some((connection.closable()?, *number))).max();
        let Some((_, number)) = longest else { return false };
        if let Some(connection) = self.remove(number) {
            connection.close.notify_one();
        }
        true
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Connection>> {
        let removed = self.open.remove(&number)?;
        if let Some(count) = self.by_address.get_mut(&removed.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&removed.address);
            }
        }
        Some(removed)
    }
}

impl Connections {
    pub(super) fn new(limits: &ConnectionLimits) -> Self {
        let max = limits.max.max(1) as usize;
        Self { state: Mutex::default(), max, max_per_address: limits.shares.of(max), trusted_proxies: limits.trusted_proxies.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // no critical section can panic halfway
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of connections that one address can have.
    pub(super) fn max_per_address(&self) -> usize {
        self.max_per_address
    }

    /// Takes a place for a connection. At a limit, closes one that is idle or whose client does not read: at the share of the
    /// address one of its own, at the maximum one of the address with the most connections, or else any.
    pub(super) fn open(self: &Arc<Self>, peer: IpAddr) -> Result<ConnectionGuard, Full> {
        let address = address_key(peer);
        let mut state = self.state();
        let count = state.by_address.get(&address).copied().unwrap_or(0);
        let has_share = !self.trusted_proxies.iter().any(|network| network.contains(&peer));
        if has_share && count >= self.max_per_address {
            if !state.close_one(|connection| connection.address == address) {
                metrics::record_limit_hit("client_connections");
                return Err(Full::Address);
            }
        } else if state.open.len() >= self.max {
            let largest = state.by_address.iter().max_by_key(|(_, count)| **count).map(|(address, _)| *address);
            let has_room = state.close_one(|connection| Some(connection.address) == largest) || state.close_one(|_| true);
            let may_use_reserve = count < RESERVED_PER_ADDRESS && state.open.len() < self.max + RESERVED_CONNECTIONS;
            if !has_room && !may_use_reserve {
                return Err(Full::Server);
            }
        }
        let number = state.next_number;
        state.next_number += 1;
        let connection = Arc::new(Connection { address, activity: Arc::new(Activity::new()), close: Notify::new() });
        state.open.insert(number, connection.clone());
        *state.by_address.entry(address).or_default() += 1;
        Ok(ConnectionGuard { connections: self.clone(), number, connection })
    }

    /// Asks the connections to close whose clients read more slowly than this.
    pub(super) fn close_slow(&self, pace: ReadingPace) {
        let open: Vec<Arc<Connection>> = self.state().open.values().cloned().collect();
        for connection in open.iter().filter(|connection| connection.activity.is_too_slow(pace)) {
            metrics::record_limit_hit("send_seconds");
            connection.close.notify_one();
        }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.connections.state().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(max: u32, client_percent: u32) -> Arc<Connections> {
        let shares = Shares { client_percent, ..Shares::default() };
        Arc::new(Connections::new(&ConnectionLimits { max, shares, trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()] }))
    }

    fn open(connections: &Arc<Connections>, last: u8) -> Result<ConnectionGuard, Full> {
        connections.open([192, 0, 2, last].into())
    }

    /// A connection with a request in progress.
    fn busy(connections: &Arc<Connections>, last: u8) -> (ConnectionGuard, crate::http::server::progress::RequestGuard) {
        let guard = open(connections, last).unwrap();
        let request = crate::http::server::progress::RequestGuard::new(guard.connection.activity.clone());
        (guard, request)
    }

    #[tokio::test(start_paused = true)]
    async fn address_holds_its_share_and_proxies_any_number() {
        let connections = connections(8, 25);
        let held = [busy(&connections, 1), busy(&connections, 1)];
        assert_eq!(open(&connections, 1).unwrap_err(), Full::Address);
        let proxied: Vec<_> = (0..4).map(|_| connections.open([10, 0, 0, 1].into()).unwrap()).collect();
        assert!(open(&connections, 2).is_ok());
        drop((held, proxied));
        assert!(connections.state().open.is_empty() && connections.state().by_address.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connection_gives_way_and_busy_ones_do_not() {
        let connections = connections(2, 100);
        let (_first, _request) = busy(&connections, 1);
        let idle = open(&connections, 1).unwrap();
        tokio::time::advance(CLOSABLE_AFTER).await;
        let newcomer = open(&connections, 2).unwrap();
        tokio::time::timeout(Duration::from_millis(1), idle.connection.closed()).await.unwrap();
        drop((newcomer, idle));
        assert_eq!(connections.state().open.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn reserve_serves_addresses_with_few_connections() {
        let connections = connections(3, 100);
        let _busy: Vec<_> = (0..3).map(|_| busy(&connections, 1)).collect();
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(open(&connections, 1).unwrap_err(), Full::Server);
        let _probe = open(&connections, 2).unwrap();
        assert!(open(&connections, 2).is_ok());
    }
}
