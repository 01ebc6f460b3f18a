//! Values of another shape, contradictions and unknown classes are read in the one way that is right, or refused.

use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::server::On;

fn parliament(membership: &Value) -> Value {
    json!({
        "persons": [{"id": "p1", "name": "Ann Lee"}, {"id": "p2", "name": "Bek Aru"}],
        "organizations": [{"id": "o", "name": "House"}],
        "memberships": [membership],
    })
}

#[rstest]
#[case("list of one id", parliament(&json!({"person_id": ["p1"], "organization_id": "o"})))]
#[case("list of one object", parliament(&json!({"person": [{"id": "p1"}], "organization": [{"id": "o"}]})))]
#[case("invisible characters in ids", parliament(&json!({"person_id": "p1\u{200b}", "organization_id": "\u{feff}o "})))]
#[case("object and the same id", parliament(&json!({"person": {"id": "p1", "name": "Ann Lee"}, "person_id": "p1", "organization_id": "o"})))]
#[tokio::test(flavor = "multi_thread")]
async fn reference_in_another_shape_is_read(#[case] what: &str, #[case] file: Value) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.popolo.json", file.to_string());
    assert_eq!(fixture.import_ok(&["a.popolo.json", "--scheme", "parl"]), "Records: 4 created, 0 updated, 0 unchanged", "{what}");
}

#[rstest]
#[case(parliament(&json!({"person_id": ["p1", "p2"], "organization_id": "o"})), "person_id: this is a list of 2; it must be one id or one object")]
#[case(parliament(&json!({"person_id": {"id": ["p1", "p2"]}, "organization_id": "o"})), "id: this is a list of 2")]
#[case(parliament(&json!({"person_id": true, "organization_id": "o"})), "person_id: this is a boolean; it must be one id or one object")]
#[case(parliament(&json!({"person_id": "p1", "person": {"id": "p2"}, "organization_id": "o"})), "person is \"p2\", but person_id is \"p1\"")]
#[case(parliament(&json!({"person": {"id": "p1", "name": "Someone Else"}, "organization_id": "o"})), "person \"p1\" has another name at")]
#[case(parliament(&json!({"person": {"@type": "Organization", "id": "p1"}, "organization_id": "o"})), "\"@type\" is \"Organization\", but the object stands in place of a person")]
#[case(json!({"persons": [{"id": "p1", "name": "Ann Lee", "@type": "Motion"}]}), "\"@type\" is \"Motion\", but the object stands in place of a person")]
#[case(json!({"persons": [{"id": "p1", "name": "A"}, {"id": "p2", "name": "B", "identifiers": [{"scheme": "parl", "identifier": "p1"}]}]}), "parl p1 is the id of another person at")]
#[case(json!({"persons": [{"id": "p1", "name": "A", "memberships": {"organization_id": "o"}}]}), "memberships: this is a map; it must be a list of memberships")]
#[case(json!({"persons": [{"id": "p1", "name": "A", "memberships": [{"person_id": "p2", "organization": {"id": "o", "name": "O"}}]}]}), "this belongs to the person \"p1\" by its place, but to \"p2\"")]
#[case(json!([{"@type": "Vote", "id": "1"}]), "\"@type\" is \"Vote\", which is no class that is imported")]
#[case(json!([{"id": "1", "name": "A", "birth_date": "1970", "founding_date": "1980"}]), "this is one of the persons by its fields, but only organizations have \"founding_date\"")]
#[case(json!([{"id": "1", "name": "A"}]), "unknown class; add an")]
#[case(json!({"result": [{"id": "1", "name": "A"}]}), "there is no list of a Popolo class")]
#[case(json!({"person": {"id": "1", "name": "A"}, "organization": {"id": "o", "name": "O"}, "posts": []}), "unknown class; add an")]
#[case(json!({"events": [{"start_date": "2020"}]}), "id is missing; give the event an id or a name")]
#[tokio::test(flavor = "multi_thread")]
async fn contradiction_is_refused(#[case] file: Value, #[case] message: &str) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.popolo.json", file.to_string());
    let error = fixture.import_err(&["a.popolo.json", "--scheme", "parl"]);
    assert!(error.contains(message), "{error}");
}

#[rstest]
#[case("x.json", json!({"@type": "Person", "id": "1", "name": "A"}))]
#[case("x.json", json!({"id": "1", "name": "A", "birth_date": "1970", "memberships": []}))]
#[case("x.json", json!({"person": {"id": "1", "name": "A"}, "areas": []}))]
#[case("x.popolo.json", json!({"id": "1", "name": "A", "founding_date": "1970"}))]
#[case("persons.popolo.json", json!({"id": "1", "name": "A"}))]
#[case("x.json", json!([{"id": "1", "name": "A", "honorific_prefix": "Dr"}]))]
#[tokio::test(flavor = "multi_thread")]
async fn single_object_is_a_document(#[case] name: &str, #[case] file: Value) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file(name, file.to_string());
    assert_eq!(fixture.import_ok(&[name, "--scheme", "parl"]), "Records: 1 created, 0 updated, 0 unchanged");
}

/// What one place says of an item and another does not, is kept.
#[tokio::test(flavor = "multi_thread")]
async fn item_in_two_places_has_the_values_of_both() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    let membership =
        json!({"person": {"id": "p1", "birth_date": "1970", "links": [{"url": "https://a.example/"}]}, "organization_id": "o"});
    fixture.write_file("a.popolo.json", parliament(&membership).to_string());
    fixture.import_ok(&["a.popolo.json", "--scheme", "parl"]);
    let data = fixture.server.data("{ person(by: {slug: \"ann-lee\"}) { name birthDate links { url } } }").await;
    assert_eq!(data["person"], json!({"name": "Ann Lee", "birthDate": "1970", "links": [{"url": "https://a.example/"}]}));
}
