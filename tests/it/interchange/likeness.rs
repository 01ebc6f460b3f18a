//! Imports warn of new records that are like stored ones.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::json;

use super::ImportFixture;
use crate::interchange::identity::{Door, import, import_strictly};
use crate::server::{Asker, On};

const STORED: &str = r#"
people:
- {slug: kuat, name: {ru: Қуат Ертаев}, birthDate: "1971-02-03"}
- {slug: anna, name: {en: Anna Petrova}}
organizations:
- {slug: court, name: {ru: Верховный суд}, classification: court}
"#;

const NEW: &str = r#"
people:
- {slug: new-1, name: {en: YERTAYEV Kuat}, birthDate: "1971-02-03"}
- {slug: new-2, name: {en: YERTAYEV Kuat}, birthDate: "1990"}
- {slug: new-3, name: {en: Bolat Nobody}}
- {slug: anna, name: {en: Anna Petrova}, biography: {en: Known.}}
organizations:
- {slug: new-court, name: {ru: Верховный Суд}, classification: court}
"#;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn import_warns_of_new_records_like_stored_ones(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("stored.yaml", STORED);
    fixture.import_ok(&["stored.yaml"]);
    fixture.write_file("new.yaml", NEW);
    let person = "is like \"Қуат Ертаев\" (person \"kuat\") in the database, by a score of 0.95";
    let court = "is like \"Верховный суд\" (organization \"court\") in the database, by a score of 0.85";
    let plain = |text: String| text.replace("\\\"", "\"");
    let strict = plain(import_strictly(&fixture, door, "new.yaml").await);
    assert!(strict.contains(person) && strict.contains(court), "{strict}");
    let people = fixture.server.data("{ people { totalCount } }").await;
    assert_eq!(people["people"]["totalCount"], 2, "a strict import writes nothing");
    let output = plain(import(&fixture, door, "new.yaml", None, None).await);
    assert!(output.contains("4 created, 1 updated"), "{output}");
    assert!(output.contains(person) && output.contains(court), "{output}");
    // neither a namesake with another birth date, nor another name, nor a record that the import names
    assert_eq!(output.matches("is like").count(), 2, "{output}");
    // nothing is new the second time
    let again = plain(import(&fixture, door, "new.yaml", None, None).await);
    assert!(!again.contains("is like"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn edit_of_one_record_is_not_warned() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("stored.yaml", STORED);
    fixture.import_ok(&["stored.yaml"]);
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let made = editor
        .done("createPerson { person { slug } possibleDuplicates { slug } }", json!({"name": {"en": "Petrova Anna"}, "birthDate": "1990"}))
        .await;
    assert_eq!(made["possibleDuplicates"], json!([{"slug": "anna"}]));
}
