//! Mutations of one entry of a list name records by slug and parts by key; sources are merged; merged slugs are reported.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

const TEXT: &str = r#"
people:
- {slug: dana, name: {en: Dana Akhmetova}}
- {slug: dana-2, name: {en: Dana A.}}
topics:
- {slug: press, label: {en: Press}}
sources:
- {slug: news, title: {en: News}, kind: article, url: "https://example.org/news"}
- slug: news-2
  title: {en: The News}
  kind: article
  publisher: P
  citations: [{source: news, quote: reprinted}]
cases:
- slug: case-1
  title: {en: The case}
  kind: criminal
  status: pending
  citations: [{key: a, source: news, quote: A}, {key: b, source: news-2, quote: B}]
  parties: [{key: "one", role: defendant, person: dana, citations: [{key: c, source: news-2}]}]
  charges: [{key: charge, party: "one", outcome: pending}]
"#;

const SOURCES: &str = r#"{
  case(by: {slug: "case-1"}) { citations { nodes { key quote source { slug } } } parties { nodes { citations { nodes { key source { slug } } } } } }
  news: source(by: {slug: "news"}) { id slug title publisher url citations { nodes { quote source { slug } } } }
  news2: source(by: {slug: "news-2"}) { id slug title publisher url citations { nodes { quote source { slug } } } }
}"#;

/// Path, code and message of the only error.
fn only_error(payload: &Value) -> (Value, &str, &str) {
    let errors = payload["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload:#}");
    (errors[0]["path"].clone(), errors[0]["code"].as_str().unwrap(), errors[0]["message"].as_str().unwrap())
}

#[rstest]
#[tokio::test]
async fn entries_are_named_by_slug_and_key(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let case = json!({"case": "case-1"});
    let part = "record { ... on CaseParty { key citations { nodes { key quote } } } }";
    let citation = json!({"key": "new", "source": "news", "quote": "Q"});
    let cited = editor.done(&format!("addCitation {{ {part} }}"), json!({"of": case, "part": "parties[one]", "citation": citation})).await;
    assert_eq!(cited["record"]["citations"]["nodes"], json!([{"key": "c", "quote": null}, {"key": "new", "quote": "Q"}]));
    for key in ["c", "new"] {
        editor.done("removeCitation { record { id } }", json!({"of": case, "part": "parties[one]", "key": key})).await;
    }
    editor.done("removeCitation { record { id } }", json!({"of": case, "key": "a"})).await;
    editor.done("addTopic { record { id } }", json!({"of": case, "topic": "press"})).await;
    editor.done("addIdentifier { record { id } }", json!({"of": {"person": "dana"}, "scheme": "s", "value": "v"})).await;
    let found = server.data("{ case(by: {slug: \"case-1\"}) { topics { totalCount } citations { nodes { key } } parties { nodes { citations { totalCount } } } } person(by: {slug: \"dana\"}) { identifiers { value } } }").await;
    let expected = json!({
        "case": {"topics": {"totalCount": 1}, "citations": {"nodes": [{"key": "b"}]}, "parties": {"nodes": [{"citations": {"totalCount": 0}}]}},
        "person": {"identifiers": [{"value": "v"}]},
    });
    assert_eq!(found, expected);
    editor.done("removeTopic { record { id } }", json!({"of": case, "topic": "press"})).await;
    let reverted =
        editor.done("revert { record { ... on Case { citations { totalCount } } } }", json!({"of": case, "toRevision": 1})).await;
    assert_eq!(reverted["record"]["citations"]["totalCount"], 2);
}

#[rstest]
#[tokio::test]
async fn unclear_names_of_records_and_parts_are_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let data = editor.data("{ case(by: {slug: \"case-1\"}) { id parties { nodes { id } } } }").await;
    let (id, party) = (&data["case"]["id"], &data["case"]["parties"]["nodes"][0]["id"]);
    let case = json!({"case": "case-1"});
    let refused = [
        (json!({"key": "a"}), json!(["input", "record"]), "MISSING", "specify the record: by its id in record"),
        (json!({"key": "a", "record": id, "of": case}), json!(["input", "of"]), "INVALID", "record and of both name a record"),
        (
            json!({"key": "a", "of": {"case": "nope"}}),
            json!(["input", "of", "case"]),
            "NOT_FOUND",
            "there is no case with the slug \"nope\"",
        ),
        (
            json!({"key": "a", "of": {"case": "case_01h455vb4pex5vsknk084sn02q"}}),
            json!(["input", "of", "case"]),
            "NOT_FOUND",
            "there is no record with this id",
        ),
        (
            json!({"key": "a", "of": case, "part": "parties[two]"}),
            json!(["input", "part"]),
            "NOT_FOUND",
            "\"parties[two]\" is no part of this case; the keys in parties are: one",
        ),
        (
            json!({"key": "a", "of": case, "part": "party[one]"}),
            json!(["input", "part"]),
            "NOT_FOUND",
            "\"party[one]\" is no part of this case; give one of parties[key], charges[key], events[key], sentences[key]",
        ),
        (json!({"key": "a", "of": case, "part": "citations[a]"}), json!(["input", "part"]), "NOT_FOUND", "an entry of citations has no"),
        (json!({"key": "a", "record": party, "part": "citations[c]"}), json!(["input", "record"]), "INVALID", "this is the id of a part"),
    ];
    for (input, path, code, message) in refused {
        let payload = editor.payload("removeCitation { record { id } }", input.clone()).await;
        let error = only_error(&payload);
        assert_eq!((&error.0, error.1), (&path, code), "{input}");
        assert!(error.2.starts_with(message), "{input}: {}", error.2);
    }
    let payload = editor.payload("revert { record { id } }", json!({"of": {"case": "nope"}, "toRevision": 1})).await;
    assert_eq!(only_error(&payload).0, json!(["input", "of", "case"]));
}

#[rstest]
#[tokio::test]
async fn sources_are_merged_and_unmerged(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let before = server.data(SOURCES).await;
    let merged = editor
        .done("mergeSources { source { slug url publisher citations { totalCount } } }", json!({"from": "news-2", "into": "news"}))
        .await;
    let source = json!({"slug": "news", "url": "https://example.org/news", "publisher": "P", "citations": {"totalCount": 0}});
    assert_eq!(merged["source"], source);
    let after = server.data(SOURCES).await;
    assert!(!after["case"].to_string().contains("news-2"), "{after:#}");
    assert_eq!(after["news2"]["slug"], "news");
    let undone = editor.done("unmergeSources { record { id } notRestored { path } }", json!({"from": "news-2"})).await;
    assert_eq!(undone["notRestored"], json!([]));
    assert_eq!(server.data(SOURCES).await, before);
    // the other way round, the kept source cites the merged one
    editor.done("mergeSources { source { id } }", json!({"from": "news", "into": "news-2"})).await;
    let undone = editor.done("unmergeSources { record { id } notRestored { path } }", json!({"from": "news"})).await;
    assert_eq!(undone["notRestored"], json!([]));
    assert_eq!(server.data(SOURCES).await, before);
}

#[rstest]
#[tokio::test]
async fn upsert_and_import_say_that_a_slug_was_merged(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let id = editor.data("{ person(by: {slug: \"dana-2\"}) { id } }").await["person"]["id"].clone();
    editor.done("mergePeople { person { id } }", json!({"from": "dana-2", "into": "dana"})).await;
    editor.done("updateTopic { topic { id } }", json!({"id": "press", "slug": "media"})).await;
    let merged = "the person \"dana-2\" was merged into the person \"dana\", so nothing was written; give the slug of that one, or undo the merge first";
    let renamed = "\"press\" is a former slug of the topic \"media\", so nothing was written; give its present slug";
    let payload = editor.payload("upsertPerson { person { id } }", json!({"slug": "dana-2", "name": {"en": "Dana"}})).await;
    assert_eq!(only_error(&payload), (json!(["input", "slug"]), "TAKEN", merged));
    let payload = editor.payload("upsertTopic { topic { id } }", json!({"slug": "press", "label": {"en": "The press"}})).await;
    assert_eq!(only_error(&payload), (json!(["input", "slug"]), "TAKEN", renamed));
    let records = json!([
        {"person": {"slug": "dana-2", "name": {"en": "Dana"}}},
        {"topic": {"slug": "press", "label": {"en": "The press"}}},
        {"person": {"slug": "dana", "gender": "f"}},
    ]);
    let done = editor.done("importRecords { results { outcome warnings { path message } } }", json!({"records": records})).await;
    let results = json!([
        {"outcome": "UNCHANGED", "warnings": [{"path": ["input", "records", 0, "person", "slug"], "message": merged}]},
        {"outcome": "UNCHANGED", "warnings": [{"path": ["input", "records", 1, "topic", "slug"], "message": renamed}]},
        {"outcome": "UPDATED", "warnings": []},
    ]);
    assert_eq!(done["results"], results);
    let summary = server.import(TEXT).await.unwrap();
    let warnings: Vec<&str> = summary.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings, [merged, renamed]);
    let payload = editor.payload("revert { record { id } }", json!({"record": id, "toRevision": 1})).await;
    let error = only_error(&payload);
    assert!(error.2.contains("a revert cannot undo a merge"), "{}", error.2);
}
