//! Imports of records that were merged into others.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use super::identity::{Door, import};
use crate::server::{Asker, On};

const JUDGE: &str = "people: [{slug: ann-lee, name: {en: Ann Lee}, birthDate: \"1950\", biography: {en: Judge}, identifiers: [{scheme: bar, value: \"1\"}]}]";

fn convict(name: &str) -> String {
    json!({"persons": [{"id": "9", "name": name, "birth_date": "1972", "summary": "Convict"}]}).to_string()
}

async fn person(fixture: &ImportFixture) -> Value {
    fixture.server.data("{ person(by: {slug: \"ann-lee\"}) { name birthDate biography } }").await["person"].clone()
}

/// The register of a merged person still has that person under its id. Its next import must not write over the person that was
/// kept; after the merge is undone, it writes again.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn register_of_a_merged_person_does_not_change_the_kept_one(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("judge.yaml", JUDGE);
    fixture.import_ok(&["judge.yaml"]);
    fixture.write_file("register.popolo.json", convict("Ann B. Lee"));
    let output = import(&fixture, door, "register.popolo.json", Some("courts"), None).await;
    assert!(output.contains("1 created") || output.contains("\"created\":1"), "{output}");
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    editor.done("mergePeople { person { id } }", json!({"from": "ann-b-lee", "into": "ann-lee"})).await;
    let kept = person(&fixture).await;
    assert_eq!(kept, json!({"name": "Ann Lee", "birthDate": "1950", "biography": "Judge"}));
    fixture.write_file("register.popolo.json", convict("Ann Beatrice Lee"));
    let output = import(&fixture, door, "register.popolo.json", Some("courts"), None).await;
    assert!(output.contains("was merged into the person"), "{output}");
    assert_eq!(person(&fixture).await, kept);
    // a record without a slug is found by the same identifier
    let query =
        "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { updated unchanged results { warnings { message } } } }";
    let record = json!({"person": {"name": {"en": "Ann Beatrice Lee"}, "identifiers": [{"scheme": "courts", "value": "9"}]}});
    let answer = editor.answer(query, json!({"input": {"records": [record]}})).await;
    let imported = &answer["data"]["importRecords"];
    assert_eq!((&imported["updated"], &imported["unchanged"]), (&json!(0), &json!(1)), "{answer:#}");
    assert!(imported["results"][0]["warnings"].to_string().contains("was merged into the person"), "{answer:#}");
    let payload = editor.payload("upsertPerson { person { id } }", record["person"].clone()).await;
    assert_eq!(payload["errors"][0]["code"], "TAKEN", "{payload:#}");
    assert_eq!(person(&fixture).await, kept);
    // the register of the kept person goes on
    fixture.write_file("judge.yaml", JUDGE.replace("Judge", "Retired judge"));
    fixture.import_ok(&["judge.yaml"]);
    assert_eq!(person(&fixture).await["biography"], "Retired judge");
}

/// The same for organizations, whose members still come to the one that was kept.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn register_of_a_merged_organization_keeps_its_members(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let register = |name: &str, people: &[&str]| {
        let person = |id: &&str| json!({"id": id, "name": format!("Person {id}"), "memberships": [{"id": format!("m{id}"), "organization_id": "o"}]});
        let people: Vec<Value> = people.iter().map(person).collect();
        json!({"organizations": [{"id": "o", "name": name}], "persons": people}).to_string()
    };
    fixture.write_file("union.yaml", "organizations: [{slug: union, name: {en: Union}, classification: other}]");
    fixture.import_ok(&["union.yaml"]);
    fixture.write_file("register.popolo.json", register("The Union", &["1"]));
    import(&fixture, door, "register.popolo.json", Some("courts"), None).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    editor.done("mergeOrganizations { organization { id } }", json!({"from": "the-union", "into": "union"})).await;
    fixture.write_file("register.popolo.json", register("The Great Union", &["1", "2"]));
    let output = import(&fixture, door, "register.popolo.json", Some("courts"), None).await;
    assert!(output.contains("was merged into the organization"), "{output}");
    let data = fixture.server.data("{ organizations { nodes { name memberships { nodes { person { name } } } } } }").await;
    let organizations = data["organizations"]["nodes"].as_array().unwrap();
    assert_eq!(organizations.len(), 1, "{data:#}");
    assert_eq!(organizations[0]["name"], "Union");
    let members = organizations[0]["memberships"]["nodes"].as_array().unwrap().iter();
    let mut names: Vec<&str> = members.map(|member| member["person"]["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Person 1", "Person 2"]);
}
