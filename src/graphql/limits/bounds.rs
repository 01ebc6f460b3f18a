//! The limits of a request, and the error for exceeding one.

use serde::Deserialize;

use crate::graphql::error::{GraphqlError, LimitExceeded, codes};

/// Maximum amounts per request; `config.default.toml` gives the reason for each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a document.
    pub query_bytes: usize,
    /// Tokens of a document, as the GraphQL specification counts them.
    pub query_tokens: u64,
    /// Nested brackets in a document, and nested lists and objects in a variable.
    pub nesting: u64,
    /// Levels of fields.
    pub depth: u64,
    /// Fields, with those of a fragment counted wherever it is spread.
    pub fields: u64,
    /// Root fields of an operation.
    pub root_fields: u64,
    /// Aliases.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
    /// Values in all variables together.
    pub variable_values: u64,
    /// Bytes of the data of a response.
    pub response_bytes: usize,
    /// Records that a response may contain, computed from the requested page sizes.
    pub nodes: u64,
    /// Scalar values that a response may contain.
    pub response_values: u64,
    /// Conditions of filters and their values.
    pub filter_values: u64,
    /// Reads of whole lists.
    pub scans: u64,
    /// Comparisons of records with conditions.
    pub comparisons: u64,
}

impl Default for Limits {
    /// The values of `config.default.toml`.
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
            response_bytes: 33_554_432,
            nodes: 100_000,
            response_values: 400_000,
            filter_values: 3_000,
            scans: 100,
            comparisons: 20_000_000,
        }
    }
}

/// Rejects an amount above a limit. `finding` states the amount, and `remedy` how to request the same within the limit.
pub(super) fn ensure_at_most(limit: &'static str, max: u64, given: u64, finding: &str, remedy: &str) -> Result<(), GraphqlError> {
    if given <= max {
        return Ok(());
    }
    let message = format!("{finding}, and the limit is {max} (limits.{limit}); {remedy}");
    Err(GraphqlError::new(codes::LIMIT_EXCEEDED, message).with_limit(LimitExceeded { limit, max, given }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limit_error_names_limit_maximum_and_given() {
        let error = ensure_at_most("aliases", 10, 11, "the query has 11 aliases", "split the query").unwrap_err();
        assert_eq!(
            json!(error),
            json!({
                "message": "the query has 11 aliases, and the limit is 10 (limits.aliases); split the query",
                "extensions": {"code": "LIMIT_EXCEEDED", "limit": "aliases", "max": 10, "given": 11},
            })
        );
        assert!(ensure_at_most("aliases", 10, 10, "", "").is_ok());
    }
}
