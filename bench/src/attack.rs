//! Attacks of a running server: requests that cost far more than they appear to. Each must be refused or answered within a time,
//! while health checks and other clients are served, and the memory must be free again a moment later.

mod action;
mod client;
mod measure;
mod outcome;
mod sample;
mod scenario;

use std::collections::BTreeSet;
use std::io::{Write, stdout};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use tokio::net::lookup_host;

use crate::attack::client::Client;
use crate::attack::measure::{Observers, wait_until_idle};
use crate::attack::outcome::Outcomes;
use crate::attack::sample::Samples;
use crate::attack::scenario::Attack;
use crate::target::{cpu_time, resident_memory_mib};

/// Longest time until a response is complete or a refusal has arrived.
const MAX_LATENCY: Duration = Duration::from_secs(2);
/// Longest latency of `/healthz`.
const MAX_HEALTH_LATENCY: Duration = Duration::from_millis(250);
/// Memory that the server may keep.
const MAX_KEPT_MEMORY_MIB: u64 = 100;
/// Bytes of one response or stream: twice the default of the setting `limits.response_bytes`.
const MAX_RESPONSE_BYTES: u64 = 64 << 20;
/// Time from the end of an attack to the last sample of the memory; other clients are observed until then.
const RECOVERY_DURATION: Duration = Duration::from_secs(5);

/// Server and selection.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Server under test, with default settings, and its process ID
    #[arg(long, value_name = "HOST:PORT,PID", required_unless_present = "list")]
    server: Option<AttackTarget>,
    /// Only these attacks, or all of these letters
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Token of an editor, for attacks that upload; they write, so use a copy of the dataset
    #[arg(long, env = "KURULTAI_ATTACK_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Token of an admin, for attacks while the name of a person is withheld; it makes and withholds a person of its own
    #[arg(long, env = "KURULTAI_ATTACK_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    /// Token of another editor, who is observed during the attacks: one token has one share of the server, wherever it is used
    #[arg(long, env = "KURULTAI_OBSERVER_TOKEN", hide_env_values = true)]
    observer_token: Option<String>,
    /// Seconds until a missing response is given up
    #[arg(long, default_value_t = 40)]
    patience: u64,
    /// Print the attacks without running them
    #[arg(long)]
    list: bool,
}

/// A server on this machine, parsed from `HOST:PORT,PID`.
#[derive(Debug, Clone)]
struct AttackTarget {
    address: String,
    pid: u32,
}

impl FromStr for AttackTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, pid) = text.split_once(',').ok_or("expected HOST:PORT,PID, but there is no comma")?;
        let pid = pid.parse().map_err(|_| format!("{pid} is not a process ID"))?;
        Ok(Self { address: address.to_owned(), pid })
    }
}

/// Runs the attacks one after the other and prints a table.
///
/// # Errors
/// If a bound is broken, with the names of the attacks, and if an attack cannot run.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let attacks = select(&arguments.only)?;
    if arguments.list {
        let mut out = stdout().lock();
        for attack in attacks {
            writeln!(out, "{}: {}", attack.id, attack.description)?;
        }
        return Ok(());
    }
    let target = arguments.server.as_ref().context("set --server")?;
    ensure!(Path::new(&format!("/proc/{}", target.pid)).exists(), "no process has the ID {}", target.pid);
    let server = lookup_host(&target.address).await?.next().with_context(|| format!("{} has no address", target.address))?;
    if !server.ip().is_loopback() {
        eprintln!("The server is not on the loopback interface: all clients have one address and share its limits.");
    }
    let token = arguments.token.as_deref();
    ensure!(token.is_none() || token != arguments.observer_token.as_deref(), "--observer-token must differ from --token");
    let needs_history = attacks.iter().any(|attack| attack.id.starts_with(['i', 'l']));
    let mut samples = Samples::fetch(&target.address, token, needs_history).await.context("cannot read samples from the server")?;
    if let Some(admin) = arguments.admin_token.as_deref().filter(|_| attacks.iter().any(|attack| attack.needs_withheld)) {
        samples.withhold_person(&target.address, admin).await.context("cannot withhold the name of a person")?;
    }
    let result = run_attacks(&attacks, target, server, arguments, &samples).await;
    samples.remove(&target.address).await?;
    let broken = result?;
    ensure!(broken.is_empty(), "bounds are broken by {}", broken.join(", "));
    Ok(())
}

/// The attacks with these ids or letters, all if none are given.
fn select(only: &[String]) -> anyhow::Result<Vec<Attack>> {
    let attacks = scenario::all();
    let is_named = |attack: &Attack, name: &String| attack.id == name.as_str() || (name.len() == 1 && attack.id.starts_with(name.as_str()));
    if let Some(unknown) = only.iter().find(|name| !attacks.iter().any(|attack| is_named(attack, name))) {
        let letters: BTreeSet<&str> = attacks.iter().map(|attack| &attack.id[..1]).collect();
        bail!(
            "there is no attack {unknown}; known letters are {}, and --list prints all ids",
            letters.into_iter().collect::<Vec<_>>().join(", ")
        );
    }
    Ok(attacks.into_iter().filter(|attack| only.is_empty() || only.iter().any(|name| is_named(attack, name))).collect())
}

/// Prints a row for each attack; returns the ids of those that break a bound.
async fn run_attacks(
    attacks: &[Attack],
    target: &AttackTarget,
    server: SocketAddr,
    arguments: &Arguments,
    samples: &Samples,
) -> anyhow::Result<Vec<&'static str>> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "| | attack | requests | slowest s | MiB received | /healthz ms | other client s | other client | memory before, peak, after MiB | CPU s | broken bounds |"
    )?;
    writeln!(out, "| --- | --- | --- | --: | --: | --: | --: | --- | --- | --: | --- |")?;
    let mut broken = Vec::new();
    let mut is_alive = true;
    for (number, attack) in attacks.iter().enumerate() {
        if attack.needs_token && samples.token.is_none() {
            writeln!(out, "| {} | {} | not run: it requires --token | | | | | | | | |", attack.id, attack.description)?;
            continue;
        }
        if attack.needs_withheld && !samples.has_withheld() {
            writeln!(out, "| {} | {} | not run: it requires --admin-token | | | | | | | | |", attack.id, attack.description)?;
            continue;
        }
        // each attack is another client, with a rate limit of its own
        let host = u8::try_from(number % 250).expect("less than 250") + 1;
        let source = Some(IpAddr::V4(Ipv4Addr::new(127, 0, 1, host)));
        let client = Client { server, source, timeout: Duration::from_secs(arguments.patience) };
        is_alive = is_alive && wait_until_idle(client, target.pid).await;
        if !is_alive {
            writeln!(out, "| {} | {} | not run: the server does not respond | | | | | | | | yes |", attack.id, attack.description)?;
            broken.push(attack.id);
            continue;
        }
        let measurement = measure(attack, client, target.pid, samples, arguments.observer_token.as_deref()).await;
        let reasons = measurement.broken_bounds(attack.may_be_invalid);
        writeln!(out, "| {} | {} | {} | {} |", attack.id, attack.description, measurement.row(), reasons.join(", "))?;
        out.flush()?;
        if !reasons.is_empty() {
            broken.push(attack.id);
        }
    }
    writeln!(out, "\n{} attacks, {} of which break a bound", attacks.len(), broken.len())?;
    Ok(broken)
}

/// What one attack did.
#[derive(Debug)]
struct Measurement {
    requests: Outcomes,
    observed: measure::Observations,
    memory_before_mib: u64,
    /// `None` if the process has ended.
    memory_after_mib: Option<u64>,
    cpu_time: Duration,
}

/// Runs an attack, and observes the server until [`RECOVERY_DURATION`] after its end.
async fn measure(attack: &Attack, client: Client, pid: u32, samples: &Samples, observer_token: Option<&str>) -> Measurement {
    let memory_before_mib = resident_memory_mib(pid).unwrap_or_default();
    let cpu_before = cpu_time(pid).unwrap_or_default();
    let observers = Observers::start(client, pid, observer_token);
    let requests = client.perform((attack.actions)(samples)).await;
    tokio::time::sleep(RECOVERY_DURATION).await;
    let memory_after_mib = resident_memory_mib(pid);
    let cpu_time = cpu_time(pid).unwrap_or_default().saturating_sub(cpu_before);
    Measurement { requests, observed: observers.stop().await, memory_before_mib, memory_after_mib, cpu_time }
}

impl Measurement {
    /// The bounds that are broken.
    fn broken_bounds(&self, may_be_invalid: bool) -> Vec<String> {
        let mut broken = Vec::new();
        let Some(after) = self.memory_after_mib else { return vec!["the server ended".to_owned()] };
        if self.requests.is_broken(may_be_invalid) {
            broken.push("responses".to_owned());
        }
        if self.requests.slowest > MAX_LATENCY {
            broken.push(format!("{} s", MAX_LATENCY.as_secs()));
        }
        if self.requests.largest > MAX_RESPONSE_BYTES {
            broken.push(format!("{} MiB", MAX_RESPONSE_BYTES >> 20));
        }
        if self.observed.health.slowest > MAX_HEALTH_LATENCY || !self.observed.health.is_all_answered() {
            broken.push("/healthz".to_owned());
        }
        if self.observed.reader.slowest > MAX_LATENCY || !self.observed.reader.is_all_answered() {
            broken.push("other client".to_owned());
        }
        if after > self.memory_before_mib + MAX_KEPT_MEMORY_MIB {
            broken.push("memory".to_owned());
        }
        broken
    }

    /// The cells of the table, without the attack and the bounds.
    fn row(&self) -> String {
        format!(
            "{} | {:.2} | {:.1} | {:.0} | {:.2} | {} | {}, {}, {} | {:.1}",
            self.requests,
            self.requests.slowest.as_secs_f64(),
            self.requests.bytes as f64 / f64::from(1 << 20),
            self.observed.health.slowest.as_secs_f64() * 1e3,
            self.observed.reader.slowest.as_secs_f64(),
            self.observed.reader,
            self.memory_before_mib,
            self.observed.peak_memory_mib,
            self.memory_after_mib.map_or("ended".to_owned(), |memory| memory.to_string()),
            self.cpu_time.as_secs_f64(),
        )
    }
}
