//! The GraphQL schema and the tables equal the committed ones.

use std::collections::BTreeSet;

use kurultai::catalog::catalog;
use kurultai::catalog::kind::FieldKind;
use kurultai::catalog::record::RecordKind;
use kurultai::store::db::migrations::Migrations;
use migration::sea_orm::{ConnectionTrait, Statement};
use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server, TestDatabase, path};

#[test]
fn printed_schema_equals_committed_schema() {
    let committed = std::fs::read_to_string(path("schema.graphql")).unwrap();
    assert!(
        kurultai::graphql::engine::sdl().unwrap() == committed,
        "schema.graphql differs from the printed schema; run \"make schema\" and review the difference"
    );
}

#[tokio::test]
async fn every_schema_element_is_described() {
    let server = Server::empty(On::Sqlite).await;
    let data = server
        .data("{ __schema { types { name description fields(includeDeprecated: true) { name description args { name description } } inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }")
        .await;
    let mut undescribed = Vec::new();
    for ty in data["__schema"]["types"].as_array().unwrap().iter().filter(|ty| !is_of_graphql(ty["name"].as_str().unwrap())) {
        let name = ty["name"].as_str().unwrap();
        let mut check = |path: String, described: &serde_json::Value| {
            if described["description"].as_str().unwrap_or_default().trim().is_empty() {
                undescribed.push(path);
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
    assert!(undescribed.is_empty(), "not described: {undescribed:#?}");
}

#[test]
fn schema_file_is_small_and_names_scalar_specifications() {
    let sdl = kurultai::graphql::engine::sdl().unwrap();
    assert!(sdl.len() <= 295_000, "{} bytes; describe what is repeated once, and elsewhere in few words", sdl.len());
    // the file grows with what it describes; a description does not
    let descriptions: Vec<&str> = sdl.lines().map(str::trim_start).filter(|line| line.starts_with('"')).collect();
    let (described, bytes) = (descriptions.len(), descriptions.iter().map(|line| line.len()).sum::<usize>());
    assert!(bytes <= described * 32, "{bytes} bytes describe {described} elements; use fewer words");
    assert!(sdl.len() <= described * 56, "{} bytes for {described} described elements", sdl.len());
    assert!(!sdl.contains("\"\"\""), "a description has more than one line");
    assert!(sdl.contains("scalar URL @specifiedBy(url: \"https://url.spec.whatwg.org/\")"));
}

#[tokio::test]
async fn introspection_has_the_types_of_the_schema_file() {
    let server = Server::empty(On::Sqlite).await;
    let data = server.data("{ __schema { types { name } } }").await;
    let names = data["__schema"]["types"].as_array().unwrap().iter().map(|ty| ty["name"].as_str().unwrap().to_owned());
    let introspected: BTreeSet<String> = names.filter(|name| !is_of_graphql(name)).collect();
    let sdl = kurultai::graphql::engine::sdl().unwrap();
    let printed: BTreeSet<String> = sdl
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(kind, _)| ["type", "input", "enum", "interface", "scalar", "union"].contains(kind))
        .filter_map(|(_, rest)| rest.split(' ').next().map(ToOwned::to_owned))
        .collect();
    assert_eq!(introspected, printed);
}

#[tokio::test]
async fn interfaces_of_an_interface_are_an_empty_list() {
    let server = Server::empty(On::Sqlite).await;
    let query = "{ node: __type(name: \"Node\") { ...t } person: __type(name: \"Person\") { implements: interfaces { name } } id: __type(name: \"ID\") { ...t } }
        fragment t on __Type { interfaces { name } all: interfaces { kind } }";
    assert_eq!(
        server.data(query).await,
        json!({
            "node": {"interfaces": [], "all": []},
            "person": {"implements": [{"name": "Node"}, {"name": "Citable"}, {"name": "Record"}]},
            "id": {"interfaces": null, "all": null},
        })
    );
}

/// Types that GraphQL itself defines.
fn is_of_graphql(name: &str) -> bool {
    name.starts_with("__") || ["ID", "Int", "Float", "String", "Boolean"].contains(&name)
}

/// Tables, columns, constraints and indexes from the catalog of the database.
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
async fn tables_match_snapshot_after_migrating_down_and_up(#[values(On::Sqlite, On::Postgres)] on: On) {
    let database = TestDatabase::new(on).await;
    let store = database.store().await;
    let first = tables(&database, on).await;
    insta::assert_snapshot!(format!("tables_{on:?}"), first);
    store.migrate_down(100).await.unwrap();
    assert_eq!(tables(&database, on).await.trim(), "");
    assert_eq!(store.migrations().await.unwrap().pending, <migration::Migrator as migration::MigratorTrait>::migrations().len());
    store.migrate().await.unwrap();
    assert_eq!(tables(&database, on).await, first);
    // migrating again changes nothing
    store.migrate().await.unwrap();
    assert_eq!(tables(&database, on).await, first);
    assert_eq!(store.migrations().await.unwrap(), Migrations { pending: 0, unknown: Vec::new() });
}

#[test]
fn every_record_and_field_is_described() {
    for record in catalog().all() {
        for field in &record.fields {
            assert!(!field.doc.is_empty(), "{}.{} is not described", record.name(), field.name);
            if matches!(field.kind, FieldKind::List(_)) {
                assert!(field.required, "{}.{} is a list and can be unknown", record.name(), field.name);
            }
        }
        assert!(!record.doc.is_empty(), "{} is not described", record.name());
        assert_eq!(record.label().is_some(), record.kind == RecordKind::Record, "{} must be called by exactly one field", record.name());
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
async fn database_constraints_reject_invalid_rows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let raw = server.database.raw().await;
    let refused = async |sql: &str| raw.execute_unprepared(sql).await.expect_err(sql);
    // a duplicate slug in one type
    refused("UPDATE persons SET slug = 'alnur-ilyashev'").await;
    // a duplicate identifier
    refused("UPDATE identifiers SET scheme = 'x', value = 'x'").await;
    // a duplicate key in one record
    refused("UPDATE case_events SET key = 'x'").await;
    // referenced rows
    refused("DELETE FROM provisions").await;
    refused("DELETE FROM sources").await;
    refused("DELETE FROM nodes").await;
    // a duplicate revision
    refused("UPDATE revisions SET record_id = (SELECT record_id FROM revisions LIMIT 1), number = 1").await;
    // null in a required column
    refused("UPDATE cases SET title = NULL").await;
    // parts are deleted with their record
    raw.execute_unprepared("DELETE FROM cases").await.unwrap();
    let left =
        raw.query_one_raw(Statement::from_string(raw.get_database_backend(), "SELECT count(*) FROM charges")).await.unwrap().unwrap();
    assert_eq!(left.try_get_by_index::<i64>(0).unwrap(), 0);
}
