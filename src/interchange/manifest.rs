//! Manifests of persisted documents, as the build tools of clients write them: `generate-persisted-query-manifest` of
//! Apollo, the compiler of Relay, and the client preset of GraphQL Code Generator.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::core::digest::sha256_hex;
use crate::core::strict_json;

/// The value of `format` in a manifest of Apollo.
const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";
/// The only version of that format.
const APOLLO_VERSION: u64 = 1;
/// Maximum length of the id of a document.
const MAX_ID_BYTES: usize = 100;

/// A document of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestDocument {
    /// The id that the client sends instead of the document.
    pub id: String,
    /// Name of the operation, if the manifest states it.
    pub name: Option<String>,
    /// The GraphQL document.
    pub text: String,
}

/// An operation of a manifest of Apollo.
#[derive(Debug, Deserialize)]
struct ApolloOperation {
    id: String,
    name: String,
    body: String,
}

/// Parses a manifest. Fails with all problems, each with its place in the file.
pub fn parse(text: &str) -> Result<Vec<ManifestDocument>, Vec<String>> {
    let manifest = strict_json::parse(text.as_bytes()).map_err(|error| vec![error.message("the file")])?;
    let Json::Object(members) = &manifest else {
        return Err(vec![format!(
            "the file must be a JSON object: a map from ids to documents, or a manifest with \"format\": \"{APOLLO_FORMAT}\""
        )]);
    };
    let mut problems = Vec::new();
    let mut documents = Vec::new();
    if members.contains_key("format") {
        if members["format"] != APOLLO_FORMAT {
            problems.push(format!("format: {} is not known; it must be \"{APOLLO_FORMAT}\"", members["format"]));
        }
        if members.get("version").and_then(Json::as_u64) != Some(APOLLO_VERSION) {
            problems.push(format!("version: it must be {APOLLO_VERSION}"));
        }
        let Some(Json::Array(operations)) = members.get("operations") else {
            problems.push("operations: it must be a list".to_owned());
            return Err(problems);
        };
        for (index, operation) in operations.iter().enumerate() {
            // a list is an object to the parser
            if !operation.is_object() {
                problems.push(format!("operations[{index}]: it must be an object with id, name, type and body"));
                continue;
            }
            match ApolloOperation::deserialize(operation) {
                Ok(ApolloOperation { id, name, body }) => documents.push(ManifestDocument { id, name: Some(name), text: body }),
                Err(error) => problems.push(format!("operations[{index}]: {error}; an operation has id, name, type and body")),
            }
        }
    } else {
        for (id, document) in members {
            match document {
                Json::String(text) => documents.push(ManifestDocument { id: id.clone(), name: None, text: text.clone() }),
                other => problems.push(format!("{id}: {other} is not the text of a document")),
            }
        }
    }
    if documents.is_empty() && problems.is_empty() {
        problems.push("the manifest has no documents".to_owned());
    }
    let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
    for ManifestDocument { id, text, .. } in &documents {
        if let Err(message) = check_id(id, text) {
            problems.push(format!("{id}: {message}"));
        }
        if texts.insert(id, text).is_some_and(|other| other != text) {
            problems.push(format!("{id}: two documents have this id"));
        }
    }
    if problems.is_empty() { Ok(documents) } else { Err(problems) }
}

/// Requires that an id can be sent as `documentId`, and that an id in the form of a SHA-256 is that of the text.
fn check_id(id: &str, text: &str) -> Result<(), String> {
    let is_name =
        !id.is_empty() && id.len() <= MAX_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if !is_name {
        return Err(format!("an id has 1 to {MAX_ID_BYTES} letters, digits and -_.:"));
    }
    let hash = sha256_hex(text);
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    let has_form_of_hash = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if (has_form_of_hash || id.starts_with("sha256:")) && hex != hash {
        return Err(format!("the id is not the SHA-256 of the document, which is {hash}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::relay(r#"{"0d6f5b7d1e1ba9e9c5f3c2f0a1e0b9a7": "{ cases { totalCount } }"}"#, "0d6f5b7d1e1ba9e9c5f3c2f0a1e0b9a7", None)]
    #[case::apollo(
        r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a", "name": "Q", "type": "query", "body": "{ cases { totalCount } }"}]}"#,
        "a",
        Some("Q")
    )]
    fn manifest_of_each_tool_is_read(#[case] text: &str, #[case] id: &str, #[case] name: Option<&str>) {
        let expected = ManifestDocument { id: id.to_owned(), name: name.map(str::to_owned), text: "{ cases { totalCount } }".to_owned() };
        assert_eq!(parse(text), Ok(vec![expected]));
    }

    #[rstest]
    #[case::list("[]", "must be a JSON object")]
    #[case::no_json("{", "not JSON")]
    #[case::same_id(r#"{"a": "{ x }", "a": "{ y }"}"#, "the file has the member \"a\" twice: line 1, column 18")]
    #[case::same_member(
        r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a", "id": "b"}]}"#,
        "the file has the member \"id\" twice"
    )]
    #[case::raw_value(r#"{"$serde_json::private::RawValue": "{\"a\": \"{ x }\"}"}"#, "letters, digits")]
    #[case::empty("{}", "no documents")]
    #[case::other_format(r#"{"format": "x", "version": 1, "operations": []}"#, "format: \"x\"")]
    #[case::other_version(r#"{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}"#, "version")]
    #[case::no_operations(r#"{"format": "apollo-persisted-query-manifest", "version": 1}"#, "operations")]
    #[case::no_body(
        r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a", "name": "Q"}]}"#,
        "operations[0]: missing field `body`"
    )]
    #[case::operation_as_list(
        r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [["a", "Q", "{ x }"]]}"#,
        "operations[0]: it must be an object"
    )]
    #[case::no_text(r#"{"a": 1}"#, "a: 1 is not the text")]
    #[case::bad_id(r#"{"a b": "{ x }"}"#, "letters, digits")]
    #[case::wrong_hash(r#"{"0000000000000000000000000000000000000000000000000000000000000000": "{ x }"}"#, "not the SHA-256")]
    fn file_that_is_no_manifest_is_rejected(#[case] text: &str, #[case] expected: &str) {
        let problems = parse(text).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
    }
}
