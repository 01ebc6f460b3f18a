//! Reads and writes while a command takes the database away and brings it back, again and again; then looks whether every
//! write that was acknowledged is there, and whether any other is there in part.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::process::Command;

/// Slugs that are looked for at once.
const CHUNK: usize = 100;
const CREATE: &str = "mutation($input: CreateCaseInput!) { createCase(input: $input) { case { id } errors { code } } }";
const FIND: &str = "query($slugs: [String!]) { cases(first: 100, filter: {slug: {in: $slugs}}) { nodes { slug revision history { totalCount } events { totalCount } } } }";
const READ: &str =
    "query($n: Int) { cases(first: $n, order: {field: OPENED, direction: DESC}) { nodes { slug title events { nodes { date text } } } } }";

/// Whom to ask, and what to do to their database.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Address of the server, such as http://127.0.0.1:8091
    #[arg(long, value_name = "URL")]
    url: String,
    /// Token of an editor
    #[arg(long, value_name = "TOKEN", env = "KURULTAI_TOKEN", hide_env_values = true)]
    token: String,
    /// Command that takes the database away and brings it back
    #[arg(long, value_name = "COMMAND")]
    command: String,
    /// How often
    #[arg(long, default_value_t = 100)]
    times: u32,
    /// Seconds between the end of one and the beginning of the next
    #[arg(long, default_value_t = 1.0)]
    pause: f64,
    /// Clients that write, and as many again that read
    #[arg(long, default_value_t = 4)]
    clients: u32,
}

/// What became of a write, as its client knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Acknowledged,
    /// It was refused, or nobody said.
    Open,
}

#[derive(Debug, Default)]
struct Counts {
    read: AtomicU64,
    failed: AtomicU64,
    /// Longest time from the return of the database to the first answer, in milliseconds.
    recovery: AtomicU64,
}

/// Writes, reads, and breaks; then looks.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
    let endpoint: Arc<str> = format!("{}/graphql", arguments.url).into();
    let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let run = std::process::id();
    let writers: Vec<_> = (0..arguments.clients)
        .map(|writer| {
            let (client, endpoint, stop, token) = (client.clone(), endpoint.clone(), stop.clone(), arguments.token.clone());
            tokio::spawn(async move {
                let mut fates = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let slug = format!("fault-{run}-{writer}-{}", fates.len());
                    let input = json!({
                        "slug": slug, "title": {"en": "Tried under faults"}, "kind": "CRIMINAL", "status": "PENDING", "opened": "2026",
                        "events": [{"date": "2026-01", "kind": "ARREST", "text": {"en": "one"}}, {"date": "2026-02", "kind": "SUSPICION", "text": {"en": "two"}}],
                    });
                    let body = json!({"query": CREATE, "variables": {"input": input}});
                    let answer = ask(&client, &endpoint, Some(&token), &body).await;
                    let is_there = answer.as_ref().is_ok_and(|answer| answer["data"]["createCase"]["case"]["id"].is_string());
                    fates.push((slug, if is_there { Fate::Acknowledged } else { Fate::Open }));
                    if let Ok(answer) = &answer
                        && !is_there
                    {
                        ensure!(is_away(answer), "a write was refused for another reason: {answer}");
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
                anyhow::Ok(fates)
            })
        })
        .collect();
    let readers: Vec<_> = (0..arguments.clients)
        .map(|_| {
            let (client, endpoint, stop, counts) = (client.clone(), endpoint.clone(), stop.clone(), counts.clone());
            tokio::spawn(async move {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number = number % 90 + 1;
                    let answer = ask(&client, &endpoint, None, &json!({"query": READ, "variables": {"n": number}})).await;
                    let answer = answer.context("the server itself is away")?;
                    match answer["data"]["cases"]["nodes"].is_array() {
                        true => counts.read.fetch_add(1, Ordering::Relaxed),
                        false => {
                            ensure!(is_away(&answer), "a read failed for another reason: {answer}");
                            tokio::time::sleep(Duration::from_millis(5)).await;
                            counts.failed.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
                anyhow::Ok(())
            })
        })
        .collect();
    let begun = Instant::now();
    for number in 1..=arguments.times {
        tokio::time::sleep(Duration::from_secs_f64(arguments.pause)).await;
        let status = Command::new("sh").args(["-c", &arguments.command]).status().await?;
        ensure!(status.success(), "the command failed: {status}");
        let back = Instant::now();
        while !ask(&client, &endpoint, None, &json!({"query": format!("{{ laws {{ totalCount }} }} # {number}")}))
            .await
            .is_ok_and(|answer| answer["data"]["laws"].is_object())
        {
            ensure!(back.elapsed() < Duration::from_secs(30), "the server does not recover");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        counts.recovery.fetch_max(u64::try_from(back.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if number % 10 == 0 {
            eprintln!("{number} times in {:.0} s", begun.elapsed().as_secs_f64());
        }
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await??;
    }
    let mut fates = Vec::new();
    for writer in writers {
        fates.extend(writer.await??);
    }
    let found = find(&client, &endpoint, &fates).await?;
    let acknowledged = fates.iter().filter(|(_, fate)| *fate == Fate::Acknowledged).count();
    let lost: Vec<_> = fates.iter().filter(|(slug, fate)| *fate == Fate::Acknowledged && !found.contains_key(slug)).collect();
    ensure!(lost.is_empty(), "{} writes that were acknowledged are gone: {lost:?}", lost.len());
    let halves: Vec<_> = found.iter().filter(|(_, is_whole)| !**is_whole).collect();
    ensure!(halves.is_empty(), "records are there in part: {halves:?}");
    let mut out = stdout().lock();
    writeln!(out, "The database went away {} times in {:.0} s.", arguments.times, begun.elapsed().as_secs_f64())?;
    writeln!(
        out,
        "Writes: {} sent, {acknowledged} acknowledged and all of them there, {} of the others there, all whole.",
        fates.len(),
        found.len() - acknowledged
    )?;
    writeln!(
        out,
        "Reads: {} answered, {} told that the database is away. Answers were back {} ms after the database at the latest.",
        counts.read.load(Ordering::Relaxed),
        counts.failed.load(Ordering::Relaxed),
        counts.recovery.load(Ordering::Relaxed)
    )?;
    Ok(())
}

/// Whether an answer says that the database is away, or that there is no room.
fn is_away(answer: &Value) -> bool {
    matches!(answer["errors"][0]["extensions"]["code"].as_str(), Some("UNAVAILABLE" | "TIMEOUT"))
}

async fn ask(client: &Client, endpoint: &str, token: Option<&str>, body: &Value) -> anyhow::Result<Value> {
    let mut request = client.post(endpoint).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Ok(request.send().await?.json().await?)
}

/// Which of these records are there, and whether they are whole.
async fn find(client: &Client, endpoint: &str, fates: &[(String, Fate)]) -> anyhow::Result<BTreeMap<String, bool>> {
    let mut found = BTreeMap::new();
    for chunk in fates.chunks(CHUNK) {
        let slugs: Vec<&str> = chunk.iter().map(|(slug, _)| slug.as_str()).collect();
        let answer = ask(client, endpoint, None, &json!({"query": FIND, "variables": {"slugs": slugs}})).await?;
        let nodes = answer["data"]["cases"]["nodes"].as_array().with_context(|| format!("the records cannot be looked for: {answer}"))?;
        for node in nodes {
            let is_whole = node["revision"] == 1 && node["history"]["totalCount"] == 1 && node["events"]["totalCount"] == 2;
            found.insert(node["slug"].as_str().unwrap_or_default().to_owned(), is_whole);
        }
    }
    Ok(found)
}
