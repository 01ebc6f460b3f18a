//! i. Histories and other fields that compute more than they return.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest};
use crate::attack::sample::Samples;
use crate::attack::scenario::{Attack, aliased};

/// Root fields of a request.
const ROOT_FIELDS: usize = 30;

pub const ATTACKS: &[Attack] = &[
    Attack::new("i1", "30 comparisons of two revisions of a record, with --token one of 3,000 parts", |samples| {
        vec![of_history(samples, "compareRevisions(record: $record, from: 1, to: $latest) { field old new }")]
    }),
    Attack::new("i2", "30 earlier states of the record, in each of four requests", |samples| {
        vec![of_history(samples, "recordState(record: $record, asOfRevision: $latest) { fields { field value } }"); 4]
    }),
    Attack::new("i3", "30 times the state of the dataset, the saved queries and the schema, each in a request", |_| {
        let fields = [
            "dataset { revision lastChangedAt records { type count } }",
            "savedQueries(first: 100) { hash query variables }",
            "__schema { types { name description fields(includeDeprecated: true) { name description args { name description } } } }",
            "rateLimit { remaining }",
        ];
        fields.into_iter().map(repeated).collect()
    }),
    Attack::new("i4", "30 times the possible duplicates of a person, in each of four requests", |samples| {
        let query = format!("query($person: ID!) {{ {} }}", aliased("possibleDuplicates(person: $person) { id name }", ROOT_FIELDS));
        vec![Action::Send(vec![AttackRequest::graphql(&query, &json!({"person": samples.person_id}))]); 4]
    }),
    Attack::new("i5", "30 pages of changes with their records, and feeds of the history", |samples| {
        let changes = aliased(
            "changes(first: 100) { nodes { changes { field old new } record { __typename ... on Record { label } } } totalCount }",
            ROOT_FIELDS,
        );
        let query = format!("{{ {changes} }}");
        let feed = AttackRequest::get("/feed.atom", &[("record", &samples.history.0)]);
        vec![
            Action::Send(vec![AttackRequest::graphql(&query, &json!({}))]),
            Action::Send(vec![feed; 20]),
            Action::Send(vec![AttackRequest::get("/feed.atom", &[]); 20]),
        ]
    }),
    Attack::new("i6", "20 requests of the schema and of readiness over each of 20 connections", |_| {
        let requests = [AttackRequest::get("/schema.graphql", &[]), AttackRequest::get("/readyz", &[])];
        vec![Action::Send(requests.iter().cycle().take(20).cloned().collect()); 20]
    }),
];

/// A field of the record with a long history, at the root, 30 times.
fn of_history(samples: &Samples, field: &str) -> Action {
    let (record, latest) = &samples.history;
    let query = format!("query($record: ID!, $latest: Int!) {{ {} }}", aliased(field, ROOT_FIELDS));
    Action::Send(vec![AttackRequest::graphql(&query, &json!({"record": record, "latest": latest}))])
}

fn repeated(field: &str) -> Action {
    Action::Send(vec![AttackRequest::graphql(&format!("{{ {} }}", aliased(field, ROOT_FIELDS)), &json!({}))])
}
