//! Imports of several batches do what an import of one batch does.

use std::process::Output;

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use super::identity::{Door, Options, import_with};
use crate::cli::command::kurultai;
use crate::server::{Asker, On};

/// A person who is to be withheld, with a seat.
const BEFORE: &str = "organizations: [{slug: house, name: {en: House}, classification: legislature}]\n\
    people: [{slug: lola-karimbek, name: {en: Lola Karimbek}}]\n\
    memberships: [{slug: seat-of-lola-karimbek, label: {en: Seat}, person: lola-karimbek, organization: house}]\n";

/// The same, another person with the name, and records that need these and each other.
const AFTER: &str = r#"{"organization": {"slug": "house", "name": {"en": "House"}, "classification": "legislature"}}
{"topic": {"slug": "about-lola-karimbek", "label": {"en": "About Lola Karimbek"}}}
{"topic": {"slug": "below", "label": {"en": "Below"}, "broader": "about-lola-karimbek"}}
{"person": {"slug": "lola-karimbek", "name": {"en": "Lola Karimbek"}}}
{"person": {"slug": "other-lola", "name": {"en": "Lola Karimbek"}}}
{"person": {"slug": "marat", "name": {"en": "Marat"}}}
{"membership": {"slug": "seat-of-lola-karimbek", "label": {"en": "Seat"}, "person": "lola-karimbek", "organization": "house"}}
{"membership": {"slug": "other-seat", "label": {"en": "Seat"}, "person": "other-lola", "organization": "house"}}
{"membership": {"slug": "seat-of-marat", "label": {"en": "Seat"}, "person": "marat", "organization": "house"}}
{"case": {"slug": "c", "title": {"en": "C"}, "kind": "civil", "status": "pending", "parties": [{"key": "a", "person": "other-lola", "role": "plaintiff"}, {"key": "b", "person": "marat", "role": "defendant"}]}}
"#;

async fn withheld(on: On) -> ImportFixture {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("before.yaml", BEFORE);
    fixture.import_ok(&["before.yaml"]);
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "lola-karimbek"})).await;
    fixture.write_file("after.ndjson", AFTER);
    fixture
}

async fn state(fixture: &ImportFixture) -> Value {
    fixture
        .server
        .data(
            "{ people { totalCount } memberships { totalCount } topics { nodes { label broader { label } } } \
             cases { nodes { parties { nodes { key person { name } } } } } }",
        )
        .await
}

/// Lines without what differs between runs: ids.
fn sorted(output: &str) -> Vec<String> {
    let mut lines: Vec<String> = output.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What needs a skipped person is skipped in any batch, and so is what belongs to a withheld one.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn later_batches_know_who_was_skipped(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
    #[values("1", "3")] batch: &str,
) {
    let whole = withheld(on).await;
    let expected = import_with(&whole, Door::Database, "after.ndjson", Options::default()).await;
    assert!(expected.contains("5 created, 0 updated, 3 unchanged, 2 skipped; in 2 of them the name of a"), "{expected}");
    let fixture = withheld(on).await;
    let output = import_with(&fixture, door, "after.ndjson", Options { batch: Some(batch), ..Options::default() }).await;
    assert_eq!(sorted(&output), sorted(&expected));
    assert_eq!(state(&fixture).await, state(&whole).await);
    // once more, everything is there
    let again = import_with(&fixture, door, "after.ndjson", Options { batch: Some(batch), ..Options::default() }).await;
    assert!(again.contains("0 created, 0 updated, 8 unchanged, 2 skipped"), "{again}");
    assert_eq!(state(&fixture).await, state(&whole).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn streamed_batches_know_who_was_skipped(#[values(On::Sqlite, On::Postgres)] on: On) {
    let whole = withheld(on).await;
    whole.import_ok(&["after.ndjson"]);
    let fixture = withheld(on).await;
    let summary = fixture.import_ok(&["after.ndjson", "--stream", "--batch", "1"]);
    assert!(summary.contains("5 created, 0 updated, 3 unchanged, 2 skipped; in 2 of them the name of a"), "{summary}");
    assert_eq!(state(&fixture).await, state(&whole).await);
}

const CHAIN: &str = "topics: [{slug: a, label: {en: A}}, {slug: b, label: {en: B}, broader: a}, {slug: c, label: {en: C}, broader: b}]\n\
    people: [{slug: p, name: {en: P}, topics: [c]}]\n\
    organizations: [{slug: o, name: {en: O}, classification: other}]\n\
    memberships: [{slug: m, label: {en: M}, person: p, organization: o}]\n";

/// A dry run validates a batch as if those before it were written.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn dry_run_of_batches_finds_what_the_import_finds(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("chain.yaml", CHAIN);
    let dry = Options { dry_run: true, batch: Some("1"), ..Options::default() };
    let output = import_with(&fixture, door, "chain.yaml", dry).await;
    assert!(output.contains("Nothing was written. Records: 6 would be created, 0 updated, 0 unchanged"), "{output}");
    assert!(output.contains("topics: 3 created, 0 updated, 0 unchanged"), "{output}");
    let data = fixture.server.data("{ topics { totalCount } people { totalCount } }").await;
    assert_eq!(data, json!({"topics": {"totalCount": 0}, "people": {"totalCount": 0}}));
    // a problem of a record that others need is reported once, and so are the others
    let wrong = CHAIN.replace("broader: a}", "broader: nowhere}").replace("organization: o}", "organization: gone}");
    fixture.write_file("chain.yaml", wrong);
    let output = import_with(&fixture, door, "chain.yaml", dry).await;
    assert!(output.contains("2 problems; nothing was written"), "{output}");
    assert!(
        output.contains("chain.yaml:1: topics[1].broader: ") && output.contains("chain.yaml:4: memberships[0].organization: "),
        "{output}"
    );
    fixture.write_file("chain.yaml", CHAIN);
    let output = import_with(&fixture, door, "chain.yaml", Options { dry_run: false, ..dry }).await;
    assert!(output.contains("Records: 6 created, 0 updated, 0 unchanged"), "{output}");
}

/// Every interface says in how many records a name was redacted.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_interface_counts_redacted_records(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = withheld(on).await;
    let topic = |number: u32| format!("- {{slug: t{number}, label: {{en: Lola Karimbek speaks}}, definition: {{en: Lola Karimbek}}}}\n");
    fixture.write_file("topics.yaml", format!("topics:\n{}{}- {{slug: t3, label: {{en: Other}}}}\n", topic(1), topic(2)));
    let output = import_with(&fixture, door, "topics.yaml", Options::default()).await;
    assert!(output.contains("3 created") && output.contains("2 "), "{output}");
    let is_counted = output.contains("in 2 of them the name of a withheld person was redacted")
        || output.contains("in 2 records the name of a withheld person was redacted");
    assert!(is_counted && !output.contains("warning"), "{output}");
}

/// A server names records by their place in a request, which the files do not have.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_server_name_files_and_lines(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let (_, token) = fixture.server.store.create_token("Aigerim", Role::Editor, None).await.unwrap();
    let identifiers = "identifiers: [{scheme: s, value: \"1\"}]";
    fixture.write_file("one.yaml", format!("people:\n- {{slug: a, name: {{en: A}}, {identifiers}}}\n"));
    fixture.import_ok(&["one.yaml"]);
    fixture.write_file(
        "two.yaml",
        format!("people:\n- {{slug: a, name: {{en: A}}}}\n- {{name: {{en: B}}, {identifiers}}}\n- {{slug: a, name: {{en: C}}}}\n"),
    );
    for arguments in [&["two.yaml"][..], &["two.yaml", "--dry-run"], &["one.yaml", "--message", "\u{7}"]] {
        let mut command = kurultai(&["import", "--url", &fixture.server.address, "--token", &token]);
        command.args(arguments).current_dir(fixture.folder.path());
        let Output { status, stderr, .. } = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(!status.success() && !stderr.contains("input"), "{arguments:?}: {stderr}");
        if arguments[0] == "two.yaml" {
            assert!(stderr.contains("first at two.yaml:2") && stderr.contains("is given at two.yaml:2 already"), "{stderr}");
        }
    }
}
