//! Logs: for eyes on a terminal, as JSON lines otherwise.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// Begins to write logs to standard error.
pub fn start(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| anyhow::anyhow!("log: \"{filter}\" is not valid: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started =
        if stderr().is_terminal() { builder.with_target(false).try_init() } else { builder.json().flatten_event(true).try_init() };
    started.map_err(|error| anyhow::anyhow!("logs cannot be written: {error}"))
}
