//! h. Sockets: clients that ask and do not read, or do not finish their request.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest, WebSocketAttack};
use crate::attack::scenario::{Attack, aliased};

/// More connections than the server accepts at once by default.
const ALL_CONNECTIONS: usize = 2_100;
/// More streams than the server accepts at once by default.
const ALL_STREAMS: usize = 1_050;

pub const ATTACKS: &[Attack] = &[
    Attack::new("h1", "2,100 sockets that ask for a large response and never read", |_| {
        vec![Action::NeverRead(AttackRequest::graphql(&large_query(), &json!({})), ALL_CONNECTIONS)]
    }),
    Attack::new("h2", "20 sockets that ask for a table of all cases and never read", |_| {
        let query = "{ cases { nodes { title parties { nodes { role } } } } }";
        vec![Action::NeverRead(AttackRequest::export("/table.csv", query, &json!({}), &[]), 20)]
    }),
    Attack::new("h3", "1,050 event streams of one client that are never read", |_| {
        vec![Action::NeverRead(AttackRequest::event_stream("subscription { changed { cursor } }", &json!({})), ALL_STREAMS)]
    }),
    Attack::new("h4", "2,100 sockets that send the beginning of a request", |_| {
        vec![Action::Incomplete(
            b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n".to_vec(),
            ALL_CONNECTIONS,
        )]
    }),
    Attack::new("h5", "2,100 sockets that send the beginning of a body", |_| {
        let head =
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n{\"query\": \"{";
        vec![Action::Incomplete(head.as_bytes().to_vec(), ALL_CONNECTIONS)]
    }),
    Attack::new("h6", "200 WebSockets that start 20 large queries each and never read", |_| {
        let attack = WebSocketAttack { is_read: false, ..WebSocketAttack::new(vec![json!({"query": large_query()}); 20]) };
        vec![Action::WebSocket(attack); 200]
    }),
    Attack::new("h7", "200 sockets that ask for record pages, feeds and the schema and never read", |samples| {
        vec![
            Action::NeverRead(AttackRequest::get("/schema.graphql", &[]), 100),
            Action::NeverRead(AttackRequest::get("/feed.atom", &[]), 50),
            Action::NeverRead(AttackRequest::get(&format!("/r/case/{}", samples.case_slug), &[]), 50),
        ]
    }),
];

/// A query with a response of some MiB.
fn large_query() -> String {
    format!("{{ laws(first: 10) {{ nodes {{ provisions(first: 100) {{ nodes {{ {} }} }} }} }} }}", aliased("citationText", 20))
}
