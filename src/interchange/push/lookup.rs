//! Looks up records in a running server.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::client::{PushClient, RequestError};
use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::interchange::import_reader::record_lookup::RecordLookup;

/// Number of values that one query looks up, and of records on one page.
const LOOKUP_VALUES: usize = 100;

impl RecordLookup for PushClient {
    type Error = RequestError;

    async fn slugs_by_identifier(&self, ty: RecordType, scheme: &str, values: &[String]) -> Result<HashMap<String, String>, RequestError> {
        let list = catalog().get(ty).plural;
        let query = format!(
            "query ($values: [String!]!, $scheme: String!, $after: String) {{ records: {list}(first: {LOOKUP_VALUES}, after: $after, filter: \
             {{identifiers: {{some: {{scheme: {{eq: $scheme}}, value: {{in: $values}}}}}}}}) \
             {{ nodes {{ slug identifiers {{ scheme value }} }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let mut slugs = HashMap::new();
        for values in values.chunks(LOOKUP_VALUES) {
            for node in self.all_nodes(&query, &json!({"values": values, "scheme": scheme})).await? {
                let slug = text(&node["slug"])?;
                for identifier in node["identifiers"].as_array().ok_or_else(unexpected)? {
                    let (of, value) = (text(&identifier["scheme"])?, text(&identifier["value"])?);
                    if of == scheme && values.contains(&value) {
                        slugs.insert(value, slug.clone());
                    }
                }
            }
        }
        Ok(slugs)
    }

    async fn slugs_by_field(&self, ty: RecordType, field: &str, values: &[String]) -> Result<HashMap<String, String>, RequestError> {
        let list = catalog().get(ty).plural;
        let query = format!(
            "query ($values: [String!]!, $after: String) {{ records: {list}(first: {LOOKUP_VALUES}, after: $after, filter: \
             {{{field}: {{in: $values}}}}) {{ nodes {{ slug value: {field} }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let mut slugs = HashMap::new();
        for values in values.chunks(LOOKUP_VALUES) {
            for node in self.all_nodes(&query, &json!({"values": values})).await? {
                slugs.insert(text(&node["value"])?, text(&node["slug"])?);
            }
        }
        Ok(slugs)
    }
}

impl PushClient {
    /// The nodes of all pages of a list that a query calls `records`.
    async fn all_nodes(&self, query: &str, variables: &Json) -> Result<Vec<Json>, RequestError> {
        let mut nodes = Vec::new();
        let mut after = Json::Null;
        loop {
            let mut variables = variables.clone();
            variables["after"] = after;
            let response = self.post_with_retry(&json!({"query": query, "variables": variables})).await?;
            if let Some(errors) = response["errors"].as_array().filter(|errors| !errors.is_empty()) {
                let messages: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
                return Err(RequestError::Unexpected(format!("existing records could not be looked up: {}", messages.join("; "))));
            }
            let page = &response["data"]["records"];
            nodes.extend(page["nodes"].as_array().ok_or_else(unexpected)?.iter().cloned());
            if !page["pageInfo"]["hasNextPage"].as_bool().ok_or_else(unexpected)? {
                return Ok(nodes);
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn text(value: &Json) -> Result<String, RequestError> {
    value.as_str().map(str::to_owned).ok_or_else(unexpected)
}

fn unexpected() -> RequestError {
    RequestError::Unexpected("unexpected response to a lookup of records; does the server run the same version?".to_owned())
}
