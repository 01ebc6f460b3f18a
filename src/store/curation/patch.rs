//! Small changes of one list of a record or of one of its parts: a citation more, a topic less.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::catalog::record::{Record, catalog};
use crate::core::error::Result;
use crate::store::Store;
use crate::store::curation::delete::{at, record_of};
use crate::store::draft::value_tree;
use crate::store::draft::{Draft, InputProblem, ProblemCode, WriteMode, WriteTarget, parse};
use crate::store::history::state;
use crate::store::write::apply::{Existing, types};
use crate::store::write::{Author, WriteError, WriteSummary};

/// What is done to a list of parts.
#[derive(Debug, Clone)]
pub enum Amendment {
    /// A part is put at its end, unless it is there already.
    Add(Json),
    /// The part that has all of these members is taken out.
    Remove(Json),
}

impl Store {
    /// Amends a list of the record or part with this id. `place` is where the part stands in the input.
    pub async fn amend(
        &self,
        id: Uuid,
        list: &'static str,
        amendment: Amendment,
        place: &str,
        expected: Option<i64>,
        author: &Author,
    ) -> Result<WriteSummary, WriteError> {
        let writing = self.begin(author).await?;
        let Some(owner) = record_of(&writing.transaction, id).await? else {
            return Err(WriteError::Problems(vec![
                InputProblem::new(at("record"), "there is no record with this id").of(ProblemCode::NotFound),
            ]));
        };
        let record = catalog().get(owner.ty);
        let row = writing.existing(record, owner.id).await?;
        let known = types(&writing.transaction, record, std::iter::once(&row)).await?;
        let mut state = state::given(state::of(record, &row, &known, &Default::default()));
        let mut pointer = String::new();
        let mut path = String::new();
        for (list, key) in way(record, &row, id).unwrap_or_default() {
            let items = state.pointer(&format!("{pointer}/{list}")).and_then(Json::as_array);
            let Some(index) = items.and_then(|items| items.iter().position(|item| key_of(item) == Some(&key))) else { break };
            pointer += &format!("/{list}/{index}");
            path += &format!("{list}[{index}].");
        }
        let Some(Json::Object(holder)) = state.pointer_mut(&pointer) else { return Ok(WriteSummary::default()) };
        let Json::Array(items) = holder.entry(list).or_insert_with(|| json!([])) else { return Ok(WriteSummary::default()) };
        match amendment {
            Amendment::Add(part) if items.iter().any(|item| says(item, &part)) => {}
            Amendment::Add(part) => {
                path += &format!("{list}[{}]", items.len());
                items.push(part);
            }
            Amendment::Remove(members) => match items.iter().position(|item| has(item, &members)) {
                Some(index) => drop(items.remove(index)),
                None => {
                    let message = format!("there is no such entry in {list} of this record");
                    return Err(WriteError::Problems(vec![InputProblem::new(at(place), message).of(ProblemCode::NotFound)]));
                }
            },
        }
        let here = |problems: Vec<InputProblem>| {
            let path = format!("input.{path}");
            let named = |mut problem: InputProblem| {
                if let Some(rest) = problem.origin.path.strip_prefix(&path) {
                    problem.origin.path = format!("input.{place}{rest}");
                }
                problem
            };
            WriteError::Problems(problems.into_iter().map(named).collect())
        };
        let origin = crate::store::draft::Origin { path: "input".to_owned(), ..Default::default() };
        let draft = parse::state(record, &value_tree::of_json(&state), &origin).map_err(&here)?;
        let aim = WriteTarget { mode: WriteMode::Update, id: Some(owner.id), revision: expected, restates: true, ..WriteTarget::default() };
        let outcome = writing.write(&vec![(owner.ty, vec![Draft { aim, ..draft }])], &|_| {}).await;
        let outcome = outcome.map_err(|refused| match refused {
            WriteError::Problems(problems) => here(problems),
            failed => failed,
        })?;
        if outcome.updated > 0 {
            writing.commit().await?;
        }
        Ok(outcome)
    }
}

fn key_of(item: &Json) -> Option<&String> {
    match item.get("key") {
        Some(Json::String(key)) => Some(key),
        _ => None,
    }
}

/// Whether a part says what another says, whatever their keys.
fn says(item: &Json, other: &Json) -> bool {
    let bare = |item: &Json| {
        let mut item = item.clone();
        if let Some(members) = item.as_object_mut() {
            members.remove("key");
            members.retain(|_, value| !value.is_null());
        }
        item
    };
    bare(item) == bare(other)
}

/// Whether a part has all of these members.
fn has(item: &Json, members: &Json) -> bool {
    members.as_object().is_some_and(|members| members.iter().all(|(name, value)| item.get(name) == Some(value)))
}

/// The lists and keys that lead from a record to the part with this id; nothing more where it is the record itself.
fn way(record: &Record, row: &Existing, id: Uuid) -> Option<Vec<(&'static str, String)>> {
    if row.id == id {
        return Some(Vec::new());
    }
    for list in &record.parts {
        let part = catalog().get(list.part);
        let key = part.field_index("key")?;
        for row in row.parts.get(&list.part).into_iter().flatten() {
            if let Some(mut below) = way(part, row, id) {
                below.insert(0, (list.name, row.cells[key].as_text()?.to_owned()));
                return Some(below);
            }
        }
    }
    None
}
