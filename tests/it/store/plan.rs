//! Query plans: statements are served by indexes, and a page deep in a list costs as much as the first one.

use std::sync::{Arc, Mutex};

use kurultai::catalog::catalog;
use kurultai::catalog::kind::FieldKind;
use kurultai::catalog::record::RecordKind;
use kurultai::core::pagination::{Cursor, Direction, Page};
use kurultai::store::read::plan::{ListPlan, Plan};
use migration::sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use rstest::rstest;
use serde_json::{Value, json};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::server::{On, Server};

/// The most frequent kinds of requests, each with variables that match records.
fn frequent_requests() -> Vec<(&'static str, Value)> {
    vec![
        ("query($slug: String!) { case(by: {slug: $slug}) { id title status } }", json!({"slug": "kazakhstan-v-ilyashev"})),
        ("{ person(by: {identifier: {scheme: \"wikidata\", value: \"Q1\"}}) { id } }", json!({})),
        ("{ cases(first: 20) { nodes { id title } pageInfo { endCursor } } }", json!({})),
        (
            "{ cases(first: 20) { nodes { id title parties(first: 5) { nodes { id person { id name } } } \
             charges(first: 5) { nodes { id provision { id heading law { id title } } } } citations { nodes { source { url } } } } } }",
            json!({}),
        ),
        (
            "query($slug: String!) { cases(filter: {parties: {some: {person: {slug: {eq: $slug}}}}}) { nodes { id } } }",
            json!({"slug": "alnur-ilyashev"}),
        ),
        ("{ proposals(filter: {status: {eq: FLOATED}}) { nodes { id sponsors { nodes { person { name } } } } } }", json!({})),
        ("{ search(query: \"ilyashev\") { nodes { snippet record { label } } } }", json!({})),
    ]
}

/// Collects the statements of reads while it is the layer of the current subscriber.
#[derive(Clone, Default)]
pub struct StatementLog(Arc<Mutex<Vec<String>>>);

impl StatementLog {
    /// Removes and returns the statements collected so far.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: tracing::Subscriber> Layer<S> for StatementLog {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct SqlVisitor<'a>(&'a StatementLog);
        impl tracing::field::Visit for SqlVisitor<'_> {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                if field.name() == "sql" {
                    self.0.0.lock().unwrap().push(value.to_owned());
                }
            }
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
        }
        if event.metadata().target() == "kurultai::sql" {
            event.record(&mut SqlVisitor(self));
        }
    }
}

#[rstest]
#[tokio::test]
async fn frequent_requests_never_scan_a_whole_table(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let raw = single_connection(&server).await;
    let log = StatementLog::default();
    let subscriber = tracing_subscriber::registry().with(log.clone()).set_default();
    for (query, variables) in frequent_requests() {
        let response = server.answer(query, variables).await;
        assert!(response.get("errors").is_none(), "{query} {response:#}");
    }
    drop(subscriber);
    let statements = log.take();
    assert!(statements.len() >= frequent_requests().len(), "{statements:#?}");
    if on == On::Postgres {
        // plan as for unknown values, and as if the tables were large
        raw.execute_unprepared("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off").await.unwrap();
    }
    for (number, sql) in statements.iter().enumerate() {
        let plan = match on {
            On::Sqlite => explain(&raw, on, Statement::from_string(raw.get_database_backend(), sql)).await,
            On::Postgres => {
                raw.execute_unprepared(&format!("PREPARE s{number} AS {sql}")).await.unwrap();
                let mut values = Vec::new();
                while sql.contains(&format!("${}", values.len() + 1)) {
                    values.push("NULL");
                }
                let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
                let execute = format!("EXECUTE s{number}{values}");
                explain(&raw, on, Statement::from_string(raw.get_database_backend(), execute)).await
            }
        };
        let is_table = |name: &str| sql.contains(&format!("\" AS \"{name}\""));
        let full_scan = plan.lines().find(|line| match on {
            On::Sqlite => line.strip_prefix("SCAN ").is_some_and(is_table),
            On::Postgres => line.contains("Seq Scan"),
        });
        assert_eq!(full_scan, None, "{sql}\n{plan}");
    }
}

/// A single connection, so that settings persist.
async fn single_connection(server: &Server) -> DatabaseConnection {
    let mut options = ConnectOptions::new(&server.database.url);
    Database::connect(options.max_connections(1).to_owned()).await.unwrap()
}

async fn explain(raw: &DatabaseConnection, on: On, statement: Statement) -> String {
    let (prefix, column) = match on {
        On::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        On::Postgres => ("EXPLAIN", 0),
    };
    let statement = Statement { sql: format!("{prefix} {}", statement.sql), ..statement };
    let rows = raw.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(column).unwrap() + "\n").collect()
}

#[rstest]
#[tokio::test]
async fn every_order_enters_its_index_at_the_cursor(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let raw = single_connection(&server).await;
    if on == On::Postgres {
        // the planner would scan so few rows; the question is whether it can use the index
        raw.execute_unprepared("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off").await.unwrap();
    }
    for record in catalog().all().filter(|record| record.kind == RecordKind::Record) {
        for (index, field) in record.fields_with_ids().filter(|(_, field)| field.ordered) {
            for (direction, backward) in [(Direction::Asc, false), (Direction::Desc, false), (Direction::Desc, true)] {
                let key: Value = match field.kind {
                    _ if field.is_label => json!("m"),
                    FieldKind::Date => json!("2015"),
                    FieldKind::Instant => json!("2026-01-01T00:00:00.000000Z"),
                    _ => json!(100),
                };
                let cursor = Some(Cursor { key: vec![key], id: uuid::Uuid::now_v7() });
                let page = if backward {
                    Page { before: cursor, backward, ..Page::first(100) }
                } else {
                    Page { after: cursor, ..Page::first(100) }
                };
                let list = ListPlan { order: (index, direction), page, ..ListPlan::new(Plan::new(record.ty)) };
                let plan = explain(&raw, on, server.store.statement(&list).await.unwrap()).await;
                let uses_index = match on {
                    On::Sqlite => plan.contains("SEARCH t1 USING ") && plan.contains(",id)") && !plan.contains("TEMP B-TREE"),
                    On::Postgres => plan.contains("Index Cond: (ROW(") && !plan.contains("Sort"),
                };
                assert!(uses_index, "{} by {} {direction:?}:\n{plan}", record.name(), field.name);
            }
        }
    }
}

/// On SQLite, a set of many related records is selected once where a whole list is read, and looked up for each row of a page.
#[tokio::test]
async fn sets_of_related_records_are_selected_once_for_counts() {
    let party = |number: usize| format!("{{key: p{number}, role: defendant, description: {{en: P}}}}");
    let parties: Vec<String> = (0..1_100).map(party).collect();
    let case = |slug: &str, parties: &str| {
        format!("- {{slug: {slug}, title: {{en: C}}, kind: criminal, status: pending, parties: [{parties}]}}\n")
    };
    let text = format!("cases:\n{}{}", case("one", &parties.join(", ")), case("two", &party(0).replace("defendant", "witness")));
    let server = Server::with(On::Sqlite, &text).await;
    let log = StatementLog::default();
    let subscriber = tracing_subscriber::registry().with(log.clone()).set_default();
    let data = server.data("{ cases(filter: {parties: {none: {role: {eq: DEFENDANT}}}}) { totalCount nodes { slug } } }").await;
    drop(subscriber);
    assert_eq!(data["cases"], json!({"totalCount": 1, "nodes": [{"slug": "two"}]}));
    let statements: Vec<String> = log.take().into_iter().filter(|sql| sql.contains("FROM \"cases\"")).collect();
    let form = |sql: &String| (sql.contains("COUNT(*)"), sql.contains("EXISTS"), sql.contains("IN (SELECT"));
    let mut forms: Vec<_> = statements.iter().map(form).collect();
    forms.sort_unstable();
    assert_eq!(forms, [(false, true, false), (true, false, true)], "{statements:#?}");
}
