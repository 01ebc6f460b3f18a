//! Converts identifiers and sources.

use std::collections::HashSet;

use super::builder::{RecordBuilder, map_tree, take_objects, text_tree};
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::model::{FieldMap, PopoloClass};
use crate::interchange::popolo::normalize::{is_division_id, is_web_url};
use crate::interchange::slug::slug_of_url;
use crate::store::draft::Origin;

impl Conversion {
    /// Converts the id and the other identifiers. Identifiers are unique in the dataset, so a later record loses one that
    /// an earlier record has.
    pub(super) fn convert_identifiers(
        &mut self,
        builder: &mut RecordBuilder,
        fields: &mut FieldMap,
        class: PopoloClass,
        id: Option<&str>,
        slug: &str,
    ) {
        let line = builder.origin.line;
        let mut identifiers = Vec::new();
        if let Some(id) = id {
            identifiers.push((line, class.scheme(&self.scheme), id.to_owned()));
        }
        for (line, mut identifier) in take_objects(fields, "identifiers") {
            let value = identifier.take_text("identifier").or_else(|| identifier.take_text("value"));
            match (identifier.take_text("scheme"), value) {
                (_, Some(value)) if is_division_id(&value) && class == PopoloClass::Area => {}
                (Some(scheme), Some(value)) => identifiers.push((line, scheme, value)),
                _ => self.omissions.count(format!("{}.identifiers without scheme or value", class.plural())),
            }
        }
        let owner = format!("{} {slug}", class.singular());
        let mut items = Vec::new();
        for (line, scheme, value) in identifiers {
            match self.identifier_owners.get(&(scheme.clone(), value.clone())) {
                Some(other) if *other == owner => {}
                Some(other) => {
                    self.notes.push(format!(
                        "identifier {scheme} {value} belongs to {other} and is omitted from {owner}; identifiers are unique"
                    ));
                }
                None => {
                    self.identifier_owners.insert((scheme.clone(), value.clone()), owner.clone());
                    items.push(map_tree(line, vec![("scheme", text_tree(line, &scheme)), ("value", text_tree(line, &value))]));
                }
            }
        }
        builder.set_list("identifiers", items);
    }

    /// Converts sources to citations; each URL becomes one source record.
    pub(super) fn convert_sources(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) {
        let mut seen = HashSet::new();
        let mut citations = Vec::new();
        for (line, mut source) in take_objects(fields, "sources") {
            let url = source.take_text("url").or_else(|| source.take_text("name"));
            let Some(url) = url.filter(|url| is_web_url(url)) else {
                self.omissions.count("sources without web URL");
                continue;
            };
            if !seen.insert(url.clone()) {
                continue;
            }
            let slug = self.source_slug(&url, &builder.origin, line);
            let mut entries = vec![("source", text_tree(line, &slug))];
            entries.extend(source.take_text("note").map(|note| ("note", text_tree(line, &note))));
            citations.push(map_tree(line, entries));
        }
        builder.set_list("citations", citations);
    }

    /// The slug of the source with this URL, which is created if neither the database nor the import has it.
    fn source_slug(&mut self, url: &str, origin: &Origin, line: Option<usize>) -> String {
        if let Some(slug) = self.known.slugs_by_source_url.get(url).or_else(|| self.new_sources.get(url)) {
            return slug.clone();
        }
        let (slug, title) = slug_of_url(url);
        let mut builder = RecordBuilder::new(&slug, origin.child("sources", line));
        builder.set_translated("title", "und", Some(title));
        builder.set("url", Some(text_tree(line, url)));
        builder.set("kind", Some(text_tree(line, "other")));
        self.records.push((RecordType::Source, builder));
        self.new_sources.insert(url.to_owned(), slug.clone());
        slug
    }
}
