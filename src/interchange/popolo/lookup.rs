//! Looks up the records that the database already has for Popolo items.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use strum::VariantArray;

use super::class::PopoloClass;
use super::fields::FieldMap;
use super::model::{PopoloData, PopoloItem, identifiers, is_from_identifiers};
use super::nested::MEMBER_FIELDS;
use super::normalize::{display_name, division_id, is_division_id, source_url};
use crate::entity::RecordType;
use crate::interchange::import_reader::record_lookup::{RecordLookup, SlugUse};
use crate::interchange::slug::{MAX_SLUG_BYTES, slugify};
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::read::membership_lookup::StoredMembership;

/// Records of the database that concern the items of an import.
#[derive(Debug, Default)]
pub struct KnownRecords {
    /// Slugs by record type and Popolo id.
    pub(super) slugs_by_id: HashMap<(RecordType, String), String>,
    /// Slugs of the records that have the identifiers of one item without an id, if there are several.
    pub(super) ambiguous: HashMap<(RecordType, String), BTreeSet<String>>,
    /// Slugs that records have or had.
    pub(super) taken_slugs: HashMap<(RecordType, String), SlugUse>,
    /// Slugs of jurisdictions by Open Civic Data id.
    pub(super) slugs_by_division: HashMap<String, String>,
    /// Slugs of sources by URL.
    pub(super) slugs_by_source_url: HashMap<String, String>,
    /// Memberships of people whose memberships in the import the database does not know by an id.
    pub(super) memberships: Vec<StoredMembership>,
}

impl KnownRecords {
    /// Fetches the records that the items match by id, slug, division or source URL.
    pub async fn fetch<L: RecordLookup + Sync>(popolo: &PopoloData, scheme: &str, target: &L) -> Result<Self, L::Error> {
        let mut known = Self::default();
        for &class in PopoloClass::VARIANTS {
            let Some(ty) = class.record_type() else { continue };
            let mut found = target.slugs_by_identifier(ty, &class.scheme(scheme), &popolo.ids(class)).await?;
            for (id, mut slugs) in popolo.slugs_by_identifiers(class, ty, target).await? {
                if slugs.len() > 1 {
                    known.ambiguous.insert((ty, id), slugs);
                } else if let Some(slug) = slugs.pop_first() {
                    found.insert(id, slug);
                }
            }
            let slugs = popolo.candidate_slugs(class, scheme, &found);
            let people = if class == PopoloClass::Person { popolo.new_names(&found) } else { Vec::new() };
            known.slugs_by_id.extend(found.into_iter().map(|(id, slug)| ((ty, id), slug)));
            known.taken_slugs.extend(target.taken_slugs(ty, &slugs).await?.into_iter().map(|(slug, slug_use)| ((ty, slug), slug_use)));
            let people: Vec<_> = people.into_iter().filter(|(slug, _)| !known.taken_slugs.contains_key(&(ty, slug.clone()))).collect();
            if !people.is_empty() {
                let former = target.former_slugs_of_people(&people).await?;
                known.taken_slugs.extend(former.into_iter().map(|slug| ((ty, slug), SlugUse::Former)));
            }
        }
        known.slugs_by_division = target.slugs_by_field(RecordType::Jurisdiction, "ocdId", &popolo.division_ids()).await?;
        known.slugs_by_source_url = target.slugs_by_field(RecordType::Source, "url", &popolo.source_urls()).await?;
        let people = popolo.people_with_unknown_memberships(&known);
        known.memberships = target.memberships_of(&people).await?;
        Ok(known)
    }
}

impl PopoloData {
    /// Ids of items of a class, and ids that other items refer to.
    fn ids(&self, class: PopoloClass) -> Vec<String> {
        let reference_fields: &[&str] = match class {
            PopoloClass::Person => &["person_id", "member", "member_id", "creator_id"],
            PopoloClass::Organization => &["organization_id", "member", "member_id", "on_behalf_of_id", "parent_id"],
            PopoloClass::Area => &["area_id", "parent_id"],
            PopoloClass::Motion => &["motion_id"],
            PopoloClass::Membership
            | PopoloClass::Post
            | PopoloClass::Event
            | PopoloClass::Bill
            | PopoloClass::VoteEvent
            | PopoloClass::Speech => &[],
        };
        let own = self.items.iter().filter(|item| item.class == class).filter_map(|item| item.id.clone());
        let referenced = self.items.iter().flat_map(|item| reference_fields.iter().filter_map(|field| item.fields.get_text(field)));
        let mut ids: BTreeSet<String> = own.chain(referenced).collect();
        let parts: &[(&str, &str)] = match class {
            PopoloClass::Person => &[("votes", "voter_id"), ("sponsorships", "person_id")],
            PopoloClass::Organization => &[("votes", "voter_id"), ("sponsorships", "organization_id"), ("actions", "organization_id")],
            PopoloClass::Membership
            | PopoloClass::Post
            | PopoloClass::Area
            | PopoloClass::Event
            | PopoloClass::Motion
            | PopoloClass::Bill
            | PopoloClass::VoteEvent
            | PopoloClass::Speech => &[],
        };
        ids.extend(self.items.iter().flat_map(|item| parts.iter().flat_map(move |(list, field)| part_ids(&item.fields, list, field))));
        ids.into_iter().collect()
    }

    /// Slugs of the records that have the identifiers of items of a class without ids, by the derived ids of the items.
    async fn slugs_by_identifiers<L: RecordLookup + Sync>(
        &self,
        class: PopoloClass,
        ty: RecordType,
        target: &L,
    ) -> Result<HashMap<String, BTreeSet<String>>, L::Error> {
        let mut ids_by_scheme: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.class == class) {
            let Some(id) = item.id.as_deref().filter(|id| is_from_identifiers(id)) else { continue };
            for (scheme, value) in identifiers(&item.fields) {
                ids_by_scheme.entry(scheme).or_default().insert(value, id);
            }
        }
        let mut found: HashMap<String, BTreeSet<String>> = HashMap::new();
        for (scheme, ids) in ids_by_scheme {
            let values: Vec<String> = ids.keys().cloned().collect();
            for (value, slug) in target.slugs_by_identifier(ty, &scheme, &values).await? {
                if let Some(id) = ids.get(&value) {
                    found.entry((*id).to_owned()).or_default().insert(slug);
                }
            }
        }
        Ok(found)
    }

    /// Slugs that items of a class would get from their names, alone and with a hash of the id, if the database does not know
    /// them by their ids.
    fn candidate_slugs(&self, class: PopoloClass, scheme: &str, found: &HashMap<String, String>) -> Vec<String> {
        let mut slugs = BTreeSet::new();
        for item in self.items.iter().filter(|item| item.class == class) {
            let Some((id, name)) = item.id.as_ref().zip(display_name(&item.fields)) else { continue };
            if found.contains_key(id) {
                continue;
            }
            let base = slugify(&name, MAX_SLUG_BYTES);
            slugs.insert(class.slug_with_hash(&base, scheme, id));
            slugs.extend(Some(base).filter(|base| !base.is_empty()));
        }
        slugs.into_iter().collect()
    }

    /// The slugs that new people get from their names, each with a name.
    fn new_names(&self, found: &HashMap<String, String>) -> Vec<(String, String)> {
        let people = self.items.iter().filter(|item| item.class == PopoloClass::Person);
        let new = people.filter(|item| item.id.as_ref().is_some_and(|id| !found.contains_key(id)));
        let names = new.filter_map(|item| display_name(&item.fields)).map(|name| (slugify(&name, MAX_SLUG_BYTES), name));
        let names: BTreeMap<String, String> = names.filter(|(slug, _)| !slug.is_empty()).collect();
        names.into_iter().collect()
    }

    fn division_ids(&self) -> Vec<String> {
        let areas = self.items.iter().filter(|item| item.class == PopoloClass::Area);
        let own = areas.filter_map(|item| division_id(item.id.as_deref(), &item.fields));
        let referenced = self.items.iter().filter_map(|item| item.fields.get_text("area_id")).filter(|id| is_division_id(id));
        let divisions: BTreeSet<String> = own.chain(referenced).collect();
        divisions.into_iter().collect()
    }

    fn source_urls(&self) -> Vec<String> {
        let sources = self.items.iter().filter_map(|item| item.fields.get("sources"));
        let lists = sources.filter_map(|tree| match &tree.value {
            Value::List(items) => Some(items),
            _ => None,
        });
        let urls: BTreeSet<String> = lists.flatten().filter_map(source_url).collect();
        urls.into_iter().collect()
    }

    /// Slugs of the people of the database who have memberships in the import that it does not know by their ids.
    fn people_with_unknown_memberships(&self, known: &KnownRecords) -> Vec<String> {
        let is_unknown =
            |id: &Option<String>| id.as_ref().is_none_or(|id| !known.slugs_by_id.contains_key(&(RecordType::Membership, id.clone())));
        let memberships = self.items.iter().filter(|item| item.class == PopoloClass::Membership && is_unknown(&item.id));
        let member = |item: &PopoloItem| {
            let fields = ["person_id"].into_iter().chain(MEMBER_FIELDS);
            fields.into_iter().find_map(|field| item.fields.get_text(field))
        };
        let people = memberships.filter_map(|item| known.slugs_by_id.get(&(RecordType::Person, member(item)?)));
        let slugs: BTreeSet<&String> = people.collect();
        slugs.into_iter().cloned().collect()
    }
}

/// The ids in a field of the parts of an item, such as those of the voters of a vote event.
fn part_ids(fields: &FieldMap, list: &str, field: &str) -> Vec<String> {
    let Some(Value::List(parts)) = fields.get(list).map(|tree| &tree.value) else { return Vec::new() };
    let id = |part: &Tree| match &part.value {
        Value::Map(entries) => FieldMap(entries.clone()).get_text(field),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Invalid => None,
    };
    parts.iter().filter_map(id).collect()
}
