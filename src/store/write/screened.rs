//! Screens the drafts of a write for what the dataset withholds.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;
use typed_arena::Arena;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::withholding::name_parts::NameCells;
use crate::store::curation::withholding::name_redaction::texts;
use crate::store::curation::withholding::screening::{
    changes_contacts, free_of_names, gives_contacts, has_contacts, places_of_names, records_of_withheld_persons, refers, screen,
    screen_contacts, screen_identifiers,
};
use crate::store::curation::withholding::withheld_digest::{Recognizers, WITHHELD_LINK_MESSAGE, withheld_persons};
use crate::store::database;
use crate::store::draft::{Draft, DraftValue, InputProblem, ProblemCode};
use crate::store::read::result::Cell;
use crate::store::write::identifiers::IdentifierPair;
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::stored_state::stored_state;
use crate::store::write::types::ResolvedDraft;
use crate::store::write::withheld_drafts::ResolvedDrafts;

/// What drafts are screened for.
pub(super) struct Screening<'s> {
    pub(super) names: &'s ResolvedNames,
    pub(super) recognizers: &'s Recognizers,
    /// The names of people as the write leaves them, by id.
    pub(super) merged_names: &'s HashMap<Uuid, NameCells>,
}

/// A record of which something was redacted, and the slug that the draft gave if the record is new and gets another one.
pub(super) type RedactedRecord = (RecordType, Uuid, Option<String>);

/// Whether a draft refers to a withheld person, and whether its record does, before or after.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithheldLink {
    refers: bool,
    is_about: bool,
    words: NameWords,
}

/// Whether a draft has words of names that are recognized in any text, and of those that are recognized beside a person.
#[derive(Debug, Clone, Copy)]
struct NameWords {
    anywhere: bool,
    beside: bool,
}

/// Screens drafts, and replaces those that change by ones in `screened`. `links` are those of the drafts, in their order. Returns
/// the records of which something was redacted.
pub(super) fn screen_drafts<'d>(
    screening: &Screening<'_>,
    links: Vec<WithheldLink>,
    resolved: &mut ResolvedDrafts<'d>,
    screened: &'d Arena<Draft>,
    problems: &mut Vec<InputProblem>,
) -> Vec<RedactedRecord> {
    let mut redacted = Vec::new();
    let records = resolved.iter_mut().flat_map(|(ty, records)| {
        let ty = *ty;
        records.iter_mut().map(move |record| (ty, record))
    });
    for (record, link) in records.zip(links) {
        screen_draft(screening, record, link, screened, (problems, &mut redacted));
    }
    redacted
}

/// Whether drafts are about withheld persons, for each in their order.
pub(super) async fn withheld_links(
    transaction: &DatabaseTransaction,
    screening: &Screening<'_>,
    resolved: &ResolvedDrafts<'_>,
    problems: &mut Vec<InputProblem>,
) -> Result<Vec<WithheldLink>> {
    let is_needed = !screening.recognizers.is_empty();
    let persons = if is_needed { withheld_persons(transaction).await? } else { HashSet::new() };
    // records that refer to withheld persons, once they are needed
    let mut related: Option<HashSet<Uuid>> = None;
    let mut links = Vec::new();
    let Recognizers { anywhere, beside } = screening.recognizers;
    for (ty, records) in resolved {
        for record in records {
            let refers = !persons.is_empty() && refers_to(record.draft, &persons, screening.names);
            let has_words = |recognizer| !places_of_names(*ty, record.draft, recognizer, true).is_empty();
            let words = NameWords { anywhere: has_words(anywhere), beside: has_words(beside) };
            let is_about = is_about(transaction, screening, (*ty, record), (refers, words), &mut related, problems).await?;
            links.push(WithheldLink { refers, is_about, words });
        }
    }
    Ok(links)
}

/// Whether a draft that may need screening is one of a record that is about a withheld person. Reports a new reference to one
/// from a record that has a name, or that tells how to reach somebody.
async fn is_about(
    transaction: &DatabaseTransaction,
    screening: &Screening<'_>,
    (ty, record): (RecordType, &ResolvedDraft<'_>),
    (refers, words): (bool, NameWords),
    related: &mut Option<HashSet<Uuid>>,
    problems: &mut Vec<InputProblem>,
) -> Result<bool> {
    let has_contacts = ty == RecordType::Membership && gives_contacts(record.draft);
    if !(refers || has_contacts || words.anywhere || words.beside) || screening.recognizers.is_empty() {
        return Ok(false);
    }
    if related.is_none() {
        *related = Some(records_of_withheld_persons(transaction).await?);
    }
    let is_related = related.as_ref().is_some_and(|related| related.contains(&record.id));
    // earlier text of the record would stand beside the person
    if refers && !is_related && earlier_state(transaction, ty, record).await?.must_not_stand_beside(ty, screening.recognizers) {
        let problem = InputProblem::new(record.draft.origin.clone(), WITHHELD_LINK_MESSAGE);
        problems.push(problem.with_code(ProblemCode::Withheld));
    }
    Ok(refers || is_related)
}

/// What is stored of a record, and its history. A deleted record that is created again has its history.
async fn earlier_state(transaction: &DatabaseTransaction, ty: RecordType, resolved: &ResolvedDraft<'_>) -> Result<EarlierState> {
    let id = resolved.id;
    let state = if resolved.is_new { Json::Null } else { stored_state(transaction, catalog().get(ty), id).await? };
    let select = Query::select().columns(["changes", "message"]).from("revisions").and_where(Expr::col("record_id").eq(id)).to_owned();
    let mut revisions = Vec::new();
    for row in transaction.query_all(&select).await.map_err(database)? {
        revisions.push((row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?));
    }
    Ok(EarlierState { state, revisions })
}

/// What is stored of a record.
struct EarlierState {
    /// The state; null if there is none.
    state: Json,
    /// Changes and message of each revision.
    revisions: Vec<(Json, Option<String>)>,
}

impl EarlierState {
    /// Whether it has a word of a withheld name, or tells how to reach the person of a membership.
    fn must_not_stand_beside(&self, ty: RecordType, recognizers: &Recognizers) -> bool {
        let finds_words = |text: &str| recognizers.anywhere.finds_words(text) || recognizers.beside.finds_words(text);
        let finds = |value: &Json| texts(value).into_iter().any(finds_words);
        let is_contact = ty == RecordType::Membership;
        finds(&self.state)
            || (is_contact && has_contacts(&self.state))
            || self.revisions.iter().any(|(changes, message)| {
                finds(changes) || message.as_deref().is_some_and(finds_words) || (is_contact && changes_contacts(changes))
            })
    }
}

/// Screens one draft.
fn screen_draft<'d>(
    screening: &Screening<'_>,
    (ty, record): (RecordType, &mut ResolvedDraft<'d>),
    WithheldLink { refers, is_about, words }: WithheldLink,
    screened: &'d Arena<Draft>,
    (problems, redacted): (&mut Vec<InputProblem>, &mut Vec<RedactedRecord>),
) {
    let Screening { names, recognizers: Recognizers { anywhere, beside }, merged_names } = screening;
    let former_of = |record: &ResolvedDraft<'_>, draft: &Draft| {
        record.draft.name.clone().filter(|name| record.is_new && draft.name.as_ref() != Some(name))
    };
    let lone = words.anywhere && is_about;
    let names_of_person = merged_names.get(&record.id).filter(|_| ty == RecordType::Person);
    if let Some(draft) = screen(ty, (record, names_of_person), anywhere, lone, problems) {
        redacted.push((ty, record.id, former_of(record, &draft)));
        record.draft = screened.alloc(draft);
    }
    if words.beside
        && is_about
        && let Some(draft) = screen(ty, (record, None), beside, true, problems)
    {
        redacted.push((ty, record.id, former_of(record, &draft)));
        record.draft = screened.alloc(draft);
    }
    let is_withheld = |pair: &IdentifierPair| names.is_withheld_identifier(pair);
    if ty != RecordType::Person
        && !record.draft.target.restates_stored
        && let Some(draft) = screen_identifiers(record.draft, is_withheld, problems)
    {
        redacted.push((ty, record.id, None));
        record.draft = screened.alloc(draft);
    }
    if ty == RecordType::Membership
        && (refers || (is_about && !gives_person(record.draft)))
        && let Some(draft) = screen_contacts(record.draft, problems)
    {
        redacted.push((ty, record.id, None));
        record.draft = screened.alloc(draft);
    }
    let names_here = [Some(anywhere), Some(beside).filter(|_| refers || is_about)];
    let free = |slug| free_of_names(slug, ty, record.id, names_here.into_iter().flatten());
    record.generated_slug = record.generated_slug.take().map(free);
}

/// Whether a draft refers to one of these persons.
fn refers_to(draft: &Draft, persons: &HashSet<Uuid>, names: &ResolvedNames) -> bool {
    let is_withheld = |value: &DraftValue| match names.cell(value, &HashMap::new()) {
        Cell::Id(id) => persons.contains(&id),
        Cell::Null | Cell::Text(_) | Cell::Integer(_) | Cell::Number(_) | Cell::Boolean(_) | Cell::Instant(_) | Cell::Json(_) => false,
    };
    refers(draft, &is_withheld)
}

/// Whether a draft of a membership gives its person.
fn gives_person(draft: &Draft) -> bool {
    draft.value(catalog().get(RecordType::Membership).known_field("person")).is_some()
}
