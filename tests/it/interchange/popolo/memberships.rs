//! Memberships without ids keep their identity when they are corrected.

use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::interchange::identity::{Door, import};
use crate::server::On;

fn file(memberships: &Value) -> String {
    let mut memberships = memberships.clone();
    for membership in memberships.as_array_mut().unwrap() {
        membership["person_id"] = json!("p1");
        membership["organization_id"] = json!("o");
    }
    json!({"persons": [{"id": "p1", "name": "Ann Lee"}], "organizations": [{"id": "o", "name": "House"}], "memberships": memberships})
        .to_string()
}

/// The memberships, each as its id with role, start and end, by start and end.
async fn stored(fixture: &ImportFixture) -> Vec<(String, String)> {
    let data = fixture.server.data("{ memberships { nodes { id role start end } } }").await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let nodes = data["memberships"]["nodes"].as_array().unwrap().iter();
    let mut found: Vec<_> =
        nodes.map(|node| (text(&node["id"]), format!("{} {} {}", text(&node["role"]), text(&node["start"]), text(&node["end"])))).collect();
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found
}

#[rstest]
// a role
#[case(json!([{"role": "member", "start_date": "2010"}]), json!([{"role": "chair", "start_date": "2010"}]), &["chair 2010 -"])]
// a start
#[case(json!([{"role": "member", "start_date": "2010"}]), json!([{"role": "member", "start_date": "2011-02"}]), &["member 2011-02 -"])]
// the end of one of two that are alike, given in another order
#[case(
    json!([{"role": "member", "start_date": "2010", "end_date": "2012"}, {"role": "member", "start_date": "2010"}]),
    json!([{"role": "member", "start_date": "2010", "end_date": "2013"}, {"role": "member", "start_date": "2010", "end_date": "2012"}]),
    &["member 2010 2012", "member 2010 2013"]
)]
// one that is new beside one that is corrected
#[case(
    json!([{"role": "member", "start_date": "2010"}]),
    json!([{"role": "chair", "start_date": "2015"}, {"role": "member", "start_date": "2010", "end_date": "2015"}]),
    &["chair 2015 -", "member 2010 2015"]
)]
// a second term is not a correction of the first
#[case(
    json!([{"role": "member", "start_date": "2010", "end_date": "2014"}]),
    json!([{"role": "member", "start_date": "2014-03"}]),
    &["member 2010 2014", "member 2014-03 -"]
)]
// ids are given later
#[case(json!([{"role": "member", "start_date": "2010"}]), json!([{"id": "m1", "role": "member", "start_date": "2010"}]), &["member 2010 -"])]
#[tokio::test(flavor = "multi_thread")]
async fn corrected_membership_without_id_keeps_its_record(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url)] door: Door,
    #[case] before: Value,
    #[case] after: Value,
    #[case] expected: &[&str],
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("house.popolo.json", file(&before));
    import(&fixture, door, "house.popolo.json", Some("parl"), None).await;
    let first = stored(&fixture).await;
    assert_eq!(first.len(), before.as_array().unwrap().len(), "{first:?}");
    fixture.write_file("house.popolo.json", file(&after));
    let output = import(&fixture, door, "house.popolo.json", Some("parl"), None).await;
    let second = stored(&fixture).await;
    assert_eq!(second.iter().map(|(_, values)| values.as_str()).collect::<Vec<_>>(), expected, "{output}");
    // every record of the first import is still there, with the values that stayed the same
    for (id, values) in &first {
        let now = second.iter().find(|(other, _)| other == id).unwrap_or_else(|| panic!("{values} is gone: {second:?}"));
        if second.iter().any(|(_, other)| other == values) {
            assert_eq!(now.1, *values, "two memberships were swapped");
        }
    }
    let output = import(&fixture, door, "house.popolo.json", Some("parl"), None).await;
    assert!(output.contains("0 created, 0 updated"), "{output}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_memberships_need_ids(#[values(On::Sqlite, On::Postgres)] on: On, #[values(Door::Database, Door::Url)] door: Door) {
    let fixture = ImportFixture::new(on).await;
    fixture
        .write_file("house.popolo.json", file(&json!([{"role": "member", "start_date": "2010"}, {"role": "chair", "start_date": "2011"}])));
    import(&fixture, door, "house.popolo.json", Some("parl"), None).await;
    let first = stored(&fixture).await;
    fixture
        .write_file("house.popolo.json", file(&json!([{"role": "deputy", "start_date": "2012"}, {"role": "whip", "start_date": "2013"}])));
    let output = import(&fixture, door, "house.popolo.json", Some("parl"), None).await;
    assert!(output.contains("give each an id, so that each is matched with its record"), "{output}");
    assert_eq!(stored(&fixture).await, first);
}

/// A membership that an editor has written is not overwritten by another one of the same person.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn membership_of_an_editor_is_not_corrected(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("house.popolo.json", file(&json!([])));
    fixture.import_ok(&["house.popolo.json", "--scheme", "parl"]);
    fixture.write_file(
        "seat.yaml",
        "memberships:\n- {slug: ann-as-clerk, label: {en: Clerk}, role: clerk, start: \"2001\", person: ann-lee, organization: house}\n",
    );
    fixture.import_ok(&["seat.yaml"]);
    fixture.write_file("house.popolo.json", file(&json!([{"role": "member", "start_date": "2010"}])));
    assert_eq!(fixture.import_ok(&["house.popolo.json", "--scheme", "parl"]), "Records: 1 created, 0 updated, 2 unchanged");
    assert_eq!(stored(&fixture).await.iter().map(|(_, values)| values.as_str()).collect::<Vec<_>>(), ["clerk 2001 -", "member 2010 -"]);
}
