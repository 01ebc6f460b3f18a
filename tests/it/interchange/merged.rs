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
    let query = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { updated unchanged results { warnings } } }";
    let record = json!({"person": {"name": {"en": "Ann Beatrice Lee"}, "identifiers": [{"scheme": "courts", "value": "9"}]}});
    let answer = editor.answer(query, json!({"input": {"records": [record]}})).await;
    let imported = &answer["data"]["importRecords"];
    assert_eq!((&imported["updated"], &imported["unchanged"]), (&json!(0), &json!(1)), "{answer:#}");
    assert!(imported["results"][0]["warnings"].to_string().contains("was merged into the person"), "{answer:#}");
    // the register of the kept person goes on
    fixture.write_file("judge.yaml", JUDGE.replace("Judge", "Retired judge"));
    fixture.import_ok(&["judge.yaml"]);
    assert_eq!(person(&fixture).await["biography"], "Retired judge");
}
