//! Rate limits: points per minute for each client address and each token.
//!
//! A request costs one point of its address, and more for what it may read and return ([`Cost::points`]); the latter are
//! charged to the token if the request has one. What is read while a response is sent, such as a table or the events of a
//! subscription, is charged as it is read ([`RateLimitHandle::pay`]). Points refill evenly (generic cell rate algorithm):
//! after an idle minute all of them are available. Each process counts separately.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;
use serde::Deserialize;
use uuid::Uuid;

use crate::core::auth::{Allowance, Caller};
use crate::graphql::error::{GraphqlError, codes};
#[cfg(doc)]
use crate::graphql::limits::Cost;
use crate::http::response::{MediaType, errors_response};
use crate::http::shares::{Client, ClientId};
use crate::observability::metrics;

/// Length of the window of a quota.
const WINDOW_SECONDS: u32 = 60;
/// The most points that [`RateLimitHandle::pay`] takes at once, so that other requests of the client get points in between.
const MAX_POINTS_AT_ONCE: u32 = 50;
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Header of draft-ietf-httpapi-ratelimit-headers: the points left.
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Header of draft-ietf-httpapi-ratelimit-headers: the quota.
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Settings: points per minute; 0 disables a limit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// For each address (each /64 network with IPv6).
    pub points_per_address: u32,
    /// For each token.
    pub points_per_token: u32,
    /// Networks of the proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

/// The buckets of all clients.
#[derive(Debug, Clone)]
pub struct ClientRateLimiter {
    addresses: Option<Arc<Bucket<IpAddr>>>,
    tokens: Option<Arc<Bucket<Uuid>>>,
    trusted_proxies: Arc<[IpNet]>,
}

/// One bucket of points per key.
#[derive(Debug)]
struct Bucket<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    capacity: NonZeroU32,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    /// `None` for 0 points: there is no limit.
    fn new(points: u32) -> Option<Arc<Self>> {
        let capacity = NonZeroU32::new(points)?;
        let limiter = RateLimiter::keyed(Quota::per_minute(capacity)).with_middleware::<StateInformationMiddleware>();
        Some(Arc::new(Self { limiter, capacity }))
    }

    /// Takes points; more points than the capacity take a full bucket.
    fn take(&self, key: &K, points: NonZeroU32) -> Result<Allowance, RateLimited> {
        let limit = self.capacity.get();
        let points = points.min(self.capacity);
        match self.limiter.check_key_n(key, points) {
            Ok(Ok(state)) => Ok(allowance(limit, state.remaining_burst_capacity())),
            Ok(Err(until)) => Err(RateLimited { limit, wait: until.wait_time_from(self.limiter.clock().now()) }),
            Err(_) => Err(RateLimited { limit, wait: Duration::from_secs(u64::from(WINDOW_SECONDS)) }),
        }
    }
}

fn allowance(limit: u32, remaining: u32) -> Allowance {
    let missing = u64::from(limit.saturating_sub(remaining)) * u64::from(WINDOW_SECONDS);
    let seconds = u32::try_from(missing.div_ceil(u64::from(limit))).unwrap_or(WINDOW_SECONDS);
    Allowance { limit, remaining, seconds, cost: 0 }
}

/// The client has too few points left.
#[derive(Debug, Clone)]
pub(super) struct RateLimited {
    limit: u32,
    wait: Duration,
}

impl RateLimited {
    fn retry_after_seconds(&self) -> u64 {
        self.wait.as_secs() + 1
    }

    /// The GraphQL error; counts the rejection.
    pub(super) fn error(&self) -> GraphqlError {
        metrics::record_limit_hit("rate");
        let message = format!(
            "rate limit exceeded: {} points per minute, one for each request and more for what it may read and return (extensions.cost); retry in {} s",
            self.limit,
            self.retry_after_seconds()
        );
        GraphqlError::new(codes::RATE_LIMITED, message)
    }

    /// The response 429 with `Retry-After`.
    pub(super) fn response(&self) -> Response {
        let mut response = errors_response(MediaType::Json, &[self.error()]);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.retry_after_seconds()));
        insert_headers(response.headers_mut(), &Allowance { limit: self.limit, remaining: 0, seconds: WINDOW_SECONDS, cost: 0 });
        response
    }
}

impl ClientRateLimiter {
    /// A limiter whose buckets are all full.
    pub fn new(limits: &RateLimits) -> Self {
        Self {
            addresses: Bucket::new(limits.points_per_address),
            tokens: Bucket::new(limits.points_per_token),
            trusted_proxies: limits.trusted_proxies.clone().into(),
        }
    }

    /// Evicts the buckets that are full again. Call it periodically: otherwise memory grows with the number of clients.
    pub fn evict_idle(&self) {
        if let Some(bucket) = &self.addresses {
            bucket.limiter.retain_recent();
        }
        if let Some(bucket) = &self.tokens {
            bucket.limiter.retain_recent();
        }
    }

    /// The address of the client: the peer, or, if the peer is a trusted proxy, the nearest address in `X-Forwarded-For`
    /// that is not one. Other peers can forge the header.
    pub(super) fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let is_trusted = |address: &IpAddr| self.trusted_proxies.iter().any(|network| network.contains(address));
        if !is_trusted(&peer) {
            return peer;
        }
        let forwarded =
            headers.get_all(FORWARDED_FOR).iter().rev().filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
        let mut client = peer;
        for text in forwarded {
            let Ok(address) = text.trim().trim_matches(['[', ']']).parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !is_trusted(&client) {
                break;
            }
        }
        client
    }
}

/// The key of an address: with IPv6, its /64 network.
pub(super) fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Charges a request to its client. The default handle charges nobody.
#[derive(Debug, Clone, Default)]
pub(super) struct RateLimitHandle(Option<Arc<RateLimitState>>);

#[derive(Debug)]
struct RateLimitState {
    limiter: ClientRateLimiter,
    address: IpAddr,
    /// The points left after the latest charge.
    latest: Mutex<Option<Allowance>>,
}

impl RateLimitHandle {
    pub(super) fn new(limiter: &ClientRateLimiter, address: IpAddr) -> Self {
        Self(Some(Arc::new(RateLimitState { limiter: limiter.clone(), address: address_key(address), latest: Mutex::default() })))
    }

    /// Whom places are counted for that this caller holds.
    pub(super) fn client(&self, caller: &Caller) -> Client {
        let address = self.0.as_ref().map(|state| ClientId::Address(state.address));
        let id = caller.token.map(ClientId::Token).or(address).unwrap_or(ClientId::Unknown);
        Client { id, is_editor: caller.role.sees_drafts() }
    }

    /// Charges one point for the request itself.
    pub(super) fn charge_request(&self) -> Result<(), RateLimited> {
        let Some(state) = &self.0 else { return Ok(()) };
        let Some(bucket) = &state.limiter.addresses else { return Ok(()) };
        let allowance = bucket.take(&state.address, NonZeroU32::MIN)?;
        state.set_latest(Allowance { cost: 1, ..allowance });
        Ok(())
    }

    /// Charges the points of an operation to the caller's token or else to the address. Returns the points left, if there
    /// is a limit.
    pub(super) fn charge_query(&self, caller: &Caller, points: u64) -> Result<Option<Allowance>, RateLimited> {
        let Some(state) = &self.0 else { return Ok(None) };
        let points = u32::try_from(points).unwrap_or(u32::MAX);
        let allowance = match (caller.token, &state.limiter.tokens, &state.limiter.addresses) {
            (Some(token), Some(bucket), _) => {
                let points = NonZeroU32::MIN.saturating_add(points);
                Some(Allowance { cost: points.get(), ..bucket.take(&token, points)? })
            }
            (None, _, Some(bucket)) => match NonZeroU32::new(points) {
                Some(points) => Some(Allowance { cost: points.get() + 1, ..bucket.take(&state.address, points)? }),
                None => state.latest.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            },
            (Some(_), None, _) | (None, _, None) => None,
        };
        if let Some(allowance) = &allowance {
            state.set_latest(allowance.clone());
        }
        Ok(allowance)
    }

    /// Charges points for what is read while a response is sent, to the caller's token or else to the address. Waits for
    /// points if too few are left.
    pub(super) async fn pay(&self, caller: &Caller, points: u64) {
        let Some(state) = &self.0 else { return };
        let mut points = u32::try_from(points).unwrap_or(u32::MAX);
        while points > 0 {
            let part = NonZeroU32::MIN.saturating_add(points.min(MAX_POINTS_AT_ONCE) - 1);
            let taken = match (caller.token, &state.limiter.tokens, &state.limiter.addresses) {
                (Some(token), Some(bucket), _) => bucket.take(&token, part),
                (None, _, Some(bucket)) => bucket.take(&state.address, part),
                (Some(_), None, _) | (None, _, None) => return,
            };
            match taken {
                Ok(_) => points -= part.get(),
                Err(limited) => tokio::time::sleep(limited.wait).await,
            }
        }
    }

    /// The points left after the latest charge; the next call returns `None`.
    pub(super) fn take_latest(&self) -> Option<Allowance> {
        self.0.as_ref().and_then(|state| state.latest.lock().unwrap_or_else(PoisonError::into_inner).take())
    }
}

impl RateLimitState {
    fn set_latest(&self, allowance: Allowance) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(allowance);
    }
}

/// Inserts the headers `RateLimit` and `RateLimit-Policy`.
pub(super) fn insert_headers(headers: &mut HeaderMap, allowance: &Allowance) {
    let policy = format!("\"minute\";q={};w={WINDOW_SECONDS}", allowance.limit);
    let state = format!("\"minute\";r={};t={}", allowance.remaining, allowance.seconds);
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    // the header of an untrusted peer is ignored
    #[case("203.0.113.9", &["198.51.100.1"], "203.0.113.9")]
    #[case("10.0.0.1", &["198.51.100.1"], "198.51.100.1")]
    // a forged address precedes the one that the proxy added
    #[case("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1")]
    #[case("10.0.0.1", &["1.1.1.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1")]
    #[case("10.0.0.1", &["nonsense"], "10.0.0.1")]
    #[case("10.0.0.1", &[], "10.0.0.1")]
    #[case("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1")]
    #[case("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1")]
    fn client_address_is_the_nearest_untrusted_one(#[case] peer: &str, #[case] forwarded: &[&str], #[case] expected: &str) {
        let limits = RateLimits { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..RateLimits::default() };
        let limiter = ClientRateLimiter::new(&limits);
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(limiter.client_address(peer.parse().unwrap(), &headers), expected.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn ipv6_clients_are_keyed_by_network() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:198.51.100.1"), key("198.51.100.1"));
    }

    #[test]
    fn charge_is_capped_at_a_full_bucket() {
        let bucket = Bucket::new(10).unwrap();
        let points = |number| NonZeroU32::new(number).unwrap();
        let allowance = bucket.take(&1, points(4)).unwrap();
        assert_eq!((allowance.limit, allowance.remaining, allowance.seconds), (10, 6, 24));
        assert!(bucket.take(&1, points(7)).is_err());
        assert_eq!(bucket.take(&2, points(1000)).unwrap().remaining, 0);
        assert!(bucket.take(&2, points(1)).unwrap_err().retry_after_seconds() <= 7);
    }
}
