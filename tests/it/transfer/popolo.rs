//! Popolo files as they are found become records, and the second import finds the records of the first.

use std::fmt::Write;

use rstest::rstest;
use serde_json::{Value, json};

use super::Desk;
use crate::server::{On, path};

fn assembly() -> String {
    std::fs::read_to_string(path("tests/it/fixtures/assembly.popolo.json")).unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_everything_becomes_records_and_what_has_no_place_is_told(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    desk.file("assembly.json", assembly());
    let (ok, said, error) = desk.import(&["assembly.json"]);
    assert!(ok && said.trim() == "Records: 14 created, 0 updated, 0 unchanged", "{said}{error}");
    let first = error.clone();
    insta::assert_snapshot!("popolo_left_out", error.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n"));
    let data = desk
        .server
        .data(
            "{ people { nodes { slug name sortName gender birthDate biography image otherNames { name lang note start end } links { url note }
                 identifiers { scheme value } citations { nodes { note source { url title } } }
                 memberships { nodes { slug label role startDate endDate organization { slug } onBehalfOf { slug } identifiers { scheme value } } } } }
               organizations { nodes { slug name classification founded parent { slug } jurisdiction { slug ocdId classification } identifiers { scheme value } } } }",
        )
        .await;
    insta::assert_json_snapshot!("popolo_records", data);
    let (ok, said, error) = desk.import(&["assembly.json"]);
    assert!(ok && said.trim() == "Records: 0 created, 0 updated, 13 unchanged", "{said}{error}");
    assert_eq!(error, first, "the second import says something else");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_found_by_its_id_whatever_its_name_and_slug_are(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    desk.file(
        "own.yaml",
        "people:\n- {slug: own-slug, name: {en: X}, identifiers: [{scheme: parl, value: p1}]}\n- {slug: ann-lee, name: {en: Ann Lee}}",
    );
    desk.imported(&["own.yaml"]);
    let file = |name: &str| {
        json!({"persons": [{"id": "p1", "name": name}, {"id": "p2", "name": "Ann Lee"}],
               "organizations": [{"id": "o", "name": "House", "classification": "chamber"}],
               "memberships": [{"person_id": "p1", "organization_id": "o"}]})
        .to_string()
    };
    desk.file("a.popolo.json", file("First Name"));
    let (ok, said, error) = desk.import(&["a.popolo.json", "--scheme", "parl", "--lang", "en"]);
    assert!(ok && said.trim() == "Records: 3 created, 1 updated, 0 unchanged", "{said}{error}");
    assert!(error.contains("person \"p2\" becomes ann-lee-"), "{error}");
    assert!(error.contains("if it is the same, give that one the identifier parl p2"), "{error}");
    desk.file("a.popolo.json", file("Second Name"));
    let (ok, said, error) = desk.import(&["a.popolo.json", "--scheme", "parl", "--lang", "en"]);
    assert!(ok && said.trim() == "Records: 0 created, 1 updated, 3 unchanged", "{said}{error}");
    // a file of its own can refer to what is in the database only
    desk.file("memberships.json", "[{\"person_id\": \"p2\", \"organization_id\": \"o\", \"role\": \"chair\"}]");
    assert_eq!(desk.imported(&["memberships.json", "--scheme", "parl"]), "Records: 1 created, 0 updated, 0 unchanged");
    desk.file("memberships.json", "[{\"person_id\": \"p3\",\n \"organization_id\": \"o\"}]");
    let error = desk.refused(&["memberships.json", "--scheme", "parl"]);
    assert!(
        error.contains("memberships.json:1: [0].person_id: there is no person with the id \"p3\" in persons, and none with the identifier parl p3 in the database"),
        "{error}"
    );
    let people = desk.server.data("{ people { nodes { slug name memberships { totalCount } } } }").await;
    let names: Vec<&str> = people["people"]["nodes"].as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Ann Lee", "Ann Lee", "Second Name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_lists_and_objects_are_read_where_they_say_what_they_are() {
    let desk = Desk::new(On::Sqlite).await;
    desk.file("one.json", "{\"@type\": \"http://www.popoloproject.com/schemas/person.json#Person\", \"id\": \"1\", \"name\": \"One\"}");
    desk.file("persons.json", "[{\"id\": \"2\", \"name\": \"Two\"}, {\"@type\": \"Organization\", \"id\": \"3\", \"name\": \"Three\", \"classification\": \"Party\"}]");
    assert_eq!(desk.imported(&["one.json", "persons.json"]), "Records: 3 created, 0 updated, 0 unchanged");
    desk.file("list.json", "[{\"id\": \"4\", \"name\": \"Four\"}]");
    assert!(desk.refused(&["list.json"]).contains("list.json:1: [0]: this does not tell what it is"));
    let (ok, said, error) = desk.piped(&["--format", "popolo"], "{\"persons\": [{\"id\": \"1\", \"name\": \"One\"}]}");
    assert!(ok && said.trim() == "Records: 0 created, 0 updated, 1 unchanged", "{said}{error}");
    desk.file("bad.popolo.json", "{\"persons\": [\n{\"id\": \"5\", \"name\": \"Five\", \"birth_date\": \"May 1970\"},\n{\"id\": \"5\", \"name\": \"Other\"},\n{\"id\": \"6\"}]}");
    let error = desk.refused(&["bad.popolo.json"]);
    for expected in [
        "3 problems; nothing was written",
        "bad.popolo.json:2: persons[0].birthDate: \"May 1970\" is not a date",
        "bad.popolo.json:3: persons[1]: the id \"5\" is given to two persons, first at bad.popolo.json:2",
        "bad.popolo.json:4: persons[2]: name is missing; give the person a name",
    ] {
        assert!(error.contains(expected), "expected {expected}\n{error}");
    }
}

/// A parliament of invented people, many of them of the same name.
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
async fn ten_thousand_people_change_nothing_the_second_time(#[values(On::Sqlite, On::Postgres)] on: On) {
    let desk = Desk::new(on).await;
    desk.file("parliament.json", parliament(10_000));
    assert_eq!(desk.imported(&["parliament.json"]), "Records: 11001 created, 0 updated, 0 unchanged");
    assert_eq!(desk.imported(&["parliament.json"]), "Records: 0 created, 0 updated, 11001 unchanged");
    let data: Value = desk.server.data("{ people { totalCount } memberships { totalCount } person(by: {slug: \"x\"}) { slug } }").await;
    assert_eq!((&data["people"]["totalCount"], &data["memberships"]["totalCount"]), (&json!(10_000), &json!(1_000)));
}
