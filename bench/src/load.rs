//! Closed-loop load test: sends the workloads to each target in turn and prints the throughput and latency of each.

mod compare;
mod writer;

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use hyper::body::Bytes;

use crate::client::Connection;
use crate::load::compare::compare_responses;
use crate::load::writer::Writer;
use crate::target::Target;
use crate::workload::sample::Samples;
use crate::workload::{Workload, select_workloads};

/// Requests that each connection prepares and then sends cyclically.
const PREPARED_REQUESTS: usize = 600;

/// Targets and durations.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Server under test: its kind (kurultai, cached, postgraphile, seaography or limit), its address and, for its memory,
    /// its process ID; the first must be a kurultai, and the others must return the same responses
    #[arg(long = "server", value_name = "KIND=HOST:PORT[,PID]", required = true)]
    servers: Vec<Target>,
    /// Concurrent connections to the server under test
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Duration of each measurement, in seconds
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Duration of the warm-up before each measurement, in seconds
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Number of rounds; the median of them is printed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Workload to run; repeatable, all by default
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,
    /// Position of the deep page in the list of all cases; four fifths of a shorter list
    #[arg(long, default_value_t = 400_000)]
    position: u64,
    /// Database of the servers, which the mixed workload writes to
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    write_url: Option<String>,
}

/// Result of one round on one target.
#[derive(Debug, Clone, Copy, Default)]
struct Measurement {
    requests_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    errors: f64,
    /// Mean size of a response body, in bytes.
    response_bytes: f64,
}

/// Responses that one connection received within the time.
#[derive(Debug, Default)]
struct Received {
    latencies: Vec<Duration>,
    bytes: usize,
    errors: usize,
}

/// Position of a connection in the sequence of requests: it sends request `first`, then every `step`th.
#[derive(Debug, Clone, Copy)]
struct RequestSequence {
    first: usize,
    step: usize,
}

/// Sends requests over one connection until the end of the time, each as soon as the previous response has arrived.
/// Counts only responses that arrive between `begin` and `end`.
async fn send_requests(
    target: &Target,
    workload: &'static Workload,
    samples: &Samples,
    (begin, end): (Instant, Instant),
    sequence: RequestSequence,
) -> anyhow::Result<Received> {
    let components = workload.components(target.kind);
    // serialized before the measurement, so that the length of a query does not slow down the client
    let requests = (0..PREPARED_REQUESTS).map(|index| {
        // in the mixed workload, neighboring connections start with neighboring workloads
        let component = components[(sequence.first + index) % components.len()];
        let (path, body) = component.request(target.kind, samples, sequence.first + index * sequence.step)?;
        Ok((path, Bytes::from(body.to_string())))
    });
    let requests = requests.collect::<anyhow::Result<Vec<_>>>()?;
    let mut connection = Connection::open(&target.address).await?;
    let mut received = Received::default();
    for (path, body) in requests.iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        let started = Instant::now();
        // awaited beyond the end, so that the database is idle when the next target is measured
        let Some((is_success, body)) = connection.send(path, body.clone()).await? else {
            received.errors += 1;
            connection = Connection::open(&target.address).await?;
            continue;
        };
        let finished = Instant::now();
        if finished >= begin && finished <= end {
            received.latencies.push(finished - started);
            received.bytes += body.len();
            received.errors += usize::from(!is_success);
        }
    }
    Ok(received)
}

/// Measures one target for one round.
async fn measure(
    target: &Target,
    workload: &'static Workload,
    samples: &Arc<Samples>,
    arguments: &Arguments,
    round: usize,
    writer: Option<&mut Writer>,
) -> anyhow::Result<Measurement> {
    let begin = Instant::now() + Duration::from_secs_f64(arguments.warm_up);
    let end = begin + Duration::from_secs_f64(arguments.seconds);
    let connections = usize::from(arguments.connections);
    let clients: Vec<_> = (0..connections)
        .map(|client| {
            let (target, samples) = (target.clone(), samples.clone());
            let sequence = RequestSequence { first: client + round * 1_000_003, step: connections };
            tokio::spawn(async move { send_requests(&target, workload, &samples, (begin, end), sequence).await })
        })
        .collect();
    if let Some(writer) = writer {
        writer.write_until(end).await?;
    }
    let mut total = Received::default();
    for client in clients {
        let received = client.await??;
        total.latencies.extend(received.latencies);
        total.bytes += received.bytes;
        total.errors += received.errors;
    }
    total.latencies.sort_unstable();
    let count = total.latencies.len();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the rank of a percentile is a small positive number")]
    let percentile_ms = |share: f64| {
        total.latencies.get(((count.max(1) - 1) as f64 * share) as usize).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    };
    Ok(Measurement {
        requests_per_second: count as f64 / arguments.seconds,
        p50_ms: percentile_ms(0.5),
        p99_ms: percentile_ms(0.99),
        errors: total.errors as f64,
        response_bytes: total.bytes as f64 / count as f64,
    })
}

/// Measures the targets in turn, round by round; returns the measurements of each target.
async fn measure_rounds(
    targets: &[Target],
    workload: &'static Workload,
    samples: &Arc<Samples>,
    arguments: &Arguments,
    mut writer: Option<&mut Writer>,
) -> anyhow::Result<Vec<Vec<Measurement>>> {
    let mut measurements = vec![Vec::new(); targets.len()];
    for round in 0..usize::from(arguments.rounds) {
        for (target, measurements) in targets.iter().zip(&mut measurements) {
            measurements.push(measure(target, workload, samples, arguments, round, writer.as_deref_mut()).await?);
        }
    }
    Ok(measurements)
}

fn median(measurements: &[Measurement], value: impl Fn(&Measurement) -> f64) -> f64 {
    let mut values: Vec<f64> = measurements.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Formats a number for the table: integers from 100 on, `decimals` places below, empty if not finite.
fn format_number(value: f64, decimals: usize) -> String {
    match value {
        _ if !value.is_finite() => String::new(),
        _ if value >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.decimals$}"),
    }
}

/// Formats the table row of one target; `baseline` is the rate of the first target.
fn format_row(target: &Target, workload: &Workload, measurements: &[Measurement], baseline: f64) -> Result<String, std::fmt::Error> {
    let median_of = |value: fn(&Measurement) -> f64| median(measurements, value);
    let rate = median_of(|measurement| measurement.requests_per_second);
    let errors: f64 = measurements.iter().map(|measurement| measurement.errors).sum();
    let mut row = format!("| {} | {} | {} | ", workload.title, workload.target_label(target.kind), format_number(rate, 1));
    let (p50, p99) = (median_of(|measurement| measurement.p50_ms), median_of(|measurement| measurement.p99_ms));
    write!(row, "{} | {} | ", format_number(p50, 2), format_number(p99, 2))?;
    let bytes = median_of(|measurement| measurement.response_bytes);
    write!(row, "{errors:.0} | {} | {} |", format_number(bytes, 0), format_number(baseline / rate, 2))?;
    Ok(row)
}

/// Compares the responses, measures the targets in turn, and prints one table.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workloads = select_workloads(&arguments.workloads)?;
    let samples = Arc::new(Samples::fetch(&arguments.servers, arguments.position).await?);
    let mut writer = None;
    if workloads.iter().any(|workload| workload.is_mixed()) {
        let url = arguments.write_url.as_deref().context("the mixed workload writes to the database: set --write-url")?;
        writer = Some(Writer::open(url, &arguments.servers[0], &samples).await?);
    }
    let mut out = stdout();
    writeln!(
        out,
        "{} connections, {} rounds of {} s; the deep page starts after {} cases\n",
        arguments.connections, arguments.rounds, arguments.seconds, samples.deep_position
    )?;
    writeln!(out, "| workload | server | requests per second | p50 ms | p99 ms | errors | bytes per response | kurultai relative to it |")?;
    writeln!(out, "| --- | --- | --: | --: | --: | --: | --: | --: |")?;
    for workload in workloads {
        let targets: Vec<Target> = arguments.servers.iter().filter(|target| workload.runs_on(target.kind)).cloned().collect();
        compare_responses(&targets, workload, &samples).await.with_context(|| workload.title)?;
        let mut writer = writer.as_mut().filter(|_| workload.is_mixed());
        let measurements = measure_rounds(&targets, workload, &samples, arguments, writer.as_deref_mut()).await;
        // restored after a failure as well
        if let Some(writer) = writer {
            writer.restore().await?;
        }
        let measurements = measurements.with_context(|| workload.title)?;
        let baseline = measurements.first().map_or(f64::NAN, |first| median(first, |measurement| measurement.requests_per_second));
        for (target, measurements) in targets.iter().zip(&measurements) {
            writeln!(out, "{}", format_row(target, workload, measurements, baseline)?)?;
        }
    }
    writeln!(out)?;
    if let Some(writer) = &writer {
        writeln!(out, "{writer}")?;
    }
    for target in &arguments.servers {
        if let Some(memory) = target.peak_memory_mib() {
            writeln!(out, "{}: peak memory {memory} MiB", target.kind.label())?;
        }
    }
    Ok(())
}
