//! The stored parts whose keys a withholding replaced, for an import that repeats the keys from before.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::curation::withholding::screening::REDACTED_SLUG_PREFIX;
use crate::store::curation::withholding::withheld_digest::WITHHELD_SLUG_PREFIX;
use crate::store::draft::{Draft, DraftSource, DraftValue};
use crate::store::read::result::Cell;
use crate::store::write::model::StoredRow;
use crate::store::write::part::part_key;
use crate::store::write::resolve::ResolvedNames;

/// Whether the draft with an index may be for a stored part.
type Condition<'c> = dyn Fn(usize, &StoredRow) -> bool + 'c;

/// Keys of the stored parts that drafts of an import are for, by the index of the draft: parts with a replaced key whose given
/// values, or whose withheld person, are those of a draft with a key that no part has. Each is for one draft. `siblings` are the
/// other parts of the record by type and key.
pub(super) fn replaced_keys(
    source: DraftSource,
    part: &Record,
    drafts: &[Draft],
    stored: &[StoredRow],
    names: &ResolvedNames,
    siblings: &HashMap<(RecordType, String), Uuid>,
) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    if source == DraftSource::Edit {
        return found;
    }
    let (key, position) = (part.known_field("key"), part.field_id("position"));
    let keyed: Vec<(&str, &StoredRow)> = stored.iter().filter_map(|row| Some((row.cells[key.index()].as_text()?, row))).collect();
    if names.withheld.is_empty() || !keyed.iter().any(|(key, _)| is_replacement(key)) {
        return found;
    }
    let mut taken = HashSet::new();
    let public_slug = |ty: RecordType, slug: &str| names.public_slug(ty, slug);
    let keys: Vec<String> =
        drafts.iter().enumerate().map(|(index, draft)| part_key(part, draft, index, &mut taken, &mut Vec::new(), public_slug)).collect();
    let stored_keys: HashSet<&str> = keyed.iter().map(|(key, _)| *key).collect();
    let mut new: Vec<usize> = (0..drafts.len()).filter(|index| !stored_keys.contains(keys[*index].as_str())).collect();
    let mut candidates = keyed;
    candidates.retain(|(key, _)| is_replacement(key) && !keys.iter().any(|given| given == key));
    let cell = |value: &DraftValue| match (value, names.cell(value, siblings)) {
        // an invalid value, or the key of a part that comes later
        (DraftValue::Invalid, _) | (DraftValue::Key(..), Cell::Null) => None,
        (DraftValue::Cell(_) | DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..), cell) => Some(cell),
    };
    let agrees = |draft: &Draft, row: &StoredRow, is_compared: &dyn Fn(FieldId) -> bool| {
        let compared = draft.values.iter().filter(|(field, ..)| Some(*field) != position && is_compared(*field));
        let mut cells = compared.filter_map(|(field, value, _)| Some((field, cell(value)?)));
        cells.all(|(field, cell)| row.cells[field.index()] == cell)
    };
    let has_withheld_person = |draft: &Draft, row: &StoredRow| {
        draft.values.iter().any(|(field, value, _)| {
            matches!(part.field(*field).kind, FieldKind::One(RecordType::Person) | FieldKind::Any)
                && matches!(cell(value), Some(Cell::Id(id)) if names.withheld.contains(&id) && row.cells[field.index()] == Cell::Id(id))
        })
    };
    let is_reference = |field: FieldId| matches!(part.field(field).kind, FieldKind::One(_) | FieldKind::Any);
    let is_identifying = |field: FieldId| is_reference(field) || matches!(part.field(field).kind, FieldKind::Choice(_));
    let conditions: [&Condition<'_>; 5] = [
        &|index, row| agrees(&drafts[index], row, &|_| true),
        &|index, row| has_withheld_person(&drafts[index], row) && agrees(&drafts[index], row, &is_identifying),
        &|index, row| has_withheld_person(&drafts[index], row),
        &|index, row| is_replacement(&keys[index]) && agrees(&drafts[index], row, &is_identifying),
        &|index, row| is_replacement(&keys[index]) && agrees(&drafts[index], row, &is_reference),
    ];
    for (rank, condition) in conditions.into_iter().enumerate() {
        for index in new.clone() {
            let agreeing: Vec<(&str, &StoredRow)> = candidates.iter().copied().filter(|(_, row)| condition(index, row)).collect();
            let (key, row) = match agreeing.as_slice() {
                [first, ..] if rank == 0 => *first,
                [only] if new.iter().filter(|other| condition(**other, only.1)).count() == 1 => *only,
                _ => continue,
            };
            found.insert(index, key.to_owned());
            new.retain(|other| *other != index);
            candidates.retain(|(_, other)| other.id != row.id);
        }
    }
    found
}

/// Whether a withholding or an import after it has made a key.
fn is_replacement(key: &str) -> bool {
    key.starts_with(WITHHELD_SLUG_PREFIX) || key.starts_with(REDACTED_SLUG_PREFIX)
}
