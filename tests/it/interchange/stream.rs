//! `--stream`: records are written while the files are read, all of them or none.

use std::fmt::Write as _;

use rstest::rstest;

use super::ImportFixture;
use crate::server::On;

const MAPPING: &str = "
type: voteEvent
key: event
sorted: true
fields:
  slug: vote-{event}
  motion: {en: motion}
  result: {constant: pass}
  votes:
    - {key: voter, person: voter, option: option}
";

/// Votes of people in events, one row each.
fn votes(events: usize, voters: usize) -> String {
    let mut text = String::from("event,motion,voter,option\n");
    for event in 0..events {
        for voter in 0..voters {
            writeln!(text, "{event},Motion {event},voter-{voter},{}", if voter % 2 == 0 { "yes" } else { "no" }).unwrap();
        }
    }
    text
}

fn people(count: usize) -> String {
    (0..count).fold(String::new(), |text, number| {
        text + &format!("{{\"person\": {{\"slug\": \"voter-{number}\", \"name\": {{\"en\": \"Voter {number}\"}}}}}}\n")
    })
}

async fn count(fixture: &ImportFixture, list: &str) -> u64 {
    fixture.server.data(&format!("{{ {list} {{ totalCount }} }}")).await[list]["totalCount"].as_u64().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn streamed_records_are_as_those_of_an_import(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("people.ndjson", people(25));
    fixture.write_file("votes.csv", votes(7, 25));
    fixture.write_file("mapping.yaml", MAPPING);
    let stream = |file: &'static str, more: &[&'static str]| fixture.import_ok(&[&[file, "--stream", "--batch", "3"], more].concat());
    assert_eq!(
        stream("people.ndjson", &["--dry-run"]).lines().next(),
        Some("Nothing was written. Records: 25 would be created, 0 updated, 0 unchanged")
    );
    assert_eq!(count(&fixture, "people").await, 0);
    assert_eq!(stream("people.ndjson", &[]), "Records: 25 created, 0 updated, 0 unchanged");
    let mapping = ["--mapping", "mapping.yaml"];
    assert_eq!(stream("votes.csv", &mapping), "Records: 7 created, 0 updated, 0 unchanged");
    assert_eq!(stream("votes.csv", &mapping), "Records: 0 created, 0 updated, 7 unchanged");
    let votes = fixture.server.data("{ voteEvent(by: {slug: \"vote-6\"}) { votes { totalCount } } }").await;
    assert_eq!(votes["voteEvent"]["votes"]["totalCount"], 25);
    // an import that is not streamed finds nothing to change
    assert_eq!(fixture.import_ok(&["votes.csv", "--mapping", "mapping.yaml"]), "Records: 0 created, 0 updated, 7 unchanged");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn problem_of_a_late_batch_rolls_all_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let line = |number: usize, text: &str| {
        people(40).lines().enumerate().map(|(index, old)| if index == number { text } else { old }.to_owned() + "\n").collect::<String>()
    };
    for (number, text, message) in [
        (30, r#"{"person": {"slug": "voter-x", "name": {"en": "X"}, "birthDate": "yesterday"}}"#, "people.ndjson:31: person.birthDate"),
        (
            30,
            r#"{"person": {"slug": "voter-0", "name": {"en": "Zero"}}}"#,
            "people.ndjson:31: person: this is the record that is given at people.ndjson:1 already",
        ),
        (
            30,
            r#"{"person": {"slug": "voter-x", "name": {"en": "X"}, "topics": ["nowhere"]}}"#,
            "there is no topic with the slug \"nowhere\"",
        ),
        (30, "{", "people.ndjson:31"),
        (39, "{", "people.ndjson:40"),
    ] {
        fixture.write_file("people.ndjson", line(number, text));
        let stderr = fixture.import_err(&["people.ndjson", "--stream", "--batch", "4"]);
        assert!(stderr.contains(message) && stderr.contains("nothing was written"), "{message}: {stderr}");
        let mut command = crate::cli::command::kurultai(&["import", "people.ndjson", "--stream", "--batch", "4"]);
        command.args(["--database-url", &fixture.server.database.url]).current_dir(fixture.folder.path());
        assert_eq!(command.output().unwrap().status.code(), Some(3), "input that is not valid has its own exit code: {message}");
        assert_eq!(count(&fixture, "people").await, 0, "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_refuses_what_needs_all_rows() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("people.yaml", "people: [{slug: a, name: {en: A}}]");
    fixture.write_file("people.csv", "name,wiki\nA,Q1\n");
    fixture.write_file("mapping.yaml", "type: membership\nfields:\n  slug: m-{name}\n  label: {en: name}\n  person: {column: wiki, scheme: wikidata}\n  organization: {constant: o}\n");
    let stderr = fixture.import_err(&["people.yaml", "--stream"]);
    assert!(stderr.contains("people.yaml: --stream reads CSV and NDJSON"), "{stderr}");
    let stderr = fixture.import_err(&["people.csv", "--mapping", "mapping.yaml", "--stream"]);
    assert!(stderr.contains("refers to records by identifier or URL"), "{stderr}");
    fixture.write_file("anywhere.yaml", MAPPING.replace("sorted: true\n", ""));
    let stderr = fixture.import_err(&["people.csv", "--mapping", "anywhere.yaml", "--stream"]);
    assert!(stderr.contains("--stream needs sorted: true"), "{stderr}");
    for flag in [["--set", "a"], ["--url", "http://127.0.0.1:1"]] {
        let stderr = fixture.import_err(&[&["people.csv", "--stream"], &flag[..]].concat());
        assert!(stderr.contains("cannot be used with"), "{stderr}");
    }
}
