//! What is logged, and what never is.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use kurultai::core::auth::Role;
use kurultai::store::access::saved_query::hash;
use migration::sea_orm::{ConnectionTrait, TransactionTrait};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::running::Running;
use crate::server::{On, Server};

/// The id of the request that a line belongs to.
fn id_of(line: &Value) -> Option<&str> {
    line["spans"].as_array()?.iter().find_map(|span| span["request_id"].as_str())
}

#[rstest]
#[case::of_a_proxy("proxy-7.2026:11_25", true)]
#[case::too_long(&"a".repeat(101), false)]
#[case::with_other_letters("a b\"c", false)]
#[case::none("", false)]
#[tokio::test]
async fn a_request_keeps_a_sane_id_and_gets_one_otherwise(#[case] given: &str, #[case] is_kept: bool) {
    let server = Server::empty(On::Sqlite).await;
    let response = server.client.get(format!("{}/healthz", server.address)).header("x-request-id", given).send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    match is_kept {
        true => assert_eq!(id, given),
        false => assert_eq!(id.parse::<uuid::Uuid>().unwrap().get_version_num(), 7),
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_an_internal_error_is_found_by_the_id_that_the_client_got(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let running = Running::over(&server, &[]).await;
    server.database.raw().await.execute_unprepared("ALTER TABLE charges RENAME TO elsewhere").await.unwrap();
    let query = json!({"query": "{ cases { nodes { charges { nodes { id } } } } }"});
    let response = running.post(&query, &[]).await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    let line = running.line(|line| (id_of(line) == Some(&id)).then(|| line.clone())).await;
    assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &json!("internal error")), "{line}");
    assert!(line["cause"].as_str().unwrap().contains("charges"), "{line}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_query_is_told_by_its_name_and_hash_and_not_by_its_values(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let running = Running::over(&server, &[("KURULTAI_SLOW_QUERY", "1")]).await;
    let query = "query Busy($name: String!) { people(filter: {slug: {contains: $name}}) { totalCount } cases(filter: {slug: {contains: \"literal-secret\"}}) { totalCount nodes { slug parties { nodes { person { slug name statements { nodes { id } } } } } charges { nodes { provision { law { slug title } } } } } } laws { nodes { slug provisions { nodes { number statistics { nodes { value } } } } } } }";
    let response = running.post(&json!({"query": query, "variables": {"name": "variable-secret"}}), &[("x-request-id", "slow-1")]).await;
    let text = response.text().await.unwrap();
    let (data, _) = text.rsplit_once(",\"extensions\"").unwrap();
    let line = running.line(|line| (line["message"] == "slow query").then(|| line.clone())).await;
    assert_eq!(line["level"], "WARN");
    assert_eq!((&line["operation"], &line["kind"], &line["outcome"]), (&json!("Busy"), &json!("query"), &json!("ok")), "{line}");
    assert_eq!((id_of(&line), &line["document"]), (Some("slow-1"), &json!(hash(query))), "{line}");
    assert_eq!(line["bytes"], data.len() - "{\"data\":".len(), "{line}");
    // one for each list and each number of all
    assert_eq!((&line["statements"], &line["rows"]), (&json!(4), &json!(4)), "{line}");
    assert!(line["duration_ms"].as_f64().unwrap() >= 1.0 && line["database_ms"].as_f64().unwrap() > 0.0, "{line}");
    assert!(!running.log().contains("secret"), "{}", running.log());
    running.scrape().await.is("kurultai_slow_operations_total", &[], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_nobody_waited_for_is_told_too() {
    let server = Server::sample(On::Postgres).await;
    let running = Running::over(&server, &[("KURULTAI_SLOW_QUERY", "10")]).await;
    let raw = server.database.raw().await;
    let holding = raw.begin().await.unwrap();
    holding.execute_unprepared("LOCK TABLE persons IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let asked = running.client.post(format!("{}/graphql", running.address)).json(&json!({"query": "query Left { people { totalCount } }"}));
    assert!(asked.timeout(Duration::from_millis(500)).send().await.is_err());
    let line = running.line(|line| (line["message"] == "slow query").then(|| line.clone())).await;
    assert_eq!((&line["operation"], &line["outcome"]), (&json!("Left"), &json!("abandoned")), "{line}");
    holding.rollback().await.unwrap();
    running.scrape().await.is("kurultai_operations_total", &[("operation", "other"), ("outcome", "abandoned")], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_tells_of_a_query_that_is_not_slow() {
    let server = Server::empty(On::Sqlite).await;
    let running = Running::over(&server, &[("KURULTAI_SLOW_QUERY", "0"), ("KURULTAI_LOG", "info,kurultai::access=debug")]).await;
    let response = running.get("/graphql?query=%7B%20people%20%7B%20totalCount%20%7D%20%7D%23private").await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let line = running.line(|line| (line["target"] == "kurultai::access").then(|| line.clone())).await;
    assert_eq!((&line["method"], &line["path"], &line["status"]), (&json!("GET"), &json!("/graphql"), &json!(200)), "{line}");
    assert_eq!(id_of(&line), Some(id.as_str()));
    assert!(line["duration_ms"].as_f64().is_some());
    assert!(!running.log().contains("private") && !running.log().contains("slow query"), "{}", running.log());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tokens_variables_and_values_are_never_logged_even_where_everything_is(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let (_, token) = server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let running = Running::over(&server, &[("KURULTAI_LOG", "trace"), ("KURULTAI_SLOW_QUERY", "1")]).await;
    let bearer = format!("Bearer {token}");
    let by_variable = "query($a: String!) { people(filter: {slug: {eq: $a}}) { totalCount } search(query: $a) { totalCount } }";
    for headers in [&[][..], &[("authorization", bearer.as_str())], &[("authorization", "Bearer kurultai_wrong_hidden")]] {
        running.post(&json!({"query": by_variable, "variables": {"a": "hidden-variable"}}), headers).await;
        running.post(&json!({"query": "{ people(filter: {slug: {eq: \"hidden-literal\"}}) { totalCount } }"}), headers).await;
        running.post(&json!({"query": "{ people(filter: {slug: {eq: \"hidden-wrong\"}}) { nothing } "}), headers).await;
        running.post(&json!({"query": by_variable, "variables": {"a": {"hidden": 1}}}), headers).await;
    }
    running.get("/graphql?query=%7B%20law(by:%7Bslug:%22hidden-address%22%7D)%20%7B%20slug%20%7D%20%7D").await;
    running
        .get("/table.csv?query=%7B%20people(filter:%7Bslug:%7Beq:%22hidden-table%22%7D%7D)%20%7B%20nodes%20%7B%20slug%20%7D%20%7D%20%7D")
        .await;
    let mutation = "mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { message } } }";
    for _ in 0..2 {
        let input = json!({"slug": "hidden-person", "name": {"en": "Hidden-name"}, "biography": {"en": "hidden-biography"}});
        running.post(&json!({"query": mutation, "variables": {"input": input}}), &[("authorization", &bearer)]).await;
    }
    let mut request = format!("{}/graphql", running.address.replace("http", "ws")).into_client_request().unwrap();
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
    // after it nothing that was asked before is still to come
    running.get("/healthz").await;
    running.line(|line| (line["path"] == "/healthz").then_some(())).await;
    let log = running.log();
    // the secret may have the sign in it that parts it from the rest
    let secret = token.splitn(3, '_').nth(2).unwrap();
    for word in ["hidden", "Hidden", secret] {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word} is logged");
    }
    // all is logged that can be
    assert!(log.contains("\"slow query\"") && log.contains("kurultai::sql") && log.contains("kurultai::access"));
}
