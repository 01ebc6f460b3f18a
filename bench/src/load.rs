//! Asks servers for the workloads, turn by turn, and prints how many answers a second each gives.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::workload::{Kind, Place, Pools, WORKLOADS, Workload, uuid_of};

/// Whom to ask, and how long.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A server: its kind (kurultai, kept, postgraphile or limit), address and, for its memory, process; the first is
    /// a kurultai, and the others must answer as it does
    #[arg(long = "server", value_name = "KIND=HOST:PORT[,PID]", required = true)]
    servers: Vec<Server>,
    /// Connections to the server that is asked
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds before each measurement that are not counted
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Turns; the median of them is printed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Only these workloads
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,
    /// Position in the list of all cases of the pages deep in it; four fifths of a shorter list
    #[arg(long, default_value_t = 400_000)]
    position: u64,
}

#[derive(Debug, Clone)]
struct Server {
    kind: Kind,
    address: String,
    pid: Option<u32>,
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once('=').ok_or("there is no = in it")?;
        let (address, pid) = match rest.split_once(',') {
            Some((address, pid)) => (address, Some(pid.parse().map_err(|_| format!("{pid} is not the number of a process"))?)),
            None => (rest, None),
        };
        Ok(Self { kind: Kind::from_str(kind, true)?, address: address.to_owned(), pid })
    }
}

impl Server {
    /// The most memory that the process had at any time, in MiB.
    fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1_024)
    }
}

/// A connection that is kept open.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("no server at {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // its errors come back to the sender, too
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned() })
    }

    /// Sends a request; gives whether it went well, and the body.
    async fn send(&mut self, path: &str, body: Bytes) -> anyhow::Result<(bool, Bytes)> {
        self.sender.ready().await?;
        let request = hyper::Request::post(path)
            .header("host", self.host.as_str())
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(Full::new(body))?;
        let whole = async {
            let answer = self.sender.send_request(request).await?;
            let good = answer.status().is_success();
            Ok((good, answer.into_body().collect().await?.to_bytes()))
        };
        tokio::time::timeout(PATIENCE, whole).await.context("no answer came in time")?
    }

    async fn ask(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (good, body) = self.send(path, Bytes::from(body.to_string())).await?;
        let mut answer: Value = serde_json::from_slice(&body).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(&body)))?;
        if let Some(errors) = answer.get("errors") {
            bail!("the server refuses: {errors}");
        }
        ensure!(good, "the server refuses: {answer}");
        Ok(answer["data"].take())
    }

    async fn query(&mut self, query: &str, variables: Value) -> anyhow::Result<Value> {
        self.ask("/graphql", &json!({"query": query, "variables": variables})).await
    }
}

/// Takes values to choose from out of Kurultai, and from PostGraphile the beginning of its cursors.
async fn pools(arguments: &Arguments) -> anyhow::Result<Pools> {
    const CASES: &str =
        "query ($from: PartialDate!) { cases(first: 100, filter: {opened: {lt: $from}}) { edges { cursor node { id opened } } } }";
    const COUNT: &str = "query ($from: PartialDate!) { cases(filter: {opened: {gte: $from}}) { totalCount } }";
    const PEOPLE: &str =
        "query ($after: String) { people(first: 100, after: $after) { nodes { slug sortName } pageInfo { endCursor hasNextPage } } }";
    fn places(data: &Value) -> anyhow::Result<Vec<Place>> {
        let edges = data["cases"]["edges"].as_array().context("there are no cases")?;
        edges
            .iter()
            .map(|edge| {
                let id = edge["node"]["id"].as_str().context("a case has no id")?.to_owned();
                Ok(Place {
                    cursor: edge["cursor"].as_str().context("a case has no cursor")?.to_owned(),
                    uuid: uuid_of(&id).with_context(|| format!("{id} is no id"))?,
                    id,
                    opened: edge["node"]["opened"].as_str().unwrap_or_default().to_owned(),
                })
            })
            .collect()
    }
    let first = &arguments.servers[0];
    ensure!(matches!(first.kind, Kind::Kurultai | Kind::Kept), "the first server must be Kurultai");
    let mut api = Connection::open(&first.address).await?;

    let mut all = Vec::new();
    for year in 2_001..=2_026 {
        for month in ["01", "07"] {
            all.extend(places(&api.query(CASES, json!({"from": format!("{year}-{month}-01")})).await?)?);
        }
    }

    let total = api.query("{ cases { totalCount } }", json!({})).await?["cases"]["totalCount"].as_u64().context("no totalCount")?;
    let wanted = arguments.position.min(total / 5 * 4);
    // by months: the position is found to some thousand places, and told as it is
    let month = |number: u32| format!("{:04}-{:02}-01", number / 12, number % 12 + 1);
    let (mut early, mut late, mut position) = (1_990 * 12, 2_030 * 12, 0);
    while late - early > 1 {
        let middle = u32::midpoint(early, late);
        let before = api.query(COUNT, json!({"from": month(middle)})).await?["cases"]["totalCount"].as_u64().context("no totalCount")?;
        if before >= wanted {
            (early, position) = (middle, before);
        } else {
            late = middle;
        }
    }
    let deep = places(&api.query(CASES, json!({"from": month(early)})).await?)?;

    let (mut people, mut words) = (Vec::new(), Vec::new());
    let mut after = Value::Null;
    for _ in 0..10 {
        let data = api.query(PEOPLE, json!({"after": after})).await?;
        for person in data["people"]["nodes"].as_array().context("there are no people")? {
            people.push(person["slug"].as_str().context("a person has no slug")?.to_owned());
            if let Some(word) = person["sortName"].as_str().and_then(|name| name.split(' ').next()) {
                words.push(word.to_lowercase());
            }
        }
        after = data["people"]["pageInfo"]["endCursor"].clone();
        if data["people"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    words.dedup();

    let mut digest = None;
    if let Some(peer) = arguments.servers.iter().find(|server| server.kind == Kind::Postgraphile) {
        let query = include_str!("../peer/postgraphile/queries/cursor.graphql");
        let data = Connection::open(&peer.address).await?.query(query, json!({})).await?;
        let cursor = data["allCases"]["edges"][0]["cursor"].as_str().context("PostGraphile gave no cursor")?;
        let parts: Value = serde_json::from_slice(&crate::workload::from_base64(cursor)).context("a cursor of another shape")?;
        digest = parts.get(0).cloned();
    }
    Ok(Pools { places: all, deep, position, people, words, digest })
}

/// The answer with ids as the tables have them.
fn plain(answer: &mut Value) {
    match answer {
        Value::String(text) => {
            if let Some(id) = uuid_of(text) {
                *text = id.to_string();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(plain),
        Value::Object(map) => map.values_mut().for_each(plain),
        _ => (),
    }
}

/// Ids of an answer in its order, by whatever name a server calls them.
fn ids(answer: &Value, found: &mut Vec<String>) {
    match answer {
        Value::Array(list) => list.iter().for_each(|value| ids(value, found)),
        Value::Object(map) => {
            for (name, value) in map {
                match value.as_str() {
                    Some(id) if name == "id" || name == "rowId" => found.push(id.to_owned()),
                    _ => ids(value, found),
                }
            }
        }
        _ => (),
    }
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests of each workload whose answers are compared before anything is timed.
const SAMPLES: usize = 10;

async fn compare(servers: &[Server], workload: &Workload, pools: &Pools) -> anyhow::Result<()> {
    for number in 0..SAMPLES {
        let mut first: Option<Value> = None;
        for server in servers {
            let (path, body) = workload.request(server.kind, pools, number)?;
            let mut answer = Connection::open(&server.address).await?.ask(&path, &body).await?;
            plain(&mut answer);
            let Some(first) = &first else {
                first = Some(answer);
                continue;
            };
            let same = match server.kind {
                Kind::Postgraphile => {
                    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                    ids(first, &mut ours);
                    ids(&answer, &mut theirs);
                    ours == theirs
                }
                _ => *first == answer,
            };
            ensure!(same, "{} answers otherwise than {}:\n{first}\n{answer}", server.kind.name(), servers[0].kind.name());
        }
    }
    Ok(())
}

/// What a server did in one turn.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    rate: f64,
    p50: f64,
    p99: f64,
    errors: f64,
    bytes: f64,
}

#[allow(clippy::cast_precision_loss)]
async fn measure(
    server: &Server,
    workload: &'static Workload,
    pools: &Arc<Pools>,
    arguments: &Arguments,
    turn: usize,
) -> anyhow::Result<Measured> {
    let begin = Instant::now() + Duration::from_secs_f64(arguments.warm_up);
    let end = begin + Duration::from_secs_f64(arguments.seconds);
    let connections = usize::from(arguments.connections);
    let workers: Vec<_> = (0..connections)
        .map(|worker| {
            let (server, pools) = (server.clone(), pools.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&server.address).await?;
                let (mut times, mut bytes, mut errors) = (Vec::new(), 0, 0_usize);
                let mut number = worker + turn * 1_000_003;
                while Instant::now() < end {
                    let (path, body) = workload.request(server.kind, &pools, number)?;
                    number += connections;
                    let body = Bytes::from(body.to_string());
                    let started = Instant::now();
                    let (good, answer) = connection.send(&path, body).await?;
                    let done = Instant::now();
                    // GraphQL tells of errors under 200, too, and first of all
                    let good = good && !answer.starts_with(b"{\"errors\"") && !answer.starts_with(b"{\"data\":null");
                    // what was begun before the beginning or is answered after the end does not count
                    if started >= begin && done <= end {
                        times.push(done - started);
                        bytes += answer.len();
                        errors += usize::from(!good);
                    }
                }
                Ok::<_, anyhow::Error>((times, bytes, errors))
            })
        })
        .collect();
    let (mut times, mut bytes, mut errors) = (Vec::new(), 0, 0);
    for worker in workers {
        let (more, some, wrong) = worker.await??;
        times.extend(more);
        bytes += some;
        errors += wrong;
    }
    times.sort_unstable();
    let at =
        |share: f64| times.get(((times.len().max(1) - 1) as f64 * share) as usize).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0);
    Ok(Measured {
        rate: times.len() as f64 / arguments.seconds,
        p50: at(0.5),
        p99: at(0.99),
        errors: errors as f64,
        bytes: bytes as f64 / times.len().max(1) as f64,
    })
}

fn median(turns: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = turns.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Compares answers, measures turn by turn, and prints one table.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    for name in &arguments.workloads {
        ensure!(WORKLOADS.iter().any(|workload| workload.name == name), "there is no workload {name}");
    }
    let pools = Arc::new(pools(arguments).await?);
    let wanted = |workload: &&Workload| arguments.workloads.is_empty() || arguments.workloads.iter().any(|name| name == workload.name);
    let mut out = stdout();
    writeln!(
        out,
        "{} connections, {} turns of {} s; pages deep in the list begin at position {}\n",
        arguments.connections, arguments.rounds, arguments.seconds, pools.position
    )?;
    writeln!(out, "| workload | server | requests a second | p50 ms | p99 ms | errors | bytes an answer | kurultai over it |")?;
    writeln!(out, "| --- | --- | --: | --: | --: | --: | --: | --: |")?;
    for workload in WORKLOADS.iter().filter(wanted) {
        let servers: Vec<Server> = arguments.servers.iter().filter(|server| workload.suits(server.kind)).cloned().collect();
        compare(&servers, workload, &pools).await.with_context(|| workload.title)?;
        let mut turns: HashMap<usize, Vec<Measured>> = HashMap::new();
        for turn in 0..usize::from(arguments.rounds) {
            for (place, server) in servers.iter().enumerate() {
                let measured = measure(server, workload, &pools, arguments, turn).await.with_context(|| workload.title)?;
                turns.entry(place).or_default().push(measured);
            }
        }
        let ours = turns.get(&0).map_or(f64::NAN, |turns| median(turns, |turn| turn.rate));
        for (place, server) in servers.iter().enumerate() {
            let of = |value: fn(&Measured) -> f64| median(&turns[&place], value);
            let rate = of(|turn| turn.rate);
            let mut line = String::new();
            write!(
                line,
                "| {} | {} | {rate:.0} | {:.2} | {:.2} | ",
                workload.title,
                server.kind.name_in(workload),
                of(|turn| turn.p50),
                of(|turn| turn.p99)
            )?;
            let errors: f64 = turns[&place].iter().map(|turn| turn.errors).sum();
            write!(line, "{errors:.0} | {:.0} | {:.2} |", of(|turn| turn.bytes), ours / rate)?;
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)?;
    for server in &arguments.servers {
        if let Some(memory) = server.memory() {
            writeln!(out, "{}: {memory} MiB of memory at most", server.kind.name())?;
        }
    }
    Ok(())
}
