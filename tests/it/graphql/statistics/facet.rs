//! Facets.

use rstest::rstest;
use serde_json::json;

use super::TEXT;
use crate::server::{On, Server};

#[rstest]
#[tokio::test]
async fn facets_count_the_filtered_list_regardless_of_page(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let query = "{ cases(first: 1, filter: {kind: {eq: CRIMINAL}}) { totalCount nodes { slug }
        facets(by: [STATUS, TOPIC, YEAR, OUTCOME, PROVISION]) { dimension values { key label count record { ... on Topic { slug } ... on Provision { number law { title } } } } } } }";
    let before = server.store.statement_count();
    let data = server.data(query).await;
    // the page, the total count and the facets
    assert_eq!(server.store.statement_count() - before, 3);
    assert_eq!(data["cases"]["nodes"].as_array().unwrap().len(), 1);
    let facets = data["cases"]["facets"].as_array().unwrap();
    let value = |key: &str, label: &str, count: u32| json!({"key": key, "label": label, "count": count, "record": null});
    assert_eq!(
        facets[0],
        json!({"dimension": "STATUS", "values": [value("DECIDED", "Decided", 1), value("FINAL", "Final", 1), value("PENDING", "Pending", 1)]})
    );
    let records = |place: usize| {
        let values = facets[place]["values"].as_array().unwrap();
        values.iter().map(|value| (value["label"].clone(), value["count"].clone(), value["record"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(
        records(1),
        [(json!("Press"), json!(2), json!({"slug": "press"})), (json!("Protest"), json!(1), json!({"slug": "protest"}))]
    );
    assert!(facets[1]["values"][0]["key"].as_str().unwrap().starts_with("topic_"));
    assert_eq!(facets[2]["values"], json!([value("2019", "2019", 2), value("2022", "2022", 1)]));
    assert_eq!(facets[3]["values"], json!([value("ACQUITTED", "Acquitted", 2), value("CONVICTED", "Convicted", 2)]));
    let law = json!({"title": "Code"});
    assert_eq!(
        records(4),
        [
            (json!("False information"), json!(2), json!({"number": "274", "law": law})),
            (json!("Discord"), json!(1), json!({"number": "174", "law": law})),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn nested_facets_count_their_own_parent_in_one_statement(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let query = "{ organizations { nodes { slug cases(first: 1) { facets(by: [STATUS, TOPIC], first: 1) { values { label count record { slug } } } totalCount } } } }";
    let before = server.store.statement_count();
    let data = server.data(query).await;
    assert_eq!(server.store.statement_count() - before, 1);
    let press = json!({"values": [{"label": "Press", "count": 2, "record": {"slug": "press"}}]});
    let almaty = json!([{"values": [{"label": "Decided", "count": 1, "record": null}]}, press]);
    let astana = json!([{"values": [{"label": "Pending", "count": 1, "record": null}]}, {"values": []}]);
    assert_eq!(
        data["organizations"]["nodes"],
        json!([
            {"slug": "almaty", "cases": {"facets": almaty, "totalCount": 2}},
            {"slug": "astana", "cases": {"facets": astana, "totalCount": 1}},
        ])
    );
    // the last page, with no other fields selected
    let query = "{ organizations(last: 2) { nodes { slug cases(last: 1, filter: {status: {not: FINAL}}) { facets(by: [STATUS]) { values { count } } } } } }";
    let data = server.data(query).await;
    let nodes = data["organizations"]["nodes"].as_array().unwrap();
    assert_eq!(nodes[0]["cases"]["facets"], json!([{"values": [{"count": 1}]}]));
    assert_eq!(nodes[1]["cases"]["facets"], json!([{"values": [{"count": 1}]}]));
}

#[rstest]
#[tokio::test]
async fn labels_are_in_the_preferred_language(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, TEXT).await;
    let data = server.data("{ cases { first: facets(by: [COURT]) { values { label(lang: \"ru\") } } second: facets(by: [STATUS, COURT], first: 1) { values { label count } } } }").await;
    assert_eq!(data["cases"]["first"], json!([{"values": [{"label": "Алматинский суд"}, {"label": "Astana court"}]}]));
    assert_eq!(
        data["cases"]["second"],
        json!([{"values": [{"label": "Pending", "count": 2}]}, {"values": [{"label": "Almaty court", "count": 2}]}])
    );
}

#[rstest]
#[tokio::test]
async fn invalid_facet_arguments_are_rejected(#[values(On::Sqlite)] on: On) {
    let server = Server::empty(on).await;
    for (arguments, message) in [
        ("by: [STATUS], first: 0", "facets.first: 0 is out of range; request 1 to 100 values"),
        (
            "by: [STATUS, STATUS, STATUS, STATUS, STATUS, STATUS, STATUS, STATUS, STATUS, STATUS, STATUS]",
            "facets.by: 11 facets are too many; request at most 10",
        ),
    ] {
        let error = server.error(&format!("{{ cases {{ facets({arguments}) {{ dimension }} }} }}")).await;
        assert_eq!(error, (message.to_owned(), "BAD_USER_INPUT".to_owned()));
    }
}
