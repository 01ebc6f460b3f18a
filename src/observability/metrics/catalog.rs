//! The names and descriptions of all metrics.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusRecorder;

/// Upper bounds of the histogram buckets, in seconds.
pub(super) const BUCKET_BOUNDS_SECONDS: [f64; 15] =
    [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Limits that are exported as 0 before they are first hit.
pub(super) const LIMITS: [&str; 20] = [
    "body_bytes",
    "upload_bytes",
    "streams",
    "socket_operations",
    "tables",
    "concurrency",
    "rate",
    "query_bytes",
    "query_tokens",
    "nesting",
    "depth",
    "fields",
    "root_fields",
    "aliases",
    "directives",
    "introspection",
    "variable_values",
    "response_bytes",
    "nodes",
    "request_time",
];

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

enum MetricType {
    Counter,
    Gauge,
    Histogram,
}

const CATALOG: &[(MetricType, &str, &str)] = &[
    (MetricType::Counter, "kurultai_http_requests_total", "HTTP responses, by route and status."),
    (MetricType::Histogram, "kurultai_http_request_seconds", "Time from a request to the headers of its response, by route."),
    (MetricType::Gauge, "kurultai_http_requests_in_flight", "HTTP requests in flight."),
    (MetricType::Gauge, "kurultai_queries_running", "Requests admitted to execution. Responses from the cache are not counted."),
    (MetricType::Gauge, "kurultai_queries_max", "Maximum of admitted requests: the setting max_concurrent_queries, halved under overload."),
    (MetricType::Gauge, "kurultai_queries_waiting", "Requests in the admission queue."),
    (
        MetricType::Counter,
        "kurultai_operations_total",
        "Executed operations, by name, type and outcome. Responses from the cache are not counted.",
    ),
    (MetricType::Histogram, "kurultai_operation_seconds", "Execution time of operations, by name and type."),
    (MetricType::Counter, "kurultai_slow_operations_total", "Operations that took longer than the setting slow_query_ms."),
    (MetricType::Counter, "kurultai_errors_total", "Errors returned to clients, by extensions.code."),
    (MetricType::Counter, "kurultai_limits_hit_total", "Requests and operations rejected because of a limit, by limit."),
    (
        MetricType::Histogram,
        "kurultai_sql_statement_seconds",
        "Execution time of SQL statements, without the wait for a connection, by kind.",
    ),
    (MetricType::Counter, "kurultai_sql_failures_total", "Failed SQL statements, by kind."),
    (MetricType::Gauge, "kurultai_database_connections", "Database connections, by pool and state."),
    (MetricType::Gauge, "kurultai_database_connections_max", "Maximum number of database connections, by pool."),
    (MetricType::Histogram, "kurultai_database_wait_seconds", "Time that read statements waited for a connection."),
    (MetricType::Histogram, "kurultai_database_write_wait_seconds", "Time that writes waited for the write lock."),
    (
        MetricType::Gauge,
        "kurultai_replicas",
        "Replicas of the database, by state: fresh (serving reads), behind (not yet caught up), out (unreachable or lagging for too long).",
    ),
    (MetricType::Gauge, "kurultai_replica_lag_seconds", "Lag of the replica that is furthest behind."),
    (MetricType::Counter, "kurultai_cache_lookups_total", "Cache lookups, by cache and result."),
    (MetricType::Gauge, "kurultai_cache_bytes", "Size of the cache entries, by cache."),
    (MetricType::Gauge, "kurultai_cache_entries", "Number of cache entries, by cache."),
    (MetricType::Gauge, "kurultai_streams_open", "Open WebSockets, event streams and subscriptions, by kind."),
    (MetricType::Gauge, "kurultai_stream_places_taken", "Streams that count against the setting max_streams."),
    (MetricType::Gauge, "kurultai_stream_places", "Maximum number of streams: the setting max_streams."),
    (MetricType::Gauge, "kurultai_tables_reading", "Tables and charts that are being exported."),
    (MetricType::Gauge, "kurultai_tables_max", "Maximum number of concurrent exports of tables and charts."),
    (MetricType::Gauge, "kurultai_dataset_generation", "Generation of the dataset in this process, which every write advances."),
    (MetricType::Gauge, "kurultai_dataset_version", "Version of the dataset, which is the same in all processes."),
    (MetricType::Gauge, "kurultai_ready", "Whether the readiness probe succeeds: 1 or 0."),
    (MetricType::Gauge, "kurultai_build_info", "Always 1; the labels give the version of the program and the type of its database."),
];

/// Registers the description of each metric.
pub(super) fn describe(recorder: &PrometheusRecorder) {
    for (metric_type, name, description) in CATALOG {
        let (name, description) = (KeyName::from_const_str(name), (*description).into());
        match metric_type {
            MetricType::Counter => recorder.describe_counter(name, None, description),
            MetricType::Gauge => recorder.describe_gauge(name, None, description),
            MetricType::Histogram => recorder.describe_histogram(name, None, description),
        }
    }
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    debug_assert!(CATALOG.iter().any(|(_, known, _)| *known == name), "{name} is not in the catalog");
    Key::from_parts(name, labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect::<Vec<_>>())
}

pub(super) fn counter(recorder: &PrometheusRecorder, name: &'static str, labels: &[(&'static str, &str)]) -> Counter {
    recorder.register_counter(&key(name, labels), &METADATA)
}

pub(super) fn gauge(recorder: &PrometheusRecorder, name: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
    recorder.register_gauge(&key(name, labels), &METADATA)
}

pub(super) fn histogram(recorder: &PrometheusRecorder, name: &'static str, labels: &[(&'static str, &str)]) -> Histogram {
    recorder.register_histogram(&key(name, labels), &METADATA)
}
