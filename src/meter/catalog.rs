//! The names of all meters, and what each says.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusRecorder;

/// Upper ends of the buckets of durations, in seconds.
pub(super) const SECONDS: [f64; 15] = [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Limits that are shown before they are hit.
pub(super) const LIMITS: [&str; 19] = [
    "body_bytes",
    "upload_bytes",
    "streams",
    "socket_operations",
    "tables",
    "concurrency",
    "rate",
    "bytes",
    "tokens",
    "nesting",
    "depth",
    "fields",
    "root_fields",
    "aliases",
    "directives",
    "introspection",
    "values",
    "nodes",
    "request_time",
];

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

enum Ty {
    Counter,
    Gauge,
    Histogram,
}

const METERS: &[(Ty, &str, &str)] = &[
    (Ty::Counter, "kurultai_http_requests_total", "Requests that were answered, by route and status."),
    (Ty::Histogram, "kurultai_http_request_seconds", "Time from a request to the head of its answer, by route."),
    (Ty::Gauge, "kurultai_http_requests_in_flight", "Requests under way."),
    (Ty::Gauge, "kurultai_queries_running", "Requests that are let in; those answered by the cache need no place."),
    (Ty::Gauge, "kurultai_queries_max", "Requests that may be let in: the setting concurrency, half of it under overload."),
    (Ty::Gauge, "kurultai_queries_waiting", "Requests that wait to be let in."),
    (Ty::Counter, "kurultai_operations_total", "Operations that were run, not those answered by the cache, by name, type and outcome."),
    (Ty::Histogram, "kurultai_operation_seconds", "Time that operations took to run, by name and type."),
    (Ty::Counter, "kurultai_slow_operations_total", "Operations that took longer than the setting slow_query."),
    (Ty::Counter, "kurultai_errors_total", "Errors made for clients, by extensions.code."),
    (Ty::Counter, "kurultai_limits_hit_total", "Requests and operations that a limit turned away, by limit."),
    (Ty::Histogram, "kurultai_sql_statement_seconds", "Time that SQL statements took once they had a connection, by kind."),
    (Ty::Counter, "kurultai_sql_failures_total", "SQL statements that failed, by kind."),
    (Ty::Gauge, "kurultai_database_connections", "Connections to the database, by pool and state."),
    (Ty::Gauge, "kurultai_database_connections_max", "Connections to the database that there may be, by pool."),
    (Ty::Histogram, "kurultai_database_wait_seconds", "Time that reading statements waited for a connection."),
    (Ty::Histogram, "kurultai_database_write_wait_seconds", "Time that writes waited for their turn."),
    (
        Ty::Gauge,
        "kurultai_replicas",
        "Replicas of the database that are fresh and read from, behind what was written, or out: away, or behind for too long.",
    ),
    (Ty::Gauge, "kurultai_replica_lag_seconds", "For how long the replica that is furthest behind has lacked something."),
    (Ty::Counter, "kurultai_cache_lookups_total", "Lookups among what is kept, by cache and result."),
    (Ty::Gauge, "kurultai_cache_bytes", "Bytes of what is kept, by cache."),
    (Ty::Gauge, "kurultai_cache_entries", "Number of what is kept, by cache."),
    (Ty::Gauge, "kurultai_streams_open", "WebSockets, streams of events and subscriptions that are open, by kind."),
    (Ty::Gauge, "kurultai_stream_places_taken", "Places for streams that are taken."),
    (Ty::Gauge, "kurultai_stream_places", "Places for streams that there are."),
    (Ty::Gauge, "kurultai_tables_reading", "Tables and charts that are being read."),
    (Ty::Gauge, "kurultai_tables_max", "Tables and charts that may be read at the same time."),
    (Ty::Gauge, "kurultai_dataset_generation", "Number that moves on with each write, as this process sees it."),
    (Ty::Gauge, "kurultai_dataset_version", "Version of the dataset, the same in all processes."),
    (Ty::Gauge, "kurultai_ready", "Whether /readyz says so: 1 or 0."),
    (Ty::Gauge, "kurultai_build_info", "Always 1; the labels tell the version of the program and which database it uses."),
];

/// Tells the recorder what each meter says.
pub(super) fn describe(recorder: &PrometheusRecorder) {
    for (ty, name, says) in METERS {
        let (name, says) = (KeyName::from_const_str(name), (*says).into());
        match ty {
            Ty::Counter => recorder.describe_counter(name, None, says),
            Ty::Gauge => recorder.describe_gauge(name, None, says),
            Ty::Histogram => recorder.describe_histogram(name, None, says),
        }
    }
}

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    debug_assert!(METERS.iter().any(|(_, known, _)| *known == name), "{name} is not in the catalog");
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
