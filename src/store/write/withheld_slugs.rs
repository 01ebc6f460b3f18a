//! Slugs that are known by their digests only: those of withheld persons, and those of records that had a withheld name in them.
//!
//! They lead to no record, which would tell whose slug it was. An import that repeats the record is the exception. A slug that a
//! withheld person had is as free as any other, so it can come to mean two people: an import takes none of them for the other.

use uuid::Uuid;

use crate::catalog::catalog;
use crate::core::article::with_article;
use crate::entity::RecordType;
use crate::store::curation::withholding::name_parts::NAME_FIELDS;
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::withheld_digest::Recognizers;
use crate::store::draft::{Draft, DraftSource, DraftValue, InputProblem, ProblemCode, WriteMode};
use crate::store::write::identifiers::{IdentifiedRecords, identifiers};
use crate::store::write::resolve::{Resolved, ResolvedNames, has_name_in};

/// The warning that a person is skipped whose slug may mean a withheld person.
const DOUBTFUL_SLUG: &str =
    "this person is skipped, because the slug may mean two people; give another slug, or an identifier of the one that is stored";

/// Whom a draft means by the slug that a withheld person had.
enum SlugOwner {
    /// The withheld person.
    Withheld,
    /// Another person.
    Other,
    /// Another person of the same name, who cannot have the slug as well.
    Namesake,
    /// One of the two.
    Doubtful,
}

impl ResolvedNames {
    /// The record for a draft with a slug that is known by its digest only: that of the record `id` before.
    pub(super) fn existing_by_digest(
        &mut self,
        (ty, id): (RecordType, Uuid),
        (slug, draft): (&str, &Draft),
        position: usize,
        recognizers: &Recognizers,
        problems: &mut Vec<InputProblem>,
    ) -> Resolved {
        let is_import = match draft.target.mode {
            WriteMode::Create | WriteMode::Update => false,
            WriteMode::Upsert | WriteMode::Exact => true,
        };
        if !self.withheld.contains(&id) {
            return match (is_import, ty, draft.target.source) {
                // it has its redacted slug since, and the import may correct the rest
                (true, RecordType::Membership, DraftSource::Import | DraftSource::OverwritingImport) if self.ids.get(&id) == Some(&id) => {
                    Resolved::Existing(id)
                }
                (true, ..) => self.skip(ty, id, draft, position),
                (false, ..) => {
                    problems.push(unavailable_slug(ty, slug, draft));
                    Resolved::New
                }
            };
        }
        if !is_import {
            return Resolved::New;
        }
        match slug_owner(id, draft, recognizers) {
            SlugOwner::Withheld => self.skip(ty, id, draft, position),
            SlugOwner::Other => Resolved::New,
            SlugOwner::Namesake => {
                problems.push(unavailable_slug(ty, slug, draft));
                Resolved::Unidentified
            }
            SlugOwner::Doubtful => self.skip_doubtful((ty, id), slug, draft, position),
        }
    }

    /// The person for a draft of an import whose slug a stored person has, and a withheld one had. Not set if the draft means the
    /// stored one.
    pub(super) fn contested_by_import(
        &mut self,
        (ty, slug): (RecordType, &str),
        draft: &Draft,
        position: usize,
        recognizers: &Recognizers,
        identified: &IdentifiedRecords,
    ) -> Option<Resolved> {
        let key = (ty, slug.to_owned());
        let withheld = *self.contested_slugs.get(&key).filter(|_| draft.target.source != DraftSource::Edit)?;
        let stored = self.slugs.get(&key).copied();
        let is_stored = identifiers(draft).any(|(pair, _)| stored.is_some() && identified.get(&(ty, pair)).copied() == stored);
        if is_stored || !is_named(draft, [&recognizers.anywhere, &recognizers.beside]) {
            self.contested_slugs.remove(&key);
            return None;
        }
        // others do not have the name
        if is_named(draft, [&recognizers.anywhere]) && identifiers(draft).next().is_none() {
            self.contested_slugs.remove(&key);
            self.slugs.insert(key, withheld);
            return Some(self.skip(ty, withheld, draft, position));
        }
        Some(self.skip_doubtful((ty, withheld), slug, draft, position))
    }

    /// The slug of an import with an identifier of the withheld person `id`, if a stored record of somebody else has the slug.
    pub(super) fn slug_of_another<'d>(&self, (ty, id): (RecordType, Uuid), draft: &'d Draft) -> Option<&'d str> {
        let slug = draft.name.as_deref().filter(|_| draft.target.id.is_none() && draft.target.source != DraftSource::Edit)?;
        let stored = self.slugs.get(&(ty, slug.to_owned()))?;
        (*stored != id).then_some(slug)
    }

    /// Skips a draft, and lets no reference of the import to its slug lead to a person.
    pub(super) fn skip_doubtful(&mut self, (ty, id): (RecordType, Uuid), slug: &str, draft: &Draft, position: usize) -> Resolved {
        self.warnings.push(InputProblem::new(draft.origin.clone(), DOUBTFUL_SLUG).with_code(ProblemCode::Withheld));
        self.doubtful_slugs.insert((ty, slug.to_owned()));
        self.skip(ty, id, draft, position)
    }

    /// Reports the new slug of a record if it is the former one of another record, known by its digest. One that a withheld person
    /// had is like any free slug.
    pub(super) fn reject_redacted_slug(&self, (ty, id): (RecordType, Uuid), draft: &Draft, problems: &mut Vec<InputProblem>) {
        let former = draft.name.as_ref().and_then(|slug| Some((slug, *self.digest_slugs.get(&(ty, slug.clone()))?)));
        if let Some((slug, owner)) = former.filter(|_| draft.target.mode == WriteMode::Update)
            && owner != id
            && !self.withheld.contains(&owner)
        {
            problems.push(unavailable_slug(ty, slug, draft));
        }
    }

    /// Whether a reference of an import is by a slug that may mean a withheld person.
    pub(super) fn is_doubtful(&self, value: &DraftValue) -> bool {
        match value {
            DraftValue::Slug(ty, slug) => self.doubtful_slugs.contains(&(*ty, slug.clone())),
            DraftValue::Cell(_) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid => false,
        }
    }
}

/// Whom an import means by a slug that the withheld person `id` had. Another name is that of another person only if the name of
/// the withheld one is known and an editor gives it: an answer that says otherwise would confirm a guess. So is the same name with
/// identifiers that the person did not have: another register made its slug of the same name.
fn slug_owner(id: Uuid, draft: &Draft, recognizers: &Recognizers) -> SlugOwner {
    let all = [&recognizers.anywhere, &recognizers.beside];
    let has_identifiers = identifiers(draft).next().is_some();
    if is_named(draft, all) {
        return match (has_identifiers, is_named(draft, [&recognizers.anywhere])) {
            (false, _) => SlugOwner::Withheld,
            // skipped for its name
            (true, true) => SlugOwner::Other,
            (true, false) => SlugOwner::Namesake,
        };
    }
    match draft.target.source {
        _ if !all.iter().any(|recognizer| recognizer.knows(id)) => SlugOwner::Withheld,
        DraftSource::Edit => SlugOwner::Other,
        DraftSource::Import | DraftSource::OverwritingImport => SlugOwner::Doubtful,
    }
}

/// Whether a draft has a withheld name.
fn is_named<const N: usize>(draft: &Draft, recognizers: [&NameRecognizer; N]) -> bool {
    recognizers.into_iter().any(|recognizer| NAME_FIELDS.iter().any(|name| has_name_in(draft, name, recognizer)))
}

/// The problem that a record cannot have a slug. It does not tell why.
fn unavailable_slug(ty: RecordType, slug: &str, draft: &Draft) -> InputProblem {
    let message = format!("{} cannot have the slug \"{slug}\" here; give another slug", with_article(&catalog().get(ty).singular()));
    InputProblem::new(draft.origin.child("slug", None), message).with_code(ProblemCode::Taken)
}
