//! Fault injection: reads and writes while a command repeatedly stops and restarts the database. Afterwards checks that
//! every acknowledged write is present and that no write was applied partially.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// Slugs per lookup request; the page size limit of the API.
const LOOKUP_BATCH: usize = 100;
const MAX_RECOVERY_TIME: Duration = Duration::from_secs(30);
/// Pause of a client after the database was unavailable.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);
const CREATE_QUERY: &str = "mutation($input: CreateCaseInput!) { createCase(input: $input) { case { id } errors { code } } }";
const LOOKUP_QUERY: &str = "query($slugs: [String!]) { cases(first: 100, filter: {slug: {in: $slugs}}) { nodes { slug revision history { totalCount } events { totalCount } } } }";
const READ_QUERY: &str = "query($n: Int) { cases(first: $n, order: {field: OPENED_ON, direction: DESC}) { nodes { slug title events { nodes { date text } } } } }";

/// Server and fault.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the comments are help texts, which are not Markdown")]
pub struct Arguments {
    /// URL of the server, such as http://127.0.0.1:8091
    #[arg(long, value_name = "URL")]
    url: String,
    /// Token with the role of an editor
    #[arg(long, value_name = "TOKEN", env = "KURULTAI_TOKEN", hide_env_values = true)]
    token: String,
    /// Shell command that stops and restarts the database
    #[arg(long, value_name = "COMMAND")]
    command: String,
    /// Number of times that the command is executed
    #[arg(long, default_value_t = 100)]
    times: u32,
    /// Seconds between the end of one execution and the start of the next
    #[arg(long, default_value_t = 1.0)]
    pause: f64,
    /// Number of writing clients, and of reading clients
    #[arg(long, default_value_t = 4)]
    clients: u32,
}

/// Result of a write from the perspective of its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriteStatus {
    Acknowledged,
    /// Rejected, or without a response.
    Unacknowledged,
}

/// A written record, by its slug.
type Attempt = (String, WriteStatus);

#[derive(Debug, Default)]
struct Counters {
    reads: AtomicU64,
    failed_reads: AtomicU64,
    /// Longest time from the restart of the database to the first response, in milliseconds.
    max_recovery_ms: AtomicU64,
}

/// A GraphQL client that all tasks share.
#[derive(Debug, Clone)]
struct Api {
    client: Client,
    endpoint: Arc<str>,
}

impl Api {
    async fn send(&self, token: Option<&str>, body: &Value) -> anyhow::Result<Value> {
        let mut request = self.client.post(&*self.endpoint).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?.json().await?)
    }
}

/// Runs the clients while faults are injected, then verifies the writes.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let client = Client::builder().timeout(Duration::from_mins(1)).build()?;
    let api = Api { client, endpoint: format!("{}/graphql", arguments.url).into() };
    let (stop, counters) = (Arc::new(AtomicBool::new(false)), Arc::new(Counters::default()));
    let writers: Vec<JoinHandle<anyhow::Result<Vec<Attempt>>>> = (0..arguments.clients)
        .map(|writer| {
            let (api, stop, token) = (api.clone(), stop.clone(), arguments.token.clone());
            tokio::spawn(async move { run_writer(&api, &token, writer, &stop).await })
        })
        .collect();
    let readers: Vec<JoinHandle<anyhow::Result<()>>> = (0..arguments.clients)
        .map(|_| {
            let (api, stop, counters) = (api.clone(), stop.clone(), counters.clone());
            tokio::spawn(async move { run_reader(&api, &stop, &counters).await })
        })
        .collect();
    let started = Instant::now();
    inject_faults(arguments, &api, &counters, started).await?;
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await??;
    }
    let mut attempts = Vec::new();
    for writer in writers {
        attempts.extend(writer.await??);
    }
    let found = verify_writes(&api, &attempts).await?;
    let acknowledged = attempts.iter().filter(|(_, status)| *status == WriteStatus::Acknowledged).count();
    let mut out = stdout().lock();
    writeln!(out, "The database was restarted {} times in {:.0} s.", arguments.times, started.elapsed().as_secs_f64())?;
    writeln!(
        out,
        "Writes: {} sent, {acknowledged} acknowledged and all of them present; {} of the others present, all complete.",
        attempts.len(),
        found - acknowledged
    )?;
    writeln!(
        out,
        "Reads: {} succeeded, {} failed because the database was unavailable. Longest recovery after a restart: {} ms.",
        counters.reads.load(Ordering::Relaxed),
        counters.failed_reads.load(Ordering::Relaxed),
        counters.max_recovery_ms.load(Ordering::Relaxed)
    )?;
    Ok(())
}

/// Creates cases until it is stopped.
///
/// # Errors
/// If a write fails for another reason than that the database is unavailable.
async fn run_writer(api: &Api, token: &str, writer: u32, stop: &AtomicBool) -> anyhow::Result<Vec<Attempt>> {
    let run = std::process::id();
    let mut attempts = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let slug = format!("fault-{run}-{writer}-{}", attempts.len());
        let input = json!({
            "slug": slug, "title": {"en": "Written during fault injection"}, "kind": "CRIMINAL", "status": "PENDING", "openedOn": "2026",
            "events": [{"date": "2026-01", "kind": "ARREST", "text": {"en": "one"}}, {"date": "2026-02", "kind": "SUSPICION", "text": {"en": "two"}}],
        });
        let body = json!({"query": CREATE_QUERY, "variables": {"input": input}});
        let response = api.send(Some(token), &body).await;
        let is_acknowledged = response.as_ref().is_ok_and(|response| response["data"]["createCase"]["case"]["id"].is_string());
        attempts.push((slug, if is_acknowledged { WriteStatus::Acknowledged } else { WriteStatus::Unacknowledged }));
        if let Ok(response) = &response
            && !is_acknowledged
        {
            ensure!(is_unavailable(response), "a write failed for another reason: {response}");
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }
    Ok(attempts)
}

/// Reads pages until it is stopped.
///
/// # Errors
/// If the server does not respond, or a read fails for another reason than that the database is unavailable.
async fn run_reader(api: &Api, stop: &AtomicBool, counters: &Counters) -> anyhow::Result<()> {
    let mut size = 0;
    while !stop.load(Ordering::Relaxed) {
        size = size % 90 + 1;
        let body = json!({"query": READ_QUERY, "variables": {"n": size}});
        let response = api.send(None, &body).await.context("the server does not respond")?;
        if response["data"]["cases"]["nodes"].is_array() {
            counters.reads.fetch_add(1, Ordering::Relaxed);
        } else {
            ensure!(is_unavailable(&response), "a read failed for another reason: {response}");
            tokio::time::sleep(RETRY_INTERVAL).await;
            counters.failed_reads.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Executes the command repeatedly, and waits after each execution until the server has recovered.
async fn inject_faults(arguments: &Arguments, api: &Api, counters: &Counters, started: Instant) -> anyhow::Result<()> {
    for number in 1..=arguments.times {
        tokio::time::sleep(Duration::from_secs_f64(arguments.pause)).await;
        let status = Command::new("sh").args(["-c", &arguments.command]).status().await?;
        ensure!(status.success(), "the command failed: {status}");
        let restarted = Instant::now();
        // a different text each time, so that no cache contains the response
        let query = json!({"query": format!("{{ laws {{ totalCount }} }} # {number}")});
        while !api.send(None, &query).await.is_ok_and(|response| response["data"]["laws"].is_object()) {
            ensure!(restarted.elapsed() < MAX_RECOVERY_TIME, "the server did not recover within {} s", MAX_RECOVERY_TIME.as_secs());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        counters.max_recovery_ms.fetch_max(u64::try_from(restarted.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if number % 10 == 0 {
            eprintln!("{number} restarts in {:.0} s", started.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

/// Whether a response reports that the database is unavailable, or that the server is at capacity.
fn is_unavailable(response: &Value) -> bool {
    matches!(response["errors"][0]["extensions"]["code"].as_str(), Some("UNAVAILABLE" | "TIMEOUT"))
}

/// Checks that all acknowledged writes are present, and that no write was applied partially; returns the number of records
/// that are present.
async fn verify_writes(api: &Api, attempts: &[Attempt]) -> anyhow::Result<usize> {
    let found = find_records(api, attempts).await?;
    let lost: Vec<_> = attempts.iter().filter(|(slug, status)| *status == WriteStatus::Acknowledged && !found.contains_key(slug)).collect();
    ensure!(lost.is_empty(), "{} acknowledged writes are lost: {lost:?}", lost.len());
    let partial: Vec<_> = found.iter().filter(|(_, is_complete)| !**is_complete).collect();
    ensure!(partial.is_empty(), "writes were applied partially: {partial:?}");
    Ok(found.len())
}

/// The records that are present, and whether each is complete.
async fn find_records(api: &Api, attempts: &[Attempt]) -> anyhow::Result<BTreeMap<String, bool>> {
    let mut found = BTreeMap::new();
    for batch in attempts.chunks(LOOKUP_BATCH) {
        let slugs: Vec<&str> = batch.iter().map(|(slug, _)| slug.as_str()).collect();
        let response = api.send(None, &json!({"query": LOOKUP_QUERY, "variables": {"slugs": slugs}})).await?;
        let nodes = response["data"]["cases"]["nodes"].as_array().with_context(|| format!("the lookup failed: {response}"))?;
        for node in nodes {
            let Some(slug) = node["slug"].as_str() else { bail!("a record has no slug: {node}") };
            let is_complete = node["revision"] == 1 && node["history"]["totalCount"] == 1 && node["events"]["totalCount"] == 2;
            found.insert(slug.to_owned(), is_complete);
        }
    }
    Ok(found)
}
