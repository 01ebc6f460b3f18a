//! Responses are cached until the dataset changes.

use std::time::Duration;

use kurultai::core::clock::Clock;
use kurultai::store::{Store, StoreOptions};
use migration::sea_orm::ConnectionTrait;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server, TestDatabase, read, without_cost};

const QUERY: &str = "{ people { totalCount nodes { name } } }";
const ONE: &str = "people:\n- {slug: a, name: {en: A, ru: А}}";

#[rstest]
#[tokio::test]
async fn repeated_query_is_cached_until_a_write(#[values(On::Sqlite, On::Postgres)] on: On) {
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
async fn write_of_another_process_invalidates_the_cache(#[values(On::Sqlite, On::Postgres)] on: On) {
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
    panic!("the cache was not invalidated");
}

#[rstest]
#[tokio::test]
async fn concurrent_identical_queries_are_executed_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let before = server.store.statement_count();
    let answers = futures_util::future::join_all((0..100).map(|_| server.data(QUERY))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    // one statement for the rows, one for their count
    assert_eq!(server.store.statement_count() - before, 2);
}

#[rstest]
#[tokio::test]
async fn transient_failures_are_not_cached(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, ONE).await;
    let raw = server.database.raw().await;
    raw.execute_unprepared("ALTER TABLE persons RENAME TO elsewhere").await.unwrap();
    assert_eq!(server.answer(QUERY, json!({})).await["data"]["people"], Value::Null);
    raw.execute_unprepared("ALTER TABLE elsewhere RENAME TO persons").await.unwrap();
    assert_eq!(server.data(QUERY).await["people"]["totalCount"], 1);
}

#[tokio::test]
async fn cache_key_includes_variables_operation_and_language() {
    let server = Server::with(On::Sqlite, ONE).await;
    let ask = async |languages: &str, body: Value| {
        let request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT_LANGUAGE, languages).json(&body);
        without_cost(request.send().await.unwrap().json().await.unwrap())
    };
    let query = "query One($slug: String!) { person(by: {slug: $slug}) { name } } query Two { __typename }";
    let body = |operation: &str, slug: &str| json!({"query": query, "operationName": operation, "variables": {"slug": slug}});
    for _ in 0..2 {
        assert_eq!(ask("en", body("One", "a")).await, json!({"data": {"person": {"name": "A"}}}));
        assert_eq!(ask("ru", body("One", "a")).await, json!({"data": {"person": {"name": "А"}}}));
        assert_eq!(ask("en", body("One", "b")).await, json!({"data": {"person": null}}));
        assert_eq!(ask("en", body("Two", "a")).await, json!({"data": {"__typename": "Query"}}));
    }
}

#[tokio::test]
async fn headers_that_do_not_change_the_response_share_an_entry() {
    let server = Server::with(On::Sqlite, ONE).await;
    let ask = async |languages: &str, accept: &str| {
        let request = server.client.post(format!("{}/graphql", server.address)).header(ACCEPT_LANGUAGE, languages).header(ACCEPT, accept);
        request.json(&json!({"query": QUERY})).send().await.unwrap().text().await.unwrap()
    };
    let first = ask("ru, en;q=0.5", "application/json").await;
    let before = server.store.statement_count();
    let long = (0..500).map(|number| format!("x{number}-a-b-c-d-e-f-g")).collect::<Vec<_>>().join("-");
    for (languages, accept) in [
        (format!("ru, en;q=0.4, {long}"), "*/*"),
        (format!("{long}, ru;q=0.9,en;q=0.1"), "application/json;q=0.9, text/html;q=0"),
        ("RU, en;q=0.5, ru;q=0.1".to_owned(), "application/json, application/xml;q=0.3"),
    ] {
        assert_eq!(ask(&languages, accept).await, first);
    }
    assert_eq!(server.store.statement_count(), before);
}

#[rstest]
#[tokio::test]
async fn one_connection_suffices_to_query_and_listen(#[values(On::Sqlite, On::Postgres)] on: On) {
    let database = TestDatabase::new(on).await;
    database.store().await;
    let options = StoreOptions { max_connections: 1, acquire_timeout: Duration::from_secs(3), ..StoreOptions::new(&database.url) };
    let store = Store::connect(&options, Clock::System).await.unwrap();
    let listener = store.clone();
    let task = tokio::spawn(async move { listener.listen().await });
    while store.generation().await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    store.ping().await.unwrap();
    task.abort();
}
