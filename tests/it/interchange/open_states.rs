//! People, committees and bills of Open States.

use rstest::rstest;
use serde_json::{Value, json};

use super::ImportFixture;
use super::identity::{Door, import};
use crate::server::On;

const ANN: &str = "ocd-person/1c2d5a44-7f50-4d1e-9c51-000000000001";
const STRANGER: &str = "ocd-person/1c2d5a44-7f50-4d1e-9c51-000000000009";
const AGRICULTURE: &str = "ocd-organization/2a6e0c10-7f50-4d1e-9c51-000000000001";
const STATE: &str = "ocd-jurisdiction/country:us/state:nc/government";

const PERSON: &str = "\
id: ocd-person/1c2d5a44-7f50-4d1e-9c51-000000000001
name: Ann Lee
given_name: Ann
middle_name: Maria
family_name: Lee
suffix: Jr.
gender: Female
email: ann.lee@nc.example
birth_date: '1970-05-03'
biography: A teacher.
image: https://nc.example/ann.jpg
party:
- name: Democratic
  start_date: '2010'
  end_date: '2014-06-01'
- name: Independent
  start_date: '2014-06-02'
roles:
- type: lower
  jurisdiction: ocd-jurisdiction/country:us/state:nc/government
  district: '15'
  start_date: '2011-01-01'
  end_date: '2014-12-31'
  end_reason: resigned
- type: upper
  jurisdiction: ocd-jurisdiction/country:us/state:nc/government
  district: At-Large
  start_date: '2015-01-01'
offices:
- classification: capitol
  name: Capitol Office
  address: 16 W. Jones Street; Raleigh
  voice: 919-555-0101
- classification: district
  fax: 919-555-0102
links:
- url: https://ann.example/
  note: homepage
other_names:
- name: Annie Lee
  start_date: '2012'
other_identifiers:
- scheme: legacy_openstates
  identifier: NCL000001
  start_date: '2011'
ids:
  twitter: annlee
  youtube: ''
sources:
- url: https://nc.example/members/1
extras:
  profession: Teacher
";

/// The same as [`PERSON`], in JSON.
fn person_object() -> Value {
    json!({
        "id": ANN,
        "name": "Ann Lee", "given_name": "Ann", "middle_name": "Maria", "family_name": "Lee", "suffix": "Jr.",
        "gender": "Female", "email": "ann.lee@nc.example", "birth_date": "1970-05-03", "biography": "A teacher.",
        "image": "https://nc.example/ann.jpg",
        "party": [
            {"name": "Democratic", "start_date": "2010", "end_date": "2014-06-01"},
            {"name": "Independent", "start_date": "2014-06-02"},
        ],
        "roles": [
            {"type": "lower", "jurisdiction": STATE, "district": 15, "start_date": "2011-01-01", "end_date": "2014-12-31", "end_reason": "resigned"},
            {"type": "upper", "jurisdiction": STATE, "district": "At-Large", "start_date": "2015-01-01"},
        ],
        "offices": [
            {"classification": "capitol", "name": "Capitol Office", "address": "16 W. Jones Street; Raleigh", "voice": "919-555-0101"},
            {"classification": "district", "fax": "919-555-0102"},
        ],
        "links": [{"url": "https://ann.example/", "note": "homepage"}],
        "other_names": [{"name": "Annie Lee", "start_date": "2012"}],
        "other_identifiers": [{"scheme": "legacy_openstates", "identifier": "NCL000001", "start_date": "2011"}],
        "ids": {"twitter": "annlee", "youtube": ""},
        "sources": [{"url": "https://nc.example/members/1"}],
        "extras": {"profession": "Teacher"},
    })
}

/// The records of [`PERSON`] beside its source: the person, two parties, two chambers, four memberships and the state.
const PERSON_RECORDS: usize = 10;

const PERSON_QUERY: &str = "{ people { nodes { slug name givenName additionalName familyName honorificSuffix gender birthDate biography image
    contactDetails { type value label note } otherNames { name start } links { url note } identifiers { scheme value }
    citations { nodes { source { url } } }
    memberships { nodes { role start end endReason area organization { name classification jurisdiction { name ocdId classification } } } } } } }";

/// Whether a list of nodes has a value.
fn has(list: &Value, value: &Value) -> bool {
    list.as_array().is_some_and(|items| items.contains(value))
}

fn all_created(count: usize) -> String {
    format!("{count} created, 0 updated, 0 unchanged")
}

fn all_unchanged(count: usize) -> String {
    format!("0 created, 0 updated, {count} unchanged")
}

/// Imports a file twice: it creates this many records, and then changes nothing. A repeated import refers to the sources, and
/// counts the others. Returns what the first import says.
async fn import_twice(fixture: &ImportFixture, door: Door, file: &str, records: usize, sources: usize) -> String {
    let first = import(fixture, door, file, None, None).await;
    assert!(first.contains(&all_created(records + sources)), "{first}");
    let second = import(fixture, door, file, None, None).await;
    assert!(second.contains(&all_unchanged(records)), "{second}");
    first
}

async fn assert_ann(fixture: &ImportFixture) {
    let data = fixture.server.data(PERSON_QUERY).await;
    let ann = &data["people"]["nodes"][0];
    let fields = json!({
        "slug": "ann-lee", "name": "Ann Lee", "givenName": "Ann", "additionalName": "Maria", "familyName": "Lee", "honorificSuffix": "Jr.",
        "gender": "female", "birthDate": "1970-05-03", "biography": "A teacher.", "image": "https://nc.example/ann.jpg",
        "otherNames": [{"name": "Annie Lee", "start": "2012"}],
        "links": [{"url": "https://ann.example/", "note": "homepage"}],
        "citations": {"nodes": [{"source": {"url": "https://nc.example/members/1"}}]},
        "contactDetails": [
            {"type": "email", "value": "ann.lee@nc.example", "label": null, "note": null},
            {"type": "address", "value": "16 W. Jones Street; Raleigh", "label": "Capitol Office", "note": "capitol"},
            {"type": "voice", "value": "919-555-0101", "label": "Capitol Office", "note": "capitol"},
            {"type": "fax", "value": "919-555-0102", "label": null, "note": "district"},
        ],
    });
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&ann[name], value, "{name}");
    }
    for (scheme, value) in [("openstates", ANN), ("legacy_openstates", "NCL000001"), ("twitter", "annlee")] {
        assert!(has(&ann["identifiers"], &json!({"scheme": scheme, "value": value})), "{scheme} {ann:#}");
    }
    assert_eq!(ann["identifiers"].as_array().unwrap().len(), 3, "{ann:#}");
    let state = json!({"name": "North Carolina", "ocdId": "ocd-division/country:us/state:nc", "classification": "REGION"});
    let chamber = |name: &str| json!({"name": name, "classification": "CHAMBER", "jurisdiction": state});
    let party = |name: &str| json!({"name": name, "classification": "PARTY", "jurisdiction": null});
    let membership = |role: Value, span: [Value; 3], area: Value, organization: Value| {
        let [start, end, reason] = span;
        json!({"role": role, "start": start, "end": end, "endReason": reason, "area": area, "organization": organization})
    };
    let expected = [
        membership(
            json!("member"),
            [json!("2011-01-01"), json!("2014-12-31"), json!("resigned")],
            json!("District 15"),
            chamber("North Carolina, lower chamber"),
        ),
        membership(
            json!("member"),
            [json!("2015-01-01"), json!(null), json!(null)],
            json!("At-Large"),
            chamber("North Carolina, upper chamber"),
        ),
        membership(json!(null), [json!("2010"), json!("2014-06-01"), json!(null)], json!(null), party("Democratic")),
        membership(json!(null), [json!("2014-06-02"), json!(null), json!(null)], json!(null), party("Independent")),
    ];
    for membership in &expected {
        assert!(has(&ann["memberships"]["nodes"], membership), "{membership:#}\n{ann:#}");
    }
    assert_eq!(ann["memberships"]["nodes"].as_array().unwrap().len(), expected.len());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn person_file_is_imported_without_a_scheme(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
    #[values("person.yml", "person.json")] file: &str,
) {
    let fixture = ImportFixture::new(on).await;
    let is_json = file == "person.json";
    fixture.write_file(file, if is_json { json!([person_object()]).to_string() } else { PERSON.to_owned() });
    let output = import_twice(&fixture, door, file, PERSON_RECORDS, 1).await;
    for omitted in ["persons.extras.profession (1, such as ", "persons.identifiers.start_date (1, such as "] {
        assert!(output.contains(omitted), "{omitted}\n{output}");
    }
    assert!(!output.contains("persons.roles") && !output.contains("persons.offices") && !output.contains("memberships."), "{output}");
    assert_ann(&fixture).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn corrected_person_updates_its_records(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("person.yml", PERSON);
    fixture.import_ok(&["person.yml"]);
    fixture.write_file("person.yml", PERSON.replace("name: Ann Lee\n", "name: Ann Lee-Smith\n").replace("At-Large", "'7'"));
    let output = fixture.import_ok(&["person.yml", "--scheme", "openstates"]);
    assert!(output.contains("0 created, 2 updated, 8 unchanged"), "{output}");
    let data = fixture.server.data("{ people { nodes { slug name memberships(first: 1) { nodes { area } } } } }").await;
    let expected = json!([{"slug": "ann-lee", "name": "Ann Lee-Smith", "memberships": {"nodes": [{"area": "District 7"}]}}]);
    assert_eq!(data["people"]["nodes"], expected);
}

/// The API has the party as a text, the present role only, and the address of the person in Open States.
fn api_person() -> Value {
    json!({
        "id": "ocd-person/1c2d5a44-7f50-4d1e-9c51-000000000002",
        "name": "Bek Aru",
        "party": "Republican",
        "current_role": {"title": "Senator", "org_classification": "upper", "district": 3, "division_id": "ocd-division/country:us/state:nc/sldu:3"},
        "jurisdiction": {"id": STATE, "name": "North Carolina", "classification": "state"},
        "given_name": "Bek", "family_name": "Aru", "image": "", "email": "", "gender": "", "birth_date": "", "death_date": "",
        "extras": {}, "created_at": "2020-01-01T00:00:00Z",
        "openstates_url": "https://openstates.example/person/bek-aru/",
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn people_of_the_api_are_imported(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    let mayor = json!({
        "id": "ocd-person/1c2d5a44-7f50-4d1e-9c51-000000000003",
        "name": "Cai Dun",
        "roles": [
            {"type": "mayor", "jurisdiction": "ocd-jurisdiction/country:us/state:nc/place:cary/government", "end_date": "2030-01-01"},
            {"type": "dogcatcher", "jurisdiction": STATE},
        ],
        "offices": [{"classification": "home", "name": "Home"}],
    });
    let town =
        json!({"id": "ocd-jurisdiction/country:us/state:nc/place:cary/government", "name": "Cary", "classification": "municipality"});
    fixture.write_file("people.json", json!({"results": [api_person(), mayor, town], "pagination": {"page": 1}}).to_string());
    // two people, a party, the upper chamber, the government of the town, three memberships, the state and the town
    let output = import_twice(&fixture, door, "people.json", 10, 0).await;
    let output = output.replace("\\\"", "\"");
    for omitted in [
        "pagination (1, such as ",
        "memberships.division_id (1, such as ",
        "persons.created_at (1, such as ",
        "persons.roles.type (1, such as \"dogcatcher\"",
        "persons.roles.jurisdiction (1, such as ",
        "persons.offices.name (1, such as ",
    ] {
        assert!(output.contains(omitted), "{omitted}\n{output}");
    }
    let query =
        "{ people { nodes { name jurisdiction { name } links { url } memberships { nodes { role area organization { name } } } } } }";
    let data = fixture.server.data(query).await;
    let people = data["people"]["nodes"].as_array().unwrap();
    let bek = people.iter().find(|person| person["name"] == "Bek Aru").unwrap();
    assert_eq!(bek["jurisdiction"]["name"], "North Carolina");
    assert_eq!(bek["links"], json!([{"url": "https://openstates.example/person/bek-aru/"}]));
    let seat = json!({"role": "Senator", "area": "District 3", "organization": {"name": "North Carolina, upper chamber"}});
    assert!(has(&bek["memberships"]["nodes"], &seat), "{bek:#}");
    let cai = people.iter().find(|person| person["name"] == "Cai Dun").unwrap();
    let government = json!([{"role": "mayor", "area": null, "organization": {"name": "Cary, government"}}]);
    assert_eq!(cai["memberships"]["nodes"], government);
}

const COMMITTEE: &str = "\
id: ocd-organization/2a6e0c10-7f50-4d1e-9c51-000000000001
name: Agriculture
jurisdiction: ocd-jurisdiction/country:us/state:nc/government
classification: committee
parent: lower
members:
- name: Ann Lee
  role: chair
  person_id: ocd-person/1c2d5a44-7f50-4d1e-9c51-000000000001
- name: Doe
  role: member
- name: Roe
  role: member
  person_id: ocd-person/1c2d5a44-7f50-4d1e-9c51-000000000009
links:
- url: https://nc.example/agriculture
sources:
- url: https://nc.example/committees
";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn committee_has_its_chamber_and_known_members(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("person.yml", PERSON);
    fixture.import_ok(&["person.yml"]);
    fixture.write_file("committee.yml", COMMITTEE);
    // the committee, a membership and a source; the chamber and the state are there
    let output = import(&fixture, door, "committee.yml", None, None).await;
    assert!(output.contains("3 created, 0 updated, 2 unchanged"), "{output}");
    for omitted in [
        "memberships of people who are neither in the import nor in the database (1, such as ",
        "organizations.members.name (1, such as ",
        "organizations.members.role (1, such as ",
    ] {
        assert!(output.contains(omitted), "{omitted}\n{output}");
    }
    let output = import(&fixture, door, "committee.yml", None, None).await;
    assert!(output.contains(&all_unchanged(4)), "{output}");
    let query =
        "{ organizations(filter: {classification: {eq: COMMITTEE}}) { nodes { name parent { name } jurisdiction { name } links { url }
        identifiers { scheme value } memberships { nodes { role person { slug } } } } } }";
    let data = fixture.server.data(query).await;
    let expected = json!([{
        "name": "Agriculture",
        "parent": {"name": "North Carolina, lower chamber"},
        "jurisdiction": {"name": "North Carolina"},
        "links": [{"url": "https://nc.example/agriculture"}],
        "identifiers": [{"scheme": "openstates-organization", "value": AGRICULTURE}],
        "memberships": {"nodes": [{"role": "chair", "person": {"slug": "ann-lee"}}]},
    }]);
    assert_eq!(data["organizations"]["nodes"], expected);
}

/// A folder of people and committees is one import, in which the files refer to each other.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn folder_of_people_and_committees_is_one_import(#[values(On::Sqlite, On::Postgres)] on: On) {
    let fixture = ImportFixture::new(on).await;
    let folder = fixture.folder.path().join("nc");
    std::fs::create_dir(&folder).unwrap();
    let subcommittee = COMMITTEE
        .replace("2a6e0c10-7f50-4d1e-9c51-000000000001", "2a6e0c10-7f50-4d1e-9c51-000000000002")
        .replace("name: Agriculture", "name: Bees")
        .replace("classification: committee", "classification: subcommittee")
        .replace("parent: lower", &format!("parent: {AGRICULTURE}"));
    let files = [("Ann-Lee.yml", PERSON), ("Agriculture.yml", COMMITTEE), ("Bees.yml", &subcommittee)];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    std::fs::write(folder.join("Bek-Aru.json"), api_person().to_string()).unwrap();
    // those of the first person; the other one, a party and two memberships; two committees with a member each; two sources
    let records = PERSON_RECORDS + 4 + 4;
    let output = fixture.import_ok(&["nc"]);
    assert!(output.contains(&all_created(records + 2)), "{output}");
    let output = fixture.import_ok(&["nc"]);
    assert!(output.contains(&all_unchanged(records)), "{output}");
    let data = fixture.server.data("{ organizations(filter: {slug: {eq: \"bees\"}}) { nodes { parent { slug } } } }").await;
    assert_eq!(data["organizations"]["nodes"], json!([{"parent": {"slug": "agriculture"}}]));
}

fn body(id: &str, name: &str, classification: &str) -> Value {
    json!({"id": format!("ocd-organization/{id}"), "name": name, "classification": classification})
}

fn person(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "party": "Democratic", "current_role": null})
}

fn bill() -> Value {
    let (house, senate) = (body("h", "House", "lower"), body("s", "Senate", "upper"));
    let committee = json!({"id": AGRICULTURE, "name": "Agriculture", "classification": "committee"});
    let action = |organization: &Value, date: &str, description: &str, classification: &[&str], order: usize| json!({"organization": organization, "description": description, "date": date, "classification": classification, "order": order});
    let sponsorship = |name: &str, entity: &str, person: Value, organization: Value, classification: &str| json!({"name": name, "entity_type": entity, "person": person, "organization": organization, "primary": classification == "primary", "classification": classification});
    json!({
        "id": "ocd-bill/3b7f1d20-7f50-4d1e-9c51-000000000001",
        "session": "2023",
        "jurisdiction": {"id": STATE, "name": "North Carolina", "classification": "state"},
        "from_organization": house,
        "identifier": "HB 12",
        "title": "An Act\nto Protect Bees",
        "classification": ["bill", "appropriation"],
        "subject": ["BEES"],
        "extras": {"drafter": "12-1"},
        "openstates_url": "https://openstates.example/nc/bills/2023/HB12/",
        "first_action_date": "2023-01-30",
        "latest_action_date": "2023-06-02",
        "latest_action_description": "Signed by Gov.",
        "latest_passage_date": "2023-05-02",
        "abstracts": [{"abstract": "Protects bees.", "note": "digest"}],
        "other_titles": [{"title": "Bee Act", "note": "short title"}],
        "other_identifiers": [{"identifier": "H12"}],
        "actions": [
            // the positions say the order
            action(&body("g", "Executive", "executive"), "2023-06-02", "Signed by Gov.", &["executive-signature"], 5),
            action(&house, "2023-01-30", "Filed", &["filing"], 0),
            action(&house, "2023-01-31", "Introduced", &["introduction", "referral-committee"], 1),
            action(&committee, "2023-03-01", "Reported favorably", &["committee-passage-favorable"], 2),
            action(&house, "2023-04-01", "Passed 3rd Reading", &["reading-3", "passage"], 3),
            action(&senate, "2023-05-02", "Passed", &["passage"], 4),
        ],
        "sponsorships": [
            sponsorship("LEE", "person", person(ANN, "Ann Lee"), json!(null), "primary"),
            sponsorship("DOE", "person", json!(null), json!(null), "cosponsor"),
            sponsorship("ROE", "person", person(STRANGER, "Roe"), json!(null), "cosponsor"),
            sponsorship("Agriculture", "organization", json!(null), committee.clone(), "cosponsor"),
        ],
        "sources": [{"url": "https://nc.example/HB12", "note": ""}],
        "versions": [{"note": "Filed", "date": "2023-01-30", "links": [{"url": "https://nc.example/HB12.pdf", "media_type": "application/pdf"}]}],
        "documents": [],
        "votes": [{
            "id": "ocd-vote/4c8a2e30-7f50-4d1e-9c51-000000000001",
            "motion_text": "Third Reading",
            "motion_classification": ["passage"],
            "start_date": "2023-04-01T14:05:00+00:00",
            "result": "pass",
            "identifier": "RCS 12",
            "organization": house,
            "votes": [
                {"option": "yes", "voter_name": "Lee", "voter": person(ANN, "Ann Lee")},
                {"option": "no", "voter_name": "Doe", "voter": null},
                {"option": "no", "voter_name": "Roe", "voter": person(STRANGER, "Roe")},
            ],
            "counts": [{"option": "yes", "value": 60}, {"option": "no", "value": 50}, {"option": "other", "value": 2}],
            "sources": [{"url": "https://nc.example/votes/12", "note": ""}],
        }],
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn bill_becomes_proposal_with_votes(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("person.yml", PERSON);
    fixture.import_ok(&["person.yml"]);
    fixture.write_file("bills.json", json!({"results": [bill()], "pagination": {"page": 1, "max_page": 1}}).to_string());
    // new: the proposal, the vote, three sources, the committee and the executive; the chambers get their names in the API
    let output = import(&fixture, door, "bills.json", None, None).await;
    assert!(output.contains("7 created, 2 updated, 1 unchanged"), "{output}");
    for omitted in [
        "bills.abstracts.note (1",
        "bills.actions.classification beyond the first (1",
        "bills.actions.classification outside of the vocabulary (3",
        "bills.classification outside of the vocabulary (1",
        "bills.extras.drafter (1",
        "bills.from_organization (1",
        "bills.identifiers.identifier (1",
        "bills.other_titles (1",
        "bills.session (1",
        "bills.sponsorships of people who are neither in the import nor in the database (1",
        "bills.sponsorships without the id of a person or an organization (1",
        "bills.sponsorships.name (2",
        "bills.subject (1",
        "bills.versions (1",
        "vote_events.counts.option (1",
        "vote_events.identifier (1",
        "vote_events.motion_classification (1",
        "vote_events.start_date time of day (1",
        "vote_events.votes of people who are neither in the import nor in the database (1",
        "vote_events.votes without the id of a voter (1",
        "vote_events.votes.voter_name (1",
    ] {
        assert!(output.contains(omitted), "{omitted}\n{output}");
    }
    for kept in ["_action_date", "_action_description", "_passage_date", "openstates_url", "do not say their status", "became law"] {
        assert!(!output.contains(kept), "{kept}\n{output}");
    }
    let query = "{ proposals { nodes { slug title identifier kind status introducedOn summary jurisdiction { name } identifiers { scheme value }
        citations { nodes { note source { url } } }
        sponsors { nodes { role person { slug } organization { name } } }
        actions { nodes { date classification text organization { name } } }
        voteEvents { nodes { motion date result organization { name } counts { option value } votes { nodes { option person { slug } } } identifiers { scheme value } } } } } }";
    let data = fixture.server.data(query).await;
    let proposal = &data["proposals"]["nodes"][0];
    assert!(proposal["slug"].as_str().unwrap().starts_with("nc-2023-hb-12-"), "{proposal:#}");
    let [lower, upper] = ["North Carolina, lower chamber", "North Carolina, upper chamber"];
    let action = |date: &str, classification: &str, text: &str, organization: &str| json!({"date": date, "classification": classification, "text": text, "organization": {"name": organization}});
    let expected = json!({
        "title": "An Act to Protect Bees", "identifier": "HB 12", "kind": "BILL", "status": "SIGNED", "introducedOn": "2023-01-31",
        "summary": "Protects bees.", "jurisdiction": {"name": "North Carolina"},
        "identifiers": [{"scheme": "openstates-bill", "value": "ocd-bill/3b7f1d20-7f50-4d1e-9c51-000000000001"}],
        "citations": {"nodes": [
            {"note": null, "source": {"url": "https://nc.example/HB12"}},
            {"note": "Open States", "source": {"url": "https://openstates.example/nc/bills/2023/HB12/"}},
        ]},
        "sponsors": {"nodes": [
            {"role": "primary", "person": {"slug": "ann-lee"}, "organization": null},
            {"role": "cosponsor", "person": null, "organization": {"name": "Agriculture"}},
        ]},
        "actions": {"nodes": [
            action("2023-01-30", "OTHER", "Filed", lower),
            action("2023-01-31", "INTRODUCTION", "Introduced", lower),
            action("2023-03-01", "OTHER", "Reported favorably", "Agriculture"),
            action("2023-04-01", "PASSAGE", "Passed 3rd Reading", lower),
            action("2023-05-02", "PASSAGE", "Passed", upper),
            action("2023-06-02", "SIGNATURE", "Signed by Gov.", "North Carolina, executive"),
        ]},
        "voteEvents": {"nodes": [{
            "motion": "Third Reading", "date": "2023-04-01", "result": "PASS", "organization": {"name": lower},
            "counts": [{"option": "YES", "value": 60}, {"option": "NO", "value": 50}],
            "votes": {"nodes": [{"option": "YES", "person": {"slug": "ann-lee"}}]},
            "identifiers": [{"scheme": "openstates-vote_event", "value": "ocd-vote/4c8a2e30-7f50-4d1e-9c51-000000000001"}],
        }]},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&proposal[name], value, "{name}");
    }
    let output = import(&fixture, door, "bills.json", None, None).await;
    assert!(output.contains(&all_unchanged(7)), "{output}");
    // the person's file does not undo what the bill added to the chambers
    let output = import(&fixture, door, "person.yml", None, None).await;
    assert!(output.contains(&all_unchanged(PERSON_RECORDS)), "{output}");
}

/// In bulk data, votes have no ids, and bodies are given by their classification.
const BULK_BILL: &str = "\
id: ocd-bill/3b7f1d20-7f50-4d1e-9c51-000000000002
jurisdiction: ocd-jurisdiction/country:us/state:nc/government
legislative_session: '2023'
identifier: SJR 4
title: A Joint Resolution
classification: [joint resolution]
actions:
- {description: Introduced, date: '2023-02-01', classification: [introduction], organization__classification: upper}
- {description: Adopted, date: '2023-02-08', classification: [passage], organization__classification: upper}
votes:
- &vote
  motion_text: Adoption
  start_date: '2023-02-08'
  result: pass
  identifier: ''
  organization__classification: upper
  counts: [{option: 'yes', value: 30}]
  votes: [{option: 'yes', voter_name: Lee}]
- *vote
";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn bill_of_bulk_data_keeps_its_votes_and_claims_no_status(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(Door::Database, Door::Url, Door::Upload)] door: Door,
) {
    let fixture = ImportFixture::new(on).await;
    fixture.write_file("bill.yaml", BULK_BILL);
    // the proposal, two votes, the chamber and the state
    let output = import_twice(&fixture, door, "bill.yaml", 5, 0).await;
    for omitted in ["bills whose actions do not say their status, which is introduced (1", "vote_events.votes without the id of a voter (2"]
    {
        assert!(output.contains(omitted), "{omitted}\n{output}");
    }
    let query = "{ proposals { nodes { kind status introducedOn actions { nodes { organization { name } } } voteEvents { nodes { motion date } } } } }";
    let data = fixture.server.data(query).await;
    let chamber = json!({"organization": {"name": "North Carolina, upper chamber"}});
    let vote = json!({"motion": "Adoption", "date": "2023-02-08"});
    let expected = json!([{
        "kind": "RESOLUTION", "status": "INTRODUCED", "introducedOn": "2023-02-01",
        "actions": {"nodes": [chamber, chamber]},
        "voteEvents": {"nodes": [vote, vote]},
    }]);
    assert_eq!(data["proposals"]["nodes"], expected);
    // a later action says the status
    fixture.write_file(
        "bill.yaml",
        BULK_BILL.replace("votes:\n- &vote", "- {description: Filed, date: '2023-03-01', classification: [withdrawal]}\nvotes:\n- &vote"),
    );
    let output = import(&fixture, door, "bill.yaml", None, None).await;
    assert!(output.contains("0 created, 1 updated, 4 unchanged"), "{output}");
    let data = fixture.server.data("{ proposals { nodes { status } } }").await;
    assert_eq!(data["proposals"]["nodes"], json!([{"status": "WITHDRAWN"}]));
}

/// A body of a place that no file names is not named by its id: another file of the import names the place, or the import is
/// refused.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn body_of_a_place_has_the_name_of_the_place(#[values(Door::Database, Door::Url)] door: Door) {
    const CARY: &str = "ocd-jurisdiction/country:us/state:nc/place:cary/government";
    let fixture = ImportFixture::new(On::Sqlite).await;
    let folder = fixture.folder.path().join("nc");
    std::fs::create_dir(&folder).unwrap();
    let mayor = format!("id: {ANN}\nname: Ann Lee\nroles:\n- type: mayor\n  jurisdiction: {CARY}\n  start_date: '2019'\n");
    std::fs::write(folder.join("Ann-Lee.yml"), &mayor).unwrap();
    let output = import(&fixture, door, "nc", None, None).await;
    assert!(
        output.contains("nc/Ann-Lee.yml:4: ") && output.contains("names the place ocd-division/country:us/state:nc/place:cary; add one"),
        "{output}"
    );
    std::fs::write(folder.join("municipalities.yml"), format!("- name: Cary\n  id: {CARY}\n  classification: municipality\n")).unwrap();
    let output = import(&fixture, door, "nc", None, None).await;
    assert!(output.contains(&all_created(4)), "{output}");
    let query = "{ organizations { nodes { slug name classification memberships { nodes { role person { slug } } } } } jurisdictions { nodes { ocdId classification } } }";
    let data = fixture.server.data(query).await;
    let memberships = json!({"nodes": [{"role": "mayor", "person": {"slug": "ann-lee"}}]});
    assert_eq!(data["organizations"]["nodes"][0]["name"], "Cary, government");
    assert_eq!(data["organizations"]["nodes"][0]["memberships"], memberships);
    let place = json!([{"ocdId": "ocd-division/country:us/state:nc/place:cary", "classification": "CITY"}]);
    assert_eq!(data["jurisdictions"]["nodes"], place);
    // the database has the body
    std::fs::remove_file(folder.join("municipalities.yml")).unwrap();
    let output = import(&fixture, door, "nc", None, None).await;
    assert!(output.contains(&all_unchanged(3)), "{output}");
}

#[rstest]
#[case("a.yml", PERSON.replace("start_date: '2015-01-01'", "start_date: soon"), &["a.yml:28: ", "\"soon\" is not a date"])]
#[case("a.yml", PERSON.replace("name: Ann Lee\ngiven_name: Ann\nmiddle_name: Maria\nfamily_name: Lee\n", ""), &["a.yml:1: ", "name is missing; give the person a name"])]
#[case("a.yml", BULK_BILL.replace("A Joint Resolution", "''"), &["a.yml:1: ", "title is missing; give the bill a title"])]
#[case("a.yml", BULK_BILL.replace("motion_text: Adoption", "motion_text: ''"), &["a.yml:11: ", "motion_text is missing"])]
#[case("a.json", json!([api_person(), {"id": "7", "name": "Dan"}]).to_string(), &["a.json:1: [1]: this is no person, committee, bill or jurisdiction of Open States"])]
#[tokio::test(flavor = "multi_thread")]
async fn invalid_object_is_refused_with_file_and_line(#[case] file: &str, #[case] text: String, #[case] expected: &[&str]) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file(file, text);
    let error = fixture.import_err(&[file]);
    for part in expected {
        assert!(error.contains(part), "{part}\n{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_with_one_id_are_refused() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("a.yml", PERSON);
    fixture.write_file("b.yml", PERSON.replace("A teacher.", "A judge."));
    let error = fixture.import_err(&["a.yml", "b.yml"]);
    assert!(error.contains(&format!("b.yml:1: two persons have the id \"{ANN}\"; the first is at a.yml:1")), "{error}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn another_scheme_is_refused(#[values(Door::Database, Door::Url, Door::Upload)] door: Door) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("person.yml", PERSON);
    let output = import(&fixture, door, "person.yml", Some("isles"), None).await;
    assert!(output.contains("person.yml") && output.contains("have the scheme openstates, not isles"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn popolo_of_another_register_is_another_command() {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("person.yml", PERSON);
    fixture.write_file("isles.popolo.json", json!({"persons": [{"id": "1", "name": "Dan"}]}).to_string());
    let error = fixture.import_err(&["person.yml", "isles.popolo.json", "--scheme", "openstates"]);
    assert!(error.contains("isles.popolo.json: the ids of this file belong to another register"), "{error}");
}

/// Popolo with ids of Open Civic Data is no file of Open States: its register is not known.
#[rstest]
#[case(json!([{"@type": "Person", "id": ANN, "name": "Ann Lee", "party": "Democratic"}]))]
#[case(json!([{"id": ANN, "name": "Ann Lee", "birth_date": "1970"}]))]
#[case(json!({"persons": [{"id": ANN, "name": "Ann Lee", "roles": []}]}))]
#[case(json!({"organizations": [{"id": AGRICULTURE, "name": "Agriculture", "classification": "committee"}]}))]
#[tokio::test(flavor = "multi_thread")]
async fn popolo_with_ocd_ids_stays_popolo(#[case] file: Value) {
    let fixture = ImportFixture::new(On::Sqlite).await;
    fixture.write_file("list.json", file.to_string());
    let error = fixture.import_err(&["list.json"]);
    assert!(error.contains("name the register with --scheme"), "{error}");
}
