//! e. Exports: lists become longer in a table than in a response, and the client leaves before the end.

use serde_json::json;

use crate::attack::action::{Action, AttackRequest};
use crate::attack::scenario::Attack;

/// Cases with four nested lists, each of which a table reads whole.
const NESTED: &str = "{ cases { nodes { title
    parties { nodes { role person { name caseParties { nodes { role case { title } } } } } }
    charges { nodes { outcome provision { number charges { nodes { outcome case { title } } } } } } } } }";

pub const ATTACKS: &[Attack] = &[
    Attack::new("e1", "seven CSV tables with four nested lists, disconnected at once", |_| disconnected("/table.csv", 7)),
    Attack::new("e2", "seven XLSX and seven Parquet tables, disconnected at once", |_| {
        [disconnected("/table.xlsx", 7), disconnected("/table.parquet", 7)].concat()
    }),
    Attack::new("e3", "seven tables of laws with provisions, their charges and citations, disconnected at once", |_| {
        let query = "{ laws { nodes { title provisions { nodes { number charges { nodes { case { title } } } citations { nodes { quote } } } } } } }";
        let request = AttackRequest::export("/table.ndjson", query, &json!({}), &[]);
        vec![Action::Disconnect(request); 7]
    }),
    Attack::new("e4", "100 queries with nested lists, disconnected at once", |_| {
        let query = "{ cases(first: 50) { nodes { title parties(first: 10) { nodes { person { name caseParties(first: 20) { nodes { case { title } } } } } } } } }";
        vec![Action::Disconnect(AttackRequest::graphql(query, &json!({}))); 100]
    }),
    Attack::new("e5", "50 statistics as charts, disconnected at once", |_| {
        let query =
            "query($number: Int) { caseStatistics(groupBy: [STATUS], filter: {revision: {not: $number}}) { rows { status count } } }";
        let chart = |number| AttackRequest::export("/chart.svg", query, &json!({"number": number}), &[("x", "status")]);
        (0..50).map(|number| Action::Disconnect(chart(number))).collect()
    }),
    Attack::new("e6", "500 tables over one HTTP/2 connection, each reset at once", |_| {
        vec![Action::Http2Reset(AttackRequest::export("/table.csv", NESTED, &json!({}), &[]), 500)]
    }),
    Attack::new("e7", "5,000 queries over one HTTP/2 connection, each reset at once", |_| {
        let query = "{ cases(first: 100) { nodes { title parties { nodes { role } } } totalCount } }";
        vec![Action::Http2Reset(AttackRequest::graphql(query, &json!({})), 5_000)]
    }),
    Attack::new("e8", "one table with four nested lists, which the client reads for some seconds", |_| {
        vec![Action::ReadStream(AttackRequest::export("/table.csv", NESTED, &json!({}), &[]))]
    }),
];

fn disconnected(path: &str, count: usize) -> Vec<Action> {
    vec![Action::Disconnect(AttackRequest::export(path, NESTED, &json!({}), &[])); count]
}
