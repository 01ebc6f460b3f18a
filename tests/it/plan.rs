//! A page deep in a list costs what the first one costs: its index is entered at the cursor and left after the page.

use kurultai::page::{Cursor, Direction, Page};
use kurultai::store::plan::{List, Plan};
use kurultai::store::record::{Kind, Shape, catalog};
use migration::sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server};

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
async fn every_order_of_every_list_enters_its_index_at_the_cursor(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let mut options = ConnectOptions::new(&server.database.url);
    let raw = Database::connect(options.max_connections(1).to_owned()).await.unwrap();
    if on == On::Postgres {
        // so few rows would be read whole; what is asked here is whether the index could serve
        raw.execute_unprepared("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off").await.unwrap();
    }
    for record in catalog().all().filter(|record| record.shape == Shape::Record) {
        for (index, field) in record.fields.iter().enumerate().filter(|(_, field)| field.ordered) {
            for (direction, backward) in [(Direction::Asc, false), (Direction::Desc, false), (Direction::Desc, true)] {
                let key: Value = match field.kind {
                    _ if field.is_label => json!("m"),
                    Kind::Date => json!("2015"),
                    Kind::Instant => json!("2026-01-01T00:00:00.000000Z"),
                    _ => json!(100),
                };
                let cursor = Some(Cursor { key: vec![key], id: uuid::Uuid::now_v7() });
                let page = match backward {
                    false => Page { after: cursor, ..Page::first(100) },
                    true => Page { before: cursor, backward, ..Page::first(100) },
                };
                let list = List { order: (index, direction), page, ..List::new(Plan::new(record.ty)) };
                let plan = explain(&raw, on, server.store.statement(&list).await.unwrap()).await;
                let entered = match on {
                    On::Sqlite => plan.contains("SEARCH t1 USING ") && plan.contains(",id)") && !plan.contains("TEMP B-TREE"),
                    On::Postgres => plan.contains("Index Cond: (ROW(") && !plan.contains("Sort"),
                };
                assert!(entered, "{} by {} {direction:?}:\n{plan}", record.name(), field.name);
            }
        }
    }
}
