//! `kurultai queries`: saves the documents of a manifest, and lists saved queries.

use std::path::Path;

use anyhow::Context;
use serde_json::json;

use super::database::{open_migrated, with_store};
use super::error::ExitError;
use super::outcome::{CommandResult, format_minute, format_table};
use crate::config::Config;
use crate::graphql::engine::DocumentValidator;
use crate::interchange::manifest;
use crate::interchange::manifest::ManifestDocument;
use crate::store::Store;
use crate::store::access::saved_query::NewSavedQuery;
use crate::store::write::WriteError;

/// Saves the documents of a manifest: all of them, or none if any is not valid.
pub(super) async fn import(config: &Config, file: &Path, by: &str) -> anyhow::Result<CommandResult> {
    let invalid = |problems: Vec<String>| {
        let lines: Vec<String> = problems.into_iter().map(|problem| format!("{}: {problem}", file.display())).collect();
        ExitError::InvalidInput(format!("nothing was saved:\n{}", lines.join("\n")))
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| ExitError::UnreadableInput(format!("cannot read {}: {error}", file.display())))?;
    let documents = manifest::parse(&text).map_err(invalid)?;
    let validator = DocumentValidator::new(config.limits.clone()).context("cannot build the schema")?;
    let problems = documents.iter().flat_map(|document| document_problems(&validator, document)).collect::<Vec<_>>();
    if !problems.is_empty() {
        return Err(invalid(problems).into());
    }
    let count = documents.len();
    let documents: Vec<(String, NewSavedQuery)> = documents.into_iter().map(to_saved_query).collect();
    let save = async |store: &Store| match store.save_documents(&documents, by).await {
        Ok(added) => Ok(added),
        Err(WriteError::Problems(problems)) => Err(invalid(problems.iter().map(|problem| problem.message.clone()).collect()).into()),
        Err(WriteError::Failed(error)) => Err(error.into()),
    };
    let added = with_store(open_migrated(config, false).await?, save).await?;
    let text = format!("Saved {added} of {count} documents; {} were saved already", count - added);
    Ok(CommandResult::report(text, json!({"documents": count, "saved": added})))
}

/// Problems of a document against the schema, each with its position in the document.
fn document_problems(validator: &DocumentValidator, document: &ManifestDocument) -> Vec<String> {
    let label = match &document.name {
        Some(name) => format!("{} ({name})", document.id),
        None => document.id.clone(),
    };
    let errors = validator.validate(&document.text).err().unwrap_or_default();
    let line = |error: crate::graphql::error::GraphqlError| match error.locations.first() {
        Some(position) => format!("{label}: line {}, column {}: {}", position.line, position.column, error.message),
        None => format!("{label}: {}", error.message),
    };
    errors.into_iter().map(line).collect()
}

fn to_saved_query(document: ManifestDocument) -> (String, NewSavedQuery) {
    let query = NewSavedQuery { document: document.text, title: document.name, ..NewSavedQuery::default() };
    (document.id, query)
}

/// Lists saved queries as a table.
pub(super) async fn list(config: &Config, limit: u32) -> anyhow::Result<CommandResult> {
    let list = async |store: &Store| Ok(store.saved_queries(limit).await?);
    let saved = with_store(open_migrated(config, false).await?, list).await?;
    let json = saved
        .iter()
        .map(|saved| {
            json!({
                "hash": saved.hash, "name": saved.name, "title": saved.title, "savedBy": saved.saved_by,
                "savedAt": saved.saved_at.to_rfc3339(),
            })
        })
        .collect();
    if saved.is_empty() {
        let text = "There are no saved queries; save them with \"kurultai queries import\" or the mutation saveQuery";
        return Ok(CommandResult::data(text, json));
    }
    let mut rows = vec![["hash", "name", "title", "saved by", "saved at"].map(str::to_owned)];
    rows.extend(saved.into_iter().map(|saved| {
        [saved.hash, saved.name.unwrap_or_default(), saved.title.unwrap_or_default(), saved.saved_by, format_minute(saved.saved_at)]
    }));
    Ok(CommandResult::data(format_table(&rows), json))
}
