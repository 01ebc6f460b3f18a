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

/// The person and the organization of each membership, and its dates, by role.
async fn members(fixture: &ImportFixture) -> Vec<String> {
    let data = fixture.server.data("{ memberships { nodes { role start end periodEnd person { slug } organization { slug } } } }").await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let nodes = data["memberships"]["nodes"].as_array().unwrap().iter();
    let mut found: Vec<String> = nodes
        .map(|node| {
            [&node["role"], &node["person"]["slug"], &node["organization"]["slug"], &node["start"], &node["end"]].map(text).join(" ")
        })
        .collect();
    found.sort();
    found
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn member_of_a_membership_is_its_person(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("known.json", r#"{"persons": [{"id": "p9", "name": "Bo Known"}]}"#);
    fixture.import_ok(&["known.json", "--scheme", "isles"]);
    let file = json!({
        "persons": [{"id": "p1", "name": "Ann Lee"}],
        "organizations": [{"id": "o", "name": "House"}, {"id": "party", "name": "Party"}],
        "memberships": [
            {"role": "a", "organization_id": "o", "member_id": "p1"},
            {"role": "b", "organization_id": "o", "member": "p1"},
            {"role": "c", "organization_id": "o", "member": {"id": "p1", "name": "Ann Lee"}},
            {"role": "d", "organization_id": "o", "member": {"@type": "Person", "id": "p2", "name": "Cy New"}},
            {"role": "e", "organization_id": "o", "member": {"id": "p3", "name": "Di New", "birth_date": "1970"}},
            {"role": "f", "organization_id": "o", "member_id": "p9"},
            {"role": "g", "organization_id": "o", "member_id": "p1", "person_id": "p1"},
            {"role": "h", "organization_id": "o", "member_id": "party"},
            {"role": "i", "organization_id": "o", "member": {"id": "party", "name": "Party", "email": "a@x.kz"}},
            {"role": "j", "organization_id": "o", "member": {"id": "p1", "name": "Ann Lee", "email": "ann@x.kz"}},
        ],
    });
    fixture.write_file("t.popolo.json", file.to_string());
    for round in 0..2 {
        let output = import(&fixture, door, "t.popolo.json", Some("isles"), None).await.replace("\\\"", "\"");
        let expected = if round == 0 { "13 created, 0 updated, 0 unchanged" } else { "0 created, 0 updated, 13 unchanged" };
        assert!(output.contains(expected), "{door:?} {output}");
        for index in [7, 8] {
            let note = format!(
                "memberships[{index}]: the member \"party\" is an organization, and memberships are those of people, so this one is omitted"
            );
            assert!(output.contains(&note), "{door:?} {output}");
        }
    }
    let people = ["a ann-lee", "b ann-lee", "c ann-lee", "d cy-new", "e di-new", "f bo-known", "g ann-lee", "j ann-lee"];
    assert_eq!(members(&fixture).await, people.map(|person| format!("{person} house - -")));
    // what the objects say besides belongs to the listed ones
    let data = fixture.server.data("{ person(by: {slug: \"ann-lee\"}) { contactDetails { value } } organization(by: {slug: \"party\"}) { contactDetails { value } } }").await;
    assert_eq!(data["person"]["contactDetails"], json!([{"value": "ann@x.kz"}]));
    assert_eq!(data["organization"]["contactDetails"], json!([{"value": "a@x.kz"}]));
}

#[rstest]
#[case(
    json!({"organization_id": "o", "member_id": "nobody"}),
    "memberships[0].member_id: no person and no organization has the id \"nobody\", neither in the import nor in the database"
)]
#[case(
    json!({"organization_id": "o", "member": {"id": "nobody", "name": "No Body", "email": "a@x.kz"}}),
    "memberships[0].member: no person and no organization has the id \"nobody\", neither in the import nor in the database"
)]
#[case(
    json!({"organization_id": "o", "member": {"id": "p1"}, "person_id": "p2"}),
    "memberships[0].member: member is \"p1\", but person_id is \"p2\"; keep one of them"
)]
#[case(
    json!({"organization_id": "o", "member_id": "p1", "person_id": "p2"}),
    "memberships[0].member_id: member_id is \"p1\", but person_id is \"p2\"; keep one of them"
)]
#[case(
    json!({"organization_id": "o", "member": {"name": "Ann Lee", "email": "a@x.kz"}}),
    "memberships[0].member: this is neither a person nor an organization; add an \"@type\", which is Person or Organization"
)]
#[tokio::test(flavor = "multi_thread")]
async fn member_that_is_not_known_is_refused(#[case] membership: Value, #[case] expected: &str) {
    for door in [Door::Database, Door::Url, Door::Upload] {
        let fixture = ImportFixture::new(On::Sqlite).await;
        let people = json!([{"id": "p1", "name": "Ann Lee"}, {"id": "p2", "name": "Bo Lee"}]);
        let file = json!({"persons": people, "organizations": [{"id": "o", "name": "House"}], "memberships": [membership]});
        fixture.write_file("t.popolo.json", file.to_string());
        let output = import(&fixture, door, "t.popolo.json", Some("isles"), None).await.replace("\\\"", "\"");
        let expected = if matches!(door, Door::Upload) { expected.split_once(": ").unwrap().1 } else { expected };
        assert!(output.contains(expected) && (!output.contains("1 created") || output.contains("-1 created")), "{door:?} {output}");
    }
}

#[rstest]
#[case(json!({"start_date": "2016-03-01"}), "2016-03-01 -", Some("the membership has no end, because its legislative period ends 2015-12-31 before it starts"))]
#[case(json!({"end_date": "2009"}), "- 2009", Some("the membership has no start, because its legislative period starts 2011-01-01 after it ends"))]
#[case(json!({"start_date": "2012"}), "2012 2015-12-31", None)]
#[case(json!({"start_date": "2016", "end_date": "2017"}), "2016 2017", None)]
#[case(json!({}), "2011-01-01 2015-12-31", None)]
#[tokio::test(flavor = "multi_thread")]
async fn period_never_ends_a_membership_before_its_start(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] dates: Value,
    #[case] expected: &str,
    #[case] note: Option<&str>,
) {
    for door in [Door::Database, Door::Url, Door::Upload] {
        let fixture = ImportFixture::new(on).await;
        let mut membership = json!({"role": "r", "person_id": "p1", "organization_id": "o", "legislative_period_id": "t5"});
        membership.as_object_mut().unwrap().extend(dates.as_object().unwrap().clone());
        let file = json!({
            "persons": [{"id": "p1", "name": "Ann Lee"}],
            "organizations": [{"id": "o", "name": "House"}],
            "memberships": [membership],
            "events": [{"id": "t5", "name": "Fifth", "classification": "legislative period", "start_date": "2011-01-01", "end_date": "2015-12-31"}],
        });
        fixture.write_file("t.popolo.json", file.to_string());
        let output = import(&fixture, door, "t.popolo.json", Some("isles"), None).await;
        assert!(output.contains("3 created, 0 updated, 0 unchanged"), "{door:?} {output}");
        assert_eq!(output.contains("legislative period"), note.is_some(), "{door:?} {output}");
        let field = if dates.get("start_date").is_some() { "start_date" } else { "end_date" };
        let place = |note: &str| format!("t.popolo.json:1: memberships[0].{field}: {note}");
        assert!(note.is_none_or(|note| output.contains(&place(note))), "{door:?} {output}");
        assert_eq!(members(&fixture).await, [format!("r ann-lee house {expected}")], "{door:?}");
    }
}
