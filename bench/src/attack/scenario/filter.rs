//! d. Conditions: filters with many values, and conditions that scan.

use serde_json::{Value, json};

use crate::attack::action::{Action, AttackRequest};
use crate::attack::scenario::Attack;

pub const ATTACKS: &[Attack] = &[
    Attack::new("d1", "75 conditions with the same list of 200 texts; four such requests", |_| {
        let query = document("cases(filter: $filter) { totalCount }", 75);
        (0..4).map(|number| Action::Send(vec![AttackRequest::graphql(&query, &texts(number, 200))])).collect()
    }),
    Attack::new("d2", "statistics with 75 conditions with the same list of 200 texts", |_| {
        let field = "caseStatistics(filter: $filter, groupBy: [COURT, YEAR, STATUS, PROVISION]) {
            rows { year count people medianSentence } total { count } }";
        vec![Action::Send(vec![AttackRequest::graphql(&document(field, 75), &texts(0, 200))])]
    }),
    Attack::new("d3", "facets with 75 conditions with the same list of 200 texts, four times in one request", |_| {
        let facets = "facets(by: [COURT, YEAR, STATUS, PROVISION, LAW, OUTCOME]) { values { label count } }";
        let lists: String = (0..4).map(|number| format!("c{number}: cases(filter: $filter) {{ totalCount {facets} }} ")).collect();
        vec![Action::Send(vec![AttackRequest::graphql(&document(&lists, 75), &texts(0, 200))])]
    }),
    Attack::new("d4", "95 conditions with the same list of 200, of 2,000 and of 9,000 texts", |_| {
        let query = document("cases(filter: $filter) { totalCount nodes { id } }", 95);
        [200, 2_000, 9_000].into_iter().map(|count| Action::Send(vec![AttackRequest::graphql(&query, &texts(0, count))])).collect()
    }),
    Attack::new("d5", "75 conditions that search within titles, for records that do not exist", |_| {
        let filter = conditions(75, |number| json!({"title": {"contains": format!("никогда{number}")}}));
        let query = "query($filter: CaseFilter) { cases(first: 100, filter: $filter, order: {field: TITLE}) { nodes { id } totalCount } }";
        (0..4).map(|_| Action::Send(vec![AttackRequest::graphql(query, &json!({"filter": filter}))])).collect()
    }),
    Attack::new("d6", "conditions through five relations, with none and every", |_| {
        let inner = json!({"memberships": {"none": {"organization": {"name": {"contains": "а"}}}}});
        let filter = json!({"and": [
            {"parties": {"every": {"person": {"caseParties": {"some": {"case": {"charges": {"none": {"provision": {"law": {"title": {"contains": "ъ"}}}}}}}}}}}},
            {"parties": {"none": {"person": inner}}},
            {"court": {"name": {"contains": "о"}}},
        ]});
        let query = "query($filter: CaseFilter) { cases(first: 100, filter: $filter) { nodes { id } totalCount } }";
        (0..4).map(|_| Action::Send(vec![AttackRequest::graphql(query, &json!({"filter": filter}))])).collect()
    }),
    Attack::new("d7", "two tables and two charts with 75 conditions with the same list of 200 texts", |_| {
        let table = document("cases(filter: $filter) { nodes { title } }", 75);
        let chart = document("caseStatistics(filter: $filter, groupBy: [STATUS]) { rows { status count } }", 75);
        let values = texts(0, 200);
        let requests = [
            AttackRequest::export("/table.csv", &table, &values, &[]),
            AttackRequest::export("/chart.svg", &chart, &values, &[("x", "status")]),
            AttackRequest::export("/table.xlsx", &table, &values, &[("limit", "1000")]),
            AttackRequest::export("/chart.svg", &chart, &values, &[("x", "status"), ("width", "600")]),
        ];
        requests.into_iter().map(|request| Action::Send(vec![request])).collect()
    }),
    Attack::new("d8", "30 statistics with four dimensions in one request", |_| {
        let roots: String = (0..30)
            .map(|number| {
                format!("s{number}: caseStatistics(groupBy: [COURT, MONTH, PROVISION, OUTCOME], filter: {{revision: {{not: {number}}}}}) {{ rows {{ count people medianSentence meanDaysToDecision }} }} ")
            })
            .collect();
        vec![Action::Send(vec![AttackRequest::graphql(&format!("{{ {roots} }}"), &json!({}))])]
    }),
];

fn conditions(count: usize, condition: impl Fn(usize) -> Value) -> Value {
    json!({"or": (0..count).map(condition).collect::<Vec<_>>()})
}

/// A query whose fields have a filter with conditions on several columns, all with the list in the variable `values`.
fn document(fields: &str, count: usize) -> String {
    let columns = ["docketNumber", "ecli", "slug", "title"];
    let conditions: String = columns.iter().cycle().take(count).map(|column| format!("{{{column}: {{in: $values}}}} ")).collect();
    format!("query($values: [String!]) {{ {} }}", fields.replace("$filter", &format!("{{or: [{conditions}]}}")))
}

/// Values of the variable `values` that no record has.
fn texts(number: usize, count: usize) -> Value {
    json!({"values": (0..count).map(|value| format!("never-{number}-{value}")).collect::<Vec<_>>()})
}
