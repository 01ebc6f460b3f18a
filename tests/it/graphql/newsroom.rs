//! Recipes for newsrooms: every query in docs/NEWSROOMS.md returns results from the sample dataset.

use serde_json::Value;

use crate::graphql::query::{assert_same_response, sample_servers};
use crate::server::path;

/// Contents of the GraphQL code blocks of a page, without the indentation of a surrounding list.
fn graphql_blocks(markdown: &str) -> Vec<String> {
    let mut queries = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("```graphql") else { continue };
        let block: Vec<&str> =
            lines.by_ref().take_while(|line| line.trim() != "```").map(|line| line.strip_prefix(indent).unwrap_or(line)).collect();
        queries.push(block.join("\n"));
    }
    queries
}

fn operation_name(query: &str) -> &str {
    let rest = query
        .lines()
        .find_map(|line| line.strip_prefix("query "))
        .unwrap_or_else(|| panic!("the query of a recipe must be named:\n{query}"));
    rest.split(|character: char| !character.is_alphanumeric()).next().unwrap()
}

/// Whether every top-level list and record of the data is present.
fn has_results(data: &Value) -> bool {
    match data {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().filter(|member| member.is_object() || member.is_array()).all(has_results),
        _ => true,
    }
}

#[tokio::test]
async fn every_recipe_query_returns_results_on_both_databases() {
    let page = std::fs::read_to_string(path("docs/NEWSROOMS.md")).unwrap();
    let queries = graphql_blocks(&page);
    assert_eq!(queries.len(), page.matches("```graphql").count());
    assert!(queries.len() >= 3, "each recipe must have a query");
    let servers = sample_servers().await;
    for query in &queries {
        let name = operation_name(query);
        let data = servers.0.data(query).await;
        let fields = data.as_object().unwrap();
        assert!(fields.values().all(|member| !member.is_null() && has_results(member)), "{name} returns no results: {data:#}");
        assert_same_response(&servers, &format!("newsroom-{name}"), query).await;
    }
}
