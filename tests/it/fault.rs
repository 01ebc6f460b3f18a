//! What fails is null with an error, the rest is answered, and nothing of ours is told.

use migration::sea_orm::ConnectionTrait;
use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server};

#[rstest]
#[tokio::test]
async fn a_field_that_cannot_be_read_is_null_with_an_error_and_the_rest_is_answered(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE charges RENAME TO elsewhere").await.unwrap();
    let query = "{ case(by: {slug: \"kazakhstan-v-ilyashev\"}) { slug charges { nodes { id } } } provision(by: {slug: \"kz-criminal-code-2014-article-274\"}) { number } }";
    let answer = server.answer(query, json!({})).await;
    assert_eq!(answer["data"], json!({"case": null, "provision": {"number": "274"}}), "{answer:#}");
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["path"], json!(["case"]));
    assert_eq!(errors[0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert_eq!(errors[0]["message"], "Something went wrong on our side; it has been logged.");
    assert_eq!(errors[0]["locations"], json!([{"line": 1, "column": 3}]));
}

#[rstest]
#[tokio::test]
async fn a_root_field_that_fails_leaves_the_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE statistics RENAME TO elsewhere").await.unwrap();
    let answer = server.answer("{ statistics { totalCount } people { totalCount } }", json!({})).await;
    assert_eq!(answer["data"]["statistics"], json!(null));
    assert!(answer["data"]["people"]["totalCount"].as_u64().unwrap() > 5);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_that_closed_its_connections_is_asked_again_on_new_ones() {
    let server = Server::sample(On::Postgres).await;
    let query = "{ people(first: 1) { nodes { id } } }";
    let before = server.data(query).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.database.raw().await.execute_unprepared(end).await.unwrap();
    // what is kept would hide what happens
    assert_eq!(server.data(&format!("{query} # again")).await, before);
}

#[rstest]
#[tokio::test]
async fn an_import_that_fails_in_the_middle_leaves_nothing_behind(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE revisions RENAME TO elsewhere").await.unwrap();
    let drafts = crate::server::read(&[("test.yaml".into(), "people:\n- {slug: a, name: {en: A}}".to_owned())]).unwrap();
    let author = kurultai::store::write::Author { by: "tests".to_owned(), message: None };
    let refused = server.store.write(&drafts, &author, |_| ()).await;
    assert!(matches!(refused, Err(kurultai::store::write::Refused::Failed(_))));
    let data = server.data("{ people { totalCount } search(query: \"a\") { totalCount } }").await;
    assert_eq!(data, json!({"people": {"totalCount": 0}, "search": {"totalCount": 0}}));
}
