//! The migration that gives stored URLs of sources their one form.

use migration::sea_orm::ConnectionTrait;
use rstest::rstest;
use serde_json::json;

use crate::cli::command::{kurultai, run};
use crate::server::{On, Server, migrate_down_before};

const MIGRATION: &str = "m20261130_000029_web_addresses";
const TEXT: &str = "sources:
- {slug: a, title: {en: A}, kind: article}
- {slug: b, title: {en: B}, kind: article}
- {slug: c, title: {en: C}, kind: article}
- {slug: d, title: {en: D}, kind: article, url: \"https://d.kz/\"}";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn migration_brings_stored_urls_into_one_form(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let raw = server.database.raw().await;
    migrate_down_before(&server.store, MIGRATION).await;
    for (slug, url) in [("a", "https://xn--e1afmkfd.kz:443"), ("b", "https://пример.kz./"), ("c", "https://c%2ekz/")] {
        raw.execute_unprepared(&format!("UPDATE sources SET url = '{url}' WHERE slug = '{slug}'")).await.unwrap();
    }
    let (ok, output, log) = run(kurultai(&["migrate", "--database-url", &server.database.url]));
    assert!(ok, "{output}{log}");
    let line = log.lines().find(|line| line.contains("URLs of sources brought into one form")).unwrap_or_else(|| panic!("{log}"));
    for field in ["\"urls.changed\":2", "\"urls.invalid\":1", "\"urls.shared\":1"] {
        assert!(line.contains(field), "{field}: {line}");
    }
    let data = server.beside().await.data("{ sources(order: {field: TITLE}) { nodes { slug url } } }").await;
    let urls = ["https://пример.kz/", "https://пример.kz/", "https://c%2ekz/", "https://d.kz/"];
    let expected: Vec<_> = ["a", "b", "c", "d"].iter().zip(urls).map(|(slug, url)| json!({"slug": slug, "url": url})).collect();
    assert_eq!(data["sources"]["nodes"], json!(expected));
    // nothing is left to change
    migrate_down_before(&server.store, MIGRATION).await;
    let (ok, _, log) = run(kurultai(&["migrate", "--database-url", &server.database.url]));
    assert!(ok && log.contains("\"urls.changed\":0"), "{log}");
}
