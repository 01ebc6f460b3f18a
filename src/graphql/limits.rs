//! Limits of a request: what it may ask for at most. They are told before anything is read from the database, and each
//! is there for a reason that its error gives.
//!
//! Text is measured before it is parsed ([`text`]), the document before it is checked against the schema ([`size`]), and
//! what it can return once its variables are known ([`cost`]).

mod cost;
mod size;
mod text;

use serde::Deserialize;

use crate::graphql::error::{GraphqlError, LimitExceeded, codes};

pub(super) use crate::graphql::limits::cost::cost;
pub(super) use crate::graphql::limits::size::check as check_size;
pub(super) use crate::graphql::limits::text::check as check_text;

/// What a request may ask for at most; `config.default.toml` says what each is for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a document.
    pub query_bytes: usize,
    /// Tokens of a document, as the GraphQL specification counts them.
    pub query_tokens: u64,
    /// Brackets within brackets of a document, and lists and objects within each other of a variable.
    pub nesting: u64,
    /// Levels of fields.
    pub depth: u64,
    /// Fields, those of a fragment counted wherever it is spread.
    pub fields: u64,
    /// Fields at the root of an operation.
    pub root_fields: u64,
    /// Fields with another name.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
    /// Values in all variables together.
    pub variable_values: u64,
    /// Records that an answer may hold, by the sizes of the pages that are asked for.
    pub nodes: u64,
}

impl Default for Limits {
    /// What `config.default.toml` says.
    fn default() -> Self {
        Self {
            query_bytes: 65_536,
            query_tokens: 5_000,
            nesting: 50,
            depth: 20,
            fields: 3_000,
            root_fields: 30,
            aliases: 100,
            directives: 100,
            variable_values: 10_000,
            nodes: 100_000,
        }
    }
}

/// Refuses what is more than a limit allows; `what` is counted, and `instead` says how to ask for the same.
fn at_most(limit: &'static str, most: u64, given: u64, what: &str, instead: &str) -> Result<(), GraphqlError> {
    if given <= most {
        return Ok(());
    }
    let message = format!("{what}, and the limit is {most} (limits.{limit}); {instead}");
    Err(GraphqlError::new(codes::LIMIT, message).beyond(LimitExceeded { limit, most, given }))
}

/// Checks the variables of a request by themselves, before they are compared with what the operation declares.
pub(super) fn check_variables(limits: &Limits, variables: &serde_json::Map<String, serde_json::Value>) -> Result<(), GraphqlError> {
    let (mut values, mut deepest) = (0, 0);
    for variable in variables.values() {
        measure(variable, 1, &mut values, &mut deepest);
    }
    at_most(
        "variable_values",
        limits.variable_values,
        values,
        &format!("the variables hold {values} values"),
        "send what is more in requests of their own",
    )?;
    at_most(
        "nesting",
        limits.nesting,
        deepest,
        &format!("a variable is nested {deepest} levels deep"),
        "write the same filter flatter, such as with in: [...]",
    )
}

/// Checks what an answer may hold.
pub(super) fn check_nodes(limits: &Limits, nodes: u64) -> Result<(), GraphqlError> {
    at_most(
        "nodes",
        limits.nodes,
        nodes,
        &format!("the answer could hold {nodes} records by the sizes of the pages that are asked for, multiplied through the levels"),
        "ask for smaller pages (first), or for what lies deeper in a request of its own; /table.csv gives lists of any length",
    )
}

fn measure(value: &serde_json::Value, level: u64, values: &mut u64, deepest: &mut u64) {
    *values += 1;
    *deepest = (*deepest).max(level);
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| measure(item, level + 1, values, deepest)),
        serde_json::Value::Object(members) => members.values().for_each(|member| measure(member, level + 1, values, deepest)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_error_of_a_limit_names_it_its_value_and_what_was_given() {
        let failure = at_most("aliases", 10, 11, "the query has 11 aliases", "ask in two requests").unwrap_err();
        assert_eq!(
            json!(failure),
            json!({
                "message": "the query has 11 aliases, and the limit is 10 (limits.aliases); ask in two requests",
                "extensions": {"code": "LIMIT_EXCEEDED", "limit": "aliases", "max": 10, "given": 11},
            })
        );
        assert!(at_most("aliases", 10, 10, "", "").is_ok());
    }

    #[test]
    fn variables_are_measured_whole() {
        let limits = Limits { variable_values: 5, nesting: 3, ..Limits::default() };
        let check = |variables: serde_json::Value| check_variables(&limits, variables.as_object().unwrap());
        assert!(check(json!({"a": [1, 2, 3], "b": null})).is_ok());
        assert!(check(json!({"a": [1, 2, 3, 4], "b": null})).unwrap_err().message.contains("6 values"));
        assert!(check(json!({"a": [[[1]]]})).unwrap_err().message.contains("4 levels"));
    }
}
