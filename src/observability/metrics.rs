//! Metrics in the text format of Prometheus.
//!
//! Nothing is recorded before [`init`], and recording is cheap afterwards: each metric is registered once and looked up by
//! labels that are bounded. No label contains input of a client, except the names that [`OperationLabels`] allows.

mod catalog;
mod family;
mod operation;
mod statement_stats;

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;
use strum::VariantArray;

use catalog::{counter, gauge, histogram};
use family::{MetricFamily, per_variant};
use operation::OperationRegistry;

pub use operation::{OperationKind, OperationLabels, OperationOutcome};
pub use statement_stats::{StatementStats, record_rows};

/// The metrics of this process, if they are enabled.
static METRICS: OnceLock<Metrics> = OnceLock::new();

thread_local! {
    /// Duration of the last statement on this thread, until it is subtracted from the wait for its connection.
    static LAST_STATEMENT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    process: Collector,
    operations: OperationRegistry,
    requests: MetricFamily<(&'static str, u16), Counter>,
    request_seconds: MetricFamily<&'static str, Histogram>,
    requests_in_flight: Gauge,
    statements: [StatementMetrics; StatementKind::VARIANTS.len()],
    connection_wait: Histogram,
    write_wait: Histogram,
    cache_lookups: [[Counter; 2]; CacheKind::VARIANTS.len()],
    errors: MetricFamily<&'static str, Counter>,
    limits_hit: MetricFamily<&'static str, Counter>,
    slow_operations: Counter,
    streams: [Gauge; StreamKind::VARIANTS.len()],
}

/// The metrics of one kind of SQL statement.
struct StatementMetrics {
    seconds: Histogram,
    failures: Counter,
}

/// Kind of a SQL statement. Its text form is the value of the label `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum StatementKind {
    /// A read.
    Read,
    /// A change of rows.
    Write,
    /// The acquisition of an advisory lock.
    Lock,
}

impl StatementKind {
    /// The kind of a statement, by its first keyword.
    pub fn of(sql: &str) -> Self {
        match sql.split_ascii_whitespace().next() {
            Some("INSERT" | "UPDATE" | "DELETE") => Self::Write,
            _ if sql.starts_with("SELECT pg_advisory_") => Self::Lock,
            _ => Self::Read,
        }
    }
}

/// A cache. Its text form is the value of the label `cache`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
pub enum CacheKind {
    /// Responses.
    #[strum(serialize = "answers")]
    Responses,
    /// Documents that were parsed and validated.
    #[strum(serialize = "documents")]
    Documents,
    /// Persisted documents, by the hashes that clients sent.
    #[strum(serialize = "persisted")]
    PersistedDocuments,
}

impl CacheKind {
    /// The value of the label `cache`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Kind of an open stream. Its text form is the value of the label `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum StreamKind {
    /// A WebSocket.
    WebSocket,
    /// A stream of server-sent events.
    Events,
    /// A subscription, over either of them.
    Subscription,
}

/// Increments a gauge until it is dropped.
#[derive(Default)]
pub struct GaugeGuard(Option<Gauge>);

impl std::fmt::Debug for GaugeGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GaugeGuard").field(&self.0.is_some()).finish()
    }
}

impl GaugeGuard {
    fn new(gauge: &Gauge) -> Self {
        gauge.increment(1.0);
        Self(Some(gauge.clone()))
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        if let Some(gauge) = &self.0 {
            gauge.decrement(1.0);
        }
    }
}

/// Enables metrics. If they are enabled already, this has no effect.
pub fn init(labels: OperationLabels) {
    METRICS.get_or_init(|| Metrics::new(labels));
}

/// Whether metrics are enabled.
pub fn is_enabled() -> bool {
    METRICS.get().is_some()
}

impl Metrics {
    fn new(labels: OperationLabels) -> Self {
        // the bounds are not empty, so that the fallback is never used
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &catalog::BUCKET_BOUNDS_SECONDS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        catalog::describe(&recorder);
        let process = Collector::default();
        metrics::with_local_recorder(&recorder, || process.describe());
        let statements = |kind: StatementKind| StatementMetrics {
            seconds: histogram(&recorder, "kurultai_sql_statement_seconds", &[("kind", kind.into())]),
            failures: counter(&recorder, "kurultai_sql_failures_total", &[("kind", kind.into())]),
        };
        let cache_lookups = |cache: CacheKind| {
            ["hit", "miss"]
                .map(|result| counter(&recorder, "kurultai_cache_lookups_total", &[("cache", cache.as_str()), ("result", result)]))
        };
        let metrics = Self {
            operations: OperationRegistry::new(labels, &recorder),
            requests: MetricFamily::new(|recorder, (route, status)| {
                counter(recorder, "kurultai_http_requests_total", &[("route", route), ("status", &status.to_string())])
            }),
            request_seconds: MetricFamily::new(|recorder, route| histogram(recorder, "kurultai_http_request_seconds", &[("route", route)])),
            requests_in_flight: gauge(&recorder, "kurultai_http_requests_in_flight", &[]),
            statements: per_variant(statements),
            connection_wait: histogram(&recorder, "kurultai_database_wait_seconds", &[]),
            write_wait: histogram(&recorder, "kurultai_database_write_wait_seconds", &[]),
            cache_lookups: per_variant(cache_lookups),
            errors: MetricFamily::new(|recorder, code| counter(recorder, "kurultai_errors_total", &[("code", code)])),
            limits_hit: MetricFamily::new(|recorder, limit| counter(recorder, "kurultai_limits_hit_total", &[("limit", limit)])),
            slow_operations: counter(&recorder, "kurultai_slow_operations_total", &[]),
            streams: per_variant(|kind: StreamKind| gauge(&recorder, "kurultai_streams_open", &[("kind", kind.into())])),
            handle: recorder.handle(),
            process,
            recorder,
        };
        // counters start at 0, so that a rate includes their first increment
        for code in crate::core::error::ErrorCode::ALL {
            drop(metrics.errors.get(&metrics.recorder, code.as_str()));
        }
        for limit in &catalog::LIMITS {
            drop(metrics.limits_hit.get(&metrics.recorder, limit));
        }
        metrics
    }
}

/// Counts a request as in flight until the guard is dropped.
pub fn request_in_flight() -> GaugeGuard {
    METRICS.get().map_or_else(GaugeGuard::default, |metrics| GaugeGuard::new(&metrics.requests_in_flight))
}

/// Records a response. `route` is the path template of the route.
pub fn record_request(route: &'static str, status: u16, duration: Duration) {
    if let Some(metrics) = METRICS.get() {
        metrics.requests.get(&metrics.recorder, (route, status)).increment(1);
        metrics.request_seconds.get(&metrics.recorder, route).record(duration);
    }
}

/// Records an operation. `saved_query` is the name or short hash of its saved query, `name` the name of the operation.
pub fn record_operation(saved_query: Option<&str>, name: Option<&str>, kind: OperationKind, outcome: OperationOutcome, duration: Duration) {
    if let Some(metrics) = METRICS.get() {
        metrics.operations.record(&metrics.recorder, saved_query, name, (kind, outcome), duration);
    }
}

/// Records an operation that exceeded the slow query threshold.
pub fn record_slow_operation() {
    if let Some(metrics) = METRICS.get() {
        metrics.slow_operations.increment(1);
    }
}

/// Records a statement. Must be called on the thread that executed it, right after its end.
pub fn record_statement(kind: StatementKind, duration: Duration, failed: bool) {
    statement_stats::record_statement(duration);
    if let Some(metrics) = METRICS.get() {
        LAST_STATEMENT.set(duration);
        let of_kind = &metrics.statements[kind as usize];
        of_kind.seconds.record(duration);
        if failed {
            of_kind.failures.increment(1);
        }
    }
}

/// The start of a wait, if metrics are enabled.
pub fn start_wait() -> Option<Instant> {
    is_enabled().then(Instant::now)
}

/// Records the wait for a connection: the time since `start` without the last statement on this thread.
pub fn record_connection_wait(start: Option<Instant>) {
    if let (Some(metrics), Some(start)) = (METRICS.get(), start) {
        metrics.connection_wait.record(start.elapsed().saturating_sub(LAST_STATEMENT.take()));
    }
}

/// Records the wait for the write lock.
pub fn record_write_wait(start: Option<Instant>) {
    if let (Some(metrics), Some(start)) = (METRICS.get(), start) {
        metrics.write_wait.record(start.elapsed());
    }
}

/// Records a cache lookup.
pub fn record_cache_lookup(cache: CacheKind, is_hit: bool) {
    if let Some(metrics) = METRICS.get() {
        metrics.cache_lookups[cache as usize][usize::from(!is_hit)].increment(1);
    }
}

/// Records an error that is returned to a client. Codes are defined by the API, so their number is bounded.
pub fn record_error(code: &'static str) {
    if let Some(metrics) = METRICS.get() {
        metrics.errors.get(&metrics.recorder, code).increment(1);
    }
}

/// Records a rejection because of a limit, such as `body_bytes`. [`catalog::LIMITS`] lists the limits that are exported
/// before they are hit.
pub fn record_limit_hit(limit: &'static str) {
    if let Some(metrics) = METRICS.get() {
        metrics.limits_hit.get(&metrics.recorder, limit).increment(1);
    }
}

/// Counts a stream as open until the guard is dropped.
pub fn stream_open(kind: StreamKind) -> GaugeGuard {
    METRICS.get().map_or_else(GaugeGuard::default, |metrics| GaugeGuard::new(&metrics.streams[kind as usize]))
}

/// Sets a gauge whose value is determined when the metrics are scraped.
pub fn set_gauge(name: &'static str, labels: &[(&'static str, &str)], value: f64) {
    if let Some(metrics) = METRICS.get() {
        gauge(&metrics.recorder, name, labels).set(value);
    }
}

/// All metrics in the text format of Prometheus.
pub fn render() -> String {
    METRICS.get().map_or_else(String::new, |metrics| {
        metrics::with_local_recorder(&metrics.recorder, || metrics.process.collect());
        metrics.handle.render()
    })
}

/// Aggregates recorded durations into histogram buckets. Must be called regularly: until then every value is kept in memory.
pub fn run_upkeep() {
    if let Some(metrics) = METRICS.get() {
        metrics.handle.run_upkeep();
    }
}
