//! Requests and operations as they are seen from outside: their ids, what they take, and the lines and spans that tell.
//!
//! What is told of an operation is its name and the hash of its document, never the document, its variables, or who asks.

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
use crate::http::router::AppState;
use crate::observability::logging::{ACCESS_TARGET, REQUEST_TARGET};
use crate::observability::metrics;
use crate::observability::metrics::{OperationKind, OperationOutcome, StatementStats};
use crate::observability::tracing as otel;

/// What the id of a request is sent in, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Letters that an id of a client may have.
const LONGEST: usize = 100;
/// Letters of a path, or of the name of an operation, that are told.
const TOLD: usize = 100;
/// What addresses without a route are counted as.
const OTHER: &str = "other";
/// Routes that are asked again and again, and tell nothing by their traces.
const UNTRACED: [&str; 2] = ["/healthz", "/readyz"];

/// Gives each request an id and tells what it took.
pub(crate) async fn request(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _under_way = metrics::request_in_flight();
    let id = id(request.headers());
    let shown_id = id.to_str().unwrap_or_default();
    let route = route(request.extensions().get());
    let span = tracing::error_span!(target: REQUEST_TARGET, "request", request_id = shown_id);
    let traced = match otel::is_enabled() && !UNTRACED.contains(&route) {
        // below the other, so that lines inside it are found by the id too
        true => span.in_scope(|| traced(&request, route, shown_id)),
        false => Span::none(),
    };
    let access = tracing::enabled!(target: ACCESS_TARGET, Level::DEBUG).then(|| (request.method().clone(), request.uri().clone()));
    let mut response = next.run(request).instrument(traced.clone()).instrument(span.clone()).await;
    let (status, took) = (response.status(), began.elapsed());
    metrics::record_request(route, status.as_u16(), took);
    if !traced.is_disabled() {
        // the attribute is a number only where it is signed
        traced.record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            traced.record("otel.status_code", "ERROR");
        }
    }
    if let Some((method, uri)) = access {
        let path: String = uri.path().chars().take(TOLD).collect();
        let duration_ms = milliseconds(took);
        span.in_scope(|| tracing::debug!(target: ACCESS_TARGET, %method, path, status = status.as_u16(), duration_ms, "request"));
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn traced(request: &Request, route: &'static str, id: &str) -> Span {
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

/// The id that the client or a proxy gave, if it can stand in a log line, or else a new one.
fn id(headers: &HeaderMap) -> HeaderValue {
    let is_sane = |id: &&HeaderValue| {
        let letters = id.as_bytes();
        (1..=LONGEST).contains(&letters.len()) && letters.iter().all(|letter| letter.is_ascii_alphanumeric() || b"-_.:".contains(letter))
    };
    match headers.get(REQUEST_ID).filter(is_sane) {
        Some(id) => id.clone(),
        None => {
            let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
            let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
        }
    }
}

/// How the address of a request is declared. There are as many as the router has, so each is kept for ever.
fn route(matched: Option<&MatchedPath>) -> &'static str {
    static SEEN: RwLock<BTreeSet<&str>> = RwLock::new(BTreeSet::new());
    let Some(matched) = matched.map(MatchedPath::as_str) else { return OTHER };
    if let Some(seen) = SEEN.read().ok().and_then(|seen| seen.get(matched).copied()) {
        return seen;
    }
    let Ok(mut seen) = SEEN.write() else { return OTHER };
    // another may have come first
    if let Some(seen) = seen.get(matched) {
        return seen;
    }
    let kept: &'static str = Box::leak(matched.into());
    seen.insert(kept);
    kept
}

fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 100_000.0).round() / 100.0
}

/// An operation under way. What it took is told when it ends, or when it is given up.
#[derive(Debug)]
pub(crate) struct Operation {
    tally: Arc<StatementStats>,
    span: Span,
    began: Instant,
    kind: OperationKind,
    name: Option<String>,
    saved: Option<String>,
    document: String,
    slow: Option<Duration>,
    outcome: OperationOutcome,
    bytes: Option<usize>,
}

impl Operation {
    /// An operation begins; `saved` is what a saved query is known by.
    pub(crate) fn begin(service: &AppState, prepared: &PreparedOperation, saved: Option<String>) -> Self {
        let kind = match prepared.kind() {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        };
        let name = prepared.name().map(|name| name.chars().take(TOLD).collect::<String>());
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
            tally: Arc::default(),
            span,
            began: Instant::now(),
            kind,
            name,
            saved,
            document: prepared.text().to_owned(),
            slow: service.slow_query,
            outcome: OperationOutcome::Abandoned,
            bytes: None,
        }
    }

    /// The same operation, read as a table.
    pub(crate) fn into_table(mut self) -> Self {
        self.kind = OperationKind::Table;
        self
    }

    /// Runs a part of it.
    pub(crate) async fn of<T>(&self, part: impl Future<Output = T>) -> T {
        self.tally.scope(part).instrument(self.span.clone()).await
    }

    /// It has ended, with an answer of so many bytes if that is known.
    pub(crate) fn end(mut self, is_ok: bool, bytes: Option<usize>) {
        self.outcome = if is_ok { OperationOutcome::Ok } else { OperationOutcome::Errors };
        self.bytes = bytes;
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        metrics::record_operation(self.saved.as_deref(), self.name.as_deref(), self.kind, self.outcome, took);
        if !self.span.is_disabled() {
            self.span.record("graphql.statements", i64::try_from(self.tally.statements()).unwrap_or(i64::MAX));
            if self.outcome != OperationOutcome::Ok {
                self.span.record("otel.status_code", "ERROR");
            }
        }
        if self.slow.is_some_and(|slow| took >= slow) {
            metrics::record_slow_operation();
            tracing::warn!(
                operation = self.name,
                kind = self.kind.as_str(),
                saved = self.saved,
                outcome = self.outcome.as_str(),
                duration_ms = milliseconds(took),
                statements = self.tally.statements(),
                database_ms = milliseconds(self.tally.database_time()),
                rows = self.tally.rows(),
                bytes = self.bytes,
                document = sha256_hex(&self.document),
                "slow query"
            );
        }
    }
}
