//! Asks a running server for anything: what its schema allows with odd values, what it does not allow, and noise. No
//! answer may be a fault of the server, tell of its inside, or be missing.

mod schema;
mod wish;

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::net::TcpStream;

use crate::client::{Connection, PATIENCE};
use schema::Schema;
use wish::Wish;

/// Words of the inside of the server, in small letters: none may stand in an answer.
const INSIDE: [&str; 10] = ["sqlx", "sea_orm", "sea-orm", "sqlite", "postgres", "panicked", "select \"", "/src/", ".rs:", "rust_backtrace"];
/// Answers that may be of the moment: there is no room, or it took too long.
const OF_THE_MOMENT: [u16; 2] = [503, 504];

/// Whom to ask, and how much.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Address and port of the server; it should set no limit on clients (KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS=0)
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// Requests in all
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// Connections
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Where the requests come from: the same seed gives the same requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Process of the server, whose memory is watched
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// MiB that the memory of the server may grow by after the first tenth of the requests
    #[arg(long, default_value_t = 64)]
    growth: u64,
}

/// What came of the requests.
#[derive(Debug, Default)]
struct Tally {
    statuses: BTreeMap<u16, u64>,
    ok: u64,
    slowest: Duration,
}

/// Asks, and fails at the first answer that should not be.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut first = Connection::open(&arguments.address).await?;
    let schema = Arc::new(Schema::read(&mut first).await.context("the schema cannot be read")?);
    let (asked, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let clients: Vec<_> = (0..arguments.connections)
        .map(|client| {
            let (schema, asked, address) = (schema.clone(), asked.clone(), arguments.address.clone());
            let (seed, most) = (arguments.seed.wrapping_mul(1_000).wrapping_add(client.into()), arguments.requests);
            tokio::spawn(async move { ask(&address, &schema, seed, &asked, most).await })
        })
        .collect();
    let mut settled = None;
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let done = asked.load(Ordering::Relaxed).min(arguments.requests);
        if settled.is_none() && done * 10 >= arguments.requests {
            settled = arguments.pid.and_then(memory);
        }
        let now = arguments.pid.and_then(memory).map_or(String::new(), |memory| format!(", {memory} MiB"));
        eprintln!("{done} requests in {:.0} s{now}", begun.elapsed().as_secs_f64());
        // one ends early where something is wrong
        if clients.iter().any(tokio::task::JoinHandle::is_finished) {
            break;
        }
    }
    let mut all = Tally::default();
    for client in clients {
        let tally = client.await??;
        all.ok += tally.ok;
        all.slowest = all.slowest.max(tally.slowest);
        for (status, count) in tally.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
    }
    // the first connection may have been closed, as nobody has said anything on it since
    Connection::open(&arguments.address)
        .await?
        .query("{ __typename }", serde_json::json!({}))
        .await
        .context("the server does not answer any more")?;
    let count: u64 = all.statuses.values().sum();
    let seconds = begun.elapsed().as_secs_f64();
    let mut out = stdout().lock();
    writeln!(
        out,
        "{count} requests in {seconds:.0} s ({:.0} a second), the slowest {:.2} s",
        count as f64 / seconds,
        all.slowest.as_secs_f64()
    )?;
    writeln!(out, "{} answered with data, by status: {:?}", all.ok, all.statuses)?;
    if let (Some(before), Some(after)) = (settled, arguments.pid.and_then(memory)) {
        writeln!(out, "memory: {before} MiB after a tenth, {after} MiB at the end")?;
        ensure!(after <= before + arguments.growth, "the memory grew from {before} to {after} MiB");
    }
    // noise alone would try nothing but the first check
    ensure!(all.ok * 20 >= count, "only {} of {count} requests were answered with data", all.ok);
    Ok(())
}

/// Resident memory of a process, in MiB.
fn memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1_024)
}

async fn ask(address: &str, schema: &Schema, seed: u64, asked: &AtomicU64, most: u64) -> anyhow::Result<Tally> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    let mut connection = None;
    while asked.fetch_add(1, Ordering::Relaxed) < most {
        let wish = Wish::new(schema, &mut random);
        let begun = Instant::now();
        let (status, body) = send(&mut connection, address, &wish, random.random_bool(0.002)).await.with_context(|| format!("{wish:?}"))?;
        tally.slowest = tally.slowest.max(begun.elapsed());
        *tally.statuses.entry(status).or_default() += 1;
        if body.starts_with(b"{\"data\":{") || (status == 200 && wish.is_table()) {
            tally.ok += 1;
        }
        judge(status, &body, &wish)?;
    }
    Ok(tally)
}

/// Fails where an answer should not be.
fn judge(status: u16, body: &[u8], wish: &Wish) -> anyhow::Result<()> {
    // what is compressed is not read
    let text = if wish.is_plain() { String::from_utf8_lossy(body) } else { "".into() };
    let wrong = |why: &str| bail!("{why}: {status} {}\n{wish:?}", text.chars().take(600).collect::<String>());
    if status >= 500 && !OF_THE_MOMENT.contains(&status) {
        return wrong("a fault of the server");
    }
    if text.contains("INTERNAL_SERVER_ERROR") {
        return wrong("a fault of the server under another status");
    }
    // what was sent comes back in messages; what the dataset says may be anything
    if status >= 400 || text.starts_with("{\"errors\"") {
        let small = text.to_lowercase();
        if let Some(word) = INSIDE.iter().find(|word| small.contains(*word)) {
            return wrong(&format!("the answer tells of the inside ({word})"));
        }
        if wish.is_plain() && wish.is_graphql() && status != 404 && !text.contains("\"code\":\"") {
            return wrong("an error without a code");
        }
    }
    Ok(())
}

/// Sends a request on the connection that is open, or on a new one; `leave` goes away before the answer.
async fn send(connection: &mut Option<SendRequest<Full<Bytes>>>, address: &str, wish: &Wish, leave: bool) -> anyhow::Result<(u16, Bytes)> {
    for attempt in 0..4 {
        let mut sender = match connection.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(address).await.context("the server lets nobody in any more")?;
                let (sender, driver) = handshake(TokioIo::new(stream)).await?;
                tokio::spawn(driver);
                sender
            }
        };
        if sender.ready().await.is_err() {
            continue;
        }
        let whole = async {
            let answer = sender.send_request(wish.request(address)?).await?;
            let status = answer.status().as_u16();
            anyhow::Ok((status, answer.into_body().collect().await?.to_bytes()))
        };
        if leave && attempt == 0 {
            // whoever goes away in the middle must not leave anything behind
            drop(tokio::time::timeout(Duration::from_micros(300), whole).await);
            continue;
        }
        match tokio::time::timeout(PATIENCE, whole).await.context("no answer came in time")? {
            Ok(answer) => {
                *connection = Some(sender);
                return Ok(answer);
            }
            // the server may close a connection after an answer to what it could not read to its end
            Err(error)
                if error
                    .downcast_ref::<hyper::Error>()
                    .is_some_and(|error| error.is_closed() || error.is_canceled() || error.is_incomplete_message()) => {}
            Err(error) => return Err(error),
        }
    }
    bail!("several connections in a row were closed without an answer")
}
