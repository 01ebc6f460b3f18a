//! Converts memberships, and merges posts and legislative periods into them.

use std::collections::{HashMap, HashSet};

use super::builder::{RecordBuilder, take_date};
use super::state::{Conversion, LegislativePeriod};
use crate::entity::RecordType;
use crate::interchange::popolo::model::{FieldMap, PopoloClass, PopoloItem, scalar_text};
use crate::interchange::popolo::normalize::display_name;
use crate::interchange::slug::{short_hash, slugify};
use crate::store::draft::Origin;
use crate::store::draft::value_tree::Tree;

/// Maximum length of the slugs of person and organization in the slug of a membership.
const MEMBER_SLUG_BYTES: usize = 44;

/// Fields that identify a membership without an id.
const IDENTIFYING_FIELDS: [&str; 8] =
    ["person_id", "organization_id", "on_behalf_of_id", "post_id", "role", "area_id", "legislative_period_id", "start_date"];

/// Fields of a post that a membership uses, or that describe the post alone.
const POST_FIELDS: [&str; 6] = ["id", "organization_id", "role", "label", "start_date", "end_date"];

impl Conversion {
    /// Keeps an event as a legislative period that memberships can refer to.
    pub(super) fn collect_period(&mut self, item: PopoloItem) {
        let mut fields = item.fields;
        let classification = fields.take_text("classification").unwrap_or_default();
        let period = LegislativePeriod {
            name: display_name(&mut fields),
            start: take_date(&mut fields, "start_date"),
            end: take_date(&mut fields, "end_date"),
            is_term: classification.is_empty() || classification.contains("period") || classification.contains("term"),
            is_used: false,
        };
        fields.take("organization_id");
        self.omissions.count_remaining(PopoloClass::Event, &fields);
        self.periods.insert(item.id.unwrap_or_default(), period);
    }

    /// Converts a membership. One without a person or an organization is omitted with a note.
    pub(super) fn convert_membership(&mut self, item: PopoloItem, posts: &HashMap<String, FieldMap>, unused_posts: &mut HashSet<String>) {
        let (mut fields, origin) = (item.fields, item.origin);
        let mut post = take_post(&mut fields, posts, unused_posts);
        if !self.has_members(&fields, &origin) {
            return;
        }
        let hash = self.membership_hash(item.id.as_deref(), &fields);
        let person = self.take_reference(&mut fields, "person_id", PopoloClass::Person, &origin);
        let organization = self.take_reference(&mut fields, "organization_id", PopoloClass::Organization, &origin);
        let on_behalf_of = self.take_reference(&mut fields, "on_behalf_of_id", PopoloClass::Organization, &origin);
        let (Some(person), Some(organization)) = (person, organization) else { return };
        let known = item.id.as_ref().and_then(|id| self.known.slugs_by_id.get(&(RecordType::Membership, id.clone()))).cloned();
        let slug = known.unwrap_or_else(|| format!("{}-{}-{hash}", member_slug(&person), member_slug(&organization)));
        let mut builder = RecordBuilder::new(&slug, origin);
        let role = fields.take_text("role").or_else(|| post.take_text("role"));
        let title = fields.take_text("label").or_else(|| post.take_text("label"));
        let mut label = vec![title.or_else(|| role.clone()).unwrap_or_else(|| "member".to_owned())];
        label.extend(self.take_area_name(&mut fields).or_else(|| self.take_area_name(&mut post)));
        let (mut start, mut end) = (take_date(&mut fields, "start_date"), take_date(&mut fields, "end_date"));
        if let Some(period) = fields.get_text("legislative_period_id").and_then(|id| self.periods.get_mut(&id)) {
            fields.take("legislative_period_id");
            period.is_used = true;
            label.extend(period.name.clone());
            start = start.or_else(|| period.start.clone());
            end = end.or_else(|| period.end.clone());
        }
        builder.set_translated("label", &self.lang, Some(&label.join(", ")));
        builder.set_text("role", role.as_deref());
        builder.set("start", start);
        builder.set("end", end);
        builder.set_text("endReason", fields.take_text("end_reason").as_deref());
        builder.set("person", Some(person));
        builder.set("organization", Some(organization));
        builder.set("onBehalfOf", on_behalf_of);
        self.convert_identifiers(&mut builder, &mut fields, PopoloClass::Membership, item.id.as_deref(), &slug);
        self.convert_sources(&mut builder, &mut fields);
        self.omissions.count_remaining(PopoloClass::Membership, &fields);
        post.0.retain(|(key, _)| !POST_FIELDS.contains(&key.as_str()));
        self.omissions.count_remaining(PopoloClass::Post, &post);
        self.records.push((RecordType::Membership, builder));
    }

    /// Whether a membership refers to a person and an organization; notes the one that is missing.
    fn has_members(&mut self, fields: &FieldMap, origin: &Origin) -> bool {
        let missing = match (fields.get("person_id"), fields.get("organization_id")) {
            (Some(_), Some(_)) => return true,
            (None, _) => "person",
            (Some(_), None) => "organization",
        };
        let position = format!("{}:{}", origin.file.as_deref().unwrap_or_default(), origin.line.unwrap_or_default());
        self.notes
            .push(format!("{position}: {}: the membership has no {missing} and is omitted", crate::core::path::DisplayPath(&origin.path)));
        false
    }

    /// A hash that distinguishes the membership from others of the same person in the same organization, and is the same in
    /// each import.
    fn membership_hash(&mut self, id: Option<&str>, fields: &FieldMap) -> String {
        if let Some(id) = id {
            return short_hash(id);
        }
        let values: Vec<String> = IDENTIFYING_FIELDS.iter().map(|name| fields.get_text(name).unwrap_or_default()).collect();
        let text = values.join("\n");
        let count = self.membership_counts.entry(text.clone()).or_default();
        *count += 1;
        if *count == 1 { short_hash(&text) } else { short_hash(&format!("{text}\n{count}")) }
    }

    /// Takes the name of the area of a membership or post.
    fn take_area_name(&mut self, fields: &mut FieldMap) -> Option<String> {
        if let Some(name) = fields.take_text("area") {
            return Some(name);
        }
        let id = fields.get_text("area_id")?;
        let name = self.names.get(&(PopoloClass::Area, id)).cloned()?;
        fields.take("area_id");
        Some(name)
    }
}

/// Takes the post of a membership, and its organization if the membership has none; empty without a known post.
fn take_post(fields: &mut FieldMap, posts: &HashMap<String, FieldMap>, unused_posts: &mut HashSet<String>) -> FieldMap {
    let Some(id) = fields.get_text("post_id") else { return FieldMap(Vec::new()) };
    let Some(post) = posts.get(&id) else { return FieldMap(Vec::new()) };
    fields.take("post_id");
    unused_posts.remove(&id);
    let mut post = post.clone();
    if let (None, Some(organization)) = (fields.get("organization_id"), post.take("organization_id")) {
        fields.0.push(("organization_id".to_owned(), organization));
    }
    post
}

/// The slug of a person or organization, shortened for the slug of a membership.
fn member_slug(reference: &Tree) -> String {
    slugify(&scalar_text(reference).unwrap_or_default(), MEMBER_SLUG_BYTES)
}
