//! Warns if a write changes a name wholly, or the year of birth: the record that it was matched with may be another one.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::catalog::record::Record;
use crate::core::ids::FieldId;
use crate::core::partial_date::PartialDate;
use crate::core::sound::sound;
use crate::core::text::excerpt;
use crate::store::curation::withholding::name_parts::NAME_FIELDS;
use crate::store::curation::withholding::name_words::tokens;
use crate::store::draft::{Draft, InputProblem, WriteMode};
use crate::store::read::result::Cell;

/// Minimum length of a word of a name; shorter ones are initials and particles.
const MIN_WORD_LETTERS: usize = 2;
/// Length of the year at the beginning of a date.
const YEAR_DIGITS: usize = 4;

/// The warnings about a record that an import changes.
pub(crate) fn warnings(record: &Record, old: &[Cell], new: &[Cell], draft: &Draft) -> impl Iterator<Item = InputProblem> {
    [name_warning(record, old, new, draft), birth_warning(record, old, new, draft)].into_iter().flatten()
}

/// The warning that a person gets another year of birth.
fn birth_warning(record: &Record, old: &[Cell], new: &[Cell], draft: &Draft) -> Option<InputProblem> {
    if draft.target.mode != WriteMode::Upsert {
        return None;
    }
    let field = record.field_id("birthDate")?;
    let date = |cells: &[Cell]| cells[field.index()].as_text()?.parse::<PartialDate>().ok();
    let (before, after) = (date(old)?, date(new)?);
    if before.as_str()[..YEAR_DIGITS] == after.as_str()[..YEAR_DIGITS] {
        return None;
    }
    Some(change_warning(record, field, old, draft, &format!("the birth date changes from {before} to {after}")))
}

/// The warning that a field changes, at its place.
fn change_warning(record: &Record, field: FieldId, old: &[Cell], draft: &Draft, change: &str) -> InputProblem {
    let ty = record.singular();
    let slug = old[record.known_field("slug").index()].as_text();
    let stored = slug.map_or_else(|| format!("the {ty}"), |slug| format!("{ty} \"{slug}\""));
    let given = draft.values.iter().find(|(of, ..)| *of == field).map_or(&draft.origin, |(_, _, origin)| origin);
    InputProblem::new(given.clone(), format!("{change}; check that {stored} in the database is the same {ty}"))
}

/// The warning that the new name of a record has no word of its old names, however spelled. Only imports are warned: an
/// edit of one record names the record that it means.
fn name_warning(record: &Record, old: &[Cell], new: &[Cell], draft: &Draft) -> Option<InputProblem> {
    if draft.target.mode != WriteMode::Upsert {
        return None;
    }
    let name = record.field_id("name")?;
    let of = |cells: &[Cell], field: &str| record.field_id(field).map(|id| names(&cells[id.index()])).unwrap_or_default();
    let (before, after) = (of(old, "name"), of(new, "name"));
    if before == after {
        return None;
    }
    let old_words = words(NAME_FIELDS.iter().flat_map(|field| of(old, field)));
    let new_words = words(after.iter().cloned());
    if old_words.is_empty() || new_words.is_empty() || !old_words.is_disjoint(&new_words) {
        return None;
    }
    let change = format!("the name changes wholly, from \"{}\" to \"{}\"", excerpt(before.first()?), excerpt(after.first()?));
    Some(change_warning(record, name, old, draft, &change))
}

/// The names in a value: a text, texts by language, or objects with a name.
fn names(cell: &Cell) -> Vec<String> {
    match cell {
        Cell::Text(text) => vec![text.clone()],
        Cell::Json(Json::Object(texts)) => texts.values().filter_map(Json::as_str).map(str::to_owned).collect(),
        Cell::Json(Json::Array(items)) => items.iter().filter_map(|item| item.get("name")?.as_str()).map(str::to_owned).collect(),
        Cell::Json(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_))
        | Cell::Null
        | Cell::Id(_)
        | Cell::Integer(_)
        | Cell::Number(_)
        | Cell::Boolean(_)
        | Cell::Instant(_) => Vec::new(),
    }
}

fn words(names: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for name in names {
        let tokens = tokens(&name).into_iter().filter(|token| token.folded.len() >= MIN_WORD_LETTERS);
        words.extend(tokens.map(|token| sound(&token.folded)));
    }
    words
}
