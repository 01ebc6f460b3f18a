//! Puts records together again: each with the parts that stood in tables of their own.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::column::{Column, Holds};
use super::row::Row;
use crate::catalog::record::{FieldKind, Record, RecordKind, catalog};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::draft;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, parse};
use crate::store::read::result::Cell;

/// Parts that wait for the records they belong to.
#[derive(Debug, Default)]
pub(super) struct Parts {
    waiting: HashMap<(RecordType, Uuid), Vec<Draft>>,
    seen: HashSet<(RecordType, Uuid)>,
}

impl Parts {
    /// Takes a part.
    pub(super) fn take(&mut self, record: &'static Record, columns: &[Column], row: Row) -> Result<(), Vec<InputProblem>> {
        let owner = owner_of(record, columns, &row)?;
        let draft = draft(record, columns, row)?;
        if let Some(id) = draft.aim.id
            && !self.seen.insert((record.ty, id))
        {
            let message = format!("\"{}\" is given twice; leave one of the rows out", id::encode(record.ty.prefix(), id));
            return Err(vec![InputProblem::new(draft.origin.below(".id", None), message)]);
        }
        self.waiting.entry((record.ty, owner)).or_default().push(draft);
        Ok(())
    }

    /// Gives a record all of its parts.
    pub(super) fn give(&mut self, record: &'static Record, draft: &mut Draft) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        let mut keys = HashMap::new();
        self.give_own(record, draft, &mut keys, &mut problems);
        name_parts(draft, &keys, &mut problems);
        problems
    }

    fn give_own(
        &mut self,
        record: &'static Record,
        draft: &mut Draft,
        keys: &mut HashMap<(RecordType, Uuid), String>,
        problems: &mut Vec<InputProblem>,
    ) {
        let Some(id) = draft.aim.id else { return };
        if record.shape != RecordKind::Record
            && let Some(key) = &draft.name
        {
            keys.insert((record.ty, id), key.clone());
        }
        for list in &record.parts {
            let part = catalog().get(list.part);
            // a package says all of a record: what it has no parts for has none
            let mut parts = self.waiting.remove(&(list.part, id)).unwrap_or_default();
            parts.sort_by_key(|draft| place(part, draft));
            parts.iter_mut().for_each(|draft| self.give_own(part, draft, keys, problems));
            draft.parts.push((list.part, parts));
        }
        problems.extend(parse::claims(record, draft));
    }

    /// What is wrong with those that no record was there for.
    pub(super) fn left(self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        for ((ty, _), drafts) in self.waiting {
            let owner = catalog().get(ty).owner().map_or("record", |owner| owner.name);
            let message = format!("the {owner} that this belongs to is not in the package; add it, or leave the row out");
            problems.extend(
                drafts.into_iter().map(|draft| InputProblem::new(draft.origin.below(format_args!(".{owner}"), None), message.clone())),
            );
        }
        problems
    }
}

fn place(part: &Record, draft: &Draft) -> i64 {
    match part.field_index("position").and_then(|field| draft.value(field)) {
        Some(DraftValue::Cell(Cell::Integer(place))) => *place,
        _ => i64::MAX,
    }
}

/// References between parts of a record are by ids in a package and by keys in a draft.
fn name_parts(draft: &mut Draft, keys: &HashMap<(RecordType, Uuid), String>, problems: &mut Vec<InputProblem>) {
    for (_, given, origin) in &mut draft.values {
        let DraftValue::Key(ty, text) = given else { continue };
        let id = id::decode(text).ok().filter(|(prefix, _)| *prefix == ty.prefix()).map(|(_, id)| id);
        match id.and_then(|id| keys.get(&(*ty, id))) {
            Some(key) => *text = key.clone(),
            None => {
                let message = format!("\"{text}\" is the id of no {} of the same record; correct it", catalog().get(*ty).singular());
                problems.push(InputProblem::new(origin.clone(), message));
            }
        }
    }
    for (_, parts) in &mut draft.parts {
        parts.iter_mut().for_each(|draft| name_parts(draft, keys, problems));
    }
}

/// The id of what a part belongs to.
fn owner_of(record: &Record, columns: &[Column], row: &Row) -> Result<Uuid, Vec<InputProblem>> {
    let given = row.values.iter().find(|(place, _)| columns[*place].holds == Holds::Field(0));
    let text = match given.map(|(_, tree)| &tree.value) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let has_such = |ty: RecordType| catalog().get(ty).parts.iter().any(|list| list.part == record.ty);
    match id::decode(text) {
        Ok((prefix, id)) if RecordType::from_prefix(prefix).is_some_and(has_such) => Ok(id),
        _ => {
            let origin = row.origin.below(format_args!(".{}", record.fields[0].name), None);
            Err(vec![InputProblem::new(origin, format!("\"{text}\" is not the id of anything that has {}", plural(record)))])
        }
    }
}

fn plural(part: &Record) -> &'static str {
    part.owner().and_then(|owner| owner.inverse).map_or("such parts", |inverse| inverse.name)
}

/// A row as a draft, without its parts.
pub(super) fn draft(record: &'static Record, columns: &[Column], row: Row) -> Result<Draft, Vec<InputProblem>> {
    let Row { origin, values } = row;
    let mut entries = Vec::with_capacity(values.len());
    for (place, tree) in values {
        let column = &columns[place];
        match column.holds {
            Holds::Field(0) if record.shape != RecordKind::Record => {}
            Holds::Field(field) if matches!(record.fields[field].kind, FieldKind::Any) => {
                entries.push((column.name.clone(), any(tree, &origin, &column.name)?));
            }
            _ => entries.push((column.name.clone(), tree)),
        }
    }
    let mut draft = parse::row(record, &Tree { line: None, value: Value::Map(entries) }, &origin)?;
    if draft.aim.id.is_none() {
        return Err(vec![InputProblem::new(origin.below(".id", None), "the id is missing; every row has one")]);
    }
    let Draft { values, cleared, .. } = &mut draft;
    values.retain(|(field, given, _)| {
        let is_there = *given != DraftValue::Cell(Cell::Null);
        if !is_there {
            cleared.extend(u16::try_from(*field));
        }
        is_there
    });
    values.shrink_to_fit();
    Ok(draft)
}

/// A record of any type is given by its id, which tells the type.
fn any(tree: Tree, origin: &Origin, column: &str) -> Result<Tree, Vec<InputProblem>> {
    let Value::Text(text) = &tree.value else { return Ok(tree) };
    let ty = id::decode(text).ok().and_then(|(prefix, _)| RecordType::from_prefix(prefix));
    match ty.filter(|ty| catalog().get(*ty).shape == RecordKind::Record) {
        Some(ty) => Ok(Tree { line: tree.line, value: Value::Map(vec![(catalog().get(ty).singular(), tree)]) }),
        None => {
            let origin = origin.below(format_args!(".{column}"), None);
            Err(vec![draft::InputProblem::new(origin, format!("\"{text}\" is not the id of a record"))])
        }
    }
}
