//! Looks up the records that the database already has for acts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::act::{Act, ActSet};
use super::merge::Work;
use super::slugs::{NewSlug, SlugCandidates, new_slugs, provision_uri};
use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::interchange::import_reader::record_lookup::{RecordLookup, TakenSlugs};
use crate::store::draft::{Draft, DraftValue};
use crate::store::read::provision_lookup::StoredProvision;
use crate::store::read::result::Cell;
use crate::store::write::Drafts;

/// Scheme of the identifiers of works and of provisions.
pub(super) const FRBR_SCHEME: &str = "frbr";
/// Scheme of the codes of countries and their parts.
pub(super) const COUNTRY_SCHEME: &str = "iso-3166";

/// Records of the database that concern the acts of an import.
#[derive(Debug, Default)]
pub struct KnownLaws {
    /// The current day, in ISO 8601.
    pub(super) today: String,
    /// Slugs of laws by URI.
    laws: HashMap<String, String>,
    /// Slugs of laws by ELI.
    laws_by_eli: HashMap<String, String>,
    /// Slugs of jurisdictions by the code of a country.
    jurisdictions: HashMap<String, String>,
    /// Slugs that laws have or had.
    taken_laws: TakenSlugs,
    /// Provisions by the slug of their law.
    provisions: HashMap<String, Vec<StoredProvision>>,
    /// Slugs that provisions have or had.
    taken_provisions: TakenSlugs,
}

/// The law of a work: one of the database, or a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LawTarget {
    pub(super) slug: String,
    /// The collisions of the slug of a new law.
    pub(super) new: Option<NewSlug>,
}

/// The provisions of a law, by their ids.
pub(super) struct ProvisionTargets<'k> {
    pub(super) slugs: HashMap<String, String>,
    pub(super) stored: HashMap<String, &'k StoredProvision>,
    /// The collisions of the slugs of new provisions.
    pub(super) new: Vec<NewSlug>,
}

/// The Open Civic Data id of a country.
pub(super) fn division(country: &str) -> String {
    format!("ocd-division/country:{country}")
}

/// The slugs of the jurisdictions among these records, by the code of a country that they have as an identifier or in their
/// Open Civic Data id.
pub fn jurisdictions_of(drafts: &Drafts) -> HashMap<String, String> {
    let [jurisdiction, identifier] = [RecordType::Jurisdiction, RecordType::Identifier].map(|ty| catalog().get(ty));
    let (ocd_id, scheme, value) = (jurisdiction.known_field("ocdId"), identifier.known_field("scheme"), identifier.known_field("value"));
    let text = |draft: &Draft, field| match draft.value(field) {
        Some(DraftValue::Cell(Cell::Text(text))) => Some(text.clone()),
        Some(_) | None => None,
    };
    let mut slugs = HashMap::new();
    let of_type = drafts.iter().filter(|(ty, _)| *ty == RecordType::Jurisdiction);
    for draft in of_type.flat_map(|(_, drafts)| drafts) {
        let Some(slug) = &draft.name else { continue };
        let country = text(draft, ocd_id).and_then(|id| id.strip_prefix(&division("")).map(str::to_owned));
        slugs.extend(country.map(|country| (country, slug.clone())));
        for part in draft.parts.iter().filter(|(ty, _)| *ty == RecordType::Identifier).flat_map(|(_, parts)| parts) {
            if let (Some(COUNTRY_SCHEME), Some(value)) = (text(part, scheme).as_deref(), text(part, value)) {
                slugs.insert(value.to_lowercase(), slug.clone());
            }
        }
    }
    slugs
}

impl KnownLaws {
    /// Fetches the laws that the works match by URI or ELI, with their provisions, and the jurisdictions of the countries.
    /// `jurisdictions` are those of the import.
    pub async fn fetch<L: RecordLookup + Sync>(
        acts: &ActSet,
        jurisdictions: HashMap<String, String>,
        target: &L,
    ) -> Result<Self, L::Error> {
        let works = Work::all(&acts.acts);
        let mut known = Self { jurisdictions, today: target.today().to_string(), ..Self::default() };
        let uris: Vec<String> = works.iter().map(|work| work.uri.to_owned()).collect();
        known.laws = target.slugs_by_identifier(RecordType::Law, FRBR_SCHEME, &uris).await?;
        let elis = distinct(&acts.acts, |act| act.metadata.eli.as_ref().map(|eli| eli.text.clone()));
        known.laws_by_eli = target.slugs_by_field(RecordType::Law, "eli", &elis).await?;
        known.fetch_jurisdictions(acts, target).await?;
        let unknown = works.iter().filter(|work| known.stored_laws(work).is_empty());
        let slugs: BTreeSet<String> = unknown.flat_map(|work| SlugCandidates::of_law(work.uri).all()).collect();
        known.taken_laws = target.taken_slugs(RecordType::Law, &slugs.into_iter().collect::<Vec<_>>()).await?;
        let targets = known.law_targets(&works);
        let stored: Vec<String> = targets.iter().filter(|target| target.new.is_none()).map(|target| target.slug.clone()).collect();
        for provision in target.provisions_of(&stored).await? {
            known.provisions.entry(provision.law.clone()).or_default().push(provision);
        }
        let mut slugs = BTreeSet::new();
        for (work, law) in works.iter().zip(&targets) {
            let stored = known.stored_provisions(&law.slug, work.uri);
            let unknown = work.provisions().into_iter().filter(|provision| !stored.contains_key(provision.key));
            slugs.extend(unknown.flat_map(|provision| SlugCandidates::of_provision(&law.slug, work.uri, provision.key).all()));
        }
        known.taken_provisions = target.taken_slugs(RecordType::Provision, &slugs.into_iter().collect::<Vec<_>>()).await?;
        Ok(known)
    }

    /// Jurisdictions of the database that the import does not have: by Open Civic Data id, or else by an identifier.
    async fn fetch_jurisdictions<L: RecordLookup + Sync>(&mut self, acts: &ActSet, target: &L) -> Result<(), L::Error> {
        let countries = distinct(&acts.acts, |act| Some(act.metadata.country.text.clone()));
        let divisions: Vec<String> = countries.iter().map(|country| division(country)).collect();
        let found = target.slugs_by_field(RecordType::Jurisdiction, "ocdId", &divisions).await?;
        for country in &countries {
            if let Some(slug) = found.get(&division(country)) {
                self.jurisdictions.entry(country.clone()).or_insert_with(|| slug.clone());
            }
        }
        let codes: Vec<String> = countries.iter().flat_map(|country| [country.clone(), country.to_uppercase()]).collect();
        let found: BTreeMap<String, String> =
            target.slugs_by_identifier(RecordType::Jurisdiction, COUNTRY_SCHEME, &codes).await?.into_iter().collect();
        for (code, slug) in found {
            self.jurisdictions.entry(code.to_lowercase()).or_insert(slug);
        }
        Ok(())
    }

    /// The jurisdiction of a country.
    pub(super) fn jurisdiction(&self, country: &str) -> Option<&str> {
        self.jurisdictions.get(country).map(String::as_str)
    }

    /// The laws of the database that have the URI or the ELI of a work: more than one is a contradiction.
    pub(super) fn stored_laws(&self, work: &Work<'_>) -> BTreeSet<&str> {
        let eli = work.value(|metadata| metadata.eli.as_ref());
        let by_eli = eli.and_then(|(_, eli)| self.laws_by_eli.get(&eli.text));
        self.laws.get(work.uri).into_iter().chain(by_eli).map(String::as_str).collect()
    }

    /// The laws of some works, in their order.
    pub(super) fn law_targets(&self, works: &[Work<'_>]) -> Vec<LawTarget> {
        let stored: Vec<Option<&str>> = works.iter().map(|work| self.stored_laws(work).into_iter().next()).collect();
        let unknown = works.iter().zip(&stored).filter(|(_, stored)| stored.is_none());
        let candidates: Vec<SlugCandidates> = unknown.map(|(work, _)| SlugCandidates::of_law(work.uri)).collect();
        let mut new = new_slugs(&candidates, &self.taken_laws).into_iter();
        let targets = stored.into_iter().filter_map(|stored| match stored {
            Some(slug) => Some(LawTarget { slug: slug.to_owned(), new: None }),
            None => new.next().map(|new| LawTarget { slug: new.slug.clone(), new: Some(new) }),
        });
        targets.collect()
    }

    /// The provisions of a law that the database has, by the ids that the work gives them.
    pub(super) fn stored_provisions(&self, law: &str, uri: &str) -> HashMap<String, &StoredProvision> {
        let prefix = provision_uri(uri, "");
        let mut by_key = HashMap::new();
        for provision in self.provisions.get(law).into_iter().flatten() {
            for (_, value) in provision.identifiers.iter().filter(|(scheme, _)| scheme == FRBR_SCHEME) {
                by_key.extend(value.strip_prefix(&prefix).map(|key| (key.to_owned(), provision)));
            }
        }
        by_key
    }

    /// The provisions of a work in a law.
    pub(super) fn provision_targets(&self, law: &str, work: &Work<'_>) -> ProvisionTargets<'_> {
        let stored = self.stored_provisions(law, work.uri);
        let provisions = work.provisions();
        let unknown: Vec<&str> = provisions.iter().map(|provision| provision.key).filter(|key| !stored.contains_key(*key)).collect();
        let candidates: Vec<SlugCandidates> = unknown.iter().map(|key| SlugCandidates::of_provision(law, work.uri, key)).collect();
        let new = new_slugs(&candidates, &self.taken_provisions);
        let mut slugs: HashMap<String, String> = stored.iter().map(|(key, provision)| (key.clone(), provision.slug.clone())).collect();
        slugs.extend(unknown.into_iter().zip(&new).map(|(key, new)| (key.to_owned(), new.slug.clone())));
        ProvisionTargets { slugs, stored, new }
    }
}

/// The values of some acts, each once and in their order.
fn distinct(acts: &[Act], value: impl Fn(&Act) -> Option<String>) -> Vec<String> {
    let values: BTreeSet<String> = acts.iter().filter_map(value).collect();
    values.into_iter().collect()
}
