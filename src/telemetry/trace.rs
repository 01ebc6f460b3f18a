//! Traces for OpenTelemetry: a request, its operations, and their statements.
//!
//! They are sent by OTLP over HTTP where the environment says so (`OTEL_EXPORTER_OTLP_ENDPOINT` and the other variables
//! of that standard). Where it does not, no span of them is made.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// Target of the spans that become part of a trace.
pub const TARGET: &str = "kurultai::trace";
/// Name of the service where `OTEL_SERVICE_NAME` does not give another.
const SERVICE: &str = "kurultai";
/// Where traces go, for traces alone and for all that OpenTelemetry knows.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
/// Bytes of a statement that are sent at most.
const LONGEST: usize = 4_096;
/// How long what is left is sent for at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// What makes the spans of statements, if there are traces.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

type Boxed<S> = Box<dyn Layer<S> + Send + Sync>;

/// Traces that are sent; what is left of them has to be sent at the end.
#[derive(Debug)]
#[must_use]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what is left.
    pub async fn end(self) {
        let Some(provider) = self.0 else { return };
        // it waits, and what it waits for needs this thread
        let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(PATIENCE)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Whether there are traces.
pub fn is_on() -> bool {
    TRACER.get().is_some()
}

/// Begins to send traces, if the environment says where to.
pub(super) fn start<S>() -> anyhow::Result<(Traces, Option<Boxed<S>>)>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let given = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_off = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    if is_off || ENDPOINTS.iter().find_map(given).is_none() {
        return Ok((Traces(None), None));
    }
    let protocol = PROTOCOLS.iter().find_map(given);
    ensure!(
        protocol.as_deref().is_none_or(|protocol| protocol == "http/protobuf"),
        "OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent by http/protobuf; leave it out, and name the address for OTLP over HTTP (port 4318)"
    );
    let exporter = SpanExporter::builder().with_http().with_http_client(Sender::new()?).build();
    let exporter = exporter.context("OTEL_EXPORTER_OTLP_ENDPOINT: traces cannot be sent there")?;
    let mut resource = Resource::builder();
    if given(&"OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(SERVICE);
    }
    let resource = resource.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer(SERVICE);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(TRACER.get_or_init(|| tracer).clone())
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET).with_max_level_hint(LevelFilter::DEBUG));
    Ok((Traces(Some(provider)), Some(layer.boxed())))
}

/// Makes a span go on with the trace that a client tells of by the header `traceparent`.
pub fn join(span: &Span, headers: &dyn Extractor) {
    if !is_on() {
        return;
    }
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), headers);
    // a span that is not sampled has nothing to join
    drop(span.set_parent(parent));
}

/// The span of a statement that has just been run, below the span that it was run in. The text of a statement holds
/// places for values and not the values.
pub fn statement(system: &'static str, sql: &str, took: Duration, failed: bool) {
    let Some(tracer) = TRACER.get() else { return };
    let within = Span::current().context();
    // what the service does by itself belongs to no request
    if !within.span().span_context().is_valid() {
        return;
    }
    let end = SystemTime::now();
    let operation = sql.split_ascii_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    let summary = match table(sql) {
        Some(table) => format!("{operation} {table}"),
        None => operation.clone(),
    };
    let shown = sql.char_indices().nth(LONGEST).map_or(sql, |(end, _)| &sql[..end]);
    let attributes = vec![
        KeyValue::new("db.system.name", system),
        KeyValue::new("db.operation.name", operation),
        KeyValue::new("db.query.summary", summary.clone()),
        KeyValue::new("db.query.text", shown.to_owned()),
    ];
    let builder = tracer.span_builder(summary).with_kind(SpanKind::Client).with_attributes(attributes);
    let mut span = tracer.build_with_context(builder.with_start_time(end - took), &within);
    if failed {
        // what the database says may hold values
        span.set_status(Status::error("the statement failed"));
    }
    span.end_with_timestamp(end);
}

/// The table that a statement reads or writes first.
fn table(sql: &str) -> Option<&str> {
    let name = |word: &str| sql.split_once(&format!(" {word} \"")).and_then(|(_, rest)| rest.split('"').next());
    name("INTO").or_else(|| name("FROM")).or_else(|| sql.strip_prefix("UPDATE \"").and_then(|rest| rest.split('"').next()))
}

/// Sends by the client that the rest of the program uses.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

impl Sender {
    fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().context("traces cannot be sent")?;
        Ok(Self { client, runtime: Handle::try_current().context("traces need a runtime")? })
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        // traces are sent by a thread of their own, where the client cannot wait
        let sent = self.runtime.spawn(async move {
            let mut response = client.execute(request).await?;
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            Ok::<_, reqwest::Error>((status, headers, response.bytes().await?))
        });
        let (status, headers, body) = sent.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
