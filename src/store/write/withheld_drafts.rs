//! Drafts that would bring a withheld person back, or write a record of the person a second time. They are skipped, through
//! whatever interface they come.
//!
//! A new person with a withheld name would be an identified person called "Name withheld", if only the name were redacted. What
//! needs a skipped record is skipped as well; other references to it are left out.

use std::collections::{HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use typed_arena::Arena;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::curation::withholding::name_parts::{NameCells, drafted_name_cells, gives_names, make_name};
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::screening::refers;
use crate::store::draft::{Draft, DraftSource, DraftValue, InputProblem, Origin, ProblemCode, WriteMode};
use crate::store::read::result::Cell;
use crate::store::write::merged_names::merged_names;
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::types::{ResolvedDraft, WriteAction, WrittenRecord};

/// The warning that a person with a withheld name is skipped.
const SKIPPED_NAME: &str = "this person is skipped, because the dataset withholds the name; ask an admin if this is another person";
/// The warning that a record or part is skipped, because it needs a record that is.
const SKIPPED_REFERRER: &str = "this is skipped, because it needs a record that is skipped";
/// The warning that a reference to a skipped record is left out.
const SKIPPED_REFERENCE: &str = "this reference is left out, because the record is skipped";
/// The warning that a reference is left out whose slug a withheld person had.
const DOUBTFUL_REFERENCE: &str =
    "this reference is left out, because its slug may mean two people; refer to the person by the id or by an identifier";

/// Resolved drafts by their type, in the order in which they are written.
pub(super) type ResolvedDrafts<'d> = Vec<(RecordType, Vec<ResolvedDraft<'d>>)>;

impl ResolvedNames {
    /// Skips people whose names are withheld, as they are given or as the write would leave them. Returns their ids, and the names
    /// of people as the write leaves them.
    pub(super) async fn skip_withheld_names(
        &mut self,
        transaction: &DatabaseTransaction,
        recognizer: &NameRecognizer,
        resolved: &mut ResolvedDrafts<'_>,
    ) -> Result<(SkippedPeople, HashMap<Uuid, NameCells>)> {
        let record = catalog().get(RecordType::Person);
        let (mut skipped, mut merged) = (SkippedPeople::default(), HashMap::new());
        if recognizer.is_empty() {
            return Ok((skipped, merged));
        }
        for (_, people) in resolved.iter_mut().filter(|(ty, _)| *ty == record.ty) {
            merged.extend(merged_names(transaction, self, people).await?);
            people.retain(|person| {
                if !is_import(person.draft) || !has_withheld_name(record, person, merged.get(&person.id), recognizer) {
                    return true;
                }
                self.skip_with_warning(record.ty, person, SKIPPED_NAME);
                let ids = if person.is_new { &mut skipped.new } else { &mut skipped.stored };
                ids.insert(person.id);
                false
            });
        }
        Ok((skipped, merged))
    }

    /// Leaves references to skipped people out, and skips the drafts that need one, with what needs these. Changed drafts are
    /// replaced by ones in `screened`.
    pub(super) fn skip_referrers<'d>(&mut self, mut skipped: SkippedPeople, resolved: &mut ResolvedDrafts<'d>, screened: &'d Arena<Draft>) {
        while !skipped.is_empty() || !self.doubtful_slugs.is_empty() {
            skipped = SkippedPeople { new: self.skip_direct_referrers(&skipped, resolved, screened), ..SkippedPeople::default() };
            self.doubtful_slugs.clear();
        }
    }

    /// As [`Self::skip_referrers`]. Returns the ids of new drafts that were skipped.
    fn skip_direct_referrers<'d>(
        &mut self,
        skipped: &SkippedPeople,
        resolved: &mut ResolvedDrafts<'d>,
        screened: &'d Arena<Draft>,
    ) -> HashSet<Uuid> {
        let mut referrers = HashSet::new();
        for (ty, records) in resolved {
            records.retain_mut(|resolved| {
                let is_import = resolved.draft.target.source != DraftSource::Edit;
                let id = |value: &DraftValue| match self.cell(value, &HashMap::new()) {
                    Cell::Id(id) => Some(id),
                    Cell::Null
                    | Cell::Text(_)
                    | Cell::Integer(_)
                    | Cell::Number(_)
                    | Cell::Boolean(_)
                    | Cell::Instant(_)
                    | Cell::Json(_) => None,
                };
                // what may be stored with the record already
                let is_stored =
                    |value: &DraftValue| (is_import && self.is_doubtful(value)) || id(value).is_some_and(|id| skipped.stored.contains(&id));
                let reason = |value: &DraftValue| match (is_import && self.is_doubtful(value), is_stored(value), id(value)) {
                    (true, ..) => Some(DOUBTFUL_REFERENCE),
                    (_, true, _) => Some(SKIPPED_REFERENCE),
                    (_, _, id) => id.filter(|id| skipped.new.contains(id)).map(|_| SKIPPED_REFERENCE),
                };
                if !refers(resolved.draft, &|value| reason(value).is_some()) {
                    return true;
                }
                let mut draft = resolved.draft.clone();
                let mut warnings = Vec::new();
                // a list without a part would remove the stored one
                let may_remove_part = !resolved.is_new && parts_refer(resolved.draft, &is_stored);
                if may_remove_part || !leave_out(catalog().get(*ty), &mut draft, &reason, &mut warnings) {
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

    /// Skips a draft with a warning. Returns its id if it is that of no record.
    pub(super) fn skip_with_warning(&mut self, ty: RecordType, resolved: &ResolvedDraft<'_>, message: &str) -> Option<Uuid> {
        self.warnings.push(warning(&resolved.draft.origin, message));
        let action = if resolved.is_new { WriteAction::Skipped } else { WriteAction::Unchanged };
        self.skipped.push((resolved.position, skipped_record(ty, resolved.id, action)));
        resolved.is_new.then_some(resolved.id)
    }
}

/// People who are skipped: references to them are left out.
#[derive(Debug, Default)]
pub(super) struct SkippedPeople {
    /// Ids of new people, which no record gets.
    new: HashSet<Uuid>,
    /// Ids of stored people, who would get a withheld name.
    stored: HashSet<Uuid>,
}

impl SkippedPeople {
    fn is_empty(&self) -> bool {
        self.new.is_empty() && self.stored.is_empty()
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
pub(super) fn is_import(draft: &Draft) -> bool {
    matches!(draft.target.mode, WriteMode::Upsert | WriteMode::Exact)
}

/// Whether a draft gives a person a withheld name, in one field or in several with those stored, or a new person a slug with one.
/// `merged` are the names as the write leaves them.
fn has_withheld_name(record: &Record, person: &ResolvedDraft<'_>, merged: Option<&NameCells>, recognizer: &NameRecognizer) -> bool {
    let draft = person.draft;
    let has_slug = || person.is_new && draft.name.as_ref().is_some_and(|slug| recognizer.finds(slug));
    gives_names(record, draft)
        && (make_name(&drafted_name_cells(record, draft), recognizer)
            || merged.is_some_and(|names| make_name(names, recognizer))
            || has_slug())
}

/// Whether a part of a draft, at any depth, has a reference that satisfies a condition.
fn parts_refer(draft: &Draft, is_target: &dyn Fn(&DraftValue) -> bool) -> bool {
    draft.parts.iter().flat_map(|(_, parts)| parts).any(|part| refers(part, is_target))
}

/// Removes the references for which there is a reason, which becomes a warning, and the parts that need one. Returns whether the
/// draft needs none itself.
fn leave_out(
    record: &Record,
    draft: &mut Draft,
    reason: &dyn Fn(&DraftValue) -> Option<&'static str>,
    warnings: &mut Vec<InputProblem>,
) -> bool {
    let is_needed = |(field, value, _): &(_, DraftValue, Origin)| record.field(*field).required && reason(value).is_some();
    if draft.values.iter().any(is_needed) {
        return false;
    }
    draft.values.retain(|(_, value, origin)| {
        let reason = reason(value);
        warnings.extend(reason.map(|reason| warning(origin, reason)));
        reason.is_none()
    });
    for (ty, parts) in &mut draft.parts {
        parts.retain_mut(|part| {
            let is_left = leave_out(catalog().get(*ty), part, reason, warnings);
            warnings.extend((!is_left).then(|| warning(&part.origin, SKIPPED_REFERRER)));
            is_left
        });
    }
    true
}
