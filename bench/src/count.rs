//! Counts the statements, round trips and bytes that each request costs, with a proxy in front of PostgreSQL.

mod proxy;

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use hyper::body::Bytes;
use sqlx::postgres::PgConnectOptions;
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Connection, RESPONSE_TIMEOUT};
use crate::count::proxy::{CounterSnapshot, Counters, run_proxy};
use crate::target::Target;
use crate::workload::sample::Samples;
use crate::workload::{Workload, select_workloads};

/// Time after which no further request of a workload is sent.
const MAX_DURATION: Duration = Duration::from_secs(20);
/// Requests that are sent before the counted ones, so that every connection of the server has prepared its statements.
const WARM_UP_REQUESTS: usize = 50;
/// Pause around the counted requests, because a server may send further statements after its response.
const SETTLE_INTERVAL: Duration = Duration::from_millis(100);

/// Targets and the address of the proxy.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Server whose database is the proxy: its kind, address and process ID, as for load; the first must be a kurultai
    #[arg(long = "server", value_name = "KIND=HOST:PORT[,PID]", required = true)]
    servers: Vec<Target>,
    /// Address and port of the proxy
    #[arg(long, value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// PostgreSQL database that the proxy forwards to
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Counted requests of each workload; fewer if they take more than 20 seconds
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Workload to run; repeatable, all by default
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,
    /// Position of the deep page in the list of all cases; four fifths of a shorter list
    #[arg(long, default_value_t = 400_000)]
    position: u64,
}

/// Waits until all targets accept connections; they are started after the proxy.
async fn wait_for_targets(targets: &[Target]) -> anyhow::Result<()> {
    let deadline = Instant::now() + RESPONSE_TIMEOUT;
    for target in targets {
        while let Err(error) = TcpStream::connect(&target.address).await {
            ensure!(Instant::now() < deadline, "cannot connect to {}: {error}", target.address);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// Sends requests with these numbers over one connection; returns how many were sent.
async fn send_requests(
    target: &Target,
    workload: &Workload,
    samples: &Samples,
    connection: &mut Connection,
    numbers: Range<usize>,
) -> anyhow::Result<u32> {
    let deadline = Instant::now() + MAX_DURATION;
    let mut sent = 0;
    for number in numbers {
        let (path, body) = workload.request(target.kind, samples, number)?;
        let (is_success, body) = connection.send(&path, Bytes::from(body.to_string())).await?.context("the response timed out")?;
        ensure!(is_success, "a request to {} failed: {}", target.kind.label(), String::from_utf8_lossy(&body));
        sent += 1;
        if Instant::now() >= deadline {
            break;
        }
    }
    Ok(sent)
}

/// Counts one workload on one target; returns the difference of the counters and the number of requests.
async fn count(
    target: &Target,
    workload: &Workload,
    samples: &Samples,
    counters: &Counters,
    requests: u32,
) -> anyhow::Result<(CounterSnapshot, u32)> {
    let mut connection = Connection::open(&target.address).await?;
    send_requests(target, workload, samples, &mut connection, 0..WARM_UP_REQUESTS).await?;
    tokio::time::sleep(SETTLE_INTERVAL).await;
    let before = counters.snapshot();
    let numbers = WARM_UP_REQUESTS..WARM_UP_REQUESTS + requests as usize;
    let sent = send_requests(target, workload, samples, &mut connection, numbers).await?;
    tokio::time::sleep(SETTLE_INTERVAL).await;
    Ok((counters.snapshot().since(before), sent))
}

/// Counts each workload on each target, and prints one table.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workloads = select_workloads(&arguments.workloads)?;
    let database = PgConnectOptions::from_str(&arguments.database_url).context("cannot parse the URL of the database")?;
    ensure!(database.get_socket().is_none(), "the database must be reachable over TCP, not a Unix socket");
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let counters = Arc::new(Counters::default());
    tokio::spawn(run_proxy(listener, format!("{}:{}", database.get_host(), database.get_port()), counters.clone()));
    wait_for_targets(&arguments.servers).await?;
    let samples = Samples::fetch(&arguments.servers, arguments.position).await?;
    ensure!(counters.snapshot().statements > 0, "the servers do not connect to their database through {}", arguments.listen);

    let mut out = stdout();
    writeln!(out, "one connection, {} requests\n", arguments.requests)?;
    writeln!(out, "| workload | server | statements per request | round trips per request | bytes from PostgreSQL per request |")?;
    writeln!(out, "| --- | --- | --: | --: | --: |")?;
    for workload in workloads.into_iter().filter(|workload| workload.is_countable()) {
        for target in arguments.servers.iter().filter(|target| workload.runs_on(target.kind)) {
            let (counted, sent) = count(target, workload, &samples, &counters, arguments.requests).await.with_context(|| workload.title)?;
            let per_request = |number: u64| number as f64 / f64::from(sent);
            writeln!(
                out,
                "| {} | {} | {:.2} | {:.2} | {:.0} |",
                workload.title,
                workload.target_label(target.kind),
                per_request(counted.statements),
                per_request(counted.round_trips),
                per_request(counted.bytes)
            )?;
        }
    }
    Ok(())
}
