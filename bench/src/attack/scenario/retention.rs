//! f. Retained memory: what a cache keeps but does not count.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest};
use crate::attack::scenario::{Attack, token};

/// Requests of one attack, over [`CONNECTIONS`] connections. Each has some 60 KiB of text of its own.
const REQUESTS: usize = 1_200;
const CONNECTIONS: usize = 4;
/// Length of the text of its own.
const TEXT_BYTES: usize = 60_000;

pub const ATTACKS: &[Attack] = &[
    Attack::new("f1", "1,200 responses, each for another Accept-Language of 60,000 bytes", |_| {
        distributed(|number| {
            AttackRequest::graphql("{ cases(first: 1) { nodes { title } } }", &json!({})).header("accept-language", languages(number))
        })
    }),
    Attack::new("f2", "1,200 responses, each for other variables of 60,000 bytes", |_| {
        let query = "query($value: String) { cases(first: 1, filter: {docketNumber: {eq: $value}}) { nodes { title } } }";
        distributed(|number| AttackRequest::graphql(query, &json!({"value": unique(number)})))
    }),
    Attack::new("f3", "1,200 documents of 60,000 bytes", |_| {
        distributed(|number| {
            AttackRequest::graphql(&format!("{{ cases(first: 1) {{ nodes {{ title }} }} }} # {}", unique(number)), &json!({}))
        })
    }),
    Attack::new("f4", "1,200 record pages, each for another Accept-Language of 60,000 bytes", |samples| {
        let path = format!("/r/case/{}", samples.case_slug);
        distributed(|number| AttackRequest::get(&path, &[]).header("accept-language", languages(number)))
    }),
    Attack::new("f5", "1,200 persisted documents that the server does not know, with extensions of 60,000 bytes", |_| {
        distributed(|number| {
            let hash = format!("{number:064x}");
            let body = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}, "padding": unique(number)}});
            AttackRequest::post_json(body.to_string())
        })
    }),
    Attack::with_token("f6", "20 saved queries with variables of 60,000 bytes, each run 60 times with other variables", |samples| {
        let query = "query($value: String) { cases(first: 1, filter: {docketNumber: {eq: $value}}) { nodes { title } } }";
        let save = "mutation($input: SaveQueryInput!) { saveQuery(input: $input) { errors { code message } } }";
        let requests = (0..20).flat_map(|number| {
            let input = json!({"query": query, "variables": json!({"value": unique(number)}).to_string()});
            let saved = AttackRequest::graphql(save, &json!({"input": input})).token(token(samples));
            let runs = (0..60).map(move |run| AttackRequest::graphql(query, &json!({"value": unique(number * 1_000 + run)})));
            std::iter::once(saved).chain(runs)
        });
        vec![Action::Send(requests.collect())]
    }),
];

/// The requests over [`CONNECTIONS`] connections.
fn distributed(request: impl Fn(usize) -> AttackRequest) -> Vec<Action> {
    let requests: Vec<_> = (0..REQUESTS).map(request).collect();
    requests.chunks(REQUESTS / CONNECTIONS).map(|chunk| Action::Send(chunk.to_vec())).collect()
}

/// A text that differs for each number.
fn unique(number: usize) -> String {
    format!("n{number}-").repeat(TEXT_BYTES / 8).chars().take(TEXT_BYTES).collect()
}

/// Language ranges that differ for each number.
fn languages(number: usize) -> String {
    let range = format!("en-a{number},");
    range.repeat(TEXT_BYTES / range.len())
}
