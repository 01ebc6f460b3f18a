//! Lists of parts as given: without those that have become alike by a merge, and with the stored ones that a draft keeps.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::catalog::record::Record;
use crate::core::path::DisplayPath;
use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftSource, InputProblem, WriteTarget};
use crate::store::read::result::Cell;
use crate::store::write::cells::MergeState;
use crate::store::write::model::StoredRow;
use crate::store::write::part::part_key;
use crate::store::write::resolve::ResolvedNames;

/// The drafts of a given list that are merged into the stored one, and the warnings of those that are left out.
pub(super) fn merged_drafts<'d>(
    merge: &MergeState<'_>,
    part: &Record,
    merges_stored: bool,
    drafts: &'d [Draft],
    stored: &[StoredRow],
) -> (Cow<'d, [Draft]>, Vec<InputProblem>) {
    let distinct = merge.leaves_out_repeated.then(|| without_repeated(part, drafts, stored, &merge.siblings, merge.names)).flatten();
    let (drafts, mut left_out) = match distinct {
        Some((kept, left_out)) => (Cow::Owned(kept), left_out),
        None => (Cow::Borrowed(drafts), Vec::new()),
    };
    if merge.source == DraftSource::Edit {
        left_out.clear();
    }
    let with_kept = merges_stored.then(|| with_kept_parts(part, &drafts, stored, merge.names)).flatten();
    (with_kept.map_or(drafts, Cow::Owned), left_out)
}

/// The given drafts without those that have become alike because a record was merged that they refer to, if there are any, and
/// for each that is left out its place, with the place of the one that stays: the one that is stored, or else the earlier one.
fn without_repeated(
    part: &Record,
    drafts: &[Draft],
    stored: &[StoredRow],
    siblings: &HashMap<(RecordType, String), Uuid>,
    names: &ResolvedNames,
) -> Option<(Vec<Draft>, Vec<InputProblem>)> {
    let fields: Vec<_> = part.distinct.iter().map(|name| part.known_field(name)).collect();
    let is_redirected = |draft: &Draft| fields.iter().filter_map(|field| draft.value(*field)).any(|value| names.is_redirected(value));
    if !names.has_redirects() || !drafts.iter().any(is_redirected) {
        return None;
    }
    let key = part.known_field("key");
    let stored: HashSet<&str> = stored.iter().filter_map(|row| row.cells[key.index()].as_text()).collect();
    let mut taken = HashSet::new();
    let public_slug = |ty: RecordType, slug: &str| names.public_slug(ty, slug);
    let is_stored: Vec<bool> = drafts
        .iter()
        .enumerate()
        .map(|(index, draft)| stored.contains(part_key(part, draft, index, &mut taken, &mut Vec::new(), public_slug).as_str()))
        .collect();
    let cell = |draft: &Draft, field| draft.value(field).map_or(Cell::Null, |value| names.cell(value, siblings));
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut repeated: HashMap<usize, usize> = HashMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        let values = format!("{:?}", fields.iter().map(|field| cell(draft, *field)).collect::<Vec<_>>());
        match first.entry(values) {
            Entry::Vacant(entry) => _ = entry.insert(index),
            Entry::Occupied(mut entry) => {
                let earlier = *entry.get();
                // given twice, whatever was merged
                if !is_redirected(draft) && !is_redirected(&drafts[earlier]) {
                    continue;
                }
                if is_stored[index] && !is_stored[earlier] {
                    entry.insert(index);
                    repeated.insert(earlier, index);
                } else {
                    repeated.insert(index, earlier);
                }
            }
        }
    }
    let left_out = repeated.iter().map(|(index, other)| {
        let place = DisplayPath(&drafts[*other].origin.path);
        let message =
            format!("it is the same as {place} since a record that it refers to was merged, and is left out; remove one of the two");
        InputProblem::new(drafts[*index].origin.clone(), message)
    });
    let mut left_out: Vec<InputProblem> = left_out.collect();
    left_out.sort_by(|one, other| one.origin.line.cmp(&other.origin.line).then_with(|| one.message.cmp(&other.message)));
    let kept = drafts.iter().enumerate().filter(|(index, _)| !repeated.contains_key(index)).map(|(_, draft)| draft.clone());
    Some((kept.collect(), left_out)).filter(|(_, left_out)| !left_out.is_empty())
}

/// The given drafts of identifiers or citations, with a draft for each stored one that a merging draft keeps: identifiers,
/// except those of a scheme of which only other values are given, and other claims. Stored parts stay in their order, before
/// new ones. `None` for other parts, of which a given list replaces the stored one.
fn with_kept_parts(part: &Record, drafts: &[Draft], stored: &[StoredRow], names: &ResolvedNames) -> Option<Vec<Draft>> {
    // a stored part with the same values in these fields is replaced by the given one
    let fields: &[&str] = match part.ty {
        RecordType::Identifier => &["scheme"],
        RecordType::Citation => &["source", "field", "value"],
        _ => return None,
    };
    let fields: Vec<_> = fields.iter().filter_map(|name| part.field_id(name)).collect();
    let cell = |draft: &Draft, field| draft.value(field).map_or(Cell::Null, |value| names.cell(value, &HashMap::new()));
    let (key, position) = (part.known_field("key"), part.known_field("position"));
    let mut rows: Vec<(&str, &StoredRow)> = stored.iter().filter_map(|row| Some((row.cells[key.index()].as_text()?, row))).collect();
    rows.sort_by_key(|(_, row)| match row.cells[position.index()] {
        Cell::Integer(position) => position,
        _ => i64::MAX,
    });
    let mut taken = HashSet::new();
    let public_slug = |ty: RecordType, slug: &str| names.public_slug(ty, slug);
    let keys: Vec<String> =
        drafts.iter().enumerate().map(|(index, draft)| part_key(part, draft, index, &mut taken, &mut Vec::new(), public_slug)).collect();
    let values = |draft: &Draft| fields.iter().map(|field| cell(draft, *field)).collect::<Vec<_>>();
    let confirmed: Vec<Vec<Cell>> = drafts
        .iter()
        .zip(&keys)
        .filter(|(_, key)| part.ty == RecordType::Identifier && rows.iter().any(|(stored, _)| stored == key))
        .map(|(draft, _)| values(draft))
        .collect();
    let replaced: Vec<Vec<Cell>> = drafts.iter().map(values).filter(|values| !confirmed.contains(values)).collect();
    let mut ordered = Vec::new();
    let mut used = HashSet::new();
    for (row_key, row) in rows {
        let values: Vec<Cell> = fields.iter().map(|field| row.cells[field.index()].clone()).collect();
        if let Some(index) = keys.iter().position(|key| key == row_key) {
            used.insert(index);
            ordered.push(drafts[index].clone());
        } else if !replaced.contains(&values) {
            let target = WriteTarget { restates_stored: true, ..WriteTarget::default() };
            ordered.push(Draft { name: Some(row_key.to_owned()), target, ..Draft::default() });
        }
    }
    ordered.extend(drafts.iter().enumerate().filter(|(index, _)| !used.contains(index)).map(|(_, draft)| draft.clone()));
    Some(ordered)
}
