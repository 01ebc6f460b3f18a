//! Withheld names that come together from what is stored and what an import adds, and slugs that come to mean two people.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::interchange::identity::{Door, import};
use crate::server::{Asker, On, Server};

const PERSON: &str = "people: [{slug: gn, name: {en: Gaukhar Nurpeisova, ru: Гаухар Нурпеисова}}]\n";

/// What a first file gives of a person, and what a second one adds, so that the name is whole.
const IN_TWO_STEPS: [(&str, &str); 9] = [
    ("name: {en: Gaukhar}", "name: {ru: Нурпеисова}"),
    ("name: {en: Nurpeisova}", "name: {ru: Нурпеисова}, givenName: Gaukhar"),
    ("name: {en: Gaukhar}", "otherNames: [{name: Nurpeisova}]"),
    ("name: {en: Timur}, otherNames: [{name: Gaukhar}]", "sortName: Nurpeisova"),
    ("name: {en: Nurpeisova}", "honorificPrefix: Gaukhar"),
    ("name: {en: Gaukhar}", "honorificSuffix: Nurpeisova"),
    ("name: {en: Timur}", "honorificSuffix: G. Nurpeisova"),
    ("name: {en: Timur}", "familyName: Gaukhar Nurpeisova"),
    ("name: {en: Timur}, familyName: Nurpeisova", "additionalName: Gaukhar"),
];

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_does_not_come_together_over_two_imports(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("person.yaml", PERSON);
    import(&fixture, door, "person.yaml", None, None).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "gn"})).await;
    let file = |values: &dyn Fn(usize) -> &'static str| {
        let people: String = (0..IN_TWO_STEPS.len()).map(|index| format!("- {{slug: p{index}, {}}}\n", values(index))).collect();
        format!("people:\n{people}")
    };
    fixture.write_file("people.yaml", file(&|index| IN_TWO_STEPS[index].0));
    let output = import(&fixture, door, "people.yaml", None, None).await;
    assert!(output.contains("9 created"), "{output}");
    let query = "{ people { nodes { slug revision names { lang text } otherNames { name } sortName \
                 givenName additionalName familyName honorificPrefix honorificSuffix history { totalCount } } } }";
    let before = admin.data(query).await;
    let parties: String = (0..IN_TWO_STEPS.len()).map(|index| format!("{{key: k{index}, role: defendant, person: p{index}}}, ")).collect();
    let cases = format!("cases: [{{slug: c, title: {{en: C}}, kind: criminal, status: pending, parties: [{parties}]}}]\n");
    fixture.write_file("people.yaml", file(&|index| IN_TWO_STEPS[index].1) + &cases);
    for expected in ["1 created, 0 updated, 9 unchanged", "0 created, 0 updated, 10 unchanged"] {
        let output = import(&fixture, door, "people.yaml", None, None).await;
        assert!(output.contains(expected), "{output}");
        assert!(output.contains("this person is skipped, because the dataset withholds the name"), "{output}");
        assert_eq!(admin.data(query).await, before, "{output}");
        // what the file says of them is about the withheld person
        let parties = admin.data("{ cases { nodes { parties { nodes { key person { slug } } } } } }").await.to_string();
        assert!(!parties.contains("slug"), "{parties}");
    }
}

/// A slug with the name, or an identifier of the withheld person beside the slug of another one, is that of no other person.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn withheld_person_does_not_come_back_by_a_slug_or_an_identifier(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let people = PERSON.replace("}}]", "}, identifiers: [{scheme: register, value: \"1\"}]}, {slug: other, name: {en: Timur}}]");
    fixture.write_file("people.yaml", people);
    let output = import(&fixture, door, "people.yaml", None, None).await;
    assert!(output.contains("2 created"), "{output}");
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "gn"})).await;
    let people = "people: [{slug: gaukhar-nurpeisova-2, name: {en: Gaukhar}}, {slug: other, name: {en: Timur}, birthDate: \"1970\", \
                  identifiers: [{scheme: register, value: \"1\"}]}]\n\
                  statements: [{slug: s1, text: {en: T}, speaker: gaukhar-nurpeisova-2}, {slug: s2, text: {en: T}, speaker: other}]\n";
    fixture.write_file("people.yaml", people);
    let output = import(&fixture, door, "people.yaml", None, None).await;
    assert!(output.contains("2 created, 0 updated, 1 unchanged"), "{output}");
    for warning in ["the dataset withholds the name", "the slug may mean two people", "its slug may mean two people"] {
        assert!(output.contains(warning), "{warning}: {output}");
    }
    let data = admin.data("{ people { nodes { birthDate } } statements { nodes { speaker { id } } } }").await;
    let expected = json!({
        "people": {"nodes": [{"birthDate": null}, {"birthDate": null}]},
        "statements": {"nodes": [{"speaker": null}, {"speaker": null}]},
    });
    assert_eq!(data, expected, "{output}");
}

/// What an editor wrote stays, so that the name is whole although the file replaces it.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_does_not_come_together_with_an_edit(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, &PERSON.replace("}}]", "}}, {slug: p, name: {en: Timur}}]")).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    admin.done("withholdPerson { placeCount }", json!({"person": "gn"})).await;
    editor.done("updatePerson { person { id } }", json!({"id": "p", "sortName": "Gaukhar"})).await;
    let person = json!({"slug": "p", "name": {"ru": "Нурпеисова"}, "sortName": "Timur"});
    let import = "importRecords { updated results { warnings { code } } }";
    let records = json!({"records": [{"person": person}]});
    let done = editor.done(import, records.clone()).await;
    assert_eq!((&done["updated"], &done["results"]), (&json!(0), &json!([{"warnings": [{"code": "WITHHELD"}]}])));
    // one that writes over edits leaves one word of the name
    let mut overwriting = records;
    overwriting["overwrite"] = json!(true);
    let done = editor.done(import, overwriting).await;
    assert_eq!(done["updated"], 1, "{done}");
    let names = editor.data("{ person(by: {slug: \"p\"}) { names { text } sortName } }").await;
    assert_eq!(names["person"], json!({"names": [{"text": "Нурпеисова"}], "sortName": "Timur"}));
    // merged texts are those in all languages
    let merged = json!({"records": [{"person": {"slug": "p", "name": {"en": "Gaukhar"}}}], "overwrite": true, "merge": true});
    assert_eq!(editor.done(import, merged).await["updated"], 0);
}

/// A vote that is stored is not removed, because the file says that the voter has a withheld name.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn stored_parts_of_a_skipped_person_stay(#[values(On::Sqlite, On::Postgres)] on: On) {
    let vote = "voteEvents: [{slug: v, motion: {en: M}, date: \"2020-01-02\", result: pass, votes: [{person: p, option: yes}, {person: q, option: no}]}]\n";
    let people = |name: &str| format!("people: [{{slug: p, name: {{{name}}}}}, {{slug: q, name: {{en: Q}}}}]\n");
    let server = Server::with(on, PERSON).await;
    let admin = Asker::with_role(&server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "gn"})).await;
    server.import(&(people("en: Gaukhar") + vote)).await.unwrap();
    let query = "{ voteEvents { nodes { revision votes { nodes { id option person { slug } } } } } }";
    let before = admin.data(query).await;
    let summary = server.import(&(people("en: Gaukhar, ru: Нурпеисова") + &vote.replace("option: no", "option: abstain"))).await.unwrap();
    assert_eq!((summary.created, summary.updated, summary.warnings.len()), (0, 0, 2), "{summary:?}");
    assert_eq!(admin.data(query).await, before);
}

/// A case with a word of the name in its slug, and a party.
const LINKED: &str = "
people: [{slug: zk, name: {en: Zulfiya Karabekova}}]
cases: [{slug: people-v-karabekova, title: {en: The case}, kind: criminal, status: pending, parties: [{key: p, role: defendant, person: zk}]}]
statements: [{slug: said, text: {en: Text}, speaker: zk, saidOn: \"2020\"}]
";

/// The slug that a record had before a word of the name was redacted from it is not that of another record, to which an import
/// would then write.
#[rstest]
#[tokio::test]
async fn redacted_slug_of_a_linked_record_is_not_free(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, LINKED).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    admin.done("withholdPerson { placeCount }", json!({"person": "zk"})).await;
    let slug = "people-v-karabekova";
    let case = json!({"slug": slug, "title": {"en": "Another"}, "kind": "CIVIL", "status": "PENDING"});
    let refused = editor.payload("createCase { case { id } }", case.clone()).await;
    assert_eq!(refused["errors"][0]["code"], "TAKEN", "{refused}");
    let mut renamed = case;
    renamed["slug"] = json!("another");
    editor.done("createCase { case { id } }", renamed).await;
    let refused = editor.payload("updateCase { case { id } }", json!({"id": "another", "slug": slug})).await;
    assert_eq!((&refused["errors"][0]["code"], &refused["errors"][0]["path"]), (&json!("TAKEN"), &json!(["input", "slug"])), "{refused}");
    let generated = json!({"title": {"en": "People v. Karabekova"}, "kind": "CIVIL", "status": "PENDING"});
    let done = editor.done("createCase { case { slug } }", generated).await;
    assert_eq!(done["case"]["slug"], "people-v-karabekova-2");
    // the file from before is unchanged
    let summary = server.import(LINKED).await.unwrap();
    assert_eq!((summary.created, summary.updated), (0, 0), "{summary:?}");
    let another = editor.data("{ case(by: {slug: \"another\"}) { title parties { totalCount } } }").await;
    assert_eq!(another["case"], json!({"title": "Another", "parties": {"totalCount": 0}}));
}

/// A slug that a withheld person had is free. Files from before then link nothing to the person who got it.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn file_from_before_does_not_mean_the_person_who_got_the_slug(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[values(false, true)] has_namesake: bool,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("all.yaml", LINKED);
    import(&fixture, door, "all.yaml", None, None).await;
    let (editor, admin) = (Asker::with_role(&fixture.server, Role::Editor).await, Asker::with_role(&fixture.server, Role::Admin).await);
    let name = |text: &str| json!({"en": text});
    if has_namesake {
        editor.done("createPerson { person { id } }", json!({"slug": "zk-2", "name": name("Zulfiya Karabekova")})).await;
    }
    let namesakes = if has_namesake { json!(["zk-2"]) } else { json!([]) };
    admin.done("withholdPerson { placeCount }", json!({"person": "zk", "namesakes": namesakes})).await;
    let other = if has_namesake { "Zulfiya Karabekova" } else { "Somebody" };
    editor.done("createPerson { person { id } }", json!({"slug": "zk", "name": name(other)})).await;
    // only the records that refer to the person, then with the person
    let (people, linked) = LINKED.split_at(LINKED.find("cases:").unwrap());
    let new = linked.replace("people-v-karabekova", "new-case").replace("slug: said", "slug: said-again");
    for (file, text) in [("linked.yaml", linked.to_owned()), ("new.yaml", new.clone()), ("all.yaml", format!("{people}{linked}"))] {
        fixture.write_file(file, text);
        let output = import(&fixture, door, file, None, None).await;
        let found =
            admin.data("{ person(by: {slug: \"zk\"}) { name revision caseParties { totalCount } statements { totalCount } } }").await;
        let none = json!({"totalCount": 0});
        assert_eq!(found["person"], json!({"name": other, "revision": 1, "caseParties": none, "statements": none}), "{file}: {output}");
        let is_known = file == "all.yaml" && !has_namesake;
        assert_eq!(
            output.contains("its slug may mean two people") || output.contains("the slug may mean two people"),
            !is_known,
            "{output}"
        );
    }
    let speakers = admin.data("{ statements { nodes { slug speaker { name } } } }").await;
    let said = json!({"slug": "said", "speaker": {"name": "Name withheld"}});
    assert!(speakers["statements"]["nodes"].as_array().unwrap().contains(&said), "{speakers}");
}

/// A register of the namesake of a withheld person.
fn register_of_namesake() -> Value {
    json!({
        "persons": [{"id": "77", "name": "Zulfiya Karabekova", "birth_date": "1970-01-01"}],
        "organizations": [{"id": "board", "name": "Board"}],
        "memberships": [{"person_id": "77", "organization_id": "board", "role": "member"}],
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn namesake_from_another_register_is_not_the_withheld_person(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let text = "people: [{slug: zulfiya-karabekova, name: {en: Zulfiya Karabekova}}, {slug: zk-2, name: {en: Zulfiya Karabekova}}]\n";
    fixture.write_file("all.yaml", text);
    import(&fixture, door, "all.yaml", None, None).await;
    let (editor, admin) = (Asker::with_role(&fixture.server, Role::Editor).await, Asker::with_role(&fixture.server, Role::Admin).await);
    let withheld = admin.done("withholdPerson { person { id } }", json!({"person": "zulfiya-karabekova", "namesakes": ["zk-2"]})).await;
    fixture.write_file("board.popolo.json", register_of_namesake().to_string());
    let mut slugs = Vec::new();
    for expected in ["3 created, 0 updated, 0 unchanged", "0 created, 0 updated, 3 unchanged"] {
        let output = import(&fixture, door, "board.popolo.json", Some("board"), None).await;
        assert!(output.contains(expected), "{output}");
        let found = admin.data("{ memberships { nodes { person { slug birthDate identifiers { value } } } } }").await;
        let nodes = found["memberships"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 1, "{found}");
        assert_eq!(
            (&nodes[0]["person"]["birthDate"], &nodes[0]["person"]["identifiers"][0]["value"]),
            (&json!("1970-01-01"), &json!("77"))
        );
        slugs.push(nodes[0]["person"]["slug"].as_str().unwrap().to_owned());
    }
    // through every interface
    assert!(slugs[0].starts_with("zulfiya-karabekova-") && slugs[0] == slugs[1], "{slugs:?}");
    let query = format!("{{ node(id: {}) {{ ... on Person {{ memberships {{ totalCount }} revision }} }} }}", withheld["person"]["id"]);
    assert_eq!(admin.data(&query).await["node"]["memberships"]["totalCount"], 0);
    // the slug itself does not tell the two apart
    let person =
        json!({"slug": "zulfiya-karabekova", "name": {"en": "Zulfiya Karabekova"}, "identifiers": [{"scheme": "court", "value": "1"}]});
    let refused = editor.payload("importRecords { results { errors { code path } } }", json!({"records": [{"person": person}]})).await;
    assert_eq!(refused["results"][0]["errors"][0]["code"], "TAKEN", "{refused}");
}

/// A person whose slug a withheld one had, under another name: the same person may have another name now.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn withheld_person_does_not_come_back_under_another_name(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("all.yaml", LINKED);
    import(&fixture, door, "all.yaml", None, None).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "zk"})).await;
    let query = "{ people { nodes { name revision } } cases { nodes { revision parties { nodes { person { name } } } } } statements { nodes { revision speaker { name } } } }";
    let before = admin.data(query).await;
    fixture.write_file("all.yaml", LINKED.replace("Zulfiya Karabekova", "Saule Ospanova"));
    let output = import(&fixture, door, "all.yaml", None, None).await;
    assert!(output.contains("0 created, 0 updated"), "{output}");
    assert!(output.contains("the slug may mean two people"), "{output}");
    assert_eq!(admin.data(query).await, before);
}

/// A withheld name in a nested input is one error.
#[rstest]
#[tokio::test]
async fn withheld_name_in_a_nested_input_is_one_error(#[values(On::Sqlite, On::Postgres)] on: On) {
    let text = format!("{LINKED}sources: [{{slug: news, title: {{en: News}}, kind: article}}]\n");
    let server = Server::with(on, &text).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    let case = editor.data("{ cases { nodes { id } } }").await["cases"]["nodes"][0]["id"].clone();
    admin.done("withholdPerson { placeCount }", json!({"person": "zk"})).await;
    let name = "Zulfiya Karabekova";
    editor.done("addCitation { record { id } }", json!({"record": case, "citation": {"key": "c", "source": "news", "quote": "q"}})).await;
    let texts = json!({"en": name});
    let inputs = [
        (
            "addCitation { record { id } }",
            json!({"record": case, "citation": {"source": "news", "quote": name}}),
            json!(["input", "citation", "quote"]),
        ),
        (
            "addCitation { record { id } }",
            json!({"record": case, "citation": {"source": "news", "note": name}}),
            json!(["input", "citation", "note"]),
        ),
        (
            "addCitation { record { id } }",
            json!({"record": case, "citation": {"source": "news", "field": "title", "value": name}}),
            json!(["input", "citation", "value"]),
        ),
        // a source that is made of its URL has the name in the title, too
        (
            "addCitation { record { id } }",
            json!({"record": case, "citation": {"source": "https://news.example/zulfiya-karabekova"}}),
            json!(["input", "citation", "source"]),
        ),
        (
            "updateCitation { record { id } }",
            json!({"record": case, "key": "c", "source": "https://news.example/zulfiya-karabekova"}),
            json!(["input", "source"]),
        ),
        ("updateCitation { record { id } }", json!({"record": case, "key": "c", "quote": name}), json!(["input", "quote"])),
        ("addIdentifier { record { id } }", json!({"record": case, "scheme": "s", "value": name}), json!(["input", "value"])),
        (
            "updateCase { case { id } }",
            json!({"id": case, "parties": [{"role": "WITNESS", "description": texts}]}),
            json!(["input", "parties", 0, "description"]),
        ),
        (
            "updateCase { case { id } }",
            json!({"id": case, "events": [{"kind": "HEARING", "text": texts}]}),
            json!(["input", "events", 0, "text"]),
        ),
        (
            "addCaseEvent { case { id } }",
            json!({"case": {"id": case}, "caseEvent": {"kind": "HEARING", "text": texts}}),
            json!(["input", "caseEvent", "text"]),
        ),
        (
            "addCaseParty { case { id } }",
            json!({"case": {"id": case}, "caseParty": {"role": "WITNESS", "description": texts}}),
            json!(["input", "caseParty", "description"]),
        ),
        ("createTopic { topic { id } }", json!({"label": texts}), json!(["input", "label"])),
    ];
    for (mutation, input, path) in inputs {
        let payload = editor.payload(mutation, input.clone()).await;
        let errors = payload["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{mutation} {input}: {payload:#}");
        assert_eq!((&errors[0]["code"], &errors[0]["path"]), (&json!("WITHHELD"), &path), "{mutation}: {payload:#}");
    }
}
