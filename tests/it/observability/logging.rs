//! Logs: request ids, errors, slow queries, and secrets that are never logged.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use kurultai::core::auth::Role;
use kurultai::core::digest::sha256_hex;
use migration::sea_orm::{ConnectionTrait, TransactionTrait};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::server_process::ServerProcess;
use crate::server::{On, Server};

/// The id of the request of a log line.
fn request_id(line: &Value) -> Option<&str> {
    line["spans"].as_array()?.iter().find_map(|span| span["request_id"].as_str())
}

#[rstest]
#[case::valid("proxy-7.2026:11_25", true)]
#[case::too_long(&"a".repeat(101), false)]
#[case::invalid_characters("a b\"c", false)]
#[case::empty("", false)]
#[tokio::test]
async fn valid_request_id_is_kept_and_others_replaced(#[case] given: &str, #[case] is_valid: bool) {
    let server = Server::empty(On::Sqlite).await;
    let response = server.client.get(format!("{}/healthz", server.address)).header("x-request-id", given).send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    if is_valid {
        assert_eq!(id, given);
    } else {
        assert_eq!(id.parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn internal_error_is_logged_with_request_id_of_response(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let process = ServerProcess::start(&server, &[]).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE charges RENAME TO elsewhere").await.unwrap();
    let query = json!({"query": "{ cases { nodes { charges { nodes { id } } } } }"});
    let response = process.post(&query, &[]).await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    let line = process.wait_for_line(|line| (request_id(line) == Some(&id)).then(|| line.clone())).await;
    assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &json!("internal error")), "{line}");
    assert!(line["error"].as_str().unwrap().contains("charges"), "{line}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn slow_query_is_logged_with_name_and_hash_without_values(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let process = ServerProcess::start(&server, &[("KURULTAI_SLOW_QUERY_MS", "1")]).await;
    let query = "query Busy($name: String!) { people(filter: {slug: {contains: $name}}) { totalCount } cases(filter: {slug: {contains: \"literal-secret\"}}) { totalCount nodes { slug parties { nodes { person { slug name statements { nodes { id } } } } } charges { nodes { provision { law { slug title } } } } } } laws { nodes { slug provisions { nodes { number statistics { nodes { value } } } } } } }";
    let response = process.post(&json!({"query": query, "variables": {"name": "variable-secret"}}), &[("x-request-id", "slow-1")]).await;
    let text = response.text().await.unwrap();
    let (data, _) = text.rsplit_once(",\"extensions\"").unwrap();
    let line = process.wait_for_line(|line| (line["message"] == "slow query").then(|| line.clone())).await;
    assert_eq!(line["level"], "WARN");
    assert_eq!((&line["operation"], &line["kind"], &line["outcome"]), (&json!("Busy"), &json!("query"), &json!("ok")), "{line}");
    assert_eq!((request_id(&line), &line["document"]), (Some("slow-1"), &json!(sha256_hex(query))), "{line}");
    assert_eq!(line["bytes"], data.len() - "{\"data\":".len(), "{line}");
    // one statement per list and per total count
    assert_eq!((&line["statements"], &line["rows"]), (&json!(4), &json!(4)), "{line}");
    assert!(line["duration_ms"].as_f64().unwrap() >= 1.0 && line["database_ms"].as_f64().unwrap() > 0.0, "{line}");
    assert!(!process.log().contains("secret"), "{}", process.log());
    process.scrape().await.assert_eq("kurultai_slow_operations_total", &[], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_slow_query_is_logged() {
    let server = Server::sample(On::Postgres).await;
    let process = ServerProcess::start(&server, &[("KURULTAI_SLOW_QUERY_MS", "10")]).await;
    let raw = server.database.raw().await;
    let transaction = raw.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE persons IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let request =
        process.client.post(format!("{}/graphql", process.address)).json(&json!({"query": "query Abandoned { people { totalCount } }"}));
    assert!(request.timeout(Duration::from_millis(500)).send().await.is_err());
    let line = process.wait_for_line(|line| (line["message"] == "slow query").then(|| line.clone())).await;
    assert_eq!((&line["operation"], &line["outcome"]), (&json!("Abandoned"), &json!("abandoned")), "{line}");
    transaction.rollback().await.unwrap();
    process.scrape().await.assert_eq("kurultai_operations_total", &[("operation", "other"), ("outcome", "abandoned")], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fast_query_is_only_in_access_log() {
    let server = Server::empty(On::Sqlite).await;
    let process = ServerProcess::start(&server, &[("KURULTAI_SLOW_QUERY_MS", "0"), ("KURULTAI_LOG", "info,kurultai::access=debug")]).await;
    let response = process.get("/graphql?query=%7B%20people%20%7B%20totalCount%20%7D%20%7D%23private").await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let line = process.wait_for_line(|line| (line["target"] == "kurultai::access").then(|| line.clone())).await;
    assert_eq!((&line["method"], &line["path"], &line["status"]), (&json!("GET"), &json!("/graphql"), &json!(200)), "{line}");
    assert_eq!(request_id(&line), Some(id.as_str()));
    assert!(line["duration_ms"].as_f64().is_some());
    assert!(!process.log().contains("private") && !process.log().contains("slow query"), "{}", process.log());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn trace_level_logs_no_tokens_variables_or_values(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let (_, token) = server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let process = ServerProcess::start(&server, &[("KURULTAI_LOG", "trace"), ("KURULTAI_SLOW_QUERY_MS", "1")]).await;
    let bearer = format!("Bearer {token}");
    let by_variable = "query($a: String!) { people(filter: {slug: {eq: $a}}) { totalCount } search(query: $a) { totalCount } }";
    for headers in [&[][..], &[("authorization", bearer.as_str())], &[("authorization", "Bearer kurultai_wrong_hidden")]] {
        process.post(&json!({"query": by_variable, "variables": {"a": "hidden-variable"}}), headers).await;
        process.post(&json!({"query": "{ people(filter: {slug: {eq: \"hidden-literal\"}}) { totalCount } }"}), headers).await;
        process.post(&json!({"query": "{ people(filter: {slug: {eq: \"hidden-wrong\"}}) { nothing } "}), headers).await;
        process.post(&json!({"query": by_variable, "variables": {"a": {"hidden": 1}}}), headers).await;
    }
    process.get("/graphql?query=%7B%20law(by:%7Bslug:%22hidden-address%22%7D)%20%7B%20slug%20%7D%20%7D").await;
    process
        .get("/table.csv?query=%7B%20people(filter:%7Bslug:%7Beq:%22hidden-table%22%7D%7D)%20%7B%20nodes%20%7B%20slug%20%7D%20%7D%20%7D")
        .await;
    let mutation = "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { message } } }";
    for _ in 0..2 {
        let input = json!({"slug": "hidden-person", "name": {"en": "Hidden-name"}, "biography": {"en": "hidden-biography"}});
        process.post(&json!({"query": mutation, "variables": {"input": input}}), &[("authorization", &bearer)]).await;
    }
    let mut request = format!("{}/graphql", process.address.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let payload = json!({"query": by_variable, "variables": {"a": "hidden-socket"}});
    for message in [
        json!({"type": "connection_init", "payload": {"authorization": bearer}}),
        json!({"id": "1", "type": "subscribe", "payload": payload}),
    ] {
        socket.send(Message::Text(message.to_string().into())).await.unwrap();
        socket.next().await.unwrap().unwrap();
    }
    // all earlier requests are logged before this one
    process.get("/healthz").await;
    process.wait_for_line(|line| (line["path"] == "/healthz").then_some(())).await;
    let log = process.log();
    // the secret may contain the separator of the token's parts
    let secret = token.splitn(3, '_').nth(2).unwrap();
    for word in ["hidden", "Hidden", secret] {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word} is logged");
    }
    // the log is at its most verbose
    assert!(log.contains("\"slow query\"") && log.contains("kurultai::sql") && log.contains("kurultai::access"));
}
