//! OpenTelemetry traces: a span for each request, its operations, and their statements.
//!
//! Traces are exported by OTLP over HTTP if the environment configures an endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT` and the
//! other standard variables). Otherwise, no spans are created for them.

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

use crate::core::clock::Clock;

/// Target of the spans that become part of a trace.
pub const TRACE_TARGET: &str = "kurultai::trace";
/// Name of the service if `OTEL_SERVICE_NAME` is not set.
const DEFAULT_SERVICE_NAME: &str = "kurultai";
/// Variables with the endpoint for traces, in order of precedence.
const ENDPOINT_VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// Variables with the protocol for traces, in order of precedence.
const PROTOCOL_VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
/// Maximum length of an exported statement in characters.
const MAX_STATEMENT_CHARS: usize = 4_096;
/// Timeout of one export request.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a shutdown waits for the export of the remaining spans.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Creates the spans of statements, if traces are exported.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

type BoxedLayer<S> = Box<dyn Layer<S> + Send + Sync>;

/// Exports traces in the background, until it is shut down.
#[derive(Debug)]
#[must_use]
pub struct TraceExporter(Option<SdkTracerProvider>);

impl TraceExporter {
    /// Exports the remaining spans. Waits for at most [`SHUTDOWN_TIMEOUT`].
    pub async fn shutdown(self) {
        let Some(provider) = self.0 else { return };
        // the shutdown blocks, and the export that it waits for needs the runtime
        let result = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT)).await;
        if let Ok(Err(error)) = result {
            tracing::warn!(%error, "export of the last traces failed");
        }
    }
}

/// Whether traces are exported.
pub fn is_enabled() -> bool {
    TRACER.get().is_some()
}

/// Starts exporting traces if the environment configures an endpoint.
pub(super) fn init_exporter<S>() -> anyhow::Result<(TraceExporter, Option<BoxedLayer<S>>)>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let variable = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_disabled = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    if is_disabled || ENDPOINT_VARIABLES.iter().find_map(variable).is_none() {
        return Ok((TraceExporter(None), None));
    }
    let protocol = PROTOCOL_VARIABLES.iter().find_map(variable);
    ensure!(
        protocol.as_deref().is_none_or(|protocol| protocol == "http/protobuf"),
        "OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is supported; unset it, and set the endpoint to that of OTLP over HTTP (port 4318)"
    );
    let exporter = SpanExporter::builder().with_http().with_http_client(ExportClient::new()?).build();
    let exporter = exporter.context("OTEL_EXPORTER_OTLP_ENDPOINT: cannot export traces to this endpoint")?;
    let mut resource = Resource::builder();
    if variable(&"OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(DEFAULT_SERVICE_NAME);
    }
    let resource = resource.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer(DEFAULT_SERVICE_NAME);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(TRACER.get_or_init(|| tracer).clone())
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == TRACE_TARGET).with_max_level_hint(LevelFilter::DEBUG));
    Ok((TraceExporter(Some(provider)), Some(layer.boxed())))
}

/// Makes a span a child of the span in the `traceparent` header of a request.
pub fn set_parent_from_headers(span: &Span, headers: &dyn Extractor) {
    if !is_enabled() {
        return;
    }
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), headers);
    // fails only if the span is not sampled
    drop(span.set_parent(parent));
}

/// Records the span of a statement that has just ended, as a child of the current span. The text of a statement contains
/// placeholders instead of values.
pub fn record_statement(system: &'static str, sql: &str, duration: Duration, failed: bool) {
    let Some(tracer) = TRACER.get() else { return };
    let parent = Span::current().context();
    // background work belongs to no request
    if !parent.span().span_context().is_valid() {
        return;
    }
    let end = SystemTime::from(Clock::System.now());
    let operation = sql.split_ascii_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    let summary = match first_table(sql) {
        Some(table) => format!("{operation} {table}"),
        None => operation.clone(),
    };
    let text = sql.char_indices().nth(MAX_STATEMENT_CHARS).map_or(sql, |(end, _)| &sql[..end]);
    let attributes = vec![
        KeyValue::new("db.system.name", system),
        KeyValue::new("db.operation.name", operation),
        KeyValue::new("db.query.summary", summary.clone()),
        KeyValue::new("db.query.text", text.to_owned()),
    ];
    let builder = tracer.span_builder(summary).with_kind(SpanKind::Client).with_attributes(attributes);
    let mut span = tracer.build_with_context(builder.with_start_time(end - duration), &parent);
    if failed {
        // the error of the database can contain values
        span.set_status(Status::error("the statement failed"));
    }
    span.end_with_timestamp(end);
}

/// The first table in a statement.
fn first_table(sql: &str) -> Option<&str> {
    let table_after = |keyword: &str| sql.split_once(&format!(" {keyword} \"")).and_then(|(_, rest)| rest.split('"').next());
    table_after("INTO").or_else(|| table_after("FROM")).or_else(|| sql.strip_prefix("UPDATE \"").and_then(|rest| rest.split('"').next()))
}

/// Exports spans with the HTTP client library of the rest of the program.
#[derive(Debug)]
struct ExportClient {
    client: reqwest::Client,
    runtime: Handle,
}

impl ExportClient {
    fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(EXPORT_TIMEOUT).build().context("cannot export traces")?;
        Ok(Self { client, runtime: Handle::try_current().context("the export of traces requires a runtime")? })
    }
}

#[async_trait]
impl HttpClient for ExportClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        // spans are exported on a thread of their own without a runtime, which the client requires
        let result = self.runtime.spawn(async move {
            let mut response = client.execute(request).await?;
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            Ok::<_, reqwest::Error>((status, headers, response.bytes().await?))
        });
        let (status, headers, body) = result.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
