//! Values of one record that contradict each other, or that are given twice, through every interface.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use super::identity::{Door, import, import_strictly};
use crate::server::{Asker, On};

const BASE: &str = "
sources:
- {slug: news, title: {en: News}, kind: article}
people:
- {slug: anna, name: {en: Anna}}
- {slug: berik, name: {en: Berik}}
- {slug: dana, name: {en: Dana}}
jurisdictions:
- {slug: kz, name: {en: Kazakhstan}, classification: country}
laws:
- {slug: code, title: {en: Code}, kind: code, status: in_force, jurisdiction: kz}
";

async fn fixture(on: On) -> ImportFixture {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("base.yaml", BASE);
    fixture.import_ok(&["base.yaml"]);
    fixture
}

fn vote_event(rest: &str) -> String {
    format!("voteEvents:\n- slug: vote\n  motion: {{en: Motion}}\n  result: pass\n  {rest}\n")
}

#[rstest]
#[case::negative(
    vote_event("counts: [{option: yes, value: 3}, {option: no, value: -1}]"),
    "voteEvents[0].counts[1].value: -1 is less than 0; a count is 0 or more"
)]
#[case::option_twice(
    vote_event("counts: [{option: yes, value: 3}, {option: no, value: 1}, {option: yes, value: 4}]"),
    "voteEvents[0].counts[2]: it has the same option as entry 1 of this list; keep one of the two"
)]
#[case::change_twice(
    "proposals:\n- slug: bill\n  title: {en: Bill}\n  kind: bill\n  status: introduced\n  changes: [{key: a, law: code}, {key: b, law: code}]\n".to_owned(),
    "proposals[0].changes[1]: it has the same law, provision, note as proposals[0].changes[0]; remove one of the two"
)]
#[case::citation_twice(
    "people:\n- slug: anna\n  citations: [{key: a, source: news, field: name, quote: Q, locator: p. 1}, {key: b, source: news, field: name, quote: Q, locator: p. 1}]\n".to_owned(),
    "people[0].citations[1]: it has the same source, field, value, quote, locator, note as people[0].citations[0]; remove one of the two"
)]
#[case::breakdown_twice(
    "statistics:\n- slug: s\n  measure: {en: Cases}\n  value: 1\n  unit: cases\n  breakdown: [{dimension: gravity, value: grave}, {dimension: gravity, value: grave}]\n".to_owned(),
    "statistics[0].breakdown[1]: it has the same dimension and value as entry 1 of this list"
)]
#[tokio::test(flavor = "multi_thread")]
async fn value_given_twice_is_one_error(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] text: String,
    #[case] expected: &str,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = fixture(on).await;
    fixture.write_file("file.yaml", &text);
    let output = import(&fixture, door, "file.yaml", None, None).await;
    let expected = match door {
        Door::Database | Door::Url => expected.to_owned(),
        // the payload has the path apart
        Door::Upload => expected.split_once(": ").unwrap().1.to_owned(),
    };
    assert_eq!(output.matches(&expected).count(), 1, "{door:?} {expected}\n{output}");
    assert!(!output.contains("2 problems"), "{door:?} {output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn edits_with_values_given_twice_are_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = fixture(on).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let vote = |counts: Value| json!({"slug": "vote", "motion": {"en": "M"}, "result": "PASS", "counts": counts});
    let count = |option: &str, value: i64| json!({"option": option, "value": value});
    for (counts, path, code) in [
        (json!([count("YES", -1)]), json!(["input", "counts", 0, "value"]), "INVALID"),
        (json!([count("YES", 1), count("YES", 1)]), json!(["input", "counts", 1]), "TAKEN"),
    ] {
        let payload = editor.payload("createVoteEvent { voteEvent { id } }", vote(counts)).await;
        let errors = payload["errors"].as_array().unwrap();
        assert_eq!((errors.len(), &errors[0]["path"], &errors[0]["code"]), (1, &path, &json!(code)), "{payload:#}");
    }
    // an identical citation is there already; one with another quote is another
    let person = editor.data("{ person(by: {slug: \"anna\"}) { id } }").await["person"]["id"].clone();
    for (quote, count) in [("Q", 1), ("Q", 1), ("R", 2)] {
        editor
            .done(
                "addCitation { record { id } }",
                json!({"record": person, "citation": {"source": "news", "field": "name", "quote": quote}}),
            )
            .await;
        let data = editor.data("{ person(by: {slug: \"anna\"}) { citations { totalCount } } }").await;
        assert_eq!(data["person"]["citations"]["totalCount"], count);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn fewer_counted_than_listed_votes_are_warned_about(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = fixture(on).await;
    let votes = "votes: [{key: a, person: anna, option: yes}, {key: b, person: berik, option: yes}, {key: c, person: dana, option: no}]";
    let warning = "1 is less than the 2 votes with the option yes that are listed; correct one of them";
    fixture.write_file("file.yaml", vote_event(&format!("counts: [{{option: no, value: 9}}, {{option: yes, value: 1}}]\n  {votes}")));
    let output = import_strictly(&fixture, door, "file.yaml").await;
    assert!(output.contains(warning) && !output.contains("1 created"), "{door:?} {output}");
    let output = import(&fixture, door, "file.yaml", None, None).await;
    assert!(output.contains("1 created") && output.contains(warning), "{door:?} {output}");
    // not all votes need be known
    fixture.write_file("file.yaml", vote_event(&format!("counts: [{{option: no, value: 9}}, {{option: yes, value: 2}}]\n  {votes}")));
    let output = import(&fixture, door, "file.yaml", None, None).await;
    assert!(output.contains("1 updated") && !output.contains("is less than"), "{door:?} {output}");
}

/// One side is stored, and an import gives the other one.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn given_counts_are_compared_with_stored_votes_and_votes_with_counts(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let votes = "votes: [{key: a, person: anna, option: yes}, {key: b, person: berik, option: yes}, {key: c, person: dana, option: yes}]";
    let counts = "counts: [{option: no, value: 9}, {option: yes, value: 1}]";
    let less = "1 is less than the 3 votes with the option yes that are listed; correct one of them";
    let more = "3 votes with the option yes are listed, and counts has 1, which is less than that; correct one of them";
    for (stored, given, warning, path) in [(votes, counts, less, "counts[1]"), (counts, votes, more, "votes[2]")] {
        let fixture = fixture(on).await;
        fixture.write_file("stored.yaml", vote_event(stored));
        fixture.import_ok(&["stored.yaml"]);
        fixture.write_file("file.yaml", format!("voteEvents:\n- slug: vote\n  {given}\n"));
        let output = import_strictly(&fixture, door, "file.yaml").await;
        assert!(output.contains(warning) && !output.contains("1 updated"), "{door:?} {output}");
        let output = import(&fixture, door, "file.yaml", None, None).await;
        assert!(output.contains("1 updated") && output.contains(warning), "{door:?} {output}");
        if !matches!(door, Door::Upload) {
            assert!(output.contains("file.yaml:3") && output.contains(path), "{door:?} {output}");
        }
    }
}

/// An edit that gives one side is refused at what it gives, and so is a revert. One that lessens a contradiction is not.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn edits_of_one_side_of_a_tally_are_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = fixture(on).await;
    let votes = "votes: [{key: a, person: anna, option: yes}, {key: b, person: berik, option: yes}]";
    fixture.write_file("stored.yaml", vote_event(votes));
    fixture.import_ok(&["stored.yaml"]);
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let counts = |value: i64| json!({"id": "vote", "counts": [{"option": "YES", "value": value}]});
    let update = "updateVoteEvent { voteEvent { id } }";
    let errors = |payload: &Value| -> Vec<(Value, String)> {
        let errors = payload["errors"].as_array().unwrap().iter();
        errors.map(|error| (error["path"].clone(), error["message"].as_str().unwrap().to_owned())).collect()
    };
    let payload = editor.payload(update, counts(1)).await;
    let less = "1 is less than the 2 votes with the option yes that are listed; correct one of them";
    assert_eq!(errors(&payload), [(json!(["input", "counts", 0]), less.to_owned())]);
    editor.done(update, counts(2)).await;

    // the part of a record, which is added or changed by itself
    let vote = |option: &str| json!({"voteEvent": {"slug": "vote"}, "vote": {"key": "c", "person": "dana", "option": option}});
    let more = "3 votes with the option yes are listed, and counts has 2, which is less than that; correct one of them";
    let payload = editor.payload("addVote { part { id } }", vote("YES")).await;
    assert_eq!(errors(&payload), [(json!(["input", "vote"]), more.to_owned())]);
    editor.done("addVote { part { id } }", vote("NO")).await;
    let change = |option: &str| json!({"voteEvent": {"slug": "vote"}, "part": "c", "option": option});
    let payload = editor.payload("updateVote { part { id } }", change("YES")).await;
    assert_eq!(errors(&payload), [(json!(["input", "part"]), more.to_owned())]);

    // revision 1 had no counts, 2 has two votes and their number
    let id = editor.data("{ voteEvent(by: {slug: \"vote\"}) { id } }").await["voteEvent"]["id"].clone();
    editor.done("removeVote { voteEvent { id } }", json!({"voteEvent": {"slug": "vote"}, "part": "a"})).await;
    editor.done(update, counts(1)).await;
    fixture.write_file("wrong.yaml", format!("voteEvents:\n- slug: vote\n  {votes}\n"));
    let output = fixture.import_ok(&["wrong.yaml", "--overwrite"]);
    assert!(output.contains("1 updated"), "{output}");
    // a contradiction that an import has brought in may be lessened
    editor.done(update, json!({"id": "vote", "motion": {"en": "Other"}})).await;
    editor.done("removeVote { voteEvent { id } }", json!({"voteEvent": {"slug": "vote"}, "part": "a"})).await;
    let payload = editor.payload("revert { record { id } }", json!({"record": id, "toRevision": 6})).await;
    let at = format!("counts[0]: {less}");
    assert_eq!(errors(&payload), [(json!(["input", "toRevision"]), at)]);
    // a deleted record is restored as it was
    fixture.import_ok(&["wrong.yaml", "--overwrite"]);
    let revision = editor.data("{ voteEvent(by: {slug: \"vote\"}) { revision } }").await["voteEvent"]["revision"].clone();
    editor.done("deleteVoteEvent { deletedId }", json!({"id": "vote"})).await;
    editor.done("revert { record { id } }", json!({"record": id, "toRevision": revision})).await;

    // records that are imported by themselves
    let query = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { updated results { warnings { path message } errors { path message } } } }";
    let records = json!([{"voteEvent": {"slug": "vote", "counts": [{"option": "YES", "value": 0}]}}]);
    let none = "0 is less than the 2 votes with the option yes that are listed; correct one of them";
    for (strict, list) in [(true, "errors"), (false, "warnings")] {
        let input = json!({"records": records, "strict": strict, "overwrite": true});
        let answer = editor.answer(query, json!({"input": input})).await;
        let result = &answer["data"]["importRecords"];
        let expected = json!([{"path": ["input", "records", 0, "voteEvent", "counts", 0], "message": none}]);
        assert_eq!((&result["results"][0][list], &result["updated"]), (&expected, &json!(i32::from(!strict))), "{answer:#}");
    }
}

/// Addresses that are none are refused in every format and in edits, each with its reason.
#[rstest]
#[case("https://@x.kz/", "remove the user name and password before @, and the @")]
#[case("https://:@x.kz", "remove the user name and password before @, and the @")]
#[case("https:///x.kz", "write two slashes before the host")]
#[case("https://-", "the host or port is not valid")]
#[case("https://x.kz/%00", "it contains the control character %00; remove it")]
#[case("https://x%2ekz/", "write the characters of the host themselves, without %")]
#[tokio::test(flavor = "multi_thread")]
async fn address_that_is_none_is_refused_everywhere(#[case] url: &str, #[case] reason: &str) {
    let fixture = fixture(On::Sqlite).await;
    let message = format!("\"{url}\" is not a web address; {reason}");
    let source = json!({"slug": "page", "title": {"en": "Page"}, "kind": "article", "url": url});
    fixture.write_file("t.yaml", json!({"sources": [source]}).to_string());
    fixture.write_file("t.json", json!({"sources": [source]}).to_string());
    fixture.write_file("t.ndjson", format!("{}\n", json!({"source": source})));
    fixture.write_file("t.csv", format!("id,link\na,{url}\n"));
    fixture.write_file("link.yaml", "type: person\nfields: {slug: id, name: {en: id}, links: [{url: link}]}\n");
    fixture.write_file("cite.yaml", "type: person\nfields: {slug: id, name: {en: id}, citations: [{source: {column: link, by: url}}]}\n");
    let person = json!({"id": "1", "name": "A", "links": [{"url": url}]});
    fixture.write_file("t.popolo.json", json!({"persons": [person]}).to_string());
    for door in [Door::Database, Door::Url, Door::Upload] {
        for (file, mapping, scheme) in [
            ("t.yaml", None, None),
            ("t.json", None, None),
            ("t.ndjson", None, None),
            ("t.csv", Some("link.yaml"), None),
            ("t.csv", Some("cite.yaml"), None),
            ("t.popolo.json", None, Some("register")),
        ] {
            let output = import(&fixture, door, file, scheme, mapping).await.replace("\\\"", "\"");
            assert!(output.contains(&message), "{door:?} {file} {mapping:?}\n{output}");
        }
    }
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let source = json!({"slug": "page", "title": {"en": "Page"}, "kind": "ARTICLE", "url": url});
    let payload = editor.payload("createSource { source { id } }", source).await;
    assert_eq!((&payload["errors"][0]["path"], &payload["errors"][0]["message"]), (&json!(["input", "url"]), &json!(message)));
    let people = fixture.server.data("{ people { totalCount } sources { totalCount } }").await;
    assert_eq!(people, json!({"people": {"totalCount": 3}, "sources": {"totalCount": 1}}));
}

/// A number that no floating-point number can hold is an error with its place, and never an infinite value.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn infinite_number_is_refused_with_its_place(#[values("1E400", "-1e999")] number: &str) {
    let fixture = fixture(On::Sqlite).await;
    let figure = |value: &str| format!("{{\"slug\": \"s\", \"measure\": {{\"en\": \"M\"}}, \"unit\": \"u\", \"value\": {value}}}");
    fixture.write_file("t.yaml", format!("\nstatistics:\n- {}\n", figure(number)));
    fixture.write_file("t.json", format!("{{\n\"statistics\": [\n{}]}}", figure(number)));
    fixture.write_file(
        "t.ndjson",
        format!("{{\"topic\": {{\"slug\": \"t\", \"label\": {{\"en\": \"T\"}}}}}}\n\n{{\"statistic\": {}}}\n", figure(number)),
    );
    fixture.write_file("t.csv", format!("n\n1\n{number}\n"));
    fixture.write_file("m.yaml", "type: statistic\nfields: {slug: n, measure: {en: n}, unit: {constant: u}, value: n}\n");
    fixture.write_file("text.json", format!("{{\n\"laws\": [\n{{\"slug\": \"l\", \"title\": {{\"en\": \"L\"}}, \"kind\": \"law\", \"status\": \"in_force\", \"number\": {number}}}]}}"));
    for door in [Door::Database, Door::Url, Door::Upload] {
        for (file, mapping, place) in [
            ("t.yaml", None, "t.yaml:3"),
            ("t.json", None, "t.json:3"),
            ("t.ndjson", None, "t.ndjson:3"),
            ("t.csv", Some("m.yaml"), "t.csv:3"),
            ("text.json", None, "text.json:3"),
        ] {
            let output = import(&fixture, door, file, None, mapping).await;
            assert!(output.contains(place), "{door:?} {file}\n{output}");
            assert!(!output.contains("1 created") || output.contains("-1 created"), "{door:?} {file}\n{output}");
        }
    }
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let query = format!(
        "mutation {{ createStatistic(input: {{slug: \"s\", measure: {{en: \"M\"}}, unit: \"u\", value: {number}}}) {{ statistic {{ value }} errors {{ message }} }} }}"
    );
    let answer = editor.answer(&query, json!({})).await;
    assert!(answer["data"]["createStatistic"]["statistic"].is_null() && answer["errors"].to_string().contains("value"), "{answer:#}");
}
