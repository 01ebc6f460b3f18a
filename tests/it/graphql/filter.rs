//! Filters: each operator selects the same records on both databases.

use rstest::rstest;
use serde_json::Value;

use crate::server::{On, Server};

const DATA: &str = r#"
organizations:
- {slug: court, name: {en: City Court, ru: Городской суд}, classification: court}
- {slug: senate, name: {en: Senate}, classification: chamber, otherNames: [{name: Сенат Парламента, lang: ru}]}
people:
- {slug: eva, name: {en: Éva Škoda}}
- {slug: anna, name: {ru: Анна Иванова}, gender: female}
laws:
- {slug: code, title: {en: Code}, kind: code, status: in_force, number: 226-V}
provisions:
- {slug: a274, number: "274", heading: {en: False information}, kind: article, position: 274, law: code}
- {slug: a130, number: "130", heading: {en: Defamation}, kind: article, position: 130, law: code}
topics:
- {slug: speech, label: {en: Speech}}
cases:
- slug: year
  title: {en: Year}
  kind: criminal
  status: decided
  openedOn: "2020"
  court: court
  topics: [speech]
  parties: [{key: eva, person: eva, role: defendant}]
  charges: [{party: eva, provision: a274, outcome: convicted}, {party: eva, provision: a130, outcome: acquitted}]
- slug: day
  title: {en: Day}
  kind: criminal
  status: pending
  openedOn: "2020-06-22"
  parties: [{key: anna, person: anna, role: defendant}]
  charges: [{party: anna, provision: a274, outcome: pending}]
- {slug: later, title: {en: Later}, kind: civil, status: pending, openedOn: "2021-01-01"}
- {slug: unknown, title: {en: Unknown}, kind: civil, status: pending}
"#;

async fn slugs(server: &Server, list: &str, filter: &str) -> Vec<String> {
    let data = server.data(&format!("{{ {list}(filter: {filter}) {{ totalCount nodes {{ slug }} }} }}")).await;
    let nodes = data[list]["nodes"].as_array().unwrap();
    assert_eq!(data[list]["totalCount"], nodes.len(), "total count and rows differ for {filter}");
    let mut slugs: Vec<String> = nodes.iter().map(|node| node["slug"].as_str().unwrap().to_owned()).collect();
    slugs.sort();
    slugs
}

#[rstest]
#[tokio::test]
async fn filters_select_the_expected_records(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, DATA).await;
    let expectations: &[(&str, &str, &[&str])] = &[
        // a year means all of its days
        ("cases", r#"{openedOn: {eq: "2020"}}"#, &["day", "year"]),
        ("cases", r#"{openedOn: {eq: "2020-06"}}"#, &["day"]),
        ("cases", r#"{openedOn: {not: "2020"}}"#, &["later", "unknown"]),
        ("cases", r#"{openedOn: {lte: "2020"}}"#, &["day", "year"]),
        ("cases", r#"{openedOn: {lt: "2020-06-22"}}"#, &["year"]),
        ("cases", r#"{openedOn: {gt: "2020"}}"#, &["later"]),
        ("cases", r#"{openedOn: {gte: "2020-06-22", lt: "2021"}}"#, &["day"]),
        ("cases", r#"{openedOn: {in: ["2021", "2020-06-22"]}}"#, &["day", "later"]),
        ("cases", "{openedOn: {in: []}}", &[]),
        ("cases", "{openedOn: {isNull: true}}", &["unknown"]),
        ("cases", "{openedOn: {isNull: false}}", &["day", "later", "year"]),
        ("cases", r#"{not: {openedOn: {lte: "2020"}}}"#, &["later", "unknown"]),
        // vocabularies
        ("cases", "{status: {eq: PENDING}}", &["day", "later", "unknown"]),
        ("cases", "{status: {in: [DECIDED]}}", &["year"]),
        ("cases", "{status: {not: PENDING}, kind: {eq: CRIMINAL}}", &["year"]),
        // and, or, not
        ("cases", r#"{or: [{slug: {eq: "day"}}, {slug: {eq: "later"}}]}"#, &["day", "later"]),
        ("cases", "{or: []}", &[]),
        ("cases", "{and: []}", &["day", "later", "unknown", "year"]),
        ("cases", r#"{and: [{kind: {eq: CIVIL}}, {not: {slug: {eq: "later"}}}]}"#, &["unknown"]),
        // relations
        ("cases", r#"{charges: {some: {provision: {slug: {eq: "a274"}}}}}"#, &["day", "year"]),
        ("cases", r#"{charges: {every: {provision: {slug: {eq: "a274"}}}}}"#, &["day", "later", "unknown"]),
        ("cases", "{charges: {none: {outcome: {eq: CONVICTED}}}}", &["day", "later", "unknown"]),
        ("cases", r#"{charges: {some: {provision: {law: {number: {eq: "226-V"}}}, outcome: {eq: ACQUITTED}}}}"#, &["year"]),
        ("cases", r#"{parties: {some: {person: {name: {contains: "skoda"}}}}}"#, &["year"]),
        ("cases", r#"{court: {name: {eq: "городской суд"}}}"#, &["year"]),
        ("cases", "{court: {}}", &["year"]),
        ("cases", "{not: {court: {}}}", &["day", "later", "unknown"]),
        ("cases", r#"{topics: {some: {slug: {eq: "speech"}}}}"#, &["year"]),
        ("topics", "{tags: {some: {}}}", &["speech"]),
        ("people", "{caseParties: {some: {case: {charges: {some: {outcome: {eq: CONVICTED}}}}}}}", &["eva"]),
        // names: in any language and spelling
        ("people", r#"{name: {startsWith: "eva"}}"#, &["eva"]),
        ("people", r#"{name: {eq: "anna ivanova"}}"#, &["anna"]),
        ("people", r#"{name: {not: "Анна Иванова"}}"#, &["eva"]),
        ("people", r#"{name: {in: ["ÉVA SKODA", "nobody"]}}"#, &["eva"]),
        ("organizations", r#"{name: {startsWith: "senat parl"}}"#, &["senate"]),
        // texts: letter by letter
        ("people", r#"{gender: {eq: "Female"}}"#, &[]),
        ("people", r#"{gender: {startsWith: "fem", contains: "mal"}}"#, &["anna"]),
        ("people", r#"{gender: {not: "female"}}"#, &["eva"]),
        ("laws", r#"{number: {contains: "6-V"}}"#, &["code"]),
        ("laws", r#"{number: {in: ["226-V"]}}"#, &["code"]),
        // numbers and instants
        ("provisions", "{position: {gt: 130}}", &["a274"]),
        ("provisions", "{position: {lte: 274, gte: 274}}", &["a274"]),
        ("provisions", "{position: {in: [130]}}", &["a130"]),
        ("provisions", "{revision: {eq: 1}}", &["a130", "a274"]),
        ("provisions", r#"{createdAt: {lt: "2026-01-01T00:00:00.000001Z", gte: "2026-01-01T01:00:00+01:00"}}"#, &["a130", "a274"]),
        ("provisions", r#"{createdAt: {gt: "2026-01-01T00:00:00Z"}}"#, &[]),
        ("provisions", "{disputed: {eq: true}}", &[]),
        ("provisions", "{disputed: {eq: false}, published: {eq: true}}", &["a130", "a274"]),
    ];
    for (list, filter, expected) in expectations {
        assert_eq!(&slugs(&server, list, filter).await, expected, "{list}(filter: {filter})");
    }
}

#[rstest]
#[tokio::test]
async fn id_filter_rejects_ids_of_other_types(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, DATA).await;
    let data = server.data("{ person(by: {slug: \"eva\"}) { id } law(by: {slug: \"code\"}) { id } }").await;
    assert_eq!(slugs(&server, "people", &format!("{{id: {{in: [{}]}}}}", data["person"]["id"])).await, ["eva"]);
    assert_eq!(slugs(&server, "people", &format!("{{id: {{not: {}}}}}", data["person"]["id"])).await, ["anna"]);
    let (message, _) = server.error(&format!("{{ people(filter: {{id: {{eq: {}}}}}) {{ nodes {{ id }} }} }}", data["law"]["id"])).await;
    assert!(message.starts_with("filter.id.eq: ") && message.contains("is not the id of a Person; those begin with person_"), "{message}");
}

#[rstest]
#[case(r#"{ cases(filter: {openedOn: {gte: "2020-13"}}) { nodes { id } } }"#, "filter.openedOn.gte: \"2020-13\" is not a date")]
#[case(r#"{ cases(filter: {or: [{}, {decidedOn: {in: ["x"]}}]}) { nodes { id } } }"#, "filter.or[1].decidedOn.in[0]: \"x\" is not a date")]
#[case(r#"{ cases(filter: {createdAt: {lt: "yesterday"}}) { nodes { id } } }"#, "filter.createdAt.lt: \"yesterday\" is not an instant")]
#[case(
    r#"{ cases(filter: {charges: {some: {case: {title: {eq: "x"}, id: {eq: "x"}}}}}) { nodes { id } } }"#,
    "filter.charges.some.case.id.eq: \"x\" is not an id"
)]
#[case(
    "{ cases(filter: {not: {not: {not: {not: {not: {not: {not: {not: {not: {not: {not: {not: {}}}}}}}}}}}}}) { nodes { id } } }",
    "more than 10 levels deep"
)]
#[tokio::test]
async fn invalid_filter_is_rejected_with_its_path(#[case] query: &str, #[case] expected: &str) {
    let server = Server::empty(On::Sqlite).await;
    let (message, code) = server.error(query).await;
    assert!(message.contains(expected), "{message}");
    assert_eq!(code, "BAD_USER_INPUT");
}

#[tokio::test]
async fn oversized_filter_is_rejected() {
    let server = Server::empty(On::Sqlite).await;
    let conditions = "{slug: {eq: \"x\"}},".repeat(201);
    let (message, _) = server.error(&format!("{{ cases(filter: {{or: [{conditions}]}}) {{ nodes {{ id }} }} }}")).await;
    assert!(message.contains("more than 200 conditions"), "{message}");
    let values = Value::from(vec!["x"; 201]);
    let (message, _) = server.error(&format!("{{ cases(filter: {{slug: {{in: {values}}}}}) {{ nodes {{ id }} }} }}")).await;
    assert!(message.contains("filter.slug.in: 201 values are too many"), "{message}");
}

#[tokio::test]
async fn value_of_another_format_is_rejected() {
    let server = Server::sample(On::Sqlite).await;
    for (query, expected) in [
        ("{ cases(filter: {sentences: {some: {length: {eq: \"3 years\"}}}}) { totalCount } }", "is not an ISO 8601 duration"),
        ("{ sources(filter: {language: {eq: \"?\"}}) { totalCount } }", "is not a language tag"),
        ("{ cases(filter: {openedOn: {eq: \"May\"}}) { totalCount } }", "is not a date"),
        ("{ cases(filter: {updatedAt: {gte: \"today\"}}) { totalCount } }", "is not an instant"),
    ] {
        let (message, code) = server.error(query).await;
        assert!(message.contains(expected) && code == "BAD_USER_INPUT", "{query} {message} {code}");
    }
}
