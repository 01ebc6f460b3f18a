//! Converts identifiers and sources.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::builder::{RecordBuilder, map_tree, take_objects};
use super::state::{Conversion, NoteKind};
use crate::core::web_address::comparable_web_address;
use crate::entity::RecordType;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::FieldMap;
use crate::interchange::popolo::model::is_from_identifiers;
use crate::interchange::popolo::normalize::{is_division_id, is_web_url};
use crate::interchange::slug::slug_of_url;
use crate::store::draft::value_tree::Tree;
use crate::store::draft::{InputProblem, Origin};

impl Conversion {
    /// Converts the id and the other identifiers. Identifiers are unique in the dataset, so a later record loses one that
    /// an earlier record has. The id of another item in the same register is a problem.
    pub(super) fn convert_identifiers(
        &mut self,
        builder: &mut RecordBuilder,
        fields: &mut FieldMap,
        class: PopoloClass,
        id: Option<&str>,
        owner: &str,
    ) {
        let line = builder.origin.line;
        let path = format!("{}.identifiers", class.plural());
        let mut identifiers = Vec::new();
        if let Some(id) = id.filter(|id| !is_from_identifiers(id)) {
            identifiers.push((line, class.scheme(&self.scheme), id.to_owned()));
        }
        for (line, mut identifier) in take_objects(fields, "identifiers") {
            let field = if identifier.get_text("identifier").is_some() { "identifier" } else { "value" };
            match (identifier.get_text("scheme"), identifier.get_text(field)) {
                (_, Some(value)) if is_division_id(&value) && class == PopoloClass::Area => {
                    identifier.take(field);
                }
                (Some(scheme), Some(value)) => {
                    identifier.take("scheme");
                    identifier.take(field);
                    let is_own = id == Some(value.as_str()) && scheme == class.scheme(&self.scheme);
                    if !is_own && let Some((other_class, place)) = self.own_ids.get(&(scheme.clone(), value.clone())) {
                        let message = format!(
                            "{scheme} {value} is the id of another {} at {place}; an id identifies one record",
                            other_class.singular()
                        );
                        self.problems.push(InputProblem::new(builder.origin.child("identifiers", line), message));
                        continue;
                    }
                    identifiers.push((line, scheme, value));
                }
                _ => {}
            }
            self.omissions.count_remaining(&path, identifier.remaining(), &builder.origin);
        }
        let mut items = Vec::new();
        for (line, scheme, value) in identifiers {
            match self.identifier_owners.get(&(scheme.clone(), value.clone())) {
                Some(other) if *other == owner => {}
                Some(other) => {
                    let text =
                        format!("identifier {scheme} {value} belongs to {other} and is omitted from {owner}; identifiers are unique");
                    self.notes.push((NoteKind::SharedIdentifier, text));
                }
                None => {
                    self.identifier_owners.insert((scheme.clone(), value.clone()), owner.to_owned());
                    items.push(map_tree(line, vec![("scheme", Tree::text(line, &scheme)), ("value", Tree::text(line, &value))]));
                }
            }
        }
        builder.set_list("identifiers", items);
    }

    /// Converts sources to citations; each URL becomes one source record.
    pub(super) fn convert_sources(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap, class: PopoloClass) {
        let mut notes: HashMap<String, Option<String>> = HashMap::new();
        let mut citations: Vec<Tree> = Vec::new();
        let path = format!("{}.sources", class.plural());
        for (line, mut source) in take_objects(fields, "sources") {
            let field = ["url", "name"].into_iter().find(|field| source.get_text(field).is_some_and(|url| is_web_url(&url)));
            if let Some(url) = field.and_then(|field| source.take_text(field)) {
                let note = source.get_text("note");
                match notes.entry(comparable_web_address(&url)) {
                    Entry::Vacant(entry) => {
                        source.take("note");
                        let slug = self.source_slug(entry.key(), &builder.origin, line);
                        let mut entries = vec![("source", Tree::text(line, &slug))];
                        entries.extend(note.as_deref().map(|note| ("note", Tree::text(line, note))));
                        citations.push(map_tree(line, entries));
                        entry.insert(note);
                    }
                    Entry::Occupied(first) if *first.get() == note => _ = source.take("note"),
                    // another note on the same source, which is reported as omitted
                    Entry::Occupied(_) => {}
                }
            }
            self.omissions.count_remaining(&path, source.remaining(), &builder.origin);
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
        builder.set("url", Some(Tree::text(line, url)));
        builder.set("kind", Some(Tree::text(line, "other")));
        self.records.push((RecordType::Source, builder));
        self.new_sources.insert(url.to_owned(), slug.clone());
        slug
    }
}
