//! Converts attributes that several classes share: other names, images, links and contact details.

use std::collections::HashSet;

use super::builder::{RecordBuilder, map_tree, take_objects};
use super::state::Conversion;
use crate::core::language;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::FieldMap;
use crate::interchange::popolo::normalize::{is_web_url, take_display_name, take_name_parts};
use crate::store::draft::value_tree::{Tree, Value};

/// Sets the image, if it is a web address.
pub(super) fn convert_image(builder: &mut RecordBuilder, fields: &mut FieldMap) {
    // anything but a web URL stays, and is reported as omitted
    if let Some(image) = fields.get_text("image").filter(|image| is_web_url(image)) {
        fields.take("image");
        builder.set_text("image", Some(&image));
    }
}

impl Conversion {
    pub(super) fn convert_other_names(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap, class: PopoloClass) {
        let path = format!("{}.other_names", class.plural());
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        for (line, mut other) in take_objects(fields, "other_names") {
            let has_full_name = other.get_text("name").is_some();
            if let Some(name) = take_display_name(&mut other) {
                if !has_full_name {
                    take_name_parts(&mut other);
                }
                let mut entries = vec![("name", Tree::text(line, &name))];
                entries.extend(take_language_tag(&mut other).map(|tag| ("lang", Tree::text(line, &tag))));
                entries.extend(other.take_text_tree("note").map(|note| ("note", note)));
                entries.extend(self.take_date(&mut other, "start_date", &path, &builder.origin).map(|tree| ("start", tree)));
                entries.extend(self.take_date(&mut other, "end_date", &path, &builder.origin).map(|tree| ("end", tree)));
                push_distinct(&mut names, &mut seen, line, entries);
            }
            self.omissions.count_remaining(&path, other.remaining(), &builder.origin);
        }
        builder.set_list("otherNames", names);
    }

    /// Converts links. `post` is the post of a membership, whose links are those of the membership as well.
    pub(super) fn convert_links(&mut self, builder: &mut RecordBuilder, sources: &mut [(&mut FieldMap, PopoloClass)]) {
        let mut seen = HashSet::new();
        let mut links = Vec::new();
        for (fields, class) in sources {
            let path = format!("{}.links", class.plural());
            for (line, mut link) in take_objects(fields, "links") {
                let field = ["url", "value", "name"].into_iter().find(|field| link.get_text(field).is_some_and(|url| is_web_url(&url)));
                if let Some(url) = field.and_then(|field| link.take_text_tree(field)) {
                    let mut entries = vec![("url", url)];
                    for name in ["label", "note"] {
                        entries.extend(link.take_text_tree(name).map(|text| (name, text)));
                    }
                    push_distinct(&mut links, &mut seen, line, entries);
                }
                self.omissions.count_remaining(&path, link.remaining(), &builder.origin);
            }
        }
        builder.set_list("links", links);
    }

    /// Converts contact details and email addresses. Several lines of an address are joined by commas.
    pub(super) fn convert_contact_details(&mut self, builder: &mut RecordBuilder, sources: &mut [(&mut FieldMap, PopoloClass)]) {
        let mut seen = HashSet::new();
        let mut contacts = Vec::new();
        for (fields, class) in sources {
            for tree in take_emails(fields) {
                let entries = vec![("type", Tree::text(tree.line, "email")), ("value", tree.clone())];
                push_distinct(&mut contacts, &mut seen, tree.line, entries);
            }
            let path = format!("{}.contact_details", class.plural());
            for (line, mut contact) in take_objects(fields, "contact_details") {
                if let (Some(kind), Some(value)) = (contact.get_text("type"), contact.get_text("value")) {
                    contact.take("type");
                    contact.take("value");
                    let mut entries = vec![("type", Tree::text(line, &kind)), ("value", Tree::text(line, on_one_line(&value)))];
                    for name in ["label", "note"] {
                        entries.extend(contact.take_text(name).map(|text| (name, Tree::text(line, on_one_line(&text)))));
                    }
                    for (names, to) in [(["start_date", "valid_from"], "start"), (["end_date", "valid_until"], "end")] {
                        let date = names.into_iter().find_map(|name| self.take_date(&mut contact, name, &path, &builder.origin));
                        entries.extend(date.map(|date| (to, date)));
                    }
                    push_distinct(&mut contacts, &mut seen, line, entries);
                }
                self.omissions.count_remaining(&path, contact.remaining(), &builder.origin);
            }
        }
        builder.set_list("contactDetails", contacts);
    }
}

/// Adds an object to a list, unless it is there already with the same values.
fn push_distinct(list: &mut Vec<Tree>, seen: &mut HashSet<String>, line: Option<usize>, entries: Vec<(&str, Tree)>) {
    let values: Vec<_> = entries.iter().map(|(name, tree)| (*name, &tree.value)).collect();
    if seen.insert(format!("{values:?}")) {
        list.push(map_tree(line, entries));
    }
}

/// Takes the email addresses of an item: one, or a list of them.
fn take_emails(fields: &mut FieldMap) -> Vec<Tree> {
    let is_text = |tree: &Tree| matches!(tree.value, Value::Text(_));
    match fields.get("email").map(|tree| &tree.value) {
        Some(Value::Text(_)) => fields.take("email").into_iter().collect(),
        Some(Value::List(items)) if items.iter().all(is_text) => match fields.take("email").map(|tree| tree.value) {
            Some(Value::List(items)) => items,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// A text of several lines on one line.
fn on_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| line.trim().trim_end_matches(',')).filter(|line| !line.is_empty()).collect();
    lines.join(", ")
}

/// Takes the language tag of another name. An invalid tag stays, and is reported as omitted.
fn take_language_tag(other: &mut FieldMap) -> Option<String> {
    let name = ["lang", "language"].into_iter().find(|name| other.get(name).is_some())?;
    let tag = language::tag(&other.get_text(name)?.replace('_', "-")).ok()?;
    other.take(name);
    Some(tag)
}
