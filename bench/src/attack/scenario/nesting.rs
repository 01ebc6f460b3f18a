//! j. Nesting: documents, values and files whose readers recurse.

use serde_json::{Value, json};

use crate::attack::action::{Action, AttackRequest};
use crate::attack::scenario::{Attack, token};

/// Levels of nesting that fit in a request.
const DEPTH: usize = 5_000;

pub const ATTACKS: &[Attack] = &[
    Attack::with_token("j1", "upload of 5,000 nested YAML lists, as a dry run and as an import", |samples| {
        vec![upload(samples, "people.yaml", &nested_lists(DEPTH), true), upload(samples, "people.yaml", &nested_lists(DEPTH), false)]
    })
    .invalid(),
    Attack::new("j2", "JSON of 5,000 and of 100,000 levels as body, variables and extensions", |_| {
        let deep = nested_lists(DEPTH);
        let bodies = [
            deep.clone(),
            nested_lists(100_000),
            format!("{{\"query\": \"{{ __typename }}\", \"variables\": {{\"a\": {deep}}}}}"),
            format!("{{\"query\": \"{{ __typename }}\", \"extensions\": {{\"a\": {deep}}}}}"),
            "{\"a\":".repeat(DEPTH),
        ];
        bodies.into_iter().map(|body| Action::Send(vec![AttackRequest::post_json(body)])).collect()
    })
    .invalid(),
    Attack::new("j3", "selections, literals, types and fragments nested 5,000 and 30,000 levels", |_| {
        let fields = |depth: usize| format!("{}{}", "{ node ".repeat(depth), "}".repeat(depth));
        let documents = [
            fields(DEPTH),
            "{".repeat(30_000),
            format!("{{ cases(filter: {}{}) {{ totalCount }} }}", "{not: ".repeat(DEPTH), "}".repeat(DEPTH)),
            format!("query($v: {}Int{}) {{ __typename }}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
            format!("{{ search(query: {}) {{ totalCount }} }}", nested_lists(DEPTH)),
            (0..1_000).map(|number| format!("fragment f{number} on Query {{ ...f{} }} ", number + 1)).collect::<String>() + "{ ...f0 }",
        ];
        documents.into_iter().map(|document| Action::Send(vec![AttackRequest::graphql(&document, &json!({}))])).collect()
    })
    .invalid(),
    Attack::new("j4", "filters nested 5 and 120 levels in variables, by POST, GET, in a table and in a subscription", |_| {
        let query = "query($filter: CaseFilter) { cases(filter: $filter) { totalCount nodes { id } } }";
        let subscription = "subscription($filter: ChangeFilter) { changed(filter: $filter) { cursor } }";
        let actions = |depth: usize| {
            let filter = (0..depth).fold(json!({"slug": {"eq": "x"}}), |inner, level| match level % 2 {
                0 => json!({"not": inner}),
                _ => json!({"parties": {"some": {"case": inner}}}),
            });
            let variables = json!({"filter": filter});
            [
                Action::Send(vec![AttackRequest::graphql(query, &variables)]),
                Action::Send(vec![AttackRequest::graphql_get(query, &variables)]),
                Action::Send(vec![AttackRequest::export("/table.csv", query, &variables, &[("limit", "10")])]),
                Action::ReadStream(AttackRequest::event_stream(subscription, &json!({"filter": {"case": filter}}))),
            ]
        };
        [actions(5), actions(120)].concat()
    })
    .invalid(),
    Attack::with_token("j5", "uploads of nested JSON, NDJSON and Popolo", |samples| {
        let deep = nested_lists(100_000);
        vec![
            upload(samples, "people.json", &deep, true),
            upload(samples, "people.ndjson", &format!("{{\"person\": {deep}}}"), true),
            upload(samples, "popolo.json", &format!("{{\"persons\": {deep}}}"), true),
            upload(samples, "objects.json", &format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH)), true),
        ]
    })
    .invalid(),
    Attack::with_token("j6", "uploads of nested YAML maps, of block lists, of anchors that multiply, and of tags", |samples| {
        let anchors: String = (1..30).map(|number| format!("a{number}: &a{number} [*a{0}, *a{0}, *a{0}, *a{0}]\n", number - 1)).collect();
        let blocks: String = (0..400).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        vec![
            upload(samples, "maps.yaml", &format!("people: {}1{}", "{a: ".repeat(DEPTH), "}".repeat(DEPTH)), true),
            upload(samples, "blocks.yaml", &blocks, true),
            upload(samples, "lists.yaml", &"- ".repeat(10_000), true),
            upload(samples, "anchors.yaml", &format!("a0: &a0 [x, x, x]\n{anchors}people: *a29\n"), true),
        ]
    })
    .invalid(),
    Attack::with_token("j7", "imports of records in variables with nested and with very many values", |samples| {
        let query = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { created errors { code message } } }";
        let nested = (0..60).fold(json!("x"), |inner, _| json!([inner]));
        let records: Vec<Value> =
            (0..1_500).map(|number| json!({"person": {"slug": format!("p-{number}"), "name": {"en": "A"}}})).collect();
        let input = |records: Value| json!({"input": {"dryRun": true, "records": records}});
        vec![
            Action::Send(vec![AttackRequest::graphql(query, &input(json!([{"person": {"slug": nested}}]))).token(token(samples))]),
            Action::Send(vec![AttackRequest::graphql(query, &input(json!(records))).token(token(samples))]),
        ]
    })
    .invalid(),
];

fn nested_lists(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn upload(samples: &crate::attack::sample::Samples, name: &str, content: &str, is_dry_run: bool) -> Action {
    Action::Send(vec![AttackRequest::upload(name, content, is_dry_run, token(samples))])
}
