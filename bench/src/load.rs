//! Asks servers for the workloads, turn by turn, and prints how many answers a second each gives.

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use hyper::body::Bytes;
use serde_json::Value;

use crate::client::{Connection, Server};
use crate::pools::{self, Pools};
use crate::workload::{Kind, Varies, Workload, chosen, uuid_of};
use crate::writer::Writer;

/// Whom to ask, and how long.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A server: its kind (kurultai, kept, postgraphile, seaography or limit), address and, for its memory, process; the
    /// first is a kurultai, and the others must answer as it does
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
    /// The database of the servers, which the mixed workload writes to
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    write_url: Option<String>,
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

/// Requests of each workload whose answers are compared before anything is timed.
const SAMPLES: usize = 10;

/// Asks the servers for the same, and fails where one answers otherwise than the first.
async fn compare(servers: &[Server], workload: &'static Workload, pools: &Pools) -> anyhow::Result<()> {
    let Some(leader) = servers.first() else { return Ok(()) };
    for part in workload.parts(leader.kind) {
        for number in 0..SAMPLES {
            let mut first: Option<Value> = None;
            for server in servers.iter().filter(|server| workload.parts(server.kind).iter().any(|asked| asked.name == part.name)) {
                let (path, body) = part.request(server.kind, pools, number)?;
                let mut answer = Connection::open(&server.address).await?.ask(&path, &body).await?;
                plain(&mut answer);
                let Some(first) = &first else {
                    first = Some(answer);
                    continue;
                };
                let same = match server.kind {
                    Kind::Postgraphile | Kind::Seaography => {
                        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                        ids(first, &mut ours);
                        ids(&answer, &mut theirs);
                        ours == theirs
                    }
                    Kind::Kurultai | Kind::Kept | Kind::Limit => *first == answer,
                };
                ensure!(same, "{} answers otherwise than {}:\n{first}\n{answer}", server.kind.name(), leader.kind.name());
            }
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

/// Requests that each connection makes ready, to ask them in turn.
const REQUESTS: usize = 600;

/// Asks a server over one connection until the end, for the first of some numbers and then for every `apart`th; gives
/// the times of answers that came between beginning and end, the bytes of those, and the number of errors.
async fn ask(
    server: &Server,
    workload: &'static Workload,
    pools: &Pools,
    between: (Instant, Instant),
    first: usize,
    apart: usize,
) -> anyhow::Result<(Vec<Duration>, usize, usize)> {
    let (begin, end) = between;
    let parts = workload.parts(server.kind);
    // made before the time begins: a longer query would take the client longer to write
    let requests = (0..REQUESTS).map(|step| {
        // of what is asked in turn, neighbouring connections begin with neighbours
        let part = parts[(first + step) % parts.len()];
        let (path, body) = part.request(server.kind, pools, first + step * apart)?;
        Ok((path, Bytes::from(body.to_string())))
    });
    let requests = requests.collect::<anyhow::Result<Vec<_>>>()?;
    let mut connection = Connection::open(&server.address).await?;
    let (mut times, mut bytes, mut errors) = (Vec::new(), 0, 0);
    for (path, body) in requests.iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        let started = Instant::now();
        // waited for beyond the end, so that the next server does not share the database with it
        let Some((good, answer)) = connection.send(path, body.clone()).await? else {
            errors += 1;
            connection = Connection::open(&server.address).await?;
            continue;
        };
        let done = Instant::now();
        if done >= begin && done <= end {
            times.push(done - started);
            bytes += answer.len();
            errors += usize::from(!good);
        }
    }
    Ok((times, bytes, errors))
}

#[allow(clippy::cast_precision_loss)]
async fn measure(
    server: &Server,
    workload: &'static Workload,
    pools: &Arc<Pools>,
    arguments: &Arguments,
    turn: usize,
    writer: Option<&mut Writer>,
) -> anyhow::Result<Measured> {
    let begin = Instant::now() + Duration::from_secs_f64(arguments.warm_up);
    let end = begin + Duration::from_secs_f64(arguments.seconds);
    let connections = usize::from(arguments.connections);
    let workers: Vec<_> = (0..connections)
        .map(|worker| {
            let (server, pools) = (server.clone(), pools.clone());
            tokio::spawn(async move { ask(&server, workload, &pools, (begin, end), worker + turn * 1_000_003, connections).await })
        })
        .collect();
    if let Some(writer) = writer {
        writer.write_until(end).await?;
    }
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
        bytes: bytes as f64 / times.len() as f64,
    })
}

fn median(turns: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = turns.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A number as the table has it; small ones with so many digits behind the point.
fn figure(value: f64, digits: usize) -> String {
    match value {
        _ if !value.is_finite() => String::new(),
        _ if value >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.digits$}"),
    }
}

/// Lets the servers take turns; gives what each did in each of its turns.
async fn turns(
    servers: &[Server],
    workload: &'static Workload,
    pools: &Arc<Pools>,
    arguments: &Arguments,
    mut writer: Option<&mut Writer>,
) -> anyhow::Result<Vec<Vec<Measured>>> {
    let mut turns = vec![Vec::new(); servers.len()];
    for turn in 0..usize::from(arguments.rounds) {
        for (server, turns) in servers.iter().zip(&mut turns) {
            turns.push(measure(server, workload, pools, arguments, turn, writer.as_deref_mut()).await?);
        }
    }
    Ok(turns)
}

/// Compares answers, measures turn by turn, and prints one table.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workloads = chosen(&arguments.workloads)?;
    let pools = Arc::new(pools::draw(&arguments.servers, arguments.position).await?);
    let mut writer = None;
    if workloads.iter().any(|workload| workload.varies == Varies::Workload) {
        let url = arguments.write_url.as_deref().context("the mixed workload writes: --write-url names the database")?;
        writer = Some(Writer::open(url, &arguments.servers[0], &pools).await?);
    }
    let mut out = stdout();
    writeln!(
        out,
        "{} connections, {} turns of {} s; pages deep in the list begin at position {}\n",
        arguments.connections, arguments.rounds, arguments.seconds, pools.position
    )?;
    writeln!(out, "| workload | server | requests a second | p50 ms | p99 ms | errors | bytes an answer | kurultai over it |")?;
    writeln!(out, "| --- | --- | --: | --: | --: | --: | --: | --: |")?;
    for workload in workloads {
        let servers: Vec<Server> = arguments.servers.iter().filter(|server| workload.suits(server.kind)).cloned().collect();
        compare(&servers, workload, &pools).await.with_context(|| workload.title)?;
        let mut writer = writer.as_mut().filter(|_| workload.varies == Varies::Workload);
        let measured = turns(&servers, workload, &pools, arguments, writer.as_deref_mut()).await;
        // also after a failure
        if let Some(writer) = writer {
            writer.put_back().await?;
        }
        let measured = measured.with_context(|| workload.title)?;
        let ours = measured.first().map_or(f64::NAN, |turns| median(turns, |turn| turn.rate));
        for (server, turns) in servers.iter().zip(&measured) {
            let of = |value: fn(&Measured) -> f64| median(turns, value);
            let rate = of(|turn| turn.rate);
            let errors: f64 = turns.iter().map(|turn| turn.errors).sum();
            let mut line = format!("| {} | {} | {} | ", workload.title, server.kind.name_in(workload), figure(rate, 1));
            write!(line, "{} | {} | ", figure(of(|turn| turn.p50), 2), figure(of(|turn| turn.p99), 2))?;
            write!(line, "{errors:.0} | {} | {} |", figure(of(|turn| turn.bytes), 0), figure(ours / rate, 2))?;
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)?;
    if let Some(writer) = &writer {
        writeln!(out, "{writer}")?;
    }
    for server in &arguments.servers {
        if let Some(memory) = server.memory() {
            writeln!(out, "{}: {memory} MiB of memory at most", server.kind.name())?;
        }
    }
    Ok(())
}
