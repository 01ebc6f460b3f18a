//! Assembles records from their rows and the rows of their parts.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::column::{ColumnSource, PackageColumn};
use super::row::PackageRow;
use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::article::with_article;
use crate::core::id;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, parse};
use crate::store::read::result::Cell;

/// Parts that have been read, by owner, until their records are read.
#[derive(Debug, Default)]
pub(super) struct PartAssembler {
    pending: HashMap<(RecordType, Uuid), Vec<Draft>>,
    seen_ids: HashSet<(RecordType, Uuid)>,
}

impl PartAssembler {
    /// Adds the row of a part.
    pub(super) fn add(&mut self, record: &'static Record, columns: &[PackageColumn], row: PackageRow) -> Result<(), Vec<InputProblem>> {
        let owner = parse_owner_id(record, columns, &row)?;
        let draft = parse_draft(record, columns, row)?;
        if let Some(id) = draft.target.id
            && !self.seen_ids.insert((record.ty, id))
        {
            let message = format!("duplicate id \"{}\"; remove one of the rows", id::encode(record.ty.prefix(), id));
            return Err(vec![InputProblem::new(draft.origin.child("id", None), message)]);
        }
        self.pending.entry((record.ty, owner)).or_default().push(draft);
        Ok(())
    }

    /// Moves the pending parts of a record into its draft, including the parts of parts.
    pub(super) fn attach(&mut self, record: &'static Record, draft: &mut Draft) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        let mut keys = HashMap::new();
        self.attach_parts(record, draft, &mut keys, &mut problems);
        resolve_part_references(draft, &keys, &mut problems);
        problems
    }

    fn attach_parts(
        &mut self,
        record: &'static Record,
        draft: &mut Draft,
        keys: &mut HashMap<(RecordType, Uuid), String>,
        problems: &mut Vec<InputProblem>,
    ) {
        let Some(id) = draft.target.id else { return };
        if record.kind != RecordKind::Record
            && let Some(key) = &draft.name
        {
            keys.insert((record.ty, id), key.clone());
        }
        for list in &record.parts {
            let part = catalog().get(list.part);
            // a package is complete, so a list without rows is set to empty
            let mut parts = self.pending.remove(&(list.part, id)).unwrap_or_default();
            parts.sort_by_key(|draft| position_of(part, draft));
            for draft in &mut parts {
                self.attach_parts(part, draft, keys, problems);
            }
            draft.parts.push((list.part, parts));
        }
        problems.extend(parse::claims(record, draft));
    }

    /// Problems of the parts whose records the package lacks.
    pub(super) fn orphan_problems(self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        for ((ty, _), drafts) in self.pending {
            let owner = catalog().get(ty).owner().map_or("record", |owner| owner.name);
            let message = format!("the package lacks the {owner} that this row belongs to; add the {owner} or remove the row");
            problems.extend(drafts.into_iter().map(|draft| InputProblem::new(draft.origin.child(owner, None), message.clone())));
        }
        problems
    }
}

/// The position of a part in its list; parts without one come last.
fn position_of(part: &Record, draft: &Draft) -> i64 {
    match part.field_id("position").and_then(|field| draft.value(field)) {
        Some(DraftValue::Cell(Cell::Integer(position))) => *position,
        _ => i64::MAX,
    }
}

/// Replaces references between parts of a record, which a package makes by id, with references by key.
fn resolve_part_references(draft: &mut Draft, keys: &HashMap<(RecordType, Uuid), String>, problems: &mut Vec<InputProblem>) {
    for (_, value, origin) in &mut draft.values {
        let DraftValue::Key(ty, text) = value else { continue };
        let id = id::decode(text).ok().filter(|(prefix, _)| *prefix == ty.prefix()).map(|(_, id)| id);
        if let Some(key) = id.and_then(|id| keys.get(&(*ty, id))) {
            text.clone_from(key);
        } else {
            let message = format!("\"{text}\" is not the id of {} of the same record", with_article(&catalog().get(*ty).singular()));
            problems.push(InputProblem::new(origin.clone(), message));
        }
    }
    for (_, parts) in &mut draft.parts {
        for draft in parts.iter_mut() {
            resolve_part_references(draft, keys, problems);
        }
    }
}

/// The id of the record or part that a part belongs to, which is its first field.
fn parse_owner_id(record: &Record, columns: &[PackageColumn], row: &PackageRow) -> Result<Uuid, Vec<InputProblem>> {
    let owner = row.values.iter().find(|(index, _)| columns[*index].source == ColumnSource::Field(FieldId::OWNER));
    let text = match owner.map(|(_, tree)| &tree.value) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let can_own = |ty: RecordType| catalog().get(ty).parts.iter().any(|list| list.part == record.ty);
    match id::decode(text) {
        Ok((prefix, id)) if RecordType::from_prefix(prefix).is_some_and(can_own) => Ok(id),
        _ => {
            let origin = row.origin.child(record.field(FieldId::OWNER).name, None);
            Err(vec![InputProblem::new(origin, format!("\"{text}\" is not the id of a record or part with {}", list_name(record)))])
        }
    }
}

/// The name of the list that parts of this type are in.
fn list_name(part: &Record) -> &'static str {
    part.owner().and_then(|owner| owner.inverse).map_or("such parts", |inverse| inverse.name)
}

/// Parses a row into a draft without parts. Empty cells clear their fields, because a package is complete.
pub(super) fn parse_draft(record: &'static Record, columns: &[PackageColumn], row: PackageRow) -> Result<Draft, Vec<InputProblem>> {
    let PackageRow { origin, values } = row;
    let mut entries = Vec::with_capacity(values.len());
    for (index, tree) in values {
        let column = &columns[index];
        match column.source {
            ColumnSource::Field(FieldId::OWNER) if record.kind != RecordKind::Record => {}
            ColumnSource::Field(field) if matches!(record.field(field).kind, FieldKind::Any) => {
                entries.push((column.name.clone(), typed_reference(tree, &origin, &column.name)?));
            }
            _ => entries.push((column.name.clone(), tree)),
        }
    }
    let mut draft = parse::row(record, &Tree { line: None, value: Value::Map(entries) }, &origin).into_valid()?;
    if draft.target.id.is_none() {
        return Err(vec![InputProblem::new(origin.child("id", None), "id is missing; every row requires one")]);
    }
    let Draft { values, cleared, .. } = &mut draft;
    values.retain(|(field, value, _)| {
        let is_set = *value != DraftValue::Cell(Cell::Null);
        if !is_set {
            cleared.push(*field);
        }
        is_set
    });
    values.shrink_to_fit();
    Ok(draft)
}

/// A reference to a record of any type, as a map from the type that the id states to the id.
fn typed_reference(tree: Tree, origin: &Origin, column: &str) -> Result<Tree, Vec<InputProblem>> {
    let Value::Text(text) = &tree.value else { return Ok(tree) };
    let ty = id::decode(text).ok().and_then(|(prefix, _)| RecordType::from_prefix(prefix));
    if let Some(ty) = ty.filter(|ty| catalog().get(*ty).kind == RecordKind::Record) {
        Ok(Tree { line: tree.line, value: Value::Map(vec![(catalog().get(ty).singular(), tree)]) })
    } else {
        let origin = origin.child(column.to_owned(), None);
        Err(vec![InputProblem::new(origin, format!("\"{text}\" is not the id of a record"))])
    }
}
