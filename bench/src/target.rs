//! The servers under test.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

/// Implementation and configuration of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetKind {
    /// Kurultai without a response cache
    Kurultai,
    /// Kurultai with its response cache
    Cached,
    /// PostGraphile over the same tables
    Postgraphile,
    /// Seaography over the same tables
    Seaography,
    /// The upper limits: one hand-written SQL statement per workload, and a fixed body
    Limit,
}

impl TargetKind {
    /// Label in printed tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Kurultai => "kurultai",
            Self::Cached => "kurultai, response cache",
            Self::Postgraphile => "PostGraphile",
            Self::Seaography => "Seaography",
            Self::Limit => "limits",
        }
    }
}

/// A server under test, parsed from `KIND=HOST:PORT[,PID]`.
#[derive(Debug, Clone)]
pub struct Target {
    pub kind: TargetKind,
    /// Host and port.
    pub address: String,
    pid: Option<u32>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once('=').ok_or("expected KIND=HOST:PORT[,PID], but there is no \"=\"")?;
        let (address, pid) = match rest.split_once(',') {
            Some((address, pid)) => (address, Some(pid.parse().map_err(|_| format!("{pid} is not a process ID"))?)),
            None => (rest, None),
        };
        Ok(Self { kind: TargetKind::from_str(kind, true)?, address: address.to_owned(), pid })
    }
}

impl Target {
    /// Peak resident memory of the process, in MiB; `None` if no process ID was given or the process has ended.
    pub fn peak_memory_mib(&self) -> Option<u64> {
        process_memory_mib(self.pid?, "VmHWM:")
    }
}

/// Resident memory of a process, in MiB; `None` if the process has ended.
pub fn resident_memory_mib(pid: u32) -> Option<u64> {
    process_memory_mib(pid, "VmRSS:")
}

fn process_memory_mib(pid: u32, counter: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(counter))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1_024)
}

/// Clock ticks per second in `/proc` of Linux, which are the same on all common processors.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of a process, with the kernel's on its behalf; `None` if the process has ended.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name of the process, in parentheses, can contain spaces
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let (user, system): (u64, u64) = (fields.get(11)?.parse().ok()?, fields.get(12)?.parse().ok()?);
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_SECOND))
}
