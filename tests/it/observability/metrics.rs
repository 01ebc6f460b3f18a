//! Metrics, and the dashboard that shows them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use kurultai::core::auth::Role;
use migration::sea_orm::{ConnectionTrait, TransactionTrait};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::server_process::ServerProcess;
use crate::cli::command::{kurultai, run};
use crate::server::{Asker, On, Server, path};

const PEOPLE: &str = "query People { people(first: 3) { nodes { slug } } }";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn metrics_cover_requests_operations_statements_caches(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let process = ServerProcess::start(&server, &[("KURULTAI_METRICS_OPERATIONS", "[\"People\"]")]).await;
    let before = process.scrape().await;
    before.assert_eq("kurultai_errors_total", &[("code", "INTERNAL_SERVER_ERROR")], 0.0);
    before.assert_eq("kurultai_limits_hit_total", &[("limit", "body_bytes")], 0.0);
    before.assert_eq("kurultai_ready", &[], 1.0);
    let system = if on == On::Sqlite { "sqlite" } else { "postgresql" };
    before.assert_eq("kurultai_build_info", &[("version", env!("CARGO_PKG_VERSION")), ("database", system)], 1.0);

    // the second response comes from the cache: one operation is executed for two requests
    for _ in 0..2 {
        assert!(process.query(PEOPLE).await.get("errors").is_none());
    }
    process.query("{ people { totalCount } }").await;
    process.query("query SecretName { laws { totalCount } }").await;
    process.query("{ nothing }").await;
    process.query("{ people(first: -1) { totalCount } }").await;
    process.post(&json!({"query": " ".repeat(300_000)}), &[]).await;
    let csv = process.get("/table.csv?query=%7B%20people%20%7B%20nodes%20%7B%20slug%20%7D%20%7D%20%7D").await;
    assert!(csv.text().await.unwrap().lines().count() > 5);
    process.get("/nothing/at/all").await;

    let after = process.scrape().await;
    after.assert_eq("kurultai_http_requests_total", &[("route", "/graphql"), ("status", "200")], 6.0);
    after.assert_eq("kurultai_http_requests_total", &[("route", "/graphql"), ("status", "413")], 1.0);
    after.assert_eq("kurultai_http_requests_total", &[("route", "/table.{format}"), ("status", "200")], 1.0);
    after.assert_eq("kurultai_http_requests_total", &[("route", "other"), ("status", "404")], 1.0);
    after.assert_eq("kurultai_http_request_seconds_count", &[("route", "/graphql")], 7.0);
    after.assert_eq("kurultai_http_request_seconds_bucket", &[("route", "/graphql"), ("le", "+Inf")], 7.0);
    after.assert_eq("kurultai_http_requests_in_flight", &[], 0.0);
    after.assert_eq("kurultai_operations_total", &[("operation", "People"), ("type", "query"), ("outcome", "ok")], 1.0);
    after.assert_eq("kurultai_operation_seconds_count", &[("operation", "People"), ("type", "query")], 1.0);
    after.assert_eq("kurultai_operations_total", &[("operation", "anonymous"), ("type", "query"), ("outcome", "ok")], 1.0);
    after.assert_eq("kurultai_operations_total", &[("operation", "anonymous"), ("type", "query"), ("outcome", "errors")], 1.0);
    after.assert_eq("kurultai_operations_total", &[("operation", "anonymous"), ("type", "table"), ("outcome", "ok")], 1.0);
    after.assert_eq("kurultai_operations_total", &[("operation", "other"), ("type", "query"), ("outcome", "ok")], 1.0);
    assert!(!after.0.contains("SecretName") && !after.0.contains("nothing"), "a label contains client input:\n{}", after.0);
    after.assert_eq("kurultai_errors_total", &[("code", "GRAPHQL_VALIDATION_FAILED")], 1.0);
    after.assert_eq("kurultai_errors_total", &[("code", "BAD_USER_INPUT")], 1.0);
    after.assert_eq("kurultai_limits_hit_total", &[("limit", "body_bytes")], 1.0);
    after.assert_eq("kurultai_cache_lookups_total", &[("cache", "answers"), ("result", "hit")], 1.0);
    after.assert_eq("kurultai_cache_lookups_total", &[("cache", "answers"), ("result", "miss")], 5.0);
    after.assert_greater("kurultai_cache_lookups_total", &[("cache", "documents"), ("result", "miss")], 3.0);
    after.assert_greater("kurultai_cache_bytes", &[("cache", "answers")], 500.0);
    after.assert_greater("kurultai_sql_statement_seconds_count", &[("kind", "read")], 3.0);
    after.assert_greater("kurultai_database_wait_seconds_count", &[], 2.0);
    after.assert_greater("kurultai_database_connections", &[], 0.0);
    for (pool, max) in [("reading", 8.0), ("writing", if on == On::Sqlite { 1.0 } else { 5.0 })] {
        after.assert_eq("kurultai_database_connections_max", &[("pool", pool)], max);
    }
    after.assert_eq("kurultai_tables_reading", &[], 0.0);
    after.assert_eq("kurultai_replicas", &[("state", "out")], 0.0);
    after.assert_eq("kurultai_queries_running", &[], 0.0);
    after.assert_greater("kurultai_queries_max", &[], 0.0);
    after.assert_eq("kurultai_queries_waiting", &[], 0.0);
    after.assert_greater("kurultai_dataset_version", &[], 0.0);
    after.assert_greater("process_resident_memory_bytes", &[], 1_000_000.0);
    assert!(after.sum("process_cpu_seconds_total", &[]).is_some());
    // not served at the public address
    assert_eq!(process.get("/metrics").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_show_running_and_waiting_queries() {
    let server = Server::sample(On::Postgres).await;
    let process = ServerProcess::start(&server, &[("KURULTAI_MAX_CONCURRENT_QUERIES", "1")]).await;
    let lock = server.database.raw().await;
    let transaction = lock.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE persons IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let observed = async {
        loop {
            let (address, client) = (format!("{}/graphql", process.address), process.client.clone());
            tokio::spawn(async move { client.post(address).json(&json!({"query": PEOPLE})).send().await });
            let scrape = process.scrape().await;
            scrape.assert_eq("kurultai_queries_max", &[], 1.0);
            if scrape.sum("kurultai_queries_running", &[]) == Some(1.0) && scrape.sum("kurultai_queries_waiting", &[]) >= Some(1.0) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), observed).await.expect("one query is running and others are waiting");
    transaction.rollback().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn metrics_distinguish_writes_and_saved_queries(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let (_, token) = server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let editor = Asker::with_role(&server, Role::Editor).await;
    let saved = editor.done("saveQuery { savedQuery { name } }", json!({"query": PEOPLE, "name": "people-page"})).await;
    assert_eq!(saved["savedQuery"]["name"], "people-page");
    let hash = editor.done("saveQuery { savedQuery { hash } }", json!({"query": "{ laws { totalCount } }"})).await;
    let hash = hash["savedQuery"]["hash"].as_str().unwrap().to_owned();
    editor.done("saveQuery { savedQuery { name } }", json!({"query": "{ cases { totalCount } }", "name": "one-too-many"})).await;
    let process = ServerProcess::start(&server, &[("KURULTAI_METRICS_MAX_SAVED_QUERIES", "2")]).await;
    for saved in ["people-page", &hash, "one-too-many"] {
        assert_eq!(process.get(&format!("/graphql?saved={saved}")).await.status(), 200);
    }
    let mutation = "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { message } } }";
    let bearer = format!("Bearer {token}");
    let body = json!({"query": mutation, "variables": {"input": {"slug": "somebody", "name": {"en": "Somebody"}}}});
    let answer: Value = process.post(&body, &[("authorization", &bearer)]).await.json().await.unwrap();
    assert_eq!(answer["data"]["createPerson"]["errors"], json!([]), "{answer}");
    let after = process.scrape().await;
    after.assert_eq("kurultai_operations_total", &[("operation", "people-page"), ("type", "query")], 1.0);
    after.assert_eq("kurultai_operations_total", &[("operation", &hash[..12]), ("type", "query")], 1.0);
    after.assert_eq("kurultai_operations_total", &[("operation", "other"), ("type", "query")], 1.0);
    assert!(!after.0.contains("one-too-many"));
    after.assert_eq("kurultai_operations_total", &[("operation", "anonymous"), ("type", "mutation"), ("outcome", "ok")], 1.0);
    after.assert_greater("kurultai_sql_statement_seconds_count", &[("kind", "write")], 1.0);
    after.assert_eq("kurultai_database_write_wait_seconds_count", &[], 1.0);
    if on == On::Postgres {
        after.assert_eq("kurultai_sql_statement_seconds_count", &[("kind", "lock")], 1.0);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn streams_are_counted_while_they_are_open(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let process = ServerProcess::start(&server, &[]).await;
    let mut request = format!("{}/graphql", process.address.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let payload = json!({"query": "subscription { changed { cursor } }"});
    socket.send(Message::Text(json!({"type": "connection_init"}).to_string().into())).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket.send(Message::Text(json!({"id": "1", "type": "subscribe", "payload": payload}).to_string().into())).await.unwrap();
    let assert_open = async |kind: &str, expected: f64| {
        let observed = async { while process.scrape().await.sum("kurultai_streams_open", &[("kind", kind)]) != Some(expected) {} };
        tokio::time::timeout(Duration::from_secs(30), observed).await.unwrap_or_else(|_| panic!("{kind} is not {expected}"));
    };
    assert_open("websocket", 1.0).await;
    assert_open("subscription", 1.0).await;
    process.scrape().await.assert_eq("kurultai_stream_places_taken", &[], 2.0);
    drop(socket);
    assert_open("subscription", 0.0).await;
    assert_open("websocket", 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn error_for_used_metrics_port_names_the_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("k.db").display());
    let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
    command.env("KURULTAI_METRICS_LISTEN", taken.local_addr().unwrap().to_string());
    let (ok, _, error) = run(command);
    assert!(!ok && error.contains("(metrics_listen)"), "{error}");
}

/// Collects the metric names in the expressions of a dashboard.
fn collect_metric_names(dashboard: &Value, found: &mut BTreeSet<String>) {
    match dashboard {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "expr" || name == "query" || name == "definition") {
                    Some(expression) => found.extend(
                        expression
                            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                            .filter(|word| word.starts_with("kurultai_") || word.starts_with("process_"))
                            .map(str::to_owned),
                    ),
                    None => collect_metric_names(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_metric_names(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_shows_exactly_the_exported_metrics() {
    let dashboard = std::fs::read_to_string(path("docs/grafana/kurultai.json")).unwrap();
    let mut shown = BTreeSet::new();
    collect_metric_names(&serde_json::from_str(&dashboard).unwrap(), &mut shown);
    let server = Server::sample(On::Sqlite).await;
    let process = ServerProcess::start(&server, &[]).await;
    process.query(PEOPLE).await;
    let scrape = process.scrape().await;
    for name in &shown {
        assert!(scrape.sum(name, &[]).is_some(), "the dashboard shows {name}, which is not exported:\n{}", scrape.0);
    }
    let is_histogram_shown = |name: &str| shown.contains(&format!("{name}_bucket"));
    for line in scrape.0.lines().filter_map(|line| line.strip_prefix("# TYPE kurultai_")) {
        let name = format!("kurultai_{}", line.split(' ').next().unwrap());
        assert!(shown.contains(&name) || is_histogram_shown(&name), "the dashboard does not show {name}");
        assert!(scrape.0.contains(&format!("# HELP {name} ")), "{name} has no description");
    }
}
