//! Contradicting claims of sources are all kept, and the record is marked as disputed.

use rstest::rstest;
use serde_json::json;

use crate::server::{On, Server};

const DATA: &str = r#"
sources:
- {slug: one, title: {en: One}, kind: article}
- {slug: two, title: {en: Two}, kind: article}
- {slug: three, title: {en: Three}, kind: article}
cases:
- slug: disputed
  title: {en: Disputed}
  kind: criminal
  status: decided
  decidedOn: "2020-06-22"
  citations:
  - {source: one, field: decidedOn, value: "2020"}
  - {source: two, field: decidedOn, value: "2020-06-22"}
  - {source: three, field: decidedOn, value: "2019-06-22", quote: "On June 22, 2019"}
- slug: part
  title: {en: In a part}
  kind: criminal
  status: decided
  sentences:
  - {key: work, kind: forced_labour, amount: 100, unit: hours, citations: [{source: one, field: amount, value: 100}, {source: two, field: amount, value: 300}]}
- slug: agreed
  title: {en: Agreed}
  kind: criminal
  status: decided
  decidedOn: "2020"
  citations: [{source: one, field: decidedOn, value: "2020"}, {source: two, field: decidedOn, value: "2020"}, {source: three}]
"#;

#[rstest]
#[tokio::test]
async fn contradicting_claims_make_a_field_disputed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, DATA).await;
    let data = server.data("{ cases(filter: {disputed: {eq: true}}) { nodes { slug disputes { field accepted claims { value accepted citations { quote source { slug } } } } } } }").await;
    assert_eq!(
        data["cases"]["nodes"],
        json!([
            {"slug": "part", "disputes": []},
            {"slug": "disputed", "disputes": [{"field": "decidedOn", "accepted": "2020-06-22", "claims": [
                {"value": "2020-06-22", "accepted": true, "citations": [{"quote": null, "source": {"slug": "one"}}, {"quote": null, "source": {"slug": "two"}}]},
                {"value": "2019-06-22", "accepted": false, "citations": [{"quote": "On June 22, 2019", "source": {"slug": "three"}}]},
            ]}]},
        ])
    );
    let data = server.data("{ case(by: {slug: \"part\"}) { disputed sentences(filter: {disputed: {eq: true}}) { nodes { disputed disputes { field claims { value } } } } } }").await;
    assert_eq!(
        data["case"]["sentences"]["nodes"][0],
        json!({"disputed": true, "disputes": [{"field": "amount", "claims": [{"value": "100"}, {"value": "300"}]}]})
    );
}

#[rstest]
#[tokio::test]
async fn removing_a_claim_ends_the_dispute(#[values(On::Sqlite, On::Postgres)] on: On) {
    let server = Server::with(on, DATA).await;
    server.import("cases:\n- {slug: disputed, citations: [{source: one, field: decidedOn, value: \"2020\"}]}").await.unwrap();
    let data = server.data("{ case(by: {slug: \"disputed\"}) { disputed disputes { field } citations { totalCount } revision } }").await;
    assert_eq!(data["case"], json!({"disputed": false, "disputes": [], "citations": {"totalCount": 1}, "revision": 2}));
}
