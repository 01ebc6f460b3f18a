//! `--prune`: what a source no longer has is closed or deleted, after it was shown.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use super::identity::{Door, Options, import_with};
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

/// What `--prune` does through an interface; returns all that the interface says.
async fn prune(fixture: &ImportFixture, door: Door, people: &[u32], options: Options<'_>) -> String {
    fixture.write_file("isles.popolo.json", parliament(people));
    import_with(fixture, door, "isles.popolo.json", Options { scheme: Some("isles"), ..options }).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_interface_prunes_by_the_same_rules(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let delete = Options { prune: Some("delete"), ..Options::default() };
    let confirmed = Options { confirm: true, ..delete };
    prune(&fixture, door, &[1, 2, 3, 4], Options::default()).await;
    let output = prune(&fixture, door, &[1, 2, 4], Options::default()).await;
    assert!(output.contains("2 records of the set are not in the files") || output.contains("\"outcome\":\"GONE\""), "{output}");
    // shown first, with what the files would change
    let output = prune(&fixture, door, &[1, 2, 4, 5], delete).await;
    assert!(output.contains("person member-3 would be deleted") || output.contains("\"DELETED\""), "{output}");
    assert_eq!(counts(&fixture).await.0, 4);
    // a record of another set, and one that an editor changed
    fixture.write_file("other.yaml", "people: [{slug: member-4, gender: x}]");
    import_with(&fixture, door, "other.yaml", Options { set: Some("others"), ..Options::default() }).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    editor.done("updatePerson { person { id } }", json!({"id": "member-2", "biography": {"en": "Edited."}})).await;
    let output = prune(&fixture, door, &[1], confirmed).await;
    assert!(output.contains("another set holds it") && output.contains("it was edited by editor on "), "{output}");
    let (people, memberships) = counts(&fixture).await;
    assert_eq!((people, memberships.as_array().unwrap().len()), (json!(3), 1), "{output}");
    // another file is no reason to delete everything
    fixture.write_file("isles.popolo.json", json!({"persons": [{"id": "8", "name": "Member 8"}]}).to_string());
    let output = import_with(&fixture, door, "isles.popolo.json", Options { scheme: Some("isles"), ..confirmed }).await;
    assert!(output.contains("the files hold none of the "), "{output}");
    assert_eq!(counts(&fixture).await.0, if matches!(door, Door::Url) { 4 } else { 3 });
    prune(&fixture, door, &[1, 8], Options::default()).await;
    let close = Options { prune: Some("close"), close_on: Some("2026-02"), confirm: true, ..Options::default() };
    let output = prune(&fixture, door, &[1], close).await;
    assert!(output.contains("a person has no end"), "{output}");
    let (_, memberships) = counts(&fixture).await;
    let ends: Vec<&Value> = memberships.as_array().unwrap().iter().map(|node| &node["end"]).filter(|end| !end.is_null()).collect();
    assert_eq!(ends, ["2026-02"], "{output}");
}

/// Withheld people, and what refers to them, stay: an import still holds them, although no response shows them.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn withheld_people_are_not_pruned(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let text = "organizations: [{slug: house, name: {en: House}, classification: legislature}]\n\
                people: [{slug: lola-karimbek, name: {en: Lola Karimbek}}, {slug: aru, name: {en: Aru}}]\n\
                memberships: [{slug: lola-karimbek-seat, label: {en: Seat}, person: lola-karimbek, organization: house}]\n";
    fixture.write_file("a.yaml", text);
    let set = Options { set: Some("house"), ..Options::default() };
    import_with(&fixture, door, "a.yaml", set).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "lola-karimbek"})).await;
    fixture.write_file("a.yaml", text.replace(", {slug: aru, name: {en: Aru}}", ""));
    let output = import_with(&fixture, door, "a.yaml", Options { prune: Some("delete"), confirm: true, ..set }).await;
    let data = fixture.server.data("{ people { nodes { name } } memberships { totalCount } }").await;
    assert_eq!(data, json!({"people": {"nodes": [{"name": "Name withheld"}]}, "memberships": {"totalCount": 1}}), "{output}");
}

/// What the mutations require.
#[rstest]
#[tokio::test]
async fn pruning_needs_an_editor_a_set_and_a_run(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let query =
        "mutation($input: PruneImportSetInput!) { pruneImportSet(input: $input) { gone { type slug outcome reason } errors { message } } }";
    let given = json!({"input": {"set": "s", "run": "r"}});
    for (asker, code) in
        [(Asker::reader(&fixture.server), "UNAUTHENTICATED"), (Asker::with_role(&fixture.server, Role::Reader).await, "FORBIDDEN")]
    {
        let answer = asker.answer(query, given.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
    }
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let wrong = [
        (json!({"set": " ", "run": "r"}), "the name is blank"),
        (json!({"set": "s", "run": "r", "prune": "CLOSE"}), "CLOSE needs the end"),
        (json!({"set": "s", "run": "r", "prune": "DELETE", "closeOn": "2026"}), "closeOn is for prune: CLOSE"),
    ];
    for (input, message) in wrong {
        let answer = editor.answer(query, json!({"input": input})).await;
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains(message)), "{message}: {answer}");
    }
    let import = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { created } }";
    let records = |slugs: &[&str]| slugs.iter().map(|slug| json!({"person": {"slug": slug, "name": {"en": slug}}})).collect::<Vec<_>>();
    for (input, message) in [
        (json!({"records": [], "set": "s"}), "a set needs the name of the run"),
        (json!({"records": [], "run": "r"}), "a run needs the name of its set"),
    ] {
        let answer = editor.answer(import, json!({"input": input})).await;
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains(message)), "{message}: {answer}");
    }
    // batches of one run count together, and other runs do not
    let gone = async |input: Value| editor.done("pruneImportSet { gone { type slug outcome } }", input).await["gone"].clone();
    let import = async |run: &str, slugs: &[&str]| {
        editor.done("importRecords { created }", json!({"records": records(slugs), "set": "s", "run": run})).await
    };
    import("one", &["a"]).await;
    import("one", &["b", "c"]).await;
    assert_eq!(gone(json!({"set": "s", "run": "one", "confirm": true})).await, json!([]));
    import("two", &["a"]).await;
    let shown = gone(json!({"set": "s", "run": "two", "prune": "DELETE"})).await;
    assert_eq!(shown[0], json!({"type": "PERSON", "slug": "b", "outcome": "DELETED"}));
    assert_eq!(counts(&fixture).await.0, 3);
    assert_eq!(gone(json!({"set": "s", "run": "two", "prune": "DELETE", "confirm": true})).await, shown);
    assert_eq!(counts(&fixture).await.0, 1);
    import("three", &[]).await;
    let refused =
        editor.payload("pruneImportSet { gone { slug } }", json!({"set": "s", "run": "three", "prune": "DELETE", "confirm": true})).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("the files hold none of the 1 records"), "{refused}");
}
