//! YAML, JSON and NDJSON from files, folders and standard input, written in batches.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::ImportFixture;
use super::identity::{Door, import};
use crate::cli::command::kurultai;
use crate::server::On;

const LINES: &str = "{\"person\": {\"slug\": \"a\", \"name\": {\"en\": \"A\"}, \"birthDate\": \"1970\"}}\n\n{\"topic\": {\"slug\": \"t\", \"label\": {\"en\": \"T\"}}}\n";

/// People and topics in reverse order: each person refers to a topic, and each topic to the one that follows it in the file.
fn linked_records(count: usize) -> String {
    let mut lines = String::new();
    for index in (0..count).rev() {
        let before = index.checked_sub(1).map_or(String::new(), |before| format!(", \"broader\": \"t{before}\""));
        writeln!(lines, "{{\"person\": {{\"slug\": \"p{index}\", \"name\": {{\"en\": \"Person {index}\"}}, \"topics\": [\"t{index}\"]}}}}")
            .unwrap();
        writeln!(lines, "{{\"topic\": {{\"slug\": \"t{index}\", \"label\": {{\"en\": \"Topic {index}\"}}{before}}}}}").unwrap();
    }
    lines
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn files_folders_and_standard_input_are_read(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("a.ndjson", format!("\u{FEFF}{LINES}"));
    assert_eq!(fixture.import_ok(&["a.ndjson"]), "Records: 2 created, 0 updated, 0 unchanged");
    fixture.write_file("b.json", "{\"people\": [{\"slug\": \"b\", \"name\": {\"en\": \"B\"}}]}");
    fixture.write_file("c.yml", "people: [{slug: c, name: {en: C}}]");
    fixture.write_file("d.jsonl", "{\"person\": {\"slug\": \"d\", \"name\": {\"en\": \"D\"}}}");
    fixture.write_file("people.csv", "slug\ne\n");
    fixture.write_file("notes.txt", "nothing");
    assert_eq!(fixture.import_ok(&["."]), "Records: 3 created, 0 updated, 2 unchanged");
    let (ok, stdout, stderr) = fixture.import_stdin(&["--format", "ndjson"], LINES);
    assert!(ok && stdout.trim() == "Records: 0 created, 0 updated, 2 unchanged", "{stdout}{stderr}");
    let (ok, stdout, stderr) = fixture.import_stdin(&["--format", "yaml"], "people: [{slug: e, name: {en: E}}]");
    assert!(ok && stdout.trim() == "Records: 1 created, 0 updated, 0 unchanged", "{stdout}{stderr}");
    let (ok, _, stderr) = fixture.import_stdin(&[], LINES);
    assert!(!ok && stderr.contains("standard input requires an explicit format; specify it, such as --format ndjson"), "{stderr}");
    let people = fixture.server.data("{ people { nodes { slug } } }").await;
    assert_eq!(people["people"]["nodes"], json!([{"slug": "a"}, {"slug": "b"}, {"slug": "c"}, {"slug": "d"}, {"slug": "e"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_invalid_line_is_reported_by_number() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.ndjson", "{\"person\": {\"slug\": \"a\", \"nmae\": 1}}\n{\"person\": \n[]\n{\"people\": {}}\n{\"martian\": {}}\n{\"person\": {}, \"topic\": {}}\n{\"person\": {\"slug\": \"a\", \"slug\": \"b\"}}\n");
    let error = fixture.import_err(&["a.ndjson"]);
    for expected in [
        "7 problems; nothing was written",
        "a.ndjson:1: person.nmae: a person has no \"nmae\"; did you mean name?",
        "a.ndjson:2: invalid JSON: EOF while parsing a value",
        "a.ndjson:3: expected an object of one entry, from the record type to the record, such as {\"person\": {...}}; found a list",
        "a.ndjson:4: a line contains one record under its type; write person instead of people",
        "a.ndjson:5: unknown record type \"martian\"; expected one of jurisdiction, organization, person",
        "a.ndjson:6: expected an object of one entry, from the record type to the record, such as {\"person\": {...}}; found 2 entries",
        "a.ndjson:7: invalid JSON: duplicate key \"slug\"",
    ] {
        assert!(error.contains(expected), "expected {expected}\n{error}");
    }
    fixture.write_file("b.ndjson", b"{\"person\": {\"slug\": \"a\"}}\n{\"person\": {\"slug\": \"\xcf\xf0\"}}\n");
    assert!(fixture.import_err(&["b.ndjson"]).contains("b.ndjson:2: not valid UTF-8; the file looks like "));
    fixture.write_file("c.data", "");
    assert!(fixture.import_err(&["c.data"]).contains("c.data: unknown file extension; expected .yaml, .yml, "));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn batches_are_written_only_if_all_records_are_valid(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let lines = linked_records(60);
    fixture.write_file(
        "wrong.ndjson",
        format!("{lines}{{\"person\": {{\"slug\": \"x\", \"name\": {{\"en\": \"X\"}}, \"topics\": [\"nowhere\"]}}}}"),
    );
    let error = fixture.import_err(&["wrong.ndjson", "--batch", "7"]);
    assert!(
        error.contains("1 problem; nothing was written\nwrong.ndjson:121: person.topics[0]: there is no topic with the slug \"nowhere\""),
        "{error}"
    );
    fixture.write_file("many.ndjson", &lines);
    let stdout = fixture.import_ok(&["many.ndjson", "--batch", "7", "--dry-run"]);
    assert_eq!(
        stdout,
        "Nothing was written. Records: 120 would be created, 0 updated, 0 unchanged\n\
         people: 60 created, 0 updated, 0 unchanged\n\
         topics: 60 created, 0 updated, 0 unchanged"
    );
    assert_eq!(fixture.server.data("{ revisions { totalCount } }").await["revisions"]["totalCount"], 0);
    assert_eq!(fixture.import_ok(&["many.ndjson", "--batch", "7"]), "Records: 120 created, 0 updated, 0 unchanged");
    assert_eq!(fixture.import_ok(&["many.ndjson", "--batch", "50"]), "Records: 0 created, 0 updated, 120 unchanged");
    let data = fixture.server.data("{ person(by: {slug: \"p59\"}) { topics { nodes { slug broader { slug } } } } revisions { totalCount number: nodes { number } } }").await;
    assert_eq!(data["person"]["topics"]["nodes"], json!([{"slug": "t59", "broader": {"slug": "t58"}}]));
    assert_eq!(data["revisions"]["totalCount"], 120);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_import_ends_after_a_batch_and_resumes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let lines = linked_records(1000);
    fixture.write_file("many.ndjson", &lines);
    let mut command = kurultai(&["import", "many.ndjson", "--batch", "20", "--database-url", &fixture.server.database.url]);
    let child = command.current_dir(fixture.folder.path()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while fixture.server.store.generation().await.is_none() || revision_count(&fixture).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    let done = error.split("interrupted after ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse::<u64>().unwrap();
    assert!(error.contains("of 2000 records; run the same command again to continue"), "{error}");
    assert!(done % 20 == 0 && done < 2000, "{done}");
    assert_eq!(revision_count(&fixture).await, done);
    let stdout = fixture.import_ok(&["many.ndjson", "--batch", "500"]);
    assert_eq!(stdout, format!("Records: {} created, 0 updated, {done} unchanged", 2000 - done));
}

async fn revision_count(fixture: &ImportFixture) -> u64 {
    use migration::sea_orm::{ConnectionTrait, Statement};
    let raw = fixture.server.database.raw().await;
    let count = Statement::from_string(raw.get_database_backend(), "SELECT count(*) FROM revisions".to_owned());
    let row = raw.query_one_raw(count).await.unwrap().unwrap();
    u64::try_from(row.try_get_by_index::<i64>(0).unwrap()).unwrap()
}

/// A file without records is read, and a note says so: it may be a download that failed.
#[rstest]
#[case("a.yaml", "")]
#[case("a.yaml", "people: []\n")]
#[case("a.json", "null")]
#[case("a.json", "{}")]
#[case("a.json", "[]")]
#[case("a.ndjson", "\n \n")]
#[case("a.csv", "id\n")]
#[tokio::test(flavor = "multi_thread")]
async fn file_without_records_is_noted(
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[case] name: &str,
    #[case] text: &str,
) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file(name, text);
    fixture.write_file("m.yaml", "type: person\nfields: {slug: id, name: {en: id}}\n");
    let mapping = Path::new(name).extension().is_some_and(|extension| extension == "csv").then_some("m.yaml");
    let output = import(&fixture, door, name, Some("parl"), mapping).await;
    assert!(output.contains(&format!("{name}: the file has no records")), "{door:?} {output}");
}

/// What is wrong with a file is reported with its line and column, through every interface.
#[rstest]
#[case("a.json", b"{\"people\":[{\"slug\":\"a\",\"slug\":\"b\"}]}", "a.json:1: invalid JSON: duplicate key \"slug\" (column 30)")]
#[case("a.json", b"{\"people\":\n[,]}", "a.json:2: invalid JSON: expected value (column 2)")]
#[case("a.ndjson", b"\n{\"person\": {}} x\n", "a.ndjson:2: invalid JSON: trailing characters (column 16)")]
#[case("a.yaml", b"people:\n- slug: a\n  slug: b\n", "a.yaml:3: invalid YAML: duplicate key \"slug\" (column 3)")]
#[case(
    "a.yaml",
    b"people: [{slug: a, name: {en: |\n A\n}}]\n",
    "a.yaml:1: invalid YAML: a text cannot begin with | here; write it in quotes (column 31)"
)]
#[case("a.yaml", b"people:\n- {slug: a, name: *n}\n", "a.yaml:2: invalid YAML: while parsing node, found unknown anchor (column 19)")]
#[case("a.yaml", b"\xff\xfe\0\0p\0\0\0", "a.yaml:1: the file is UTF-32, which is not read; save it as UTF-8")]
#[case("a.json", b"\0\0\xfe\xff\0\0\0{", "a.json:1: the file is UTF-32, which is not read; save it as UTF-8")]
#[case("a.csv", b"", "m.yaml:2: fields.slug (column 10): a.csv has no column \"id\": line 1, on which its header should be, is empty")]
#[case("a.csv", b"\xef\xbb\xbf", "a.csv has no column \"id\": line 1, on which its header should be, is empty")]
#[case("a.csv", b"id,id\na,b\n", "duplicate column \"id\" in a.csv: columns 1 and 2 have this name; rename one of them")]
#[tokio::test(flavor = "multi_thread")]
async fn damaged_file_is_refused_with_its_place(
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[case] name: &str,
    #[case] bytes: &[u8],
    #[case] expected: &str,
) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file(name, bytes);
    fixture.write_file("m.yaml", "type: person\nfields: {slug: id, name: {en: id}}\n");
    let mapping = Path::new(name).extension().is_some_and(|extension| extension == "csv").then_some("m.yaml");
    let output = import(&fixture, door, name, None, mapping).await.replace("\\\"", "\"");
    assert!(output.contains(expected), "{door:?} {expected}\n{output}");
    assert!(!output.contains("1 created") || output.contains("-1 created"), "{door:?} {output}");
}
