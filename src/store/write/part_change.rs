//! Changes of one part of a record: adding, updating and removing it, while the other parts stay as they are.

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::{FieldKind, MAX_PARTS};
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::core::path::{DisplayPath, PathSegment};
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget, parse, value_tree};
use crate::store::history::state::POSITION;
use crate::store::read::result::Cell;
use crate::store::write::diff::revision_conflict;
use crate::store::write::load::load_rows;
use crate::store::write::model::{StoredRow, field, revision_number};
use crate::store::write::part::listed;
use crate::store::write::types::{Author, WriteError};

/// Argument that names a part by its key or id.
const PART: &str = "part";
const KEY: &str = "key";

/// A change of one part of a record.
#[derive(Debug, Clone)]
pub enum PartChange {
    /// Adds a part at the end of its list. The part is given as in the input of its record.
    Add(Json),
    /// Updates the given fields of the part with this key or id.
    Update(String, Map<String, Json>),
    /// Removes the part with this key or id, and its citations.
    Remove(String),
}

/// The input of a change of a part, and where its problems are.
#[derive(Debug)]
pub struct PartChangeInput {
    /// Type of the part.
    pub ty: RecordType,
    /// Id of the record, or what is wrong with its name.
    pub record: Result<Uuid, InputProblem>,
    /// Location of the name of the record.
    pub argument: Origin,
    /// The change.
    pub change: PartChange,
    /// Location above the members of an added or updated part.
    pub members: Origin,
    /// Expected revision of the record.
    pub expected_revision: Option<i64>,
}

/// The outcome of a change of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedPart {
    /// Id of the record.
    pub record: Uuid,
    /// Id of the added or updated part. Not set if it was removed.
    pub part: Option<Uuid>,
}

/// The type of records that have parts of a type. Not set for parts that any record can have, and for records.
pub fn owner_of(part: &Record) -> Option<&'static Record> {
    match part.owner()?.kind {
        FieldKind::One(owner) => Some(catalog().get(owner)),
        _ => None,
    }
}

impl Store {
    /// Adds, updates or removes one part of a record.
    pub async fn change_part(&self, input: PartChangeInput, author: &Author) -> Result<ChangedPart, WriteError> {
        let PartChangeInput { ty, record, argument, change, members, expected_revision } = input;
        let part = catalog().get(ty);
        let owner = owner_of(part).ok_or_else(|| internal("a part that any record can have is not changed by itself"))?;
        let list = owner.parts.iter().find(|list| list.part == ty).map(|list| list.name);
        let list = list.ok_or_else(|| internal("a record type lacks the list of its parts"))?;
        let session = self.begin(author).await?;
        let mut problems = Vec::new();
        let mut stored = None;
        match record {
            Ok(id) => {
                stored = load_rows(&session.transaction, owner, "id", &[id]).await?.pop().map(|(_, row)| row);
                if stored.is_none() {
                    let message = format!("there is no {} with the id {}", owner.singular(), id::encode(owner.ty.prefix(), id));
                    problems.push(InputProblem::new(argument, message).with_code(ProblemCode::NotFound));
                }
            }
            Err(problem) => problems.push(problem),
        }
        if let (Some(row), Some(expected)) = (&stored, expected_revision)
            && let number = revision_number(owner, row)
            && number != expected
        {
            let of_record = Draft { origin: Origin::input([]), ..Draft::default() };
            problems.push(revision_conflict(owner, &of_record, number, expected));
        }
        let parts = PartRows::new(part, list, stored.as_ref().and_then(|row| row.parts.get(&ty)));
        let (drafts, changed) = parts.changed(owner, change, &members, self.clock.new_uuid(), stored.is_some(), &mut problems);
        let draft = Draft {
            origin: Origin::input([]),
            target: WriteTarget {
                mode: WriteMode::Update,
                id: stored.as_ref().map(|row| row.id),
                restates_stored: true,
                ..WriteTarget::default()
            },
            parts: vec![(ty, drafts)],
            problems,
            is_unidentified: stored.is_none(),
            ..Draft::default()
        };
        let summary = session.write(&vec![(owner.ty, vec![draft])], &|_| {}).await;
        let summary = summary.map_err(|error| error.map_problems(|problems| relocate(problems, list, &members)))?;
        let record = stored.ok_or_else(|| internal("a part of an unknown record was written"))?.id;
        if summary.updated > 0 {
            session.commit().await?;
        }
        Ok(ChangedPart { record, part: changed })
    }
}

/// The stored parts of one list of a record, by position.
struct PartRows<'r> {
    part: &'static Record,
    list: &'static str,
    rows: Vec<&'r StoredRow>,
}

impl<'r> PartRows<'r> {
    fn new(part: &'static Record, list: &'static str, rows: Option<&'r Vec<StoredRow>>) -> Self {
        let mut rows: Vec<&StoredRow> = rows.into_iter().flatten().collect();
        rows.sort_by_key(|row| match field(part, row, POSITION) {
            Cell::Integer(position) => *position,
            _ => i64::MAX,
        });
        Self { part, list, rows }
    }

    fn key(&self, row: &StoredRow) -> String {
        field(self.part, row, KEY).as_text().map(str::to_owned).unwrap_or_default()
    }

    /// The stored part with this key or id.
    fn find(&self, name: &str) -> Option<usize> {
        let id = id::decode(name).ok().filter(|(prefix, _)| *prefix == self.part.ty.prefix()).map(|(_, id)| id);
        let by_key = self.rows.iter().position(|row| self.key(row) == name);
        by_key.or_else(|| self.rows.iter().position(|row| Some(row.id) == id))
    }

    /// Drafts of all parts, of which only the changed one gives values, and the id of the changed part unless it is
    /// removed. `new_id` is the id of an added part.
    fn changed(
        &self,
        owner: &Record,
        change: PartChange,
        members: &Origin,
        new_id: Uuid,
        is_owner_known: bool,
        problems: &mut Vec<InputProblem>,
    ) -> (Vec<Draft>, Option<Uuid>) {
        let mut drafts: Vec<Draft> = self.rows.iter().map(|row| self.unchanged(row)).collect();
        let mut find = |name: &str| {
            let found = self.find(name);
            if found.is_none() && is_owner_known {
                let keys = listed(self.rows.iter().map(|row| self.key(row)).collect());
                let (singular, list) = (owner.singular(), self.list);
                let message = format!("\"{name}\" is neither a key nor an id in {list} of this {singular}; the keys are: {keys}");
                problems.push(InputProblem::new(Origin::input([PART]), message).with_code(ProblemCode::NotFound));
            }
            found
        };
        match change {
            PartChange::Add(value) => {
                if self.rows.len() >= MAX_PARTS {
                    let message = format!("{} of this {} has {MAX_PARTS} entries, which is the maximum", self.list, owner.singular());
                    problems.push(InputProblem::new(members.clone(), message));
                }
                let mut draft = self.parsed(&value, members, problems);
                draft.target.id = Some(new_id);
                self.reject_taken_key(&mut draft, None, problems);
                drafts.push(draft);
                (drafts, Some(new_id))
            }
            PartChange::Update(name, given) => {
                let found = find(&name);
                let mut draft = self.parsed(&Json::Object(given), members, problems);
                // what the part would lack is not known
                let Some(index) = found else { return (drafts, None) };
                let row = self.rows[index];
                self.reject_taken_key(&mut draft, Some(row), problems);
                draft.target.id = Some(row.id);
                draft.name.get_or_insert_with(|| self.key(row));
                drafts[index] = draft;
                (drafts, Some(row.id))
            }
            PartChange::Remove(name) => {
                if let Some(index) = find(&name) {
                    drafts.remove(index);
                }
                (drafts, None)
            }
        }
    }

    /// A draft that leaves a part as it is. Its location names the part in messages about the changed one.
    fn unchanged(&self, row: &StoredRow) -> Draft {
        let key = self.key(row);
        let origin = Origin { path: vec![PathSegment::from(format!("{}[{key}]", self.list))], ..Origin::default() };
        Draft { origin, name: Some(key), ..Draft::default() }
    }

    fn parsed(&self, value: &Json, members: &Origin, problems: &mut Vec<InputProblem>) -> Draft {
        let mut draft = parse::record(self.part, &value_tree::from_json(value), members);
        problems.append(&mut draft.problems);
        problems.append(&mut draft.warnings);
        draft
    }

    /// Reports a given key that another part has. The draft loses it, so that it is not taken for one of the other part.
    fn reject_taken_key(&self, draft: &mut Draft, own: Option<&StoredRow>, problems: &mut Vec<InputProblem>) {
        let Some(key) = draft.name.as_ref().filter(|_| !draft.is_unidentified) else { return };
        let is_taken = self.rows.iter().any(|row| own.is_none_or(|own| own.id != row.id) && self.key(row) == *key);
        if is_taken {
            let update = format!("update{}", self.part.name());
            let message = format!("{}[{key}] exists already; give another key, or use {update} to change that one", self.list);
            problems.push(InputProblem::new(draft.origin.child(KEY, None), message).with_code(ProblemCode::Taken));
            draft.name = None;
        }
    }
}

/// Moves problems that are not in the input: those of the list to the name of the part, and those of a part that the change
/// leaves as it is to the changed part, with the name of the other one. A taken key is reported once.
fn relocate(mut problems: Vec<InputProblem>, list: &'static str, members: &Origin) -> Vec<InputProblem> {
    let (of_list, of_input) = (Origin::input([list]), Origin::input([]));
    for problem in &mut problems {
        if problem.origin.path == of_list.path {
            problem.origin = Origin::input([PART]);
        } else if problem.origin.path.first() != of_input.path.first() {
            problem.message = format!("{}: {}", DisplayPath(&problem.origin.path), problem.message);
            problem.origin = members.clone();
        }
        // the members of an updated part stand beside its name
        if problem.origin.path == of_input.path {
            problem.origin = Origin::input([PART]);
        }
    }
    let mut reported = Vec::new();
    problems.retain(|problem| {
        let place = (problem.origin.path.clone(), problem.code);
        let is_repeated = problem.code == ProblemCode::Taken && reported.contains(&place);
        reported.push(place);
        !is_repeated
    });
    problems
}
