//! Imports keep what editors wrote since, and merge texts by language, through every interface.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use super::identity::{Door, Options, import, import_with};
use crate::server::{Asker, On};

const CASES: &str = "\
sources: [{slug: s, title: {en: S}, kind: other}, {slug: t, title: {en: T}, kind: other}]
cases:
- slug: a
  title: {en: A, ru: А}
  kind: criminal
  status: pending
  summary: {en: First.}
  parties: [{key: p, description: {en: P}, role: defendant}]
  events:
  - {key: one, kind: hearing, date: 2026-01-01, text: {en: One}}
  - {key: two, kind: hearing, date: 2026-01-02, text: {en: Two}}
  citations: [{source: s, field: status}]
";

const STATE: &str = "{ case(by: {slug: \"a\"}) { titles { lang text } status summaries { lang text } events { nodes { key date } } citations { nodes { source { slug } } } history { totalCount } } }";

async fn state(fixture: &ImportFixture) -> Value {
    fixture.server.data(STATE).await["case"].clone()
}

async fn edit(fixture: &ImportFixture, changes: Value) {
    let mut input = changes;
    input["id"] = json!("a");
    Asker::with_role(&fixture.server, Role::Editor).await.done("updateCase { case { id } }", input).await;
}

fn keys(state: &Value) -> Vec<(&str, &str)> {
    let nodes = state["events"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| (node["key"].as_str().unwrap(), node["date"].as_str().unwrap())).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn import_keeps_and_reports_what_editors_wrote(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("cases.yaml", CASES);
    import(&fixture, door, "cases.yaml", None, None).await;
    edit(
        &fixture,
        json!({
            "title": {"en": "A, corrected", "ru": "А"},
            "status": "DECIDED",
            "events": [
                {"key": "two", "kind": "HEARING", "date": "2026-01-22", "text": {"en": "Two"}},
                {"key": "three", "kind": "VERDICT", "date": "2026-01-30", "text": {"en": "Three"}},
            ],
        }),
    )
    .await;
    let edited = state(&fixture).await;
    for _ in 0..2 {
        let output = import(&fixture, door, "cases.yaml", None, None).await;
        assert!(output.contains("0 updated"), "{output}");
        let output = output.replace("\\\"", "\"");
        for kept in [
            "title.en: the text in the language en is kept as it was written by editor on ",
            "status: the value is kept",
            "date: the value is kept",
            "the part \"one\" stays removed, as it was left by editor on ",
            "the part \"three\", which the list lacks, is kept",
        ] {
            assert!(output.contains(kept), "{kept}: {output}");
        }
        assert_eq!(state(&fixture).await, edited);
    }
    // what no editor wrote is updated beside it
    fixture.write_file("cases.yaml", CASES.replace("First.", "Second.").replace("ru: А", "ru: Б"));
    import(&fixture, door, "cases.yaml", None, None).await;
    let updated = state(&fixture).await;
    assert_eq!(updated["summaries"], json!([{"lang": "en", "text": "Second."}]));
    assert_eq!(updated["titles"], json!([{"lang": "en", "text": "A, corrected"}, {"lang": "ru", "text": "Б"}]));
    assert_eq!(updated["status"], "DECIDED");
    assert_eq!(keys(&updated), [("two", "2026-01-22"), ("three", "2026-01-30")]);
    // and all of it by a file that overwrites
    let overwrite = Options { overwrite: true, ..Options::default() };
    let output = import_with(&fixture, door, "cases.yaml", overwrite).await;
    assert!(output.contains("1 updated") && !output.contains("kept"), "{output}");
    let overwritten = state(&fixture).await;
    assert_eq!(overwritten["status"], "PENDING");
    assert_eq!(keys(&overwritten), [("one", "2026-01-01"), ("two", "2026-01-02")]);
    let output = import(&fixture, door, "cases.yaml", None, None).await;
    assert!(output.contains("0 updated"), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn import_merges_texts_by_language(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("cases.yaml", CASES);
    import(&fixture, door, "cases.yaml", None, None).await;
    fixture.write_file("kazakh.yaml", "cases: [{slug: a, title: {kk: Ә}, events: [{key: one, kind: hearing, text: {kk: Бір}}, {key: two, kind: hearing, text: {en: Two}}]}]");
    let output = import(&fixture, door, "kazakh.yaml", None, None).await;
    assert!(output.contains("1 updated"), "{output}");
    let merged = state(&fixture).await;
    let languages = json!([{"lang": "en", "text": "A"}, {"lang": "ru", "text": "А"}, {"lang": "kk", "text": "Ә"}]);
    assert_eq!(merged["titles"], languages);
    let output = import(&fixture, door, "cases.yaml", None, None).await;
    assert!(output.contains("0 updated"), "{output}");
    fixture.write_file("without.yaml", "cases: [{slug: a, title: {ru: null}}]");
    import(&fixture, door, "without.yaml", None, None).await;
    assert_eq!(state(&fixture).await["titles"], json!([{"lang": "en", "text": "A"}, {"lang": "kk", "text": "Ә"}]));
    let overwrite = Options { overwrite: true, ..Options::default() };
    import_with(&fixture, door, "cases.yaml", overwrite).await;
    assert_eq!(state(&fixture).await["titles"], json!([{"lang": "en", "text": "A"}, {"lang": "ru", "text": "А"}]));
}

/// A part whose key an editor replaced is not added a second time under its former key.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn import_finds_a_part_whose_key_was_replaced(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let text = CASES.replace("  events:", "  sentences: [{key: fine, party: p, kind: fine, amount: 1, unit: KZT}]\n  events:");
    fixture.write_file("cases.yaml", &text);
    import(&fixture, door, "cases.yaml", None, None).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    for (mutation, part, key) in
        [("updateCaseEvent", "one", "uno"), ("updateCaseEvent", "uno", "first"), ("updateCaseParty", "p", "defendant")]
    {
        let input = json!({"case": {"slug": "a"}, "part": part, "key": key});
        editor.done(&format!("{mutation} {{ case {{ id }} }}"), input).await;
    }
    let renamed = state(&fixture).await;
    assert_eq!(keys(&renamed), [("first", "2026-01-01"), ("two", "2026-01-02")]);
    for _ in 0..2 {
        let output = import(&fixture, door, "cases.yaml", None, None).await.replace("\\\"", "\"");
        assert!(output.contains("0 updated"), "{output}");
        for kept in
            ["the key \"first\", which was \"one\", is kept as it was written by editor", "the key \"defendant\", which was \"p\", is kept"]
        {
            assert!(output.contains(kept), "{kept}: {output}");
        }
        assert_eq!(state(&fixture).await, renamed);
    }
    // what no editor wrote is updated in the part
    fixture.write_file("cases.yaml", text.replace("2026-01-01", "2026-01-11"));
    import(&fixture, door, "cases.yaml", None, None).await;
    assert_eq!(keys(&state(&fixture).await), [("first", "2026-01-11"), ("two", "2026-01-02")]);
    let overwrite = Options { overwrite: true, ..Options::default() };
    import_with(&fixture, door, "cases.yaml", overwrite).await;
    assert_eq!(keys(&state(&fixture).await), [("one", "2026-01-11"), ("two", "2026-01-02")]);
}

/// A revert to what an import wrote is no edit: a later import changes what was restored.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn revert_to_the_state_of_an_import_is_no_edit(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("cases.yaml", CASES);
    import(&fixture, door, "cases.yaml", None, None).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let edit = async |mut changes: Value| {
        changes["id"] = json!("a");
        editor.done("updateCase { case { id } }", changes).await
    };
    let id = fixture.server.data("{ case(by: {slug: \"a\"}) { id } }").await["case"]["id"].clone();
    let events = json!([{"key": "two", "kind": "HEARING", "date": "2026-01-22", "text": {"en": "Two"}}]);
    edit(json!({"title": {"en": "A, corrected", "ru": "А"}, "status": "DECIDED", "events": events, "replace": true})).await;
    editor.done("revert { record { id } }", json!({"record": id, "toRevision": 1})).await;
    assert_eq!(keys(&state(&fixture).await), [("one", "2026-01-01"), ("two", "2026-01-02")]);
    let changed = CASES.replace("2026-01-0", "2026-03-0").replace("{en: A, ru: А}", "{en: B, ru: Б}").replace("pending", "decided");
    fixture.write_file("cases.yaml", &changed);
    let output = import(&fixture, door, "cases.yaml", None, None).await;
    assert!(output.contains("1 updated") && !output.contains("is kept as"), "{output}");
    let imported = state(&fixture).await;
    assert_eq!(keys(&imported), [("one", "2026-03-01"), ("two", "2026-03-02")]);
    assert_eq!(imported["titles"][0]["text"], "B");
    // an edit from before the state is kept, and one after it is not
    edit(json!({"status": "PENDING"})).await;
    let revision = fixture.server.data("{ case(by: {slug: \"a\"}) { revision } }").await["case"]["revision"].clone();
    edit(json!({"title": {"en": "C", "ru": "Б"}})).await;
    editor.done("revert { record { id } }", json!({"record": id, "toRevision": revision})).await;
    fixture.write_file("cases.yaml", changed.replace("{en: B, ru: Б}", "{en: D, ru: Д}"));
    let output = import(&fixture, door, "cases.yaml", None, None).await;
    assert!(output.contains("1 updated") && output.contains("status: the value is kept"), "{output}");
    assert_eq!(state(&fixture).await["titles"][0]["text"], "D");
}
