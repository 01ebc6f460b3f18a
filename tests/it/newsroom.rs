//! The recipes for newsrooms: every query that docs/NEWSROOMS.md has finds something in the sample dataset.

use serde_json::Value;

use crate::query::{both, same};
use crate::server::path;

/// The queries of a page: what stands in its blocks of GraphQL, without the indent of the list that a block is in.
fn queries(markdown: &str) -> Vec<String> {
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

fn name(query: &str) -> &str {
    let rest = query.lines().find_map(|line| line.strip_prefix("query ")).unwrap_or_else(|| panic!("a recipe names its query:\n{query}"));
    rest.split(|sign: char| !sign.is_alphanumeric()).next().unwrap()
}

/// Whether a list or record is there wherever the query asks for one at its top.
fn finds(data: &Value) -> bool {
    match data {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().filter(|member| member.is_object() || member.is_array()).all(finds),
        _ => true,
    }
}

#[tokio::test]
async fn every_query_of_the_recipes_finds_something_on_both_databases() {
    let page = std::fs::read_to_string(path("docs/NEWSROOMS.md")).unwrap();
    let queries = queries(&page);
    assert_eq!(queries.len(), page.matches("```graphql").count());
    assert!(queries.len() >= 3, "one for each recipe at least");
    let servers = both().await;
    for query in &queries {
        let name = name(query);
        let data = servers.0.data(query).await;
        let found = data.as_object().unwrap();
        assert!(found.values().all(|member| !member.is_null() && finds(member)), "{name} finds nothing: {data:#}");
        same(&servers, &format!("newsroom-{name}"), query).await;
    }
}
