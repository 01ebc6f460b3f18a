//! The number of SQL statements per request, which does not depend on the number of levels and rows.

use std::fmt::Write;

use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server};

/// Cases with parties, people and charges, as YAML.
fn cases(count: usize) -> String {
    let mut text = String::from("laws:\n- {slug: law, title: {en: Law}, kind: law, status: in_force}\nprovisions:\n");
    for number in 0..7 {
        writeln!(text, "- {{slug: p{number}, heading: {{en: P{number}}}, kind: article, position: {number}, law: law}}").unwrap();
    }
    text += "people:\n";
    for number in 0..count {
        writeln!(text, "- {{slug: person-{number}, name: {{en: Person {number}}}}}").unwrap();
    }
    text += "cases:\n";
    for number in 0..count {
        let other = (number + 1) % count;
        writeln!(
            text,
            "- {{slug: case-{number}, title: {{en: Case {number}}}, kind: criminal, status: pending, parties: [{{key: a, person: person-{number}, role: defendant}}, {{key: b, person: person-{other}, role: victim}}], charges: [{{party: a, provision: p{}, outcome: pending}}]}}",
            number % 7
        )
        .unwrap();
    }
    text
}

const THREE_LEVELS: &str = "query($first: Int!) { cases(first: $first) { totalCount nodes { title
    parties(first: 5) { totalCount nodes { role person { name memberships(first: 2) { nodes { label } } } } }
    charges(first: 5) { nodes { outcome party { role } provision { number law { title } } } }
    topics { nodes { label } } disputes { field } } } }";

#[rstest]
#[tokio::test]
async fn statement_count_is_independent_of_row_count(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &cases(120)).await;
    let mut counts = Vec::new();
    for first in [1, 20, 100] {
        let before = server.store.statement_count();
        let answer = server.answer(THREE_LEVELS, json!({"first": first})).await;
        assert_eq!(answer["data"]["cases"]["nodes"].as_array().unwrap().len(), first, "{answer:#}");
        assert_eq!(answer["data"]["cases"]["nodes"][0]["parties"]["totalCount"], 2);
        assert_eq!(answer["data"]["cases"]["nodes"][0]["charges"]["nodes"][0]["provision"]["law"]["title"], "Law");
        counts.push(server.store.statement_count() - before);
    }
    // the cases with all rows below, and the total count
    assert_eq!(counts, [2, 2, 2]);
}

#[rstest]
#[tokio::test]
async fn total_is_counted_only_if_requested(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &cases(3)).await;
    let statements = async |query: &str| {
        let before = server.store.statement_count();
        server.data(query).await;
        server.store.statement_count() - before
    };
    assert_eq!(statements("{ cases { nodes { id } } }").await, 1);
    assert_eq!(statements("{ cases { totalCount } }").await, 1);
    assert_eq!(statements("{ cases { totalCount nodes { id } } }").await, 2);
}

#[rstest]
#[tokio::test]
async fn polymorphic_references_take_one_statement_per_type(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let before = server.store.statement_count();
    let data = server
        .data("{ citations(first: 100, filter: {field: {eq: \"decidedOn\"}}) { nodes { record { id ... on Case { title } } } } }")
        .await;
    assert!(data["citations"]["nodes"].as_array().unwrap().len() >= 3);
    // the page, the types of the targets, and the cases
    assert_eq!(server.store.statement_count() - before, 3);
}
