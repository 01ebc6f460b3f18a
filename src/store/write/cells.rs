//! The cells of one record or part after its draft is merged into the stored ones.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftSource, DraftValue, InputProblem, Origin, ProblemCode};
use crate::store::history::state::POSITION;
use crate::store::read::result::Cell;
use crate::store::write::import::edits::{Edit, Edits};
use crate::store::write::model::StoredRow;
use crate::store::write::part::list_name;
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::value::{PartKeys, is_record, with_stored_languages};

/// A record or part, and the draft to merge into it.
#[derive(Clone, Copy)]
pub(super) struct MergeTarget<'t> {
    pub(super) record: &'static Record,
    pub(super) id: Uuid,
    /// For a part: id of its record, and whether that will be published.
    pub(super) owner: Option<(Uuid, bool)>,
    pub(super) draft: &'t Draft,
    pub(super) existing: Option<&'t StoredRow>,
    /// Whether the stored record or part that the draft is for is unknown. It may have what the draft does not give.
    pub(super) is_unidentified: bool,
    /// Path of a part in its record as the history spells it, ending in a dot; empty for the record itself.
    pub(super) path: &'t str,
    /// The edit that wrote the stored part as a whole.
    pub(super) edit: Option<&'t Edit>,
}

/// State of merging the draft of one record.
pub(super) struct MergeState<'m> {
    /// Id of the record itself.
    pub(super) root: Uuid,
    pub(super) names: &'m ResolvedNames,
    pub(super) problems: &'m mut Vec<InputProblem>,
    pub(super) changes: Vec<Json>,
    /// Ids of the parts of the record by type and key.
    pub(super) siblings: HashMap<(RecordType, String), Uuid>,
    /// Keys of these parts by id.
    pub(super) part_keys: PartKeys<'static>,
    /// Types of the parts whose keys are not all known: a reference by key may mean one of them.
    pub(super) types_with_unknown_keys: HashSet<RecordType>,
    /// Types of the records that polymorphic references point to.
    pub(super) types: &'m HashMap<Uuid, RecordType>,
    /// Sources cited in the draft, and whether the citation is new or changed.
    pub(super) cited: Vec<(Uuid, bool)>,
    /// Sources of existing citations that the draft does not mention.
    pub(super) kept: BTreeSet<Uuid>,
    pub(super) is_changed: bool,
    /// Whether a list that drops parts with citations is an error.
    pub(super) keeps_cited_parts: bool,
    /// Whether parts that have become alike by a merge are left out. In other edits, they are an error.
    pub(super) leaves_out_repeated: bool,
    /// What the draft comes from.
    pub(super) source: DraftSource,
    /// What editors wrote, which an import keeps.
    pub(super) edits: Option<&'m Edits>,
    /// What an import does not write because of it.
    pub(super) kept_edits: Vec<InputProblem>,
}

impl MergeState<'_> {
    /// Reports that a given value or part is not written, because of an edit.
    pub(super) fn report_kept(&mut self, origin: &Origin, what: &str, edit: &Edit) {
        self.kept_edits.push(InputProblem::new(origin.clone(), edit.outcome_of(what)));
    }
}

/// The stored cells, overwritten by the values of the draft.
pub(super) fn draft_cells(merge: &mut MergeState<'_>, target: MergeTarget<'_>) -> Vec<Cell> {
    let MergeTarget { record, owner, draft, existing, .. } = target;
    let mut cells = existing.map_or_else(|| vec![Cell::Null; record.fields.len()], |existing| existing.cells.clone());
    let name = record.field_id(if is_record(record) { "slug" } else { "key" });
    if let (Some(field), Some(name)) = (name, &draft.name) {
        cells[field.index()] = Cell::Text(name.clone());
    }
    if let Some((owner, _)) = owner {
        cells[FieldId::OWNER.index()] = Cell::Id(owner);
    }
    for field in &draft.cleared {
        let cell = kept_or(merge, target, *field, Cell::Null, &draft.origin.child(record.field(*field).name, None));
        cells[field.index()] = cell;
    }
    for (field, value, origin) in draft.values.iter().filter(|(_, value, _)| *value != DraftValue::Invalid) {
        if let DraftValue::Key(ty, key) = value
            && !merge.siblings.contains_key(&(*ty, key.clone()))
            && !merge.types_with_unknown_keys.contains(ty)
        {
            let list = list_name(*ty);
            let message = format!("there is no part with the key \"{key}\" in {list} of this record; correct the key or add the part");
            merge.problems.push(InputProblem::new(origin.clone(), message).with_code(ProblemCode::NotFound));
        }
        let cell = merge.names.cell(value, &merge.siblings);
        if owner.is_some() && cell == Cell::Id(merge.root) && existing.is_none_or(|existing| existing.cells[field.index()] != cell) {
            let message = format!("{} refers to the record itself; name another one", record.field(*field).name);
            merge.problems.push(InputProblem::new(origin.clone(), message));
        }
        let cell = match existing.filter(|_| draft.merges_stored) {
            Some(existing) => with_stored_languages(record.field(*field).kind, &existing.cells[field.index()], cell),
            None => cell,
        };
        cells[field.index()] = kept_or(merge, target, *field, cell, origin);
    }
    cells
}

/// The value that a given one leads to: an import keeps values that editors wrote, and merges texts by language.
fn kept_or(merge: &mut MergeState<'_>, target: MergeTarget<'_>, field: FieldId, given: Cell, origin: &Origin) -> Cell {
    let MergeTarget { record, existing, path, edit, .. } = target;
    let stored = existing.map(|existing| &existing.cells[field.index()]);
    let path = format!("{path}{}", record.field(field).name);
    if let (FieldKind::Translated, Cell::Json(Json::Object(texts))) = (record.field(field).kind, &given) {
        let mut merged = match stored {
            Some(Cell::Json(Json::Object(texts))) if merge.source == DraftSource::Import => texts.clone(),
            Some(_) | None => Map::new(),
        };
        for (tag, text) in texts {
            let edit = edit.or_else(|| merge.edits?.of_language(&path, tag)).filter(|_| merge.source == DraftSource::Import);
            match edit.filter(|_| merged.get(tag).unwrap_or(&Json::Null) != text) {
                Some(edit) => {
                    merge.report_kept(&origin.child(tag.clone(), None), &format!("the text in the language {tag}"), edit);
                }
                None if *text == Json::Null => _ = merged.shift_remove(tag),
                None => _ = merged.insert(tag.clone(), text.clone()),
            }
        }
        return if merged.is_empty() { Cell::Null } else { Cell::Json(Json::Object(merged)) };
    }
    let is_position = record.field(field).name == POSITION;
    let Some(stored) = stored.filter(|stored| **stored != given && merge.source == DraftSource::Import) else { return given };
    match edit.or_else(|| merge.edits?.of_value(&path)) {
        // the position follows from the parts that the list has
        Some(_) if is_position => stored.clone(),
        Some(edit) => {
            merge.report_kept(origin, "the value", edit);
            stored.clone()
        }
        None => given,
    }
}

/// Sets the defaults of empty cells, and reports required fields without a value.
pub(super) fn fill_empty_cells(merge: &mut MergeState<'_>, target: MergeTarget<'_>, cells: &mut [Cell]) {
    let MergeTarget { record, draft, existing, is_unidentified, .. } = target;
    for ((id, field), cell) in record.fields_with_ids().zip(cells) {
        if *cell != Cell::Null {
            continue;
        }
        let is_missing = match draft.value(id) {
            Some(DraftValue::Cell(_)) => true,
            // the problem of an unresolved reference or of an invalid value is reported
            Some(DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid) => false,
            None => !is_unidentified || draft.cleared.contains(&id),
        };
        match field.kind {
            FieldKind::List(_) => *cell = Cell::Json(json!([])),
            FieldKind::Boolean => *cell = Cell::Boolean(field.name == "published"),
            _ if field.required && !field.system && is_missing => {
                let message = missing_field(field.name, record, draft, existing.is_none() && !is_unidentified);
                let origin = draft.origin.child(field.name, None);
                merge.problems.push(InputProblem::new(origin, message).with_code(ProblemCode::Missing));
            }
            _ => {}
        }
    }
}

fn missing_field(field: &str, record: &Record, draft: &Draft, is_new: bool) -> String {
    let singular = record.singular();
    match &draft.name {
        Some(slug) if is_new && is_record(record) => {
            format!("{field} is missing; every {singular} has one, and \"{slug}\" is new: there is no {singular} with that slug yet")
        }
        _ => format!("{field} is missing; every {singular} has one"),
    }
}
