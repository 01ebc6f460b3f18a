//! What is pruned when imports of a set overlap, refuse records, take too long, or are asked to prune twice.

use std::sync::Arc;

use kurultai::core::auth::Role;
use kurultai::core::clock::Clock;
use kurultai::store::Store;
use kurultai::store::draft::mark_as_import;
use kurultai::store::write::{Author, Drafts, ImportRun, PruneMode, PruneOutcome, TransactionEnd, WriteError};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::ImportFixture;
use super::identity::{Door, Options, import_with};
use crate::server::{Asker, On, Server, read};

const PRUNE: &str = "pruneImportSet { gone { slug outcome reason } }";

fn records(slugs: &[&str]) -> Vec<Value> {
    slugs.iter().map(|slug| json!({"person": {"slug": slug, "name": {"en": slug}}})).collect()
}

fn people(slugs: &[&str]) -> String {
    let lines: String = slugs.iter().map(|slug| format!("- {{slug: {slug}, name: {{en: {slug}}}}}\n")).collect();
    format!("people:\n{lines}")
}

async fn batch(editor: &Asker<'_>, set: &str, run: &str, slugs: &[&str]) {
    editor.done("importRecords { created }", json!({"records": records(slugs), "set": set, "run": run})).await;
}

async fn slugs(fixture: &ImportFixture) -> Vec<String> {
    let data = fixture.server.data("{ people { nodes { slug } } }").await;
    let mut slugs: Vec<String> =
        data["people"]["nodes"].as_array().unwrap().iter().map(|node| node["slug"].as_str().unwrap().to_owned()).collect();
    slugs.sort();
    slugs
}

/// A file of an editor's import with `--set s`, and what is pruned with it.
async fn import(fixture: &ImportFixture, door: Door, text: &str, options: Options<'_>) -> String {
    fixture.write_file("file.yaml", text);
    import_with(fixture, door, "file.yaml", Options { set: Some("s"), ..options }).await
}

const DELETE: Options<'_> = Options {
    scheme: None,
    mapping: None,
    encoding: None,
    strict: false,
    overwrite: false,
    set: None,
    prune: Some("delete"),
    close_on: None,
    confirm: true,
    dry_run: false,
    batch: None,
};

/// A refused record may be one that seems to be gone.
#[rstest]
#[tokio::test]
async fn run_that_refused_a_record_prunes_nothing(#[values(On::Sqlite, On::Postgres)] on: On, #[values("STOP", "SKIP")] policy: &str) {
    let fixture = ImportFixture::new(on).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    batch(&editor, "s", "one", &["a", "b", "c"]).await;
    editor.done(PRUNE, json!({"set": "s", "run": "one", "confirm": true})).await;
    batch(&editor, "s", "two", &["a"]).await;
    let wrong = json!({"person": {"slug": "b", "name": {"en": "B"}, "topics": ["nowhere"]}});
    let input = json!({"records": [wrong], "set": "s", "run": "two", "onError": policy});
    let refused = editor.payload("importRecords { failed }", input).await;
    assert_eq!(refused["failed"], 1, "{refused}");
    for confirm in [false, true] {
        let gone = editor.done(PRUNE, json!({"set": "s", "run": "two", "prune": "DELETE", "confirm": confirm})).await["gone"].clone();
        assert_eq!(gone.as_array().unwrap().len(), 2, "{gone}");
        for record in gone.as_array().unwrap() {
            let reason = "the import refused records, and this may be one of them; correct and import all again";
            assert_eq!((&record["outcome"], &record["reason"]), (&json!("KEPT"), &json!(reason)), "{gone}");
        }
    }
    assert_eq!(slugs(&fixture).await, ["a", "b", "c"]);
    // a validation is no import
    let dry = json!({"records": [input_of_nowhere()], "set": "s", "run": "three", "dryRun": true});
    editor.payload("importRecords { failed }", dry).await;
    batch(&editor, "s", "three", &["a", "b"]).await;
    let gone = editor.done(PRUNE, json!({"set": "s", "run": "three", "prune": "DELETE", "confirm": true})).await["gone"].clone();
    assert_eq!(gone, json!([{"slug": "c", "outcome": "DELETED", "reason": null}]));
}

fn input_of_nowhere() -> Value {
    json!({"person": {"slug": "x", "name": {"en": "X"}, "topics": ["nowhere"]}})
}

/// What an import holds that is under way stays, whichever set and interface; the import that ends later prunes nothing.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn imports_at_the_same_time_keep_each_others_records(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[values(None, Some("1"))] batch_records: Option<&str>,
) {
    let server = Server::with_system_clock(on, "people: []").await;
    let fixture = ImportFixture { server, folder: TempDir::new().unwrap() };
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    import(&fixture, door, &people(&["a", "b", "c", "d"]), Options::default()).await;
    batch(&editor, "s", "open", &["a", "b"]).await;
    batch(&editor, "another set", "open", &["c"]).await;
    let output = import(&fixture, door, &people(&["a"]), Options { batch: batch_records, ..DELETE }).await;
    assert_eq!(output.matches("another import that has not ended holds it").count(), 2, "{output}");
    assert_eq!(slugs(&fixture).await, ["a", "b", "c"], "{output}");
    batch(&editor, "s", "open", &["e"]).await;
    let gone = editor.done(PRUNE, json!({"set": "s", "run": "open", "prune": "DELETE", "confirm": true})).await["gone"].clone();
    let reason = "another import of the set ended while this one was under way; import again";
    assert_eq!(gone, json!([{"slug": "c", "outcome": "KEPT", "reason": reason}]));
    editor.done(PRUNE, json!({"set": "another set", "run": "open", "confirm": true})).await;
    let output = import(&fixture, door, &people(&["a", "b", "e"]), DELETE).await;
    assert!(output.contains("another set holds it"), "{output}");
    assert_eq!(slugs(&fixture).await, ["a", "b", "c", "e"]);
}

fn drafts(slugs: &[&str]) -> Drafts {
    let mut drafts = read(&[(Arc::from("people.yaml"), people(slugs))]).unwrap();
    mark_as_import(&mut drafts, false);
    drafts
}

/// A run is forgotten as a whole, and does not begin again by a late batch.
#[rstest]
#[tokio::test]
async fn run_expires_as_a_whole(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let author = Author { by: "tests".to_owned(), message: None };
    let at = async |day: &str| fixture.server.database.connect_with(Clock::fixed(format!("{day}T12:00:00Z").parse().unwrap())).await;
    let run = |name: &str| ImportRun { set: "s".to_owned(), run: name.to_owned() };
    let write = async |store: &Store, slugs: &[&str], name: &str| {
        Box::pin(store.write_in_run(&drafts(slugs), &author, TransactionEnd::Commit, &run(name), |_| ())).await
    };
    let message = |error: WriteError| match error {
        WriteError::Problems(problems) => problems[0].message.clone(),
        WriteError::Failed(error) => panic!("{error}"),
    };
    let store = at("2026-03-01").await;
    write(&store, &["a", "b", "c"], "zero").await.unwrap();
    store.prune_run(&run("zero"), &PruneMode::List, &author, TransactionEnd::Commit).await.unwrap();
    write(&store, &["a"], "slow").await.unwrap();
    write(&at("2026-03-08").await, &["b"], "slow").await.unwrap();
    let late = at("2026-03-09").await;
    let expired = "this run began on 2026-03-01, more than 7 days ago";
    assert!(message(write(&late, &["c"], "slow").await.unwrap_err()).starts_with(expired));
    // another run removes what outdated ones held
    write(&late, &["a", "b"], "new").await.unwrap();
    for end in [TransactionEnd::Rollback, TransactionEnd::Commit] {
        let error = late.prune_run(&run("slow"), &PruneMode::Delete, &author, end).await.unwrap_err();
        assert!(message(error).starts_with(expired));
    }
    assert!(message(write(&late, &["c"], "slow").await.unwrap_err()).starts_with(expired));
    let pruned = late.prune_run(&run("new"), &PruneMode::Delete, &author, TransactionEnd::Commit).await.unwrap();
    let outcomes: Vec<_> = pruned.iter().map(|record| (record.slug.as_str(), &record.outcome)).collect();
    assert_eq!(outcomes, [("c", &PruneOutcome::Deleted)]);
}

/// A client that lost the answer learns that its run was pruned.
#[rstest]
#[tokio::test]
async fn ended_run_says_what_it_did(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    batch(&editor, "s", "one", &["a", "b"]).await;
    editor.done(PRUNE, json!({"set": "s", "run": "one", "confirm": true})).await;
    batch(&editor, "s", "two", &["a"]).await;
    let end = json!({"set": "s", "run": "two", "prune": "DELETE", "confirm": true});
    assert_eq!(editor.done(PRUNE, end.clone()).await["gone"][0]["outcome"], "DELETED");
    for input in [end.clone(), json!({"set": "s", "run": "two"})] {
        let again = editor.payload(PRUNE, input).await;
        let message = again["errors"][0]["message"].as_str().unwrap();
        assert!(
            message.starts_with("this run has ended, at ") && message.contains("1 were deleted, 0 have ended, and 0 were kept"),
            "{again}"
        );
        assert_eq!(again["errors"][0]["path"], json!(["input", "run"]), "{again}");
    }
    let unknown = editor.payload(PRUNE, json!({"set": "s", "run": "three", "prune": "DELETE", "confirm": true})).await;
    assert!(unknown["errors"][0]["message"].as_str().unwrap().contains("has no run \"three\""), "{unknown}");
    // the same name is a new run once it is imported again
    batch(&editor, "s", "two", &["a", "c"]).await;
    assert_eq!(editor.done(PRUNE, end).await["gone"], json!([]));
    assert_eq!(slugs(&fixture).await, ["a", "c"]);
}

/// Editors decided about a record into which they merged another.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn records_with_merged_ones_are_kept(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.server.import("people: [{slug: z, name: {en: b}}]").await.unwrap();
    import(&fixture, door, &people(&["a", "b", "c"]), Options::default()).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    editor.done("mergePeople { person { id } }", json!({"from": "z", "into": "b"})).await;
    let output = import(&fixture, door, &people(&["a"]), DELETE).await;
    assert!(output.contains("another person was merged into it"), "{output}");
    assert_eq!(slugs(&fixture).await, ["a", "b"], "{output}");
}

/// A wrong file cancels the import; where its batches are written one by one, the error says so.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn wrong_file_writes_nothing(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[values(None, Some("1"))] batch: Option<&str>,
) {
    let fixture = ImportFixture::new(on).await;
    import(&fixture, door, &people(&["a", "b"]), Options::default()).await;
    let output = import(&fixture, door, &people(&["x", "y"]), Options { batch, ..DELETE }).await;
    assert!(output.contains("the files hold none of the 2 records of the set"), "{output}");
    let expected: &[&str] = match door {
        Door::Database | Door::Upload => &["a", "b"],
        Door::Url => &["a", "b", "x", "y"],
    };
    assert_eq!(slugs(&fixture).await, expected, "{output}");
    let is_written = output.contains("the records were written, but what is gone from the set was not pruned");
    assert_eq!(is_written, matches!(door, Door::Url), "{output}");
    assert!(!(is_written && output.contains("nothing was written")), "{output}");
    let output = import(&fixture, door, "people: []", DELETE).await;
    assert!(output.contains("the files hold none of the "), "{output}");
}

fn members(ids: &[(u32, &str)]) -> String {
    let persons: Vec<Value> = (1..=3).map(|id| json!({"id": id.to_string(), "name": format!("Member {id}")})).collect();
    let memberships = ids
        .iter()
        .map(|(id, start)| json!({"id": format!("m{id}"), "person_id": id.to_string(), "organization_id": "p", "start_date": start}));
    json!({
        "persons": persons, "memberships": memberships.collect::<Vec<_>>(),
        "organizations": [{"id": "p", "name": "Parliament", "classification": "legislature"}],
    })
    .to_string()
}

/// Ends of the memberships, by the name of the member.
async fn ends(fixture: &ImportFixture) -> Vec<Value> {
    let data = fixture.server.data("{ memberships { nodes { end person { slug } } } }").await;
    let mut nodes = data["memberships"]["nodes"].as_array().unwrap().clone();
    nodes.sort_by_key(|node| node["person"]["slug"].to_string());
    nodes.into_iter().map(|node| node["end"].clone()).collect()
}

/// A membership that the source has again is open again, unless an editor changed its end.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn membership_that_returns_is_open_again(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[values(None, Some("1"))] batch: Option<&str>,
) {
    let fixture = ImportFixture::new(on).await;
    let close =
        Options { scheme: Some("isles"), prune: Some("close"), close_on: Some("2026-02"), confirm: true, batch, ..Options::default() };
    let import = async |ids: &[(u32, &str)], options: Options<'_>| {
        fixture.write_file("isles.popolo.json", members(ids));
        import_with(&fixture, door, "isles.popolo.json", options).await
    };
    let plain = Options { scheme: Some("isles"), batch, ..Options::default() };
    let all = [(1, "2020"), (2, "2020"), (3, "2020")];
    import(&all, plain).await;
    import(&all[..1], close).await;
    assert_eq!(ends(&fixture).await, [json!(null), json!("2026-02"), json!("2026-02")]);
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let data = fixture.server.data("{ memberships { nodes { id person { slug } } } }").await;
    let of = |slug: &str| {
        let mut nodes = data["memberships"]["nodes"].as_array().unwrap().iter();
        nodes.find(|node| node["person"]["slug"] == slug).unwrap()["id"].clone()
    };
    editor.done("updateMembership { membership { id } }", json!({"id": of("member-3"), "end": "2026-01-31"})).await;
    let output = import(&all, plain).await;
    assert!(output.contains("0 created, 1 updated, 6 unchanged"), "{output}");
    assert_eq!(ends(&fixture).await, [json!(null), json!(null), json!("2026-01-31")], "{output}");
    let output = import(&all, plain).await;
    assert!(output.contains("0 created, 0 updated, 7 unchanged"), "{output}");
    // it is in the set again
    import(&all[..1], close).await;
    assert_eq!(ends(&fixture).await[1], "2026-02");
}

/// A membership that may begin after the end given stays open.
#[rstest]
#[case("2026-02", "2026-02-15", Some("the end given, 2026-02, may be before that"))]
#[case("2026", "2026-02", Some("the end given, 2026, may be before that"))]
#[case("2026-01-31", "2026-02", Some("it begins on 2026-02, after the end given"))]
#[case("2026-02-15", "2026-02-15", None)]
#[case("2026-02-20", "2026-02", None)]
#[case("2026-02", "2026-02", None)]
#[tokio::test(flavor = "multi_thread")]
async fn membership_does_not_end_before_it_begins(#[case] close_on: &str, #[case] start: &str, #[case] reason: Option<&str>) {
    for on in [On::Sqlite, On::Postgres] {
        let fixture = ImportFixture::new(on).await;
        fixture.write_file("isles.popolo.json", members(&[(1, "2020"), (2, start)]));
        let plain = Options { scheme: Some("isles"), ..Options::default() };
        import_with(&fixture, Door::Database, "isles.popolo.json", plain).await;
        fixture.write_file("isles.popolo.json", members(&[(1, "2020")]));
        let close = Options { prune: Some("close"), close_on: Some(close_on), confirm: true, ..plain };
        let output = import_with(&fixture, Door::Database, "isles.popolo.json", close).await;
        assert_eq!(ends(&fixture).await[1], if reason.is_some() { Value::Null } else { json!(close_on) }, "{output}");
        assert!(reason.is_none_or(|reason| output.contains(reason)), "{output}");
    }
}
