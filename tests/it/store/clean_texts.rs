//! Control characters that are stored already: the migration that removes them, and documents that stay well-formed.

use migration::sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use rstest::rstest;
use serde_json::json;

use crate::cli::command::{kurultai, run};
use crate::server::{On, Server, migrate_down_before};

const MIGRATION: &str = "m20261129_000020_clean_texts";
const TEXT: &str = "sources: [{slug: s, title: {en: S}, kind: article, author: Author}]
people: [{slug: a, name: {en: Anna, ru: Анна}, sortName: Sort, biography: {en: Life}, citations: [{source: s, quote: Quote}]}]
topics: [{slug: t, label: {en: Topic}}]";

async fn execute(raw: &DatabaseConnection, sql: &str) {
    raw.execute_unprepared(sql).await.unwrap();
}

async fn texts(raw: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// Puts control characters into columns of each kind: text, JSON, histories, search documents.
async fn spoil(raw: &DatabaseConnection, on: On) {
    let chars = match on {
        On::Sqlite => "char(0) || char(7) || char(65535)",
        On::Postgres => "chr(7) || chr(11) || chr(65535)",
    };
    for (table, column) in [("persons", "sort_name"), ("citations", "quote"), ("sources", "author"), ("revisions", "message")] {
        execute(raw, &format!("UPDATE {table} SET {column} = 'a' || {chars} || 'b'")).await;
    }
    // the functions of PostgreSQL fail on this escape
    let nul = if on == On::Sqlite { "\\u0000" } else { "" };
    for (table, column) in [("persons", "name"), ("persons", "biography"), ("topics", "label")] {
        execute(raw, &format!(r#"UPDATE {table} SET {column} = '{{"en": "a{nul}\u0007\f\uffffb", "ru": "\\u0000"}}'"#)).await;
    }
    let changes = format!(r#"[{{"field": "name", "old": null, "new": {{"en": "x{nul}\u0007y"}}}}]"#);
    execute(raw, &format!("UPDATE revisions SET changes = '{changes}' WHERE record_type = 'person'")).await;
    execute(raw, &format!("UPDATE search_documents SET label = 'a' || {chars} || 'b'")).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn migration_removes_stored_control_characters(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let raw = server.database.raw().await;
    migrate_down_before(&server.store, MIGRATION).await;
    spoil(&raw, on).await;
    let (ok, output, log) = run(kurultai(&["migrate", "--database-url", &server.database.url]));
    assert!(ok, "{output}{log}");
    for column in ["sort_name", "quote", "author", "changes", "biography", "label"] {
        assert!(log.lines().any(|line| line.contains("control characters removed") && line.contains(column)), "{column}\n{log}");
    }
    assert_eq!(texts(&raw, "SELECT sort_name FROM persons").await, ["ab"]);
    assert_eq!(texts(&raw, "SELECT CAST(name AS text) FROM persons").await, [r#"{"en":"ab","ru":"\\u0000"}"#]);
    assert_eq!(
        texts(&raw, "SELECT CAST(changes AS text) FROM revisions WHERE record_type = 'person'").await,
        [r#"[{"field":"name","old":null,"new":{"en":"xy"}}]"#]
    );
    let data = server.beside().await.data("{ people { nodes { name(lang: \"en\") sortName biography(lang: \"en\") } } }").await;
    assert_eq!(data["people"]["nodes"], json!([{"name": "ab", "sortName": "ab", "biography": "ab"}]));
    // there is nothing left to clean
    migrate_down_before(&server.store, MIGRATION).await;
    let (ok, _, log) = run(kurultai(&["migrate", "--database-url", &server.database.url]));
    assert!(ok && !log.contains("control characters removed"), "{log}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn documents_are_well_formed_whatever_is_stored(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    spoil(&server.database.raw().await, on).await;
    let get = async |path: &str| {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.bytes().await.unwrap()
    };
    let query = "query=%7Bpeople%7Bnodes%7Bname%20sortName%20biography%7D%7D%7D";
    let id = server.data("{ person(by: {slug: \"a\"}) { id } }").await["person"]["id"].as_str().unwrap().to_owned();
    let paths = [
        "/feed.atom".to_owned(),
        format!("/feed.atom?{}", "query=%7Bpeople%7Bnodes%7Bid%20name%7D%7D%7D"),
        format!("/feed.atom?record={id}"),
    ];
    for path in paths {
        let xml = get(&path).await;
        roxmltree::Document::parse(std::str::from_utf8(&xml).unwrap()).unwrap_or_else(|error| panic!("{path} {error}"));
    }
    let page = get("/r/person/a").await;
    let page = std::str::from_utf8(&page).unwrap();
    let is_allowed = |char: char| matches!(char, '\t' | '\n' | '\r') || !(char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}'));
    assert!(page.chars().all(is_allowed), "{page}");
    for format in ["json", "ndjson"] {
        let table = get(&format!("/table.{format}?{query}")).await;
        for line in std::str::from_utf8(&table).unwrap().lines().filter(|_| format == "ndjson") {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
    let workbook = get(&format!("/table.xlsx?{query}")).await;
    assert!(workbook.starts_with(b"PK"));
}
