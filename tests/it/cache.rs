//! An answer is kept until the dataset changes, and no longer.

use std::time::Duration;

use kurultai::core::clock::Clock;
use kurultai::store::{Store, StoreOptions};
use migration::sea_orm::ConnectionTrait;
use reqwest::header::ACCEPT_LANGUAGE;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server, TestDatabase, read, without_cost};

const QUERY: &str = "{ people { totalCount nodes { name } } }";
const ONE: &str = "people:\n- {slug: a, name: {en: A, ru: А}}";

#[rstest]
#[tokio::test]
async fn the_same_question_is_read_once_until_something_is_written(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let first = server.data(QUERY).await;
    let before = server.store.statement_count();
    assert_eq!(server.data(QUERY).await, first);
    assert_eq!(server.store.statement_count(), before);
    server.import("people:\n- {slug: b, name: {en: B}}").await.unwrap();
    assert_eq!(server.data(QUERY).await["people"]["totalCount"], 2);
}

#[rstest]
#[tokio::test]
async fn a_write_of_another_process_is_seen(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    assert_eq!(server.data(QUERY).await["people"]["totalCount"], 1);
    let other = server.database.connect_with(Clock::System).await;
    let drafts = read(&[("test.yaml".into(), "people:\n- {slug: other, name: {en: Other}}".to_owned())]).unwrap();
    let author = kurultai::store::write::Author { by: "another".to_owned(), message: None };
    other.write(&drafts, &author, |_| ()).await.unwrap();
    for _ in 0..500 {
        if server.data(QUERY).await["people"]["totalCount"] == 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the write was never seen");
}

#[rstest]
#[tokio::test]
async fn a_hundred_readers_who_ask_the_same_at_once_cost_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let before = server.store.statement_count();
    let answers = futures_util::future::join_all((0..100).map(|_| server.data(QUERY))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    // the rows and their number
    assert_eq!(server.store.statement_count() - before, 2);
}

#[rstest]
#[tokio::test]
async fn a_failure_of_the_moment_is_not_kept(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let raw = server.database.raw().await;
    raw.execute_unprepared("ALTER TABLE persons RENAME TO elsewhere").await.unwrap();
    assert_eq!(server.answer(QUERY, json!({})).await["data"]["people"], Value::Null);
    raw.execute_unprepared("ALTER TABLE elsewhere RENAME TO persons").await.unwrap();
    assert_eq!(server.data(QUERY).await["people"]["totalCount"], 1);
}

#[tokio::test]
async fn an_answer_is_kept_for_its_own_variables_operation_and_language_only() {
    let server = Server::with(On::Sqlite, ONE).await;
    let ask = async |languages: &str, body: Value| {
        let request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT_LANGUAGE, languages).json(&body);
        without_cost(request.send().await.unwrap().json().await.unwrap())
    };
    let query = "query One($slug: String) { person(by: {slug: $slug}) { name } } query Two { __typename }";
    let body = |operation: &str, slug: &str| json!({"query": query, "operationName": operation, "variables": {"slug": slug}});
    for _ in 0..2 {
        assert_eq!(ask("en", body("One", "a")).await, json!({"data": {"person": {"name": "A"}}}));
        assert_eq!(ask("ru", body("One", "a")).await, json!({"data": {"person": {"name": "А"}}}));
        assert_eq!(ask("en", body("One", "b")).await, json!({"data": {"person": null}}));
        assert_eq!(ask("en", body("Two", "a")).await, json!({"data": {"__typename": "Query"}}));
    }
}

#[rstest]
#[tokio::test]
async fn one_connection_is_enough_to_answer_and_to_hear_of_changes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let database = TestDatabase::new(on).await;
    database.store().await;
    let options = StoreOptions { max_connections: 1, acquire_timeout: Duration::from_secs(3), ..StoreOptions::new(&database.url) };
    let store = Store::connect(&options, Clock::System).await.unwrap();
    let hearing = store.clone();
    let task = tokio::spawn(async move { hearing.listen().await });
    while store.generation().await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    store.ping().await.unwrap();
    task.abort();
}
