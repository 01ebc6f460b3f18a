//! What must be known of the database before records can be made: which of them it has already, and under which names.

use std::collections::{HashMap, HashSet};

use super::{Class, Popolo, value};
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::draft::value_tree::Value;
use crate::transfer::slug::{LONGEST, slug};

/// What the database knows of what the files hold.
#[derive(Debug, Default)]
pub struct Known {
    /// Slugs by type and Popolo id.
    pub(super) ids: HashMap<(RecordType, String), String>,
    /// Slugs that are taken.
    pub(super) taken: HashSet<(RecordType, String)>,
    /// Slugs of jurisdictions by their Open Civic Data id.
    pub(super) divisions: HashMap<String, String>,
    /// Slugs of sources by their address.
    pub(super) sources: HashMap<String, String>,
}

impl Known {
    /// Asks the database.
    pub async fn ask(popolo: &Popolo, store: &Store) -> Result<Self> {
        let mut known = Self::default();
        for class in Class::ALL {
            let Some(ty) = class.becomes() else { continue };
            let (ids, slugs) = (popolo.ids(class), popolo.slugs(class));
            let found = store.slugs_by_identifier(ty, &class.scheme(&popolo.options.scheme), &ids).await?;
            known.ids.extend(found.into_iter().map(|(id, slug)| ((ty, id), slug)));
            known.taken.extend(store.taken_slugs(ty, &slugs).await?.into_iter().map(|slug| (ty, slug)));
        }
        known.divisions = store.slugs_by_field(RecordType::Jurisdiction, "ocdId", &popolo.divisions()).await?;
        known.sources = store.slugs_by_field(RecordType::Source, "url", &popolo.addresses()).await?;
        Ok(known)
    }
}

impl Popolo {
    /// Ids of a class that are given or referred to.
    fn ids(&self, class: Class) -> Vec<String> {
        let fields: &[&str] = match class {
            Class::Person => &["person_id"],
            Class::Organization => &["organization_id", "on_behalf_of_id", "parent_id"],
            Class::Area => &["area_id", "parent_id"],
            _ => &[],
        };
        let given = self.items.iter().filter(|item| item.class == class).filter_map(|item| item.id.clone());
        let referred = self.items.iter().flat_map(|item| fields.iter().filter_map(|field| item.fields.id(field)));
        let ids: HashSet<String> = given.chain(referred).filter(|id| !id.starts_with("name:")).collect();
        ids.into_iter().collect()
    }

    /// Slugs that items of a class would have by their names.
    fn slugs(&self, class: Class) -> Vec<String> {
        let names = self.items.iter().filter(|item| item.class == class).filter_map(|item| value::name(&mut item.fields.clone()));
        let slugs: HashSet<String> = names.map(|name| slug(&name, LONGEST)).collect();
        slugs.into_iter().collect()
    }

    fn divisions(&self) -> Vec<String> {
        let areas = self.items.iter().filter(|item| item.class == Class::Area);
        areas.filter_map(|item| super::convert::division(item.id.as_deref(), &item.fields)).collect()
    }

    fn addresses(&self) -> Vec<String> {
        let sources = self.items.iter().filter_map(|item| item.fields.get("sources"));
        let lists = sources.filter_map(|tree| match &tree.value {
            Value::List(items) => Some(items),
            _ => None,
        });
        let urls: HashSet<String> = lists.flatten().filter_map(super::convert::address).collect();
        urls.into_iter().collect()
    }
}
