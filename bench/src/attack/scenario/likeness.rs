//! k. Likeness: each description is compared with many records.

use serde_json::{Value, json};

use crate::attack::action::{Action, AttackRequest};
use crate::attack::sample::Samples;
use crate::attack::scenario::{Attack, aliased, token};

const MATCH: &str = "query($type: MatchableType!, $candidates: [MatchCandidate!]!) {
    match(type: $type, candidates: $candidates, first: 25) { isExhaustive matches { score features { name given stored share } } }
}";

pub const ATTACKS: &[Attack] = &[
    Attack::new("k1", "25 descriptions with ten names each, of people and of organizations, in each of four requests", |samples| {
        let names = |number: usize| (0..10).map(|index| json!(name(samples, number * 10 + index))).collect::<Vec<_>>();
        let candidates: Vec<Value> = (0..25).map(|number| json!({"names": names(number)})).collect();
        let requests = ["PERSON", "ORGANIZATION"]
            .map(|ty| Action::Send(vec![AttackRequest::graphql(MATCH, &json!({"type": ty, "candidates": candidates}))]));
        requests.iter().cycle().take(4).cloned().collect()
    }),
    Attack::new("k2", "30 times one name of 40 words in a request, by each of four clients", |samples| {
        let words: Vec<String> = (0..20).map(|number| name(samples, number)).collect();
        let field = "match(type: PERSON, candidates: [{names: [$name]}], first: 25) { matches { score } }";
        let query = format!("query($name: String!) {{ {} }}", aliased(field, 30));
        vec![Action::Send(vec![AttackRequest::graphql(&query, &json!({"name": words.join(" ")}))]); 4]
    }),
    Attack::new("k3", "200 matches one after the other", |samples| {
        let candidates: Vec<Value> = (0..25).map(|number| json!({"names": [name(samples, number)]})).collect();
        vec![Action::Send(vec![AttackRequest::graphql(MATCH, &json!({"type": "PERSON", "candidates": candidates})); 200])]
    }),
    Attack::new("k4", "25 reconciliation queries, by GET and by POST, in each of ten requests", |samples| {
        let queries: serde_json::Map<String, Value> =
            (0..25).map(|number| (format!("q{number}"), json!({"query": name(samples, number), "type": "person", "limit": 25}))).collect();
        let queries = Value::Object(queries).to_string();
        let get = AttackRequest::get("/reconcile", &[("queries", &queries)]);
        let post = AttackRequest::post_form("/reconcile", &[("queries", &queries)]);
        [get, post].into_iter().cycle().take(10).map(|request| Action::Send(vec![request])).collect()
    }),
    Attack::new("k5", "suggestions for one letter, 100 times over each of ten connections", |_| {
        vec![Action::Send(vec![AttackRequest::get("/reconcile/suggest/entity", &[("prefix", "a")]); 100]); 10]
    }),
    Attack::new("k6", "properties of 100 records by reconciliation, in each of ten requests", |samples| {
        let properties: Vec<Value> = ["slug", "title", "status", "kind"].iter().map(|id| json!({"id": id})).collect();
        let extend = json!({"ids": samples.case_ids, "properties": properties}).to_string();
        vec![Action::Send(vec![AttackRequest::post_form("/reconcile", &[("extend", &extend)])]); 10]
    })
    .invalid(),
    Attack::with_token("k7", "all pairs of possible duplicates and all that needs care, four times each, as an editor", |samples| {
        let pairs = "{ possibleDuplicatePairs(first: 100) { isComplete nodes { score } } }";
        let care = "{ needsCare(first: 100) { totalCount nodes { kind } } }";
        let request = |query| Action::Send(vec![AttackRequest::graphql(query, &json!({})).token(token(samples))]);
        [pairs, care].into_iter().cycle().take(8).map(request).collect()
    }),
    Attack::with_token("k8", "import (dry run) of 1,000 people whose names resemble many", |samples| {
        let person =
            |number: usize| json!({"person": {"slug": format!("kurultai-bench-attack-{number}"), "name": {"en": name(samples, number)}}});
        let lines: Vec<String> = (0..1_000).map(|number| person(number).to_string()).collect();
        vec![Action::Send(vec![AttackRequest::upload("people.ndjson", &lines.join("\n"), true, token(samples))])]
    }),
];

/// The name of a person of the dataset.
fn name(samples: &Samples, number: usize) -> String {
    samples.names[number % samples.names.len()].clone()
}
