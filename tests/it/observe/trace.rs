//! Traces, as a collector gets them.

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

use super::running::Running;
use crate::command::{kurultai, run};
use crate::server::{On, Server};

/// Something that takes traces.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

impl Collector {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(Self::take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    async fn take(State(collector): State<Self>, headers: HeaderMap, body: Bytes) {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let sent = ExportTraceServiceRequest::decode(body).unwrap();
        for of in sent.resource_spans {
            let service = text(&of.resource.unwrap().attributes, "service.name");
            let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
            collector.0.lock().unwrap().extend(spans.map(|span| (service.clone(), span)));
        }
    }

    /// Waits until a span has come, and gives all of its trace by their ids.
    async fn trace(&self, is_it: impl Fn(&Span) -> bool) -> HashMap<Vec<u8>, Span> {
        let found = async {
            loop {
                let spans: Vec<Span> = self.0.lock().unwrap().iter().map(|(_, span)| span.clone()).collect();
                if let Some(found) = spans.iter().find(|span| is_it(span)) {
                    let id = &found.trace_id;
                    return spans.iter().filter(|span| span.trace_id == *id).map(|span| (span.span_id.clone(), span.clone())).collect();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found).await.expect("the span did not come")
    }
}

fn text(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn of_name<'t>(trace: &'t HashMap<Vec<u8>, Span>, name: &str) -> &'t Span {
    let names: Vec<&str> = trace.values().map(|span| span.name.as_str()).collect();
    trace.values().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} is not among {names:?}"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_its_operation_and_its_statements_are_one_trace(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let (_, token) = server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let mut running = Running::over(&server, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "50")]).await;
    let query = "query People($a: String!) { people(first: 2, filter: {slug: {startsWith: $a}}) { totalCount nodes { slug } } }";
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", parent), ("x-request-id", "traced-1")];
    running.post(&json!({"query": query, "variables": {"a": "hidden-variable"}}), &headers).await;
    let trace = collector.trace(|span| span.name == "POST /graphql").await;

    let request = of_name(&trace, "POST /graphql");
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((hex(&request.trace_id).as_str(), hex(&request.parent_span_id).as_str()), (&parent[3..35], &parent[36..52]));
    assert_eq!((request.kind, text(&request.attributes, "request_id").as_str()), (2, "traced-1"));
    assert_eq!(text(&request.attributes, "http.route"), "/graphql");
    assert_eq!(text(&request.attributes, "http.response.status_code"), "IntValue(200)");
    let operation = of_name(&trace, "query People");
    assert_eq!(operation.parent_span_id, request.span_id);
    assert_eq!(text(&operation.attributes, "graphql.operation.name"), "People");
    assert_eq!(text(&operation.attributes, "graphql.operation.type"), "query");
    let statements: Vec<&Span> = trace.values().filter(|span| span.parent_span_id == operation.span_id).collect();
    assert_eq!(text(&operation.attributes, "graphql.statements"), "IntValue(2)");
    assert_eq!(statements.len(), 2, "one for the page and one for the number of all: {statements:?}");
    for statement in statements {
        assert_eq!((statement.kind, statement.name.starts_with("SELECT")), (3, true), "{statement:?}");
        let system = if on == On::Sqlite { "sqlite" } else { "postgresql" };
        assert_eq!(text(&statement.attributes, "db.system.name"), system);
        assert!(text(&statement.attributes, "db.query.text").contains("\"persons\""), "{statement:?}");
        assert!(statement.start_time_unix_nano >= operation.start_time_unix_nano - 1_000_000);
        assert!(statement.end_time_unix_nano <= operation.end_time_unix_nano + 1_000_000);
    }

    // what is written is a trace of its own, where no other is told of
    let mutation = "mutation Add($input: CreatePersonInput!) { createPerson(input: $input) { errors { message } } }";
    let bearer = format!("Bearer {token}");
    let body = json!({"query": mutation, "variables": {"input": {"slug": "hidden-person", "name": {"en": "hidden-name"}}}});
    running.post(&body, &[("authorization", &bearer)]).await;
    let trace = collector.trace(|span| span.name == "POST /graphql" && hex(&span.trace_id) != parent[3..35]).await;
    let operation = of_name(&trace, "mutation Add");
    let insert = of_name(&trace, "INSERT persons");
    assert_eq!(insert.parent_span_id, operation.span_id);

    // a look at its health is no trace
    assert_eq!(running.get("/readyz").await.status(), 200);

    // a table is read by tasks of its own
    running.get("/table.csv?query=%7B%20laws%20%7B%20nodes%20%7B%20slug%20%7D%20%7D%20%7D").await.text().await.unwrap();
    let trace = collector.trace(|span| span.name == "GET /table.{format}").await;
    let table = of_name(&trace, "query");
    assert!(trace.values().any(|span| span.parent_span_id == table.span_id && span.name.starts_with("SELECT")));

    running.terminate();
    running.stopped().await;
    let all = collector.0.lock().unwrap();
    assert!(all.iter().all(|(service, _)| service == "kurultai"));
    // statements that belong to no request are no traces either
    let roots = all.iter().filter(|(_, span)| span.parent_span_id.is_empty()).map(|(_, span)| span.name.as_str());
    assert_eq!(roots.collect::<Vec<_>>(), ["POST /graphql", "GET /table.{format}"]);
    let told = format!("{all:?}");
    let secret = token.rsplit('_').next().unwrap();
    assert!(!told.contains("hidden") && !told.contains(secret), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_traces_are_sent_before_the_program_ends() {
    let server = Server::empty(On::Sqlite).await;
    let collector = Collector::default();
    let endpoint = collector.start().await;
    // sent once an hour
    let mut running = Running::over(&server, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")]).await;
    running.ask("query Last { people { totalCount } }").await;
    assert!(collector.0.lock().unwrap().is_empty());
    running.terminate();
    running.stopped().await;
    of_name(&collector.trace(|span| span.name == "query Last").await, "POST /graphql");
}

#[test]
fn a_protocol_that_is_not_spoken_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("k.db").display());
    let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317").env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let (ok, _, error) = run(command);
    assert!(!ok && error.contains("OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent by http/protobuf"), "{error}");
}
