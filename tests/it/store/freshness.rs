//! Freshness of sources and jurisdictions, and the metadata of the dataset.

use std::time::Duration;

use kurultai::core::auth::Role;
use kurultai::core::clock::Clock;
use kurultai::core::dataset::{Dataset, public_url};
use kurultai::store::write::{Author, TransactionEnd, WriteSummary};
use reqwest::header::{ETAG, IF_NONE_MATCH};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server, migrate_down_before, read};

const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
- {slug: kg, name: {en: Kyrgyzstan}, classification: country}
sources:
- {slug: paper, title: {en: Paper}, kind: article}
- {slug: radio, title: {en: Radio}, kind: broadcast}
- {slug: hidden, title: {en: Hidden}, kind: article, published: false}
laws:
- {slug: code, title: {en: Code}, kind: code, status: in_force, jurisdiction: kz, citations: [{source: paper, quote: a}]}
- {slug: draft, title: {en: Draft}, kind: law, status: in_force, jurisdiction: kg, published: false, citations: [{source: radio}]}
provisions:
- {slug: article, heading: {en: Article}, kind: article, position: 1, law: code}
cases:
- slug: case
  title: {en: Case}
  kind: criminal
  status: decided
  jurisdiction: kg
  events: [{key: first, kind: other, date: "2020", text: {en: First}, citations: [{source: radio, quote: b}]}]
topics:
- {slug: press, label: {en: Press}}
"#;
const FIRST: &str = "2026-01-01";
const TIMES: &str = "{ jurisdictions { nodes { slug checkedAt lastChangedAt } } sources { nodes { slug checkedAt lastChangedAt } } dataset { revision lastChangedAt checkedAt } revisions { totalCount } }";

/// Imports a text from another process at the beginning of a day, and waits until the server has noticed.
async fn import_on(server: &Server, day: &str, text: &str) -> WriteSummary {
    let store = server.database.connect_with(Clock::fixed(format!("{day}T00:00:00Z").parse().unwrap())).await;
    let drafts = read(&[("test.yaml".into(), text.to_owned())]).unwrap();
    let author = Author { by: "tests".to_owned(), message: None };
    let outcome = store.write(&drafts, &author, |_| ()).await.unwrap();
    let version_of = async |store: &kurultai::store::Store| {
        let version = store.version().await.unwrap();
        (version.number, version.changed_at, version.checked_at)
    };
    let written = version_of(&store).await;
    for _ in 0..500 {
        if version_of(&server.store).await == written {
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server did not notice the write");
}

/// Days on which a source or jurisdiction was last checked and last changed.
fn times(data: &Value, slug: &str) -> (String, String) {
    let nodes = ["jurisdictions", "sources"].into_iter().flat_map(|list| data[list]["nodes"].as_array().unwrap());
    let node = nodes.into_iter().find(|node| node["slug"] == slug).unwrap_or_else(|| panic!("there is no {slug} in {data:#}"));
    let day = |name: &str| node[name].as_str().unwrap()[..10].to_owned();
    (day("checkedAt"), day("lastChangedAt"))
}

fn days(checked: &str, changed: &str) -> (String, String) {
    (checked.to_owned(), changed.to_owned())
}

async fn etag(server: &Server) -> String {
    let response = server.client.get(format!("{}/graphql", server.address)).query(&[("query", TIMES)]).send().await.unwrap();
    response.headers()[ETAG].to_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn import_without_changes_updates_checked_at_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let before = server.data(TIMES).await;
    assert_eq!(times(&before, "kz"), days(FIRST, FIRST));
    assert_eq!(before["dataset"]["checkedAt"], Value::Null);
    let first = etag(&server).await;
    let outcome = import_on(&server, "2026-02-01", TEXT).await;
    assert_eq!((outcome.created, outcome.updated), (0, 0));
    let after = server.data(TIMES).await;
    for slug in ["kz", "kg", "paper", "radio"] {
        assert_eq!(times(&after, slug), days("2026-02-01", FIRST), "{slug}");
    }
    assert_eq!(after["dataset"]["checkedAt"], "2026-02-01T00:00:00.000000Z");
    for same in ["revision", "lastChangedAt"] {
        assert_eq!(after["dataset"][same], before["dataset"][same]);
    }
    assert_eq!(after["revisions"], before["revisions"]);
    // a conditional request with the earlier ETag gets a full response
    let request = server.client.get(format!("{}/graphql", server.address)).query(&[("query", TIMES)]).header(IF_NONE_MATCH, &first);
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_ne!(etag(&server).await, first);
    // an import by a clock that is behind moves no instant backwards and invalidates no cached response
    let second = etag(&server).await;
    import_on(&server, "2026-01-15", TEXT).await;
    assert_eq!(etag(&server).await, second);
    assert_eq!(times(&server.data(TIMES).await, "kz"), days("2026-02-01", FIRST));
}

#[rstest]
#[tokio::test]
async fn submitted_record_checks_its_jurisdiction_and_cited_sources(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    // a provision belongs to the jurisdiction of its law
    import_on(&server, "2026-02-01", "provisions:\n- {slug: article, number: \"1\"}").await;
    let data = server.data(TIMES).await;
    assert_eq!(times(&data, "kz"), days("2026-02-01", "2026-02-01"));
    assert_eq!(times(&data, "kg"), days(FIRST, FIRST));
    assert_eq!(times(&data, "paper"), days(FIRST, FIRST));
    // citations of parts count; records outside the import do not
    let event = "cases:\n- slug: case\n  events: [{key: first, kind: other, date: \"2020\", text: {en: First}, citations: [{source: radio, quote: b}]}]";
    import_on(&server, "2026-03-01", event).await;
    import_on(&server, "2026-04-01", "cases:\n- {slug: case, status: decided}").await;
    let data = server.data(TIMES).await;
    assert_eq!(times(&data, "radio"), days("2026-03-01", FIRST));
    assert_eq!(times(&data, "kg"), days("2026-04-01", FIRST));
    // a slug alone marks a source as checked
    import_on(&server, "2026-05-01", "sources:\n- {slug: paper}").await;
    assert_eq!(times(&server.data(TIMES).await, "paper"), days("2026-05-01", FIRST));
}

#[rstest]
#[tokio::test]
async fn change_updates_dependencies_before_and_after_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let moved = "laws:\n- {slug: code, jurisdiction: kg, citations: [{source: radio, quote: c}]}";
    import_on(&server, "2026-02-01", moved).await;
    let data = server.data(TIMES).await;
    assert_eq!(times(&data, "kz"), days(FIRST, "2026-02-01"));
    assert_eq!(times(&data, "paper"), days(FIRST, "2026-02-01"));
    assert_eq!(times(&data, "kg"), days("2026-02-01", "2026-02-01"));
    assert_eq!(times(&data, "radio"), days("2026-02-01", "2026-02-01"));
    // a deletion is a change too
    let store = server.database.connect_with(Clock::fixed("2026-03-01T00:00:00Z".parse().unwrap())).await;
    let id = store.find_id(kurultai::entity::RecordType::Case, "case").await.unwrap().unwrap();
    let author = Author { by: "tests".to_owned(), message: None };
    store.delete(kurultai::entity::RecordType::Case, id, None, &author).await.unwrap();
    import_on(&server, "2026-03-02", "topics:\n- {slug: press, label: {en: The press}}").await;
    let data = server.data(TIMES).await;
    assert_eq!(times(&data, "kg"), days("2026-02-01", "2026-03-01"));
    assert_eq!(times(&data, "radio"), days("2026-02-01", "2026-03-01"));
    assert_eq!(times(&data, "paper"), days(FIRST, "2026-02-01"));
}

#[rstest]
#[tokio::test]
async fn drafts_do_not_affect_freshness_for_readers(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let before = (server.data(TIMES).await, etag(&server).await);
    import_on(&server, "2026-02-01", "laws:\n- {slug: draft, title: {en: Other}, citations: [{source: radio, quote: d}]}").await;
    import_on(&server, "2026-02-02", "sources:\n- {slug: hidden, publisher: Somebody}").await;
    assert_eq!((server.data(TIMES).await, etag(&server).await), before);
    // editors see when a draft source was checked
    let editor = Asker::with_role(&server, Role::Editor).await;
    assert_eq!(times(&editor.data(TIMES).await, "hidden"), days("2026-02-02", FIRST));
    // publishing a draft changes its dependencies without checking its sources
    import_on(&server, "2026-03-01", "laws:\n- {slug: draft, published: true}").await;
    let data = server.data(TIMES).await;
    assert_eq!(times(&data, "kg"), days(FIRST, "2026-03-01"));
    assert_eq!(times(&data, "radio"), days(FIRST, "2026-03-01"));
}

#[rstest]
#[tokio::test]
async fn patch_checks_only_what_it_mentions(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    // the server's clock is fixed on the first day; a second server uses the system clock
    let other = server.beside().await;
    let editor = Asker::with_role(&other, Role::Editor).await;
    let law = editor.data("{ law(by: {slug: \"code\"}) { id } }").await["law"]["id"].clone();
    editor.done("addTopic { record { id } }", json!({"record": law, "topic": "press"})).await;
    let data = editor.data(TIMES).await;
    assert_eq!((times(&data, "kz").0, times(&data, "paper").0), days(FIRST, FIRST));
    assert!(times(&data, "paper").1.as_str() > FIRST);
    editor.done("addCitation { record { id } }", json!({"record": law, "citation": {"source": "radio", "quote": "e"}})).await;
    let data = editor.data(TIMES).await;
    assert_eq!(times(&data, "paper").0, FIRST);
    assert!(times(&data, "radio").0.as_str() > FIRST);
}

#[rstest]
#[tokio::test]
async fn mark_checked_updates_checked_at_all_or_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let other = server.beside().await;
    let editor = Asker::with_role(&other, Role::Editor).await;
    let ids = editor.data("{ source(by: {slug: \"paper\"}) { id } law(by: {slug: \"code\"}) { id } }").await;
    let (source, law) = (&ids["source"]["id"], &ids["law"]["id"]);
    let before = Asker::reader(&other).data(TIMES).await;
    let done = editor.done("markChecked { records { slug ... on Source { checkedAt lastChangedAt } } }", json!({"ids": [source]})).await;
    assert_eq!(done["records"][0]["slug"], "paper");
    let after = Asker::reader(&other).data(TIMES).await;
    assert!(times(&after, "paper").0.as_str() > FIRST);
    assert_eq!(times(&after, "paper").1, FIRST);
    assert_eq!(times(&after, "radio"), days(FIRST, FIRST));
    assert_eq!(after["revisions"], before["revisions"]);
    // one invalid id rejects all
    let missing = "source_01h455vb4pex5vsknk084sn02q";
    let payload =
        editor.payload("markChecked { records { slug } }", json!({"ids": ["jurisdiction_01h455vb4pex5vsknk084sn02q", law, missing]})).await;
    assert_eq!(payload["records"], json!([]));
    let errors: Vec<(&Value, &Value)> =
        payload["errors"].as_array().unwrap().iter().map(|error| (&error["path"][2], &error["code"])).collect();
    assert_eq!(errors, [(&json!(0), &json!("NOT_FOUND")), (&json!(1), &json!("INVALID")), (&json!(2), &json!("NOT_FOUND"))]);
    let refused = Asker::reader(&other).answer("mutation { markChecked(input: {ids: []}) { errors { message } } }", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[rstest]
#[tokio::test]
async fn dry_run_checks_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let before = server.data(TIMES).await;
    let store = server.database.connect_with(Clock::fixed("2026-02-01T00:00:00Z".parse().unwrap())).await;
    let drafts = read(&[("test.yaml".into(), TEXT.to_owned())]).unwrap();
    let author = Author { by: "tests".to_owned(), message: None };
    store.write_or_try(&drafts, &author, TransactionEnd::Rollback, |_| ()).await.unwrap();
    store.check(&drafts, &author, |_| ()).await.unwrap();
    assert_eq!(server.data(TIMES).await, before);
}

#[rstest]
#[tokio::test]
async fn lists_filter_and_order_by_checked_at(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    import_on(&server, "2026-02-01", "sources:\n- {slug: paper}").await;
    let query = "{ stale: sources(filter: {checkedAt: {lt: \"2026-01-15T00:00:00Z\"}}) { nodes { slug } } ordered: sources(order: {field: CHECKED_AT, direction: DESC}) { nodes { slug } } }";
    let data = server.data(query).await;
    assert_eq!(data["stale"]["nodes"], json!([{"slug": "radio"}]));
    assert_eq!(data["ordered"]["nodes"], json!([{"slug": "paper"}, {"slug": "radio"}]));
}

#[rstest]
#[tokio::test]
async fn migration_derives_last_changed_at_from_records(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let event = "cases:\n- slug: case\n  events: [{key: first, kind: other, date: \"2021\", text: {en: First}, citations: [{source: radio, quote: b}]}]";
    import_on(&server, "2026-02-01", event).await;
    import_on(&server, "2026-03-01", "provisions:\n- {slug: article, number: \"2\"}").await;
    import_on(&server, "2026-04-01", "laws:\n- {slug: draft, number: \"2\"}").await;
    migrate_down_before(&server.store, "m20261125_000016_freshness").await;
    server.store.migrate().await.unwrap();
    let data = server.answer(TIMES, json!({"again": true})).await["data"].take();
    assert_eq!(times(&data, "radio"), days(FIRST, "2026-02-01"));
    assert_eq!(times(&data, "paper"), days(FIRST, FIRST));
    assert_eq!(times(&data, "kz"), days(FIRST, "2026-03-01"));
    assert_eq!(times(&data, "kg"), days(FIRST, "2026-02-01"));
}

const ABOUT: &str = "{ dataset { __typename title licence attribution url revision records { type count } } }";

#[rstest]
#[tokio::test]
async fn dataset_returns_settings_and_counts_published_records(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let dataset = server.data(ABOUT).await["dataset"].take();
    for unknown in ["title", "licence", "attribution", "url"] {
        assert_eq!(dataset[unknown], Value::Null);
    }
    assert_eq!(dataset["revision"], 1);
    let count = |ty: &str| dataset["records"].as_array().unwrap().iter().find(|count| count["type"] == ty).unwrap()["count"].clone();
    assert_eq!((count("LAW"), count("SOURCE"), count("JURISDICTION"), count("PERSON")), (json!(1), json!(2), json!(2), json!(0)));
    let about = Dataset {
        title: Some("Speech law".to_owned()),
        licence: Some("CC BY 4.0".to_owned()),
        attribution: Some("Example Foundation".to_owned()),
        public_url: Some(public_url("https://data.example.org").unwrap()),
    };
    let dataset = Server::about(on, about).await.data(ABOUT).await["dataset"].take();
    let values = ["title", "licence", "attribution", "url"].map(|name| dataset[name].as_str().unwrap());
    assert_eq!(values, ["Speech law", "CC BY 4.0", "Example Foundation", "https://data.example.org/"]);
}
