//! Patches of one list of a record or part, such as adding a citation or removing a topic.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::core::path::PathSegment;
use crate::store::Store;
use crate::store::curation::referrers::record_of;
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget, parse, value_tree};
use crate::store::history::state;
use crate::store::write::load::referenced_types;
use crate::store::write::model::StoredRow;
use crate::store::write::types::{Author, WriteError, WriteSummary};

/// A patch of a list of parts.
#[derive(Debug, Clone)]
pub enum ListPatch {
    /// Appends a part, unless the list has an equal one.
    Add(Json),
    /// Removes the part that has all of these members.
    Remove(Json),
}

impl Store {
    /// Patches a list of the record or part with this id. `argument` is the input argument with the part, at which
    /// problems of an added part are reported.
    pub async fn patch_list(
        &self,
        id: Uuid,
        list: &'static str,
        patch: ListPatch,
        argument: &'static str,
        expected_revision: Option<i64>,
        author: &Author,
    ) -> Result<WriteSummary, WriteError> {
        let session = self.begin(author).await?;
        let not_found = || {
            let problem = InputProblem::new(Origin::input(["record"]), "there is no record with this id");
            WriteError::problem(problem.with_code(ProblemCode::NotFound))
        };
        let owner = record_of(&session.transaction, id).await?.ok_or_else(not_found)?;
        let record = catalog().get(owner.ty);
        let row = session.existing(record, owner.id).await?;
        let types = referenced_types(&session.transaction, record, std::iter::once(&row)).await?;
        let mut state = state::without_system_fields(state::of(record, &row, &types, &HashMap::new()));
        let mut pointer = String::new();
        let mut path: Vec<PathSegment> = vec!["input".into()];
        for (list, key) in lists_to(record, &row, id).ok_or_else(not_found)? {
            let items = state.pointer(&format!("{pointer}/{list}")).and_then(Json::as_array);
            let Some(index) = items.and_then(|items| items.iter().position(|item| key_of(item) == Some(&key))) else { break };
            pointer.extend(["/", list, "/", &index.to_string()]);
            path.extend([list.into(), index.into()]);
        }
        let Some(Json::Object(holder)) = state.pointer_mut(&pointer) else { return Ok(WriteSummary::default()) };
        let Json::Array(items) = holder.entry(list).or_insert_with(|| json!([])) else { return Ok(WriteSummary::default()) };
        let mut added = None;
        match patch {
            ListPatch::Add(part) if items.iter().any(|item| is_equal_part(item, &part)) => {}
            ListPatch::Add(part) => {
                path.extend([list.into(), items.len().into()]);
                added = Some(path);
                items.push(part);
            }
            ListPatch::Remove(members) => {
                if let Some(index) = items.iter().position(|item| has_members(item, &members)) {
                    items.remove(index);
                } else {
                    let message = format!("there is no such entry in {list} of this record");
                    let problem = InputProblem::new(Origin::input([argument]), message);
                    return Err(WriteError::problem(problem.with_code(ProblemCode::NotFound)));
                }
            }
        }
        let at_argument = |problems| WriteError::Problems(relocate(problems, added.as_deref(), argument));
        let draft = parse::state(record, &value_tree::from_json(&state), &Origin::input([])).map_err(at_argument)?;
        let target =
            WriteTarget { mode: WriteMode::Update, id: Some(owner.id), expected_revision, restates_stored: true, ..WriteTarget::default() };
        let summary = session.write(&vec![(owner.ty, vec![Draft { target, ..draft }])], &|_| {}).await;
        let summary = summary.map_err(|error| match error {
            WriteError::Problems(problems) => at_argument(problems),
            WriteError::Failed(error) => WriteError::Failed(error),
        })?;
        if summary.updated > 0 {
            session.commit().await?;
        }
        Ok(summary)
    }
}

/// Moves the problems of the added part to the input argument that it was given in.
fn relocate(mut problems: Vec<InputProblem>, added: Option<&[PathSegment]>, argument: &'static str) -> Vec<InputProblem> {
    for problem in &mut problems {
        if let Some(rest) = added.and_then(|added| problem.origin.path.strip_prefix(added)) {
            problem.origin.path = Origin::input([argument]).path.into_iter().chain(rest.iter().cloned()).collect();
        }
    }
    problems
}

fn key_of(item: &Json) -> Option<&String> {
    match item.get("key") {
        Some(Json::String(key)) => Some(key),
        _ => None,
    }
}

/// Whether two parts are equal apart from their keys and null members.
fn is_equal_part(item: &Json, other: &Json) -> bool {
    let without_key = |item: &Json| {
        let mut item = item.clone();
        if let Some(members) = item.as_object_mut() {
            members.remove("key");
            members.retain(|_, value| !value.is_null());
        }
        item
    };
    without_key(item) == without_key(other)
}

/// Whether a part has all of these members.
fn has_members(item: &Json, members: &Json) -> bool {
    members.as_object().is_some_and(|members| members.iter().all(|(name, value)| item.get(name) == Some(value)))
}

/// The lists and keys that lead from a record to the part with this id: none for the record itself. Not set if the record
/// has no such part.
fn lists_to(record: &Record, row: &StoredRow, id: Uuid) -> Option<Vec<(&'static str, String)>> {
    if row.id == id {
        return Some(Vec::new());
    }
    for list in &record.parts {
        let part = catalog().get(list.part);
        let key = part.field_id("key")?;
        for row in row.parts.get(&list.part).into_iter().flatten() {
            if let Some(mut below) = lists_to(part, row, id) {
                below.insert(0, (list.name, row.cells[key.index()].as_text()?.to_owned()));
                return Some(below);
            }
        }
    }
    None
}
