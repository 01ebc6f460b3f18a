//! b. Long language tags: the best match is chosen for each text of a response.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest, WebSocketAttack};
use crate::attack::scenario::{Attack, aliased, token};

pub const ATTACKS: &[Attack] = &[
    Attack::new("b1", "Accept-Language of 40,000 subtags, for 100 cases with 90 aliases of a text", |_| {
        vec![Action::Send(vec![AttackRequest::graphql(&texts("citationText"), &json!({})).header("accept-language", long_tag(40_000))])]
    }),
    Attack::new("b2", "argument lang of 40,000 subtags, for 100 cases with 90 aliases of a text", |_| {
        let selection = aliased("citationText(lang: $lang)", 90);
        let query = format!("query($lang: Language) {{ cases(first: 100) {{ nodes {{ {selection} }} }} }}");
        vec![Action::Send(vec![AttackRequest::graphql(&query, &json!({"lang": long_tag(40_000)}))])]
    }),
    Attack::new("b3", "parameter lang of 25,000 subtags, of a table and of a record page", |samples| {
        let query = "{ cases(first: 100) { nodes { a: citationText b: citationText c: title d: summary } } }";
        let tag = long_tag(25_000);
        vec![
            Action::Send(vec![AttackRequest::export("/table.csv", query, &json!({}), &[("lang", &tag), ("limit", "1000")])]),
            Action::Send(vec![AttackRequest::get(&format!("/r/case/{}", samples.case_slug), &[("lang", &tag)])]),
        ]
    })
    .invalid(),
    Attack::new("b4", "Accept-Language of 8,000 tags, for a response, a feed, a chart and a record page", |samples| {
        let tags = (0..8_000).map(|number| format!("en-x{number}")).collect::<Vec<_>>().join(",");
        let chart = "{ caseStatistics(groupBy: [STATUS]) { rows { status count } } }";
        let requests = [
            AttackRequest::graphql(&texts("citationText"), &json!({})),
            AttackRequest::get("/feed.atom", &[]),
            AttackRequest::export("/chart.svg", chart, &json!({}), &[("x", "status")]),
            AttackRequest::get(&format!("/r/case/{}", samples.case_slug), &[]),
        ];
        requests.into_iter().map(|request| Action::Send(vec![request.header("accept-language", tags.clone())])).collect()
    }),
    Attack::new("b5", "Accept-Language of 20,000 subtags, of a WebSocket with 10 operations", |_| {
        let payload = json!({"query": texts("label")});
        let attack = WebSocketAttack { accept_language: Some(long_tag(20_000)), ..WebSocketAttack::new(vec![payload; 10]) };
        vec![Action::WebSocket(attack)]
    }),
    Attack::with_token("b6", "import (dry run) of a person with 300 names whose language has 100 subtags", |samples| {
        let names: serde_json::Map<_, _> =
            (0..300).map(|number| (format!("en-x{number}{}", "-abcdefgh".repeat(100)), json!("A name"))).collect();
        let person = json!({"person": {"slug": "kurultai-bench-attack-language", "name": names}}).to_string();
        vec![Action::Send(vec![AttackRequest::upload("person.ndjson", &person, true, token(samples))])]
    }),
];

/// 100 cases with 90 aliases of a field.
fn texts(field: &str) -> String {
    format!("{{ cases(first: 100) {{ nodes {{ {} }} }} }}", aliased(field, 90))
}

fn long_tag(subtags: usize) -> String {
    format!("en{}", "-a".repeat(subtags))
}
