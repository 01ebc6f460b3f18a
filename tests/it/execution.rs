//! An answer has what the query selects and nothing else, in the order of the query.

use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server};

const SLUG: &str = "alnur-ilyashev";

/// The answer as it was sent: its order counts.
async fn sent(server: &Server, query: &str, variables: Value) -> String {
    let body = json!({"query": query, "variables": variables});
    let response = server.client.post(format!("{}/graphql", server.address)).json(&body).send().await.unwrap();
    let text = response.text().await.unwrap();
    // what it cost comes last, and is told elsewhere
    let (data, cost) = text.rsplit_once(",\"extensions\":{\"cost\"").unwrap();
    assert!(cost.ends_with("}}}"), "{text}");
    format!("{data}}}")
}

#[rstest]
#[tokio::test]
async fn fields_come_in_the_order_of_the_query_and_the_same_field_twice_is_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = "query($slug: String!) { b: person(by: {slug: $slug}) { ...Names __typename slug } a: __typename
        b: person(by: {slug: $slug}) { revision ... on Citable { disputed } } }
        fragment Names on Person { name(lang: \"en\") }";
    assert_eq!(
        sent(&server, query, json!({"slug": SLUG})).await,
        r#"{"data":{"b":{"name":"Alnur Ilyashev","__typename":"Person","slug":"alnur-ilyashev","revision":1,"disputed":false},"a":"Query"}}"#
    );
}

#[rstest]
#[case(json!({"with": true, "without": false}), r#"{"slug":"alnur-ilyashev","name":"Alnur Ilyashev","revision":1}"#)]
#[case(json!({"with": false, "without": true}), r#"{"slug":"alnur-ilyashev"}"#)]
#[tokio::test]
async fn skip_and_include_leave_out_fields_and_fragments(#[case] variables: Value, #[case] person: &str) {
    let server = Server::sample(On::Sqlite).await;
    let query = "query($with: Boolean!, $without: Boolean!) { person(by: {slug: \"alnur-ilyashev\"}) {
        slug name(lang: \"en\") @include(if: $with) ... @skip(if: $without) { revision } } }";
    assert_eq!(sent(&server, query, variables).await, format!(r#"{{"data":{{"person":{person}}}}}"#));
}

#[rstest]
#[tokio::test]
async fn a_row_can_have_more_below_it_than_a_function_of_the_database_takes_arguments(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let many: String = (0..200).map(|number| format!("c{number}: citations(first: 1) {{ totalCount nodes {{ id }} }} ")).collect();
    let data = server.data(&format!("{{ person(by: {{slug: \"{SLUG}\"}}) {{ slug {many} revision }} }}")).await;
    let person = data["person"].as_object().unwrap();
    assert_eq!(person.len(), 202);
    assert!(person["c0"]["totalCount"].as_u64().unwrap() > 0);
    assert!((0..200).all(|number| person[&format!("c{number}")] == person["c0"]));
    assert_eq!(person["revision"], 1);
}

#[rstest]
#[tokio::test]
async fn the_last_rows_of_a_list_have_what_belongs_to_them_below(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let below = "slug citations(last: 2) { totalCount nodes { id record { id } source { url } } } statements { nodes { id topics { nodes { id } } } }";
    let query = |page: &str| format!("{{ people({page}) {{ nodes {{ {below} }} }} }}");
    let all = server.data(&query("first: 100")).await["people"]["nodes"].as_array().unwrap().clone();
    assert!(all.len() > 2);
    let last = server.data(&query("last: 2")).await;
    assert_eq!(last["people"]["nodes"], Value::from(all[all.len() - 2..].to_vec()));
}

#[tokio::test]
async fn the_schema_can_be_asked_for_beside_the_data() {
    let server = Server::sample(On::Sqlite).await;
    let query =
        "{ type: __type(name: \"Person\") { name } person(by: {slug: \"alnur-ilyashev\"}) { slug } __schema { queryType { name } } }";
    assert_eq!(
        sent(&server, query, json!({})).await,
        r#"{"data":{"type":{"name":"Person"},"person":{"slug":"alnur-ilyashev"},"__schema":{"queryType":{"name":"Query"}}}}"#
    );
}

#[rstest]
#[case("$first: Int", json!({"first": "ten"}), "Variable \"$first\": \"ten\" is not of type Int")]
#[case("$first: Int!", json!({}), "Variable \"$first\": a value of type Int! must be given")]
#[case("$first: Int", json!({"first": 3_000_000_000_u64}), "Variable \"$first\": 3000000000 is not of type Int")]
#[case(
    "$filter: CaseFilter",
    json!({"filter": {"or": [{}, {"status": {"eq": "LOST"}}]}}),
    "Variable \"$filter\": or[1].status.eq: \"LOST\" is no value of CaseStatus; those are "
)]
#[case(
    "$filter: CaseFilter",
    json!({"filter": {"opened": {"gte": 2020}}}),
    "Variable \"$filter\": opened.gte: 2020 is not of type PartialDate"
)]
#[case("$filter: CaseFilter", json!({"filter": {"colour": 1}}), "Variable \"$filter\": CaseFilter has no field colour; its fields are and, or,")]
#[case("$filter: CaseFilter", json!({"filter": 7}), "Variable \"$filter\": 7 is not an object of type CaseFilter")]
#[tokio::test]
async fn a_variable_that_does_not_fit_is_refused_with_its_place(#[case] variable: &str, #[case] variables: Value, #[case] message: &str) {
    let server = Server::empty(On::Sqlite).await;
    let name = variable.split([':', '$']).nth(1).unwrap();
    let answer = server.answer(&format!("query({variable}) {{ cases({name}: ${name}) {{ nodes {{ id }} }} }}"), variables).await;
    let errors = answer["errors"].as_array().unwrap();
    assert!(errors[0]["message"].as_str().unwrap().starts_with(message), "{answer:#}");
    assert_eq!(errors[0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(errors[0]["locations"], json!([{"line": 1, "column": 7}]));
    assert!(answer.get("data").is_none());
}

#[tokio::test]
async fn every_variable_that_is_wrong_is_told() {
    let server = Server::empty(On::Sqlite).await;
    let query = "query($a: Int!, $b: CaseBy!) { cases(first: $a) { nodes { id } } case(by: $b) { id } }";
    let answer = server.answer(query, json!({"a": 1.5, "b": {"id": "x", "slug": "y"}})).await;
    let messages: Vec<&str> = answer["errors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["Variable \"$a\": 1.5 is not of type Int", "Variable \"$b\": exactly one of id, slug, identifier must be given"]);
}

#[tokio::test]
async fn a_variable_that_is_not_given_has_its_default_or_counts_as_not_given() {
    let server = Server::sample(On::Sqlite).await;
    let query = "query($first: Int = 1, $after: String, $order: PersonOrder) { people(first: $first, after: $after, order: $order) { nodes { id } } }";
    let count = async |variables| server.answer(query, variables).await["data"]["people"]["nodes"].as_array().unwrap().len();
    assert_eq!(count(json!({})).await, 1);
    assert_eq!(count(json!({"first": 2, "order": {"field": "NAME"}})).await, 2);
    assert!(count(json!({"first": null})).await > 2);
}

#[rstest]
#[tokio::test]
async fn a_list_of_which_only_the_name_is_asked_is_there_in_either_direction(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    for page in ["first", "last"] {
        let data = server
            .data(&format!("{{ cases({page}: 2) {{ __typename nodes {{ parties {{ __typename }} }} }} laws {{ __typename }} }}"))
            .await;
        let parties = json!({"parties": {"__typename": "CasePartyConnection"}});
        assert_eq!(data["cases"]["nodes"], json!([parties, parties]), "{page}");
        assert_eq!(data["laws"], json!({"__typename": "LawConnection"}));
    }
}
