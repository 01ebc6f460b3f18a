//! What is counted.

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

use super::running::Running;
use crate::command::{kurultai, run};
use crate::server::{Asker, On, Server, path};

const PEOPLE: &str = "query People { people(first: 3) { nodes { slug } } }";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn requests_operations_statements_and_caches_are_counted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let running = Running::over(&server, &[("KURULTAI_METRICS_OPERATIONS", "[\"People\"]")]).await;
    let before = running.scrape().await;
    before.is("kurultai_errors_total", &[("code", "INTERNAL_SERVER_ERROR")], 0.0);
    before.is("kurultai_limits_hit_total", &[("limit", "body_bytes")], 0.0);
    before.is("kurultai_ready", &[], 1.0);
    let system = if on == On::Sqlite { "sqlite" } else { "postgresql" };
    before.is("kurultai_build_info", &[("version", env!("CARGO_PKG_VERSION")), ("database", system)], 1.0);

    // the second is answered by what is kept; one runs, two are asked
    for _ in 0..2 {
        assert!(running.ask(PEOPLE).await.get("errors").is_none());
    }
    running.ask("{ people { totalCount } }").await;
    running.ask("query SecretName { laws { totalCount } }").await;
    running.ask("{ nothing }").await;
    running.ask("{ people(first: -1) { totalCount } }").await;
    running.post(&json!({"query": " ".repeat(300_000)}), &[]).await;
    let csv = running.get("/table.csv?query=%7B%20people%20%7B%20nodes%20%7B%20slug%20%7D%20%7D%20%7D").await;
    assert!(csv.text().await.unwrap().lines().count() > 5);
    running.get("/nothing/at/all").await;

    let after = running.scrape().await;
    after.is("kurultai_http_requests_total", &[("route", "/graphql"), ("status", "200")], 6.0);
    after.is("kurultai_http_requests_total", &[("route", "/graphql"), ("status", "413")], 1.0);
    after.is("kurultai_http_requests_total", &[("route", "/table.{format}"), ("status", "200")], 1.0);
    after.is("kurultai_http_requests_total", &[("route", "other"), ("status", "404")], 1.0);
    after.is("kurultai_http_request_seconds_count", &[("route", "/graphql")], 7.0);
    after.is("kurultai_http_request_seconds_bucket", &[("route", "/graphql"), ("le", "+Inf")], 7.0);
    after.is("kurultai_http_requests_in_flight", &[], 0.0);
    after.is("kurultai_operations_total", &[("operation", "People"), ("type", "query"), ("outcome", "ok")], 1.0);
    after.is("kurultai_operation_seconds_count", &[("operation", "People"), ("type", "query")], 1.0);
    after.is("kurultai_operations_total", &[("operation", "anonymous"), ("type", "query"), ("outcome", "ok")], 1.0);
    after.is("kurultai_operations_total", &[("operation", "anonymous"), ("type", "query"), ("outcome", "errors")], 1.0);
    after.is("kurultai_operations_total", &[("operation", "anonymous"), ("type", "table"), ("outcome", "ok")], 1.0);
    after.is("kurultai_operations_total", &[("operation", "other"), ("type", "query"), ("outcome", "ok")], 1.0);
    assert!(!after.0.contains("SecretName") && !after.0.contains("nothing"), "what a client wrote is a label:\n{}", after.0);
    after.is("kurultai_errors_total", &[("code", "GRAPHQL_VALIDATION_FAILED")], 1.0);
    after.is("kurultai_errors_total", &[("code", "BAD_USER_INPUT")], 1.0);
    after.is("kurultai_limits_hit_total", &[("limit", "body_bytes")], 1.0);
    after.is("kurultai_cache_lookups_total", &[("cache", "answers"), ("result", "hit")], 1.0);
    after.is("kurultai_cache_lookups_total", &[("cache", "answers"), ("result", "miss")], 5.0);
    after.is_more("kurultai_cache_lookups_total", &[("cache", "documents"), ("result", "miss")], 3.0);
    after.is_more("kurultai_cache_bytes", &[("cache", "answers")], 500.0);
    after.is_more("kurultai_sql_statement_seconds_count", &[("kind", "read")], 3.0);
    after.is_more("kurultai_database_wait_seconds_count", &[], 2.0);
    after.is_more("kurultai_database_connections", &[], 0.0);
    for (pool, most) in [("reading", 8.0), ("writing", if on == On::Sqlite { 1.0 } else { 5.0 })] {
        after.is("kurultai_database_connections_max", &[("pool", pool)], most);
    }
    after.is("kurultai_tables_reading", &[], 0.0);
    after.is("kurultai_replicas", &[("state", "out")], 0.0);
    after.is("kurultai_queries_running", &[], 0.0);
    after.is_more("kurultai_queries_max", &[], 0.0);
    after.is("kurultai_queries_waiting", &[], 0.0);
    after.is_more("kurultai_dataset_version", &[], 0.0);
    after.is_more("process_resident_memory_bytes", &[], 1_000_000.0);
    assert!(after.sum("process_cpu_seconds_total", &[]).is_some());
    // the public does not see it
    assert_eq!(running.get("/metrics").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_that_run_and_those_that_wait_are_seen() {
    let server = Server::sample(On::Postgres).await;
    let running = Running::over(&server, &[("KURULTAI_CONCURRENCY", "1")]).await;
    let lock = server.database.raw().await;
    let transaction = lock.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE persons IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let seen = async {
        loop {
            let (address, client) = (format!("{}/graphql", running.address), running.client.clone());
            tokio::spawn(async move { client.post(address).json(&json!({"query": PEOPLE})).send().await });
            let scrape = running.scrape().await;
            scrape.is("kurultai_queries_max", &[], 1.0);
            if scrape.sum("kurultai_queries_running", &[]) == Some(1.0) && scrape.sum("kurultai_queries_waiting", &[]) >= Some(1.0) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seen).await.expect("one runs and others wait");
    transaction.rollback().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn writes_and_saved_queries_are_told_apart(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let (_, token) = server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let editor = Asker::with_role(&server, Role::Editor).await;
    let saved = editor.done("saveQuery { savedQuery { name } }", json!({"query": PEOPLE, "name": "people-page"})).await;
    assert_eq!(saved["savedQuery"]["name"], "people-page");
    let hash = editor.done("saveQuery { savedQuery { hash } }", json!({"query": "{ laws { totalCount } }"})).await;
    let hash = hash["savedQuery"]["hash"].as_str().unwrap().to_owned();
    editor.done("saveQuery { savedQuery { name } }", json!({"query": "{ cases { totalCount } }", "name": "one-too-many"})).await;
    let running = Running::over(&server, &[("KURULTAI_METRICS_SAVED", "2")]).await;
    for saved in ["people-page", &hash, "one-too-many"] {
        assert_eq!(running.get(&format!("/graphql?saved={saved}")).await.status(), 200);
    }
    let mutation = "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { message } } }";
    let bearer = format!("Bearer {token}");
    let body = json!({"query": mutation, "variables": {"input": {"slug": "somebody", "name": {"en": "Somebody"}}}});
    let answer: Value = running.post(&body, &[("authorization", &bearer)]).await.json().await.unwrap();
    assert_eq!(answer["data"]["createPerson"]["errors"], json!([]), "{answer}");
    let after = running.scrape().await;
    after.is("kurultai_operations_total", &[("operation", "people-page"), ("type", "query")], 1.0);
    after.is("kurultai_operations_total", &[("operation", &hash[..12]), ("type", "query")], 1.0);
    after.is("kurultai_operations_total", &[("operation", "other"), ("type", "query")], 1.0);
    assert!(!after.0.contains("one-too-many"));
    after.is("kurultai_operations_total", &[("operation", "anonymous"), ("type", "mutation"), ("outcome", "ok")], 1.0);
    after.is_more("kurultai_sql_statement_seconds_count", &[("kind", "write")], 1.0);
    after.is("kurultai_database_write_wait_seconds_count", &[], 1.0);
    if on == On::Postgres {
        after.is("kurultai_sql_statement_seconds_count", &[("kind", "lock")], 1.0);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_subscriptions_count_for_as_long_as_they_are_open(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let running = Running::over(&server, &[]).await;
    let mut request = format!("{}/graphql", running.address.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let payload = json!({"query": "subscription { changed { cursor } }"});
    socket.send(Message::Text(json!({"type": "connection_init"}).to_string().into())).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket.send(Message::Text(json!({"id": "1", "type": "subscribe", "payload": payload}).to_string().into())).await.unwrap();
    let open = async |kind: &str, expected: f64| {
        let seen = async { while running.scrape().await.sum("kurultai_streams_open", &[("kind", kind)]) != Some(expected) {} };
        tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap_or_else(|_| panic!("{kind} is not {expected}"));
    };
    open("websocket", 1.0).await;
    open("subscription", 1.0).await;
    running.scrape().await.is("kurultai_stream_places_taken", &[], 2.0);
    drop(socket);
    open("subscription", 0.0).await;
    open("websocket", 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_for_metrics_that_is_taken_is_told_by_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("k.db").display());
    let mut command = kurultai(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
    command.env("KURULTAI_METRICS_LISTEN", taken.local_addr().unwrap().to_string());
    let (ok, _, error) = run(command);
    assert!(!ok && error.contains("(metrics_listen)"), "{error}");
}

/// Names of metrics in the expressions of a dashboard.
fn names(dashboard: &Value, found: &mut BTreeSet<String>) {
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
                    None => names(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_shows_what_there_is_and_all_of_it() {
    let dashboard = std::fs::read_to_string(path("docs/grafana/kurultai.json")).unwrap();
    let mut shown = BTreeSet::new();
    names(&serde_json::from_str(&dashboard).unwrap(), &mut shown);
    let server = Server::sample(On::Sqlite).await;
    let running = Running::over(&server, &[]).await;
    running.ask(PEOPLE).await;
    let scrape = running.scrape().await;
    for name in &shown {
        assert!(scrape.sum(name, &[]).is_some(), "the dashboard shows {name}, which is not there:\n{}", scrape.0);
    }
    let of_a_histogram = |name: &str| shown.contains(&format!("{name}_bucket"));
    for line in scrape.0.lines().filter_map(|line| line.strip_prefix("# TYPE kurultai_")) {
        let name = format!("kurultai_{}", line.split(' ').next().unwrap());
        assert!(shown.contains(&name) || of_a_histogram(&name), "the dashboard does not show {name}");
        assert!(scrape.0.contains(&format!("# HELP {name} ")), "{name} does not say what it is");
    }
}
