//! A large register: half of it renamed, some gone, some wrong, imported over itself, and reverted as a whole.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use crate::cli::command::{kurultai, run};
use crate::server::{Asker, On};

/// Every such person is not in the second file.
const GONE_EVERY: usize = 97;
/// Every such person has a birth date that cannot be read in the second file.
const WRONG_EVERY: usize = 251;
/// Reverts in one request.
const REVERTS_PER_REQUEST: usize = 25;

/// The editions of the register: in the second one half of the people are renamed, some are gone and some have a date that is
/// wrong, which the third one corrects.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Edition {
    First,
    Second,
    Third,
}

/// The register as CSV.
fn register(people: usize, edition: Edition) -> String {
    let is_changed = edition != Edition::First;
    let mut text = String::from("id,name,born,biography\n");
    for id in 0..people {
        let name = if is_changed && id % 2 == 0 { format!("Renamed {id} Person") } else { format!("Person {id} of the register") };
        let born = if edition == Edition::Second && id % WRONG_EVERY == 1 {
            "the fifth of May".to_owned()
        } else {
            format!("{}-01-0{}", 1900 + id % 100, 1 + id % 9)
        };
        if !(is_changed && id % GONE_EVERY == 5) {
            writeln!(text, "{id},{name},{born},Text {id}").unwrap();
        }
    }
    text
}

const MAPPING: &str = "
type: person
fields:
  slug: person-{id}
  name: {en: name}
  birthDate: born
  biography: {en: biography}
  identifiers:
    - {scheme: {constant: register}, value: id}
";

/// The tables of a package of the dataset, by the names of their files, without those that only the history changes.
fn tables(fixture: &ImportFixture, folder: &str) -> Vec<(String, Vec<String>)> {
    let package = fixture.folder.path().join(folder);
    let (ok, _, stderr) = run(kurultai(&["export", package.to_str().unwrap(), "--database-url", &fixture.server.database.url]));
    assert!(ok, "{stderr}");
    let mut tables = Vec::new();
    for entry in fs::read_dir(&package).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            // an identifier is known by its scheme and value, and has another id when its record is restored
            let is_identifiers = path.file_stem().is_some_and(|stem| stem == "identifiers");
            let row = |line: &str| if is_identifiers { line.split_once(',').unwrap().1.to_owned() } else { line.to_owned() };
            let mut rows: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(row).collect();
            rows.sort();
            tables.push((path.file_name().unwrap().to_str().unwrap().to_owned(), rows));
        }
    }
    tables.sort();
    tables
}

/// Ids of the records that changed after a cursor of the feed, and the cursor of its end.
async fn changed(editor: &Asker<'_>, since: Value) -> (BTreeSet<String>, Value) {
    let (mut ids, mut cursor) = (BTreeSet::new(), since);
    loop {
        let query =
            "query($since: String) { changes(since: $since, first: 100) { nodes { recordId } pageInfo { endCursor hasNextPage } } }";
        let page = editor.answer(query, json!({"since": cursor})).await["data"]["changes"].take();
        ids.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["recordId"].as_str().unwrap().to_owned()));
        if let end @ Value::String(_) = &page["pageInfo"]["endCursor"] {
            cursor = end.clone();
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return (ids, cursor);
        }
    }
}

/// Reverts each record that changed after a cursor of the feed to its first state.
async fn revert_all(editor: &Asker<'_>, since: Value) -> usize {
    let ids: Vec<String> = changed(editor, since).await.0.into_iter().collect();
    for ids in ids.chunks(REVERTS_PER_REQUEST) {
        let mut mutation = String::from("mutation {");
        for (index, id) in ids.iter().enumerate() {
            write!(mutation, " r{index}: revert(input: {{record: \"{id}\", toRevision: 1}}) {{ errors {{ message }} }}").unwrap();
        }
        let data = editor.data(&format!("{mutation} }}")).await;
        assert!(data.as_object().unwrap().values().all(|payload| payload["errors"] == json!([])), "{data}");
    }
    ids.len()
}

#[rstest]
#[case(On::Sqlite, 10_000)]
#[case(On::Postgres, 2_000)]
#[tokio::test(flavor = "multi_thread")]
async fn renamed_register_is_imported_pruned_and_reverted(#[case] on: On, #[case] people: usize) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("mapping.yaml", MAPPING);
    fixture.write_file("register.csv", register(people, Edition::First));
    let import = |flags: &[&str]| fixture.import(&[&["register.csv", "--mapping", "mapping.yaml", "--set", "register"], flags].concat());
    let (ok, stdout, stderr) = import(&[]);
    assert!(ok && stdout.contains(&format!("{people} created")), "{stdout}{stderr}");
    let before = tables(&fixture, "before");
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let (_, cursor) = changed(&editor, Value::Null).await;

    fixture.write_file("register.csv", register(people, Edition::Second));
    let (_, stdout, stderr) = import(&["--skip", "--prune", "delete", "--yes"]);
    let gone = (0..people).filter(|id| id % GONE_EVERY == 5).count();
    let wrong = (0..people).filter(|id| id % WRONG_EVERY == 1 && id % GONE_EVERY != 5).count();
    let renamed = (0..people).filter(|id| id % 2 == 0 && id % GONE_EVERY != 5 && id % WRONG_EVERY != 1).count();
    let all_renamed = (0..people).filter(|id| id % 2 == 0 && id % GONE_EVERY != 5).count();
    let wrong_and_renamed = all_renamed - renamed;
    assert!(stdout.contains(&format!("0 created, {renamed} updated")), "{stdout}{stderr}");
    let refused = fs::read_to_string(fixture.folder.path().join("register.refused.csv")).unwrap();
    assert_eq!(refused.lines().count(), 1 + wrong, "the rows that were refused, with their header");
    assert!(stderr.contains("nothing was pruned, because records were refused"), "{stderr}");
    let count = async || editor.data("{ people { totalCount } }").await["people"]["totalCount"].as_u64().unwrap();
    assert_eq!(count().await, people as u64);
    fixture.write_file("register.csv", register(people, Edition::Third));
    let (ok, stdout, stderr) = import(&["--prune", "delete", "--yes"]);
    assert!(ok && stdout.contains(&format!("0 created, {wrong_and_renamed} updated")), "{stdout}{stderr}");
    assert_eq!(count().await, (people - gone) as u64);
    assert_ne!(tables(&fixture, "between"), before);

    assert_eq!(revert_all(&editor, cursor).await, all_renamed + gone);
    for ((name, before), (_, after)) in before.iter().zip(tables(&fixture, "after")) {
        let differing: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).take(3).collect();
        assert!(*before == after, "{name}: {differing:#?}");
    }
}
