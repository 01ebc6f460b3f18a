//! Pagination: every row appears once, in either direction, from any cursor.

use std::collections::HashSet;
use std::fmt::Write;

use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server};

/// People with equal, partial and unknown birth dates.
fn people(count: usize) -> String {
    let mut text = String::from("people:\n");
    for number in 0..count {
        let birth = match number % 5 {
            0 => String::new(),
            1 => ", birthDate: \"1970\"".to_owned(),
            2 => ", birthDate: \"1970-05\"".to_owned(),
            3 => ", birthDate: \"1970-05-01\"".to_owned(),
            _ => format!(", birthDate: \"19{:02}-01-01\"", number % 100),
        };
        writeln!(text, "- {{slug: p{number}, name: {{en: Person {number}}}{birth}}}").unwrap();
    }
    text
}

async fn page(server: &Server, arguments: &str) -> Value {
    let query = format!(
        "{{ people({arguments}) {{ edges {{ cursor node {{ slug birthDate }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    server.data(&query).await["people"].take()
}

fn slugs(page: &Value) -> Vec<String> {
    page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["slug"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn every_order_returns_each_row_once_in_both_directions(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values("NAME", "BIRTH_DATE", "CREATED_AT")] field: &str,
    #[values("ASC", "DESC")] direction: &str,
) {
    let server = Server::with(on, &people(43)).await;
    let order = format!("order: {{field: {field}, direction: {direction}}}");
    let mut forwards = Vec::new();
    let mut after = String::new();
    loop {
        let page = page(&server, &format!("first: 5, {order}{after}")).await;
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_empty());
        forwards.extend(slugs(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = format!(", after: {}", page["pageInfo"]["endCursor"]);
    }
    assert_eq!(forwards.iter().collect::<HashSet<_>>().len(), 43);
    assert_eq!(forwards.len(), 43);

    let mut backwards = Vec::new();
    let mut before = String::new();
    loop {
        let page = page(&server, &format!("last: 5, {order}{before}")).await;
        assert_eq!(page["pageInfo"]["hasNextPage"], !before.is_empty());
        backwards.splice(0..0, slugs(&page));
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
        before = format!(", before: {}", page["pageInfo"]["startCursor"]);
    }
    assert_eq!(backwards, forwards);
}

#[rstest]
#[tokio::test]
async fn ascending_order_puts_unknown_dates_first(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &people(10)).await;
    let page = page(&server, "first: 100, order: {field: BIRTH_DATE}").await;
    let dates: Vec<Option<&str>> = page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["birthDate"].as_str()).collect();
    let mut sorted = dates.clone();
    sorted.sort();
    assert_eq!(dates, sorted);
    assert_eq!(dates[0], None);
}

#[rstest]
#[tokio::test]
async fn page_between_two_cursors_excludes_both(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &people(10)).await;
    let all = page(&server, "first: 100").await;
    let cursor = |index: usize| all["edges"][index]["cursor"].to_string();
    let between = page(&server, &format!("first: 100, after: {}, before: {}", cursor(2), cursor(6))).await;
    assert_eq!(slugs(&between), slugs(&all)[3..6]);
    let last = page(&server, &format!("last: 2, after: {}, before: {}", cursor(2), cursor(6))).await;
    assert_eq!(slugs(&last), slugs(&all)[4..6]);
    assert_eq!(last["pageInfo"]["hasPreviousPage"], true);
}

#[rstest]
#[tokio::test]
async fn nested_pages_continue_from_their_own_cursors(#[values(On::Sqlite, On::Postgres)] on: On) {
    let mut text = String::from(
        "organizations:\n- {slug: a, name: {en: A}, classification: party}\n- {slug: b, name: {en: B}, classification: party}\npeople:\n- {slug: p, name: {en: P}}\nmemberships:\n",
    );
    for number in 0..9 {
        let organization = if number % 3 == 0 { "a" } else { "b" };
        writeln!(text, "- {{slug: m{number}, label: {{en: M}}, person: p, organization: {organization}, start: \"200{number}\"}}").unwrap();
    }
    let server = Server::with(on, &text).await;
    let query = "query($after: String) { organizations { nodes { slug memberships(first: 2, after: $after) { totalCount nodes { slug } pageInfo { hasNextPage endCursor } } } } }";
    let first = server.answer(query, json!({})).await;
    let of = |answer: &Value, index: usize| answer["data"]["organizations"]["nodes"][index]["memberships"].clone();
    assert_eq!(of(&first, 0)["nodes"], json!([{"slug": "m6"}, {"slug": "m3"}]));
    assert_eq!(of(&first, 1)["nodes"], json!([{"slug": "m8"}, {"slug": "m7"}]));
    assert_eq!(of(&first, 1)["totalCount"], 6);
    assert_eq!(of(&first, 1)["pageInfo"]["hasNextPage"], true);
    let second = server.answer(query, json!({"after": of(&first, 1)["pageInfo"]["endCursor"]})).await;
    assert_eq!(of(&second, 1)["nodes"], json!([{"slug": "m5"}, {"slug": "m4"}]));
    assert_eq!(of(&second, 0)["nodes"], json!([{"slug": "m6"}, {"slug": "m3"}]));
}

#[rstest]
#[case("first: 1, last: 1", "not both", "BAD_USER_INPUT")]
#[case("first: -1", "negative", "BAD_USER_INPUT")]
#[case("last: 101", "at most 100", "BAD_USER_INPUT")]
#[case("after: \"nonsense\"", "not a cursor of this server", "INVALID_CURSOR")]
#[case("after: \"WzAsIlBlcnNvbiBieSBuYW1lIixbXSwiIl0\"", "another version", "INVALID_CURSOR")]
#[tokio::test]
async fn invalid_page_arguments_are_rejected_with_advice(#[case] arguments: &str, #[case] message: &str, #[case] code: &str) {
    let server = Server::empty(On::Sqlite).await;
    let (actual, actual_code) = server.error(&format!("{{ people({arguments}) {{ nodes {{ id }} }} }}")).await;
    assert!(actual.contains(message), "{actual}");
    assert_eq!(actual_code, code);
}

#[tokio::test]
async fn cursor_of_another_list_is_rejected() {
    let server = Server::with(On::Sqlite, &people(3)).await;
    let cursor = page(&server, "first: 1").await["pageInfo"]["endCursor"].to_string();
    let (message, code) = server.error(&format!("{{ people(after: {cursor}, order: {{field: BIRTH_DATE}}) {{ nodes {{ id }} }} }}")).await;
    assert!(message.contains("belongs to a list of Person by name"), "{message}");
    assert_eq!(code, "INVALID_CURSOR");
    let (message, _) = server.error(&format!("{{ organizations(after: {cursor}) {{ nodes {{ id }} }} }}")).await;
    assert!(message.contains("this is a list of Organization"), "{message}");
}

#[rstest]
#[tokio::test]
async fn empty_cursor_is_no_cursor(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &people(5)).await;
    for (list, empty, absent) in [
        ("people", "first: 2, after: \"\"", "first: 2"),
        ("people", "last: 2, before: \"\"", "last: 2"),
        ("people", "first: 2, after: \"\", before: \"\", order: {field: BIRTH_DATE}", "first: 2, order: {field: BIRTH_DATE}"),
        ("revisions", "first: 2, after: \"\"", "first: 2"),
        ("changes", "first: 2, since: \"\"", "first: 2"),
        ("search", "query: \"Person\", first: 2, after: \"\"", "query: \"Person\", first: 2"),
    ] {
        let pages = format!("{{ empty: {list}({empty}) {{ ...P }} absent: {list}({absent}) {{ ...P }} }}");
        let ty = match list {
            "people" => "PersonConnection",
            "search" => "SearchConnection",
            _ => "RevisionConnection",
        };
        let fragment = format!("fragment P on {ty} {{ edges {{ cursor }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }}");
        let data = server.data(&format!("{pages} {fragment}")).await;
        assert_eq!(data["empty"], data["absent"], "{list}({empty})");
        assert_eq!(data["empty"]["edges"].as_array().unwrap().len(), 2, "{list}({empty})");
    }
    let nested = "query($after: String) { person(by: {slug: \"p1\"}) { history(first: 1, after: $after) { nodes { id } } } }";
    let answers = [server.answer(nested, json!({"after": ""})).await, server.answer(nested, json!({})).await];
    assert_eq!(answers[0]["data"]["person"]["history"]["nodes"].as_array().map(Vec::len), Some(1), "{}", answers[0]);
    assert_eq!(answers[0], answers[1]);
    // a blank is not empty
    assert_eq!(server.error("{ people(after: \" \") { totalCount } }").await.1, "INVALID_CURSOR");
}
