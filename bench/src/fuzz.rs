//! Fuzz test of a running server: random requests, both valid and invalid, and exchanges that no HTTP client performs. No response
//! may be an internal error, reveal internal details, lack an error code, or fail to arrive.

mod document;
mod introspection;
mod raw;
mod request;
mod value;

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinHandle;

use crate::client::{Connection, RESPONSE_TIMEOUT};
use crate::fuzz::introspection::Schema;
use crate::fuzz::raw::RawExchange;
use crate::fuzz::request::RandomRequest;
use crate::target::resident_memory_mib;

/// Words that reveal internal details, in lower case; no error response may contain them.
const INTERNAL_WORDS: [&str; 10] =
    ["sqlx", "sea_orm", "sea-orm", "sqlite", "postgres", "panicked", "select \"", "/src/", ".rs:", "rust_backtrace"];
/// Status codes from 500 on that do not end the test: the server is at capacity, or the request timed out. Unless the response has
/// the header `Retry-After`, they are reported as errors at the end.
const TRANSIENT_STATUSES: [u16; 2] = [503, 504];
/// Status codes of responses without a body by the HTTP library: the head of the request is not valid or too long.
const HEAD_STATUSES: [u16; 3] = [400, 414, 431];
/// Share of exchanges that no HTTP client performs.
const RAW_PROBABILITY: f64 = 0.01;
/// Share of the requests that is aborted before the response.
const ABORT_PROBABILITY: f64 = 0.002;
/// Time until a request is aborted.
const ABORT_DELAY: Duration = Duration::from_micros(300);
/// Connections that are opened for one request before it fails.
const MAX_ATTEMPTS: usize = 4;
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// Target and number of requests.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the comments are help texts, which are not Markdown")]
pub struct Arguments {
    /// Address and port of the server; it should have no rate limit (KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS=0)
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// Total number of requests
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// Number of connections
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Seed of the requests: the same seed produces the same requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Process ID of the server, whose memory is sampled
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Maximum growth of the memory of the server after the first tenth of the requests, in MiB
    #[arg(long, default_value_t = 64)]
    growth: u64,
}

/// Counts of responses.
#[derive(Debug, Default)]
struct Tally {
    by_status: BTreeMap<u16, u64>,
    /// Responses with data and no errors, and successful exports.
    successes: u64,
    /// Responses with status 503 and `Retry-After`; not in `server_errors`.
    unavailable: u64,
    /// Other responses with a status from 500 on.
    server_errors: u64,
    /// Connections that the server closed without a response, although the request was complete.
    disconnections: u64,
    /// Exchanges that no HTTP client performs.
    raw_exchanges: u64,
    slowest: Duration,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.successes += other.successes;
        self.unavailable += other.unavailable;
        self.server_errors += other.server_errors;
        self.disconnections += other.disconnections;
        self.raw_exchanges += other.raw_exchanges;
        self.slowest = self.slowest.max(other.slowest);
        for (status, count) in other.by_status {
            *self.by_status.entry(status).or_default() += count;
        }
    }

    fn count_status(&mut self, status: u16, has_retry_after: bool) {
        *self.by_status.entry(status).or_default() += 1;
        match status {
            503 if has_retry_after => self.unavailable += 1,
            500.. => self.server_errors += 1,
            _ => {}
        }
    }
}

/// A complete response.
struct Response {
    status: u16,
    has_retry_after: bool,
    body: Bytes,
}

/// Sends the requests over several connections.
///
/// # Errors
/// At the first response that is not permitted, if the memory grows too much, and if too few requests succeed.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut connection = Connection::open(&arguments.address).await?;
    let schema = Arc::new(Schema::fetch(&mut connection).await.context("cannot fetch the schema")?);
    let (sent, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let clients: Vec<_> = (0..arguments.connections)
        .map(|client| {
            let (schema, sent, address) = (schema.clone(), sent.clone(), arguments.address.clone());
            let (seed, total) = (arguments.seed.wrapping_mul(1_000).wrapping_add(client.into()), arguments.requests);
            tokio::spawn(async move { run_client(&address, &schema, seed, &sent, total).await })
        })
        .collect();
    let memory_before = watch_progress(arguments, &clients, &sent, started).await;
    let mut tally = Tally::default();
    // the first failure ends the run
    let mut clients: FuturesUnordered<_> = clients.into_iter().collect();
    while let Some(client) = clients.next().await {
        tally.add(client??);
    }
    // a new connection, because the server may have closed the idle one
    Connection::open(&arguments.address)
        .await?
        .query("{ __typename }", serde_json::json!({}))
        .await
        .context("the server does not respond after the test")?;
    report(arguments, &tally, started.elapsed(), memory_before)
}

/// Prints progress until a client ends; returns the memory after a tenth of the requests.
async fn watch_progress(
    arguments: &Arguments,
    clients: &[JoinHandle<anyhow::Result<Tally>>],
    sent: &AtomicU64,
    started: Instant,
) -> Option<u64> {
    let mut memory_before = None;
    loop {
        tokio::time::sleep(PROGRESS_INTERVAL).await;
        let sent = sent.load(Ordering::Relaxed).min(arguments.requests);
        let memory = arguments.pid.and_then(resident_memory_mib);
        if memory_before.is_none() && sent * 10 >= arguments.requests {
            memory_before = memory;
        }
        let memory = memory.map_or(String::new(), |memory| format!(", {memory} MiB"));
        eprintln!("{sent} requests in {:.0} s{memory}", started.elapsed().as_secs_f64());
        // a client ends early if it fails
        if clients.iter().any(JoinHandle::is_finished) {
            return memory_before;
        }
    }
}

/// Prints the results, and checks the growth of the memory and the share of successful responses.
fn report(arguments: &Arguments, tally: &Tally, duration: Duration, memory_before: Option<u64>) -> anyhow::Result<()> {
    let count: u64 = tally.by_status.values().sum();
    let seconds = duration.as_secs_f64();
    let mut out = stdout().lock();
    writeln!(
        out,
        "{count} requests in {seconds:.0} s ({:.0} per second), slowest {:.2} s",
        count as f64 / seconds,
        tally.slowest.as_secs_f64()
    )?;
    writeln!(out, "{} successful responses; by status: {:?}", tally.successes, tally.by_status)?;
    writeln!(
        out,
        "{} at capacity (503 with Retry-After), {} other server errors, {} disconnections, {} exchanges below HTTP",
        tally.unavailable, tally.server_errors, tally.disconnections, tally.raw_exchanges
    )?;
    if let (Some(before), Some(after)) = (memory_before, arguments.pid.and_then(resident_memory_mib)) {
        writeln!(out, "memory: {before} MiB after a tenth, {after} MiB at the end")?;
        ensure!(after <= before + arguments.growth, "the memory grew from {before} to {after} MiB");
    }
    ensure!(tally.server_errors == 0, "{} responses are server errors", tally.server_errors);
    // otherwise most requests would test only the first validation
    ensure!(tally.successes * 20 >= count, "only {} of {count} requests succeeded", tally.successes);
    Ok(())
}

async fn run_client(address: &str, schema: &Schema, seed: u64, sent: &AtomicU64, total: u64) -> anyhow::Result<Tally> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    let mut connection = None;
    let server = lookup_host(address).await?.next().with_context(|| format!("{address} has no address"))?;
    while sent.fetch_add(1, Ordering::Relaxed) < total {
        if random.random_bool(RAW_PROBABILITY) {
            let exchange = RawExchange::random(&mut random, |random| RandomRequest::generate(schema, random));
            tally.raw_exchanges += 1;
            for status in exchange.perform(server).await.with_context(|| format!("{exchange:?}"))? {
                // headers are not parsed here
                tally.count_status(status, true);
                ensure!(status < 500 || TRANSIENT_STATUSES.contains(&status), "internal error: {status}\n{exchange:?}");
            }
            continue;
        }
        let request = RandomRequest::generate(schema, &mut random);
        let started = Instant::now();
        let is_aborted = random.random_bool(ABORT_PROBABILITY);
        let response = send(&mut connection, address, &request, is_aborted, &mut tally.disconnections).await;
        let Response { status, has_retry_after, body } = response.with_context(|| format!("{request:?}"))?;
        tally.slowest = tally.slowest.max(started.elapsed());
        tally.count_status(status, has_retry_after);
        if body.starts_with(b"{\"data\":{") || (status == 200 && request.is_export()) {
            tally.successes += 1;
        }
        check_response(status, &body, &request)?;
    }
    Ok(tally)
}

/// Fails if a response is an internal error, reveals internal details, or lacks an error code.
fn check_response(status: u16, body: &[u8], request: &RandomRequest) -> anyhow::Result<()> {
    // compressed bodies are not checked
    let text = if request.is_uncompressed() { String::from_utf8_lossy(body) } else { "".into() };
    let fail = |reason: &str| bail!("{reason}: {status} {}\n{request:?}", text.chars().take(600).collect::<String>());
    if status >= 500 && !TRANSIENT_STATUSES.contains(&status) {
        return fail("internal error");
    }
    if text.contains("INTERNAL_SERVER_ERROR") {
        return fail("internal error with another status");
    }
    // only errors: data may contain any words
    if status >= 400 || text.starts_with("{\"errors\"") {
        let lowercase = text.to_lowercase();
        if let Some(word) = INTERNAL_WORDS.iter().find(|word| lowercase.contains(*word)) {
            return fail(&format!("the response reveals internal details ({word})"));
        }
        let is_rejected_head = HEAD_STATUSES.contains(&status) && body.is_empty();
        if request.is_uncompressed() && request.is_graphql() && status != 404 && !is_rejected_head && !text.contains("\"code\":\"") {
            return fail("error without a code");
        }
    }
    Ok(())
}

/// Sends a request over the open connection or a new one. If `is_aborted`, the first attempt is canceled before the response.
/// Counts the connections that the server closes without a response, except those that were idle.
async fn send(
    connection: &mut Option<SendRequest<Full<Bytes>>>,
    address: &str,
    request: &RandomRequest,
    is_aborted: bool,
    disconnections: &mut u64,
) -> anyhow::Result<Response> {
    for attempt in 0..MAX_ATTEMPTS {
        let mut sender = if let Some(sender) = connection.take().filter(|sender| !sender.is_closed()) {
            sender
        } else {
            let stream = TcpStream::connect(address).await.context("the server does not accept connections")?;
            let (sender, driver) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(driver);
            sender
        };
        if sender.ready().await.is_err() {
            continue;
        }
        let exchange = async {
            let response = sender.send_request(request.to_http(address)?).await?;
            let (status, has_retry_after) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
            anyhow::Ok(Response { status, has_retry_after, body: response.into_body().collect().await?.to_bytes() })
        };
        if is_aborted && attempt == 0 {
            drop(tokio::time::timeout(ABORT_DELAY, exchange).await);
            continue;
        }
        match tokio::time::timeout(RESPONSE_TIMEOUT, exchange).await.context("the response timed out")? {
            Ok(response) => {
                *connection = Some(sender);
                return Ok(response);
            }
            // the server may close a connection whose request it did not read completely
            Err(error) if is_connection_closed(&error) => *disconnections += 1,
            Err(error) => return Err(error),
        }
    }
    bail!("{MAX_ATTEMPTS} connections in a row were closed without a response")
}

fn is_connection_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<hyper::Error>().is_some_and(|error| error.is_closed() || error.is_canceled() || error.is_incomplete_message())
}
