//! Converts attributes that several classes share: other names, images, links and the jurisdiction.

use std::collections::HashSet;

use super::builder::{RecordBuilder, map_tree, take_date, take_objects, text_tree};
use super::state::Conversion;
use crate::core::language;
use crate::entity::RecordType;
use crate::interchange::popolo::model::{FieldMap, PopoloClass, is_empty};
use crate::interchange::popolo::normalize::{display_name, is_web_url};

impl Conversion {
    pub(super) fn convert_other_names(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap, class: PopoloClass) {
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        for (line, mut other) in take_objects(fields, "other_names") {
            let Some(name) = display_name(&mut other) else {
                self.omissions.count(format!("{}.other_names without name", class.plural()));
                continue;
            };
            let tag = self.take_language_tag(&mut other, class);
            if !seen.insert((name.clone(), tag.clone())) {
                continue;
            }
            let mut entries = vec![("name", text_tree(line, &name))];
            entries.extend(tag.map(|tag| ("lang", text_tree(line, &tag))));
            entries.extend(other.take_text("note").map(|note| ("note", text_tree(line, &note))));
            entries.extend(take_date(&mut other, "start_date").map(|tree| ("start", tree)));
            entries.extend(take_date(&mut other, "end_date").map(|tree| ("end", tree)));
            for (key, _) in other.0.iter().filter(|(_, tree)| !is_empty(tree)) {
                self.omissions.count(format!("{}.other_names.{key}", class.plural()));
            }
            names.push(map_tree(line, entries));
        }
        builder.set_list("otherNames", names);
    }

    /// Takes the language tag of another name; an invalid tag counts as omitted.
    fn take_language_tag(&mut self, other: &mut FieldMap, class: PopoloClass) -> Option<String> {
        let text = other.take_text("lang").or_else(|| other.take_text("language"))?;
        let tag = language::tag(&text.replace('_', "-")).ok();
        if tag.is_none() {
            self.omissions.count(format!("{}.other_names.lang \"{text}\", an invalid language tag", class.plural()));
        }
        tag
    }

    pub(super) fn convert_image(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap, class: PopoloClass) {
        let Some(image) = fields.take_text("image") else { return };
        if is_web_url(&image) {
            builder.set_text("image", Some(&image));
        } else {
            self.omissions.count(format!("{}.image, not a web URL", class.plural()));
        }
    }

    /// Converts links, and contact details that are web pages.
    pub(super) fn convert_links(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap, class: PopoloClass) {
        let mut seen = HashSet::new();
        let mut links = Vec::new();
        let contacts = take_objects(fields, "contact_details").into_iter().map(|contact| (contact, true));
        for ((line, mut link), is_contact) in take_objects(fields, "links").into_iter().map(|link| (link, false)).chain(contacts) {
            let kind = link.take_text("type");
            let url = link.take_text("url").or_else(|| link.take_text("value")).or_else(|| link.take_text("name"));
            let Some(url) = url.filter(|url| is_web_url(url)) else {
                let omitted =
                    if is_contact { format!("contact_details {}", kind.unwrap_or_default()) } else { "links without web URL".to_owned() };
                self.omissions.count(format!("{}.{}", class.plural(), omitted.trim()));
                continue;
            };
            if seen.insert(url.clone()) {
                let note = link.take_text("note").or_else(|| link.take_text("label")).or(kind);
                let mut entries = vec![("url", text_tree(line, &url))];
                entries.extend(note.map(|note| ("note", text_tree(line, &note))));
                links.push(map_tree(line, entries));
            }
        }
        builder.set_list("links", links);
    }

    /// Sets the jurisdiction to that of the area that the item refers to.
    pub(super) fn convert_jurisdiction(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) {
        let Some(id) = fields.get_text("area_id") else { return };
        let known = self.known.slugs_by_id.get(&(RecordType::Jurisdiction, id.clone()));
        if let Some(slug) = self.slugs.get(&(PopoloClass::Area, id)).or(known).cloned() {
            fields.take("area_id");
            builder.set_text("jurisdiction", Some(&slug));
        }
    }
}
