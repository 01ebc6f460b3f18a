//! Memberships of withheld persons that an import gives under another slug than the stored one: the slug of a membership is often
//! made of that of the person, which the withholding replaced.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::curation::withholding::screening::redacted_beside;
use crate::store::curation::withholding::withheld_digest::Recognizers;
use crate::store::draft::{Draft, DraftValue};
use crate::store::read::result::Cell;
use crate::store::write::load::load_rows;
use crate::store::write::membership_agreement::{MembershipTerms, Sameness};
use crate::store::write::model::StoredRow;
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::types::ResolvedDraft;
use crate::store::write::withheld_drafts::{ResolvedDrafts, is_import};

/// The warning that a membership of a withheld person may be a stored one or another one.
const AMBIGUOUS_MEMBERSHIP: &str = "this membership is skipped, because it may be one that the withheld person has already, or another one; give it the slug or an identifier of its record, or the dates by which it differs";

/// The stored record of a given membership.
#[derive(Debug, Clone, Copy)]
enum Found {
    Record(Uuid),
    /// It may be a new one or a stored one.
    Ambiguous,
}

/// Positions of memberships by person and organization.
type Groups = BTreeMap<(Uuid, Uuid), Vec<usize>>;

impl ResolvedNames {
    /// Lets new memberships of withheld persons update the stored ones that they surely are. Those that may be stored ones are
    /// skipped with a warning.
    pub(super) async fn find_memberships_again(
        &mut self,
        transaction: &DatabaseTransaction,
        recognizers: &Recognizers,
        resolved: &mut ResolvedDrafts<'_>,
    ) -> Result<()> {
        if self.withheld.is_empty() {
            return Ok(());
        }
        let record = catalog().get(RecordType::Membership);
        for (_, memberships) in resolved.iter_mut().filter(|(ty, _)| *ty == record.ty) {
            let groups = self.groups_of_withheld(record, memberships);
            if groups.is_empty() {
                continue;
            }
            let stored = self.stored_memberships(transaction, record, memberships, &groups).await?;
            let found = find_all(record, memberships, groups, &stored, recognizers);
            let mut index = 0;
            memberships.retain_mut(|membership| {
                let found = found.get(&index).copied();
                index += 1;
                match found {
                    None => true,
                    Some(Found::Ambiguous) => {
                        self.skip_with_warning(record.ty, membership, AMBIGUOUS_MEMBERSHIP);
                        false
                    }
                    Some(Found::Record(stored)) => {
                        self.lead_to_stored(membership, stored);
                        true
                    }
                }
            });
        }
        Ok(())
    }

    /// Lets a draft, and references to it, be for a stored membership.
    fn lead_to_stored(&mut self, membership: &mut ResolvedDraft<'_>, stored: Uuid) {
        (membership.id, membership.is_new, membership.keeps_slug) = (stored, false, true);
        membership.generated_slug = None;
        self.slugs.extend(membership.draft.name.clone().map(|slug| ((RecordType::Membership, slug), stored)));
        self.ids.extend(membership.draft.target.id.map(|id| (id, stored)));
        self.ids.insert(stored, stored);
    }

    /// The new memberships of withheld persons that an import gives.
    fn groups_of_withheld(&self, record: &Record, memberships: &[ResolvedDraft<'_>]) -> Groups {
        let of = |draft: &Draft, name| match draft.value(record.known_field(name)).map(|value| self.cell(value, &HashMap::new())) {
            Some(Cell::Id(id)) => Some(id),
            Some(_) | None => None,
        };
        let mut groups = Groups::new();
        for (index, new) in memberships.iter().enumerate().filter(|(_, new)| new.is_new && is_import(new.draft)) {
            if let (Some(person), Some(organization)) = (of(new.draft, "person"), of(new.draft, "organization"))
                && self.withheld.contains(&person)
            {
                groups.entry((person, organization)).or_default().push(index);
            }
        }
        groups
    }

    /// The stored memberships of the persons of these groups that the import does not give by their slugs or identifiers.
    async fn stored_memberships(
        &self,
        transaction: &DatabaseTransaction,
        record: &'static Record,
        memberships: &[ResolvedDraft<'_>],
        groups: &Groups,
    ) -> Result<Vec<(Uuid, StoredRow)>> {
        let given: HashSet<Uuid> = memberships.iter().map(|membership| membership.id).collect();
        let is_given = |id: &Uuid| given.contains(id) || self.skipped.iter().any(|(_, written)| written.id == *id);
        let people: Vec<Uuid> = groups.keys().map(|(person, _)| *person).collect::<HashSet<_>>().into_iter().collect();
        let mut stored = load_rows(transaction, record, "person_id", &people).await?;
        stored.retain(|(_, row)| !is_given(&row.id) && row.parts.get(&RecordType::Identifier).is_none_or(Vec::is_empty));
        stored.sort_by_key(|(_, row)| row.id);
        Ok(stored)
    }
}

/// The stored memberships of the given ones, by the position of the given one.
fn find_all(
    record: &Record,
    memberships: &[ResolvedDraft<'_>],
    groups: Groups,
    stored: &[(Uuid, StoredRow)],
    recognizers: &Recognizers,
) -> HashMap<usize, Found> {
    let organization_field = record.known_field("organization").index();
    let mut found = HashMap::new();
    for ((person, organization), new) in groups {
        // texts of the stored ones are redacted
        let given: Vec<(usize, Draft)> =
            new.into_iter().map(|index| (index, redacted_beside(record.ty, &memberships[index], recognizers))).collect();
        let organization = Cell::Id(organization);
        let is_of_group = |(of, row): &&(Uuid, StoredRow)| *of == person && row.cells[organization_field] == organization;
        let candidates: Vec<&StoredRow> = stored.iter().filter(is_of_group).map(|(_, row)| row).collect();
        found.extend(find(record, &given, candidates));
    }
    found
}

/// As [`find_all`], for memberships of one person in one organization. Equal ones are matched in their order, and corrected ones
/// if each is surely one stored membership and no other given one is.
fn find(record: &Record, given: &[(usize, Draft)], mut candidates: Vec<&StoredRow>) -> HashMap<usize, Found> {
    let mut found = HashMap::new();
    let mut new: Vec<&(usize, Draft)> = given.iter().collect();
    let is_equal = |draft: &Draft, row: &StoredRow| {
        given_terms(record, draft) == stored_terms(record, row) && has_same_label(record, draft, row) != Some(false)
    };
    new.retain(|(index, draft)| {
        let Some(position) = candidates.iter().position(|row| is_equal(draft, row)) else { return true };
        found.insert(*index, Found::Record(candidates.remove(position).id));
        false
    });
    let compare =
        |draft: &Draft, row: &StoredRow| given_terms(record, draft).sameness(stored_terms(record, row), has_same_label(record, draft, row));
    let same: Vec<(usize, Uuid)> = new
        .iter()
        .flat_map(|(index, draft)| candidates.iter().map(move |row| (*index, draft, *row)))
        .filter(|(_, draft, row)| compare(draft, row) == Sameness::Same)
        .map(|(index, _, row)| (index, row.id))
        .collect();
    let is_only = |(index, id): &(usize, Uuid)| {
        same.iter().filter(|(other, _)| other == index).count() == 1 && same.iter().filter(|(_, other)| other == id).count() == 1
    };
    for (index, id) in same.iter().filter(|pair| is_only(pair)) {
        found.insert(*index, Found::Record(*id));
        candidates.retain(|row| row.id != *id);
    }
    let may_be_stored = |draft: &Draft| candidates.iter().any(|row| compare(draft, row) != Sameness::Other);
    for (index, draft) in new {
        if !found.contains_key(index) && may_be_stored(draft) {
            found.insert(*index, Found::Ambiguous);
        }
    }
    found
}

/// The values of a draft by which it is compared with stored memberships.
fn given_terms<'d>(record: &Record, draft: &'d Draft) -> MembershipTerms<'d> {
    terms(|name| match draft.value(record.known_field(name)) {
        Some(DraftValue::Cell(cell)) => cell.as_text(),
        Some(DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid) | None => None,
    })
}

/// The values of a stored membership by which others are compared with it.
fn stored_terms<'r>(record: &Record, row: &'r StoredRow) -> MembershipTerms<'r> {
    terms(|name| row.cells[record.known_field(name).index()].as_text())
}

fn terms<'m>(text: impl Fn(&'static str) -> Option<&'m str>) -> MembershipTerms<'m> {
    let [role, post, area, period, start, end] = ["role", "post", "area", "legislativePeriod", "start", "end"].map(text);
    MembershipTerms { role, post, area, period, start, end }
}

/// Whether a draft and a stored membership have the same label in a language that both have. Not set if there is none.
fn has_same_label(record: &Record, draft: &Draft, row: &StoredRow) -> Option<bool> {
    let field = record.known_field("label");
    let (Some(DraftValue::Cell(Cell::Json(Json::Object(given)))), Cell::Json(Json::Object(stored))) =
        (draft.value(field), &row.cells[field.index()])
    else {
        return None;
    };
    let common: Vec<bool> = given.iter().filter_map(|(lang, text)| Some(stored.get(lang)? == text)).collect();
    (!common.is_empty()).then(|| common.contains(&true))
}
