//! Popolo files are converted to records, and a repeated import matches the records of the first.

mod fields;
mod generated;
mod memberships;
mod merging;
mod shapes;
mod votes;

use std::fmt::Write;

use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use crate::server::{On, path};

fn assembly() -> String {
    std::fs::read_to_string(path("tests/it/fixtures/assembly.popolo.json")).unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_classes_are_converted_and_omissions_noted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("assembly.json", assembly());
    let (ok, stdout, stderr) = fixture.import(&["assembly.json", "--scheme", "popolo"]);
    assert!(ok && stdout.trim() == "Records: 14 created, 0 updated, 0 unchanged", "{stdout}{stderr}");
    let first = stderr.clone();
    insta::assert_snapshot!("popolo_notes", stderr.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n"));
    let data = fixture
        .server
        .data(
            "{ people { nodes { slug name sortName gender birthDate biography image otherNames { name lang note start end } links { url note }
                 identifiers { scheme value } citations { nodes { note source { url title } } }
                 memberships { nodes { slug label role start end organization { slug } onBehalfOf { slug } identifiers { scheme value } } } } }
               organizations { nodes { slug name classification foundedOn parent { slug } jurisdiction { slug ocdId classification } identifiers { scheme value } } } }",
        )
        .await;
    insta::assert_json_snapshot!("popolo_records", data);
    let (ok, stdout, stderr) = fixture.import(&["assembly.json", "--scheme", "popolo"]);
    assert!(ok && stdout.trim() == "Records: 0 created, 0 updated, 13 unchanged", "{stdout}{stderr}");
    assert_eq!(stderr, first, "the second import printed other notes");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn records_are_matched_by_id_despite_name_and_slug(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file(
        "own.yaml",
        "people:\n- {slug: own-slug, name: {en: X}, identifiers: [{scheme: parl, value: p1}]}\n- {slug: ann-lee, name: {en: Ann Lee}}",
    );
    fixture.import_ok(&["own.yaml"]);
    let file = |name: &str| {
        json!({"persons": [{"id": "p1", "name": name}, {"id": "p2", "name": "Ann Lee"}],
               "organizations": [{"id": "o", "name": "House", "classification": "chamber"}],
               "memberships": [{"person_id": "p1", "organization_id": "o"}]})
        .to_string()
    };
    fixture.write_file("a.popolo.json", file("First Name"));
    let (ok, stdout, stderr) = fixture.import(&["a.popolo.json", "--scheme", "parl", "--lang", "en"]);
    assert!(ok && stdout.trim() == "Records: 3 created, 1 updated, 0 unchanged", "{stdout}{stderr}");
    assert!(stderr.contains("person \"p2\" gets the slug ann-lee-"), "{stderr}");
    assert!(stderr.contains("if both are the same, add the identifier parl p2 to ann-lee"), "{stderr}");
    fixture.write_file("a.popolo.json", file("Second Name"));
    let (ok, stdout, stderr) = fixture.import(&["a.popolo.json", "--scheme", "parl", "--lang", "en"]);
    assert!(ok && stdout.trim() == "Records: 0 created, 1 updated, 3 unchanged", "{stdout}{stderr}");
    // a file may refer to records that only the database has
    fixture.write_file("memberships.json", "[{\"person_id\": \"p2\", \"organization_id\": \"o\", \"role\": \"chair\"}]");
    assert_eq!(fixture.import_ok(&["memberships.json", "--scheme", "parl"]), "Records: 1 created, 0 updated, 0 unchanged");
    fixture.write_file("memberships.json", "[{\"person_id\": \"p3\",\n \"organization_id\": \"o\"}]");
    let error = fixture.import_err(&["memberships.json", "--scheme", "parl"]);
    assert!(
        error.contains(
            "memberships.json:1: [0].person_id: no person has the id \"p3\" in persons, or the identifier parl p3 in the database"
        ),
        "{error}"
    );
    let people = fixture.server.data("{ people { nodes { slug name memberships { totalCount } } } }").await;
    let names: Vec<&str> = people["people"]["nodes"].as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Ann Lee", "Ann Lee", "Second Name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_lists_and_objects_require_a_known_class() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file(
        "one.json",
        "{\"@type\": \"http://www.popoloproject.com/schemas/person.json#Person\", \"id\": \"1\", \"name\": \"One\"}",
    );
    fixture.write_file("persons.json", "[{\"id\": \"2\", \"name\": \"Two\"}, {\"@type\": \"Organization\", \"id\": \"3\", \"name\": \"Three\", \"classification\": \"Party\"}]");
    assert_eq!(fixture.import_ok(&["one.json", "persons.json", "--scheme", "popolo"]), "Records: 3 created, 0 updated, 0 unchanged");
    fixture.write_file("list.json", "[{\"id\": \"4\", \"name\": \"Four\"}]");
    assert!(fixture.import_err(&["list.json", "--scheme", "popolo"]).contains("list.json:1: [0]: unknown class; add an"));
    let (ok, stdout, stderr) =
        fixture.import_stdin(&["--format", "popolo", "--scheme", "popolo"], "{\"persons\": [{\"id\": \"1\", \"name\": \"One\"}]}");
    assert!(ok && stdout.trim() == "Records: 0 created, 0 updated, 1 unchanged", "{stdout}{stderr}");
    fixture.write_file("bad.popolo.json", "{\"persons\": [\n{\"id\": \"5\", \"name\": \"Five\", \"birth_date\": \"May 1970\"},\n{\"id\": \"5\", \"name\": \"Other\"},\n{\"id\": \"6\"}]}");
    let error = fixture.import_err(&["bad.popolo.json", "--scheme", "popolo"]);
    for expected in [
        "3 problems; nothing was written",
        "bad.popolo.json:2: persons[0].birthDate: \"May 1970\" is not a date",
        "bad.popolo.json:3: persons[1]: two persons have the id \"5\"; the first is at bad.popolo.json:2",
        "bad.popolo.json:4: persons[2]: name is missing; give the person a name",
    ] {
        assert!(error.contains(expected), "expected {expected}\n{error}");
    }
}

/// A parliament of fictitious people, many with the same name.
fn parliament(people: usize) -> String {
    let given = ["Aru", "Bek", "Dana", "Erlan", "Gaukhar", "Ілияс", "José", "Kim", "Łucja", "Müge"];
    let family = ["Abai", "Berik", "Chen", "Duman", "Eset", "Ferro", "Ґонта"];
    let mut text =
        String::from("{\"organizations\": [{\"id\": \"o\", \"name\": \"House\", \"classification\": \"chamber\"}], \"persons\": [\n");
    for index in 0..people {
        let comma = if index == 0 { "" } else { "," };
        let name = format!("{} {}", given[index % given.len()], family[index / given.len() % family.len()]);
        let day = index % 28 + 1;
        let seat = if index % 10 == 0 { "{\"organization_id\": \"o\", \"role\": \"member\"}" } else { "" };
        writeln!(text, "{comma}{{\"id\": {index}, \"name\": \"{name}\", \"birth_date\": \"19{:02}-05-{day:02}T00:00:00Z\", \"memberships\": [{seat}]}}", index % 100).unwrap();
    }
    text + "]}"
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn repeated_import_of_ten_thousand_people_changes_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("parliament.json", parliament(10_000));
    assert_eq!(fixture.import_ok(&["parliament.json", "--scheme", "popolo"]), "Records: 11001 created, 0 updated, 0 unchanged");
    assert_eq!(fixture.import_ok(&["parliament.json", "--scheme", "popolo"]), "Records: 0 created, 0 updated, 11001 unchanged");
    let data: Value = fixture.server.data("{ people { totalCount } memberships { totalCount } person(by: {slug: \"x\"}) { slug } }").await;
    assert_eq!((&data["people"]["totalCount"], &data["memberships"]["totalCount"]), (&json!(10_000), &json!(1_000)));
}
