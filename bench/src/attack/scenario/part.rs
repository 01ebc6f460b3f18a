//! l. Parts: a change of one part of a record that has thousands. The changes are refused, because they expect a revision that
//! the record does not have.

use serde_json::{Value, json};

use crate::attack::action::{Action, AttackRequest};
use crate::attack::sample::Samples;
use crate::attack::scenario::{Attack, token};

pub const ATTACKS: &[Attack] = &[
    Attack::with_token("l1", "30 events added to a case of 3,000 events, by each of four clients", |samples| {
        let query = repeated("addCaseEvent", "AddCaseEventInput");
        let event = json!({"key": "attack", "kind": "CONDUCT", "text": {"en": "An event"}});
        let input = json!({"case": {"id": samples.history.0}, "caseEvent": event, "expectedRevision": 1});
        of_editor(samples, &query, &input)
    })
    .invalid(),
    Attack::with_token("l2", "30 events of it changed, by each of four clients", |samples| {
        let query = repeated("updateCaseEvent", "UpdateCaseEventInput");
        let input = json!({"case": {"id": samples.history.0}, "part": "e2999", "text": {"en": "Another text"}, "expectedRevision": 1});
        of_editor(samples, &query, &input)
    })
    .invalid(),
    Attack::with_token("l3", "30 events of it removed, by each of four clients", |samples| {
        let query = repeated("removeCaseEvent", "RemoveCasePartInput");
        of_editor(samples, &query, &json!({"case": {"id": samples.history.0}, "part": "e0", "expectedRevision": 1}))
    })
    .invalid(),
];

/// A mutation that sends its input 30 times.
fn repeated(mutation: &str, input_type: &str) -> String {
    let fields: Vec<String> =
        (0..30).map(|number| format!("m{number}: {mutation}(input: $input) {{ errors {{ code message }} }}")).collect();
    format!("mutation($input: {input_type}!) {{ {} }}", fields.join(" "))
}

fn of_editor(samples: &Samples, query: &str, input: &Value) -> Vec<Action> {
    let request = AttackRequest::graphql(query, &json!({"input": input})).token(token(samples));
    vec![Action::Send(vec![request]); 4]
}
