//! Finds the stored records of memberships that the database does not know by an id, and assigns slugs.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::converted::ConvertedMembership;
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::slug::{is_short_hash, short_hash, slugify};
use crate::store::draft::InputProblem;
use crate::store::read::membership_lookup::StoredMembership;
use crate::store::write::membership_agreement::Agreement;

/// Maximum length of the slugs of person and organization in the slug of a membership.
const MEMBER_SLUG_BYTES: usize = 44;

/// Whether only memberships that an import has made are compared, because little is in common.
fn needs_import(agreement: Agreement) -> bool {
    matches!(agreement, Agreement::Post | Agreement::Start | Agreement::Members)
}

/// Whether a membership and a stored one agree. Equal ones also represent the same organization and have the same label.
fn agrees(agreement: Agreement, new: &ConvertedMembership, stored: &StoredMembership, lang: &str) -> bool {
    let has_same_label = || new.label.as_ref().is_none_or(|label| stored.labels.get(lang) == Some(label));
    let is_equal = || new.on_behalf_of == stored.on_behalf_of && has_same_label();
    agreement.holds(new.terms(), stored.into()) && (agreement != Agreement::All || is_equal())
}

/// Whether an import has made the slug of a membership.
fn is_generated(slug: &str) -> bool {
    slug.rsplit_once('-').is_some_and(|(_, hash)| is_short_hash(hash))
}

/// Positions of given and of stored memberships of one person in one organization.
type MembershipGroup = (Vec<usize>, Vec<usize>);

impl Conversion {
    /// Assigns slugs to the memberships: that of the record with the id, or of the stored one that agrees, or a new one.
    pub(super) fn assign_membership_slugs(&mut self) {
        let memberships = std::mem::take(&mut self.memberships);
        let mut slugs: Vec<Option<String>> = memberships
            .iter()
            .map(|membership| self.known.slugs_by_id.get(&(RecordType::Membership, membership.id.clone()?)).cloned())
            .collect();
        let scheme = PopoloClass::Membership.scheme(&self.scheme);
        let suffix = PopoloClass::Membership.scheme("");
        // positions of the memberships, and of the stored ones, by person and organization
        let mut groups: BTreeMap<(&str, &str), MembershipGroup> = BTreeMap::new();
        for (index, membership) in memberships.iter().enumerate().filter(|(index, _)| slugs[*index].is_none()) {
            groups.entry((&membership.person, &membership.organization)).or_default().0.push(index);
        }
        let stored = std::mem::take(&mut self.known.memberships);
        for (index, membership) in stored.iter().enumerate() {
            // those that this or another register knows by an id are not matched by their values
            let has_id = membership.schemes.iter().any(|of| *of == scheme || of.ends_with(&suffix));
            if let Some((_, candidates)) = groups.get_mut(&(membership.person.as_str(), membership.organization.as_str()))
                && !has_id
            {
                candidates.push(index);
            }
        }
        for ((person, organization), (mut new, mut candidates)) in groups {
            for agreement in Agreement::ALL {
                match_by(agreement, &memberships, &stored, &self.lang, (&mut new, &mut candidates), &mut slugs);
            }
            let rivals: Vec<&str> = candidates
                .iter()
                .map(|index| &stored[*index])
                .filter(|stored| {
                    is_generated(&stored.slug) && new.iter().any(|index| !memberships[*index].terms().is_apart_from((*stored).into()))
                })
                .map(|stored| stored.slug.as_str())
                .collect();
            let first = new.iter().map(|index| &memberships[*index]).find(|membership| membership.id.is_none());
            if let (false, Some(first)) = (rivals.is_empty(), first) {
                let message = format!(
                    "{} memberships of {person} in {organization} differ from those in the database ({}) in more than one way; give each an id, so that each is matched with its record",
                    new.len(),
                    rivals.join(", ")
                );
                self.problems.push(InputProblem::new(first.builder.origin.clone(), message));
            }
        }
        let mut taken: HashSet<String> =
            stored.into_iter().map(|membership| membership.slug).chain(slugs.iter().flatten().cloned()).collect();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (mut membership, known) in memberships.into_iter().zip(slugs) {
            let is_known = known.is_some();
            let slug = known.unwrap_or_else(|| new_slug(&membership, &mut taken, &mut counts));
            membership.builder.set_text("slug", Some(&slug));
            let label = membership.label.or_else(|| (!is_known).then_some(membership.new_label));
            membership.builder.set_translated("label", &self.lang, label.as_deref());
            self.records.push((RecordType::Membership, membership.builder));
        }
    }
}

/// Matches the memberships of one person in one organization with stored ones that agree. Equal ones are matched in their
/// order, and others if each agrees with one only.
fn match_by(
    agreement: Agreement,
    memberships: &[ConvertedMembership],
    stored: &[StoredMembership],
    lang: &str,
    (new, candidates): (&mut Vec<usize>, &mut Vec<usize>),
    slugs: &mut [Option<String>],
) {
    let is_candidate = |index: &usize| !needs_import(agreement) || is_generated(&stored[*index].slug);
    let agrees = |new: usize, old: usize| agrees(agreement, &memberships[new], &stored[old], lang);
    for index in new.clone() {
        let found: Vec<usize> = candidates.iter().copied().filter(is_candidate).filter(|old| agrees(index, *old)).collect();
        let old = match (agreement, found.as_slice()) {
            (Agreement::All, [first, ..]) => *first,
            (_, [only]) if new.iter().filter(|other| agrees(**other, *only)).count() == 1 => *only,
            _ => continue,
        };
        slugs[index] = Some(stored[old].slug.clone());
        new.retain(|other| *other != index);
        candidates.retain(|other| *other != old);
    }
}

/// A slug that no other membership has. That of a membership without an id is a hash of the values that identify it.
fn new_slug(membership: &ConvertedMembership, taken: &mut HashSet<String>, counts: &mut HashMap<String, usize>) -> String {
    let members = format!("{}-{}", slugify(&membership.person, MEMBER_SLUG_BYTES), slugify(&membership.organization, MEMBER_SLUG_BYTES));
    if let Some(id) = &membership.id {
        return format!("{members}-{}", short_hash(id));
    }
    let text = &membership.identity;
    loop {
        let count = counts.entry(text.clone()).or_default();
        *count += 1;
        let hash = if *count == 1 { short_hash(text) } else { short_hash(&format!("{text}\n{count}")) };
        let slug = format!("{members}-{hash}");
        if taken.insert(slug.clone()) {
            return slug;
        }
    }
}
