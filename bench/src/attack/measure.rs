//! Measurements during an attack: the latency of `/healthz` and of other clients, and the memory and CPU time of the server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::attack::action::AttackRequest;
use crate::attack::client::Client;
use crate::attack::outcome::{Outcome, Outcomes};
use crate::target::{cpu_time, resident_memory_mib};

/// Source address of the health checks, which a load balancer would send.
const PROBE_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// Source address of a reader who does nothing unusual.
const READER_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
const READER_INTERVAL: Duration = Duration::from_millis(250);
const MEMORY_INTERVAL: Duration = Duration::from_millis(20);
/// Share of a core that an idle server uses at most, sampled over [`IDLE_INTERVAL`].
const IDLE_SHARE: f64 = 0.1;
const IDLE_INTERVAL: Duration = Duration::from_millis(300);
/// Longest wait for an idle server before an attack.
const MAX_IDLE_WAIT: Duration = Duration::from_mins(1);

/// What was observed during an attack.
#[derive(Debug, Default)]
pub struct Observations {
    /// Health checks, each over a new connection.
    pub health: Outcomes,
    /// Ordinary requests of another client.
    pub reader: Outcomes,
    pub peak_memory_mib: u64,
}

/// Observers that run until they are stopped.
#[derive(Debug)]
pub struct Observers {
    stop: watch::Sender<bool>,
    health: JoinHandle<Outcomes>,
    reader: JoinHandle<Outcomes>,
    memory: JoinHandle<u64>,
}

impl Observers {
    /// Starts to observe a server with this process id. With the token of an editor who does not attack, the other client is in
    /// part that editor.
    pub fn start(client: Client, pid: u32, token: Option<&str>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let health = AttackRequest::get("/healthz", &[]);
        let (probe, other) = (Client { source: Some(PROBE_ADDRESS), ..client }, Client { source: Some(READER_ADDRESS), ..client });
        let token = token.map(str::to_owned);
        Self {
            health: tokio::spawn(repeat(probe, PROBE_INTERVAL, stopped.clone(), move |_| health.clone())),
            reader: tokio::spawn(repeat(other, READER_INTERVAL, stopped.clone(), move |number| ordinary_request(number, token.as_deref()))),
            memory: tokio::spawn(peak_memory(pid, stopped)),
            stop,
        }
    }

    /// Stops all observers, and returns what they observed.
    pub async fn stop(self) -> Observations {
        self.stop.send_replace(true);
        Observations {
            health: self.health.await.expect("observers do not panic"),
            reader: self.reader.await.expect("observers do not panic"),
            peak_memory_mib: self.memory.await.expect("observers do not panic"),
        }
    }
}

/// Sends requests at an interval, independently of responses, until stopped; then waits for the responses.
async fn repeat(
    client: Client,
    interval: Duration,
    mut stopped: watch::Receiver<bool>,
    request: impl Fn(u64) -> AttackRequest,
) -> Outcomes {
    let mut pending = tokio::task::JoinSet::new();
    let mut outcomes = Outcomes::default();
    for number in 0.. {
        let request = Arc::new(request(number));
        pending.spawn(async move { client.request(&request).await });
        if tokio::time::timeout(interval, stopped.wait_for(|stopped| *stopped)).await.is_ok() {
            break;
        }
        while let Some(finished) = pending.try_join_next() {
            add(&mut outcomes, finished);
        }
    }
    while let Some(finished) = pending.join_next().await {
        add(&mut outcomes, finished);
    }
    outcomes
}

fn add(outcomes: &mut Outcomes, finished: Result<(crate::attack::client::Response, Duration), tokio::task::JoinError>) {
    let (response, duration) = finished.expect("requests do not panic");
    outcomes.add(response.outcome, duration, response.bytes);
}

/// A query, a table or, with a token, the caller: the requests that everyone must be able to send at any time. They differ, so
/// that no response comes from the cache.
fn ordinary_request(number: u64, token: Option<&str>) -> AttackRequest {
    let variables = json!({"number": format!("no-{number}-{}", std::process::id())});
    let query = "query($number: String!) { cases(first: 1, filter: {docketNumber: {not: $number}}) { nodes { id title } } }";
    match (number % 3, token) {
        (0, Some(token)) => AttackRequest::graphql("{ viewer { role } }", &json!({})).token(token),
        (1, _) => AttackRequest::export("/table.csv", query, &variables, &[("limit", "1")]),
        _ => AttackRequest::graphql(query, &variables),
    }
}

async fn peak_memory(pid: u32, mut stopped: watch::Receiver<bool>) -> u64 {
    let mut peak = 0;
    loop {
        peak = peak.max(resident_memory_mib(pid).unwrap_or_default());
        if tokio::time::timeout(MEMORY_INTERVAL, stopped.wait_for(|stopped| *stopped)).await.is_ok() {
            return peak;
        }
    }
}

/// Waits until the server uses almost no CPU time, so that it does not still work on what came before. Returns whether it does,
/// and whether it responds.
pub async fn wait_until_idle(client: Client, pid: u32) -> bool {
    let started = Instant::now();
    while started.elapsed() < MAX_IDLE_WAIT {
        let before = cpu_time(pid);
        tokio::time::sleep(IDLE_INTERVAL).await;
        let (Some(before), Some(after)) = (before, cpu_time(pid)) else { return false };
        if after.saturating_sub(before).as_secs_f64() <= IDLE_INTERVAL.as_secs_f64() * IDLE_SHARE {
            break;
        }
    }
    let (response, _) = client.request(&AttackRequest::get("/healthz", &[])).await;
    response.outcome == Outcome::Answered
}
