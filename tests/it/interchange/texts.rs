//! Texts are stored as people see them, whatever program they were copied from, and found in the spellings that people type.

use kurultai::core::auth::Role;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::ImportFixture;
use super::identity::{Door, Options, import, import_with};
use crate::cli::command::{kurultai, run};
use crate::server::{Asker, On};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn invisible_characters_are_removed_and_noted(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let text =
        "people:\n- slug: a\n  name: {en: \"\u{feff}An\u{ad}na\u{a0}Lee\", ru: \"И\u{306}од\"}\n  biography: {en: \"B\u{200b}io\"}\n";
    fixture.write_file("a.yaml", text);
    let output = import(&fixture, door, "a.yaml", None, None).await;
    assert!(output.contains("1 created"), "{output}");
    assert!(output.contains("a.yaml:3: people[0].name.en: invisible characters were removed, and in 1 more texts"), "{output}");
    let data = fixture.server.data("{ people { nodes { name(lang: \"en\") biography(lang: \"en\") russian: name(lang: \"ru\") } } }").await;
    assert_eq!(data["people"]["nodes"], json!([{"name": "Anna Lee", "biography": "Bio", "russian": "Йод"}]));
    let output = import(&fixture, door, "a.yaml", None, None).await;
    assert!(output.contains("1 unchanged"), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn language_is_given_once(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.yaml", "people:\n- slug: a\n  name:\n    kk-Latn: A\n    KK-latn: B\n");
    let output = import(&fixture, door, "a.yaml", None, None).await;
    let message = "a.yaml:5: people[0].name.KK-latn: the language kk-Latn is given twice, in two spellings; keep one of them";
    assert!(output.contains(message), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn name_is_found_in_its_spellings(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("a.yaml", "people:\n- {slug: a, name: {uz: \"O\u{2bb}tkir Йодов\"}}\n");
    fixture.import_ok(&["a.yaml"]);
    for query in ["O'tkir", "O\u{2bb}tkir", "O\u{2018}tkir", "Otkir", "и\u{306}одов", "Йодов"] {
        let query = format!("{{ search(query: {query:?}) {{ totalCount }} }}");
        let data = fixture.server.data(&query.replace("\\u{306}", "\u{306}")).await;
        assert_eq!(data["search"]["totalCount"], 1, "{query}");
    }
}

/// Names that the search index has in an earlier form are found after `kurultai reindex`.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn reindex_makes_names_findable(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("a.yaml", "people:\n- {slug: a, name: {ru: Ертаев}}\n- {slug: b, name: {ru: Ертаев}, published: false}\n");
    fixture.import_ok(&["a.yaml"]);
    let raw = fixture.server.database.raw().await;
    raw.execute_unprepared("UPDATE search_documents SET names = 'ertaev'").await.unwrap();
    raw.execute_unprepared("UPDATE persons SET sort_key = '', folded = ''").await.unwrap();
    let found = async |query: &str| {
        let data = fixture.server.data(&format!("{{ search(query: \"{query}\") {{ totalCount }} }}")).await;
        data["search"]["totalCount"].clone()
    };
    assert_eq!(found("Yertayev").await, 0);
    let (ok, stdout, stderr) = run(kurultai(&["reindex", "--database-url", &fixture.server.database.url]));
    assert!(ok && stdout.trim() == "Records indexed: 2", "{stdout}{stderr}");
    assert_eq!(found("YERTAYEV").await, 1);
    assert_eq!(found("Ертаев").await, 1);
    let data = fixture.server.data("{ people(filter: {name: {eq: \"ertaev\"}}) { totalCount } }").await;
    assert_eq!(data["people"]["totalCount"], 1);
}

/// Names that are no values of records, of registers, sets and authors, are cleaned as texts are; one of which nothing is left is
/// refused.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn names_outside_of_records_are_cleaned_or_refused(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.popolo.json", r#"{"persons": [{"id": "1", "name": "Ann"}]}"#);
    let import = async |scheme: &str, set: &str| {
        import_with(&fixture, door, "a.popolo.json", Options { scheme: Some(scheme), set: Some(set), ..Options::default() }).await
    };
    for blank in ["\u{200b}", " \u{a0}\u{feff}", ""] {
        for output in [import(blank, "set").await, import("parl", blank).await] {
            let is_written = output.replace("-1 created", "").contains("1 created");
            assert!(output.contains("the name is blank") && !is_written, "{door:?} {blank:?} {output}");
        }
    }
    let output = import("pa\u{200b}rl", "set").await;
    assert!(output.contains("1 created"), "{door:?} {output}");
    let output = import(" parl\u{2060}", "set\u{200b}").await;
    assert!(output.contains("1 unchanged"), "{door:?} {output}");
    let data = fixture.server.data("{ people { nodes { identifiers { scheme } } } }").await;
    assert_eq!(data["people"]["nodes"], json!([{"identifiers": [{"scheme": "parl"}]}]));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn names_of_authors_tokens_and_queries_are_cleaned_or_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let store = &fixture.server.store;
    fixture.write_file("a.yaml", "people:\n- {slug: a, name: {en: Ann}}\n");
    assert!(fixture.import_err(&["a.yaml", "--by", "\u{200b}"]).contains("the name is blank"));
    fixture.import_ok(&["a.yaml", "--by", "De\u{200b}sk", "--message", "\u{200b}"]);
    let data = fixture.server.data("{ people { nodes { history { nodes { by message } } } } }").await;
    assert_eq!(data["people"]["nodes"][0]["history"]["nodes"], json!([{"by": "Desk", "message": null}]));
    assert!(store.create_token("\u{200b}", Role::Editor, None).await.is_err());
    let (token, _) = store.create_token("An\u{200b}n\u{a0}Lee ", Role::Editor, None).await.unwrap();
    assert_eq!(token.name, "Ann Lee");
    assert!(store.create_token("Ann Lee", Role::Editor, None).await.is_err(), "the same name");
    store.revoke_token("Ann\u{200b} Lee").await.unwrap();
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let save = async |title: &str| {
        let input = json!({"query": "{ people { totalCount } }", "title": title});
        editor.payload("saveQuery { savedQuery { title } }", input).await
    };
    assert_eq!(save("\u{200b}").await["errors"][0]["path"], json!(["input", "title"]));
    assert_eq!(save("Peo\u{200b}ple").await["savedQuery"]["title"], "People");
}
