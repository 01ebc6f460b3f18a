//! Search matches names in any script and spelling, and words of texts.

use std::fmt::Write;

use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{On, Server};

async fn labels(server: &Server, arguments: &str) -> Vec<String> {
    let data = server.data(&format!("{{ search({arguments}) {{ nodes {{ record {{ label }} }} }} }}")).await;
    data["search"]["nodes"].as_array().unwrap().iter().map(|node| node["record"]["label"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn any_name_in_any_script_matches_despite_one_typo(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    for query in
        ["Жумагулов", "zhumagulov", "Zhumagul", "ZHUMAGULOV Bakytzhan", "Бакытжан", "zhumagulv", "zhumagullov", "zhumagukov", "zhuamgulov"]
    {
        let found = labels(&server, &format!("query: \"{query}\"")).await;
        assert_eq!(found.first().map(String::as_str), Some("Bakytzhan Zhumagulov"), "{query}: {found:?}");
    }
    for query in ["Ильяшев", "Ілияшев", "Қайратұлы", "ilyashev"] {
        let found = labels(&server, &format!("query: \"{query}\", types: [PERSON]")).await;
        assert_eq!(found, ["Alnur Ilyashev"], "{query}");
    }
    assert!(labels(&server, "query: \"xyzzyplugh\"").await.is_empty());
}

#[rstest]
#[tokio::test]
async fn names_rank_before_text_and_words_before_prefixes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(
        on,
        "people:\n- {slug: a, name: {en: Aaron Other}, biography: {en: A friend of Marat}}\n- {slug: b, name: {en: Marata Zed}}\n- {slug: c, name: {en: Marat Young}}\ntopics:\n- {slug: t, label: {en: Marat}}",
    )
    .await;
    assert_eq!(labels(&server, "query: \"marat\"").await, ["Marat Young", "Marat", "Marata Zed", "Aaron Other"]);
    assert_eq!(labels(&server, "query: \"marat\", namesOnly: true").await, ["Marat Young", "Marat", "Marata Zed"]);
    assert_eq!(labels(&server, "query: \"marat\", namesOnly: true, first: 2").await, ["Marat Young", "Marat"]);
    assert!(labels(&server, "query: \"friend\", namesOnly: true").await.is_empty());
}

#[rstest]
#[tokio::test]
async fn hits_are_paginated_counted_and_filtered(#[values(On::Sqlite, On::Postgres)] on: On) {
    let mut text = String::from(
        "jurisdictions:\n- {slug: kz, name: {en: Kazakhstan}, classification: country}\n- {slug: kg, name: {en: Kyrgyzstan}, classification: country}\nlaws:\n- {slug: code, title: {en: Code}, kind: code, status: in_force, jurisdiction: kz}\nprovisions:\n- {slug: a1, heading: {en: Press}, kind: article, position: 1, law: code}\npeople:\n",
    );
    for number in 0..7 {
        let country = if number < 3 { "kz" } else { "kg" };
        writeln!(text, "- {{slug: p{number}, name: {{en: Press Person {number}}}, jurisdiction: {country}}}").unwrap();
    }
    let server = Server::with(on, &text).await;
    let mut all = Vec::new();
    let mut after = json!(null);
    loop {
        let answer = server.answer("query($after: String) { search(query: \"press\", first: 3, after: $after) { totalCount edges { cursor node { record { slug } } } pageInfo { hasNextPage hasPreviousPage endCursor } } }", json!({"after": after})).await;
        let search = &answer["data"]["search"];
        assert_eq!(search["totalCount"], 8, "{answer:#}");
        assert_eq!(search["pageInfo"]["hasPreviousPage"], after != Value::Null);
        all.extend(search["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["record"]["slug"].as_str().unwrap().to_owned()));
        after = search["pageInfo"]["endCursor"].clone();
        if search["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(all, ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "a1"]);
    let country = server.data("{ jurisdiction(by: {slug: \"kz\"}) { id } }").await["jurisdiction"]["id"].clone();
    // the article belongs to the country of its law
    assert_eq!(labels(&server, &format!("query: \"press\", jurisdiction: {country}")).await.len(), 4);
    assert_eq!(labels(&server, "query: \"press\", types: [PROVISION]").await, ["Press"]);
}

#[rstest]
#[tokio::test]
async fn snippets_mark_matches_and_escape_html(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server =
        Server::with(on, "people:\n- {slug: a, name: {en: A}, biography: {en: 'He wrote <script>alert(1)</script> & posts on networks'}}")
            .await;
    let data = server.data("{ search(query: \"network\") { nodes { snippet } } }").await;
    assert_eq!(
        data["search"]["nodes"][0]["snippet"],
        "He wrote &lt;script&gt;alert(1)&lt;/script&gt; &amp; posts on <mark>networks</mark>"
    );
}

#[rstest]
#[tokio::test]
async fn renamed_record_matches_only_its_new_name(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, "people:\n- {slug: a, name: {en: Former}}").await;
    server.import("people:\n- {slug: a, name: {en: Present}}").await.unwrap();
    assert_eq!(labels(&server, "query: \"present\"").await, ["Present"]);
    assert!(labels(&server, "query: \"former\"").await.is_empty());
}

#[rstest]
#[tokio::test]
async fn query_is_never_parsed_as_index_syntax(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    for query in ["NOT OR AND", "names:x*", "a & | ! <-> b", "\\\"(", "NEAR(a b)", "'; DROP TABLE persons; --", "^x", "{}"] {
        let answer = server
            .answer("query($query: String!) { search(query: $query) { totalCount nodes { snippet } } }", json!({"query": query}))
            .await;
        let said = answer["errors"][0]["extensions"]["code"].as_str();
        assert!(said.is_none() || said == Some("BAD_USER_INPUT"), "{query}: {answer:#}");
    }
    let (message, _) = server.error("{ search(query: \" - \") { totalCount } }").await;
    assert!(message.starts_with("query: there is no word to search for"), "{message}");
}

#[rstest]
#[tokio::test]
async fn blank_query_matches_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::sample(on).await;
    let query = "query($query: String!) { search(query: $query) { totalCount nodes { snippet record { id } } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let page = json!({"hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null});
    for blank in ["", " ", "\t\n", "\u{a0}\u{2003}"] {
        let answer = server.answer(query, json!({"query": blank})).await;
        assert_eq!(answer, json!({"data": {"search": {"totalCount": 0, "nodes": [], "edges": [], "pageInfo": page}}}), "{blank:?}");
    }
    let (_, code) = server.error("{ search(query: \"\", after: \"nonsense\") { totalCount } }").await;
    assert_eq!(code, "INVALID_CURSOR");
}
