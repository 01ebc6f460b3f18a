//! Imports are validated completely, written atomically and idempotent.

use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server};

async fn problems(text: &str) -> Vec<String> {
    let server = Server::empty(On::Sqlite).await;
    let problems = server.import(text).await.expect_err("the import was accepted");
    let count = server.data("{ people { totalCount } organizations { totalCount } cases { totalCount } }").await;
    assert_eq!(
        count,
        json!({"people": {"totalCount": 0}, "organizations": {"totalCount": 0}, "cases": {"totalCount": 0}}),
        "something was written"
    );
    problems.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn every_problem_names_file_line_path_and_remedy() {
    let text = r#"people:
- slug: Bad Slug
  name: {en: A}
- slug: a
  name: {en: A, "not a tag": B}
  birthDate: "1977-13"
  nmae: {en: A}
  image: nowhere
  otherNames: [{lang: ru}, {name: B, flavour: sweet}]
- slug: b
  name: Text
  topics: [nowhere]
- name: {en: Nameless}
cases:
- slug: c
  title: {en: C}
  kind: unkind
  parties:
  - {key: x, role: defendant, person: nobody}
  - {key: x, role: defendant}
  charges: [{party: y, outcome: pending}]
  sentences: [{kind: fine, amount: many, length: long}]
martians: []
"#;
    let found = problems(text).await;
    let expected = [
        "test.yaml:2: people[0].slug: \"Bad Slug\" is not a valid name; use up to 100 lower-case letters",
        "test.yaml:5: people[1].name.not a tag: \"not a tag\" is not a language tag",
        "test.yaml:6: people[1].birthDate: \"1977-13\" is not a date: write a year (2013), a month (2013-08) or a day (2013-08-22)",
        "test.yaml:7: people[1].nmae: a person has no \"nmae\"; did you mean name?",
        "test.yaml:8: people[1].image: \"nowhere\" is not a web address",
        "test.yaml:9: people[1].otherNames[0].name: name is missing; every OtherName has one",
        "test.yaml:9: people[1].otherNames[1].flavour: an OtherName has no \"flavour\"; it has name, lang, note, start, end",
        "test.yaml:11: people[2].name: this is a text; it must be a map from language tags to texts",
        "test.yaml:13: people[3].slug: slug is missing",
        "test.yaml:17: cases[0].kind: \"unkind\" is not a value of this field; the values are criminal, civil",
        "test.yaml:22: cases[0].sentences[0].amount: this is a text; it must be a number",
        "test.yaml:22: cases[0].sentences[0].length: \"long\" is not an ISO 8601 duration",
        "test.yaml:23: martians: \"martians\" is not a record type; the types are jurisdictions, organizations, people",
    ];
    for (expected, found) in expected.iter().zip(&found) {
        assert!(found.starts_with(expected), "expected {expected}\nfound    {found}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[tokio::test]
async fn values_references_and_required_fields_are_reported_at_once() {
    let text = "people:
- {slug: a, birthDate: x, topics: [nowhere]}
- {slug: [], name: {en: B}}
- {slug: c, name: {en: C}, jurisdiction: nowhere}
cases:
- slug: d
  title: text
  kind: unkind
  parties: [{key: X, role: defendant, person: c}, {role: defendant, person: unreadable}]
  charges: [{party: X, outcome: pending}, {party: y, outcome: none}]
  sentences: many
";
    let found = problems(text).await;
    let expected = [
        "test.yaml:2: people[0].birthDate: \"x\" is not a date",
        "test.yaml:2: people[0].topics[0]: there is no topic with the slug \"nowhere\"",
        "test.yaml:2: people[0].name: name is missing; every person has one, and \"a\" is new",
        "test.yaml:3: people[1].slug: \"\" is not a valid name",
        "test.yaml:4: people[2].jurisdiction: there is no jurisdiction with the slug \"nowhere\"",
        "test.yaml:6: cases[0].status: status is missing; every case has one",
        "test.yaml:7: cases[0].title: this is a text; it must be a map from language tags to texts",
        "test.yaml:8: cases[0].kind: \"unkind\" is not a value of this field",
        "test.yaml:9: cases[0].parties[0].key: \"X\" is not a valid name",
        "test.yaml:10: cases[0].charges[1].outcome: \"none\" is not a value of this field",
        "test.yaml:11: cases[0].sentences: this is a text; it must be a list",
    ];
    for (expected, found) in expected.iter().zip(&found) {
        assert!(found.starts_with(expected), "expected {expected}\nfound    {found}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[tokio::test]
async fn unresolved_references_prevent_any_write() {
    let text = "people:
- {slug: a, name: {en: A}, topics: [nowhere]}
- {slug: a, name: {en: Again}}
- {slug: b}
cases:
- slug: c
  title: {en: C}
  kind: criminal
  status: pending
  parties: [{key: x, role: defendant, person: nobody}, {key: x, role: victim}]
  charges: [{party: y, outcome: pending}]
";
    let found = problems(text).await;
    let expected = [
        "test.yaml:2: people[0].topics[0]: there is no topic with the slug \"nowhere\", neither here nor in the database",
        "test.yaml:3: people[1].slug: \"a\" is given twice, first at test.yaml:2",
        "test.yaml:4: people[2].name: name is missing; every person has one, and \"b\" is new: there is no person with that slug yet",
        "test.yaml:10: cases[0].parties[0].person: there is no person with the slug \"nobody\"",
        "test.yaml:10: cases[0].parties[1].key: \"x\" is given twice in this list",
        "test.yaml:11: cases[0].charges[0].party: there is no part with the key \"y\" in parties of this record",
    ];
    for (expected, found) in expected.iter().zip(&found) {
        assert!(found.starts_with(expected), "expected {expected}\nfound    {found}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[rstest]
#[case("people: [", "invalid YAML")]
#[case("people: {}", "this is a map; it must be a list")]
#[case("people:\n- {slug: a, name: {en: \"A\\0b\"}}", "name.en: text must not contain the character U+0000")]
#[case("people:\n- {slug: a, name: {en: A}, otherNames: [{name: \"A\\eb\"}]}", "text must not contain the character U+001B")]
#[case(&format!("people: {}{}", "[".repeat(100), "]".repeat(100)), "nested more than 64 levels deep")]
#[case(&format!("people: {}{}", "[".repeat(5_000), "]".repeat(5_000)), "recursion limit exceeded")]
#[case("- people", "the file contains a list; it must be a map")]
#[case("people: [1]", "this is a number; a person is a map from fields to values")]
#[case("---\npeople: []\n---\npeople: []", "the file contains several documents")]
#[case(
    "cases:\n- {slug: a, title: {en: A}, kind: civil, status: pending, citations: [{source: s, field: nothing, value: x}]}",
    "a case has no \"nothing\""
)]
#[case(
    "cases:\n- {slug: a, title: {en: A}, kind: civil, status: pending, citations: [{source: s, value: x}]}",
    "a value is claimed and field is missing"
)]
#[case(
    "cases:\n- {slug: a, title: {en: A}, kind: civil, status: pending, citations: [{source: s, field: openedOn, value: May}]}",
    "citations[0].value: \"May\" is not a date"
)]
#[case("sources:\n- {slug: a, title: {en: A}, kind: article, language: '?'}", "is not a language tag")]
#[case(
    "statements:\n- {slug: a, text: {en: A}, about: [x]}",
    "this is not a reference to a record; write its type and its slug, such as {person: alnur-ilyashev}"
)]
#[case("provisions:\n- {slug: a, heading: {en: A}, kind: article, position: 1.5, law: x}", "it must be a whole number")]
#[tokio::test]
async fn invalid_file_is_rejected_with_reason(#[case] text: &str, #[case] expected: &str) {
    let found = problems(text).await;
    assert!(found.iter().any(|problem| problem.contains(expected)), "{found:#?}");
}

#[rstest]
#[tokio::test]
async fn repeated_sample_import_changes_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let everything = "{ people(first: 100) { nodes { id revision updatedAt history { totalCount } } } revisions { totalCount } }";
    let before = server.data(everything).await;
    let text: String = std::fs::read_to_string(crate::server::path("data/people.yaml")).unwrap();
    let outcome = server.import(&text).await.unwrap();
    let people = before["people"]["nodes"].as_array().unwrap().len();
    assert_eq!((outcome.created, outcome.updated, outcome.unchanged), (0, 0, people));
    assert_eq!(server.data(everything).await, before);
}

#[rstest]
#[tokio::test]
async fn only_given_fields_change_and_appear_in_history(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(
        on,
        "organizations:\n- {slug: o, name: {en: O}, classification: court}\ncases:\n- {slug: c, title: {en: C}, kind: criminal, status: pending, openedOn: \"2020\", court: o, parties: [{key: a, role: suspect}, {key: b, role: victim}]}",
    )
    .await;
    let outcome = server
        .import("cases:\n- {slug: c, status: decided, court: null, parties: [{key: a, role: defendant}, {key: d, role: witness}]}")
        .await
        .unwrap();
    assert_eq!((outcome.created, outcome.updated, outcome.unchanged), (0, 1, 0));
    let data = server.data("{ case(by: {slug: \"c\"}) { openedOn status court { slug } revision parties { nodes { key role position } } history { nodes { number by changes { field old new } } } } }").await;
    let case = &data["case"];
    assert_eq!(
        (&case["openedOn"], &case["status"], &case["court"], &case["revision"]),
        (&json!("2020"), &json!("DECIDED"), &json!(null), &json!(2))
    );
    assert_eq!(
        case["parties"]["nodes"],
        json!([{"key": "a", "role": "DEFENDANT", "position": 1}, {"key": "d", "role": "WITNESS", "position": 2}])
    );
    assert_eq!(case["history"]["nodes"][0]["number"], 2);
    assert_eq!(case["history"]["nodes"][0]["by"], "tests");
    let changes: Vec<(&str, Option<&str>)> = case["history"]["nodes"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["field"].as_str().unwrap(), change["new"].as_str()))
        .collect();
    assert_eq!(
        changes,
        [
            ("status", Some("decided")),
            ("court", None),
            ("parties[a].role", Some("defendant")),
            ("parties[d]", Some("{\"role\":\"witness\",\"key\":\"d\"}")),
            ("parties[b]", None),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn referenced_part_is_not_removed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(
        on,
        "cases:\n- {slug: c, title: {en: C}, kind: criminal, status: pending, parties: [{key: a, role: suspect}, {key: b, role: victim}], charges: [{key: x, party: a, outcome: pending}]}",
    )
    .await;
    let problems = server.import("cases:\n- {slug: c, parties: [{key: b, role: victim}]}").await.unwrap_err();
    let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        ["test.yaml:2: cases[0].parties: \"a\" is removed but charges[x].party still refers to it; keep it, or change that too"]
    );
    server.import("cases:\n- {slug: c, parties: [{key: b, role: victim}], charges: [{key: x, party: b, outcome: pending}]}").await.unwrap();
}

#[rstest]
#[tokio::test]
async fn unique_violation_names_the_conflicting_record(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: A}, identifiers: [{scheme: wikidata, value: Q1}]}\nlaws:\n- {slug: l, title: {en: L}, kind: law, status: adopted, eli: e1}").await;
    let message = async |text: &str| server.import(text).await.unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let error = message("people:\n- {slug: b, name: {en: B}, identifiers: [{scheme: wikidata, value: Q1}]}").await;
    assert!(error.contains("people[0].identifiers[0]: \"wikidata Q1\" belongs to another record in the database already"), "{error}");
    let error = message("laws:\n- {slug: m, title: {en: M}, kind: law, status: adopted, eli: e1}").await;
    assert!(error.contains("laws[0].eli: \"e1\" belongs to law \"l\" already"), "{error}");
    // the owner of a unique value may be imported again with it
    server
        .import("people:\n- {slug: a, name: {en: A}, identifiers: [{scheme: wikidata, value: Q1}, {scheme: isni, value: Q1}]}")
        .await
        .unwrap();
}

#[rstest]
#[tokio::test]
async fn records_may_refer_forward_within_a_type(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(
        on,
        "topics:\n- {slug: c, label: {en: C}, broader: b}\n- {slug: b, label: {en: B}, broader: a}\n- {slug: a, label: {en: A}}",
    )
    .await;
    let data = server.data("{ topic(by: {slug: \"c\"}) { broader { slug broader { slug } } } }").await;
    assert_eq!(data["topic"]["broader"], json!({"slug": "b", "broader": {"slug": "a"}}));
}
