//! `--prune`: what a source no longer has is closed or deleted, after it was shown.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use crate::server::{Asker, On};

fn parliament(people: &[u32]) -> String {
    let persons: Vec<Value> = people.iter().map(|id| json!({"id": id.to_string(), "name": format!("Member {id}")})).collect();
    let memberships: Vec<Value> =
        people.iter().map(|id| json!({"id": format!("m{id}"), "person_id": id.to_string(), "organization_id": "p"})).collect();
    json!({
        "persons": persons, "memberships": memberships,
        "organizations": [{"id": "p", "name": "Parliament", "classification": "legislature"}],
    })
    .to_string()
}

fn load(fixture: &ImportFixture, people: &[u32], flags: &[&str]) -> (bool, String) {
    fixture.write_file("isles.popolo.json", parliament(people));
    let (status, stdout, stderr) = fixture.import(&[&["isles.popolo.json", "--scheme", "isles"], flags].concat());
    (status, format!("{stdout}{stderr}"))
}

async fn counts(fixture: &ImportFixture) -> (Value, Value) {
    let data = fixture.server.data("{ people { totalCount } memberships { nodes { end } } }").await;
    (data["people"]["totalCount"].clone(), data["memberships"]["nodes"].clone())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn prune_deletes_what_is_gone_once_it_was_shown(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    load(&fixture, &[1, 2, 3], &[]);
    // a record of another origin is in no set
    fixture.write_file("other.yaml", "people: [{slug: other, name: {en: Other}}]");
    fixture.import_ok(&["other.yaml"]);
    let (_, output) = load(&fixture, &[1, 2], &[]);
    assert!(output.contains("2 records of the set are not in the files"), "{output}");
    for flags in [&["--prune", "delete"] as &[_], &["--prune", "delete", "--dry-run"]] {
        let (status, output) = load(&fixture, &[1, 2], flags);
        assert!(status, "{output}");
        assert!(output.contains("Nothing was written") && output.contains("person member-3 would be deleted"), "{output}");
        assert_eq!(counts(&fixture).await.0, 4);
    }
    let (_, output) = load(&fixture, &[1, 2], &["--prune", "delete", "--yes"]);
    assert!(output.contains("pruned: person member-3 deleted") && output.contains("pruned: membership "), "{output}");
    let (people, memberships) = counts(&fixture).await;
    assert_eq!((people, memberships.as_array().unwrap().len()), (json!(3), 2));
    let (_, output) = load(&fixture, &[1, 2], &["--prune", "delete", "--yes"]);
    assert!(!output.contains("pruned"), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn prune_closes_memberships_and_keeps_edits_and_referred_records(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    load(&fixture, &[1, 2, 3], &[]);
    let (status, output) = load(&fixture, &[1, 2], &["--prune", "close", "--yes"]);
    assert!(!status && output.contains("--close-on"), "{output}");
    let (_, output) = load(&fixture, &[1, 2], &["--prune", "close", "--close-on", "2026-02", "--yes"]);
    assert!(output.contains("closed") && output.contains("not pruned: person member-3: a person has no end"), "{output}");
    let (people, memberships) = counts(&fixture).await;
    assert_eq!(people, 3);
    let ends: Vec<&Value> = memberships.as_array().unwrap().iter().map(|node| &node["end"]).filter(|end| !end.is_null()).collect();
    assert_eq!(ends, ["2026-02"]);
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    editor.done("updatePerson { person { id } }", json!({"id": "member-2", "biography": {"en": "Edited."}})).await;
    fixture.write_file(
        "case.yaml",
        "cases: [{slug: c, title: {en: C}, kind: civil, status: pending, parties: [{key: p, person: member-3, role: plaintiff}]}]",
    );
    fixture.import_ok(&["case.yaml"]);
    let (_, output) = load(&fixture, &[1], &["--prune", "delete", "--yes"]);
    assert!(output.contains("not pruned: person member-2: it was edited by editor on "), "{output}");
    assert!(output.contains("not pruned: person member-3: other records refer to it: ") && output.contains("case \"c\""), "{output}");
    assert_eq!(counts(&fixture).await.0, 3);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn prune_spares_other_sets_and_empty_files(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let import = |text: &str, flags: &[&str]| {
        fixture.write_file("file.yaml", text);
        let (status, stdout, stderr) = fixture.import(&[&["file.yaml"], flags].concat());
        (status, format!("{stdout}{stderr}"))
    };
    let person = |slug: &str| format!("- {{slug: {slug}, name: {{en: {slug}}}}}\n");
    let prune = ["--prune", "delete", "--yes"];
    import(&format!("people:\n{}{}", person("xa"), person("xb")), &["--set", "one"]);
    import(&format!("people:\n{}{}", person("xa"), person("xc")), &["--set", "two"]);
    let (_, output) = import(&format!("people:\n{}", person("xc")), &[&["--set", "two"], &prune[..]].concat());
    assert!(output.contains("not pruned: person xa: another set holds it"), "{output}");
    for text in ["people: []", "{}", "people:\n- {slug: xd, name: {en: D}}"] {
        let (status, output) = import(text, &[&["--set", "one"], &prune[..]].concat());
        assert!(!status && output.contains("the files hold none of the 2 records of the set"), "{text}: {output}");
    }
    // a parent that is gone with its child
    let tree = "organizations:\n- {slug: a, name: {en: A}, classification: other}\n- {slug: b, name: {en: B}, classification: other, parent: a}\n- {slug: c, name: {en: C}, classification: other}";
    import(tree, &["--set", "tree"]);
    let (_, output) =
        import("organizations: [{slug: c, name: {en: C}, classification: other}]", &[&["--set", "tree"], &prune[..]].concat());
    assert!(output.contains("organization a deleted") && output.contains("organization b deleted"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_needs_the_name_of_a_set() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("other.yaml", "people: [{slug: other, name: {en: Other}}]");
    let (status, _, stderr) = fixture.import(&["other.yaml", "--prune", "delete"]);
    assert!(!status && stderr.contains("--set NAME"), "{stderr}");
    for flag in ["--set", "--scheme", "--by"] {
        let (status, _, stderr) = fixture.import(&["other.yaml", flag, " "]);
        assert!(!status && stderr.contains("the name is blank"), "{flag}: {stderr}");
    }
}
