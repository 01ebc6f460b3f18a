//! g. Subscriptions: all past events, each with a large selection.

use serde_json::{Value, json};

use crate::attack::action::{Action, AttackRequest, WebSocketAttack};
use crate::attack::sample::Samples;
use crate::attack::scenario::{Attack, aliased};

pub const ATTACKS: &[Attack] = &[
    Attack::new("g1", "event stream from the oldest cursor, with 5,000 records per event", |samples| {
        vec![Action::ReadStream(AttackRequest::event_stream(&large(), &since(samples)))]
    }),
    Attack::new("g2", "the same over a WebSocket", |samples| vec![web_socket(samples, 1)]),
    Attack::new("g3", "the same ten times over one WebSocket", |samples| vec![web_socket(samples, 10)]),
    Attack::new("g4", "50 event streams from the oldest cursor, by GET", |samples| {
        let request = AttackRequest::graphql_get(&large(), &since(samples)).header("accept", "text/event-stream");
        vec![Action::ReadStream(request); 50]
    }),
    Attack::new("g5", "20 subscriptions from the oldest cursor with a filter that no record matches", |samples| {
        let query = "subscription($since: String, $filter: ChangeFilter) { changed(since: $since, filter: $filter) { cursor } }";
        let condition = json!({"title": {"contains": "никогда"}, "parties": {"some": {"person": {"name": {"contains": "никогда"}}}}});
        let variables = json!({"since": samples.oldest_cursor, "filter": {"case": condition}});
        vec![Action::ReadStream(AttackRequest::event_stream(query, &variables)); 20]
    }),
];

/// A subscription whose events contain all changes of a record, many times.
fn large() -> String {
    let changes = aliased("changes { field old new }", 40);
    format!(
        "subscription($since: String) {{ changed(since: $since) {{ cursor change {{ {changes} record {{
            ... on Person {{ caseParties(first: 50) {{ nodes {{ case {{ title parties(first: 50) {{ nodes {{ role person {{ name }} }} }} }} }} }} }}
            ... on Case {{ parties(first: 50) {{ nodes {{ person {{ name caseParties(first: 50) {{ nodes {{ case {{ title }} }} }} }} }} }} }}
            ... on Law {{ provisions(first: 50) {{ nodes {{ label charges(first: 50) {{ nodes {{ case {{ title }} }} }} }} }} }}
        }} }} }} }}"
    )
}

fn since(samples: &Samples) -> Value {
    json!({"since": samples.oldest_cursor})
}

fn web_socket(samples: &Samples, operations: usize) -> Action {
    let payload = json!({"query": large(), "variables": since(samples)});
    Action::WebSocket(WebSocketAttack::new(vec![payload; operations]))
}
