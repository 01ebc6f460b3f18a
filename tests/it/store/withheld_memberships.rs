//! Memberships of a withheld person in later imports: one that is corrected is found, another one is not lost, and how to reach
//! the person does not come back.

use std::fmt::Write;

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::interchange::ImportFixture;
use crate::interchange::identity::{Door, import, import_strictly};
use crate::server::{Asker, On};

/// Memberships of a person in one organization, each as the end of its slug and its values.
type Given = &'static [(&'static str, &'static str)];

const DEPUTY: (&str, &str) = ("1", "label: {en: Deputy}, role: deputy, start: \"2019-01-01\"");

/// What is stored, what an import gives then, and the label, role, start and end of what is stored after it.
const SURE: [(Given, Given, &[&str]); 9] = [
    // the end arrives, under the same slug and under another one
    (&[DEPUTY], &[("1", "label: {en: Deputy}, role: deputy, start: \"2019-01-01\", end: \"2023\"")], &["Deputy deputy 2019-01-01 2023"]),
    (&[DEPUTY], &[("a", "label: {en: Deputy}, role: deputy, start: \"2019-01-01\", end: \"2023\"")], &["Deputy deputy 2019-01-01 2023"]),
    // a corrected label, without the name in it
    (
        &[DEPUTY],
        &[("a", "label: {en: Deputy Lola Karimbek}, role: deputy, start: \"2019-01-01\"")],
        &["Deputy Name withheld deputy 2019-01-01 -"],
    ),
    (
        &[("1", "label: {en: Aide to Karimbek}")],
        &[("a", "label: {en: Aide to Karimbek}, end: \"2023\"")],
        &["Aide to Name withheld - - 2023"],
    ),
    // a second term
    (
        &[("1", "label: {en: Deputy}, role: deputy, start: \"2019\", end: \"2023\"")],
        &[("2", "label: {en: Deputy}, role: deputy, start: \"2023-02\"")],
        &["Deputy deputy 2019 2023", "Deputy deputy 2023-02 -"],
    ),
    (
        &[DEPUTY],
        &[
            ("a", "label: {en: Deputy}, role: deputy, start: \"2019-01-01\", end: \"2023\""),
            ("2", "label: {en: Deputy}, role: deputy, start: \"2024\""),
        ],
        &["Deputy deputy 2019-01-01 2023", "Deputy deputy 2024 -"],
    ),
    // another seat, and another legislative period
    (&[DEPUTY], &[("2", "label: {en: Chair}, role: chair, start: \"2021\"")], &["Deputy deputy 2019-01-01 -", "Chair chair 2021 -"]),
    (
        &[("1", "label: {en: Deputy}, role: deputy, legislativePeriod: V")],
        &[("2", "label: {en: Deputy}, role: deputy, legislativePeriod: VI")],
        &["Deputy deputy - -", "Deputy deputy - -"],
    ),
    // labels alone, in another order
    (
        &[("1", "label: {en: Deputy}"), ("2", "label: {en: Judge}")],
        &[("b", "label: {en: Judge}"), ("a", "label: {en: Deputy}, end: \"2020\"")],
        &["Deputy - - 2020", "Judge - - -"],
    ),
];

/// What an import gives beside [`DEPUTY`] that may be another membership or the same.
const UNSURE: [&str; 4] = [
    "label: {en: Deputy}, role: deputy, start: \"2021\"",
    "label: {en: Deputy}, role: deputy",
    "label: {en: Chair}, role: chair, start: \"2019-01-01\"",
    "label: {en: Chair}",
];

/// A file with the person and, for each list of memberships, an organization.
fn file(lists: &[Given]) -> String {
    let (mut organizations, mut memberships) = (String::new(), String::new());
    for (index, given) in lists.iter().enumerate() {
        writeln!(organizations, "- {{slug: house-{index}, name: {{en: House {index}}}, classification: legislature}}").unwrap();
        for (end, values) in *given {
            let slug = format!("lola-karimbek-{index}-{end}");
            writeln!(memberships, "- {{slug: {slug}, person: lola-karimbek, organization: house-{index}, {values}}}").unwrap();
        }
    }
    format!("people: [{{slug: lola-karimbek, name: {{en: Lola Karimbek}}}}]\norganizations:\n{organizations}memberships:\n{memberships}")
}

/// The memberships of an organization: their label, role, start and end, in this order of start and label, and their ids.
async fn stored(admin: &Asker<'_>, organization: usize) -> (Vec<String>, Vec<String>) {
    let query = format!(
        "{{ organization(by: {{slug: \"house-{organization}\"}}) {{ memberships {{ nodes {{ id slug label role start end person {{ name }} }} }} }} }}"
    );
    let data = admin.data(&query).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut nodes = data["organization"]["memberships"]["nodes"].as_array().unwrap().clone();
    nodes.sort_by_key(|node| format!("{} {}", text(&node["start"]), text(&node["label"])));
    for node in &nodes {
        assert_eq!(node["person"]["name"], "Name withheld", "{data}");
        assert!(!node.to_string().to_lowercase().contains("karimbek"), "{data}");
    }
    let values = nodes.iter().map(|node| ["label", "role", "start", "end"].map(|name| text(&node[name])).join(" ")).collect();
    let mut ids: Vec<String> = nodes.iter().map(|node| text(&node["id"])).collect();
    ids.sort();
    (values, ids)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn membership_of_a_withheld_person_is_corrected_or_another_one(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("house.yaml", file(&SURE.map(|(before, ..)| before)));
    import(&fixture, door, "house.yaml", None, None).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "lola-karimbek"})).await;
    let mut before = Vec::new();
    for index in 0..SURE.len() {
        before.push(stored(&admin, index).await.1);
    }
    fixture.write_file("house.yaml", file(&SURE.map(|(_, after, _)| after)));
    for expected in ["4 created, 6 updated", "0 created, 0 updated"] {
        let output = import(&fixture, door, "house.yaml", None, None).await;
        assert!(output.contains(expected) && !output.contains("warning"), "{output}");
        // no slug leads from the name to the person
        assert!(!output.contains("withheld-"), "{output}");
        for (index, (_, after, values)) in SURE.iter().enumerate() {
            let now = stored(&admin, index).await;
            assert_eq!(now.0, *values, "{after:?}: {output}");
            assert!(before[index].iter().all(|id| now.1.contains(id)), "{after:?}: {output}");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn membership_that_may_be_another_one_is_reported(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("house.yaml", file(&UNSURE.map(|_| &[DEPUTY] as Given)));
    import(&fixture, door, "house.yaml", None, None).await;
    let admin = Asker::with_role(&fixture.server, Role::Admin).await;
    admin.done("withholdPerson { placeCount }", json!({"person": "lola-karimbek"})).await;
    let all = async || {
        let mut found = Vec::new();
        for index in 0..UNSURE.len() {
            found.push(stored(&admin, index).await);
        }
        found
    };
    let before = all().await;
    let mut text = file(&UNSURE.map(|_| &[] as Given));
    for (index, values) in UNSURE.iter().enumerate() {
        writeln!(text, "- {{slug: lola-karimbek-{index}-2, person: lola-karimbek, organization: house-{index}, {values}}}").unwrap();
    }
    fixture.write_file("house.yaml", text);
    let warning = "this membership is skipped, because it may be one that the withheld person has already, or another one";
    let output = import(&fixture, door, "house.yaml", None, None).await;
    assert!(output.contains("0 created, 0 updated") && output.contains(warning), "{output}");
    assert_eq!(all().await, before, "{output}");
    let output = import_strictly(&fixture, door, "house.yaml").await;
    assert!(output.contains(warning), "{output}");
    assert_eq!(all().await, before, "{output}");
}

/// A file with the person and seats in one organization, each with these values.
fn seats(values: &[&str]) -> String {
    let seat = |(index, values): (usize, &&str)| {
        format!("- {{slug: seat-{index}, label: {{en: Deputy}}, role: deputy, person: lola-karimbek, organization: house, {values}}}\n")
    };
    let seats: String = values.iter().enumerate().map(seat).collect();
    format!(
        "people: [{{slug: lola-karimbek, name: {{en: Lola Karimbek}}}}]\n\
         organizations: [{{slug: house, name: {{en: House}}, classification: legislature}}]\nmemberships:\n{seats}"
    )
}

/// How to reach a person does not come back with the memberships, new and stored ones.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn contacts_of_a_withheld_person_do_not_come_back(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("house.yaml", seats(&["start: \"2019\", end: \"2020\""]));
    import(&fixture, door, "house.yaml", None, None).await;
    let (editor, admin) = (Asker::with_role(&fixture.server, Role::Editor).await, Asker::with_role(&fixture.server, Role::Admin).await);
    let text = "people: [{slug: other, name: {en: Other}}]\nmemberships: [{slug: others-seat, label: {en: Deputy}, person: other, organization: house, \
                contactDetails: [{type: phone, value: \"+7 700\"}]}]\n";
    fixture.server.import(text).await.unwrap();
    let person = admin.done("withholdPerson { person { id } }", json!({"person": "lola-karimbek"})).await["person"]["id"].clone();
    let contacts = "contactDetails: [{type: email, value: lk@house.example}], links: [{url: \"https://house.example/4711\"}]";
    let with = |values: &str| format!("{values}, {contacts}");
    fixture.write_file("house.yaml", seats(&[&with("start: \"2019\", end: \"2021\""), &with("start: \"2023\"")]));
    for expected in ["1 created, 1 updated", "0 created, 0 updated"] {
        let output = import(&fixture, door, "house.yaml", None, None).await;
        assert!(output.contains(expected), "{output}");
        let query = "{ memberships { nodes { end contactDetails { value } links { url } history { nodes { changes { new } } } } } }";
        let data = admin.data(query).await.to_string();
        assert!(!data.contains("lk@house") && !data.contains("4711") && data.contains("2021"), "{data}");
    }
    // an editor is refused
    let contact = json!([{"type": "email", "value": "lk@house.example"}]);
    let label = json!({"en": "L"});
    let refused = [
        ("updateMembership { membership { id } }", json!({"id": "seat-0", "contactDetails": contact})),
        (
            "createMembership { membership { id } }",
            json!({"label": label, "person": person, "organization": "house", "contactDetails": contact}),
        ),
        ("updateMembership { membership { id } }", json!({"id": "others-seat", "person": person})),
        ("updateMembership { membership { id } }", json!({"id": "others-seat", "person": person, "contactDetails": []})),
    ];
    for (mutation, input) in refused {
        let payload = editor.payload(mutation, input.clone()).await;
        assert_eq!(payload["errors"].as_array().map(Vec::len), Some(1), "{input}: {payload}");
        assert_eq!(payload["errors"][0]["code"], "WITHHELD", "{input}: {payload}");
    }
    editor.done("updateMembership { membership { id } }", json!({"id": "others-seat", "contactDetails": contact})).await;
    editor.done("updateMembership { membership { id } }", json!({"id": "seat-0", "contactDetails": [], "end": "2022"})).await;
}
