//! Request ids, and the metrics, log lines and trace spans of requests and operations.
//!
//! An operation is identified by its name and the hash of its document. The document, its variables and the caller are
//! never logged.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use async_graphql::parser::types::OperationType;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry_http::HeaderExtractor;
use tracing::field::Empty;
use tracing::{Instrument, Level, Span};
use uuid::Uuid;

use crate::core::digest::sha256_hex;
use crate::graphql::engine::PreparedOperation;
use crate::http::state::AppState;
use crate::observability::logging::{ACCESS_TARGET, REQUEST_TARGET};
use crate::observability::metrics;
use crate::observability::metrics::{OperationKind, OperationOutcome, StatementStats};
use crate::observability::tracing as otel;

/// Header of the request id, in requests and responses.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Maximum length of a request id from a client, in bytes.
const MAX_ID_BYTES: usize = 100;
/// Characters of a path or an operation name that are logged.
const MAX_LOGGED_CHARS: usize = 100;
/// The route label of requests without a route.
const OTHER_ROUTE: &str = "other";
/// Routes of probes, which are not traced.
const UNTRACED_ROUTES: [&str; 2] = ["/healthz", "/readyz"];

/// Middleware: assigns the request id, and records the metrics, the log line and the span of a request.
pub(crate) async fn log_request(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let _in_flight = metrics::request_in_flight();
    let id = request_id(request.headers());
    let id_text = id.to_str().unwrap_or_default();
    let route = route(request.extensions().get());
    let span = tracing::error_span!(target: REQUEST_TARGET, "request", request_id = id_text);
    let trace_span = if otel::is_enabled() && !UNTRACED_ROUTES.contains(&route) {
        // a child of the request span, so that its log lines have the request id too
        span.in_scope(|| server_span(&request, route, id_text))
    } else {
        Span::none()
    };
    let logged = tracing::enabled!(target: ACCESS_TARGET, Level::DEBUG).then(|| (request.method().clone(), request.uri().clone()));
    let mut response = next.run(request).instrument(trace_span.clone()).instrument(span.clone()).await;
    let (status, duration) = (response.status(), start.elapsed());
    metrics::record_request(route, status.as_u16(), duration);
    if !trace_span.is_disabled() {
        // only a signed integer is exported as a number
        trace_span.record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            trace_span.record("otel.status_code", "ERROR");
        }
    }
    if let Some((method, uri)) = logged {
        let path: String = uri.path().chars().take(MAX_LOGGED_CHARS).collect();
        let duration_ms = milliseconds(duration);
        span.in_scope(|| tracing::debug!(target: ACCESS_TARGET, %method, path, status = status.as_u16(), duration_ms, "request"));
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn server_span(request: &Request, route: &'static str, id: &str) -> Span {
    let method = request.method().as_str();
    let span = tracing::debug_span!(
        target: otel::TRACE_TARGET,
        "http",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        request_id = id,
    );
    otel::set_parent_from_headers(&span, &HeaderExtractor(request.headers()));
    span
}

/// The id from the request if it is safe to log, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_valid = |id: &&HeaderValue| {
        let bytes = id.as_bytes();
        (1..=MAX_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
    };
    if let Some(id) = headers.get(REQUEST_ID).filter(is_valid) {
        id.clone()
    } else {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

/// The route pattern of a request, interned: the router has a fixed number of routes.
fn route(matched: Option<&MatchedPath>) -> &'static str {
    static INTERNED: RwLock<BTreeSet<&str>> = RwLock::new(BTreeSet::new());
    let Some(matched) = matched.map(MatchedPath::as_str) else { return OTHER_ROUTE };
    if let Some(route) = INTERNED.read().ok().and_then(|routes| routes.get(matched).copied()) {
        return route;
    }
    let Ok(mut routes) = INTERNED.write() else { return OTHER_ROUTE };
    // another thread may have inserted it
    if let Some(route) = routes.get(matched) {
        return route;
    }
    let route: &'static str = Box::leak(matched.into());
    routes.insert(route);
    route
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// Measures an operation. Its metrics, span and slow-query line are recorded on drop, as abandoned unless [`finish`]
/// was called.
///
/// [`finish`]: Self::finish
#[derive(Debug)]
pub(crate) struct OperationLog {
    statements: Arc<StatementStats>,
    span: Span,
    start: Instant,
    kind: OperationKind,
    name: Option<String>,
    saved_query: Option<String>,
    document: String,
    slow_query_threshold: Option<Duration>,
    outcome: OperationOutcome,
    bytes: Option<usize>,
}

impl OperationLog {
    /// Starts the measurement; `saved_query` is the name or the shortened hash of a saved query.
    pub(crate) fn start(state: &AppState, prepared: &PreparedOperation, saved_query: Option<String>) -> Self {
        let kind = match prepared.kind() {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        };
        let name = prepared.name().map(|name| name.chars().take(MAX_LOGGED_CHARS).collect::<String>());
        let span = tracing::debug_span!(
            target: otel::TRACE_TARGET,
            "operation",
            otel.name = match &name {
                Some(name) => format!("{} {name}", kind.as_str()),
                None => kind.as_str().to_owned(),
            },
            otel.status_code = Empty,
            graphql.operation.r#type = kind.as_str(),
            graphql.operation.name = name,
            graphql.statements = Empty,
        );
        Self {
            statements: Arc::default(),
            span,
            start: Instant::now(),
            kind,
            name,
            saved_query,
            document: prepared.text().to_owned(),
            slow_query_threshold: state.slow_query_threshold,
            outcome: OperationOutcome::Abandoned,
            bytes: None,
        }
    }

    /// Records the operation as a table export.
    pub(crate) fn into_table(mut self) -> Self {
        self.kind = OperationKind::Table;
        self
    }

    /// Runs a future as a part of the operation.
    pub(crate) async fn scope<T>(&self, part: impl Future<Output = T>) -> T {
        self.statements.scope(part).instrument(self.span.clone()).await
    }

    /// Records the outcome and, if known, the size of the response.
    pub(crate) fn finish(mut self, is_ok: bool, bytes: Option<usize>) {
        self.outcome = if is_ok { OperationOutcome::Ok } else { OperationOutcome::Errors };
        self.bytes = bytes;
    }
}

impl Drop for OperationLog {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        metrics::record_operation(self.saved_query.as_deref(), self.name.as_deref(), self.kind, self.outcome, duration);
        if !self.span.is_disabled() {
            self.span.record("graphql.statements", i64::try_from(self.statements.statements()).unwrap_or(i64::MAX));
            if self.outcome != OperationOutcome::Ok {
                self.span.record("otel.status_code", "ERROR");
            }
        }
        if self.slow_query_threshold.is_some_and(|threshold| duration >= threshold) {
            metrics::record_slow_operation();
            tracing::warn!(
                operation = self.name,
                kind = self.kind.as_str(),
                saved = self.saved_query,
                outcome = self.outcome.as_str(),
                duration_ms = milliseconds(duration),
                statements = self.statements.statements(),
                database_ms = milliseconds(self.statements.database_time()),
                rows = self.statements.rows(),
                bytes = self.bytes,
                document = sha256_hex(&self.document),
                "slow query"
            );
        }
    }
}
