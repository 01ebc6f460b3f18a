//! Own formats: YAML, JSON, one record a line; files, folders and standard input; batches.

use std::fmt::Write;
use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::Desk;
use crate::command::kurultai;
use crate::server::On;

const LINES: &str = "{\"person\": {\"slug\": \"a\", \"name\": {\"en\": \"A\"}, \"birthDate\": \"1970\"}}\n\n{\"topic\": {\"slug\": \"t\", \"label\": {\"en\": \"T\"}}}\n";

/// People in a tree: each refers to a topic, and each topic but the first to the one before it, which comes later in the file.
fn many(count: usize) -> String {
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
async fn records_are_read_line_by_line_from_a_file_a_folder_and_standard_input(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    desk.file("a.ndjson", format!("\u{FEFF}{LINES}"));
    assert_eq!(desk.imported(&["a.ndjson"]), "Records: 2 created, 0 updated, 0 unchanged");
    desk.file("b.json", "{\"people\": [{\"slug\": \"b\", \"name\": {\"en\": \"B\"}}]}");
    desk.file("c.yml", "people: [{slug: c, name: {en: C}}]");
    desk.file("d.jsonl", "{\"person\": {\"slug\": \"d\", \"name\": {\"en\": \"D\"}}}");
    desk.file("people.csv", "slug\ne\n");
    desk.file("notes.txt", "nothing");
    assert_eq!(desk.imported(&["."]), "Records: 3 created, 0 updated, 2 unchanged");
    let (ok, said, error) = desk.piped(&["--format", "ndjson"], LINES);
    assert!(ok && said.trim() == "Records: 0 created, 0 updated, 2 unchanged", "{said}{error}");
    let (ok, said, error) = desk.piped(&["--format", "yaml"], "people: [{slug: e, name: {en: E}}]");
    assert!(ok && said.trim() == "Records: 1 created, 0 updated, 0 unchanged", "{said}{error}");
    let (ok, _, error) = desk.piped(&[], LINES);
    assert!(!ok && error.contains("standard input has no name that tells its format; say it, such as --format ndjson"), "{error}");
    let people = desk.server.data("{ people { nodes { slug } } }").await;
    assert_eq!(people["people"]["nodes"], json!([{"slug": "a"}, {"slug": "b"}, {"slug": "c"}, {"slug": "d"}, {"slug": "e"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_that_is_wrong_is_told_by_its_number() {
    let desk = Desk::new(On::Sqlite).await;
    desk.file("a.ndjson", "{\"person\": {\"slug\": \"a\", \"nmae\": 1}}\n{\"person\": \n[]\n{\"people\": {}}\n{\"martian\": {}}\n{\"person\": {}, \"topic\": {}}\n{\"person\": {\"slug\": \"a\", \"slug\": \"b\"}}\n");
    let error = desk.refused(&["a.ndjson"]);
    for expected in [
        "6 problems; nothing was written",
        "a.ndjson:1: person.nmae: a person has no \"nmae\"; did you mean name?",
        "a.ndjson:2: this is not JSON: EOF while parsing a value",
        "a.ndjson:3: this is a list; a line is a map from the type of a record to the record, such as {\"person\": {...}}",
        "a.ndjson:4: a line holds one record under the name of its type; write person instead of people",
        "a.ndjson:5: \"martian\" is no type of record; there are jurisdiction, organization, person",
        "a.ndjson:6: there are 2 entries; a line is a map of one entry",
    ] {
        assert!(error.contains(expected) || expected.starts_with("6"), "expected {expected}\n{error}");
    }
    assert!(error.contains("7 problems") && error.contains("a.ndjson:7: this is not JSON: the key \"slug\" is given twice"), "{error}");
    desk.file("b.ndjson", b"{\"person\": {\"slug\": \"a\"}}\n{\"person\": {\"slug\": \"\xcf\xf0\"}}\n");
    assert!(desk.refused(&["b.ndjson"]).contains("b.ndjson:2: this is not UTF-8; convert the file first"));
    desk.file("c.data", "");
    assert!(desk.refused(&["c.data"]).contains("c.data: the name does not tell the format; say it, such as --format yaml"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_records_are_written_in_batches_and_a_problem_anywhere_stops_all(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    let lines = many(60);
    desk.file(
        "wrong.ndjson",
        format!("{lines}{{\"person\": {{\"slug\": \"x\", \"name\": {{\"en\": \"X\"}}, \"topics\": [\"nowhere\"]}}}}"),
    );
    let error = desk.refused(&["wrong.ndjson", "--batch", "7"]);
    assert!(
        error.contains("1 problem; nothing was written\nwrong.ndjson:121: person.topics[0]: there is no topic with the slug \"nowhere\""),
        "{error}"
    );
    desk.file("many.ndjson", &lines);
    let said = desk.imported(&["many.ndjson", "--batch", "7", "--dry-run"]);
    assert_eq!(said, "Nothing was written. Records: 120 would be created, 0 updated, 0 unchanged");
    assert_eq!(desk.server.data("{ revisions { totalCount } }").await["revisions"]["totalCount"], 0);
    assert_eq!(desk.imported(&["many.ndjson", "--batch", "7"]), "Records: 120 created, 0 updated, 0 unchanged");
    assert_eq!(desk.imported(&["many.ndjson", "--batch", "50"]), "Records: 0 created, 0 updated, 120 unchanged");
    let data = desk.server.data("{ person(by: {slug: \"p59\"}) { topics { nodes { slug broader { slug } } } } revisions { totalCount number: nodes { number } } }").await;
    assert_eq!(data["person"]["topics"]["nodes"], json!([{"slug": "t59", "broader": {"slug": "t58"}}]));
    assert_eq!(data["revisions"]["totalCount"], 120);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_told_to_stop_ends_after_a_batch_and_goes_on_the_next_time(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    let lines = many(1000);
    desk.file("many.ndjson", &lines);
    let mut command = kurultai(&["import", "many.ndjson", "--batch", "20", "--database-url", &desk.server.database.url]);
    let child = command.current_dir(desk.folder.path()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while desk.server.store.generation().await.is_none() || written(&desk).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    let done = error.split("interrupted after ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse::<u64>().unwrap();
    assert!(error.contains("of 2000 records; run the same command again to continue"), "{error}");
    assert!(done % 20 == 0 && done < 2000, "{done}");
    assert_eq!(written(&desk).await, done);
    let said = desk.imported(&["many.ndjson", "--batch", "500"]);
    assert_eq!(said, format!("Records: {} created, 0 updated, {done} unchanged", 2000 - done));
}

async fn written(desk: &Desk) -> u64 {
    use migration::sea_orm::{ConnectionTrait, Statement};
    let raw = desk.server.database.raw().await;
    let count = Statement::from_string(raw.get_database_backend(), "SELECT count(*) FROM revisions".to_owned());
    let row = raw.query_one_raw(count).await.unwrap().unwrap();
    u64::try_from(row.try_get_by_index::<i64>(0).unwrap()).unwrap()
}
