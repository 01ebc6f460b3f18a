//! Parts of a record while a draft is merged: their keys, the stored parts that they are for, and parts that are alike.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::digest::sha256_hex;
use crate::core::id;
use crate::core::path::DisplayPath;
use crate::entity::RecordType;
use crate::store::curation::withholding::name_recognition::forms::REPLACEMENT_NAMES;
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, ProblemCode};
use crate::store::read::result::Cell;
use crate::store::write::model::StoredRow;

/// Maximum length of a derived key. The indexes of PostgreSQL hold at most 2,704 bytes.
const MAX_DERIVED_KEY_BYTES: usize = 400;
/// Hexadecimal digits of the digest at the end of a longer key.
const KEY_DIGEST_DIGITS: usize = 16;

/// Maximum number of keys that an error lists.
const MAX_LISTED_KEYS: usize = 20;

/// A part of a list after the draft is merged into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartEntry<'p> {
    pub(super) draft: &'p Draft,
    pub(super) cells: &'p [Cell],
    pub(super) stored: Option<&'p StoredRow>,
}

/// Reports the parts of a list that have the same values as an earlier one in all fields that are declared distinct. Parts
/// that are stored alike already are not reported, and neither are those with a redacted name: which two names were redacted is
/// not known, and an editor must not be able to stop a withholding by parts that become alike.
pub(super) fn report_alike(part: &Record, entries: &[PartEntry<'_>], problems: &mut Vec<InputProblem>) {
    let fields: Vec<_> = part.distinct.iter().map(|name| part.known_field(name)).collect();
    if fields.is_empty() {
        return;
    }
    let mut first: HashMap<String, usize> = HashMap::new();
    for (index, PartEntry { draft, cells, stored }) in entries.iter().enumerate() {
        // a reference that was not resolved, or a value that is not valid, is empty and reported already
        let is_unknown = |field: &crate::core::ids::FieldId| {
            cells[field.index()] == Cell::Null && !matches!(draft.value(*field), None | Some(DraftValue::Cell(_)))
        };
        let is_redacted = |field: &crate::core::ids::FieldId| cells[field.index()].texts().into_iter().any(has_replacement);
        if fields.iter().any(is_unknown) || fields.iter().any(is_redacted) {
            continue;
        }
        let values = format!("{:?}", fields.iter().map(|field| &cells[field.index()]).collect::<Vec<_>>());
        match first.entry(values) {
            Entry::Vacant(entry) => _ = entry.insert(index),
            Entry::Occupied(entry) => {
                let other = &entries[*entry.get()];
                let is_unchanged = |row: Option<&StoredRow>, cells: &[Cell]| {
                    row.is_some_and(|row| fields.iter().all(|field| row.cells[field.index()] == cells[field.index()]))
                };
                if is_unchanged(*stored, cells) && is_unchanged(other.stored, other.cells) {
                    continue;
                }
                // the one that changes is named, and else the later one
                let is_other_changed = is_unchanged(*stored, cells);
                let (wrong, right) = if is_other_changed { (other.draft, *draft) } else { (*draft, other.draft) };
                let names = part.distinct.join(", ");
                let place = DisplayPath(&right.origin.path);
                let message = format!("it has the same {names} as {place}; remove one of the two");
                problems.push(InputProblem::new(wrong.origin.clone(), message).with_code(ProblemCode::Taken));
            }
        }
    }
}

/// Whether a text has the replacement of a withheld name.
fn has_replacement(text: &str) -> bool {
    REPLACEMENT_NAMES.into_iter().any(|(_, replacement)| text.contains(replacement))
}

/// Reports the parts with citations that a given list lacks.
pub(super) fn report_dropped<'r>(
    list: &'static str,
    dropped: impl Iterator<Item = (&'r str, &'r StoredRow)>,
    draft: &Draft,
    problems: &mut Vec<InputProblem>,
) {
    let is_cited = |row: &StoredRow| row.parts.get(&RecordType::Citation).is_some_and(|citations| !citations.is_empty());
    let keys: Vec<String> = dropped.filter(|(_, row)| is_cited(row)).map(|(key, _)| format!("{list}[{key}]")).collect();
    if !keys.is_empty() {
        let keys = listed(keys);
        let message = format!("this list lacks parts that have citations: {keys}; list them too, or set replace: true to remove them");
        problems.push(InputProblem::new(draft.origin.child(list, None), message).with_code(ProblemCode::InUse));
    }
}

/// Keys in alphabetical order for an error; of many, the first ones and the number of the others.
pub(crate) fn listed(mut keys: Vec<String>) -> String {
    keys.sort();
    let more = keys.len().saturating_sub(MAX_LISTED_KEYS);
    keys.truncate(MAX_LISTED_KEYS);
    match (keys.as_slice(), more) {
        ([], _) => "none".to_owned(),
        (keys, 0) => keys.join(", "),
        (keys, more) => format!("{} and {more} more", keys.join(", ")),
    }
}

/// A derived key of bounded length: a longer one is cut and gets a digest of the whole.
fn bounded_key(key: String) -> String {
    if key.len() <= MAX_DERIVED_KEY_BYTES {
        return key;
    }
    let digest = sha256_hex(&key);
    let end = (0..MAX_DERIVED_KEY_BYTES - KEY_DIGEST_DIGITS).rev().find(|end| key.is_char_boundary(*end)).unwrap_or(0);
    format!("{}~{}", &key[..end], &digest[..KEY_DIGEST_DIGITS])
}

/// Ids of the parts of a record by type and key.
pub(super) fn part_keys(row: &StoredRow) -> HashMap<(RecordType, String), Uuid> {
    let mut keys = HashMap::new();
    for (part, rows) in &row.parts {
        let Some(key) = catalog().get(*part).field_id("key") else { continue };
        keys.extend(rows.iter().filter_map(|row| Some(((*part, row.cells[key.index()].as_text()?.to_owned()), row.id))));
    }
    keys
}

/// Takes the stored part that a draft is for: the one with its key, or else the one with its id.
pub(super) fn take_stored<'r>(unmatched: &mut HashMap<&str, &'r StoredRow>, key: &str, draft: &Draft) -> Option<&'r StoredRow> {
    unmatched.remove(key).or_else(|| {
        let id = draft.target.id?;
        let key = unmatched.iter().find(|(_, row)| row.id == id).map(|(key, _)| (*key).to_owned())?;
        unmatched.remove(key.as_str())
    })
}

/// The draft of a part with its key, and with its position in the list unless one is given.
pub(super) fn with_key_and_position(part: &Record, draft: &Draft, key: &str, index: usize) -> Draft {
    let mut draft = Draft { name: Some(key.to_owned()), ..draft.clone() };
    if let Some(field) = part.field_id("position").filter(|field| draft.value(*field).is_none()) {
        let position = i64::try_from(index + 1).unwrap_or(i64::MAX);
        draft.values.push((field, DraftValue::Cell(Cell::Integer(position)), Origin::default()));
    }
    draft
}

/// Name of the list that holds parts of this type.
pub(super) fn list_name(part: RecordType) -> &'static str {
    let owner = catalog().get(part).owner().and_then(|owner| owner.inverse);
    owner.map_or("the parts", |inverse| inverse.name)
}

/// Whether the key of a part is unknown, because it is not valid or would be derived from a value that is not valid.
pub(super) fn has_unknown_key(part: &Record, draft: &Draft) -> bool {
    let is_invalid = |name: &&'static str| draft.value(part.known_field(name)) == Some(&DraftValue::Invalid);
    draft.is_unidentified || (draft.name.is_none() && part.key_from.iter().any(is_invalid))
}

/// Key of a part: the given one, or one derived from its identifying fields, or else its position. `public_slug` gives what
/// may stand for a given slug in a key.
pub(super) fn part_key(
    part: &Record,
    draft: &Draft,
    index: usize,
    taken: &mut HashSet<String>,
    problems: &mut Vec<InputProblem>,
    public_slug: impl Fn(RecordType, &str) -> String,
) -> String {
    if let Some(key) = &draft.name {
        if !taken.insert(key.clone()) && !draft.is_unidentified {
            let message = format!("\"{key}\" is given twice in this list; give each part a key of its own");
            problems.push(InputProblem::new(draft.origin.child("key", None), message).with_code(ProblemCode::Taken));
        }
        return key.clone();
    }
    let derived: Vec<String> = part
        .key_from
        .iter()
        .filter_map(|name| match draft.value(part.known_field(name))? {
            DraftValue::Cell(cell) => cell.to_claim(),
            DraftValue::Slug(ty, slug) if part.key_from.len() == 1 && part.field(part.known_field(name)).column == "record_id" => {
                Some(format!("{}/{}", ty.prefix(), public_slug(*ty, slug)))
            }
            DraftValue::Id(ty, id) => Some(id::encode(ty.prefix(), *id)),
            DraftValue::Slug(ty, slug) => Some(public_slug(*ty, slug)),
            DraftValue::Key(_, name) => Some(name.clone()),
            DraftValue::Invalid => None,
        })
        .collect();
    let base = if derived.is_empty() { (index + 1).to_string() } else { bounded_key(derived.join(":")) };
    let mut key = base.clone();
    let mut count = 1;
    while !taken.insert(key.clone()) {
        count += 1;
        key = format!("{base}#{count}");
    }
    key
}
