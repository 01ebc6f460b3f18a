//! Texts, numbers, lists and references at the edges of what a record can hold, through every interface that writes.

use kurultai::core::auth::Role;
use kurultai::interchange::push::to_input;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use crate::cli::command::{kurultai, run};
use crate::server::{Asker, On, Server};

const BASE: &str = "jurisdictions:
- {slug: j-a, name: {en: A}, classification: country}
- {slug: j-b, name: {en: B}, classification: country, parent: j-a}
- {slug: j-c, name: {en: C}, classification: country, parent: j-b}
organizations:
- {slug: o-a, name: {en: A}, classification: court}
- {slug: o-b, name: {en: B}, classification: court, parent: o-a}
- {slug: o-c, name: {en: C}, classification: court, parent: o-b}
people:
- {slug: anna, name: {en: Anna}}
- {slug: boris, name: {en: Boris}}
topics:
- {slug: t-a, label: {en: A}}
- {slug: t-b, label: {en: B}, broader: t-a}
laws: [{slug: code, title: {en: Code}, kind: code, status: in_force}]
provisions:
- {slug: p-a, heading: {en: A}, kind: article, position: 1, law: code}
- {slug: p-b, heading: {en: B}, kind: article, position: 2, law: code, parent: p-a}
proposals: [{slug: bill, title: {en: Bill}, kind: bill, status: introduced}]
sources: [{slug: paper, title: {en: Paper}, kind: article}]
";

/// Sends a file to `importFile` and returns the messages of its errors.
async fn import_file(editor: &Asker<'_>, name: &str, text: &str) -> Vec<String> {
    let query = "mutation($input: ImportFileInput!) { importFile(input: $input) { errors { message } } }";
    let part = reqwest::multipart::Part::bytes(text.as_bytes().to_vec()).file_name(name.to_owned());
    let form = reqwest::multipart::Form::new()
        .text("operations", json!({"query": query, "variables": {"input": {"file": null}}}).to_string())
        .text("map", r#"{"0": ["variables.input.file"]}"#)
        .part("0", part);
    let (status, answer) = editor.send(form).await;
    assert_eq!(status, 200, "{answer:#}");
    messages(&answer["data"]["importFile"])
}

/// Sends records to `importRecords`, as `kurultai import --url` does, and returns the messages of its errors, those of the
/// request among them.
async fn import_records(editor: &Asker<'_>, records: &Value) -> Vec<String> {
    let query = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { errors { message } } }";
    let answer = editor.answer(query, json!({"input": {"records": records}})).await;
    if answer.get("errors").is_some() {
        return messages(&answer);
    }
    messages(&answer["data"]["importRecords"])
}

fn messages(payload: &Value) -> Vec<String> {
    let errors = payload["errors"].as_array().unwrap_or_else(|| panic!("{payload:#}"));
    errors.iter().map(|error| error["message"].as_str().unwrap().to_owned()).collect()
}

/// The problem lines of a failed import on the command line.
fn problem_lines(error: &str) -> Vec<&str> {
    error.lines().filter(|line| line.starts_with("bad.")).collect()
}

/// The records with the values of enums as the schema spells them.
fn with_enum_names(value: Value) -> Value {
    const ENUM_VALUES: [&str; 7] = ["yes", "no", "pass", "civil", "pending", "amends", "other"];
    match value {
        Value::String(text) if ENUM_VALUES.contains(&text.as_str()) => Value::String(text.to_uppercase()),
        Value::Array(items) => items.into_iter().map(with_enum_names).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, with_enum_names(value))).collect(),
        other => other,
    }
}

/// Imports records, which must be refused with one problem through every interface, as JSON, NDJSON, YAML and a request.
async fn refused_everywhere(fixture: &ImportFixture, editor: &Asker<'_>, records: &Value, path: &str, message: &str) {
    let yaml = records.to_string();
    let singular = |plural: &str| match plural {
        "people" => "person".to_owned(),
        "voteEvents" => "voteEvent".to_owned(),
        other => other.trim_end_matches('s').to_owned(),
    };
    let lines: Vec<Value> = records
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(plural, items)| items.as_array().unwrap().iter().map(move |item| json!({singular(plural): item})))
        .collect();
    let ndjson = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    for (name, text) in [("bad.json", &yaml), ("bad.yaml", &yaml), ("bad.ndjson", &ndjson)] {
        fixture.write_file(name, text);
        let error = fixture.import_err(&[name]);
        let problems = problem_lines(&error);
        assert!(problems.len() == 1 && problems[0].contains(message), "{name}: {error}\nexpected: {message}");
        if name != "bad.ndjson" {
            assert!(problems[0].contains(path), "{name}: {error}");
        }
        assert!(fixture.import_err(&[name, "--dry-run"]).contains(message), "{name}");
        let found = import_file(editor, name, text).await;
        assert!(found.len() == 1 && found[0].contains(message), "{name}: {found:?}");
    }
    let found = import_records(editor, &with_enum_names(Value::Array(lines))).await;
    assert!(found.len() == 1 && found[0].contains(message), "{found:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn parts_that_are_alike_are_one_problem(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.server.import(BASE).await.unwrap();
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let person = |list: &str, items: Value| json!({"people": [{"slug": "new", "name": {"en": "New"}, list: items}]});
    let same = |first: &str| format!("has the same {first}");
    let event = |votes: Value| json!({"voteEvents": [{"slug": "new", "motion": {"en": "M"}, "result": "pass", "votes": votes}]});
    let vote = json!([{"person": "anna", "option": "yes"}, {"person": "boris", "option": "yes"}, {"person": "anna", "option": "no"}]);
    let identifier = json!({"scheme": "register", "value": "1"});
    let sponsors =
        json!({"proposals": [{"slug": "bill", "sponsors": [{"person": "anna", "role": "author"}, {"person": "anna", "role": "author"}]}]});
    let statement = json!({"statements": [{"slug": "new", "text": {"en": "S"}, "about": [{"person": "anna"}, {"person": "anna"}]}]});
    let parties = json!({"cases": [{"slug": "new", "title": {"en": "C"}, "kind": "civil", "status": "pending",
        "parties": [{"key": "a", "person": "anna", "role": "other"}, {"key": "a", "person": "boris", "role": "other"}]}]});
    let cases = [
        (person("identifiers", json!([identifier, identifier])), "people[0].identifiers[1]", same("scheme, value")),
        (person("topics", json!(["t-a", "t-b", "t-a"])), "people[0].topics[2]", same("topic")),
        (event(vote), "voteEvents[0].votes[2]", same("person")),
        (sponsors, "proposals[0].sponsors[1]", same("person, organization, role")),
        (statement, "statements[0].about[1]", same("record")),
        (parties, "cases[0].parties[1]", "\"a\" is given twice in this list".to_owned()),
    ];
    for (records, path, message) in cases {
        refused_everywhere(&fixture, &editor, &records, path, &message).await;
    }
    // a list that is given replaces the stored one, and what is there already is added once
    let identifiers = json!({"id": "anna", "identifiers": [identifier, identifier]});
    let refused = editor.payload("updatePerson { person { id } }", identifiers).await;
    assert_eq!(refused["errors"][0]["path"], json!(["input", "identifiers", 1]), "{refused:#}");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1);
    editor.done("updatePerson { person { id } }", json!({"id": "anna", "topics": ["t-a"], "identifiers": [identifier]})).await;
    let id = editor.data("{ person(by: {slug: \"anna\"}) { id } }").await["person"]["id"].clone();
    for _ in 0..2 {
        editor.done("addTopic { record { id } }", json!({"record": id, "topic": "t-a"})).await;
        editor.done("addIdentifier { record { id } }", json!({"record": id, "scheme": "register", "value": "1"})).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn merge_joins_parts_that_become_alike(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, BASE).await;
    let more = "statements: [{slug: s, text: {en: S}, about: [{person: anna}, {person: boris}]}]
proposals: [{slug: bill, sponsors: [{person: anna}, {person: boris}]}]
voteEvents: [{slug: v, motion: {en: V}, result: pass, votes: [{person: anna, option: yes}, {person: boris, option: yes}]}]";
    server.import(&more.replace("option: yes", "option: 'yes'")).await.unwrap();
    let editor = Asker::with_role(&server, Role::Editor).await;
    editor.done("mergePeople { person { id } }", json!({"from": "boris", "into": "anna"})).await;
    let query = "{ statement(by: {slug: \"s\"}) { about { totalCount } } proposal(by: {slug: \"bill\"}) { sponsors { totalCount } }
        voteEvent(by: {slug: \"v\"}) { votes { totalCount } } }";
    let data = server.data(query).await;
    for count in ["/statement/about/totalCount", "/proposal/sponsors/totalCount", "/voteEvent/votes/totalCount"] {
        assert_eq!(data.pointer(count), Some(&json!(1)), "{data:#}");
    }
    // two votes that differ cannot become one
    server.import("people: [{slug: c, name: {en: C}}, {slug: d, name: {en: D}}]").await.unwrap();
    let votes = "voteEvents: [{slug: w, motion: {en: W}, result: pass, votes: [{person: c, option: 'yes'}, {person: d, option: 'no'}]}]";
    server.import(votes).await.unwrap();
    let refused = editor.payload("mergePeople { person { id } }", json!({"from": "d", "into": "c"})).await;
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1, "{refused:#}");
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("has the same person"), "{refused:#}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn record_cannot_be_its_own_ancestor(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.server.import(BASE).await.unwrap();
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let topics = json!({"topics": [
        {"slug": "x", "label": {"en": "X"}, "broader": "y"}, {"slug": "y", "label": {"en": "Y"}, "broader": "z"},
        {"slug": "z", "label": {"en": "Z"}, "broader": "x"}]});
    let cases = [
        (json!({"organizations": [{"slug": "o-a", "parent": "o-c"}]}), "organizations[0].parent", "o-a → o-c → o-b → o-a"),
        (json!({"organizations": [{"slug": "o-a", "parent": "o-a"}]}), "organizations[0].parent", "o-a → o-a"),
        (json!({"jurisdictions": [{"slug": "j-a", "parent": "j-c"}]}), "jurisdictions[0].parent", "j-a → j-c → j-b → j-a"),
        (json!({"topics": [{"slug": "t-a", "broader": "t-b"}]}), "topics[0].broader", "t-a → t-b → t-a"),
        (json!({"provisions": [{"slug": "p-a", "parent": "p-b"}]}), "provisions[0].parent", "p-a → p-b → p-a"),
        (topics, "topics[0].broader", "x → y → z → x"),
        (
            json!({"statements": [{"slug": "new", "text": {"en": "S"}, "about": [{"person": "anna"}, {"statement": "new"}]}]}),
            "statements[0].about[1]",
            "refers to the record itself",
        ),
        (json!({"laws": [{"slug": "code", "relations": [{"kind": "amends", "target": "code"}]}]}), "laws[0].relations[0].target", "itself"),
        (
            json!({"sources": [{"slug": "page", "citations": [{"source": "page", "field": "title"}]}]}),
            "sources[0].citations[0].source",
            "refers to the record itself",
        ),
    ];
    fixture.server.import("sources: [{slug: page, kind: article, title: {en: P}}]").await.unwrap();
    for (records, path, message) in cases {
        refused_everywhere(&fixture, &editor, &records, path, message).await;
    }
    // batches of one record each
    let error = fixture.import_err(&["bad.json", "--batch", "1"]);
    assert!(error.contains("itself"), "{error}");
    // the mutation
    let refused = editor.payload("updateOrganization { organization { id } }", json!({"id": "o-a", "parent": "o-b"})).await;
    assert_eq!(refused["errors"][0]["path"], json!(["input", "parent"]), "{refused:#}");
    // a move that leaves no cycle
    fixture.server.import("organizations: [{slug: o-a, parent: o-c}, {slug: o-b, parent: null}]").await.unwrap();
    // a revert to the parent of the second revision would close one
    let id = editor.data("{ organization(by: {slug: \"o-b\"}) { id } }").await["organization"]["id"].clone();
    let refused = editor.payload("revert { record { id } }", json!({"record": id, "toRevision": 1})).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("o-b → o-a → o-c → o-b"), "{refused:#}");
    // so would a merge; that of a record with its parent does not
    fixture.server.import("organizations: [{slug: x, name: {en: X}, classification: court, parent: o-a}]").await.unwrap();
    let refused = editor.payload("mergeOrganizations { organization { id } }", json!({"from": "x", "into": "o-b"})).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("its own ancestor by parent"), "{refused:#}");
    editor.done("mergeOrganizations { organization { id } }", json!({"from": "x", "into": "o-a"})).await;
    let data = fixture.server.data("{ organization(by: {slug: \"o-a\"}) { parent { slug } } }").await;
    assert_eq!(data["organization"]["parent"]["slug"], "o-c");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sources_cannot_cite_each_other_in_a_cycle(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let base = "sources:
- {slug: s-a, kind: article, title: {en: A}, citations: [{key: k, source: s-b}]}
- {slug: s-b, kind: article, title: {en: B}, citations: [{key: k, source: s-c}]}
- {slug: s-c, kind: article, title: {en: C}}
- {slug: s-d, kind: article, title: {en: D}}
- {slug: x, kind: article, title: {en: X}}
- {slug: y, kind: article, title: {en: Y}}
";
    fixture.server.import(base).await.unwrap();
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let cite = |source: &str| json!([{"source": source, "field": "title"}]);
    let pair = json!({"sources": [{"slug": "x", "citations": cite("y")}, {"slug": "y", "citations": cite("x")}]});
    let cases = [
        (json!({"sources": [{"slug": "s-b", "citations": cite("s-a")}]}), "sources[0].citations", "s-b → s-a → s-b"),
        (json!({"sources": [{"slug": "s-c", "citations": cite("s-a")}]}), "sources[0].citations", "s-c → s-a → s-b → s-c"),
        (pair, "sources[0].citations", "x → y → x"),
    ];
    for (records, path, message) in cases {
        refused_everywhere(&fixture, &editor, &records, path, message).await;
    }
    // two ways to one source are no cycle, and an edit of something else is not checked
    let both = json!([{"source": "s-b", "field": "title"}, {"source": "s-c", "field": "title"}]);
    editor.done("updateSource { source { id } }", json!({"id": "s-d", "citations": both})).await;
    editor.done("updateSource { source { id } }", json!({"id": "s-a", "publisher": "P"})).await;
    // a merge would close one
    let refused = editor.payload("mergeSources { source { id } }", json!({"from": "s-c", "into": "s-a"})).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("s-b → s-a → s-b"), "{refused:#}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writes_cannot_close_a_cycle_together(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "topics: [{slug: a, label: {en: A}}, {slug: b, label: {en: B}}]").await;
    let other = server.beside().await;
    for _ in 0..5 {
        let (one, two) = tokio::join!(server.import("topics: [{slug: a, broader: b}]"), other.import("topics: [{slug: b, broader: a}]"));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        server.import("topics: [{slug: a, broader: null}, {slug: b, broader: null}]").await.unwrap();
    }
}

#[rstest]
#[case::nul("a\0b", "U+0000")]
#[case::escape("a\u{1b}[31mb", "U+001B")]
#[case::c1("a\u{92}b", "U+0092")]
#[case::noncharacter("a\u{ffff}b", "U+FFFF")]
#[case::line_end("a\nb", "U+000A")]
#[case::tab("a\tb", "U+0009")]
#[case::length(&"щ".repeat(2_001), "the maximum is 2000")]
#[tokio::test(flavor = "multi_thread")]
async fn unfit_name_is_refused_everywhere(#[case] text: &str, #[case] message: &str, #[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let records = json!({"people": [{"slug": "a", "name": {"en": text}}]});
    refused_everywhere(&fixture, &editor, &records, "people[0].name.en", message).await;
    let popolo = json!({"persons": [{"id": "1", "name": text}]}).to_string();
    fixture.write_file("bad.popolo.json", popolo);
    assert!(fixture.import_err(&["bad.popolo.json", "--format", "popolo", "--scheme", "isles"]).contains(message));
    fixture.write_file("bad.csv", format!("id,name\na,\"{text}\"\n"));
    fixture.write_file("p.mapping.yaml", "type: person\nfields:\n  slug: id\n  name: {en: name}\n");
    let error = fixture.import_err(&["bad.csv", "--mapping", "p.mapping.yaml"]);
    assert!(problem_lines(&error).iter().any(|line| line.contains(message) && line.contains("column name")), "{error}");
    // where a text has lines, they are kept
    if matches!(message, "U+000A" | "U+0009") {
        editor.done("upsertPerson { person { id } }", json!({"slug": "b", "name": {"en": "B"}, "biography": {"en": text}})).await;
        let data = fixture.server.data("{ person(by: {slug: \"b\"}) { biography } }").await;
        assert_eq!(data["person"]["biography"], text);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_text_and_list_has_a_maximum(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.server.import(BASE).await.unwrap();
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let person = |field: &str, value: Value| json!({"people": [{"slug": "anna", field: value}]});
    let long = "я".repeat(501);
    let languages: Value =
        ('a'..='z').map(|c| (format!("a{c}"), json!("x"))).chain(('a'..='z').map(|c| (format!("b{c}"), json!("x")))).collect();
    let names: Vec<Value> = (0..201).map(|n| json!({"name": format!("N{n}")})).collect();
    let cases = [
        (person("identifiers", json!([{"scheme": "r", "value": long}])), "people[0].identifiers[0].value", "maximum is 500"),
        (person("identifiers", json!([{"scheme": "s".repeat(101), "value": "1"}])), "people[0].identifiers[0].scheme", "maximum is 100"),
        (person("sortName", json!(long)), "people[0].sortName", "maximum is 500"),
        (person("otherNames", json!([{"name": long}])), "people[0].otherNames[0].name", "maximum is 500"),
        (person("otherNames", json!(names)), "people[0].otherNames", "the list has 201 entries; the maximum is 200"),
        (person("name", languages), "people[0].name", "the list has 52 entries; the maximum is 50"),
        (person("image", json!(format!("https://example.org/{}", "a".repeat(2_000)))), "people[0].image", "maximum is 2000"),
        (person("image", json!("https://user:secret@example.org/")), "people[0].image", "remove the user name and password"),
        (person("links", json!([{"url": "https://example.org/a b"}])), "people[0].links[0].url", "write %20 for a space"),
        (json!({"sources": [{"slug": "paper", "url": "https:example.org"}]}), "sources[0].url", "must begin with https://"),
    ];
    for (records, path, message) in cases {
        refused_everywhere(&fixture, &editor, &records, path, message).await;
    }
    let id = editor.data("{ person(by: {slug: \"anna\"}) { id } }").await["person"]["id"].clone();
    let refused = editor.payload("addIdentifier { record { id } }", json!({"record": id, "scheme": "r", "value": long})).await;
    assert_eq!(refused["errors"][0]["path"], json!(["input", "value"]), "{refused:#}");
    let refused =
        editor.payload("updatePerson { person { id } }", json!({"id": "anna", "gender": "f", "message": "m".repeat(2_001)})).await;
    assert_eq!(refused["errors"][0]["path"], json!(["input", "message"]), "{refused:#}");
    // lookups by longer texts find nothing
    let (slug, nine) = ("a".repeat(9_000), "9".repeat(9_000));
    let lookup = format!(
        "{{ person(by: {{slug: \"{slug}\"}}) {{ id }} other: person(by: {{identifier: {{scheme: \"r\", value: \"{nine}\"}}}}) {{ id }} }}"
    );
    assert_eq!(fixture.server.data(&lookup).await, json!({"person": null, "other": null}));
    // a long claim has a short key, and the same claim is the same citation again
    let claim = "words ".repeat(2_000);
    let cited = json!({"people": [{"slug": "anna", "citations": [{"source": "paper", "field": "biography", "value": claim.trim()}]}]});
    fixture.write_file("cited.json", cited.to_string());
    assert!(fixture.import_ok(&["cited.json"]).contains("1 updated"));
    assert!(fixture.import_ok(&["cited.json"]).contains("1 unchanged"));
    // long texts do not burden the index
    let text: String = (0..60_000).map(|n| format!("{n:x} ")).collect::<String>().chars().take(199_000).collect();
    editor.done("updatePerson { person { id } }", json!({"id": "boris", "message": "m".repeat(2_000)})).await;
    let file = json!({"people": [{"slug": "boris", "biography": {"en": text, "ru": text, "kk": text, "de": text}}]}).to_string();
    fixture.write_file("long.json", file);
    assert!(fixture.import_ok(&["long.json"]).contains("1 updated"));
}

#[rstest]
#[case("20.20")]
#[case("12345678901234567890123")]
#[case("1e3")]
#[case("-0")]
#[case("7")]
#[tokio::test(flavor = "multi_thread")]
async fn number_keeps_its_digits_where_a_text_is_expected(#[case] number: &str) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let record = |slug: &str| {
        format!(
            "{{\"slug\": \"{slug}\", \"title\": {{\"en\": {number}}}, \"kind\": \"code\", \"status\": \"in_force\", \"number\": {number}}}"
        )
    };
    fixture.write_file("a.yaml", format!("laws: [{}]", record("a")));
    fixture.write_file("b.json", format!("{{\"laws\": [{}]}}", record("b")));
    fixture.write_file("c.ndjson", format!("{{\"law\": {}}}\n", record("c")));
    fixture.import_ok(&["a.yaml", "b.json", "c.ndjson"]);
    let laws = fixture.server.data("{ laws { nodes { title number } } }").await["laws"]["nodes"].clone();
    assert_eq!(
        laws,
        json!([{"title": number, "number": number}, {"title": number, "number": number}, {"title": number, "number": number}])
    );
}

#[rstest]
#[case("0x10", Ok("0x10"))]
#[case("010", Ok("010"))]
#[case(".5", Ok(".5"))]
#[case("+1", Ok("+1"))]
#[case("2020-01-02", Ok("2020-01-02"))]
#[case("no", Ok("no"))]
#[case("true", Err("write \"true\" in quotes"))]
#[tokio::test(flavor = "multi_thread")]
async fn plain_yaml_scalar_is_its_text_or_refused(#[case] scalar: &str, #[case] expected: Result<&str, &str>) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("bad.yaml", format!("laws: [{{slug: a, title: {{en: A}}, kind: code, status: in_force, number: {scalar}}}]"));
    match expected {
        Ok(text) => {
            fixture.import_ok(&["bad.yaml"]);
            assert_eq!(fixture.server.data("{ law(by: {slug: \"a\"}) { number } }").await["law"]["number"], text);
        }
        Err(message) => assert!(fixture.import_err(&["bad.yaml"]).contains(message)),
    }
}

#[rstest]
#[case(&["import", "x.yaml", "--by", "a\u{7}"])]
#[case(&["import", "x.yaml", "--by", "a\nb"])]
#[case(&["import", "x.yaml", "--message", "a\u{1b}[0m"])]
#[case(&["export", "x", "--title", "a\u{7}"])]
#[case(&["token", "create", "--role", "editor", "--name", "a\u{7}"])]
#[case(&["queries", "import", "x.json", "--by", "a\u{7}"])]
fn command_line_refuses_control_characters(#[case] arguments: &[&str]) {
    let (ok, _, error) = run(kurultai(arguments));
    assert!(!ok && (error.contains("text must not contain the character U+") || error.contains("must be on one line")), "{error}");
}

#[test]
fn setting_with_a_control_character_is_refused() {
    let mut command = kurultai(&["serve"]);
    command.env("KURULTAI_DATASET_TITLE", "a\u{7}b");
    let (ok, _, error) = run(command);
    assert!(!ok && error.contains("dataset_title: text must not contain the character U+0007"), "{error}");
}

#[test]
fn push_sends_texts_as_they_are() {
    let drafts = crate::server::read(&[("a.yaml".into(), "laws: [{slug: a, title: {en: 20.20}, number: 010}]".to_owned())]).unwrap();
    assert_eq!(to_input(&drafts), json!([{"law": {"slug": "a", "title": {"en": "20.20"}, "number": "010"}}]));
}

/// A file with a span that ends before it begins is imported with a warning; an edit is refused.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn spans_that_end_before_they_begin_are_reported(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let text = "people:\n- slug: ann\n  name: {en: Ann}\n  birthDate: 1990-05\n  deathDate: 1990\n  otherNames:\n  - {name: A, start: 2020,\n     end: 2019}\n\
                organizations:\n- {slug: house, name: {en: House}, classification: chamber, foundedOn: 2001, dissolvedOn: 2000-12-31}\n\
                laws:\n- {slug: code, title: {en: Code}, kind: code, status: in_force, adoptedOn: 2001, repealedOn: 2000}\n\
                provisions:\n- {slug: one, law: code, kind: article, heading: {en: One}, position: 1, versions: [{key: v, validFrom: 2020-02, validTo: 2020-01-31, text: {en: T}}]}\n";
    fixture.write_file("spans.yaml", text);
    let (ok, stdout, stderr) = fixture.import(&["spans.yaml"]);
    assert!(ok && stdout.contains("4 created"), "{stdout}{stderr}");
    for (path, message) in [
        ("people[0].otherNames[0].end", "end 2019 is before start 2020"),
        ("organizations[0].dissolvedOn", "dissolvedOn 2000-12-31 is before foundedOn 2001"),
        ("laws[0].repealedOn", "repealedOn 2000 is before adoptedOn 2001"),
        ("provisions[0].versions[0].validTo", "validTo 2020-01-31 is before validFrom 2020-02"),
    ] {
        assert!(
            stderr.lines().any(|line| line.starts_with("warning: spans.yaml:") && line.contains(path) && line.contains(message)),
            "{stderr}"
        );
    }
    assert!(!stderr.contains("deathDate"), "{stderr}");
    let (ok, stdout, stderr) = fixture.import(&["spans.yaml", "--strict"]);
    assert!(!ok && stderr.contains("end 2019 is before start 2020"), "{stdout}{stderr}");
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let input = json!({"id": "ann", "birthDate": "2000", "deathDate": "1999-12"});
    let payload = editor.payload("updatePerson { person { id } }", input).await;
    assert_eq!(payload["errors"][0]["path"], json!(["input", "deathDate"]), "{payload}");
    assert_eq!(payload["errors"][0]["message"], "deathDate 1999-12 is before birthDate 2000; correct one of them");
}
