//! Logs, for eyes on a terminal and as JSON lines otherwise, and [`trace`]s.
//!
//! Every line of a request is written inside a span that has its id. What the program logs holds no token, no
//! variables and no values of a query; what libraries log of the bytes that they carry is not written at all.

pub mod trace;

use std::io::{IsTerminal, stderr};

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Target of the span that every log line of a request is in, whatever else is logged.
pub const REQUEST: &str = "kurultai::request";
/// Target of the line for each request.
pub const ACCESS: &str = "kurultai::access";

/// Libraries that write at low levels what they carry: messages of clients, headers, values bound to statements.
const CARRIERS: [&str; 8] = ["tungstenite", "tokio_tungstenite", "h2", "hyper", "hyper_util", "reqwest", "sqlx", "sea_orm"];

/// Begins to write logs to standard error, and to send traces if the environment says where to.
pub fn start(filter: &str) -> anyhow::Result<trace::Traces> {
    let filter = EnvFilter::try_new(filter).map_err(|error| anyhow::anyhow!("log: \"{filter}\" is not valid: {error}"))?;
    let is_request = filter_fn(|metadata| metadata.is_span() && metadata.target() == REQUEST).with_max_level_hint(LevelFilter::ERROR);
    let filter = filter.or(is_request).and(filter_fn(tells_nothing).with_max_level_hint(LevelFilter::TRACE));
    let lines = fmt::layer().with_writer(stderr);
    let lines = match stderr().is_terminal() {
        true => lines.with_target(false).boxed(),
        false => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let (traces, layer) = trace::start()?;
    let started = tracing_subscriber::registry().with(lines.with_filter(filter)).with(layer).try_init();
    started.map_err(|error| anyhow::anyhow!("logs cannot be written: {error}"))?;
    Ok(traces)
}

/// Whether what is logged there cannot hold what a client sent.
fn tells_nothing(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= LevelFilter::INFO || !CARRIERS.contains(&metadata.target().split("::").next().unwrap_or_default())
}
