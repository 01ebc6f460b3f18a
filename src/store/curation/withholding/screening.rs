//! Screens what is written for the names of withheld persons, whatever interface it comes through.
//!
//! A draft that creates or updates one record is rejected. An import keeps to its records: names in their texts are redacted,
//! so that it can be repeated after a person was withheld.

use std::collections::{HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::core::id;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::curation::referrers::referrers;
use crate::store::curation::withholding::name_parts::{NameCells, make_name};
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::name_redaction::{NameRedaction, texts};
use crate::store::curation::withholding::text_columns::{CONTACT_FIELDS, holds_text};
use crate::store::curation::withholding::withheld_digest::{
    Recognizers, WITHHELD_CONTACT_MESSAGE, WITHHELD_IDENTIFIER_MESSAGE, WITHHELD_NAME_MESSAGE, WITHHELD_SLUG_PREFIX, withheld_persons,
    withheld_slug,
};
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, ProblemCode, WriteMode};
use crate::store::read::result::Cell;
use crate::store::write::identifiers::{IdentifierPair, identifier_of, identifiers};
use crate::store::write::types::ResolvedDraft;

/// Beginning of the slugs and keys that an import gets in place of those with a withheld name.
pub(crate) const REDACTED_SLUG_PREFIX: &str = "redacted-";

/// Screens a draft. Returns the draft to write in its place, if that differs. `names` are those of a person as the write leaves
/// them. `lone` also screens for single words of names.
pub(crate) fn screen(
    ty: RecordType,
    (resolved, names): (&ResolvedDraft<'_>, Option<&NameCells>),
    recognizer: &NameRecognizer,
    lone: bool,
    problems: &mut Vec<InputProblem>,
) -> Option<Draft> {
    problems.extend(reserved_slug_problem(ty, resolved));
    let mut found = places_of_names(ty, resolved.draft, recognizer, lone);
    // an import of such a person is skipped before
    if found.is_empty() && names.is_some_and(|names| make_name(names, recognizer)) {
        found.push(resolved.draft.origin.clone());
    }
    if found.is_empty() {
        return None;
    }
    match resolved.draft.target.mode {
        WriteMode::Create | WriteMode::Update => {
            problems
                .extend(found.into_iter().map(|origin| InputProblem::new(origin, WITHHELD_NAME_MESSAGE).with_code(ProblemCode::Withheld)));
            None
        }
        WriteMode::Upsert | WriteMode::Exact => {
            let encoded = id::encode(ty.prefix(), resolved.id);
            let new_slug = format!("{REDACTED_SLUG_PREFIX}{}", &encoded[encoded.len() - 8..]);
            let redaction = NameRedaction { recognizer, ids: Vec::new(), new_slug };
            let mut draft = resolved.draft.clone();
            // nothing of a slug or a key stays: the rest can be a digest of what identifies the person
            if draft.name.as_ref().is_some_and(|slug| redaction.finds(slug, lone)) {
                draft.name = Some(redaction.new_slug.clone());
            }
            let mut keys = HashMap::new();
            redact_keys(&mut draft, &redaction, lone, &mut keys);
            replace_keys(&mut draft, &keys);
            redact(catalog().get(ty), &mut draft, &redaction, lone);
            Some(draft)
        }
    }
}

/// Where a draft has names; with `lone` also single words of names.
pub(crate) fn places_of_names(ty: RecordType, draft: &Draft, recognizer: &NameRecognizer, lone: bool) -> Vec<Origin> {
    let mut found = Vec::new();
    if !recognizer.is_empty() {
        let finds = |text: &str| {
            if lone { recognizer.finds_words(text) || recognizer.is_short_word(text) } else { recognizer.finds(text) }
        };
        collect_origins(catalog().get(ty), draft, &finds, &mut found);
    }
    found
}

/// Withheld persons, and records that refer to them.
pub(crate) async fn records_of_withheld_persons(transaction: &DatabaseTransaction) -> Result<HashSet<Uuid>> {
    let mut records = HashSet::new();
    for person in withheld_persons(transaction).await? {
        let found = referrers(transaction, catalog().get(RecordType::Person), person, u64::from(u32::MAX)).await?;
        records.extend(found.into_iter().map(|referrer| referrer.id).chain([person]));
    }
    Ok(records)
}

/// Rejects the identifiers of withheld persons in a draft of another record. Returns the draft without them if it is one of an
/// import.
pub(crate) fn screen_identifiers(
    draft: &Draft,
    is_withheld: impl Fn(&IdentifierPair) -> bool,
    problems: &mut Vec<InputProblem>,
) -> Option<Draft> {
    let found: Vec<Origin> = identifiers(draft).filter(|(pair, _)| is_withheld(pair)).map(|(_, origin)| origin.clone()).collect();
    if found.is_empty() {
        return None;
    }
    match draft.target.mode {
        WriteMode::Create | WriteMode::Update => {
            let problem = |origin| InputProblem::new(origin, WITHHELD_IDENTIFIER_MESSAGE).with_code(ProblemCode::Withheld);
            problems.extend(found.into_iter().map(problem));
            None
        }
        WriteMode::Upsert | WriteMode::Exact => {
            let mut draft = draft.clone();
            for (_, parts) in draft.parts.iter_mut().filter(|(ty, _)| *ty == RecordType::Identifier) {
                parts.retain(|part| !is_withheld(&identifier_of(part)));
            }
            Some(draft)
        }
    }
}

/// Whether a draft of a membership gives ways to reach its person.
pub(crate) fn gives_contacts(draft: &Draft) -> bool {
    contacts(draft).next().is_some()
}

/// Where a draft of a membership gives ways to reach its person.
fn contacts(draft: &Draft) -> impl Iterator<Item = &Origin> {
    let record = catalog().get(RecordType::Membership);
    let is_contact = move |field: FieldId| CONTACT_FIELDS.iter().any(|name| record.field_id(name) == Some(field));
    draft.values.iter().filter(move |(field, value, _)| is_contact(*field) && !is_empty(value)).map(|(_, _, origin)| origin)
}

fn is_empty(value: &DraftValue) -> bool {
    match value {
        DraftValue::Cell(Cell::Null) => true,
        DraftValue::Cell(Cell::Json(json)) => json.as_array().is_some_and(Vec::is_empty),
        DraftValue::Cell(_) | DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid => false,
    }
}

/// Rejects ways to reach a withheld person in a draft of a membership of the person. Returns the draft without them if it is one
/// of an import.
pub(crate) fn screen_contacts(draft: &Draft, problems: &mut Vec<InputProblem>) -> Option<Draft> {
    let found: Vec<Origin> = contacts(draft).cloned().collect();
    if found.is_empty() {
        return None;
    }
    match draft.target.mode {
        WriteMode::Create | WriteMode::Update => {
            let problem = |origin| InputProblem::new(origin, WITHHELD_CONTACT_MESSAGE).with_code(ProblemCode::Withheld);
            problems.extend(found.into_iter().map(problem));
            None
        }
        WriteMode::Upsert | WriteMode::Exact => {
            let mut draft = draft.clone();
            draft.values.retain(|(_, _, origin)| !found.contains(origin));
            Some(draft)
        }
    }
}

/// Whether the state of a membership has ways to reach its person.
pub(crate) fn has_contacts(state: &Json) -> bool {
    CONTACT_FIELDS.iter().any(|field| state.get(field).and_then(Json::as_array).is_some_and(|list| !list.is_empty()))
}

/// Whether the changes of a revision of a membership have ways to reach its person.
pub(crate) fn changes_contacts(changes: &Json) -> bool {
    changes.as_array().into_iter().flatten().any(|change| CONTACT_FIELDS.iter().any(|field| change["field"] == *field))
}

/// A draft as it is written beside a withheld person.
pub(crate) fn redacted_beside(ty: RecordType, resolved: &ResolvedDraft<'_>, recognizers: &Recognizers) -> Draft {
    let mut draft = resolved.draft.clone();
    for recognizer in [&recognizers.anywhere, &recognizers.beside] {
        let beside = ResolvedDraft { draft: &draft, generated_slug: None, ..*resolved };
        // the problems are found when the draft itself is screened
        if let Some(redacted) = screen(ty, (&beside, None), recognizer, true, &mut Vec::new()) {
            draft = redacted;
        }
    }
    draft
}

/// Whether a draft or one of its parts has a reference that satisfies a condition.
pub(crate) fn refers(draft: &Draft, is_target: &dyn Fn(&DraftValue) -> bool) -> bool {
    draft.values.iter().any(|(_, value, _)| is_target(value))
        || draft.parts.iter().flat_map(|(_, parts)| parts).any(|part| refers(part, is_target))
}

/// A generated slug, without a name in it.
pub(crate) fn free_of_names<'r>(
    slug: String,
    ty: RecordType,
    id: Uuid,
    mut recognizers: impl Iterator<Item = &'r NameRecognizer>,
) -> String {
    if recognizers.all(|recognizer| !recognizer.finds(&slug)) && !slug.starts_with(WITHHELD_SLUG_PREFIX) {
        return slug;
    }
    let encoded = id::encode(ty.prefix(), id);
    encoded.replace('_', "-")
}

/// The problem that a slug begins as those of withheld persons do, unless the record has it already.
fn reserved_slug_problem(ty: RecordType, resolved: &ResolvedDraft<'_>) -> Option<InputProblem> {
    let draft = resolved.draft;
    let slug = draft.name.as_deref().filter(|slug| slug.starts_with(WITHHELD_SLUG_PREFIX))?;
    // a state from the record's own history has a slug that the record had
    let keeps_slug = draft.target.restates_stored || (!resolved.is_new && draft.target.id.is_none());
    let is_own = draft.target.mode == WriteMode::Exact && slug.starts_with(&withheld_slug(ty, resolved.id));
    let message = format!("slugs that begin with \"{WITHHELD_SLUG_PREFIX}\" are reserved; choose another one");
    (!keeps_slug && !is_own).then(|| InputProblem::new(draft.origin.child("slug", None), message))
}

fn collect_origins(record: &Record, draft: &Draft, finds: &impl Fn(&str) -> bool, found: &mut Vec<Origin>) {
    let name_field = if record.owner().is_some() { "key" } else { "slug" };
    if draft.name.as_deref().is_some_and(finds) {
        found.push(draft.origin.child(name_field, None));
    }
    for (field, value, origin) in &draft.values {
        let is_found = holds_text(record.field(*field))
            && match value {
                DraftValue::Cell(Cell::Text(text)) => finds(text),
                DraftValue::Cell(Cell::Json(json)) => texts(json).into_iter().any(finds),
                DraftValue::Cell(_) | DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid => false,
            };
        if is_found {
            found.push(origin.clone());
        }
    }
    for (ty, parts) in &draft.parts {
        for part in parts {
            collect_origins(catalog().get(*ty), part, finds, found);
        }
    }
}

/// Gives the parts whose keys have a name other keys. `keys` receives them by the given ones.
fn redact_keys(draft: &mut Draft, redaction: &NameRedaction<'_>, lone: bool, keys: &mut HashMap<String, String>) {
    for part in draft.parts.iter_mut().flat_map(|(_, parts)| parts) {
        if let Some(key) = part.name.as_mut().filter(|key| redaction.finds(key, lone)) {
            let count = keys.len() + 1;
            let new = keys.entry(key.clone()).or_insert_with(|| format!("{}-{count}", redaction.new_slug));
            key.clone_from(new);
        }
        redact_keys(part, redaction, lone, keys);
    }
}

/// Replaces the references to parts by their former keys.
fn replace_keys(draft: &mut Draft, keys: &HashMap<String, String>) {
    for (_, value, _) in &mut draft.values {
        if let DraftValue::Key(_, key) = value
            && let Some(new) = keys.get(key)
        {
            key.clone_from(new);
        }
    }
    for part in draft.parts.iter_mut().flat_map(|(_, parts)| parts) {
        replace_keys(part, keys);
    }
}

fn redact(record: &Record, draft: &mut Draft, redaction: &NameRedaction<'_>, lone: bool) {
    for (field, value, _) in &mut draft.values {
        let field = record.field(*field);
        if let DraftValue::Cell(cell) = value {
            *cell = match std::mem::replace(cell, Cell::Null) {
                Cell::Text(text) => match redaction.redact_field(field, Json::String(text), lone) {
                    Json::String(text) => Cell::Text(text),
                    Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => Cell::Null,
                },
                Cell::Json(json) => Cell::Json(redaction.redact_field(field, json, lone)),
                other => other,
            };
        }
    }
    for (ty, parts) in &mut draft.parts {
        // a part of an identifier would identify something else
        parts.retain(|part| *ty != RecordType::Identifier || places_of_names(*ty, part, redaction.recognizer, lone).is_empty());
        for part in parts {
            redact(catalog().get(*ty), part, redaction, lone);
        }
    }
}
