//! Limits of the variables, before they are coerced to the types that the operation declares.

use serde_json::{Map, Value as Json};

use crate::graphql::error::GraphqlError;
use crate::graphql::limits::bounds::{Limits, ensure_at_most};

/// Rejects variables with too many values or too much nesting.
pub(crate) fn check(limits: &Limits, variables: &Map<String, Json>) -> Result<(), GraphqlError> {
    let (mut values, mut nesting) = (0, 0);
    for variable in variables.values() {
        measure(variable, 1, &mut values, &mut nesting);
    }
    ensure_at_most(
        "variable_values",
        limits.variable_values,
        values,
        &format!("the variables hold {values} values"),
        "split the values over several requests",
    )?;
    ensure_at_most(
        "nesting",
        limits.nesting,
        nesting,
        &format!("a variable is nested {nesting} levels deep"),
        "write the same filter flatter, such as with in: [...]",
    )
}

fn measure(value: &Json, level: u64, values: &mut u64, nesting: &mut u64) {
    *values += 1;
    *nesting = (*nesting).max(level);
    match value {
        Json::Array(items) => items.iter().for_each(|item| measure(item, level + 1, values, nesting)),
        Json::Object(members) => members.values().for_each(|member| measure(member, level + 1, values, nesting)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_are_measured_through_all_levels() {
        let limits = Limits { variable_values: 5, nesting: 3, ..Limits::default() };
        let check = |variables: Json| check(&limits, variables.as_object().unwrap());
        assert!(check(json!({"a": [1, 2, 3], "b": null})).is_ok());
        assert!(check(json!({"a": [1, 2, 3, 4], "b": null})).unwrap_err().message.contains("6 values"));
        assert!(check(json!({"a": [[[1]]]})).unwrap_err().message.contains("4 levels"));
    }
}
