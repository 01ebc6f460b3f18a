//! The readiness probe.

use std::time::{Duration, Instant};

use migration::sea_orm::{ConnectionTrait, TransactionTrait};
use rstest::rstest;
use serde_json::{Value, json};

use super::server_process::ServerProcess;
use crate::server::{On, Server};

async fn readiness(server: &Server) -> (u16, Value) {
    let response = server.client.get(format!("{}/readyz", server.address)).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The result of one check.
fn check<'r>(body: &'r Value, name: &str) -> &'r Value {
    body["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[rstest]
#[tokio::test]
async fn server_is_ready_only_with_the_schema_it_knows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let ok = |name: &str| json!({"name": name, "ok": true});
    let all = json!({"ready": true, "checks": [ok("running"), ok("database"), ok("migrations")]});
    assert_eq!(readiness(&server).await, (200, all));
    let raw = server.database.raw().await;

    raw.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)").await.unwrap();
    let (status, body) = readiness(&server).await;
    assert_eq!((status, &body["ready"], &check(&body, "database")["ok"]), (503, &json!(false), &json!(true)));
    let problem = check(&body, "migrations")["problem"].as_str().unwrap();
    assert!(problem.contains("has 1 migrations that this version does not know"), "{problem}");

    raw.execute_unprepared("DELETE FROM seaql_migrations WHERE version LIKE '%later' OR version LIKE '%000015%'").await.unwrap();
    let (status, body) = readiness(&server).await;
    let problem = check(&body, "migrations")["problem"].as_str().unwrap();
    assert!(status == 503 && problem.contains("lacks 1 migrations; run \"kurultai migrate\""), "{problem}");
    let alive = server.client.get(format!("{}/healthz", server.address)).send().await.unwrap();
    assert_eq!((alive.status().as_u16(), alive.text().await.unwrap().as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn readiness_probe_times_out_if_the_database_hangs() {
    let server = Server::empty(On::Postgres).await;
    let raw = server.database.raw().await;
    let transaction = raw.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE seaql_migrations IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let start = Instant::now();
    let (status, body) = readiness(&server).await;
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!((status, &check(&body, "migrations")["problem"]), (503, &json!("no response within 2 seconds")));
    transaction.rollback().await.unwrap();
    assert_eq!(readiness(&server).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_server_still_responds_but_is_not_ready() {
    let server = Server::empty(On::Sqlite).await;
    let mut process = ServerProcess::start(&server, &[("KURULTAI_SHUTDOWN_DRAIN_SECONDS", "3")]).await;
    assert_eq!(process.get("/readyz").await.status(), 200);
    process.terminate();
    process.wait_for_line(|line| (line["message"] == "shutdown started").then_some(())).await;
    let response = process.get("/readyz").await;
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.unwrap();
    assert_eq!(check(&body, "running")["problem"], "the server is shutting down");
    assert_eq!(process.query("{ people { totalCount } }").await["data"]["people"]["totalCount"], 0);
    process.wait_for_exit().await;
    assert!(process.child.wait().unwrap().success());
}
