//! Imports after a person was withheld whose name others have: nothing that leads to the person comes back.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::interchange::identity::{Door, import};
use crate::server::{Asker, On, Server};

/// Two people of one name, and records that have it in slugs and keys.
const NAMESAKES: &str = "
people:
- {slug: lola-karimbek, name: {en: Lola Karimbek}}
- {slug: lola-karimbek-judge, name: {en: Lola Karimbek}}
organizations:
- {slug: house, name: {en: House}, classification: legislature}
memberships:
- {slug: lola-karimbek-deputy-4f1c, label: {en: Deputy}, person: lola-karimbek, organization: house}
- {slug: lola-karimbek-judge-77aa, label: {en: Judge}, person: lola-karimbek-judge, organization: house}
cases:
- slug: the-case
  title: {en: State v. Lola Karimbek}
  kind: criminal
  status: pending
  parties: [{key: lola-karimbek, role: defendant, person: lola-karimbek}, {key: witness, role: witness}]
  sentences: [{key: lola-karimbek-fine, party: lola-karimbek, kind: fine, amount: 1, unit: KZT}]
  events: [{key: karimbek-spoke, kind: hearing, text: {en: Karimbek spoke}}]
";

const SHOWN: &str = "{
  people { nodes { slug name } }
  memberships { nodes { slug label person { slug } history { nodes { changes { field old new } message } } } }
  cases { nodes {
    slug title parties { nodes { key person { slug } } } sentences { nodes { key party { key } } } events { nodes { key text } }
    history { nodes { changes { field old new } } }
  } }
}";

/// What is shown without the namesake, who keeps the name.
async fn shown(editor: &Asker<'_>) -> String {
    let mut data = editor.data(SHOWN).await;
    for list in ["people", "memberships"] {
        let nodes = data[list]["nodes"].as_array_mut().unwrap();
        let before = nodes.len();
        nodes.retain(|node| node["slug"] != "lola-karimbek-judge" && node["person"]["slug"] != "lola-karimbek-judge");
        assert_eq!(nodes.len(), before - 1, "the namesake keeps the name: {nodes:?}");
    }
    data.to_string().to_lowercase()
}

#[rstest]
#[tokio::test]
async fn repeated_import_does_not_name_a_withheld_namesake(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, NAMESAKES).await;
    let (editor, admin) = (Asker::with_role(&server, Role::Editor).await, Asker::with_role(&server, Role::Admin).await);
    let input = json!({"person": "lola-karimbek", "namesakes": ["lola-karimbek-judge"]});
    let done = admin.done("withholdPerson { places { type field redacted } }", input).await;
    let redacted = json!({"type": "case", "field": "title", "redacted": true});
    assert!(done["places"].as_array().unwrap().contains(&redacted), "{done:#}");
    let before = shown(&editor).await;
    assert!(!before.contains("karimbek") && !before.contains("4f1c"), "{before}");
    for _ in 0..2 {
        let summary = server.import(NAMESAKES).await.unwrap();
        assert!(summary.redacted > 0);
        let after = shown(&editor).await;
        assert!(!after.contains("karimbek") && !after.contains("4f1c"), "{after}");
    }
    // the records are the same, not new ones
    let counted = admin.data("{ memberships { totalCount } cases { totalCount nodes { parties { totalCount } } } }").await;
    let expected = json!({"memberships": {"totalCount": 2}, "cases": {"totalCount": 1, "nodes": [{"parties": {"totalCount": 2}}]}});
    assert_eq!(counted, expected);
    // an editor cannot write the name beside the person either, and may elsewhere
    let case = admin.data("{ cases { nodes { id } } }").await["cases"]["nodes"][0]["id"].clone();
    let refused = editor.payload("updateCase { case { id } }", json!({"id": case, "title": {"en": "State v. Karimbek"}})).await;
    assert_eq!(refused["errors"][0]["code"], "WITHHELD", "{refused}");
    editor.done("updateCase { case { id } }", json!({"id": case, "docketNumber": "1", "message": "asked by Karimbek"})).await;
    let messages = editor.data("{ cases { nodes { history { nodes { message } } } } }").await.to_string();
    assert!(messages.contains("asked by Name withheld"), "{messages}");
    let other = json!({"title": {"en": "Lola Karimbek presides"}, "kind": "CIVIL", "status": "PENDING"});
    editor.done("createCase { case { id } }", other).await;
}

/// A register that names two people alike, with a seat of each.
fn register() -> Value {
    let person = |id: &str| json!({"id": id, "name": "Lola Karimbek"});
    let membership = |id: &str| json!({"person_id": id, "organization_id": "house", "role": "deputy"});
    json!({
        "persons": [person("1001"), person("1002")],
        "organizations": [{"id": "house", "name": "House"}],
        "memberships": [membership("1001"), membership("1002")],
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn repeated_register_does_not_name_a_withheld_namesake(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("parl.popolo.json", register().to_string());
    let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
    assert!(output.contains("5 created"), "{output}");
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    let ids = admin.data("{ people(order: {field: CREATED_AT, direction: ASC}) { nodes { id slug } } }").await;
    let (first, second) = (&ids["people"]["nodes"][0], &ids["people"]["nodes"][1]);
    admin.done("withholdPerson { placeCount }", json!({"person": first["id"], "namesakes": [second["id"]]})).await;
    let memberships = async || {
        let query = format!(
            "{{ node(id: {}) {{ ... on Person {{ slug memberships {{ nodes {{ slug label history {{ nodes {{ changes {{ old new }} }} }} }} }} }} }} }}",
            first["id"]
        );
        admin.data(&query).await.to_string()
    };
    let (before, slug) = (memberships().await, first["slug"].as_str().unwrap());
    assert!(!before.contains("karimbek"), "{before}");
    for _ in 0..2 {
        let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
        let after = memberships().await;
        assert!(!after.contains("karimbek") && !after.contains(slug), "{after}");
        assert!(!output.contains(slug), "{output}");
        let counted = admin.data("{ people { totalCount } }").await;
        assert_eq!(counted["people"]["totalCount"], 2, "{output}");
    }
}

/// A register of one person with a seat that has no id, and with a vote.
fn single_register(start: &str) -> Value {
    json!({
        "persons": [{"id": "1", "name": "Lola Karimbek"}, {"id": "2", "name": "Aru Seitova"}],
        "organizations": [{"id": "house", "name": "House"}],
        "memberships": [{"person_id": "1", "organization_id": "house", "role": "deputy", "start_date": start}],
        "vote_events": [{
            "id": "v1", "motion": {"text": "Budget", "date": "2020-01-02"},
            "votes": [{"voter_id": "1", "option": "yes"}, {"voter_id": "2", "option": "no"}],
        }],
    })
}

/// Ids of the memberships and votes of a person.
async fn linked(admin: &Asker<'_>, person: &Value) -> Value {
    admin
        .data(&format!(
            "{{ node(id: {person}) {{ ... on Person {{ memberships {{ nodes {{ id }} }} votes {{ nodes {{ id key }} }} }} }} }}"
        ))
        .await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn repeated_register_makes_no_second_membership_of_a_withheld_person(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("parl.popolo.json", single_register("2019-01-01").to_string());
    import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    let person = admin.data("{ person(by: {slug: \"lola-karimbek\"}) { id } }").await["person"]["id"].clone();
    admin.done("withholdPerson { placeCount }", json!({"person": person})).await;
    let before = linked(&admin, &person).await;
    assert_eq!(before["node"]["memberships"]["nodes"].as_array().unwrap().len(), 1, "{before}");
    assert_eq!(before["node"]["votes"]["nodes"].as_array().unwrap().len(), 1, "{before}");
    for start in ["2019-01-01", "2019-01-01", "2019-02-01"] {
        fixture.write_file("parl.popolo.json", single_register(start).to_string());
        let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
        assert!(output.contains("0 created, 0 updated"), "{start}: {output}");
        assert_eq!(linked(&admin, &person).await, before, "{start}: {output}");
    }
    // another seat is another membership
    let mut register = single_register("2019-01-01");
    register["organizations"].as_array_mut().unwrap().push(json!({"id": "party", "name": "Party"}));
    register["memberships"].as_array_mut().unwrap().push(json!({"person_id": "1", "organization_id": "party"}));
    fixture.write_file("parl.popolo.json", register.to_string());
    let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
    assert!(output.contains("2 created, 0 updated"), "{output}");
    assert_eq!(linked(&admin, &person).await["node"]["memberships"]["nodes"].as_array().unwrap().len(), 2, "{output}");
}

/// A withheld person in the parts of records.
const IN_PARTS: &str = "
people:
- {slug: lola-karimbek, name: {en: Lola Karimbek}}
- {slug: aru-seitova, name: {en: Aru Seitova}}
organizations:
- {slug: house, name: {en: House}, classification: legislature}
cases:
- slug: the-case
  title: {en: A case}
  kind: criminal
  status: pending
  parties:
  - {key: lola-karimbek, role: defendant, person: lola-karimbek, description: {en: Lola Karimbek of Almaty}}
  - {key: aru-seitova, role: defendant, person: aru-seitova}
  - {key: friend-of-lola-karimbek, role: witness}
  charges: [{key: karimbek-1, party: lola-karimbek, outcome: pending}, {key: c2, party: aru-seitova, outcome: pending}]
proposals:
- slug: bill
  title: {en: Bill}
  kind: bill
  status: introduced
  sponsors: [{person: lola-karimbek, role: author}, {person: aru-seitova, role: author}]
voteEvents:
- slug: vote
  motion: {en: Bill}
  date: \"2020-01-02\"
  result: pass
  votes: [{person: lola-karimbek, option: yes}, {person: aru-seitova, option: no}]
";

const PARTS: &str = "{
  cases { nodes { revision parties { nodes { id key } } charges { nodes { id key party { id } } } } }
  proposals { nodes { revision sponsors { nodes { id key } } } }
  voteEvents { nodes { revision votes { nodes { id key } } } }
}";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn repeated_import_keeps_the_parts_that_refer_to_a_withheld_person(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("parts.yaml", IN_PARTS);
    let output = import(&fixture, door, "parts.yaml", None, None).await;
    assert!(output.contains("6 created"), "{output}");
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "lola-karimbek"})).await;
    let before = admin.data(PARTS).await;
    for _ in 0..2 {
        let output = import(&fixture, door, "parts.yaml", None, None).await;
        assert!(output.contains("0 created, 0 updated, 6 unchanged"), "{output}");
        assert_eq!(admin.data(PARTS).await, before, "{output}");
    }
    // the parts are found by the person if their values change, too
    fixture.write_file("parts.yaml", IN_PARTS.replace("outcome: pending", "outcome: acquitted").replace("of Almaty", "of Astana"));
    let output = import(&fixture, door, "parts.yaml", None, None).await;
    assert!(output.contains("0 created, 1 updated, 5 unchanged"), "{output}");
    let ids = |data: &Value| data.to_string().replace(|char: char| char.is_ascii_digit(), "");
    let mut after = admin.data(PARTS).await;
    after["cases"]["nodes"][0]["revision"] = before["cases"]["nodes"][0]["revision"].clone();
    assert_eq!(ids(&after), ids(&before), "{output}");
}

/// The same name with another id, and what identifies the person.
fn other_register() -> Value {
    json!({
        "persons": [{
            "id": "77", "name": "Karimbek, Lola", "birth_date": "1980-05-06", "image": "https://img.example/77.jpg",
            "email": "lk@example.org", "contact_details": [{"type": "voice", "value": "+7 701 000 00 00"}],
        }, {"id": "78", "name": "Marat Beisenov"}],
        "organizations": [{"id": "board", "name": "Board"}],
        "memberships": [{"person_id": "77", "organization_id": "board"}, {"person_id": "78", "organization_id": "board"}],
        "vote_events": [{
            "id": "w1", "motion": {"text": "Plan", "date": "2021-01-02"},
            "votes": [{"voter_id": "77", "option": "yes"}, {"voter_id": "78", "option": "no"}],
        }],
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn withheld_person_does_not_come_back_from_another_register(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[values("Lola Karimbek", "Karimbek, Lola", "Lola B. Karimbek")] name: &str,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("parl.popolo.json", single_register("2019-01-01").to_string());
    import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "lola-karimbek"})).await;
    let mut register = other_register();
    register["persons"][0]["name"] = json!(name);
    fixture.write_file("board.popolo.json", register.to_string());
    for expected in ["4 created, 0 updated, 0 unchanged", "0 created, 0 updated, 4 unchanged"] {
        let output = import(&fixture, door, "board.popolo.json", Some("board"), None).await;
        assert!(output.contains(expected), "{output}");
        assert!(output.contains("this person is skipped, because the dataset withholds the name"), "{output}");
        assert!(output.contains("this is skipped, because it needs a record that is skipped"), "{output}");
        let data = admin.data("{ people { nodes { name birthDate image contactDetails { value } identifiers { value } memberships { totalCount } votes { totalCount } } } }").await;
        let people = data["people"]["nodes"].as_array().unwrap();
        assert_eq!(people.len(), 3, "{data}");
        let withheld: Vec<&Value> = people.iter().filter(|person| person["name"] == "Name withheld").collect();
        let expected = json!({
            "name": "Name withheld", "birthDate": null, "image": null, "contactDetails": [], "identifiers": [],
            "memberships": {"totalCount": 1}, "votes": {"totalCount": 1},
        });
        assert_eq!(withheld, [&expected], "{data}");
        let data = admin
            .data("{ voteEvents { nodes { motion votes { totalCount } } } organizations { nodes { name memberships { totalCount } } } }")
            .await;
        let plan = json!({"motion": "Plan", "votes": {"totalCount": 1}});
        assert!(data["voteEvents"]["nodes"].as_array().unwrap().contains(&plan), "{data}");
        let board = json!({"name": "Board", "memberships": {"totalCount": 1}});
        assert!(data["organizations"]["nodes"].as_array().unwrap().contains(&board), "{data}");
    }
}

/// References that a record does not need are left out, and a record that exists is not renamed to a withheld name.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn references_to_a_skipped_person_are_left_out(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file(
        "a.yaml",
        "people: [{slug: lola-karimbek, name: {en: Lola Karimbek}}, {slug: writer, name: {en: Writer}, birthDate: \"1970\"}]",
    );
    import(&fixture, door, "a.yaml", None, None).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "lola-karimbek"})).await;
    let text = "
people:
- {slug: new-one, name: {en: Lola Karimbek}, birthDate: \"1980\"}
- {slug: writer, name: {en: Lola Karimbek}, birthDate: \"1971\"}
cases: [{slug: c, title: {en: C}, kind: civil, status: pending, parties: [{key: a, person: new-one, role: plaintiff}, {key: b, role: witness}]}]
organizations: [{slug: o, name: {en: O}, classification: other}]
memberships: [{slug: m, label: {en: M}, person: new-one, organization: o}]
";
    fixture.write_file("b.yaml", text);
    let output = import(&fixture, door, "b.yaml", None, None).await;
    assert!(output.contains("2 created, 0 updated, 1 unchanged"), "{output}");
    assert!(output.contains("this reference is left out, because the record is skipped"), "{output}");
    let data = admin.data("{ people { nodes { slug name birthDate } } cases { nodes { parties { nodes { key person { id } } } } } memberships { totalCount } }").await;
    assert_eq!(data["people"]["nodes"].as_array().unwrap().len(), 2, "{data}");
    let writer = json!({"slug": "writer", "name": "Writer", "birthDate": "1970"});
    assert!(data["people"]["nodes"].as_array().unwrap().contains(&writer), "{data}");
    let parties = json!([{"key": "a", "person": null}, {"key": "b", "person": null}]);
    assert_eq!(data["cases"]["nodes"][0]["parties"]["nodes"], parties, "{data}");
    assert_eq!(data["memberships"]["totalCount"], 0, "{data}");
    // a mutation of one record has failed
    let payload = admin.payload("upsertPerson { person { id } }", json!({"slug": "new-one", "name": {"en": "Lola Karimbek"}})).await;
    assert_eq!(payload["errors"][0]["code"], "WITHHELD", "{payload}");
    // with --strict nothing is written
    let output = crate::interchange::identity::import_strictly(&fixture, door, "b.yaml").await;
    assert!(output.contains("this person is skipped") && !output.contains("1 created"), "{output}");
}
