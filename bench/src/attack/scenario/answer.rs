//! c. Large responses: the same texts many times.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest, WebSocketAttack};
use crate::attack::scenario::{Attack, aliased};

pub const ATTACKS: &[Attack] = &[
    Attack::new("c1", "97 aliases of a text in nested lists of 5,050 records", |_| {
        vec![Action::Send(vec![AttackRequest::graphql(&nested(50, 100), &json!({}))])]
    }),
    Attack::new("c2", "97 aliases of a text in nested lists of 45,510 records, by GET", |_| {
        let texts = aliased("citationText", 97);
        let charges = format!("charges(first: 90) {{ nodes {{ case {{ {texts} }} }} }}");
        let query = format!("{{ laws(first: 10) {{ nodes {{ provisions(first: 50) {{ nodes {{ {charges} }} }} }} }} }}");
        vec![Action::Send(vec![AttackRequest::graphql_get(&query, &json!({}))])]
    }),
    Attack::new("c3", "table of nested lists with 97 aliases of a text", |_| {
        let request = AttackRequest::export("/table.ndjson", &nested(50, 100), &json!({}), &[("limit", "20"), ("lists", "join")]);
        vec![Action::ReadStream(request)]
    }),
    Attack::new("c4", "10 operations with nested lists and 97 aliases of a text over one WebSocket", |_| {
        vec![Action::WebSocket(WebSocketAttack::new(vec![json!({"query": nested(50, 50)}); 10]))]
    }),
    Attack::new("c5", "30 root fields, each with 30 times the same record with all of its texts", |samples| {
        let roots: String = (0..30).map(|number| format!("n{number}: nodes(ids: $ids) {{ ...texts }} ")).collect();
        let texts =
            "id slug label permalink citationText title summary titles { lang text } summaries { lang text } identifiers { scheme value }
            parties { nodes { role person { name names { lang text } } } } charges { nodes { provision { label heading } } }";
        let query = format!("query($ids: [ID!]!) {{ {roots} }} fragment texts on Case {{ {texts} }}");
        vec![Action::Send(vec![AttackRequest::graphql(&query, &json!({"ids": vec![&samples.case_ids[0]; 30]}))])]
    }),
    Attack::new("c6", "event stream of a query with nested lists and 97 aliases", |_| {
        vec![Action::Send(vec![AttackRequest::event_stream(&nested(50, 100), &json!({}))])]
    }),
    Attack::new("c7", "history of 100 cases, with 90 aliases of all field changes", |_| {
        let changes = aliased("changes { field old new }", 90);
        let query = format!("{{ cases(first: 100) {{ nodes {{ history(first: 50) {{ nodes {{ {changes} }} }} }} }} }}");
        vec![Action::Send(vec![AttackRequest::graphql(&query, &json!({}))])]
    }),
];

/// Provisions of laws, with a text under 97 aliases.
fn nested(laws: u32, provisions: u32) -> String {
    let texts = aliased("citationText", 97);
    format!("{{ laws(first: {laws}) {{ nodes {{ provisions(first: {provisions}) {{ nodes {{ {texts} }} }} }} }} }}")
}
