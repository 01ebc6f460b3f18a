//! Records that are refused: with `--skip`, the others are written; alike problems are counted; a dry run shows what would change.

use std::process::Output;

use kurultai::core::auth::Role;
use rstest::rstest;
use rust_xlsxwriter::Workbook;
use serde_json::json;

use super::ImportFixture;
use super::identity::{Door, import};
use crate::cli::command::kurultai;
use crate::server::On;

/// The exit code of an import that refused records.
const REFUSED: Option<i32> = Some(4);

/// Runs `kurultai import --skip` into the database or the server; returns the exit code, stdout and stderr.
async fn skip(fixture: &ImportFixture, door: Door, arguments: &[&str]) -> (Option<i32>, String, String) {
    let name = format!("editor-{}", fixture.server.store.tokens().await.unwrap().len());
    let (_, token) = fixture.server.store.create_token(&name, Role::Editor, None).await.unwrap();
    let target = match door {
        Door::Database => vec!["--database-url", fixture.server.database.url.as_str()],
        Door::Url | Door::Upload => vec!["--url", fixture.server.address.as_str(), "--token", token.as_str()],
    };
    let mut command = kurultai(&["import", "--skip"]);
    command.args(target).args(arguments).current_dir(fixture.folder.path());
    let Output { status, stdout, stderr } = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (status.code(), String::from_utf8(stdout).unwrap().trim().to_owned(), String::from_utf8(stderr).unwrap())
}

fn written(fixture: &ImportFixture, name: &str) -> String {
    std::fs::read_to_string(fixture.folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

async fn slugs(fixture: &ImportFixture) -> Vec<String> {
    let data = fixture.server.data("{ people(first: 100) { nodes { slug } } }").await;
    let nodes = data["people"]["nodes"].as_array().unwrap().iter();
    let mut slugs: Vec<String> = nodes.map(|node| node["slug"].as_str().unwrap().to_owned()).collect();
    slugs.sort();
    slugs
}

const MAPPING: &str = "type: person
separator: \";\"
encoding: windows-1251
header: 2
fields: {slug: id, name: {ru: name}, birthDate: born, topics: {column: topics, split: \",\"}}
";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_are_corrected_and_imported(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.server.import("topics: [{slug: t, label: {en: T}}]").await.unwrap();
    fixture.write_file("m.yaml", MAPPING);
    let rows = b"list of people\nid;name;born;topics\na;\xC0;1970;t\nb;\xC1;yesterday;\nc;\xC2;1970;\"t,gone\"\nd;\xC3\n";
    fixture.write_file("p.csv", rows);
    let (code, stdout, stderr) = skip(&fixture, door, &["p.csv", "--mapping", "m.yaml", "--dry-run"]).await;
    assert_eq!(code, REFUSED, "{stdout}{stderr}");
    assert!(stdout.starts_with("Nothing was written. Records: 1 would be created, 0 updated, 0 unchanged; 3 refused"), "{stdout}{stderr}");
    assert!(slugs(&fixture).await.is_empty());
    let (code, stdout, stderr) = skip(&fixture, door, &["p.csv", "--mapping", "m.yaml"]).await;
    assert_eq!((code, stdout.as_str()), (REFUSED, "Records: 1 created, 0 updated, 0 unchanged; 3 refused"), "{stderr}");
    for expected in [
        "p.csv:4: person.birthDate (column born): \"yesterday\" is not a date",
        "p.csv:5: person",
        "there is no topic with the slug \"gone\"",
        "p.csv:6: the row has 2 cells but the header has 4",
        "p.csv: 3 refused rows are in ./p.refused-2.csv; correct and import it",
    ] {
        assert!(stderr.contains(expected), "{expected}\n{stderr}");
    }
    assert_eq!(slugs(&fixture).await, ["a"]);
    let refused = written(&fixture, "p.refused-2.csv");
    assert_eq!(refused, "\u{feff}\nid;name;born;topics\nb;Б;yesterday;\nc;В;1970;t,gone\nd;Г\n");
    assert_eq!(refused, written(&fixture, "p.refused.csv"));
    fixture.write_file("p.refused.csv", refused.replace("yesterday", "1971").replace(",gone", "").replace("d;Г", "d;Г;;"));
    let (code, stdout, stderr) = skip(&fixture, door, &["p.refused.csv", "--mapping", "m.yaml"]).await;
    assert_eq!((code, stdout.as_str()), (Some(0), "Records: 3 created, 0 updated, 0 unchanged"), "{stderr}");
    assert_eq!(slugs(&fixture).await, ["a", "b", "c", "d"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_record_are_refused_together(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let people: Vec<String> = ["a", "b"].iter().map(|slug| format!("{{slug: {slug}, name: {{en: P}}}}")).collect();
    fixture.server.import(&format!("people: [{}]", people.join(", "))).await.unwrap();
    let mapping = "type: voteEvent\nkey: Division\nfields:\n  slug: {template: \"d {Division}\", slug: true}\n  motion: {en: Motion}\n  result: {constant: pass}\n  votes: [{person: Member, option: Vote}]\n";
    fixture.write_file("m.yaml", mapping);
    fixture.write_file("v.csv", "Division,Motion,Member,Vote\n1,M,a,yes\n2,N,a,yes\n1,M,b,no\n2,N,b,perhaps\n3,O,nobody,yes\n3,O,a,yes\n");
    let (code, stdout, stderr) = skip(&fixture, door, &["v.csv", "--mapping", "m.yaml"]).await;
    assert_eq!((code, stdout.as_str()), (REFUSED, "Records: 1 created, 0 updated, 0 unchanged; 2 refused"), "{stderr}");
    let expected = "Division,Motion,Member,Vote\n2,N,a,yes\n2,N,b,perhaps\n3,O,nobody,yes\n3,O,a,yes\n";
    assert_eq!(written(&fixture, "v.refused.csv"), expected);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn refused_items_keep_the_format_of_their_file(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let yaml = "topics:\n- {slug: t, label: {en: T}}\npeople:\n- {slug: y-a, name: {en: A}}\n- {slug: y-b, name: {en: B}, birthDate: never, image: null}\n- {slug: y-c, name: {en: C}, topics: [gone]}\n";
    fixture.write_file("y.yaml", yaml);
    fixture
        .write_file("j.json", r#"{"people": [{"slug": "j-a", "name": {"en": "A"}}, {"slug": "j-b", "name": {"en": "B"}, "gender": []}]}"#);
    fixture.write_file("n.ndjson", "{\"person\": {\"slug\": \"n-a\", \"name\": {\"en\": \"A\"}}}\n\n{\"person\": {\"slug\": 1}}\n[\n");
    let popolo = json!({"persons": [{"id": "a", "name": "Pa"}, {"id": "b", "name": "Pb", "birth_date": "never"}], "posts": [{"id": "x", "label": "X"}]});
    fixture.write_file("p.popolo.json", popolo.to_string());
    let (code, stdout, stderr) = skip(&fixture, door, &["y.yaml", "j.json", "n.ndjson"]).await;
    assert_eq!((code, stdout.as_str()), (REFUSED, "Records: 4 created, 0 updated, 0 unchanged; 5 refused"), "{stderr}");
    let (code, stdout, stderr) = skip(&fixture, door, &["p.popolo.json", "--scheme", "register"]).await;
    assert_eq!((code, stdout.as_str()), (REFUSED, "Records: 1 created, 0 updated, 0 unchanged; 1 refused"), "{stderr}");
    assert_eq!(slugs(&fixture).await, ["j-a", "n-a", "pa", "y-a"]);
    let expected = "people:\n  - slug: \"y-b\"\n    name:\n      en: \"B\"\n    birthDate: \"never\"\n    image: null\n  - slug: \"y-c\"\n    name:\n      en: \"C\"\n    topics:\n      - \"gone\"\n";
    assert_eq!(written(&fixture, "y.refused.yaml"), expected);
    let parsed = |name: &str| serde_json::from_str::<serde_json::Value>(&written(&fixture, name)).unwrap();
    assert_eq!(parsed("j.refused.json"), json!({"people": [{"slug": "j-b", "name": {"en": "B"}, "gender": []}]}));
    assert_eq!(written(&fixture, "n.refused.ndjson"), "{\"person\": {\"slug\": 1}}\n[\n");
    let expected = json!({"persons": [{"id": "b", "name": "Pb", "birth_date": "never"}], "posts": [{"id": "x", "label": "X"}]});
    assert_eq!(parsed("p.refused.popolo.json"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_of_a_workbook_are_a_workbook() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Data").unwrap();
    for (row, cells) in (0..).zip([["id", "n"], ["a", "1"], ["b", "x"], ["c", "2"], ["d", "y"]]) {
        for (column, cell) in (0..).zip(cells) {
            match cell.parse::<f64>() {
                Ok(number) => sheet.write(row, column, number).unwrap(),
                Err(_) => sheet.write(row, column, cell).unwrap(),
            };
        }
    }
    fixture.write_file("t.xlsx", workbook.save_to_buffer().unwrap());
    let mapping = "type: statistic\nsheet: Data\nfields: {slug: id, value: n, measure: {en: id}, unit: {constant: u}}\n";
    fixture.write_file("m.yaml", mapping);
    let (code, stdout, stderr) = skip(&fixture, Door::Database, &["t.xlsx", "--mapping", "m.yaml"]).await;
    assert_eq!((code, stdout.as_str()), (REFUSED, "Records: 2 created, 0 updated, 0 unchanged; 2 refused"), "{stderr}");
    let error = fixture.import_err(&["t.refused.xlsx", "--mapping", "m.yaml"]);
    for expected in
        ["2 problems", "t.refused.xlsx:2: statistic.value (column n): \"x\"", "t.refused.xlsx:3: statistic.value (column n): \"y\""]
    {
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_cannot_be_read_is_not_skipped() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.yaml", "people: [{slug: a, name: {en: A}}]");
    fixture.write_file("b.yaml", "people: [");
    fixture.write_file("m.yaml", "type: person\nfields: {slug: id}\n");
    fixture.write_file("c.csv", "id\na\n\"b");
    for arguments in [vec!["a.yaml", "b.yaml"], vec!["a.yaml", "c.csv", "--mapping", "m.yaml"]] {
        let (code, stdout, stderr) = skip(&fixture, Door::Database, &arguments).await;
        assert_eq!(code, Some(3), "{stdout}{stderr}");
        assert!(stderr.contains("1 problem; nothing was written"), "{stderr}");
    }
    assert!(slugs(&fixture).await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn alike_problems_are_counted(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let rows: String = (0..376).map(|index| format!("p{index},{index}.x\n")).collect();
    fixture.write_file("p.csv", format!("id,born\n{rows}q,1970\nr r,1970\n"));
    fixture.write_file("m.yaml", "type: person\nfields: {slug: id, name: {en: id}, birthDate: born}\n");
    let output = import(&fixture, door, "p.csv", None, Some("m.yaml")).await;
    let count = output.matches("is not a date such as").count();
    assert_eq!(count, 5, "{output}");
    let more = "p.csv: person.birthDate (column born): 371 more problems like these, on lines 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, ...";
    assert!(output.contains(more), "{output}");
    assert!(output.contains("p.csv:379: person.slug (column id):"), "{output}");
    assert!(matches!(door, Door::Upload) || output.contains("377 problems; nothing was written"), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn dry_run_counts_types_and_names_changes(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let (_, token) = fixture.server.store.create_token("editor", Role::Editor, None).await.unwrap();
    let target = match door {
        Door::Database => vec![],
        Door::Url | Door::Upload => vec!["--url", fixture.server.address.as_str(), "--token", token.as_str()],
    };
    let import_ok = |arguments: &[&str]| fixture.import_ok(&[arguments, &target].concat());
    let people =
        |born: u32| (0..23).map(|index| format!("- {{slug: p{index:02}, name: {{en: P}}, birthDate: \"{born}\"}}\n")).collect::<String>();
    fixture.write_file("a.yaml", format!("topics: [{{slug: t, label: {{en: T}}}}]\npeople:\n{}", people(1970)));
    let created = import_ok(&["a.yaml", "--dry-run"]);
    assert_eq!(
        created,
        "Nothing was written. Records: 24 would be created, 0 updated, 0 unchanged\npeople: 23 created, 0 updated, 0 unchanged\ntopics: 1 created, 0 updated, 0 unchanged"
    );
    import_ok(&["a.yaml"]);
    fixture
        .write_file("a.yaml", format!("topics: [{{slug: t, label: {{en: T}}}}, {{slug: u, label: {{en: U}}}}]\npeople:\n{}", people(1971)));
    let output = import_ok(&["a.yaml", "--dry-run"]);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 24, "{output}");
    assert_eq!(lines[0], "Nothing was written. Records: 1 would be created, 23 updated, 1 unchanged");
    assert_eq!(lines[1], "people: 0 created, 23 updated, 0 unchanged");
    assert_eq!(lines[2], "  p00: birthDate");
    assert_eq!(lines[22], "  and 3 more");
    assert_eq!(lines[23], "topics: 1 created, 0 updated, 1 unchanged");
    assert_eq!(import_ok(&["a.yaml"]), "Records: 1 created, 23 updated, 1 unchanged");
}

/// A JSON file often is one line, as programs write it.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn problem_names_its_record_if_the_line_has_several(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let person = |slug: &str, born: &str, topic: &str| json!({"slug": slug, "name": {"en": slug}, "birthDate": born, "topics": [topic]});
    fixture.write_file("t.yaml", "topics: [{slug: t, label: {en: T}}]");
    fixture.import_ok(&["t.yaml"]);
    let people = json!({"people": [person("anna", "1970", "t"), person("boris", "never", "t")]});
    fixture.write_file("a.json", people.to_string());
    let output = import(&fixture, door, "a.json", None, None).await.replace('\\', "");
    assert!(
        output.contains("a.json:1: people[1].birthDate: \"never\" is not a date") && output.contains("; the record is \"boris\""),
        "{output}"
    );
    let people = json!({"people": [person("anna", "1970", "t"), person("boris", "1970", "gone")]});
    fixture.write_file("b.json", people.to_string());
    let output = import(&fixture, door, "b.json", None, None).await.replace('\\', "");
    assert!(
        output.contains("b.json:1: people[1]") && output.contains("\"gone\"") && output.contains("; the record is \"boris\""),
        "{output}"
    );
    // on lines of their own, the line says which one it is
    fixture.write_file("c.json", serde_json::to_string_pretty(&people).unwrap());
    let output = import(&fixture, door, "c.json", None, None).await.replace('\\', "");
    assert!(output.contains("c.json:") && output.contains("\"gone\"") && !output.contains("; the record is"), "{output}");
}

/// A charge without an outcome, an unknown party and an unknown topic, which only the database can tell.
const CASES: &str = "topics: [{slug: t, label: {en: T}}]
cases:
- {slug: a, title: {en: A}, kind: civil, status: pending}
- slug: b
  title: {en: B}
  kind: civil
  status: pending
  parties:
  - {key: p, role: defendant}
  charges:
  - {key: x, party: p, outcome: pending}
  - key: y
    party: p
- slug: c
  title: {en: C}
  kind: civil
  topics: [t, gone]
  status: pending
  parties: [{key: p, role: defendant, citations: [{source: nowhere}]}]
- {slug: d, title: {en: D}, kind: civil, status: pending, events: [{key: e}]}
";

/// Problems that a server finds are those of a local import, at the same places.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn server_and_database_find_the_same_problems(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("cases.yaml", CASES);
    fixture.write_file("cases.csv", "slug;title;topic\na;A;\nb;B;gone\n");
    fixture.write_file(
        "m.yaml",
        "type: case\nseparator: \";\"\nfields: {slug: slug, title: {en: title}, kind: {constant: civil}, topics: {column: topic, split: \",\"}}\n",
    );
    for arguments in [&["cases.yaml"][..], &["cases.csv", "--mapping", "m.yaml"]] {
        let name = format!("editor-{}", fixture.server.store.tokens().await.unwrap().len());
        let (_, token) = fixture.server.store.create_token(&name, Role::Editor, None).await.unwrap();
        let local = fixture.import_err(arguments);
        let remote = fixture.import_err(&[arguments, &["--url", &fixture.server.address, "--token", &token]].concat());
        assert_eq!(local, remote);
        assert!(
            arguments.len() > 1 || local.contains("cases.yaml:12: cases[1].charges[1].outcome: outcome is missing; every charge has one"),
            "{local}"
        );
    }
    let mut refused = Vec::new();
    for door in [Door::Database, Door::Url] {
        let (code, stdout, stderr) = skip(&fixture, door, &["cases.yaml", "--dry-run"]).await;
        assert_eq!(code, REFUSED, "{stdout}{stderr}");
        refused.push((stdout, stderr.replace("-2.yaml", ".yaml")));
    }
    assert_eq!(refused[0], refused[1]);
    assert!(refused[0].0.contains("2 would be created, 0 updated, 0 unchanged; 3 refused"), "{refused:?}");
    assert_eq!(written(&fixture, "cases.refused.yaml"), written(&fixture, "cases.refused-2.yaml"));
    // a stored part has what the file does not give
    fixture.write_file(
        "stored.yaml",
        "cases: [{slug: a, title: {en: A}, kind: civil, status: pending, parties: [{key: p, role: defendant}]}]",
    );
    fixture.import_ok(&["stored.yaml"]);
    fixture.write_file("stored.yaml", "cases: [{slug: a, parties: [{key: p, description: {en: P}}]}]");
    let output = import(&fixture, Door::Url, "stored.yaml", None, None).await;
    assert!(output.contains("1 updated"), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn alike_warnings_and_notes_are_counted(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let names = ["Anna Berik", "Boris Chen", "Clara Dietz", "Daniyar Esen", "Farida Gani", "Hamid Iskak", "Jamila Kozha", "Lev Marat"];
    let file = |shift: usize| {
        let person = |index: usize| format!("- {{slug: p{index}, name: {{en: {}}}}}\n", names[(index + shift) % names.len()]);
        format!("people:\n{}", (0..names.len()).map(person).collect::<String>())
    };
    fixture.write_file("a.yaml", file(0));
    import(&fixture, door, "a.yaml", None, None).await;
    fixture.write_file("a.yaml", file(1));
    let output = import(&fixture, door, "a.yaml", None, None).await;
    assert_eq!(output.matches("the name changes wholly").count(), 5, "{output}");
    assert!(output.contains("a.yaml: people.name: 3 more warnings like these, on lines 7, 8, 9"), "{output}");
    // notes on items
    let persons: Vec<_> = (0..9).map(|index| json!({"id": index.to_string(), "name": names[index % names.len()]})).collect();
    let memberships: Vec<_> = (0..9).map(|index| json!({"person_id": index.to_string()})).collect();
    fixture.write_file("m.popolo.json", json!({"persons": persons, "memberships": memberships}).to_string());
    let output = import(&fixture, door, "m.popolo.json", Some("s"), None).await;
    assert_eq!(output.matches("the membership has no organization and is omitted").count(), 5, "{output}");
    assert!(output.contains("4 more notes like these"), "{output}");
}
