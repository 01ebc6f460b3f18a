//! A response contains exactly the selected fields, in the order of the query.

use kurultai::core::auth::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Asker, On, Server};

const SLUG: &str = "alnur-ilyashev";

/// The response body without the cost, as text: the order of fields matters.
async fn response_text(server: &Server, query: &str, variables: Value) -> String {
    let body = json!({"query": query, "variables": variables});
    let response = server.client.post(format!("{}/graphql", server.address)).json(&body).send().await.unwrap();
    let text = response.text().await.unwrap();
    // the cost is the last member; other tests cover it
    let (data, cost) = text.rsplit_once(",\"extensions\":{\"cost\"").unwrap();
    assert!(cost.ends_with("}}}"), "{text}");
    format!("{data}}}")
}

#[rstest]
#[tokio::test]
async fn fields_keep_query_order_and_repeated_fields_merge(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = "query($slug: String!) { b: person(by: {slug: $slug}) { ...Names __typename slug } a: __typename
        b: person(by: {slug: $slug}) { revision ... on Citable { disputed } } }
        fragment Names on Person { name(lang: \"en\") }";
    assert_eq!(
        response_text(&server, query, json!({"slug": SLUG})).await,
        r#"{"data":{"b":{"name":"Alnur Ilyashev","__typename":"Person","slug":"alnur-ilyashev","revision":1,"disputed":false},"a":"Query"}}"#
    );
}

#[rstest]
#[case(json!({"with": true, "without": false}), r#"{"slug":"alnur-ilyashev","name":"Alnur Ilyashev","revision":1}"#)]
#[case(json!({"with": false, "without": true}), r#"{"slug":"alnur-ilyashev"}"#)]
#[tokio::test]
async fn skip_and_include_apply_to_fields_and_fragments(#[case] variables: Value, #[case] person: &str) {
    let server = Server::sample(On::Sqlite).await;
    let query = "query($with: Boolean!, $without: Boolean!) { person(by: {slug: \"alnur-ilyashev\"}) {
        slug name(lang: \"en\") @include(if: $with) ... @skip(if: $without) { revision } } }";
    assert_eq!(response_text(&server, query, variables).await, format!(r#"{{"data":{{"person":{person}}}}}"#));
}

#[rstest]
#[tokio::test]
async fn row_may_have_more_subfields_than_sql_function_arguments(#[values(On::Sqlite, On::Postgres)] on: On) {
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
async fn last_page_nests_the_children_of_its_own_rows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let below = "slug citations(last: 2) { totalCount nodes { id record { id } source { url } } } statements { nodes { id topics { nodes { id } } } }";
    let query = |page: &str| format!("{{ people({page}) {{ nodes {{ {below} }} }} }}");
    let all = server.data(&query("first: 100")).await["people"]["nodes"].as_array().unwrap().clone();
    assert!(all.len() > 2);
    let last = server.data(&query("last: 2")).await;
    assert_eq!(last["people"]["nodes"], Value::from(all[all.len() - 2..].to_vec()));
}

#[tokio::test]
async fn introspection_and_data_combine_in_one_query() {
    let server = Server::sample(On::Sqlite).await;
    let query =
        "{ type: __type(name: \"Person\") { name } person(by: {slug: \"alnur-ilyashev\"}) { slug } __schema { queryType { name } } }";
    assert_eq!(
        response_text(&server, query, json!({})).await,
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
    "Variable \"$filter\": or[1].status.eq: \"LOST\" is not a value of CaseStatus; its values are "
)]
#[case(
    "$filter: CaseFilter",
    json!({"filter": {"openedOn": {"gte": 2020}}}),
    "Variable \"$filter\": openedOn.gte: 2020 is not of type PartialDate"
)]
#[case("$filter: CaseFilter", json!({"filter": {"colour": 1}}), "Variable \"$filter\": CaseFilter has no field colour; its fields are and, or,")]
#[case("$filter: CaseFilter", json!({"filter": 7}), "Variable \"$filter\": 7 is not an object of type CaseFilter")]
#[tokio::test]
async fn invalid_variable_is_rejected_with_its_path(#[case] variable: &str, #[case] variables: Value, #[case] message: &str) {
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
async fn every_invalid_variable_is_reported() {
    let server = Server::empty(On::Sqlite).await;
    let query = "query($a: Int!, $b: CaseBy!) { cases(first: $a) { nodes { id } } case(by: $b) { id } }";
    let answer = server.answer(query, json!({"a": 1.5, "b": {"id": "x", "slug": "y"}})).await;
    let messages: Vec<&str> = answer["errors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        [
            "Variable \"$a\": 1.5 is not of type Int; write a whole number of 32 bits, such as 20",
            "Variable \"$b\": exactly one of id, slug, identifier must be given"
        ]
    );
}

#[tokio::test]
async fn absent_variable_has_its_default_or_is_absent() {
    let server = Server::sample(On::Sqlite).await;
    let query = "query($first: Int = 1, $after: String, $order: PersonOrder) { people(first: $first, after: $after, order: $order) { nodes { id } } }";
    let count = async |variables| server.answer(query, variables).await["data"]["people"]["nodes"].as_array().unwrap().len();
    assert_eq!(count(json!({})).await, 1);
    assert_eq!(count(json!({"first": 2, "order": {"field": "NAME"}})).await, 2);
    assert!(count(json!({"first": null})).await > 2);
}

#[rstest]
#[tokio::test]
async fn list_with_only_typename_is_present_in_both_directions(#[values(On::Sqlite, On::Postgres)] on: On) {
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

/// `onError` decides what an error does to the rest of the response.
#[tokio::test]
async fn on_error_is_taken_as_a_parameter() {
    let server = Server::sample(On::Sqlite).await;
    let query = "{ a: cases(first: 101) { totalCount } b: cases(first: 102) { totalCount } c: laws(first: 0) { nodes { slug } } }";
    let send = async |on_error: Value| {
        let body = json!({"query": query, "onError": on_error});
        server.client.post(format!("{}/graphql", server.address)).json(&body).send().await.unwrap().json::<Value>().await.unwrap()
    };
    for on_error in [json!(null), json!("PROPAGATE"), json!("NULL")] {
        let answer = send(on_error).await;
        assert_eq!(answer["data"], json!({"a": null, "b": null, "c": {"nodes": []}}));
        assert_eq!(answer["errors"].as_array().unwrap().len(), 2);
    }
    let answer = send(json!("HALT")).await;
    assert_eq!((&answer["data"], answer["errors"].as_array().map(Vec::len)), (&Value::Null, Some(1)));
    let answer = send(json!("ABORT")).await;
    assert_eq!(answer["errors"][0]["message"], "onError: \"ABORT\" is not known; it must be PROPAGATE, NULL or HALT");
    let url = format!("{}/graphql", server.address);
    let answer: Value = server.client.get(url).query(&[("query", query), ("onError", "HALT")]).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"], Value::Null);
}

#[rstest]
#[tokio::test]
async fn halt_executes_no_later_mutation(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let editor = Asker::with_role(&server, Role::Editor).await;
    let mutation = "mutation { a: withholdPerson(input: {person: \"alnur-ilyashev\"}) { errors { code } }
        b: createTopic(input: {label: {en: \"Later\"}, slug: \"later\"}) { topic { slug } } }";
    let body = |on_error: &str| json!({"query": mutation, "onError": on_error});
    let answer = editor.post(&body("HALT")).await;
    assert_eq!((&answer["data"], answer["errors"].as_array().map(Vec::len)), (&Value::Null, Some(1)), "{answer}");
    assert_eq!(editor.data("{ topic(by: {slug: \"later\"}) { slug } }").await["topic"], Value::Null);
    let answer = editor.post(&body("NULL")).await;
    assert_eq!(answer["data"]["b"]["topic"]["slug"], "later", "{answer}");
}
