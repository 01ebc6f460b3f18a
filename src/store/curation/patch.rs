//! Patches of one list of a record or part, such as adding a citation or removing a topic.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::path::PathSegment;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::curation::referrers::{Referrer, record_of};
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget, add_problems, parse, value_tree};
use crate::store::history::state;
use crate::store::write::load::{load_rows, referenced_types};
use crate::store::write::model::StoredRow;
use crate::store::write::part::listed;
use crate::store::write::session::{WriteSession, relocate_state_problems};
use crate::store::write::types::{Author, WriteError, WriteSummary};
use crate::store::write::value::PartKeys;

/// A patch of a list of parts.
#[derive(Debug, Clone)]
pub enum ListPatch {
    /// Appends a part, unless the list has an equal one.
    Add(Json),
    /// Removes the part that has all of these members.
    Remove(Json),
    /// Sets these members of the part with this key; null clears one.
    Update(String, Map<String, Json>),
}

/// The input of a patch, and where its problems are.
#[derive(Debug)]
pub struct PatchInput {
    /// Id of the record or part with the list. Not set if it is not valid, which is then one of `problems`.
    pub target: Option<Uuid>,
    /// Name of the list.
    pub list: &'static str,
    /// The patch. Not set if the part is not valid, which is then one of `problems`.
    pub patch: Option<ListPatch>,
    /// Location of the part.
    pub part: Origin,
    /// Location above the members of the part.
    pub members: Origin,
    /// Expected revision of the record.
    pub expected_revision: Option<i64>,
    /// Problems found so far. If there are any, the patch is only checked.
    pub problems: Vec<InputProblem>,
}

/// Lists and keys of parts that lead from a record to a part.
type ListPath = Vec<(&'static str, String)>;

impl Store {
    /// Patches a list of a record or part.
    pub async fn patch_list(&self, input: PatchInput, author: &Author) -> Result<WriteSummary, WriteError> {
        let PatchInput { target, list, mut patch, part, members, expected_revision, mut problems } = input;
        let source_url = patch.as_mut().filter(|_| list == "citations").and_then(ListPatch::take_source_url);
        let given = match &patch {
            Some(ListPatch::Add(json)) => Some(json.clone()),
            Some(ListPatch::Update(_, members)) => Some(Json::Object(members.clone())),
            Some(ListPatch::Remove(_)) | None => None,
        };
        // problems of other lists are found with the record
        if let Some((json, declared)) = given.zip(part_of(list)) {
            let given = parse::record(catalog().get(declared), &value_tree::from_json(&json), &members);
            add_problems(&mut problems, given.problems);
        }
        let session = self.begin(author).await?;
        if let Some(url) = source_url {
            match session.source_of_url(&url, &members.child("source", None)).await? {
                Ok(source) => patch.iter_mut().for_each(|patch| patch.set_source(source)),
                Err(problem) => {
                    problems.push(problem);
                    patch = None;
                }
            }
        }
        let Some((owner, row, lists)) = session.list_owner(target).await? else {
            if target.is_some() {
                let problem = InputProblem::new(Origin::input(["record"]), "there is no record with this id");
                problems.push(problem.with_code(ProblemCode::NotFound));
            }
            return Err(session.check_part(list, patch, part, &members, problems).await);
        };
        let record = catalog().get(owner.ty);
        let types = referenced_types(&session.transaction, record, std::iter::once(&row)).await?;
        let mut state = state::without_system_fields(state::of(record, &row, &types, &PartKeys::default()));
        let mut pointer = String::new();
        let mut path: Vec<PathSegment> = Origin::input(["record"]).path;
        for (list, key) in lists {
            let items = state.pointer(&format!("{pointer}/{list}")).and_then(Json::as_array);
            let index = items.and_then(|items| items.iter().position(|item| key_of(item) == Some(&key)));
            let index = index.ok_or_else(|| internal("the state of a record lacks a part"))?;
            pointer.extend(["/", list, "/", &index.to_string()]);
            path.extend([list.into(), index.into()]);
        }
        let holder = state.pointer_mut(&pointer).and_then(Json::as_object_mut);
        let holder = holder.ok_or_else(|| internal("the state of a record or part is not a map"))?;
        let items = holder.entry(list).or_insert_with(|| json!([])).as_array_mut();
        let items = items.ok_or_else(|| internal("the state of a list is not a list"))?;
        let mut added = None;
        match patch {
            None => {}
            Some(ListPatch::Add(part)) if items.iter().any(|item| is_equal_part(item, &part)) => {}
            Some(ListPatch::Add(part)) => {
                path.extend([list.into(), items.len().into()]);
                added = Some(path);
                items.push(part);
            }
            Some(ListPatch::Update(key, members)) => {
                if let Some(index) = items.iter().position(|item| key_of(item) == Some(&key)) {
                    path.extend([list.into(), index.into()]);
                    added = Some(path);
                    update_members(&mut items[index], members);
                } else {
                    let keys = listed(items.iter().filter_map(key_of).cloned().collect());
                    let message = format!("there is no \"{key}\" in {list} of this record; the keys are: {keys}");
                    problems.push(InputProblem::new(part.clone(), message).with_code(ProblemCode::NotFound));
                }
            }
            Some(ListPatch::Remove(members)) => {
                if let Some(index) = items.iter().position(|item| has_members(item, &members)) {
                    items.remove(index);
                } else {
                    let message = format!("there is no such entry in {list} of this record");
                    problems.push(InputProblem::new(part.clone(), message).with_code(ProblemCode::NotFound));
                }
            }
        }
        let origin = Origin::input(["record"]);
        let mut draft = parse::state(record, &value_tree::from_json(&state), &origin);
        draft.target =
            WriteTarget { mode: WriteMode::Update, id: Some(owner.id), expected_revision, restates_stored: true, ..WriteTarget::default() };
        let found = std::mem::take(&mut draft.problems);
        let relocate = |mut problems: Vec<InputProblem>| {
            relocate_part_problems(&mut problems, added.as_deref(), &part, &members);
            relocate_state_problems(problems, &origin, &origin, &origin)
        };
        add_problems(&mut problems, relocate(found));
        draft.problems = problems;
        let summary = session.write(&vec![(owner.ty, vec![draft])], &|_| {}).await;
        let summary = summary.map_err(|error| error.map_problems(relocate))?;
        if summary.updated > 0 {
            session.commit().await?;
        }
        Ok(summary)
    }
}

impl WriteSession<'_> {
    /// The record to which the record or part with this id belongs, its stored state, and the lists and keys that lead to
    /// the part. Not set if there is none.
    async fn list_owner(&self, id: Option<Uuid>) -> Result<Option<(Referrer, StoredRow, ListPath)>> {
        let Some(id) = id else { return Ok(None) };
        let Some(owner) = record_of(&self.transaction, id).await? else { return Ok(None) };
        let record = catalog().get(owner.ty);
        let Some((_, row)) = load_rows(&self.transaction, record, "id", &[owner.id]).await?.pop() else { return Ok(None) };
        Ok(lists_to(record, &row, id).map(|lists| (owner, row, lists)))
    }

    /// All problems of a patch whose record is unknown: those found so far, and those of an added part by itself.
    async fn check_part(
        &self,
        list: &'static str,
        patch: Option<ListPatch>,
        part: Origin,
        members: &Origin,
        mut problems: Vec<InputProblem>,
    ) -> WriteError {
        let holder = catalog().get(RecordType::Organization);
        if let (Some(ListPatch::Add(json)), Some(declared)) = (patch, part_of(list)) {
            let mut draft = parse::state(catalog().get(declared), &value_tree::from_json(&json), members);
            add_problems(&mut problems, std::mem::take(&mut draft.problems));
            let target = WriteTarget { mode: WriteMode::Update, ..WriteTarget::default() };
            let unidentified = Draft {
                origin: members.clone(),
                target,
                parts: vec![(declared, vec![Draft { origin: part, ..draft }])],
                problems: problems.clone(),
                is_unidentified: true,
                ..Draft::default()
            };
            match self.write(&vec![(holder.ty, vec![unidentified])], &|_| {}).await {
                Ok(_) => return WriteError::Failed(internal("a patch without a record was written")),
                Err(error) => return error,
            }
        }
        WriteError::Problems(problems)
    }
}

/// Type of the parts in a list that every record can have.
fn part_of(list: &str) -> Option<RecordType> {
    catalog().get(RecordType::Organization).parts.iter().find(|declared| declared.name == list).map(|declared| declared.part)
}

/// Moves the problems of the added part to the input of the part.
fn relocate_part_problems(problems: &mut [InputProblem], added: Option<&[PathSegment]>, part: &Origin, members: &Origin) {
    for problem in problems {
        match added.and_then(|added| problem.origin.path.strip_prefix(added)) {
            None => {}
            Some([]) => problem.origin = part.clone(),
            Some(member) => problem.origin.path = members.path.iter().chain(member).cloned().collect(),
        }
    }
}

/// Sets members of a part; null clears one.
fn update_members(item: &mut Json, members: Map<String, Json>) {
    let Json::Object(item) = item else { return };
    item.extend(members);
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
fn lists_to(record: &Record, row: &StoredRow, id: Uuid) -> Option<ListPath> {
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
