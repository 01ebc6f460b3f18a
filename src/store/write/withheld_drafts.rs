//! Drafts that would bring a withheld person back, or write a record of the person a second time. They are skipped, through
//! whatever interface they come.
//!
//! A new person with a withheld name would be an identified person called "Name withheld", if only the name were redacted. What
//! needs a skipped record is skipped as well; other references to it are left out.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use typed_arena::Arena;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::curation::withholding::name_parts::{
    NAME_FIELDS, NameCells, drafted_name_cells, gives_names, load_name_cells, make_name,
};
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::screening::refers;
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, ProblemCode, WriteMode};
use crate::store::read::result::Cell;
use crate::store::write::load::load_rows;
use crate::store::write::membership_agreement::{Agreement, MembershipTerms};
use crate::store::write::model::StoredRow;
use crate::store::write::resolve::{ResolvedNames, has_name_in};
use crate::store::write::types::{ResolvedDraft, WriteAction, WrittenRecord};

/// The warning that a person with a withheld name is skipped.
const SKIPPED_NAME: &str = "this person is skipped, because the dataset withholds the name; ask an admin if this is another person";
/// The warning that a record or part is skipped, because it needs a record that is.
const SKIPPED_REFERRER: &str = "this is skipped, because it needs a record that is skipped";
/// The warning that a reference to a skipped record is left out.
const SKIPPED_REFERENCE: &str = "this reference is left out, because the record is skipped";
/// The warning that a membership of a withheld person may be any of several stored ones.
const AMBIGUOUS_MEMBERSHIP: &str =
    "this membership is skipped, because it may be one of several that the withheld person has; give it the slug of its record";

/// Resolved drafts by their type, in the order in which they are written.
pub(super) type ResolvedDrafts<'d> = Vec<(RecordType, Vec<ResolvedDraft<'d>>)>;

impl ResolvedNames {
    /// Skips people whose names are withheld. Returns the ids of new ones, which no record gets.
    pub(super) async fn skip_withheld_names(
        &mut self,
        transaction: &DatabaseTransaction,
        recognizer: &NameRecognizer,
        resolved: &mut ResolvedDrafts<'_>,
    ) -> Result<HashSet<Uuid>> {
        let record = catalog().get(RecordType::Person);
        let mut skipped = HashSet::new();
        if recognizer.is_empty() {
            return Ok(skipped);
        }
        for (_, people) in resolved.iter_mut().filter(|(ty, _)| *ty == record.ty) {
            let renamed = people.iter().filter(|person| !person.is_new && gives_names(record, person.draft));
            let renamed: Vec<Uuid> = renamed.map(|person| person.id).collect();
            let stored = load_name_cells(transaction, record, &renamed).await?;
            people.retain(|person| {
                if !is_import(person.draft) || !has_withheld_name(record, person.draft, stored.get(&person.id), recognizer) {
                    return true;
                }
                skipped.extend(self.skip_with_warning(record.ty, person, SKIPPED_NAME));
                false
            });
        }
        Ok(skipped)
    }

    /// Leaves references to skipped records out, and skips the drafts that need one, with what needs these. Changed drafts are
    /// replaced by ones in `screened`.
    pub(super) fn skip_referrers<'d>(&mut self, mut skipped: HashSet<Uuid>, resolved: &mut ResolvedDrafts<'d>, screened: &'d Arena<Draft>) {
        while !skipped.is_empty() {
            skipped = self.skip_direct_referrers(&skipped, resolved, screened);
        }
    }

    /// As [`Self::skip_referrers`]. Returns the ids of new drafts that were skipped.
    fn skip_direct_referrers<'d>(
        &mut self,
        skipped: &HashSet<Uuid>,
        resolved: &mut ResolvedDrafts<'d>,
        screened: &'d Arena<Draft>,
    ) -> HashSet<Uuid> {
        let mut referrers = HashSet::new();
        for (ty, records) in resolved {
            records.retain_mut(|resolved| {
                let is_skipped = |value: &DraftValue| match self.cell(value, &HashMap::new()) {
                    Cell::Id(id) => skipped.contains(&id),
                    Cell::Null
                    | Cell::Text(_)
                    | Cell::Integer(_)
                    | Cell::Number(_)
                    | Cell::Boolean(_)
                    | Cell::Instant(_)
                    | Cell::Json(_) => false,
                };
                if !refers(resolved.draft, &is_skipped) {
                    return true;
                }
                let mut draft = resolved.draft.clone();
                let mut warnings = Vec::new();
                if !leave_out(catalog().get(*ty), &mut draft, &is_skipped, &mut warnings) {
                    referrers.extend(self.skip_with_warning(*ty, resolved, SKIPPED_REFERRER));
                    return false;
                }
                self.warnings.append(&mut warnings);
                resolved.draft = screened.alloc(draft);
                true
            });
        }
        referrers
    }

    /// Skips new memberships of withheld persons that are stored ones under another slug: the slug of a membership is often made
    /// of that of the person, which the withholding replaced.
    pub(super) async fn skip_repeated_memberships(
        &mut self,
        transaction: &DatabaseTransaction,
        resolved: &mut ResolvedDrafts<'_>,
    ) -> Result<()> {
        if self.withheld.is_empty() {
            return Ok(());
        }
        let record = catalog().get(RecordType::Membership);
        for (_, memberships) in resolved.iter_mut().filter(|(ty, _)| *ty == record.ty) {
            let of = |draft: &Draft, name| match draft.value(record.known_field(name)).map(|value| self.cell(value, &HashMap::new())) {
                Some(Cell::Id(id)) => Some(id),
                Some(_) | None => None,
            };
            let mut groups: BTreeMap<(Uuid, Uuid), Vec<usize>> = BTreeMap::new();
            for (index, new) in memberships.iter().enumerate().filter(|(_, new)| new.is_new && is_import(new.draft)) {
                if let (Some(person), Some(organization)) = (of(new.draft, "person"), of(new.draft, "organization"))
                    && self.withheld.contains(&person)
                {
                    groups.entry((person, organization)).or_default().push(index);
                }
            }
            if groups.is_empty() {
                continue;
            }
            let given: HashSet<Uuid> = memberships.iter().map(|membership| membership.id).collect();
            let is_given = |id: &Uuid| given.contains(id) || self.skipped.iter().any(|(_, written)| written.id == *id);
            let people: Vec<Uuid> = groups.keys().map(|(person, _)| *person).collect::<HashSet<_>>().into_iter().collect();
            let mut stored = load_rows(transaction, record, "person_id", &people).await?;
            stored.retain(|(_, row)| !is_given(&row.id) && row.parts.get(&RecordType::Identifier).is_none_or(Vec::is_empty));
            stored.sort_by_key(|(_, row)| row.id);
            let mut found: HashMap<usize, Option<Uuid>> = HashMap::new();
            for ((person, organization), mut new) in groups {
                let organization = Cell::Id(organization);
                let is_of_group =
                    |(of, row): &&(Uuid, StoredRow)| *of == person && row.cells[record.known_field("organization").index()] == organization;
                let mut candidates: Vec<&StoredRow> = stored.iter().filter(is_of_group).map(|(_, row)| row).collect();
                for agreement in Agreement::ALL {
                    let agrees = |index: usize, row: &StoredRow| {
                        agreement.holds(given_terms(record, memberships[index].draft), stored_terms(record, row))
                    };
                    for index in new.clone() {
                        let agreeing: Vec<Uuid> = candidates.iter().filter(|row| agrees(index, row)).map(|row| row.id).collect();
                        let is_only = |id: &Uuid| {
                            let of_row = candidates.iter().find(|row| row.id == *id);
                            of_row.is_some_and(|row| new.iter().filter(|other| agrees(**other, row)).count() == 1)
                        };
                        let stored = match (agreement, agreeing.as_slice()) {
                            (Agreement::All, [first, ..]) => *first,
                            (_, [only]) if is_only(only) => *only,
                            (_, _) => continue,
                        };
                        found.insert(index, Some(stored));
                        new.retain(|other| *other != index);
                        candidates.retain(|row| row.id != stored);
                    }
                }
                let is_ambiguous = |index: &usize| {
                    let given = given_terms(record, memberships[*index].draft);
                    candidates.iter().any(|row| !given.is_apart_from(stored_terms(record, row)))
                };
                found.extend(new.iter().filter(|index| is_ambiguous(index)).map(|index| (*index, None)));
            }
            let mut index = 0;
            memberships.retain(|membership| {
                let stored = found.get(&index);
                index += 1;
                match stored {
                    None => return true,
                    Some(None) => _ = self.skip_with_warning(record.ty, membership, AMBIGUOUS_MEMBERSHIP),
                    Some(Some(stored)) => {
                        self.skipped.push((membership.position, skipped_record(record.ty, *stored, WriteAction::Unchanged)));
                        if let Some(slug) = &membership.draft.name {
                            self.slugs.insert((record.ty, slug.clone()), *stored);
                        }
                    }
                }
                false
            });
        }
        Ok(())
    }

    /// Skips a draft with a warning. Returns its id if it is that of no record.
    fn skip_with_warning(&mut self, ty: RecordType, resolved: &ResolvedDraft<'_>, message: &str) -> Option<Uuid> {
        self.warnings.push(warning(&resolved.draft.origin, message));
        let action = if resolved.is_new { WriteAction::Skipped } else { WriteAction::Unchanged };
        self.skipped.push((resolved.position, skipped_record(ty, resolved.id, action)));
        resolved.is_new.then_some(resolved.id)
    }
}

/// The outcome of a skipped draft, which no response shows: it could lead to a withheld person.
fn skipped_record(ty: RecordType, id: Uuid, action: WriteAction) -> WrittenRecord {
    WrittenRecord { ty, id, action, is_shown: false }
}

fn warning(origin: &Origin, message: &str) -> InputProblem {
    InputProblem::new(origin.clone(), message).with_code(ProblemCode::Withheld)
}

/// Whether a draft is one of several that create or update records, so that it can be skipped.
fn is_import(draft: &Draft) -> bool {
    matches!(draft.target.mode, WriteMode::Upsert | WriteMode::Exact)
}

/// Whether a draft gives a person a withheld name, in one field or in several with those stored.
fn has_withheld_name(record: &Record, draft: &Draft, stored: Option<&NameCells>, recognizer: &NameRecognizer) -> bool {
    gives_names(record, draft)
        && (NAME_FIELDS.iter().any(|field| has_name_in(draft, field, recognizer))
            || make_name(&drafted_name_cells(record, draft, stored), recognizer))
}

/// Removes the references that satisfy a condition, and the parts that need one. Returns whether the draft needs none itself.
fn leave_out(record: &Record, draft: &mut Draft, is_skipped: &dyn Fn(&DraftValue) -> bool, warnings: &mut Vec<InputProblem>) -> bool {
    let is_needed = |(field, value, _): &(_, DraftValue, Origin)| record.field(*field).required && is_skipped(value);
    if draft.values.iter().any(is_needed) {
        return false;
    }
    draft.values.retain(|(_, value, origin)| {
        let is_left_out = is_skipped(value);
        warnings.extend(is_left_out.then(|| warning(origin, SKIPPED_REFERENCE)));
        !is_left_out
    });
    for (ty, parts) in &mut draft.parts {
        parts.retain_mut(|part| {
            let is_left = leave_out(catalog().get(*ty), part, is_skipped, warnings);
            warnings.extend((!is_left).then(|| warning(&part.origin, SKIPPED_REFERRER)));
            is_left
        });
    }
    true
}

/// The values of a draft by which it is compared with stored memberships.
fn given_terms<'d>(record: &Record, draft: &'d Draft) -> MembershipTerms<'d> {
    let text = |name| match draft.value(record.known_field(name)) {
        Some(DraftValue::Cell(cell)) => cell.as_text(),
        Some(DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid) | None => None,
    };
    MembershipTerms { role: text("role"), post: text("post"), start: text("start"), end: text("end") }
}

/// The values of a stored membership by which others are compared with it.
fn stored_terms<'r>(record: &Record, row: &'r StoredRow) -> MembershipTerms<'r> {
    let text = |name| row.cells[record.known_field(name).index()].as_text();
    MembershipTerms { role: text("role"), post: text("post"), start: text("start"), end: text("end") }
}
