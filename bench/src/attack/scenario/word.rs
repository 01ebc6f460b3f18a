//! a. Long words: each word of a search or a name has a spelling variant for each of its letters.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest, WebSocketAttack};
use crate::attack::scenario::{Attack, token};

const SEARCH: &str = "query($words: String!) { search(query: $words) { totalCount nodes { record { label } snippet } } }";

pub const ATTACKS: &[Attack] = &[
    Attack::new("a1", "search for one word of 16,000 letters", |_| vec![search(&"abcdefgh".repeat(2_000))]),
    Attack::new("a2", "search for 8,000 letters that fold to four each", |_| vec![search(&"щ".repeat(8_000))]),
    Attack::new("a3", "search for one word of 40,000 letters, over a WebSocket", |_| {
        let payload = json!({"query": SEARCH, "variables": {"words": "abcdefgh".repeat(5_000)}});
        vec![Action::WebSocket(WebSocketAttack::new(vec![payload]))]
    }),
    Attack::new("a4", "table of a search for one word of 20,000 letters", |_| {
        let query = "query($words: String!) { search(query: $words) { nodes { record { label } } } }";
        vec![Action::Send(vec![AttackRequest::export("/table.csv", query, &json!({"words": "abcdefgh".repeat(2_500)}), &[])])]
    }),
    Attack::new("a5", "four searches for 3,000 different words each", |_| {
        let words = |start: u32| (start..start + 3_000).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ");
        (0..4).map(|number| search(&words(number * 3_000))).collect()
    }),
    Attack::new("a6", "30 searches in one request, each for one word of 1,000 letters", |_| {
        let searches: String = (0..30)
            .map(|number| format!("s{number}: search(query: \"{}\") {{ totalCount }} ", format!("x{number}y").repeat(250)))
            .collect();
        vec![Action::Send(vec![AttackRequest::graphql(&format!("{{ {searches} }}"), &json!({}))])]
    }),
    Attack::new("a7", "lookups by a slug and an identifier of 40,000 letters, and by name in a filter", |_| {
        let query = "query($value: String!) {
            slug: person(by: {slug: $value}) { id }
            identifier: person(by: {identifier: {scheme: $value, value: $value}}) { id }
            people(filter: {name: {contains: $value}}) { totalCount }
        }";
        vec![Action::Send(vec![AttackRequest::graphql(query, &json!({"value": "абвгдежз".repeat(5_000)}))])]
    }),
    Attack::new("a8", "record page of a slug of 30,000 letters", |_| {
        vec![Action::Send(vec![AttackRequest::get(&format!("/r/person/{}", "abcdefgh".repeat(3_750)), &[])])]
    })
    .invalid(),
    Attack::with_token("a9", "import (dry run) of a person with names of 4,000 and 8,000 letters, and an identifier of 9,000", |samples| {
        let names = json!({"name": {"en": "abcdefgh".repeat(500)}, "otherNames": [{"name": "щ".repeat(8_000)}]});
        let mut person = json!({"slug": "kurultai-bench-attack-word", "identifiers": [{"scheme": "attack", "value": "9".repeat(9_000)}]});
        for (name, value) in names.as_object().into_iter().flatten() {
            person[name] = value.clone();
        }
        let query = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { created errors { code message } } }";
        let variables = json!({"input": {"dryRun": true, "records": [{"person": person}]}});
        let file = json!({"person": person}).to_string();
        vec![
            Action::Send(vec![AttackRequest::graphql(query, &variables).token(token(samples))]),
            Action::Send(vec![AttackRequest::upload("person.ndjson", &file, true, token(samples))]),
        ]
    }),
    Attack::new("a10", "unknown types, variables, fields and enum values of up to 60,000 letters, and thousands of short ones", |_| {
        let long = "C".repeat(60_000);
        let variables = |name: &dyn Fn(usize) -> String| (0..1_000).map(name).collect::<Vec<_>>().join(", ");
        let documents = [
            format!("query($v: {long}) {{ __typename }}"),
            format!("fragment f on {long} {{ __typename }} {{ ...f }}"),
            format!("{{ {long} }}"),
            format!("mutation {{ {long} }}"),
            format!("query({}) {{ cases(first: ${long}) {{ totalCount }} }}", variables(&|number| format!("$someLongName{number}: Int"))),
            format!("query({}) {{ __typename }}", variables(&|number| format!("$v{number}: CaseStatisticsConnectionFilterInpt{number}"))),
            format!("{{ cases {{ nodes {{ {} }} }} }}", variables(&|number| format!("docketNumbr{number}"))),
            format!("{{ cases(filter: {{ {} }}) {{ totalCount }} }}", variables(&|number| format!("docketNumbr{number}: 1"))),
        ];
        let statuses = json!({"filter": {"status": {"in": vec!["DECIDDE"; 9_000]}}});
        let requests = documents.iter().map(|document| AttackRequest::graphql(document, &json!({})));
        let requests = requests
            .chain([AttackRequest::graphql("query($filter: CaseFilter) { cases(filter: $filter) { totalCount } }", &statuses)])
            .chain([AttackRequest::export("/table.csv", &documents[0], &json!({}), &[])]);
        requests.map(|request| Action::Send(vec![request])).collect()
    })
    .invalid(),
];

fn search(words: &str) -> Action {
    Action::Send(vec![AttackRequest::graphql(SEARCH, &json!({"words": words}))])
}
