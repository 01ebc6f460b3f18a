//! Names that stand in several fields of a person: the given name in one, the family name in another.

use crate::catalog::record::Record;
use crate::store::draft::{Draft, DraftValue};
use crate::store::read::result::Cell;
use crate::store::write::model::StoredRow;

/// Fields that hold whole names of a person.
pub(crate) const NAME_FIELDS: [&str; 3] = ["name", "otherNames", "sortName"];
/// Fields that hold parts of the name, in their order in a name.
pub(crate) const PART_FIELDS: [&str; 4] = ["givenName", "additionalName", "patronymicName", "familyName"];
/// Maximum number of names that are composed with one part.
const MAX_COMPOSED_NAMES: usize = 50;

/// The texts of a field, in a draft or else in the stored row.
fn texts(record: &Record, field: &str, draft: Option<&Draft>, row: Option<&StoredRow>) -> Vec<String> {
    let Some(id) = record.field_id(field) else { return Vec::new() };
    let owned = |cell: &Cell| cell.texts().into_iter().map(str::to_owned).collect();
    match draft.and_then(|draft| draft.value(id)) {
        Some(DraftValue::Cell(cell)) => owned(cell),
        _ => row.map(|row| owned(&row.cells[id.index()])).unwrap_or_default(),
    }
}

/// The names that the parts of a person's name make: the given name with the family name, with and without what is between,
/// and each part with each of the whole names.
pub(crate) fn composed_names(record: &Record, draft: Option<&Draft>, row: Option<&StoredRow>) -> Vec<String> {
    let part = |field| texts(record, field, draft, row).into_iter().next();
    let parts = PART_FIELDS.map(part);
    let [given, _, _, family] = &parts;
    let mut names = Vec::new();
    if let (Some(given), Some(family)) = (given, family) {
        names.push(format!("{given} {family}"));
        names.push(parts.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "));
    }
    let whole = NAME_FIELDS.iter().flat_map(|field| texts(record, field, draft, row)).take(MAX_COMPOSED_NAMES);
    for name in whole {
        for part in parts.iter().flatten() {
            names.push(format!("{part} {name}"));
            names.push(format!("{name} {part}"));
        }
    }
    names
}

/// The names of a person that its parts make by themselves.
pub(crate) fn names_of_parts(record: &Record, row: &StoredRow) -> Vec<String> {
    composed_names(record, None, Some(row)).into_iter().take(2).filter(|_| has_both(record, row)).collect()
}

fn has_both(record: &Record, row: &StoredRow) -> bool {
    ["givenName", "familyName"].iter().all(|field| !texts(record, field, None, Some(row)).is_empty())
}

/// Whether a draft gives a part of a name, or a name.
pub(crate) fn gives_names(record: &Record, draft: &Draft) -> bool {
    let gives = |field: &&str| record.field_id(field).is_some_and(|id| draft.value(id).is_some());
    PART_FIELDS.iter().any(|field| gives(field)) || NAME_FIELDS.iter().any(|field| gives(field))
}
