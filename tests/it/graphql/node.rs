//! Lookup of records by id, slug and identifier; ids are permanent.

use migration::sea_orm::ConnectionTrait;
use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server};

#[rstest]
#[tokio::test]
async fn record_is_found_by_id_slug_and_identifier(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let data = server
        .data(
            r#"{ bySlug: person(by: {slug: "alnur-ilyashev"}) { id identifiers { scheme value } }
        byIdentifier: person(by: {identifier: {scheme: "wikipedia", value: "Alnur_Ilyashev"}}) { id }
        otherType: law(by: {identifier: {scheme: "wikipedia", value: "Alnur_Ilyashev"}}) { id }
        nobody: person(by: {slug: "nobody"}) { id } }"#,
        )
        .await;
    let id = data["bySlug"]["id"].as_str().unwrap();
    assert!(id.starts_with("person_"));
    assert_eq!(data["byIdentifier"]["id"], id);
    assert_eq!(data["bySlug"]["identifiers"][0]["scheme"], "wikipedia");
    assert_eq!((&data["otherType"], &data["nobody"]), (&json!(null), &json!(null)));
    let data = server.data(&format!("{{ person(by: {{id: \"{id}\"}}) {{ slug }} node(id: \"{id}\") {{ __typename id ... on Person {{ slug }} ... on Record {{ label revision }} }} }}")).await;
    assert_eq!(data["person"]["slug"], "alnur-ilyashev");
    assert_eq!(data["node"], json!({"__typename": "Person", "id": id, "slug": "alnur-ilyashev", "label": "Alnur Ilyashev", "revision": 1}));
}

#[rstest]
#[tokio::test]
async fn nodes_keep_the_order_of_ids_with_null_for_unknown_ids(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let data = server.data(r#"{ case(by: {slug: "kazakhstan-v-ilyashev"}) { id charges { nodes { id } } citations(first: 1) { nodes { id } } history(first: 1) { nodes { id } } } }"#).await;
    let (case, charge) = (&data["case"]["id"], &data["case"]["charges"]["nodes"][0]["id"]);
    let (citation, revision) = (&data["case"]["citations"]["nodes"][0]["id"], &data["case"]["history"]["nodes"][0]["id"]);
    let gone = "case_01h455vb4pex5vsknk084sn02q";
    let found = server.data(&format!("{{ nodes(ids: [{charge}, \"{gone}\", {case}, {citation}, {revision}, {case}]) {{ __typename id ... on Charge {{ case {{ slug }} }} ... on Citation {{ record {{ id }} }} }} }}")).await;
    let nodes = &found["nodes"];
    assert_eq!(nodes[0]["case"]["slug"], "kazakhstan-v-ilyashev");
    assert_eq!(nodes[1], json!(null));
    assert_eq!(nodes[2]["id"], *case);
    assert_eq!(nodes[3]["record"]["id"], *case);
    assert_eq!(nodes[4]["__typename"], "Revision");
    assert_eq!(nodes[5], nodes[2]);
}

#[rstest]
#[tokio::test]
async fn id_of_merged_record_resolves_to_its_successor(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: new, name: {en: New}}").await;
    let data = server.data("{ person(by: {slug: \"new\"}) { id } }").await;
    let (_, new) = kurultai::core::id::decode(data["person"]["id"].as_str().unwrap()).unwrap();
    let old = uuid::Uuid::now_v7();
    let literal = |id: uuid::Uuid| match on {
        On::Sqlite => format!("x'{}'", id.simple()),
        On::Postgres => format!("'{id}'"),
    };
    let insert = format!("INSERT INTO nodes (id, record_type, merged_into) VALUES ({}, 'person', {})", literal(old), literal(new));
    server.database.raw().await.execute_unprepared(&insert).await.unwrap();
    let data =
        server.data(&format!("{{ node(id: \"{}\") {{ ... on Person {{ slug }} }} }}", kurultai::core::id::encode("person", old))).await;
    assert_eq!(data["node"]["slug"], "new");
}

#[rstest]
#[case("{ node(id: \"person_1\") { id } }", "id: \"person_1\" is not an id")]
#[case("{ node(id: \"martian_01h455vb4pex5vsknk084sn02q\") { id } }", "id: no record has ids that begin with martian_")]
#[case("{ nodes(ids: [\"person_01h455vb4pex5vsknk084sn02q\", \"\"]) { id } }", "ids[1]: \"\" is not an id")]
#[case(
    "{ case(by: {id: \"person_01h455vb4pex5vsknk084sn02q\"}) { id } }",
    "by.id: \"person_01h455vb4pex5vsknk084sn02q\" is not the id of a Case; those begin with case_"
)]
#[tokio::test]
async fn invalid_id_is_rejected_with_advice(#[case] query: &str, #[case] expected: &str) {
    let server = Server::empty(On::Sqlite).await;
    let (message, code) = server.error(query).await;
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(code, "BAD_USER_INPUT");
}

#[tokio::test]
async fn too_many_ids_are_rejected() {
    let server = Server::empty(On::Sqlite).await;
    let ids = json!(vec!["person_01h455vb4pex5vsknk084sn02q"; 101]);
    let answer = server.answer("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({"ids": ids})).await;
    assert_eq!(answer["errors"][0]["message"], "ids: 101 ids are too many; give at most 100");
    assert_eq!(answer["errors"][0]["path"], json!(["nodes"]));
    assert_eq!(answer["data"], json!({"nodes": null}));
}

#[rstest]
#[tokio::test]
async fn readers_do_not_see_drafts(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(
        on,
        "people:\n- {slug: known, name: {en: Known}}\n- {slug: draft, name: {en: Draft}, published: false}\norganizations:\n- {slug: o, name: {en: O}, classification: party}\nmemberships:\n- {slug: m, label: {en: M}, person: draft, organization: o}\ncases:\n- {slug: c, title: {en: Secret}, kind: criminal, status: pending, published: false, parties: [{person: known, role: defendant}]}",
    )
    .await;
    let data = server.data(r#"{ people { totalCount nodes { slug } } person(by: {slug: "draft"}) { id } membership(by: {slug: "m"}) { person { id } }
        cases { totalCount } search(query: "draft") { totalCount } known: person(by: {slug: "known"}) { caseParties { totalCount nodes { id } } }
        drafts: people(filter: {published: {eq: false}}) { totalCount } members: memberships(filter: {person: {name: {contains: "Draft"}}}) { totalCount } }"#).await;
    assert_eq!(
        data,
        json!({"people": {"totalCount": 1, "nodes": [{"slug": "known"}]}, "person": null, "membership": {"person": null}, "cases": {"totalCount": 0},
            "search": {"totalCount": 0}, "known": {"caseParties": {"totalCount": 0, "nodes": []}}, "drafts": {"totalCount": 0}, "members": {"totalCount": 0}})
    );
    server.import("cases:\n- {slug: c, published: true}").await.unwrap();
    let data = server.data(r#"{ person(by: {slug: "known"}) { caseParties { nodes { case { title } } } } }"#).await;
    assert_eq!(data["person"]["caseParties"]["nodes"][0]["case"]["title"], "Secret");
}
