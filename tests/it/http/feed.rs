//! Atom feeds: the records of a query, the history of a record, all changes.

use std::str::FromStr;

use atom_syndication::Feed;
use kurultai::core::auth::Role;
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use rstest::rstest;
use serde_json::json;

use crate::server::{Asker, On, Server};

const TEXT: &str = "people:\n- {slug: a, name: {en: Anna <A> & B}}\n- {slug: b, name: {en: Bulat}}\n- {slug: draft, name: {en: Draft}, published: false}\nlaws:\n- {slug: l, title: {en: Law}, kind: law, status: in_force}\n";

async fn get(server: &Server, query: &[(&str, &str)]) -> (u16, String) {
    let response = server.client.get(format!("{}/feed.atom", server.address)).query(query).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn feed(server: &Server, query: &[(&str, &str)]) -> Feed {
    let (status, text) = get(server, query).await;
    assert_eq!(status, 200, "{text}");
    let feed = Feed::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    // the required elements of RFC 4287
    assert!(feed.id.starts_with("urn:uuid:") && !feed.title.as_str().is_empty());
    assert!(feed.links.iter().any(|link| link.rel == "self" && link.href.starts_with(&server.address)));
    assert!(!feed.authors.is_empty());
    let mut ids: Vec<&str> = feed.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert!(ids.iter().all(|id| id.starts_with("urn:uuid:")));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), feed.entries.len());
    assert!(feed.entries.iter().all(|entry| !entry.title.as_str().is_empty() && entry.updated <= feed.updated));
    feed
}

fn titles(feed: &Feed) -> Vec<&str> {
    feed.entries.iter().map(|entry| entry.title.as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn queries_and_saved_queries_have_feeds(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let query = "query($first: Int) { people(first: $first, order: {field: NAME}) { nodes { name } } }";
    let of_query = feed(&server, &[("query", query), ("variables", "{\"first\": 1}")]).await;
    assert_eq!(titles(&of_query), ["Anna <A> & B"]);
    let reader = Asker::with_role(&server, Role::Reader).await;
    let input = json!({"query": query, "name": "people", "title": "People of note"});
    reader.done("saveQuery { savedQuery { hash } }", input).await;
    let saved = feed(&server, &[("saved", "people")]).await;
    assert_eq!(saved.title.as_str(), "People of note");
    assert_eq!(titles(&saved), ["Anna <A> & B", "Bulat"]);
    let id = server.data("{ person(by: {slug: \"b\"}) { id } }").await["person"]["id"].as_str().unwrap().to_owned();
    // an entry links to the page of its record
    let link = server.client.get(&saved.entries[1].links[0].href).send().await.unwrap();
    assert_eq!(link.url().path(), "/r/person/b");
    assert!(link.text().await.unwrap().contains(&id));
    // the id of an entry does not depend on the feed and never changes
    server.import("people:\n- {slug: b, name: {en: Bolat}}").await.unwrap();
    let changed = feed(&server, &[("saved", "people")]).await;
    assert_eq!((titles(&changed)[1], &changed.entries[1].id), ("Bolat", &saved.entries[1].id));
    assert_eq!(changed.id, saved.id);
}

#[tokio::test]
async fn feed_links_use_the_public_url_if_configured() {
    let public_url = Some(kurultai::core::dataset::public_url("https://data.example.org").unwrap());
    let server = Server::about(On::Sqlite, kurultai::core::dataset::Dataset { public_url, ..Default::default() }).await;
    server.import(TEXT).await.unwrap();
    let (_, text) = get(&server, &[("query", "{ people { nodes { id } } }")]).await;
    let feed = Feed::from_str(&text).unwrap();
    assert!(feed.links.iter().all(|link| link.href.starts_with("https://data.example.org/")), "{text}");
    assert_eq!(feed.entries[0].links[0].href, "https://data.example.org/r/person/a");
}

#[rstest]
#[tokio::test]
async fn record_history_and_all_changes_have_feeds(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    server.import("people:\n- {slug: b, name: {en: Bolat}}").await.unwrap();
    let id = server.data("{ person(by: {slug: \"b\"}) { id } }").await["person"]["id"].as_str().unwrap().to_owned();
    let history = feed(&server, &[("record", &id)]).await;
    assert_eq!(titles(&history), ["Person: Bolat (updated)", "Person: Bolat (created)"]);
    assert_eq!(history.entries[0].authors[0].name, "tests");
    assert_eq!(titles(&feed(&server, &[("types", "LAW")]).await), ["Law: Law (created)"]);
    let all = feed(&server, &[]).await;
    assert_eq!(titles(&all)[0], "Person: Bolat (updated)");
    assert_eq!(all.entries.len(), 4);
    assert_eq!(all.entries[0].id, history.entries[0].id);
    // editors see drafts
    let (_, token) = server.store.create_token("A", Role::Editor, None).await.unwrap();
    let request = server.client.get(format!("{}/feed.atom", server.address)).header(AUTHORIZATION, format!("Bearer {token}"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store");
    assert!(response.text().await.unwrap().contains("Draft"));
}

#[rstest]
#[tokio::test]
async fn unchanged_feed_is_not_sent_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let address = format!("{}/feed.atom", server.address);
    let first = server.client.get(&address).send().await.unwrap();
    assert_eq!(first.headers()[CONTENT_TYPE], "application/atom+xml; charset=utf-8");
    let before = server.store.statement_count();
    let again = server.client.get(&address).header(IF_NONE_MATCH, &first.headers()[ETAG]).send().await.unwrap();
    assert_eq!((again.status().as_u16(), server.store.statement_count()), (304, before));
    server.import("people:\n- {slug: c, name: {en: C}}").await.unwrap();
    let changed = server.client.get(&address).header(IF_NONE_MATCH, &first.headers()[ETAG]).send().await.unwrap();
    assert_eq!(changed.status(), 200);
}

#[rstest]
#[case(&[("query", "{ viewer { role } }")], 400, "one list of records at its root")]
#[case(&[("query", "{ people { nodes { id } } laws { nodes { id } } }")], 400, "and no other field")]
#[case(&[("query", "{ nothing }")], 400, "nothing")]
#[case(&[("saved", "nowhere")], 404, "no saved query")]
#[case(&[("record", "person_01h455vb4pex5vsknk084sn02q")], 404, "no record")]
#[case(&[("record", "x")], 400, "id")]
#[case(&[("types", "THING")], 400, "no record type THING")]
#[case(&[("types", ",")], 400, "an item of the list is empty")]
#[case(&[("types", "LAW,,CASE")], 400, "an item of the list is empty")]
#[case(&[("types", "LAW"), ("record", "x")], 400, "specify only one of")]
#[case(&[("type", "LAW")], 400, "there is no parameter")]
#[case(&[("types", "LAW"), ("types", "CASE")], 400, "given twice")]
#[case(&[("extensions", r#"{"persistedQuery":{"version":2}}"#)], 400, "version must be 1")]
#[case(&[("variables", "{}"), ("operationName", "x")], 400, "variables requires query")]
#[case(&[("record", "")], 400, "id")]
#[case(&[("query", "mutation { __typename }")], 400, "a feed requires a query")]
#[tokio::test]
async fn invalid_feed_is_rejected(#[case] query: &[(&str, &str)], #[case] status: u16, #[case] message: &str) {
    let server = Server::with(On::Sqlite, TEXT).await;
    let (is, text) = get(&server, query).await;
    assert_eq!(is, status, "{text}");
    assert!(text.contains(message), "{text}");
}

#[rstest]
#[tokio::test]
async fn feeds_name_records_that_are_gone_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let (editor, reader) = (Asker::with_role(&server, Role::Editor).await, Asker::reader(&server));
    let ids =
        server.data("{ a: person(by: {slug: \"a\"}) { id } b: person(by: {slug: \"b\"}) { id } law(by: {slug: \"l\"}) { id } }").await;
    let [a, b, law] = ["a", "b", "law"].map(|name| ids[name]["id"].as_str().unwrap().to_owned());
    let start = server.data("{ changes(first: 100) { pageInfo { endCursor } } }").await["changes"]["pageInfo"]["endCursor"].take();
    editor.done("mergePeople { person { id } }", json!({"from": b, "into": a})).await;
    editor.done("deleteLaw { deletedId }", json!({"id": law})).await;
    let query = "query($since: String) { changes(since: $since, types: [PERSON, LAW]) { nodes { kind recordId recordType record { id } mergedInto { id slug } changes { field } } } }";
    let mut entries = Vec::new();
    for asker in [&editor, &reader] {
        let mut answer = asker.answer(query, json!({"since": start})).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        let mut nodes = answer["data"]["changes"]["nodes"].take();
        let nodes = nodes.as_array_mut().unwrap();
        nodes.retain(|node| node["kind"] != "UPDATED");
        let count = nodes.iter_mut().map(|node| node["changes"].take().as_array().unwrap().len()).collect::<Vec<_>>();
        entries.push((nodes.clone(), count));
    }
    let expected = [
        json!({"kind": "MERGED", "recordId": b, "recordType": "PERSON", "record": null, "mergedInto": {"id": a, "slug": "a"}, "changes": null}),
        json!({"kind": "DELETED", "recordId": law, "recordType": "LAW", "record": null, "mergedInto": null, "changes": null}),
    ];
    assert_eq!((&entries[0].0, &entries[1].0), (&expected.to_vec(), &expected.to_vec()));
    // editors read what was removed; readers do not
    assert!(entries[0].1.iter().all(|count| *count > 0) && entries[1].1.iter().all(|count| *count == 0), "{entries:?}");
    let all = feed(&server, &[]).await;
    let merged = all.entries.iter().find(|entry| entry.title.as_str() == "Person (merged)").unwrap();
    let category =
        |scheme: &str| merged.categories.iter().find(|found| found.scheme.as_deref() == Some(scheme)).map(|found| found.term.as_str());
    assert_eq!((category("urn:kurultai:recordId"), category("urn:kurultai:mergedInto")), (Some(b.as_str()), Some(a.as_str())));
    assert!(merged.links.iter().any(|link| link.rel == "related" && link.href.ends_with("/r/person/a")), "{:?}", merged.links);
    // the deletion is reverted from its only entry
    editor.done("revert { record { id } }", json!({"record": law, "toRevision": 1})).await;
    assert_eq!(server.data("{ law(by: {slug: \"l\"}) { id } }").await["law"]["id"], law.as_str());
}
