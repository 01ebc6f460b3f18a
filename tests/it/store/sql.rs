//! The SQL of requests of each kind, on both databases, as snapshots: they document the planner, and a change of it shows
//! in review.
//!
//! Values are bound, so the statements do not depend on them. `CASE_ID` and `CURSOR` in a request stand for an id and a
//! cursor of the sample dataset.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sqlformat::{FormatOptions, Indent, QueryParams};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::server::{On, Server};
use crate::store::plan::StatementLog;

const FILTER_REQUESTS: &[(&str, &str)] = &[
    ("filter_text_eq", r#"{ people(filter: {gender: {eq: "female"}}) { nodes { slug } } }"#),
    ("filter_text_in", r#"{ people(filter: {gender: {in: ["female", "male"]}}) { nodes { slug } } }"#),
    ("filter_text_not", r#"{ people(filter: {gender: {not: "female"}}) { nodes { slug } } }"#),
    ("filter_text_starts_with", r#"{ people(filter: {gender: {startsWith: "fem"}}) { nodes { slug } } }"#),
    ("filter_text_contains", r#"{ people(filter: {gender: {contains: "mal"}}) { nodes { slug } } }"#),
    ("filter_is_null", "{ people(filter: {gender: {isNull: true}, birthDate: {isNull: false}}) { nodes { slug } } }"),
    ("filter_name_eq", r#"{ people(filter: {name: {eq: "Eva Skoda"}}) { nodes { slug } } }"#),
    ("filter_name_in", r#"{ people(filter: {name: {in: ["Eva Skoda", "Anna Ivanova"]}}) { nodes { slug } } }"#),
    ("filter_name_contains", r#"{ people(filter: {name: {contains: "skoda"}}) { nodes { slug } } }"#),
    ("filter_date_eq", r#"{ cases(filter: {openedOn: {eq: "2020"}}) { nodes { slug } } }"#),
    ("filter_date_in", r#"{ cases(filter: {openedOn: {in: ["2020", "2021-05"]}}) { nodes { slug } } }"#),
    (
        "filter_date_range",
        r#"{ cases(filter: {openedOn: {gte: "2018", lt: "2021"}, decidedOn: {gt: "2018-06", lte: "2021"}}) { nodes { slug } } }"#,
    ),
    ("filter_integer_range", "{ provisions(filter: {position: {gte: 1, lt: 300}}) { nodes { slug } } }"),
    ("filter_boolean", "{ laws(filter: {disputed: {eq: true}}) { nodes { slug } } }"),
    ("filter_id_in", r#"{ cases(filter: {id: {in: ["CASE_ID"]}}) { nodes { slug } } }"#),
    (
        "filter_and_or_not",
        r#"{ cases(filter: {or: [{status: {eq: PENDING}}, {not: {kind: {eq: CRIMINAL}}}], and: [{slug: {not: "x"}}]}) { nodes { slug } } }"#,
    ),
];

const RELATION_REQUESTS: &[(&str, &str)] = &[
    ("filter_reference", r#"{ cases(filter: {court: {slug: {eq: "x"}}}) { nodes { slug } } }"#),
    ("filter_relation_some", "{ cases(filter: {charges: {some: {outcome: {eq: CONVICTED}}}}) { nodes { slug } } }"),
    ("filter_relation_none", "{ cases(filter: {charges: {none: {outcome: {eq: CONVICTED}}}}) { nodes { slug } } }"),
    ("filter_relation_every", "{ cases(filter: {charges: {every: {outcome: {eq: CONVICTED}}}}) { nodes { slug } } }"),
    ("filter_link_table_some", r#"{ cases(filter: {topics: {some: {slug: {eq: "speech"}}}}) { nodes { slug } } }"#),
    ("filter_nested_relations", r#"{ cases(filter: {charges: {some: {provision: {law: {slug: {eq: "x"}}}}}}) { nodes { slug } } }"#),
];

const LIST_REQUESTS: &[(&str, &str)] = &[
    ("order_default", "{ cases { nodes { slug } } }"),
    ("order_name_desc", "{ cases(order: {field: TITLE, direction: DESC}) { nodes { slug } } }"),
    ("order_date", "{ cases(order: {field: DECIDED_ON}) { nodes { slug } } }"),
    ("order_integer", "{ provisions(order: {field: POSITION}) { nodes { slug } } }"),
    ("order_instant", "{ cases(order: {field: UPDATED_AT, direction: DESC}) { nodes { slug } } }"),
    ("page_first", "{ cases(first: 2) { nodes { slug } pageInfo { hasNextPage endCursor } } }"),
    ("page_first_after", r#"{ cases(first: 2, after: "CURSOR") { nodes { slug } pageInfo { hasNextPage endCursor } } }"#),
    ("page_last", "{ cases(last: 2) { nodes { slug } pageInfo { hasPreviousPage startCursor } } }"),
    ("page_last_before", r#"{ cases(last: 2, before: "CURSOR") { nodes { slug } pageInfo { hasPreviousPage startCursor } } }"#),
    ("total_count", "{ cases { totalCount } }"),
    ("total_count_nested_relations", "{ cases(filter: {parties: {none: {citations: {some: {}}}}}) { totalCount } }"),
    ("total_count_filtered", "{ cases(filter: {status: {eq: FINAL}}, first: 1) { totalCount nodes { slug } } }"),
];

const NESTED_REQUESTS: &[(&str, &str)] = &[
    ("nested_reference", "{ cases { nodes { slug court { name } } } }"),
    ("nested_page", "{ cases { nodes { slug parties(first: 5) { totalCount nodes { role person { name } } } } } }"),
    ("nested_page_filtered", "{ cases { nodes { slug charges(filter: {provision: {slug: {eq: \"x\"}}}) { nodes { outcome } } } } }"),
    ("nested_link_table", "{ cases { nodes { slug topics { nodes { label } } } } }"),
    ("nested_facet", "{ laws { nodes { slug provisions { facets(by: [KIND]) { values { key count } } } } } }"),
    ("polymorphic_reference", "{ citations { nodes { field record { id ... on Case { title } ... on Person { name } } } } }"),
    ("history_redacted", "{ cases(first: 1) { nodes { slug history { nodes { number changes { field old new } } } } } }"),
];

const AGGREGATE_REQUESTS: &[(&str, &str)] = &[
    ("facet_vocabulary", "{ cases { facets(by: [STATUS]) { values { key count } } } }"),
    ("facet_reference", "{ cases { facets(by: [COURT], first: 5) { values { key label count } } } }"),
    ("facet_relation", "{ cases { facets(by: [TOPIC, YEAR], first: 5) { values { key count } } } }"),
    ("statistics_total", "{ caseStatistics { total { count people } } }"),
    ("statistics_by_year", "{ caseStatistics(groupBy: [YEAR]) { rows { year count convictions } } }"),
    (
        "statistics_by_relation",
        "{ caseStatistics(groupBy: [LAW, OUTCOME], charges: {outcome: {not: CONVICTED}}) { rows { law { title } outcome count people } } }",
    ),
    ("statistics_median", "{ caseStatistics(groupBy: [COURT]) { rows { court { name } medianSentence meanDaysToDecision } } }"),
];

const LOOKUP_REQUESTS: &[(&str, &str)] = &[
    ("lookup_id", r#"{ case(by: {id: "CASE_ID"}) { title } }"#),
    ("lookup_slug", r#"{ case(by: {slug: "kazakhstan-v-ilyashev"}) { title } }"#),
    ("lookup_slug_missing", r#"{ case(by: {slug: "missing"}) { title } }"#),
    ("lookup_identifier", r#"{ person(by: {identifier: {scheme: "wikidata", value: "Q1"}}) { name } }"#),
    ("lookup_nodes", r#"{ nodes(ids: ["CASE_ID"]) { id ... on Case { title } } }"#),
    ("search", r#"{ search(query: "article 274") { totalCount nodes { snippet record { id } } } }"#),
    ("search_by_type", r#"{ search(query: "zhumagul", types: [PERSON]) { nodes { record { id } } } }"#),
    ("search_misspelled", r#"{ search(query: "zhumagulv") { nodes { record { id } } } }"#),
];

/// Runs a request and returns its statements, formatted.
async fn statements(server: &Server, request: &str) -> String {
    let log = StatementLog::default();
    let subscriber = tracing_subscriber::registry().with(log.clone()).set_default();
    let response = server.answer(request, json!({})).await;
    drop(subscriber);
    assert!(response.get("errors").is_none(), "{request} {response:#}");
    let options =
        FormatOptions { indent: Indent::Spaces(2), max_inline_block: 100, max_inline_arguments: Some(100), ..FormatOptions::default() };
    let formatted = log.take().into_iter().map(|sql| sqlformat::format(&sql, &QueryParams::None, &options));
    formatted.collect::<Vec<_>>().join(";\n\n")
}

async fn assert_statements(requests: &[(&str, &str)]) {
    let servers = [("SQLite", Server::sample(On::Sqlite).await), ("PostgreSQL", Server::sample(On::Postgres).await)];
    let mut snapshots: Vec<String> = requests.iter().map(|(_, request)| format!("{request}\n")).collect();
    for (name, server) in &servers {
        let first = server.data("{ cases(first: 1) { nodes { id } pageInfo { endCursor } } }").await;
        let value = |path: &str| first.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        let (id, cursor) = (value("/cases/nodes/0/id"), value("/cases/pageInfo/endCursor"));
        for ((_, request), snapshot) in requests.iter().zip(&mut snapshots) {
            let request = request.replace("CASE_ID", &id).replace("CURSOR", &cursor);
            write!(snapshot, "\n-- {name}\n{}\n", statements(server, &request).await).unwrap();
        }
    }
    for ((name, _), snapshot) in requests.iter().zip(snapshots) {
        insta::with_settings!({snapshot_path => "snapshots/sql", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(*name, snapshot);
        });
    }
}

#[tokio::test]
async fn sql_of_filters_matches_snapshots() {
    assert_statements(FILTER_REQUESTS).await;
}

#[tokio::test]
async fn sql_of_relation_filters_matches_snapshots() {
    assert_statements(RELATION_REQUESTS).await;
}

#[tokio::test]
async fn sql_of_orders_and_pages_matches_snapshots() {
    assert_statements(LIST_REQUESTS).await;
}

#[tokio::test]
async fn sql_of_nested_rows_matches_snapshots() {
    assert_statements(NESTED_REQUESTS).await;
}

#[tokio::test]
async fn sql_of_aggregates_matches_snapshots() {
    assert_statements(AGGREGATE_REQUESTS).await;
}

#[tokio::test]
async fn sql_of_lookups_and_searches_matches_snapshots() {
    assert_statements(LOOKUP_REQUESTS).await;
}
