//! Records go to a running server as variables of its mutation.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use kurultai::core::auth::Role;
use kurultai::transfer::push::records;
use rstest::rstest;
use serde_json::{Value, json};

use super::Desk;
use crate::command::{kurultai, run};
use crate::server::{On, path, read};

const RECORDS: &str = r#"
people:
- slug: p
  name: {en: P, kk: П}
  birthDate: null
  otherNames: [{name: Q, lang: en}]
  topics: [t]
  identifiers: [{scheme: s, value: "1"}]
  citations: [{source: a, field: name, value: P}]
cases:
- slug: c
  title: {en: C}
  kind: civil
  status: in_appeal
  court: organization_01h455vb4pex5vsknk084sn02q
  published: false
  parties: [{key: x, person: p, role: defendant}]
  sentences: [{key: y, party: x, kind: compensation, amount: 250000, unit: KZT}]
statements:
- slug: s
  text: {en: S}
  about: [{person: p}]
"#;

fn drafts(text: &str) -> kurultai::store::write::Drafts {
    read(&[(Arc::from("records.yaml"), text.to_owned())]).unwrap()
}

#[test]
fn records_become_variables_as_the_schema_has_them() {
    let text = RECORDS.replace("in_appeal", "decided");
    assert_eq!(
        records(&drafts(&text)),
        json!([
            {"person": {
                "slug": "p",
                "name": {"en": "P", "kk": "П"},
                "birthDate": null,
                "otherNames": [{"name": "Q", "lang": "en"}],
                "topics": ["t"],
                "identifiers": [{"scheme": "s", "value": "1"}],
                "citations": [{"source": "a", "field": "name", "value": "P"}],
            }},
            {"case": {
                "slug": "c",
                "title": {"en": "C"},
                "kind": "CIVIL",
                "status": "DECIDED",
                "court": "organization_01h455vb4pex5vsknk084sn02q",
                "published": false,
                "parties": [{"key": "x", "person": "p", "role": "DEFENDANT"}],
                "sentences": [{"key": "y", "party": "x", "kind": "COMPENSATION", "amount": 250_000.0, "unit": "KZT"}],
            }},
            {"statement": {"slug": "s", "text": {"en": "S"}, "about": [{"person": "p"}]}},
        ])
    );
}

/// A token and a body.
type Asked = (Option<String>, Value);

/// What a server was asked, and what it is to answer, in order.
#[derive(Clone, Default)]
struct Script {
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<Vec<(StatusCode, Value)>>>,
}

async fn answer(State(script): State<Script>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    script.asked.lock().unwrap().push((token, serde_json::from_str(&body).unwrap()));
    let (status, answer) = script.answers.lock().unwrap().remove(0);
    (status, answer.to_string())
}

/// A server that answers what it is told to; gives its address and what it was asked.
async fn scripted(answers: Vec<(u16, Value)>) -> (String, Script) {
    let script = Script::default();
    *script.answers.lock().unwrap() = answers.into_iter().map(|(status, answer)| (StatusCode::from_u16(status).unwrap(), answer)).collect();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/graphql", post(answer)).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, script)
}

fn taken(created: usize) -> Value {
    json!({"data": {"importRecords": {"created": created, "updated": 0, "unchanged": 0, "failed": 0, "results": []}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_sent_with_the_token_and_again_while_the_server_is_busy() {
    let desk = Desk::new(On::Sqlite).await;
    desk.file("people.ndjson", "{\"person\": {\"slug\": \"a\"}}\n{\"person\": {\"slug\": \"b\"}}\n{\"person\": {\"slug\": \"c\"}}\n");
    let (address, script) = scripted(vec![(503, json!({})), (200, taken(2)), (200, taken(1))]).await;
    let mut command = kurultai(&["import", "people.ndjson", "--url", &address, "--batch", "2", "--message", "why"]);
    command.current_dir(desk.folder.path()).env("KURULTAI_TOKEN", "secret");
    let (ok, said, error) = tokio::task::spawn_blocking(|| run(command)).await.unwrap();
    assert!(ok && said.trim() == "Records: 3 created, 0 updated, 0 unchanged", "{said}{error}");
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|(token, _)| token.as_deref() == Some("Bearer secret")));
    let input = |index: usize| &asked[index].1["variables"]["input"];
    assert_eq!(input(0), input(1));
    assert_eq!(
        input(1),
        &json!({"records": [{"person": {"slug": "a"}}, {"person": {"slug": "b"}}], "dryRun": false, "onError": "STOP", "message": "why"})
    );
    assert_eq!(input(2)["records"], json!([{"person": {"slug": "c"}}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_told_with_file_and_line() {
    let desk = Desk::new(On::Sqlite).await;
    desk.file("people.yaml", "people:\n- {slug: a}\n- {slug: b}\n");
    let refused = json!({"data": {"importRecords": {"created": 0, "updated": 0, "unchanged": 0, "failed": 1, "results": [
        {"index": 1, "outcome": "FAILED", "record": null, "errors": [{"path": ["name"], "code": "BAD_USER_INPUT", "message": "name is missing"}]},
    ]}}});
    let unknown = json!({"errors": [{"message": "Unknown type \"ImportRecordsInput\""}]});
    let (address, _) = scripted(vec![(200, refused.clone()), (200, refused), (200, unknown), (401, json!("no"))]).await;
    let arguments = ["people.yaml", "--url", &address];
    let import = |more: &[&str]| desk.refused(&[&arguments, more].concat());
    for more in [&[][..], &["--dry-run"]] {
        let error = import(more);
        assert!(error.contains("1 problem; nothing was written\npeople.yaml:3: people[1]: name: name is missing"), "{error}");
    }
    assert!(import(&[]).contains("nothing was written: Unknown type \"ImportRecordsInput\""));
    assert!(import(&[]).contains("does not take the token; give one that may write with --token or KURULTAI_TOKEN"));
    let error = desk.refused(&["people.yaml", "--url", "data.example.org"]);
    assert!(error.contains("\"data.example.org\" is not the address of a server; write it as https://data.example.org/graphql"), "{error}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_to_a_server_is_what_an_import_beside_its_database_writes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    let data = path("data");
    let data = data.to_str().unwrap();
    let (_, token) = desk.server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let address = desk.server.address.clone();
    let sent = |more: &[&str]| desk.imported(&[&[data, "--url", &address, "--token", &token, "--batch", "60"], more].concat());
    let first = sent(&["--message", "first"]);
    let count = first.split(' ').nth(1).unwrap();
    assert_eq!(first, format!("Records: {count} created, 0 updated, 0 unchanged"));
    assert_eq!(sent(&["--dry-run"]), format!("Nothing was written. Records: 0 would be created, 0 updated, {count} unchanged"));
    assert_eq!(desk.imported(&[data]), format!("Records: 0 created, 0 updated, {count} unchanged"));
    let history = desk.server.data("{ person(by: {slug: \"alnur-ilyashev\"}) { history { nodes { number by message } } } }").await;
    assert_eq!(history["person"]["history"]["nodes"], json!([{"number": 1, "by": "Aigerim", "message": "first"}]));
    desk.file("wrong.yaml", "people:\n- {slug: a, name: {en: A}}\n- {slug: b, name: {en: B}, topics: [nowhere]}\n");
    let error = desk.refused(&["wrong.yaml", "--url", &address, "--token", &token]);
    assert!(error.contains("1 problem; nothing was written\nwrong.yaml:3: people[1]: ") && error.contains("nowhere"), "{error}");
    let error = desk.refused(&["wrong.yaml", "--url", &address]);
    assert!(error.contains("nothing was written: "), "{error}");
}
