//! Every field of the specification is kept, or reported once with its number and an example.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::server::{Asker, On};

fn file() -> Value {
    let contact = |kind: &str, value: &str| json!({"type": kind, "value": value, "label": "Office", "note": "weekdays", "start_date": "2020", "valid_until": "2024-05", "group": "a"});
    json!({
        "persons": [{
            "id": "p1",
            "name": "Dr Ann B. Lee MP",
            "honorific_prefix": "Dr",
            "given_name": "Ann",
            "additional_name": "B.",
            "patronymic_name": "Carlovna",
            "family_name": "Lee",
            "honorific_suffix": "MP",
            "sort_name": "Lee, Ann",
            "email": "ann@parl.example",
            "contact_details": [contact("phone", "+7 000 11"), contact("address", "1 High Street,\nCapital"), {"type": "fax"}],
            "links": [{"url": "https://a.example/", "label": "Home", "note": "own page"}, {"url": "https://a.example/", "note": "archive"}],
            "other_names": [
                {"name": "A. Lee", "note": "short", "start_date": "1990", "end_date": "1999"},
                {"name": "A. Lee", "note": "pen name", "start_date": "2000"},
                {"given_name": "Anna", "family_name": "Li", "honorific_prefix": "Ms"}
            ],
            "national_identity": "Islander",
            "birth_date": "0000-00-00"
        }],
        "organizations": [{
            "id": "o",
            "name": "House",
            "classification": "chamber",
            "area_id": "north",
            "email": ["a@parl.example", "b@parl.example"],
            "contact_details": [contact("voice", "+7 000 22")]
        }],
        "posts": [{
            "id": "seat",
            "label": "Seat 7",
            "role": "deputy",
            "organization_id": "o",
            "start_date": "1950",
            "end_date": "2030",
            "contact_details": [contact("email", "seat7@parl.example")],
            "links": [{"url": "https://seat.example/"}]
        }],
        "areas": [{"id": "north", "name": "North Isle", "identifier": "N1"}],
        "events": [{"id": "term", "name": "4th term", "classification": "legislative period", "start_date": "2020", "end_date": "2024", "location": "Capital"}],
        "memberships": [{
            "id": "m",
            "person_id": "p1",
            "post_id": "seat",
            "area_id": "north",
            "legislative_period_id": "term",
            "links": [{"url": "https://m.example/"}],
            "contact_details": [{"type": "email", "value": "m@parl.example"}],
            "start_date": "2021"
        }]
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn fields_of_the_specification_are_kept(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("a.popolo.json", file().to_string());
    let (ok, stdout, stderr) = fixture.import(&["a.popolo.json", "--scheme", "parl", "--lang", "en"]);
    assert!(ok && stdout.trim() == "Records: 3 created, 0 updated, 0 unchanged", "{stdout}{stderr}");
    let notes: Vec<&str> = stderr.lines().filter(|line| !line.starts_with('{')).collect();
    insta::assert_snapshot!("popolo_field_notes", notes.join("\n"));
    let data = fixture
        .server
        .data(
            "fragment c on ContactDetail { type value label note start end }
             { people { nodes { name honorificPrefix givenName additionalName patronymicName familyName honorificSuffix sortName
                 contactDetails { ...c } links { url label note } otherNames { name note start end } birthDate } }
               organizations { nodes { name area contactDetails { ...c } } }
               memberships { nodes { label role start end post postStart postEnd area legislativePeriod periodStart periodEnd
                 links { url } contactDetails { ...c } } } }",
        )
        .await;
    insta::assert_json_snapshot!("popolo_fields", data);
    assert_eq!(fixture.import_ok(&["a.popolo.json", "--scheme", "parl", "--lang", "en"]), "Records: 0 created, 0 updated, 3 unchanged");
}

/// Contact details are withheld with the person, and the dataset is found by them no more.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn contact_details_are_withheld_with_the_person(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("a.popolo.json", file().to_string());
    fixture.import_ok(&["a.popolo.json", "--scheme", "parl", "--lang", "en"]);
    let id = fixture.server.data("{ people { nodes { id } } }").await["people"]["nodes"][0]["id"].clone();
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { person { id } }", json!({"person": id})).await;
    let data = admin
        .data(
            "{ people { nodes { name contactDetails { value } familyName honorificPrefix history { nodes { changes { field old new } } } } } }",
        )
        .await;
    let text = data.to_string();
    for value in ["ann@parl.example", "+7 000 11", "High Street", "Carlovna"] {
        assert!(!text.contains(value), "{value} {text}");
    }
    assert_eq!(data["people"]["nodes"][0]["contactDetails"], json!([]));
}
