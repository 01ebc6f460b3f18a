//! Records are pushed to a running server through its mutation.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use kurultai::core::auth::Role;
use kurultai::interchange::push::to_input;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use crate::cli::command::{kurultai, run};
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
fn records_are_encoded_as_schema_input() {
    let text = RECORDS.replace("in_appeal", "decided");
    assert_eq!(
        to_input(&drafts(&text)),
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

/// The token and body of a request.
type ReceivedRequest = (Option<String>, Value);

/// Requests that a mock server received, and its responses, in order.
#[derive(Clone, Default)]
struct MockServer {
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    responses: Arc<Mutex<Vec<(StatusCode, Value)>>>,
}

async fn respond(State(server): State<MockServer>, headers: HeaderMap, request: String) -> (StatusCode, String) {
    let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    server.requests.lock().unwrap().push((token, serde_json::from_str(&request).unwrap()));
    let (status, body) = server.responses.lock().unwrap().remove(0);
    (status, body.to_string())
}

/// Starts a mock server with the given responses; returns its address.
async fn start_mock(responses: Vec<(u16, Value)>) -> (String, MockServer) {
    let server = MockServer::default();
    *server.responses.lock().unwrap() = responses.into_iter().map(|(status, body)| (StatusCode::from_u16(status).unwrap(), body)).collect();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/graphql", post(respond)).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, server)
}

fn imported(created: usize) -> Value {
    json!({"data": {"importRecords": {"created": created, "updated": 0, "unchanged": 0, "failed": 0, "results": []}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_carry_the_token_and_retry_at_capacity() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture
        .write_file("people.ndjson", "{\"person\": {\"slug\": \"a\"}}\n{\"person\": {\"slug\": \"b\"}}\n{\"person\": {\"slug\": \"c\"}}\n");
    let (address, server) = start_mock(vec![(503, json!({})), (200, imported(2)), (200, imported(1))]).await;
    let mut command = kurultai(&["import", "people.ndjson", "--url", &address, "--batch", "2", "--message", "why"]);
    command.current_dir(fixture.folder.path()).env("KURULTAI_TOKEN", "secret");
    let (ok, stdout, stderr) = tokio::task::spawn_blocking(|| run(command)).await.unwrap();
    assert!(ok && stdout.trim() == "Records: 3 created, 0 updated, 0 unchanged", "{stdout}{stderr}");
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|(token, _)| token.as_deref() == Some("Bearer secret")));
    let input = |index: usize| &requests[index].1["variables"]["input"];
    assert_eq!(input(0), input(1));
    assert_eq!(
        input(1),
        &json!({"records": [{"person": {"slug": "a"}}, {"person": {"slug": "b"}}], "dryRun": false, "strict": false, "merge": false, "overwrite": false, "onError": "STOP", "message": "why"})
    );
    assert_eq!(input(2)["records"], json!([{"person": {"slug": "c"}}]));
}

/// The server has pruned, and says so if it is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn lost_answer_of_a_pruning_is_no_error() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("people.ndjson", "{\"person\": {\"slug\": \"a\"}}\n");
    let ended = json!({"path": ["input", "run"], "message": "this run has ended, at noon: 2 were deleted"});
    let other = json!({"path": [], "message": "the files hold none of the 3 records"});
    let answer = |error: &Value| (200, json!({"data": {"pruneImportSet": {"gone": [], "errors": [error]}}}));
    let (address, _) = start_mock(vec![(200, imported(1)), (503, json!({})), answer(&ended), (200, imported(1)), answer(&other)]).await;
    let arguments = ["people.ndjson", "--url", &address, "--set", "s", "--prune", "delete", "--yes"];
    let (ok, stdout, stderr) = fixture.import(&arguments);
    assert!(ok && stdout.contains("1 created") && stderr.contains("this run has ended, at noon: 2 were deleted"), "{stdout}{stderr}");
    let stderr = fixture.import_err(&arguments);
    let written = "the records were written, but what is gone from the set was not pruned";
    assert!(stderr.contains(written) && stderr.contains("hold none of the 3") && !stderr.contains("nothing was written"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_records_are_reported_with_file_and_line() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("people.yaml", "people:\n- {slug: a}\n- {slug: b}\n");
    let rejected = json!({"data": {"importRecords": {"created": 0, "updated": 0, "unchanged": 0, "failed": 1, "results": [
        {"index": 1, "outcome": "FAILED", "record": null, "errors": [{"path": ["name"], "code": "BAD_USER_INPUT", "message": "name is missing"}]},
    ]}}});
    let unknown = json!({"errors": [{"message": "Unknown type \"ImportRecordsInput\""}]});
    let (address, _) = start_mock(vec![(200, rejected.clone()), (200, rejected), (200, unknown), (401, json!("no"))]).await;
    let arguments = ["people.yaml", "--url", &address];
    let import = |more: &[&str]| fixture.import_err(&[&arguments, more].concat());
    for more in [&[][..], &["--dry-run"]] {
        let error = import(more);
        assert!(error.contains("1 problem; nothing was written\npeople.yaml:3: people[1].name: name is missing"), "{error}");
    }
    assert!(import(&[]).contains("nothing was written: Unknown type \"ImportRecordsInput\""));
    assert!(import(&[]).contains("rejected the token; provide one with write access in --token or KURULTAI_TOKEN"));
    let error = fixture.import_err(&["people.yaml", "--url", "data.example.org"]);
    assert!(error.contains("\"data.example.org\" is not the URL of a server; write it as https://data.example.org/graphql"), "{error}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn push_writes_the_same_records_as_a_direct_import(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let data = path("data");
    let data = data.to_str().unwrap();
    let (_, token) = fixture.server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let address = fixture.server.address.clone();
    let push = |more: &[&str]| fixture.import_ok(&[&[data, "--url", &address, "--token", &token, "--batch", "60"], more].concat());
    let first = push(&["--message", "first"]);
    let count = first.split(' ').nth(1).unwrap();
    assert_eq!(first, format!("Records: {count} created, 0 updated, 0 unchanged"));
    let dry_run = push(&["--dry-run"]);
    let (total, types) = dry_run.split_once('\n').unwrap();
    assert_eq!(total, format!("Nothing was written. Records: 0 would be created, 0 updated, {count} unchanged"));
    let by_type = types.lines().map(|line| {
        let (_, counts) = line.split_once(": 0 created, 0 updated, ").unwrap_or_else(|| panic!("{line}"));
        counts.strip_suffix(" unchanged").unwrap().parse::<usize>().unwrap()
    });
    assert_eq!(by_type.sum::<usize>().to_string(), count, "{dry_run}");
    assert_eq!(fixture.import_ok(&[data]), format!("Records: 0 created, 0 updated, {count} unchanged"));
    let history = fixture.server.data("{ person(by: {slug: \"alnur-ilyashev\"}) { history { nodes { number by message } } } }").await;
    assert_eq!(history["person"]["history"]["nodes"], json!([{"number": 1, "by": "Aigerim", "message": "first"}]));
    fixture.write_file("wrong.yaml", "people:\n- {slug: a, name: {en: A}}\n- {slug: b, name: {en: B}, topics: [nowhere]}\n");
    let error = fixture.import_err(&["wrong.yaml", "--url", &address, "--token", &token]);
    assert!(
        error.contains("1 problem; nothing was written\nwrong.yaml:3: people[1].topics[0]: there is no topic") && error.contains("nowhere"),
        "{error}"
    );
    let error = fixture.import_err(&["wrong.yaml", "--url", &address]);
    assert!(error.contains("nothing was written: "), "{error}");
}
