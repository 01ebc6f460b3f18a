//! Open-loop overload test: requests arrive at a multiple of the capacity of the server, whether or not it responds.
//! Compares the latency of admitted requests with that at half of the capacity, and checks the recovery.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use hyper::body::Bytes;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::client::Connection;
use crate::target::Target;

const QUERY: &str = "query($n: Int, $m: Int) { cases(first: $n, order: {field: OPENED_ON, direction: DESC}) { nodes { slug title court { name } parties(first: $m) { nodes { role person { name memberships(first: 3) { nodes { label organization { name } } } } } } charges { nodes { outcome provision { number law { title } } } } } } }";

/// Clients that determine the capacity.
const CAPACITY_CLIENTS: u64 = 4;
/// Duration of the measurement of the capacity.
const CAPACITY_DURATION: Duration = Duration::from_secs(8);
/// Maximum number of connections at half of the capacity.
const HALF_RATE_CONNECTIONS: usize = 64;
/// Time to recover after the overload, in seconds.
const MAX_RECOVERY_SECONDS: u32 = 60;

/// Target and arrival rate.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Server under test, as for load; it should have no response cache and no rate limit
    #[arg(long, value_name = "KIND=HOST:PORT[,PID]")]
    server: Target,
    /// Arrival rate under overload, as a multiple of the capacity
    #[arg(long, default_value_t = 10.0)]
    times: f64,
    /// Duration of the overload, in seconds; the measurement at half of the capacity takes half of it
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Maximum number of concurrent requests
    #[arg(long, default_value_t = 512)]
    connections: usize,
}

/// Results of the requests of one phase.
#[derive(Debug, Default)]
struct Outcome {
    /// Latencies of successful responses.
    latencies: Vec<Duration>,
    rejected: u64,
    /// Requests that were due while all connections were busy.
    unsent: u64,
    slowest_rejection: Duration,
}

impl Outcome {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the rank of a percentile is a small positive number")]
    fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// One line for a phase with this label and duration.
    fn summary(&self, label: &str, duration: Duration) -> String {
        format!(
            "{label}: {:.0} responses per second, median {:.1} ms, p99 {:.1} ms; {:.0} rejected per second, slowest after {:.1} ms; {} not sent",
            self.latencies.len() as f64 / duration.as_secs_f64(),
            self.percentile(0.5).as_secs_f64() * 1e3,
            self.percentile(0.99).as_secs_f64() * 1e3,
            self.rejected as f64 / duration.as_secs_f64(),
            self.slowest_rejection.as_secs_f64() * 1e3,
            self.unsent,
        )
    }
}

fn request_body(number: u64) -> Bytes {
    let (n, m) = (80 + number % 20, 10 + number / 20 % 5);
    Bytes::from(json!({"query": QUERY, "variables": {"n": n, "m": m}}).to_string())
}

/// State that the clients of one phase share.
#[derive(Debug)]
struct Phase {
    queue: Mutex<Receiver<u64>>,
    outcome: Mutex<Outcome>,
    idle_clients: AtomicU64,
}

/// Sends the requests that the queue contains, until it is closed.
async fn run_client(phase: &Phase, mut connection: Connection, address: &str) -> anyhow::Result<()> {
    loop {
        phase.idle_clients.fetch_add(1, Ordering::Relaxed);
        let number = phase.queue.lock().await.recv().await;
        phase.idle_clients.fetch_sub(1, Ordering::Relaxed);
        let Some(number) = number else { return Ok(()) };
        let started = Instant::now();
        let Ok(response) = connection.send("/graphql", request_body(number)).await else {
            connection = Connection::open(address).await?;
            continue;
        };
        let (is_success, _) = response.context("the response timed out")?;
        let (latency, mut outcome) = (started.elapsed(), phase.outcome.lock().await);
        if is_success {
            outcome.latencies.push(latency);
        } else {
            outcome.rejected += 1;
            outcome.slowest_rejection = outcome.slowest_rejection.max(latency);
        }
    }
}

/// Enqueues requests at a constant rate, independently of the responses.
async fn schedule(phase: &Phase, queue: Sender<u64>, rate: f64, duration: Duration) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut number = 0_u64;
    while started.elapsed() < duration {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only whole requests are due")]
        let due = (started.elapsed().as_secs_f64() * rate) as u64;
        while number < due {
            number += 1;
            if phase.idle_clients.load(Ordering::Relaxed) == 0 || queue.try_send(number).is_err() {
                // an idle client receives it within a moment; otherwise all are busy
                match tokio::time::timeout(Duration::from_millis(1), queue.send(number)).await {
                    Ok(sent) => sent?,
                    Err(_) => phase.outcome.lock().await.unsent += 1,
                }
            }
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    Ok(())
}

/// Sends requests at a constant arrival rate per second.
async fn send_at_rate(address: &str, rate: f64, duration: Duration, connections: usize) -> anyhow::Result<Outcome> {
    let (sender, receiver) = channel::<u64>(1);
    let phase = Arc::new(Phase { queue: Mutex::new(receiver), outcome: Mutex::default(), idle_clients: AtomicU64::new(0) });
    let mut clients = Vec::new();
    for _ in 0..connections {
        let (phase, connection, address) = (phase.clone(), Connection::open(address).await?, address.to_owned());
        clients.push(tokio::spawn(async move { run_client(&phase, connection, &address).await }));
    }
    schedule(&phase, sender, rate, duration).await?;
    for client in clients {
        client.await??;
    }
    Ok(Arc::into_inner(phase).context("a client is still running")?.outcome.into_inner())
}

/// Responses per second in a closed loop with a few clients.
async fn measure_capacity(address: &str) -> anyhow::Result<f64> {
    let started = Instant::now();
    let clients: Vec<_> = (0..CAPACITY_CLIENTS)
        .map(|client| {
            let address = address.to_owned();
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await?;
                let (mut count, started) = (0_u64, Instant::now());
                while started.elapsed() < CAPACITY_DURATION {
                    let body = request_body(count * CAPACITY_CLIENTS + client);
                    let (is_success, _) = connection.send("/graphql", body).await?.context("the response timed out")?;
                    if is_success {
                        count += 1;
                    } else {
                        // the server admits fewer concurrent requests
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
                anyhow::Ok(count)
            })
        })
        .collect();
    let mut total = 0;
    for client in clients {
        total += client.await??;
    }
    Ok(total as f64 / started.elapsed().as_secs_f64())
}

/// Measures the capacity, then the phases at half of it, under overload, and at half again.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let address = &arguments.server.address;
    let mut out = stdout().lock();
    let capacity = measure_capacity(address).await?;
    writeln!(out, "capacity: {capacity:.0} responses per second with {CAPACITY_CLIENTS} clients")?;
    let duration = Duration::from_secs(arguments.seconds);
    let half_rate_connections = arguments.connections.min(HALF_RATE_CONNECTIONS);
    let half = send_at_rate(address, capacity / 2.0, duration / 2, half_rate_connections).await?;
    writeln!(out, "{}", half.summary("half of the capacity", duration / 2))?;
    let memory_before = arguments.server.peak_memory_mib();
    let overload = send_at_rate(address, capacity * arguments.times, duration, arguments.connections).await?;
    writeln!(out, "{}", overload.summary(&format!("{} times the capacity", arguments.times), duration))?;
    if let (Some(before), Some(after)) = (memory_before, arguments.server.peak_memory_mib()) {
        writeln!(out, "peak memory: {before} MiB before, {after} MiB after")?;
    }
    let half_p99 = half.percentile(0.99);
    let mut second = 0;
    loop {
        let outcome = send_at_rate(address, capacity / 2.0, Duration::from_secs(1), half_rate_connections).await?;
        second += 1;
        if outcome.rejected == 0 && outcome.percentile(0.99) <= half_p99.mul_f64(1.5) {
            break;
        }
        ensure!(second < MAX_RECOVERY_SECONDS, "the server did not recover within {MAX_RECOVERY_SECONDS} seconds");
    }
    writeln!(out, "half of the capacity again: recovered in second {second}")?;
    let ratio = overload.percentile(0.99).as_secs_f64() / half_p99.as_secs_f64();
    writeln!(out, "p99 of admitted requests relative to half of the capacity: {ratio:.2}")?;
    Ok(())
}
