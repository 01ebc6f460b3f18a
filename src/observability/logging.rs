//! Logs: human-readable on a terminal, JSON lines elsewhere.
//!
//! Every line of a request is written within a span that has the id of the request. The program logs no tokens, variables
//! or values of queries. Low-level lines of libraries that log the payload they carry are discarded.

use std::io::{IsTerminal, stderr};

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::tracing::{TraceExporter, init_exporter};

/// Target of the span of a request, which is enabled at every log level.
pub const REQUEST_TARGET: &str = "kurultai::request";
/// Target of the access log, with one line per request.
pub const ACCESS_TARGET: &str = "kurultai::access";

/// Libraries that log payload at low levels: messages of clients, headers, values bound to statements.
const PAYLOAD_LIBRARIES: [&str; 9] =
    ["axum", "tungstenite", "tokio_tungstenite", "h2", "hyper", "hyper_util", "reqwest", "sqlx", "sea_orm"];

/// Starts logging to standard error, and exporting traces if the environment configures an endpoint.
pub fn init(filter: &str) -> anyhow::Result<TraceExporter> {
    let filter = EnvFilter::try_new(filter).map_err(|error| anyhow::anyhow!("log: \"{filter}\" is not a valid filter: {error}"))?;
    let is_request =
        filter_fn(|metadata| metadata.is_span() && metadata.target() == REQUEST_TARGET).with_max_level_hint(LevelFilter::ERROR);
    let filter = filter.or(is_request).and(filter_fn(is_free_of_payload).with_max_level_hint(LevelFilter::TRACE));
    let lines = fmt::layer().with_writer(stderr);
    let lines = if stderr().is_terminal() {
        lines.with_target(false).boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(false).boxed()
    };
    let (exporter, trace_layer) = init_exporter()?;
    let result = tracing_subscriber::registry().with(lines.with_filter(filter)).with(trace_layer).try_init();
    result.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))?;
    Ok(exporter)
}

/// Whether a line cannot contain what a client sent.
fn is_free_of_payload(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= LevelFilter::INFO || !PAYLOAD_LIBRARIES.contains(&metadata.target().split("::").next().unwrap_or_default())
}
