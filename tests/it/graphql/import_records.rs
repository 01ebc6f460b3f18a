//! Many records at once, and texts of any kind, arrive as they were given.

use kurultai::catalog::catalog;
use kurultai::entity::RecordType;
use kurultai::store::Store;
use kurultai::store::db::maintenance::BULK_WRITE_RECORDS;
use kurultai::store::draft::{Draft, DraftValue, Origin};
use kurultai::store::read::result::Cell;
use kurultai::store::write::Author;
use migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server, TestDatabase};

/// A record with these fields.
fn draft(ty: RecordType, slug: &str, fields: Vec<(&str, DraftValue)>) -> Draft {
    let place = |name| catalog().get(ty).field_id(name).unwrap();
    let values = fields.into_iter().map(|(name, given)| (place(name), given, Origin::default())).collect();
    Draft { name: Some(slug.to_owned()), values, ..Draft::default() }
}

fn named(text: &str) -> DraftValue {
    DraftValue::Cell(Cell::Json(json!({"en": text})))
}

async fn write(store: &Store, ty: RecordType, drafts: Vec<Draft>) {
    let count = drafts.len();
    let author = Author { by: "tests".to_owned(), message: None };
    let outcome = store.write(&vec![(ty, drafts)], &author, |_| ()).await.unwrap();
    assert_eq!(outcome.created, count);
}

/// Writes people with these sort names, which are also their names if they are set.
async fn write_people(store: &Store, sort_names: &[Option<String>], prefix: &str) {
    let person = |(index, sort_name): (usize, &Option<String>)| {
        let cell = sort_name.clone().map_or(Cell::Null, Cell::Text);
        let name = named(sort_name.as_deref().unwrap_or("unknown"));
        draft(RecordType::Person, &format!("{prefix}-{index:04}"), vec![("name", name), ("sortName", DraftValue::Cell(cell))])
    };
    write(store, RecordType::Person, sort_names.iter().enumerate().map(person).collect()).await;
}

/// The single text column of a query.
async fn texts(database: &DatabaseConnection, sql: &str) -> Vec<Option<String>> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    database.query_all_raw(statement).await.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn arrive(store: &Store, database: &DatabaseConnection, sort_names: &[Option<String>], prefix: &str) {
    write_people(store, sort_names, prefix).await;
    let select = |column| format!("SELECT {column} FROM persons WHERE slug LIKE '{prefix}-%' ORDER BY slug");
    assert_eq!(texts(database, &select("sort_name")).await, sort_names);
    let names: Vec<Option<String>> = sort_names.iter().map(|text| Some(text.clone().unwrap_or_else(|| "unknown".to_owned()))).collect();
    assert_eq!(texts(database, &select("name ->> 'en'")).await, names);
}

#[rstest]
#[tokio::test]
async fn special_characters_in_texts_are_stored_unchanged(#[values(On::Sqlite, On::Postgres)] on: On) {
    let test = TestDatabase::new(on).await;
    let (store, database) = (test.store().await, test.raw().await);
    let known = [
        "",
        " ",
        "NULL",
        "null",
        "\"",
        "\"\"",
        "\\",
        "\\\\",
        "\\\"",
        "\"\\",
        "\\N",
        "a,b",
        "{a,b}",
        "{",
        "}",
        "{}",
        "'",
        "''",
        "$1",
        "?",
        ":a",
        "%",
        "\n",
        "\t",
        "\r\n",
        "a\u{1}b\u{7f}",
        "é",
        "e\u{301}",
        "Жумагұлов",
        "中文",
        "🙂",
        "\u{feff}",
        "\u{202e}",
        "\u{10ffff}",
        " a ",
        "(a)",
        "\"a\", \"b\"",
        "--",
        "/*",
        ";",
    ];
    let mut all: Vec<Option<String>> = known.iter().map(|text| Some((*text).to_owned())).collect();
    all.push(None);
    arrive(&store, &database, &all, "known").await;

    let any = vec(proptest::option::weighted(0.8, r#"[\\"{},N a'ж🙂\n]{0,8}|[^\x00]{0,12}"#), 40);
    let mut runner = TestRunner::deterministic();
    for round in 0..10 {
        let some = any.new_tree(&mut runner).unwrap().current();
        arrive(&store, &database, &some, &format!("round{round}")).await;
    }
}

#[rstest]
#[tokio::test]
async fn texts_larger_than_one_message_are_stored_whole(#[values(On::Sqlite, On::Postgres)] on: On) {
    let test = TestDatabase::new(on).await;
    let (store, database) = (test.store().await, test.raw().await);
    // sizes around the 48 kB of one message: many short texts, some that almost fill a message, and some that exceed it
    let lengths = [3_000; 60].into_iter().chain([47_900, 48_100, 1, 200_000, 1, 43_999, 44_000, 44_001]).chain([10; 2_000]);
    let all: Vec<Option<String>> =
        lengths.enumerate().map(|(index, length)| Some(format!("{index}:{}", "\"ж\\".repeat(length / 4)))).collect();
    arrive(&store, &database, &all, "long").await;
    for table in ["nodes", "revisions", "search_documents"] {
        assert_eq!(
            texts(&database, &format!("SELECT CAST(count(*) AS text) FROM {table}")).await,
            [Some(all.len().to_string())],
            "{table}"
        );
    }
}

#[rstest]
#[tokio::test]
async fn many_records_in_a_chain_are_written_in_any_order(#[values(On::Sqlite, On::Postgres)] on: On) {
    let test = TestDatabase::new(on).await;
    let (store, database) = (test.store().await, test.raw().await);
    let count = 300;
    let organization = |index: usize| {
        let above = match index + 1 {
            last if last == count => DraftValue::Cell(Cell::Null),
            next => DraftValue::Slug(RecordType::Organization, format!("o{next}")),
        };
        let fields = vec![
            ("name", named(&format!("Organization {index} {}", "long ".repeat(100)))),
            ("classification", DraftValue::Cell(Cell::Text("court".to_owned()))),
            ("parent", above),
        ];
        draft(RecordType::Organization, &format!("o{index}"), fields)
    };
    write(&store, RecordType::Organization, (0..count).map(organization).collect()).await;
    let joined = "SELECT CAST(count(*) AS text) FROM organizations below JOIN organizations above ON below.parent_id = above.id";
    assert_eq!(texts(&database, joined).await, [Some((count - 1).to_string())]);
}

#[rstest]
#[tokio::test]
async fn misspelled_known_and_new_words_are_found(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: Bakytzhan Zhumagulov}}").await;
    server.import("people:\n- {slug: b, name: {en: Yerlan Zhumagulov}}").await.unwrap();
    for (query, slugs) in [("zhumagulv", json!(["a", "b"])), ("yerlam", json!(["b"])), ("bakytzan", json!(["a"]))] {
        let data = server.data(&format!("{{ search(query: \"{query}\") {{ nodes {{ record {{ slug }} }} }} }}")).await;
        let mut found: Vec<&str> =
            data["search"]["nodes"].as_array().unwrap().iter().map(|hit| hit["record"]["slug"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(json!(found), slugs, "{query}");
    }
}

#[rstest]
#[tokio::test]
async fn maintenance_changes_no_results(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::empty(on).await;
    server.store.prepare_bulk_write().await.unwrap();
    let names: Vec<Option<String>> = (0..BULK_WRITE_RECORDS).map(|number| Some(format!("Name{number} Common"))).collect();
    write_people(&server.store, &names, "p").await;
    let query = "{ people(first: 5) { totalCount nodes { slug } } search(query: \"common\", first: 5) { totalCount } }";
    let before = server.data(query).await;
    server.store.run_upkeep().await.unwrap();
    assert_eq!(server.data(&format!("{query} # again")).await, before);
    assert_eq!(before["search"]["totalCount"], json!(BULK_WRITE_RECORDS));

    let database = server.database.raw().await;
    match database.get_database_backend() {
        DbBackend::Postgres => {
            let planned_for = "SELECT CAST(CAST(reltuples AS int) AS text) FROM pg_class WHERE relname = 'persons'";
            assert_eq!(texts(&database, planned_for).await, [Some(BULK_WRITE_RECORDS.to_string())]);
        }
        _ => assert!(texts(&database, "SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat%'").await.is_empty()),
    }
}
