//! The text of the law in force on a date.

use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server};

const DATA: &str = r#"
laws:
- {slug: code, title: {en: Code}, kind: code, status: in_force}
provisions:
- slug: old
  heading: {en: Old}
  kind: article
  position: 1
  law: code
  versions:
  - {key: first, validFrom: "2015-01-01", validTo: "2018-07-01", text: {en: First, ru: Первый}}
  - {key: second, validFrom: "2018-07-01", text: {en: Second}}
- slug: new
  heading: {en: New}
  kind: article
  position: 2
  law: code
  versions: [{key: only, validFrom: "2020", text: {en: Only}}]
- {slug: bare, heading: {en: Bare}, kind: article, position: 3, law: code}
"#;

#[rstest]
#[case(None, json!("Second"), &["old", "new", "bare"])]
#[case(Some("2014-12-31"), json!(null), &[])]
#[case(Some("2015-01-01"), json!("First"), &["old"])]
#[case(Some("2018-06-30"), json!("First"), &["old"])]
// validTo is exclusive: it is the first day of the next version
#[case(Some("2018-07-01"), json!("Second"), &["old"])]
// a year or a month means its last day
#[case(Some("2018"), json!("Second"), &["old"])]
#[case(Some("2018-06"), json!("First"), &["old"])]
#[case(Some("2020-03"), json!("Second"), &["old", "new"])]
#[tokio::test]
async fn text_is_the_version_in_force_on_the_date(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] date: Option<&str>,
    #[case] text: serde_json::Value,
    #[case] in_force: &[&str],
) {
    let server = Server::with(on, DATA).await;
    let query = "query($date: PartialDate) { provision(by: {slug: \"old\"}) { text(asOf: $date) ru: text(asOf: \"2016\", lang: \"ru\") } law(by: {slug: \"code\"}) { provisions(asOf: $date) { totalCount nodes { slug } } } }";
    let answer = server.answer(query, json!({"date": date})).await;
    assert_eq!(answer["data"]["provision"], json!({"text": text, "ru": "Первый"}), "{answer:#}");
    let provisions = &answer["data"]["law"]["provisions"];
    let slugs: Vec<&str> = provisions["nodes"].as_array().unwrap().iter().map(|node| node["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, in_force);
    assert_eq!(provisions["totalCount"], in_force.len());
}

#[tokio::test]
async fn invalid_date_is_rejected() {
    let server = Server::with(On::Sqlite, DATA).await;
    for query in
        ["{ provisions { nodes { text(asOf: \"yesterday\") } } }", "{ laws { nodes { provisions(asOf: \"yesterday\") { totalCount } } } }"]
    {
        let (message, code) = server.error(query).await;
        assert_eq!(message, "asOf: \"yesterday\" is not a date: write a year (2013), a month (2013-08) or a day (2013-08-22)");
        assert_eq!(code, "BAD_USER_INPUT");
    }
}
