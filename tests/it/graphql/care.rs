//! Records that need the care of an editor: by query, and on a page without scripts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kurultai::core::auth::Role;
use kurultai::core::clock::Clock;
use kurultai::store::care::address_check::{CheckedAddress, UrlStatus};
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, LOCATION, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server, TestDatabase};

const TEXT: &str = r#"
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
topics:
- {slug: press, label: {en: Press}}
sources:
- {slug: alive, title: {en: Alive}, kind: article, url: "https://example.org/alive"}
- {slug: gone, title: {en: Gone}, kind: article, url: "https://example.org/gone"}
- {slug: kept, title: {en: Kept}, kind: article, url: "https://example.org/kept", archivedUrl: "https://example.net/kept"}
people:
- {slug: anna, name: {en: Anna}}
- {slug: berik, name: {en: Berik}, birthDate: "1970", citations: [{source: alive, field: birthDate, value: "1970"}, {key: b, source: gone, field: birthDate, value: "1971"}]}
- slug: dana
  name: {en: Dana}
  birthDate: "1980"
  citations: [{source: alive, field: birthDate, value: "1980"}, {key: b, source: gone, field: birthDate, value: "1981", note: Misprint}]
cases:
- slug: case-1
  title: {en: The case}
  kind: criminal
  status: pending
  parties: [{key: anna, role: defendant, person: anna, citations: [{source: alive}]}]
- {slug: case-2, title: {en: Another case}, kind: criminal, status: pending, published: false}
"#;
const QUERY: &str = "query($kinds: [CareKind!], $types: [RecordType!], $first: Int, $after: String) { needsCare(kinds: $kinds, types: $types, first: $first, after: $after) { totalCount counts { kind count } pageInfo { hasNextPage endCursor } nodes { kind record { __typename slug } } } }";

/// Stores checks of the URLs of sources.
async fn check(server: &Server, results: &[(&str, UrlStatus)]) {
    let due = server.store.sources_to_check("2100-01-01T00:00:00Z".parse().unwrap(), 100).await.unwrap();
    for (slug, status) in results {
        let source = due.iter().find(|source| source.slug == *slug).unwrap();
        server.store.record_address_checks(&[CheckedAddress { id: source.id, url: &source.url, status: *status }]).await.unwrap();
    }
}

async fn needs_care(asker: &Asker<'_>, variables: Value) -> Value {
    let mut answer = asker.answer(QUERY, variables).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["needsCare"].take()
}

fn rows(page: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    page["nodes"].as_array().unwrap().iter().map(|node| (text(&node["kind"]), text(&node["record"]["slug"]))).collect()
}

/// A server on the same database whose clock is more than a year ahead.
async fn a_year_later(server: &Server) -> Server {
    let database = TestDatabase::at(server.database.url.clone());
    let store = database.connect_with(Clock::fixed("2027-06-01T00:00:00Z".parse().unwrap())).await;
    Server::over(database, store).await
}

#[rstest]
#[tokio::test]
async fn records_that_need_care_are_listed_and_counted_by_kind(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    check(&server, &[("alive", UrlStatus::Found), ("gone", UrlStatus::Dead), ("kept", UrlStatus::Dead)]).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let all = needs_care(&editor, json!({})).await;
    let expected = [("WITHOUT_SOURCE", "anna"), ("WITHOUT_SOURCE", "case-2"), ("DISPUTED_WITHOUT_NOTE", "berik"), ("DEAD_URL", "gone")];
    let expected = expected.map(|(kind, slug)| (kind.to_owned(), slug.to_owned()));
    assert_eq!(rows(&all), expected, "{all:#}");
    let counts = json!([
        {"kind": "WITHOUT_SOURCE", "count": 2}, {"kind": "DISPUTED_WITHOUT_NOTE", "count": 1}, {"kind": "NOT_CHECKED", "count": 0},
        {"kind": "DEAD_URL", "count": 1},
    ]);
    assert_eq!((&all["counts"], &all["totalCount"]), (&counts, &json!(4)));

    // page by page, across kinds and types
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = needs_care(&editor, json!({"first": 1, "after": after})).await;
        paged.extend(rows(&page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(paged, expected);
    let some = needs_care(&editor, json!({"kinds": ["WITHOUT_SOURCE"], "types": ["CASE"]})).await;
    assert_eq!((rows(&some), &some["totalCount"]), (vec![expected[1].clone()], &json!(1)));
    let foreign = editor.answer(QUERY, json!({"kinds": ["NOT_CHECKED"], "after": after})).await;
    assert_eq!(foreign["errors"][0]["extensions"]["code"], "INVALID_CURSOR", "{foreign:#}");

    // a year without a check, by the clock of the server
    let later = a_year_later(&server).await;
    let editor = Asker::with_role(&later, Role::Admin).await;
    let page = needs_care(&editor, json!({"kinds": ["NOT_CHECKED"]})).await;
    let slugs: Vec<String> = rows(&page).into_iter().map(|(_, slug)| slug).collect();
    assert_eq!(slugs.len(), 4, "{page:#}");
    let id = later.data("{ jurisdiction(by: {slug: \"kz\"}) { id } }").await["jurisdiction"]["id"].take();
    editor.done("markChecked { records { slug } }", json!({"ids": [id]})).await;
    assert_eq!(needs_care(&editor, json!({"kinds": ["NOT_CHECKED"]})).await["totalCount"], 3);

    for (asker, code) in [(Asker::reader(&server), "UNAUTHENTICATED"), (Asker::with_role(&server, Role::Reader).await, "FORBIDDEN")] {
        assert_eq!(asker.answer(QUERY, json!({})).await["errors"][0]["extensions"]["code"], code);
    }
}

#[rstest]
#[tokio::test]
async fn url_status_is_queried_and_cleared_with_the_url(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let query = "{ sources(filter: {urlStatus: {eq: DEAD}}) { nodes { slug urlStatus urlCheckedAt revision } } }";
    // the answer is cached until the check
    assert_eq!(server.data(query).await["sources"]["nodes"], json!([]));
    check(&server, &[("gone", UrlStatus::Dead)]).await;
    let node = json!([{"slug": "gone", "urlStatus": "DEAD", "urlCheckedAt": "2026-01-01T00:00:00.000000Z", "revision": 1}]);
    assert_eq!(server.data(query).await["sources"]["nodes"], node);
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("updateSource { source { id } }", json!({"id": "gone", "publisher": "P"})).await;
    assert_eq!(server.data(query).await["sources"]["nodes"][0]["slug"], "gone");
    let due = server.store.sources_to_check("2026-01-01T00:00:00Z".parse().unwrap(), 100).await.unwrap();
    assert_eq!(due.len(), 2);
    editor.done("updateSource { source { id } }", json!({"id": "gone", "url": "https://example.org/moved"})).await;
    assert_eq!(server.data(query).await["sources"]["nodes"], json!([]));
    // the result of a check of the earlier URL is not stored
    let id = server.store.find_id(kurultai::entity::RecordType::Source, "gone").await.unwrap().unwrap();
    let stale = CheckedAddress { id, url: "https://example.org/gone", status: UrlStatus::Dead };
    server.store.record_address_checks(&[stale]).await.unwrap();
    assert_eq!(server.data(query).await["sources"]["nodes"], json!([]));
}

#[rstest]
#[tokio::test]
async fn care_page_lists_records_for_editors_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    check(&server, &[("gone", UrlStatus::Dead)]).await;
    let later = a_year_later(&server).await;
    let (_, token) = later.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let (_, reader) = later.store.create_token("R", Role::Reader, None).await.unwrap();
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let get = async |path: &str, authorization: Option<&str>| {
        let request = client.get(format!("{}{path}", later.address));
        let request = authorization.iter().fold(request, |request, value| request.header(AUTHORIZATION, *value));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
    };
    // a browser is sent to the path below which it keeps the token
    let (status, headers, _) = get("/care?kind=dead_url", None).await;
    assert_eq!((status, &headers[LOCATION]), (307, &"/editors/care?kind=dead_url".parse().unwrap()));
    let (status, headers, text) = get("/editors/care", None).await;
    assert_eq!(status, 401, "{text}");
    assert!(headers[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
    assert_eq!(get("/care", Some(&format!("Bearer {reader}"))).await.0, 403);
    assert_eq!(get("/editors/care", Some(&format!("Basic {}", STANDARD.encode("x:wrong")))).await.0, 401);
    let basic = format!("Basic {}", STANDARD.encode(format!("anyone:{token}")));
    for (path, authorization) in [("/care", format!("Bearer {token}")), ("/editors/care", basic.clone())] {
        let (status, headers, text) = get(path, Some(&authorization)).await;
        assert_eq!((status, &headers[CACHE_CONTROL]), (200, &"private, no-store".parse().unwrap()), "{text}");
        for part in [
            "Without a source (2)",
            "/r/person/anna",
            "Disputed without a note (1)",
            "/r/person/berik",
            "Not checked for a year (4)",
            "Dead URL (1)",
            "https://example.org/gone",
            "Signed in as Aigerim",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(!text.contains("<script"));
    }
    let (status, _, text) = get("/editors/care?kind=dead_url", Some(&basic)).await;
    assert!(status == 200 && text.contains("/r/source/gone") && !text.contains("/r/person/anna"), "{text}");
    let (status, _, text) = get("/editors/care?kind=dead", Some(&basic)).await;
    assert!(status == 400 && text.contains("the kinds are without_source"), "{text}");
    // no request that changes anything accepts the credentials that a browser sends by itself
    let request = client.post(format!("{}/graphql", later.address)).header(AUTHORIZATION, &basic);
    assert_eq!(request.json(&json!({"query": "{ viewer { name } }"})).send().await.unwrap().status(), 401);
}

/// Counts scan all records, so they are made once for each state of the dataset, and a change is seen at once.
#[rstest]
#[tokio::test]
async fn counts_are_made_once_for_each_state_of_the_dataset(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let counted = async || {
        let before = server.store.statement_count();
        let data = editor.data("{ needsCare(first: 0) { totalCount } possibleDuplicatePairs { totalCount } }").await;
        (data, server.store.statement_count() - before)
    };
    let (first, statements) = counted().await;
    // the first use of a token is stored, which is a change, too
    counted().await;
    let (second, repeated) = counted().await;
    assert_eq!((&second, first["possibleDuplicatePairs"]["totalCount"].as_u64()), (&first, Some(0)));
    assert!(repeated + 15 < statements, "{repeated} statements after {statements}");
    for slug in ["zarina", "zarina-2"] {
        let input = json!({"slug": slug, "name": {"en": "Zarina Akhmetova"}, "birthDate": "1971-02-03"});
        editor.done("createPerson { person { id } }", input).await;
    }
    let (third, _) = counted().await;
    let total = |data: &Value| data["needsCare"]["totalCount"].as_u64().unwrap();
    assert_eq!(total(&third), total(&first) + 2);
    assert_eq!(third["possibleDuplicatePairs"]["totalCount"], 1);
}
