//! What is counted and measured while the service runs, in the text format of Prometheus.
//!
//! Nothing is counted before [`start`], and then it costs next to nothing: meters are made once and found by labels
//! that are bounded. A label never holds what a client wrote, but for the names in [`operation`].

mod catalog;
mod family;
mod operation;
mod tally;

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_process::Collector;

use catalog::{counter, gauge, histogram};
use family::Family;
use operation::Operations;

pub use operation::{Kind, Known, Outcome};
pub use tally::{Tally, rows};

/// The meters of this process, once they are wanted.
static METERS: OnceLock<Meters> = OnceLock::new();

thread_local! {
    /// What the statement that ended last on this thread took, until it is asked for.
    static TOOK: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

struct Meters {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    process: Collector,
    operations: Operations,
    requests: Family<(&'static str, u16), Counter>,
    request_seconds: Family<&'static str, Histogram>,
    in_flight: Gauge,
    statements: [Statements; 3],
    waited: Histogram,
    waited_to_write: Histogram,
    lookups: [[Counter; 2]; 3],
    errors: Family<&'static str, Counter>,
    limits: Family<&'static str, Counter>,
    slow: Counter,
    streams: [Gauge; 3],
}

/// Meters of the statements of one kind.
struct Statements {
    seconds: Histogram,
    failed: Counter,
}

/// What a statement of SQL does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// It reads.
    Read,
    /// It changes rows.
    Write,
    /// It waits until it is alone.
    Lock,
}

impl Statement {
    /// Tells by its first word; where it is for a lock is told by its caller alone.
    pub fn of(sql: &str) -> Self {
        match sql.split_ascii_whitespace().next() {
            Some("INSERT" | "UPDATE" | "DELETE") => Self::Write,
            _ if sql.starts_with("SELECT pg_advisory_") => Self::Lock,
            _ => Self::Read,
        }
    }
}

/// Something that is kept so that it need not be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// Answers.
    Answers,
    /// Documents that were parsed and checked.
    Documents,
    /// Documents by the hashes that clients sent.
    Persisted,
}

impl Cache {
    /// Its name in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Documents => "documents",
            Self::Persisted => "persisted",
        }
    }
}

/// Something that stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// A WebSocket.
    WebSocket,
    /// A stream of events.
    Events,
    /// A subscription that is followed, by either.
    Subscription,
}

/// Counts as under way or open until it is dropped.
#[derive(Default)]
pub struct Held(Option<Gauge>);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Held").field(&self.0.is_some()).finish()
    }
}

impl Held {
    fn new(gauge: &Gauge) -> Self {
        gauge.increment(1.0);
        Self(Some(gauge.clone()))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(gauge) = &self.0 {
            gauge.decrement(1.0);
        }
    }
}

/// Begins to count; what is counted already goes on. Operations are told apart by the names that are known.
pub fn start(known: Known) {
    METERS.get_or_init(|| Meters::new(known));
}

/// Whether anything is counted.
pub fn is_on() -> bool {
    METERS.get().is_some()
}

impl Meters {
    fn new(known: Known) -> Self {
        // the buckets are neither empty nor of a name that could be wrong
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &catalog::SECONDS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        catalog::describe(&recorder);
        let process = Collector::default();
        metrics::with_local_recorder(&recorder, || process.describe());
        let statements = |kind| Statements {
            seconds: histogram(&recorder, "kurultai_sql_statement_seconds", &[("kind", kind)]),
            failed: counter(&recorder, "kurultai_sql_failures_total", &[("kind", kind)]),
        };
        let lookups = |cache: Cache| {
            ["hit", "miss"]
                .map(|result| counter(&recorder, "kurultai_cache_lookups_total", &[("cache", cache.as_str()), ("result", result)]))
        };
        let meters = Self {
            operations: Operations::new(known, &recorder),
            requests: Family::new(|recorder, (route, status)| {
                counter(recorder, "kurultai_http_requests_total", &[("route", route), ("status", &status.to_string())])
            }),
            request_seconds: Family::new(|recorder, route| histogram(recorder, "kurultai_http_request_seconds", &[("route", route)])),
            in_flight: gauge(&recorder, "kurultai_http_requests_in_flight", &[]),
            statements: ["read", "write", "lock"].map(statements),
            waited: histogram(&recorder, "kurultai_database_wait_seconds", &[]),
            waited_to_write: histogram(&recorder, "kurultai_database_write_wait_seconds", &[]),
            lookups: [Cache::Answers, Cache::Documents, Cache::Persisted].map(lookups),
            errors: Family::new(|recorder, code| counter(recorder, "kurultai_errors_total", &[("code", code)])),
            limits: Family::new(|recorder, limit| counter(recorder, "kurultai_limits_hit_total", &[("limit", limit)])),
            slow: counter(&recorder, "kurultai_slow_operations_total", &[]),
            streams: ["websocket", "events", "subscription"].map(|kind| gauge(&recorder, "kurultai_streams_open", &[("kind", kind)])),
            handle: recorder.handle(),
            process,
            recorder,
        };
        // what has not happened yet is 0, so that a rate can be taken of the first time too
        crate::core::error::ErrorCode::ALL.iter().for_each(|code| drop(meters.errors.get(&meters.recorder, code.as_str())));
        catalog::LIMITS.iter().for_each(|limit| drop(meters.limits.get(&meters.recorder, limit)));
        meters
    }
}

/// A request has come; it counts as under way for as long as what is given lives.
pub fn request_began() -> Held {
    METERS.get().map_or_else(Held::default, |meters| Held::new(&meters.in_flight))
}

/// A request was answered; `route` is how its address is declared.
pub fn request(route: &'static str, status: u16, took: Duration) {
    if let Some(meters) = METERS.get() {
        meters.requests.get(&meters.recorder, (route, status)).increment(1);
        meters.request_seconds.get(&meters.recorder, route).record(took);
    }
}

/// An operation was run. `saved` is what a saved query is known by, `name` the name of the operation.
pub fn operation(saved: Option<&str>, name: Option<&str>, kind: Kind, outcome: Outcome, took: Duration) {
    if let Some(meters) = METERS.get() {
        meters.operations.count(&meters.recorder, saved, name, (kind, outcome), took);
    }
}

/// An operation took longer than it should.
pub fn slow() {
    if let Some(meters) = METERS.get() {
        meters.slow.increment(1);
    }
}

/// A statement was run, by this thread just now.
pub fn statement(statement: Statement, took: Duration, failed: bool) {
    tally::statement(took);
    if let Some(meters) = METERS.get() {
        TOOK.set(took);
        let of = &meters.statements[statement as usize];
        of.seconds.record(took);
        if failed {
            of.failed.increment(1);
        }
    }
}

/// When a wait begins, if anything is counted.
pub fn wait() -> Option<Instant> {
    is_on().then(Instant::now)
}

/// A connection was waited for: all that passed since then which was not the statement that this thread just ended.
pub fn waited(since: Option<Instant>) {
    if let (Some(meters), Some(since)) = (METERS.get(), since) {
        meters.waited.record(since.elapsed().saturating_sub(TOOK.take()));
    }
}

/// The turn to write was waited for.
pub fn waited_to_write(since: Option<Instant>) {
    if let (Some(meters), Some(since)) = (METERS.get(), since) {
        meters.waited_to_write.record(since.elapsed());
    }
}

/// Something was looked for among what is kept.
pub fn lookup(cache: Cache, found: bool) {
    if let Some(meters) = METERS.get() {
        meters.lookups[cache as usize][usize::from(!found)].increment(1);
    }
}

/// An error was made for a client. Codes are a part of the API, not of what clients write.
pub fn error(code: &'static str) {
    if let Some(meters) = METERS.get() {
        meters.errors.get(&meters.recorder, code).increment(1);
    }
}

/// A limit turned something away. Each limit has a name of its own, such as `body_bytes`; [`catalog::LIMITS`] lists
/// those that are shown before they are hit.
pub fn limit(limit: &'static str) {
    if let Some(meters) = METERS.get() {
        meters.limits.get(&meters.recorder, limit).increment(1);
    }
}

/// Something was opened; it counts as open for as long as what is given lives.
pub fn open(what: Open) -> Held {
    METERS.get().map_or_else(Held::default, |meters| Held::new(&meters.streams[what as usize]))
}

/// Sets what is looked up only when it is asked for.
pub fn set(name: &'static str, labels: &[(&'static str, &str)], value: f64) {
    if let Some(meters) = METERS.get() {
        gauge(&meters.recorder, name, labels).set(value);
    }
}

/// Everything that is counted, as Prometheus reads it.
pub fn render() -> String {
    METERS.get().map_or_else(String::new, |meters| {
        metrics::with_local_recorder(&meters.recorder, || meters.process.collect());
        meters.handle.render()
    })
}

/// Puts what was measured lately into its buckets. Somebody has to do that now and then: until then each value is kept.
pub fn tidy() {
    if let Some(meters) = METERS.get() {
        meters.handle.run_upkeep();
    }
}
