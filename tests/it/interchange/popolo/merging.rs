//! A repeated import changes what its file says, and keeps what others have added.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::interchange::identity::{Door, import};
use crate::server::{Asker, On};

const STORED: &str = r#"
sources:
- {slug: gazette, title: {en: Gazette}, kind: article}
people:
- slug: ann
  name: {en: Ann Lee, ru: Энн Ли}
  biography: {ru: Депутат.}
  otherNames: [{name: Анна Ли, lang: ru}, {name: A. Lee}]
  sortName: Lee, A.
  identifiers: [{scheme: wikidata, value: Q1}, {scheme: parl, value: p1}, {scheme: register, value: "7"}, {scheme: parl, value: p9}]
  citations: [{source: gazette, quote: She is a deputy.}]
organizations:
- {slug: house, name: {en: House}, classification: chamber, identifiers: [{scheme: parl-organization, value: o}]}
memberships:
- {slug: seat, label: {en: Speaker of the House}, person: ann, organization: house, identifiers: [{scheme: parl-membership, value: m}]}
"#;

fn popolo() -> Value {
    json!({
        "persons": [{
            "id": "p1",
            "name": "Ann Lee-Smith",
            "given_name": "Ann",
            "family_name": "Lee-Smith",
            "biography": "A deputy.",
            "other_names": [{"name": "Ann Smith"}],
            "identifiers": [{"scheme": "register", "identifier": "8"}],
            "sources": [{"url": "https://parl.example/p1"}],
        }],
        "organizations": [{"id": "o", "name": "House"}],
        "memberships": [{"id": "m", "person_id": "p1", "organization_id": "o", "start_date": "2020"}],
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn import_keeps_what_its_file_does_not_give(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("stored.yaml", STORED);
    fixture.import_ok(&["stored.yaml"]);
    // uploads have no language here, so their texts are in an undetermined one
    let lang = if matches!(door, Door::Upload) { "und" } else { "en" };
    fixture.write_file("parl.popolo.json", popolo().to_string());
    // the organization has its name in English already
    let first = if lang == "en" { "1 created, 2 updated, 1 unchanged" } else { "1 created, 3 updated, 0 unchanged" };
    for expected in [first, "0 created, 0 updated, 3 unchanged"] {
        let output = if lang == "en" {
            import_in_english(&fixture, door).await
        } else {
            import(&fixture, door, "parl.popolo.json", Some("parl"), None).await
        };
        assert!(output.contains(expected), "{expected} {output}");
    }
    let data = fixture
        .server
        .data(
            "{ person(by: {slug: \"ann\"}) { names { lang text } biographies { lang text } otherNames { name lang } sortName familyName
                 identifiers { scheme value } citations { nodes { quote source { slug } } } }
               organization(by: {slug: \"house\"}) { classification } membership(by: {slug: \"seat\"}) { labels { text } start } }",
        )
        .await;
    let person = &data["person"];
    let texts = |name: &str| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        person[name].as_array().unwrap().iter().map(|item| (text(&item["lang"]), text(&item["text"]))).collect()
    };
    let names = texts("names");
    assert!(names.contains(&("ru".to_owned(), "Энн Ли".to_owned())), "{names:?}");
    assert!(names.contains(&(lang.to_owned(), "Ann Lee-Smith".to_owned())), "{names:?}");
    assert_eq!(texts("biographies").len(), 2);
    let others: Vec<&str> = person["otherNames"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(others, ["Ann Smith", "Анна Ли"]);
    assert_eq!((&person["sortName"], &person["familyName"]), (&json!("Lee, A."), &json!("Lee-Smith")));
    let mut identifiers: Vec<String> = person["identifiers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{} {}", item["scheme"].as_str().unwrap(), item["value"].as_str().unwrap()))
        .collect();
    identifiers.sort();
    assert_eq!(identifiers, ["parl p1", "parl p9", "register 8", "wikidata Q1"]);
    let quotes = person["citations"]["nodes"].as_array().unwrap();
    assert_eq!(quotes.len(), 2, "{quotes:?}");
    assert!(quotes.iter().any(|citation| citation["quote"] == "She is a deputy."), "{quotes:?}");
    assert_eq!(data["organization"]["classification"], "CHAMBER");
    assert_eq!(data["membership"], json!({"labels": [{"text": "Speaker of the House"}], "start": "2020"}));
}

/// As [`import`], with the language of the texts.
async fn import_in_english(fixture: &ImportFixture, door: Door) -> String {
    let arguments = ["parl.popolo.json", "--scheme", "parl", "--lang", "en"];
    if matches!(door, Door::Database) {
        let (_, stdout, stderr) = fixture.import(&arguments);
        return format!("{stdout}{stderr}");
    }
    let name = format!("english-{}", fixture.server.store.tokens().await.unwrap().len());
    let (_, token) = fixture.server.store.create_token(&name, Role::Editor, None).await.unwrap();
    let mut command = crate::cli::command::kurultai(&["import", "--url", &fixture.server.address, "--token", &token]);
    command.args(arguments).current_dir(fixture.folder.path());
    let (_, stdout, stderr) = tokio::task::spawn_blocking(|| crate::cli::command::run(command)).await.unwrap();
    format!("{stdout}{stderr}")
}

/// `merge` of `importRecords` is for every record type.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn merge_of_import_records_adds_languages(#[values(On::Sqlite, On::Postgres)] on: On, #[values(false, true)] merge: bool) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("stored.yaml", STORED);
    fixture.import_ok(&["stored.yaml"]);
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let record = json!({"person": {"slug": "ann", "name": {"kk": "Анна"}, "identifiers": [{"scheme": "x", "value": "1"}]}});
    let input = json!({"records": [record], "merge": merge});
    let answer = editor
        .answer(
            "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { updated errors { message } } }",
            json!({"input": input}),
        )
        .await;
    assert_eq!(answer["data"]["importRecords"]["updated"], 1, "{answer}");
    let data = fixture.server.data("{ person(by: {slug: \"ann\"}) { names { lang } identifiers { scheme } } }").await;
    let count = |name: &str| data["person"][name].as_array().unwrap().len();
    assert_eq!((count("names"), count("identifiers")), if merge { (3, 5) } else { (3, 1) }, "{data}");
}

/// A slug that was made of a name must not lead to the record that had it before.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn former_slug_is_not_given_again(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("judge.yaml", "people:\n- {slug: john-lee, name: {en: John Lee}}\n");
    fixture.import_ok(&["judge.yaml"]);
    let id = fixture.server.data("{ person(by: {slug: \"john-lee\"}) { id } }").await["person"]["id"].clone();
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    editor.done("updatePerson { person { id } }", json!({"id": id, "slug": "judge-lee"})).await;
    fixture.write_file("other.popolo.json", json!({"persons": [{"id": "77", "name": "John Lee"}]}).to_string());
    let output = import(&fixture, door, "other.popolo.json", Some("prison"), None).await;
    // nothing is said of the record that had the slug: it may be withheld
    assert!(output.contains("1 created") && !output.contains("gets the slug"), "{output}");
    let slugs = fixture.server.data("{ people { nodes { slug identifiers { value } } } }").await.to_string();
    assert!(slugs.contains("\"judge-lee\"") && slugs.contains("\"john-lee-"), "{slugs}");
}

/// Two items of one register are one record after a merge: the register can be imported as before.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn merged_items_of_a_register_are_one_record(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let file = json!({
        "persons": [{"id": "1", "name": "Vera H."}, {"id": "2", "name": "Vera Holt", "birth_date": "1970"}],
        "organizations": [{"id": "o", "name": "House", "classification": "legislature"}],
        "memberships": [{"id": "m1", "person_id": "1", "organization_id": "o"}, {"id": "m2", "person_id": "2", "organization_id": "o"}],
    });
    fixture.write_file("a.popolo.json", file.to_string());
    import(&fixture, door, "a.popolo.json", Some("parl"), None).await;
    let editor = Asker::with_role(&fixture.server, Role::Editor).await;
    let data = editor.data("{ a: person(by: {slug: \"vera-h\"}) { id } b: person(by: {slug: \"vera-holt\"}) { id } }").await;
    editor.done("mergePeople { person { id } }", json!({"from": data["a"]["id"], "into": data["b"]["id"]})).await;
    for _ in 0..2 {
        let output = import(&fixture, door, "a.popolo.json", Some("parl"), None).await.replace('\\', "");
        assert!(output.contains("0 created, 0 updated"), "{output}");
        let note = "person \"1\" is not imported: its record was merged into vera-holt, for which person \"2\" stands";
        assert!(output.contains(note), "{output}");
    }
    let data = fixture.server.data("{ people { nodes { slug name } } memberships { totalCount } }").await;
    assert_eq!(data["people"]["nodes"], json!([{"slug": "vera-holt", "name": "Vera Holt"}]));
    assert_eq!(data["memberships"]["totalCount"], 2);
}

/// Items without ids are found by their other identifiers, and a name they share with others leads nowhere.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn items_without_ids_have_their_identifiers_as_identity(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let person = |wikidata: &str, biography: &str| json!({"name": "Ann Lee", "biography": biography, "identifiers": [{"scheme": "wikidata", "identifier": wikidata}]});
    let mut renamed = person("Q1", "A judge.");
    renamed["name"] = json!("Ann Lee-Smith");
    renamed["identifiers"].as_array_mut().unwrap().insert(0, json!({"scheme": "viaf", "identifier": "7"}));
    for (persons, expected) in [
        (json!([person("Q1", "A deputy.")]), "1 created, 0 updated, 0 unchanged"),
        (json!([person("Q2", "A convict.")]), "1 created, 0 updated, 0 unchanged"),
        (json!([renamed]), "0 created, 1 updated, 0 unchanged"),
    ] {
        fixture.write_file("parl.popolo.json", json!({"persons": persons}).to_string());
        let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
        assert!(output.contains(expected), "{output}");
    }
    let query = "{ people { nodes { biography identifiers { scheme value } } } }";
    let data = fixture.server.data(query).await.to_string();
    for text in ["A judge.", "A convict.", "viaf"] {
        assert!(data.contains(text), "{text}: {data}");
    }
    assert!(!data.contains("identifier:") && !data.contains("name:"), "{data}");
    // one item with the identifiers of two records is nobody's
    let mut both = person("Q1", "Both.");
    both["identifiers"].as_array_mut().unwrap().push(json!({"scheme": "wikidata", "identifier": "Q2"}));
    fixture.write_file("parl.popolo.json", json!({"persons": [both]}).to_string());
    let output = import(&fixture, door, "parl.popolo.json", Some("parl"), None).await;
    assert!(output.contains("the identifiers of this person belong to several records"), "{output}");
}
