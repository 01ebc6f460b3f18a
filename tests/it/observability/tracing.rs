//! Traces, as a collector receives them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use kurultai::core::auth::Role;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rstest::rstest;
use serde_json::json;

use super::server_process::ServerProcess;
use crate::cli::command::{kurultai, run};
use crate::server::{On, Server};

/// A collector of traces.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

impl Collector {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(Self::receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    #[expect(clippy::unused_async, reason = "axum requires a handler to be async")]
    async fn receive(State(collector): State<Self>, headers: HeaderMap, body: Bytes) {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for resource_spans in request.resource_spans {
            let service = attribute(&resource_spans.resource.unwrap().attributes, "service.name");
            let spans = resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
            collector.0.lock().unwrap().extend(spans.map(|span| (service.clone(), span)));
        }
    }

    /// Waits for a span, and returns all spans of its trace by id.
    async fn wait_for_trace(&self, matches: impl Fn(&Span) -> bool) -> HashMap<Vec<u8>, Span> {
        let found = async {
            loop {
                let spans: Vec<Span> = self.0.lock().unwrap().iter().map(|(_, span)| span.clone()).collect();
                if let Some(found) = spans.iter().find(|span| matches(span)) {
                    let id = &found.trace_id;
                    return spans.iter().filter(|span| span.trace_id == *id).map(|span| (span.span_id.clone(), span.clone())).collect();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found).await.expect("the span was not exported")
    }
}

fn attribute(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn span_named<'t>(trace: &'t HashMap<Vec<u8>, Span>, name: &str) -> &'t Span {
    let names: Vec<&str> = trace.values().map(|span| span.name.as_str()).collect();
    trace.values().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} is not among {names:?}"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn request_operation_and_statements_form_one_trace(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let (_, token) = server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let mut process = ServerProcess::start(&server, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "50")]).await;
    let query = "query People($a: String!) { people(first: 2, filter: {slug: {startsWith: $a}}) { totalCount nodes { slug } } }";
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", parent), ("x-request-id", "traced-1")];
    process.post(&json!({"query": query, "variables": {"a": "hidden-variable"}}), &headers).await;
    let trace = collector.wait_for_trace(|span| span.name == "POST /graphql").await;

    let request = span_named(&trace, "POST /graphql");
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((hex(&request.trace_id).as_str(), hex(&request.parent_span_id).as_str()), (&parent[3..35], &parent[36..52]));
    assert_eq!((request.kind, attribute(&request.attributes, "request_id").as_str()), (2, "traced-1"));
    assert_eq!(attribute(&request.attributes, "http.route"), "/graphql");
    assert_eq!(attribute(&request.attributes, "http.response.status_code"), "IntValue(200)");
    let operation = span_named(&trace, "query People");
    assert_eq!(operation.parent_span_id, request.span_id);
    assert_eq!(attribute(&operation.attributes, "graphql.operation.name"), "People");
    assert_eq!(attribute(&operation.attributes, "graphql.operation.type"), "query");
    let statements: Vec<&Span> = trace.values().filter(|span| span.parent_span_id == operation.span_id).collect();
    assert_eq!(attribute(&operation.attributes, "graphql.statements"), "IntValue(2)");
    assert_eq!(statements.len(), 2, "one statement for the page and one for the total count: {statements:?}");
    for statement in statements {
        assert_eq!((statement.kind, statement.name.starts_with("SELECT")), (3, true), "{statement:?}");
        let system = if on == On::Sqlite { "sqlite" } else { "postgresql" };
        assert_eq!(attribute(&statement.attributes, "db.system.name"), system);
        assert!(attribute(&statement.attributes, "db.query.text").contains("\"persons\""), "{statement:?}");
        assert!(statement.start_time_unix_nano >= operation.start_time_unix_nano - 1_000_000);
        assert!(statement.end_time_unix_nano <= operation.end_time_unix_nano + 1_000_000);
    }

    // without a traceparent, a mutation is the root of a new trace
    let mutation = "mutation Add($input: CreatePersonInput!) { createPerson(input: $input) { errors { message } } }";
    let bearer = format!("Bearer {token}");
    let body = json!({"query": mutation, "variables": {"input": {"slug": "hidden-person", "name": {"en": "hidden-name"}}}});
    process.post(&body, &[("authorization", &bearer)]).await;
    let trace = collector.wait_for_trace(|span| span.name == "POST /graphql" && hex(&span.trace_id) != parent[3..35]).await;
    let operation = span_named(&trace, "mutation Add");
    let insert = span_named(&trace, "INSERT persons");
    assert_eq!(insert.parent_span_id, operation.span_id);

    // probes are not traced
    assert_eq!(process.get("/readyz").await.status(), 200);

    // a table is read in spawned tasks
    process.get("/table.csv?query=%7B%20laws%20%7B%20nodes%20%7B%20slug%20%7D%20%7D%20%7D").await.text().await.unwrap();
    let trace = collector.wait_for_trace(|span| span.name == "GET /table.{format}").await;
    let table = span_named(&trace, "query");
    assert!(trace.values().any(|span| span.parent_span_id == table.span_id && span.name.starts_with("SELECT")));

    process.terminate();
    process.wait_for_exit().await;
    let all = collector.0.lock().unwrap();
    assert!(all.iter().all(|(service, _)| service == "kurultai"));
    // statements of background work are not traced
    let roots = all.iter().filter(|(_, span)| span.parent_span_id.is_empty()).map(|(_, span)| span.name.as_str());
    assert_eq!(roots.collect::<Vec<_>>(), ["POST /graphql", "GET /table.{format}"]);
    let exported = format!("{all:?}");
    let secret = token.rsplit('_').next().unwrap();
    assert!(!exported.contains("hidden") && !exported.contains(secret), "{exported}");
}

#[tokio::test(flavor = "multi_thread")]
async fn remaining_traces_are_exported_on_shutdown() {
    let server = Server::empty(On::Sqlite).await;
    let collector = Collector::default();
    let endpoint = collector.start().await;
    // no export before the shutdown
    let mut process =
        ServerProcess::start(&server, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")]).await;
    process.query("query Last { people { totalCount } }").await;
    assert!(collector.0.lock().unwrap().is_empty());
    process.terminate();
    process.wait_for_exit().await;
    span_named(&collector.wait_for_trace(|span| span.name == "query Last").await, "POST /graphql");
}

#[test]
fn unsupported_trace_protocol_is_rejected_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("k.db").display());
    let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317").env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let (ok, _, error) = run(command);
    assert!(!ok && error.contains("OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is supported"), "{error}");
}
