//! The engine is an executor of async-graphql: integrations of that framework can run it.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Variables};
use futures_util::StreamExt;
use kurultai::core::auth::Role;
use kurultai::core::dataset::Dataset;
use kurultai::core::language::Languages;
use kurultai::graphql::Api;
use kurultai::graphql::limits::Limits;
use serde_json::{Value, json};

use crate::server::{On, Server};

const PERSON: &str = "people:\n- {slug: a, name: {en: Aigerim, ru: Айгерим}}\n";
const CHANGED: &str = "subscription($since: String) { changed(since: $since) { change { record { ... on Person { slug } } } } }";

fn api(server: &Server) -> Api {
    Api::new(server.store.clone(), kurultai::cli::upload_reader(10_000_000), Limits::default(), Arc::new(Dataset::default())).unwrap()
}

fn request(query: &str, variables: Value) -> Request {
    Request::new(query).variables(Variables::from_json(variables))
}

#[tokio::test]
async fn executor_responds_in_query_order_and_language() {
    let server = Server::with(On::Sqlite, PERSON).await;
    let query = "query($slug: String!) { z: person(by: {slug: $slug}) { slug name } a: __typename }";
    let request = request(query, json!({"slug": "a"})).data(Languages::from_header("ru"));
    let response = Executor::execute(&api(&server), request).await;
    assert_eq!(
        serde_json::to_string(&response).unwrap(),
        r#"{"data":{"z":{"slug":"a","name":"Айгерим"},"a":"Query"},"extensions":{"cost":{"nodes":1,"values":3,"filterValues":0,"scans":0}}}"#
    );
    assert_eq!(response.data.into_json().unwrap()["z"]["slug"], "a");
}

#[tokio::test]
async fn executor_reports_errors_with_code_limit_and_path() {
    let server = Server::with(On::Sqlite, PERSON).await;
    let api = api(&server);
    let errors = async |query: &str| {
        let response = Executor::execute(&api, Request::new(query)).await;
        let mut json = serde_json::to_value(&response).unwrap();
        (json["data"].take(), json["errors"][0].take())
    };
    let (data, error) = errors("{ nothing }").await;
    assert_eq!((&data, &error["extensions"]["code"]), (&Value::Null, &json!("GRAPHQL_VALIDATION_FAILED")), "{error}");
    let deep = format!("{{ {} }}", (0..20_000).map(|number| format!("a{number}: __typename ")).collect::<String>());
    let (_, error) = errors(&deep).await;
    assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{error}");
    assert!(error["extensions"]["limit"].is_string() && error["extensions"]["max"].is_u64() && error["extensions"]["given"].is_u64());
    let (data, error) = errors("{ a: __typename b: node(id: \"x\") { id } }").await;
    assert_eq!(data, json!({"a": "Query", "b": null}));
    assert_eq!((&error["path"], &error["locations"]), (&json!(["b"]), &json!([{"line": 1, "column": 17}])), "{error}");
    let (data, error) = errors(CHANGED).await;
    assert!(data.is_null() && error["message"].as_str().unwrap().contains("stream"), "{error}");
}

#[tokio::test]
async fn executor_streams_for_the_caller_of_the_session() {
    let server = Server::with(On::Sqlite, PERSON).await;
    let (_, token) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let mut session = Data::default();
    session.insert(server.store.authenticate(&token).await.unwrap());
    let session = Some(Arc::new(session));
    let api = api(&server);
    let once = async |query: &str| {
        let responses: Vec<_> = api.execute_stream(Request::new(query), session.clone()).collect().await;
        assert_eq!(responses.len(), 1);
        serde_json::to_value(&responses[0]).unwrap()
    };
    assert_eq!(once("{ viewer { name } }").await["data"], json!({"viewer": {"name": "A"}}));
    let changes = once("{ changes { pageInfo { endCursor } } }").await;
    let since = json!({"since": changes["data"]["changes"]["pageInfo"]["endCursor"]});
    server.import("people:\n- {slug: draft, name: {en: Draft}, published: false}\n").await.unwrap();
    let mut events = api.execute_stream(request(CHANGED, since), session.clone());
    let event = events.next().await;
    let event = serde_json::to_string(&event.unwrap()).unwrap();
    assert_eq!(event, r#"{"data":{"changed":{"change":{"record":{"slug":"draft"}}}}}"#);
    server.store.revoke_token("A").await.unwrap();
    assert_eq!(once("{ viewer { name } }").await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
