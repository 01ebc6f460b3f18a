//! The GraphQL schema and the tables are what is committed, and stay so.

use kurultai::catalog::catalog;
use kurultai::catalog::kind::FieldKind;
use kurultai::catalog::record::RecordKind;
use kurultai::store::db::migrations::Migrations;
use migration::sea_orm::{ConnectionTrait, Statement};
use rstest::rstest;

use crate::server::{On, Server, TestDatabase, path};

#[test]
fn the_printed_schema_is_the_committed_one() {
    let committed = std::fs::read_to_string(path("schema.graphql")).unwrap();
    assert!(
        kurultai::graphql::engine::sdl().unwrap() == committed,
        "schema.graphql is not what the program prints; run \"make schema\" and look at the difference"
    );
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let server = Server::empty(On::Sqlite).await;
    let data = server
        .data("{ __schema { types { name description fields(includeDeprecated: true) { name description args { name description } } inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }")
        .await;
    let mut bare = Vec::new();
    for ty in data["__schema"]["types"].as_array().unwrap().iter().filter(|ty| !is_of_graphql(ty["name"].as_str().unwrap())) {
        let name = ty["name"].as_str().unwrap();
        let mut check = |path: String, described: &serde_json::Value| {
            if described["description"].as_str().unwrap_or_default().trim().is_empty() {
                bare.push(path);
            }
        };
        check(name.to_owned(), ty);
        for list in ["fields", "inputFields", "enumValues"] {
            for member in ty[list].as_array().into_iter().flatten() {
                let member_name = member["name"].as_str().unwrap();
                check(format!("{name}.{member_name}"), member);
                for argument in member["args"].as_array().into_iter().flatten() {
                    check(format!("{name}.{member_name}({})", argument["name"]), argument);
                }
            }
        }
    }
    assert!(bare.is_empty(), "not described: {bare:#?}");
}

/// Types that GraphQL itself has.
fn is_of_graphql(name: &str) -> bool {
    name.starts_with("__") || ["ID", "Int", "Float", "String", "Boolean"].contains(&name)
}

/// Tables, columns, constraints and indexes, as the database itself tells them.
async fn tables(database: &TestDatabase, on: On) -> String {
    let raw = database.raw().await;
    let sql = match on {
        On::Sqlite => "SELECT coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'seaql%' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_index_%' ORDER BY type DESC, name",
        On::Postgres => {
            "SELECT line FROM (
                SELECT 1 AS part, table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END || coalesce(' COLLATE ' || collation_name, '') AS line
                FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'seaql%'
                UNION ALL SELECT 2, conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'seaql%'
                UNION ALL SELECT 3, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'seaql%'
            ) AS lines ORDER BY part, line COLLATE \"C\""
        }
    };
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap() + "\n").collect()
}

#[rstest]
#[tokio::test]
async fn the_tables_are_the_reviewed_ones_also_after_going_down_and_up_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let database = TestDatabase::new(on).await;
    let store = database.store().await;
    let first = tables(&database, on).await;
    insta::assert_snapshot!(format!("tables_{on:?}"), first);
    store.migrate_down(100).await.unwrap();
    assert_eq!(tables(&database, on).await.trim(), "");
    assert_eq!(store.migrations().await.unwrap().pending, <migration::Migrator as migration::MigratorTrait>::migrations().len());
    store.migrate().await.unwrap();
    assert_eq!(tables(&database, on).await, first);
    // once more changes nothing
    store.migrate().await.unwrap();
    assert_eq!(tables(&database, on).await, first);
    assert_eq!(store.migrations().await.unwrap(), Migrations { pending: 0, unknown: Vec::new() });
}

#[test]
fn every_field_is_declared_as_its_column_is() {
    for record in catalog().all() {
        for field in &record.fields {
            assert!(!field.doc.is_empty(), "{}.{} is not described", record.name(), field.name);
            if matches!(field.kind, FieldKind::List(_)) {
                assert!(field.required, "{}.{} is a list and can be unknown", record.name(), field.name);
            }
        }
        assert!(!record.doc.is_empty(), "{} is not described", record.name());
        assert_eq!(record.label().is_some(), record.shape == RecordKind::Record, "{} must be called by exactly one field", record.name());
    }
}

#[tokio::test]
async fn declared_fields_match_migrated_columns() {
    let database = TestDatabase::new(On::Sqlite).await;
    let _store = database.store().await;
    let raw = database.raw().await;
    for record in catalog().all() {
        let sql = format!("SELECT name || ' ' || \"notnull\" FROM pragma_table_info('{}')", record.table);
        let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
        let columns: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        for field in &record.fields {
            let declared = format!("{} {}", field.column, u8::from(field.required));
            assert!(columns.contains(&declared), "{}.{} is declared as {declared:?}; {columns:?}", record.table, field.name);
        }
    }
}

#[rstest]
#[tokio::test]
async fn the_database_itself_refuses_what_the_rules_forbid(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let raw = server.database.raw().await;
    let refused = async |sql: &str| raw.execute_unprepared(sql).await.expect_err(sql);
    // a slug twice in one type
    refused("UPDATE persons SET slug = 'alnur-ilyashev'").await;
    // an identifier twice over all records
    refused("UPDATE identifiers SET scheme = 'x', value = 'x'").await;
    // a part with a key twice in one record
    refused("UPDATE case_events SET key = 'x'").await;
    // what others need
    refused("DELETE FROM provisions").await;
    refused("DELETE FROM sources").await;
    refused("DELETE FROM nodes").await;
    // a revision twice
    refused("UPDATE revisions SET record_id = (SELECT record_id FROM revisions LIMIT 1), number = 1").await;
    // nothing where something must be
    refused("UPDATE cases SET title = NULL").await;
    // a part goes with its record
    raw.execute_unprepared("DELETE FROM cases").await.unwrap();
    let left =
        raw.query_one_raw(Statement::from_string(raw.get_database_backend(), "SELECT count(*) FROM charges")).await.unwrap().unwrap();
    assert_eq!(left.try_get_by_index::<i64>(0).unwrap(), 0);
}
