//! Asks for more than a server can answer: what those who are let in wait for then, beside what they wait for at half of
//! what it can, and how soon that is so again.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use hyper::body::Bytes;
use serde_json::json;
use tokio::sync::Mutex;

use crate::client::{Connection, Server};

const QUERY: &str = "query($n: Int, $m: Int) { cases(first: $n, order: {field: OPENED, direction: DESC}) { nodes { slug title court { name } parties(first: $m) { nodes { role person { name memberships(first: 3) { nodes { label organization { name } } } } } } charges { nodes { outcome provision { number law { title } } } } } } }";

/// Whom to ask, and how long.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The server, as for "load"; it should keep no answers and set no limit on clients
    #[arg(long, value_name = "KIND=HOST:PORT[,PID]")]
    server: Server,
    /// How many times what it can answer it is asked for
    #[arg(long, default_value_t = 10.0)]
    times: f64,
    /// Seconds of overload; half of it at half of what it can, before
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Connections that may be waiting for an answer at the same time
    #[arg(long, default_value_t = 512)]
    connections: usize,
}

/// What came of a time of asking.
#[derive(Debug, Default)]
struct Outcome {
    answered: Vec<Duration>,
    away: u64,
    /// Requests for which no connection was left.
    unsent: u64,
    slowest_refusal: Duration,
}

impl Outcome {
    fn quantile(&self, part: f64) -> Duration {
        let mut sorted = self.answered.clone();
        sorted.sort_unstable();
        let place = (sorted.len() as f64 * part).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }
}

fn body(number: u64) -> Bytes {
    let (n, m) = (80 + number % 20, 10 + number / 20 % 5);
    Bytes::from(json!({"query": QUERY, "variables": {"n": n, "m": m}}).to_string())
}

/// Asks so many times a second, whether there are answers or not.
async fn ask(address: &str, rate: f64, time: Duration, connections: usize) -> anyhow::Result<Outcome> {
    let outcome = Arc::new(Mutex::new(Outcome::default()));
    let (send, receive) = tokio::sync::mpsc::channel::<u64>(1);
    let receive = Arc::new(Mutex::new(receive));
    let waiting = Arc::new(AtomicU64::new(0));
    let mut clients = Vec::new();
    for _ in 0..connections {
        let (receive, outcome, waiting) = (receive.clone(), outcome.clone(), waiting.clone());
        let mut connection = Connection::open(address).await?;
        let address = address.to_owned();
        clients.push(tokio::spawn(async move {
            loop {
                waiting.fetch_add(1, Ordering::Relaxed);
                let number = receive.lock().await.recv().await;
                waiting.fetch_sub(1, Ordering::Relaxed);
                let Some(number) = number else { return anyhow::Ok(()) };
                let begun = Instant::now();
                let (good, _) = match connection.send("/graphql", body(number)).await {
                    Ok(answer) => answer.context("no answer came within a minute")?,
                    Err(_) => {
                        connection = Connection::open(&address).await?;
                        continue;
                    }
                };
                let (took, mut outcome) = (begun.elapsed(), outcome.lock().await);
                match good {
                    true => outcome.answered.push(took),
                    false => {
                        outcome.away += 1;
                        outcome.slowest_refusal = outcome.slowest_refusal.max(took);
                    }
                }
            }
        }));
    }
    let begun = Instant::now();
    let mut number = 0_u64;
    while begun.elapsed() < time {
        let due = (begun.elapsed().as_secs_f64() * rate) as u64;
        while number < due {
            number += 1;
            if waiting.load(Ordering::Relaxed) == 0 || send.try_send(number).is_err() {
                // whoever is free takes it in a moment, or nobody is
                match tokio::time::timeout(Duration::from_millis(1), send.send(number)).await {
                    Ok(sent) => sent?,
                    Err(_) => outcome.lock().await.unsent += 1,
                }
            }
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    drop(send);
    for client in clients {
        client.await??;
    }
    Ok(Arc::into_inner(outcome).context("a client still runs")?.into_inner())
}

/// How many answers a second there are where as many ask as there is room for.
async fn capacity(address: &str) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let address = address.to_owned();
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await?;
                let (mut count, begun) = (0_u64, Instant::now());
                while begun.elapsed() < Duration::from_secs(8) {
                    let (good, _) = connection.send("/graphql", body(count * 4 + client)).await?.context("no answer came in time")?;
                    match good {
                        true => count += 1,
                        // there is no room for four
                        false => tokio::time::sleep(Duration::from_millis(2)).await,
                    }
                }
                anyhow::Ok(count)
            })
        })
        .collect();
    let mut all = 0;
    for client in clients {
        all += client.await??;
    }
    Ok(all as f64 / begun.elapsed().as_secs_f64())
}

/// Measures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let address = &arguments.server.address;
    let mut out = stdout().lock();
    let can = capacity(address).await?;
    writeln!(out, "{can:.0} answers a second where four ask one after the other")?;
    let time = Duration::from_secs(arguments.seconds);
    let half = ask(address, can / 2.0, time / 2, arguments.connections.min(64)).await?;
    let tell = |name: &str, outcome: &Outcome, time: Duration| {
        format!(
            "{name}: {:.0} answered a second, median {:.1} ms, p99 {:.1} ms; {:.0} a second sent away, {:.1} ms at the latest; {} not sent for want of a connection",
            outcome.answered.len() as f64 / time.as_secs_f64(),
            outcome.quantile(0.5).as_secs_f64() * 1e3,
            outcome.quantile(0.99).as_secs_f64() * 1e3,
            outcome.away as f64 / time.as_secs_f64(),
            outcome.slowest_refusal.as_secs_f64() * 1e3,
            outcome.unsent,
        )
    };
    writeln!(out, "{}", tell("half of it", &half, time / 2))?;
    let before = arguments.server.memory();
    let over = ask(address, can * arguments.times, time, arguments.connections).await?;
    writeln!(out, "{}", tell(&format!("{} times it", arguments.times), &over, time))?;
    if let (Some(before), Some(after)) = (before, arguments.server.memory()) {
        writeln!(out, "memory at most: {before} MiB before, {after} MiB after")?;
    }
    let mut seconds = 0;
    loop {
        let after = ask(address, can / 2.0, Duration::from_secs(1), arguments.connections.min(64)).await?;
        seconds += 1;
        if after.away == 0 && after.quantile(0.99) <= half.quantile(0.99).mul_f64(1.5) {
            break;
        }
        ensure!(seconds < 60, "it does not come back to what it was");
    }
    writeln!(out, "half of it again: as before in second {seconds}")?;
    let (allowed, is) = (half.quantile(0.99) * 2, over.quantile(0.99));
    writeln!(out, "p99 of those let in: {:.2} of what it was at half", is.as_secs_f64() * 2.0 / allowed.as_secs_f64())?;
    Ok(())
}
