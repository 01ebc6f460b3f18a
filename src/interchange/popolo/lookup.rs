//! Looks up the records that the database already has for Popolo items.

use std::collections::{HashMap, HashSet};

use strum::VariantArray;

use super::model::{PopoloClass, PopoloData};
use super::normalize::{display_name, division_id, source_url};
use crate::entity::RecordType;
use crate::interchange::import_reader::record_lookup::RecordLookup;
use crate::interchange::slug::{MAX_SLUG_BYTES, slugify};
use crate::store::draft::value_tree::Value;

/// Records of the database that concern the items of an import.
#[derive(Debug, Default)]
pub struct KnownRecords {
    /// Slugs by record type and Popolo id.
    pub(super) slugs_by_id: HashMap<(RecordType, String), String>,
    /// Slugs in use.
    pub(super) taken_slugs: HashSet<(RecordType, String)>,
    /// Slugs of jurisdictions by Open Civic Data id.
    pub(super) slugs_by_division: HashMap<String, String>,
    /// Slugs of sources by URL.
    pub(super) slugs_by_source_url: HashMap<String, String>,
}

impl KnownRecords {
    /// Fetches the records that the items match by id, slug, division or source URL.
    pub async fn fetch<L: RecordLookup + Sync>(popolo: &PopoloData, scheme: &str, target: &L) -> Result<Self, L::Error> {
        let mut known = Self::default();
        for &class in PopoloClass::VARIANTS {
            let Some(ty) = class.record_type() else { continue };
            let (ids, slugs) = (popolo.ids(class), popolo.candidate_slugs(class, scheme));
            let found = target.slugs_by_identifier(ty, &class.scheme(scheme), &ids).await?;
            known.slugs_by_id.extend(found.into_iter().map(|(id, slug)| ((ty, id), slug)));
            known.taken_slugs.extend(target.taken_slugs(ty, &slugs).await?.into_iter().map(|slug| (ty, slug)));
        }
        known.slugs_by_division = target.slugs_by_field(RecordType::Jurisdiction, "ocdId", &popolo.division_ids()).await?;
        known.slugs_by_source_url = target.slugs_by_field(RecordType::Source, "url", &popolo.source_urls()).await?;
        Ok(known)
    }
}

impl PopoloData {
    /// Ids of items of a class, and ids that other items refer to.
    fn ids(&self, class: PopoloClass) -> Vec<String> {
        let reference_fields: &[&str] = match class {
            PopoloClass::Person => &["person_id"],
            PopoloClass::Organization => &["organization_id", "on_behalf_of_id", "parent_id"],
            PopoloClass::Area => &["area_id", "parent_id"],
            PopoloClass::Membership | PopoloClass::Post | PopoloClass::Event => &[],
        };
        let own = self.items.iter().filter(|item| item.class == class).filter_map(|item| item.id.clone());
        let referenced = self.items.iter().flat_map(|item| reference_fields.iter().filter_map(|field| item.fields.get_text(field)));
        let ids: HashSet<String> = own.chain(referenced).collect();
        ids.into_iter().collect()
    }

    /// Slugs that items of a class would get from their names, alone and with a hash of the id.
    fn candidate_slugs(&self, class: PopoloClass, scheme: &str) -> Vec<String> {
        let mut slugs = HashSet::new();
        for item in self.items.iter().filter(|item| item.class == class) {
            let Some((id, name)) = item.id.as_ref().zip(display_name(&mut item.fields.clone())) else { continue };
            let base = slugify(&name, MAX_SLUG_BYTES);
            slugs.insert(class.slug_with_hash(&base, scheme, id));
            slugs.extend(Some(base).filter(|base| !base.is_empty()));
        }
        slugs.into_iter().collect()
    }

    fn division_ids(&self) -> Vec<String> {
        let areas = self.items.iter().filter(|item| item.class == PopoloClass::Area);
        areas.filter_map(|item| division_id(item.id.as_deref(), &item.fields)).collect()
    }

    fn source_urls(&self) -> Vec<String> {
        let sources = self.items.iter().filter_map(|item| item.fields.get("sources"));
        let lists = sources.filter_map(|tree| match &tree.value {
            Value::List(items) => Some(items),
            _ => None,
        });
        let urls: HashSet<String> = lists.flatten().filter_map(source_url).collect();
        urls.into_iter().collect()
    }
}
