//! How much one client may ask for in a minute: points, by its address and by its token.
//!
//! A request takes one point of its address, and one more for each hundred records that its answer may hold; those are
//! taken from its token, where it shows one. The bucket is that of the generic cell rate algorithm: it fills evenly, and
//! who was quiet for a minute has all of it. Each process counts by itself.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
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
use crate::http::graphql::handler::{Media, failed};
use crate::http::router::AppState;
use crate::http::server::Peer;
use crate::observability::metrics;

/// Seconds that a quota is for.
const WINDOW: u32 = 60;
/// Records that one point pays for.
const NODES: u64 = 100;
const FORWARDED: &str = "x-forwarded-for";
/// Headers of draft-ietf-httpapi-ratelimit-headers.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Settings: points of a minute; 0 stands for no limit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// For each address (each network of 64 bits with IPv6).
    pub points_per_address: u32,
    /// For each token.
    pub points_per_token: u32,
    /// Networks of proxies that are believed about whom they ask for.
    pub trusted_proxies: Vec<IpNet>,
}

/// What is left to whom.
#[derive(Debug, Clone)]
pub struct ClientRateLimiter {
    addresses: Option<Arc<Bucket<IpAddr>>>,
    tokens: Option<Arc<Bucket<Uuid>>>,
    trusted: Arc<[IpNet]>,
}

#[derive(Debug)]
struct Bucket<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    most: NonZeroU32,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    fn new(points: u32) -> Option<Arc<Self>> {
        let most = NonZeroU32::new(points)?;
        let limiter = RateLimiter::keyed(Quota::per_minute(most)).with_middleware::<StateInformationMiddleware>();
        Some(Arc::new(Self { limiter, most }))
    }

    /// Takes points; what is more than a full bucket takes all of it.
    fn take(&self, key: &K, points: NonZeroU32) -> Result<Allowance, Spent> {
        let most = self.most.get();
        let points = points.min(self.most);
        match self.limiter.check_key_n(key, points) {
            Ok(Ok(state)) => Ok(allowance(most, state.remaining_burst_capacity())),
            Ok(Err(until)) => Err(Spent { limit: most, wait: until.wait_time_from(self.limiter.clock().now()) }),
            Err(_) => Err(Spent { limit: most, wait: Duration::from_secs(u64::from(WINDOW)) }),
        }
    }
}

fn allowance(limit: u32, remaining: u32) -> Allowance {
    let missing = u64::from(limit.saturating_sub(remaining)) * u64::from(WINDOW);
    let seconds = u32::try_from(missing.div_ceil(u64::from(limit))).unwrap_or(WINDOW);
    Allowance { limit, remaining, seconds, cost: 0 }
}

/// There is not enough left.
#[derive(Debug, Clone)]
pub(crate) struct Spent {
    limit: u32,
    wait: Duration,
}

impl Spent {
    fn seconds(&self) -> u64 {
        self.wait.as_secs() + 1
    }

    /// The error, as GraphQL has it.
    pub(crate) fn failure(&self) -> GraphqlError {
        metrics::record_limit_hit("rate");
        let message = format!(
            "that was too much for a minute: there are {} points for it, one for each request and one more for each {NODES} records that an answer may hold; try again in {} seconds",
            self.limit,
            self.seconds()
        );
        GraphqlError::new(codes::RATE, message)
    }

    pub(crate) fn response(&self) -> Response {
        let mut response = failed(Media::Json, &[self.failure()]);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.seconds()));
        put(response.headers_mut(), &Allowance { limit: self.limit, remaining: 0, seconds: WINDOW, cost: 0 });
        response
    }
}

impl ClientRateLimiter {
    /// Full buckets for all.
    pub fn new(quotas: &RateLimits) -> Self {
        Self {
            addresses: Bucket::new(quotas.points_per_address),
            tokens: Bucket::new(quotas.points_per_token),
            trusted: quotas.trusted_proxies.clone().into(),
        }
    }

    /// Forgets those whose buckets are full again. To be called now and then.
    pub fn forget(&self) {
        if let Some(bucket) = &self.addresses {
            bucket.limiter.retain_recent();
        }
        if let Some(bucket) = &self.tokens {
            bucket.limiter.retain_recent();
        }
    }

    /// The address that a request comes from: that of the peer, or, where that is a proxy that is trusted, the nearest one
    /// before it that is not. Whoever is not trusted can write into the header what they like.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let is_trusted = |address: &IpAddr| self.trusted.iter().any(|net| net.contains(address));
        if !is_trusted(&peer) {
            return peer;
        }
        let named = headers.get_all(FORWARDED).iter().rev().filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','));
        let mut client = peer;
        for text in named {
            let Ok(address) = text.trim().trim_matches(['[', ']']).parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !is_trusted(&client) {
                break;
            }
        }
        client
    }
}

/// The bucket of an address: who has one address of IPv6 has a network of them.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The purse that a request is paid from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purse(Option<Arc<Paid>>);

#[derive(Debug)]
struct Paid {
    rates: ClientRateLimiter,
    address: IpAddr,
    /// What was left when something was taken last.
    left: Mutex<Option<Allowance>>,
}

impl Purse {
    fn new(rates: &ClientRateLimiter, address: IpAddr) -> Self {
        Self(Some(Arc::new(Paid { rates: rates.clone(), address: key(address), left: Mutex::default() })))
    }

    /// Takes a point for the request itself.
    pub(crate) fn enter(&self) -> Result<(), Spent> {
        let Some(paid) = &self.0 else { return Ok(()) };
        let Some(bucket) = &paid.rates.addresses else { return Ok(()) };
        let left = bucket.take(&paid.address, NonZeroU32::MIN)?;
        paid.keep(Allowance { cost: 1, ..left });
        Ok(())
    }

    /// Takes what an answer costs that may hold so many records, from the token of the one who asks or else from their
    /// address; gives what is left.
    pub(crate) fn pay(&self, caller: &Caller, nodes: u64) -> Result<Option<Allowance>, Spent> {
        let Some(paid) = &self.0 else { return Ok(None) };
        let points = u32::try_from(nodes / NODES).unwrap_or(u32::MAX);
        let left = match (caller.token, &paid.rates.tokens, &paid.rates.addresses) {
            (Some(token), Some(bucket), _) => {
                let points = NonZeroU32::MIN.saturating_add(points);
                Some(Allowance { cost: points.get(), ..bucket.take(&token, points)? })
            }
            (None, _, Some(bucket)) => match NonZeroU32::new(points) {
                Some(points) => Some(Allowance { cost: points.get() + 1, ..bucket.take(&paid.address, points)? }),
                None => paid.left.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            },
            _ => None,
        };
        if let Some(left) = &left {
            paid.keep(left.clone());
        }
        Ok(left)
    }
}

impl Paid {
    fn keep(&self, left: Allowance) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
    }
}

/// Takes a point for each request, and tells in the answer what is left.
pub(crate) async fn count(State(service): State<Arc<AppState>>, mut request: Request, next: Next) -> Response {
    let rates = &service.rates;
    if rates.addresses.is_none() && rates.tokens.is_none() {
        return next.run(request).await;
    }
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else { return next.run(request).await };
    let purse = Purse::new(rates, rates.client(peer, request.headers()));
    if let Err(spent) = purse.enter() {
        return spent.response();
    }
    request.extensions_mut().insert(purse.clone());
    let mut response = next.run(request).await;
    let left = purse.0.as_ref().and_then(|paid| paid.left.lock().unwrap_or_else(PoisonError::into_inner).take());
    if let Some(left) = left.filter(|_| !response.headers().contains_key(RATE_LIMIT)) {
        put(response.headers_mut(), &left);
    }
    response
}

fn put(headers: &mut HeaderMap, left: &Allowance) {
    let policy = format!("\"minute\";q={};w={WINDOW}", left.limit);
    let state = format!("\"minute\";r={};t={}", left.remaining, left.seconds);
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    // who is not trusted is not believed
    #[case("203.0.113.9", &["198.51.100.1"], "203.0.113.9")]
    #[case("10.0.0.1", &["198.51.100.1"], "198.51.100.1")]
    // what a client wrote itself stands before what the proxy added
    #[case("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1")]
    #[case("10.0.0.1", &["1.1.1.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1")]
    #[case("10.0.0.1", &["nonsense"], "10.0.0.1")]
    #[case("10.0.0.1", &[], "10.0.0.1")]
    #[case("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1")]
    #[case("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1")]
    fn the_address_of_a_client_is_the_nearest_one_that_is_no_trusted_proxy(
        #[case] peer: &str,
        #[case] forwarded: &[&str],
        #[case] expected: &str,
    ) {
        let rates = ClientRateLimiter::new(&RateLimits { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..RateLimits::default() });
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(rates.client(peer.parse().unwrap(), &headers), expected.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |text: &str| key(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:198.51.100.1"), of("198.51.100.1"));
    }

    #[test]
    fn what_is_taken_is_told_and_more_than_all_takes_all() {
        let bucket = Bucket::new(10).unwrap();
        let points = |number| NonZeroU32::new(number).unwrap();
        let left = bucket.take(&1, points(4)).unwrap();
        assert_eq!((left.limit, left.remaining, left.seconds), (10, 6, 24));
        assert!(bucket.take(&1, points(7)).is_err());
        assert_eq!(bucket.take(&2, points(1000)).unwrap().remaining, 0);
        assert!(bucket.take(&2, points(1)).unwrap_err().seconds() <= 7);
    }
}
