//! Whether it is ready.

use std::time::{Duration, Instant};

use migration::sea_orm::{ConnectionTrait, TransactionTrait};
use rstest::rstest;
use serde_json::{Value, json};

use super::running::Running;
use crate::server::{On, Server};

async fn ready(server: &Server) -> (u16, Value) {
    let response = server.client.get(format!("{}/readyz", server.address)).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// What is told of one check.
fn check<'r>(readiness: &'r Value, name: &str) -> &'r Value {
    readiness["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_service_is_ready_while_its_database_has_the_schema_that_it_knows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    let ok = |name: &str| json!({"name": name, "ok": true});
    let all = json!({"ready": true, "checks": [ok("running"), ok("database"), ok("migrations")]});
    assert_eq!(ready(&server).await, (200, all));
    let raw = server.database.raw().await;

    raw.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)").await.unwrap();
    let (status, told) = ready(&server).await;
    assert_eq!((status, &told["ready"], &check(&told, "database")["ok"]), (503, &json!(false), &json!(true)));
    let problem = check(&told, "migrations")["problem"].as_str().unwrap();
    assert!(problem.contains("1 changes of its schema that this program does not know"), "{problem}");

    raw.execute_unprepared("DELETE FROM seaql_migrations WHERE version LIKE '%later' OR version LIKE '%000015%'").await.unwrap();
    let (status, told) = ready(&server).await;
    let problem = check(&told, "migrations")["problem"].as_str().unwrap();
    assert!(status == 503 && problem.contains("lacks 1 changes of its schema: run \"kurultai migrate\""), "{problem}");
    let alive = server.client.get(format!("{}/healthz", server.address)).send().await.unwrap();
    assert_eq!((alive.status().as_u16(), alive.text().await.unwrap().as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn a_database_that_hangs_does_not_make_those_wait_who_ask() {
    let server = Server::empty(On::Postgres).await;
    let raw = server.database.raw().await;
    let holding = raw.begin().await.unwrap();
    holding.execute_unprepared("LOCK TABLE seaql_migrations IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let began = Instant::now();
    let (status, told) = ready(&server).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!((status, &check(&told, "migrations")["problem"]), (503, &json!("no answer within 2 seconds")));
    holding.rollback().await.unwrap();
    assert_eq!(ready(&server).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_told_to_stop_answers_but_is_not_ready() {
    let server = Server::empty(On::Sqlite).await;
    let mut running = Running::over(&server, &[("KURULTAI_DRAIN", "3")]).await;
    assert_eq!(running.get("/readyz").await.status(), 200);
    running.terminate();
    running.line(|line| line["message"].as_str()?.starts_with("stopping").then_some(())).await;
    let asked = running.get("/readyz").await;
    assert_eq!(asked.status(), 503);
    let told: Value = asked.json().await.unwrap();
    assert_eq!(check(&told, "running")["problem"], "the server was told to stop");
    assert_eq!(running.ask("{ people { totalCount } }").await["data"]["people"]["totalCount"], 0);
    running.stopped().await;
    assert!(running.child.wait().unwrap().success());
}
