//! Assigns slugs to items and resolves references to them.

use std::collections::{BTreeMap, HashMap};

use super::builder::RecordBuilder;
use super::state::{Conversion, NoteKind};
use crate::interchange::import_reader::record_lookup::SlugUse;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::{FieldMap, scalar_text};
use crate::interchange::popolo::model::{NAMED_AFTER, PopoloItem, identifiers, is_from_identifiers};
use crate::interchange::popolo::normalize::{display_name, division_id};
use crate::interchange::slug::{MAX_SLUG_BYTES, slugify};
use crate::store::draft::value_tree::Tree;
use crate::store::draft::{InputProblem, Origin};

impl Conversion {
    /// Assigns a slug to each item of a class: that of its record in the database, or its name, with a hash of its id if the
    /// name is not unique.
    pub(super) fn assign_slugs(&mut self, class: PopoloClass, items: &[PopoloItem]) {
        let Some(ty) = class.record_type() else { return };
        let mut base_counts: HashMap<String, usize> = HashMap::new();
        let mut new_items = Vec::new();
        for item in items {
            let Some(id) = &item.id else { continue };
            if let Some(slugs) = self.known.ambiguous.get(&(ty, id.clone())) {
                let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
                let message = format!(
                    "the identifiers of this {} belong to several records: {}; merge these, or give an id",
                    class.singular(),
                    slugs.join(", ")
                );
                self.problems.push(InputProblem::new(item.origin.clone(), message));
            }
            let name = display_name(&item.fields);
            let base = slugify(name.as_deref().unwrap_or_default(), MAX_SLUG_BYTES);
            if let Some(name) = name {
                self.names.insert((class, id.clone()), name);
            }
            let division = (class == PopoloClass::Area).then(|| division_id(Some(id), &item.fields)).flatten();
            if class == PopoloClass::Area && division.is_none() {
                continue;
            }
            let by_division = division.and_then(|division| self.known.slugs_by_division.get(&division));
            if let Some(slug) = by_division.or_else(|| self.known.slugs_by_id.get(&(ty, id.clone()))) {
                self.slugs.insert((class, id.clone()), slug.clone());
            } else {
                *base_counts.entry(base.clone()).or_default() += 1;
                new_items.push((item, base));
            }
        }
        self.find_merged(class, items);
        for (item, base) in new_items {
            let Some(id) = &item.id else { continue };
            let taken = self.known.taken_slugs.get(&(ty, base.clone())).copied();
            let slug = if taken.is_some() || base.is_empty() || base_counts.get(&base).is_some_and(|count| *count > 1) {
                class.slug_with_hash(&base, &self.scheme, id)
            } else {
                base.clone()
            };
            if slug != base && self.known.taken_slugs.contains_key(&(ty, slug.clone())) {
                let scheme = class.scheme(&self.scheme);
                let message = format!("the {} {slug} in the database lacks the identifier {scheme} {id}; add it there", class.singular());
                self.problems.push(InputProblem::new(item.origin.clone(), message));
            }
            if taken == Some(SlugUse::Present) {
                let text = format!(
                    "{} \"{id}\" gets the slug {slug}, because the database has another {base}; if both are the same, add the identifier {} {id} to {base}",
                    class.singular(),
                    class.scheme(&self.scheme)
                );
                self.notes.push((NoteKind::OtherSlug, text));
            }
            self.slugs.insert((class, id.clone()), slug);
        }
    }

    /// Finds the items whose ids are identifiers of one record, because their records were merged. The item that the record is
    /// named after stands for it, or else the first one; the others are not imported, which is noted.
    fn find_merged(&mut self, class: PopoloClass, items: &[PopoloItem]) {
        if !matches!(class, PopoloClass::Person | PopoloClass::Organization) {
            return;
        }
        let mut by_slug: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for id in items.iter().filter_map(|item| item.id.as_ref()) {
            if let Some(slug) = self.slugs.get(&(class, id.clone())) {
                by_slug.entry(slug).or_default().push(id);
            }
        }
        let mut merged = Vec::new();
        for (slug, ids) in by_slug.into_iter().filter(|(_, ids)| ids.len() > 1) {
            let name_slug = |id: &String| self.names.get(&(class, id.clone())).map(|name| slugify(name, MAX_SLUG_BYTES));
            let kept = ids.iter().find(|id| name_slug(id).as_deref() == Some(slug)).or_else(|| ids.first());
            for id in ids.iter().filter(|id| Some(*id) != kept) {
                let kept = kept.map_or("", |kept| kept.as_str());
                let singular = class.singular();
                let text = format!(
                    "{singular} \"{id}\" is not imported: its record was merged into {slug}, for which {singular} \"{kept}\" stands"
                );
                self.notes.push((NoteKind::Merged, text));
                merged.push((class, (*id).clone()));
            }
        }
        self.merged.extend(merged);
    }

    /// The slug of the record of an item: that in the database, or one with a hash of the id.
    pub(super) fn slug_by_id(&self, class: PopoloClass, id: &str, base: &str) -> String {
        let known = class.record_type().and_then(|ty| self.known.slugs_by_id.get(&(ty, id.to_owned())));
        known.cloned().unwrap_or_else(|| class.slug_with_hash(base, &self.scheme, id))
    }

    /// Takes a reference by id and resolves it to a slug; an unknown id is a problem.
    pub(super) fn take_reference(&mut self, fields: &mut FieldMap, field: &str, class: PopoloClass, origin: &Origin) -> Option<Tree> {
        let tree = fields.take_text_tree(field)?;
        let id = scalar_text(&tree)?;
        let known = class.record_type().and_then(|ty| self.known.slugs_by_id.get(&(ty, id.clone())));
        if let Some(slug) = self.slugs.get(&(class, id.clone())).or(known) {
            return Some(Tree::text(tree.line, slug));
        }
        let (singular, plural, scheme) = (class.singular(), class.plural(), class.scheme(&self.scheme));
        self.problems.push(InputProblem::new(
            origin.child(field.to_owned(), tree.line),
            format!("no {singular} has the id \"{id}\" in {plural}, or the identifier {scheme} {id} in the database"),
        ));
        None
    }

    /// The identifier by which the record of an item was found in the database: its id, or one of another register if it has none.
    fn found_by(&self, class: PopoloClass, id: &str, fields: &FieldMap) -> Option<(String, String)> {
        if !self.is_known(class, id) {
            return None;
        }
        if is_from_identifiers(id) { identifiers(fields).into_iter().min() } else { Some((class.scheme(&self.scheme), id.to_owned())) }
    }

    /// Starts the record of an item with its slug; an item without a name is a problem. `None` too if the record of the item was
    /// merged.
    pub(super) fn start_record(&mut self, class: PopoloClass, item: PopoloItem) -> Option<(RecordBuilder, FieldMap, String, String)> {
        if item.id.as_ref().is_some_and(|id| self.merged.contains(&(class, id.clone()))) {
            return None;
        }
        let slug = item.id.as_ref().and_then(|id| self.slugs.get(&(class, id.clone()))).cloned();
        let mut fields = item.fields;
        let place = fields.take_text(NAMED_AFTER);
        // a body that the database has keeps its name
        let may_lack_name = place.is_some() && item.id.as_ref().is_some_and(|id| self.is_known(class, id));
        let has_name = may_lack_name || item.id.as_ref().is_some_and(|id| self.names.contains_key(&(class, id.clone())));
        if let (Some(slug), Some(id), true) = (slug, item.id, has_name) {
            let mut builder = RecordBuilder::new(&slug, item.origin);
            builder.found_by = self.found_by(class, &id, &fields);
            Some((builder, fields, id, slug))
        } else {
            let message = match place {
                Some(place) => format!(
                    "no file of this import names the place {place}; add one that does, such as municipalities.yml of Open States with its id ocd-jurisdiction/... and its name"
                ),
                None => format!("name is missing; give the {} a name", class.singular()),
            };
            self.problems.push(InputProblem::new(item.origin, message));
            None
        }
    }
}
