//! Converts memberships, and merges posts, areas and legislative periods into them.

use super::builder::RecordBuilder;
use super::converted::{ConvertedEvent, ConvertedMembership};
use super::state::{Conversion, NoteKind};
use crate::core::normalize::fold;
use crate::core::path::DisplayPath;
use crate::interchange::omissions::place;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::{FieldMap, scalar_text};
use crate::interchange::popolo::model::PopoloItem;
use crate::interchange::popolo::nested::MEMBER_FIELDS;
use crate::interchange::popolo::normalize::{take_display_name, take_name_parts};
use crate::store::draft::value_tree::Tree;
use crate::store::draft::{InputProblem, Origin};

/// Classifications of events that are periods of memberships, folded.
const PERIOD_CLASSIFICATIONS: [&str; 5] = ["legislative period", "parliamentary term", "legislative term", "period", "term"];
/// How memberships of unknown people are reported.
const UNKNOWN_MEMBERS: &str = "memberships of people who are neither in the import nor in the database";
/// Fields that identify a new membership without an id.
const IDENTIFYING_FIELDS: [&str; 8] =
    ["person_id", "organization_id", "on_behalf_of_id", "post_id", "role", "area_id", "legislative_period_id", "start_date"];

impl Conversion {
    /// Keeps an event, to which memberships can refer as their legislative period, and speeches as their occasion.
    pub(super) fn collect_event(&mut self, item: PopoloItem) {
        let (mut fields, origin) = (item.fields, item.origin);
        // what an event is by being a period of memberships needs no field
        if fields.get_text("classification").is_some_and(|text| PERIOD_CLASSIFICATIONS.contains(&fold(&text).as_str())) {
            fields.take("classification");
        }
        let name = take_display_name(&mut fields);
        take_name_parts(&mut fields);
        let event = ConvertedEvent {
            name,
            start: self.take_date(&mut fields, "start_date", "events", &origin),
            end: self.take_date(&mut fields, "end_date", "events", &origin),
            origin: origin.clone(),
            is_used: false,
            is_period: false,
        };
        self.omissions.count_remaining("events", fields.remaining(), &origin);
        self.events.insert(item.id.unwrap_or_default(), event);
    }

    /// Converts a membership. One without a person or an organization is omitted with a note.
    pub(super) fn convert_membership(&mut self, item: PopoloItem) {
        const CLASS: PopoloClass = PopoloClass::Membership;
        let (mut fields, origin) = (item.fields, item.origin);
        let mut post = self.take_post(&mut fields);
        if !self.is_of_person(&mut fields, &origin) || !self.has_members(&fields, &origin) {
            return;
        }
        if self.reports_unknown_references
            && let Some(id) = fields.get_text("person_id")
        {
            if !self.is_found(PopoloClass::Person, &id) {
                let name = fields.get_text("name").unwrap_or(id);
                return self.omissions.count_text(UNKNOWN_MEMBERS, &name, &origin);
            }
            // a member of a committee has the name of the person
            if fields.get_text("name").as_ref() == self.names.get(&(PopoloClass::Person, id)) {
                fields.take("name");
            }
        }
        let values: Vec<String> = IDENTIFYING_FIELDS.iter().map(|name| fields.get_text(name).unwrap_or_default()).collect();
        let person = self.take_reference(&mut fields, "person_id", PopoloClass::Person, &origin);
        let organization = self.take_reference(&mut fields, "organization_id", PopoloClass::Organization, &origin);
        let on_behalf_of = self.take_reference(&mut fields, "on_behalf_of_id", PopoloClass::Organization, &origin);
        let (Some(person), Some(organization)) = (person, organization) else { return };
        let mut builder = RecordBuilder { entries: Vec::new(), origin, found_by: None };
        let role = fields.take_text("role").or_else(|| post.take_text("role"));
        let post_label = post.take_text("label").or_else(|| post.take_text("name")).or_else(|| post.take_text("other_label"));
        let title = fields.take_text("label").or_else(|| post_label.clone()).or_else(|| role.clone());
        let post_name = post_label.or_else(|| fields.take_text("post"));
        let area = match self.take_area_name(&mut fields) {
            Some(area) => Some(area),
            None => self.take_area_name(&mut post),
        };
        let (mut start, mut end) = (
            self.take_date(&mut fields, "start_date", "memberships", &builder.origin),
            self.take_date(&mut fields, "end_date", "memberships", &builder.origin),
        );
        let mut period_name = None;
        if let Some(period) = fields.get_text("legislative_period_id").and_then(|id| self.events.get_mut(&id)) {
            fields.take("legislative_period_id");
            (period.is_used, period.is_period) = (true, true);
            period_name.clone_from(&period.name);
            builder.set_text("legislativePeriod", period.name.as_deref());
            builder.set("periodStart", period.start.clone());
            builder.set("periodEnd", period.end.clone());
            let (period_start, period_end) = (period.start.clone(), period.end.clone());
            if let Some((field, message)) = period_apart((start.as_ref(), end.as_ref()), (period_start.as_ref(), period_end.as_ref())) {
                let date = if field == "start_date" { &start } else { &end };
                let place_of_date = builder.origin.child(field, date.as_ref().and_then(|date| date.line));
                let message = format!("{}: {}: {message}", place(&place_of_date, None), DisplayPath(&place_of_date.path));
                self.notes.push((NoteKind::OtherPeriod, message));
            } else {
                start = start.or(period_start);
                end = end.or(period_end);
            }
        }
        let label = |title: String| [Some(title), area.clone(), period_name.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let new_label = label(title.clone().unwrap_or_else(|| "member".to_owned()));
        let text = |tree: &Option<Tree>| tree.as_ref().and_then(scalar_text);
        let converted = ConvertedMembership {
            id: item.id.clone(),
            person: scalar_text(&person).unwrap_or_default(),
            organization: scalar_text(&organization).unwrap_or_default(),
            on_behalf_of: text(&on_behalf_of),
            role: role.clone(),
            post: post_name.clone(),
            area: area.clone(),
            period: period_name.clone(),
            label: title.map(label),
            new_label,
            start: text(&start),
            end: text(&end),
            identity: values.join("\n"),
            builder: RecordBuilder { entries: Vec::new(), origin: builder.origin.clone(), found_by: None },
        };
        builder.set_text("role", role.as_deref());
        builder.set_text("post", post_name.as_deref());
        for (from, to) in [("start_date", "postStart"), ("end_date", "postEnd")] {
            let date = self.take_date(&mut post, from, "posts", &builder.origin);
            builder.set(to, date);
        }
        builder.set_text("area", area.as_deref());
        builder.set("start", start);
        builder.set("end", end);
        builder.take_texts(&mut fields, &[("end_reason", "endReason")]);
        builder.set("person", Some(person));
        builder.set("organization", Some(organization));
        builder.set("onBehalfOf", on_behalf_of);
        self.convert_links(&mut builder, &mut [(&mut fields, CLASS), (&mut post, PopoloClass::Post)]);
        self.convert_contact_details(&mut builder, &mut [(&mut fields, CLASS), (&mut post, PopoloClass::Post)]);
        let owner = format!("membership at {}", place(&builder.origin, None));
        self.convert_identifiers(&mut builder, &mut fields, CLASS, item.id.as_deref(), &owner);
        self.convert_sources(&mut builder, &mut fields, CLASS);
        self.omissions.count_remaining("memberships", fields.remaining(), &builder.origin);
        self.omissions.count_remaining("posts", post.remaining(), &builder.origin);
        self.memberships.push(ConvertedMembership { builder, ..converted });
    }

    /// Reads the member of a membership, which can be a person or an organization, as its person. Notes one that is an
    /// organization: memberships of records are those of people.
    fn is_of_person(&mut self, fields: &mut FieldMap, origin: &Origin) -> bool {
        let Some((given, id)) = MEMBER_FIELDS.into_iter().find_map(|name| Some((name, fields.get_text(name)?))) else { return true };
        let place_of_member = origin.child(given, fields.get(given).and_then(|tree| tree.line));
        let refusal = |message: String| InputProblem::new(place_of_member.clone(), message);
        if let Some(person) = fields.get_text("person_id") {
            if person == id {
                for name in MEMBER_FIELDS {
                    drop(fields.take(name));
                }
                return true;
            }
            self.problems.push(refusal(format!("{given} is \"{id}\", but person_id is \"{person}\"; keep one of them")));
            return false;
        }
        let name = fields.get_text("name").unwrap_or_else(|| id.clone());
        match [PopoloClass::Person, PopoloClass::Organization].map(|class| self.is_found(class, &id)) {
            [true, false] => {
                let person = fields.take(given);
                for name in MEMBER_FIELDS {
                    drop(fields.take(name));
                }
                fields.0.extend(person.map(|id| ("person_id".to_owned(), id)));
                true
            }
            [false, true] => {
                let path = DisplayPath(&origin.path);
                let message = "is an organization, and memberships are those of people, so this one is omitted";
                self.notes
                    .push((NoteKind::OrganizationAsMember, format!("{}: {path}: the member \"{id}\" {message}", place(origin, None))));
                false
            }
            [true, true] => {
                self.problems
                    .push(refusal(format!("both a person and an organization have the id \"{id}\"; write person_id in place of {given}")));
                false
            }
            [false, false] if self.reports_unknown_references => {
                self.omissions.count_text(UNKNOWN_MEMBERS, &name, origin);
                false
            }
            [false, false] => {
                self.problems
                    .push(refusal(format!("no person and no organization has the id \"{id}\", neither in the import nor in the database")));
                false
            }
        }
    }

    /// Whether a membership refers to a person and an organization; notes the one that is missing.
    fn has_members(&mut self, fields: &FieldMap, origin: &Origin) -> bool {
        let missing = match (fields.get("person_id"), fields.get("organization_id")) {
            (Some(_), Some(_)) => return true,
            (None, _) => "person",
            (Some(_), None) => "organization",
        };
        let path = DisplayPath(&origin.path);
        let text = format!("{}: {path}: the membership has no {missing} and is omitted", place(origin, None));
        self.notes.push((NoteKind::IncompleteMembership, text));
        false
    }

    /// Takes the post of a membership, and its organization if the membership has none; empty without a known post.
    fn take_post(&mut self, fields: &mut FieldMap) -> FieldMap {
        let post = fields.get_text("post_id").and_then(|id| self.posts.fields(&id));
        let Some(mut post) = post else { return FieldMap(Vec::new()) };
        fields.take("post_id");
        let (own, of_post) = (fields.get_text("organization_id"), post.get_text("organization_id"));
        if (own.is_none() || own == of_post)
            && let Some(organization) = post.take("organization_id")
        {
            fields.take("organization_id");
            fields.0.push(("organization_id".to_owned(), organization));
        }
        post
    }
}

/// Why a legislative period gives a membership with a start or an end no other date: the period is over before, or begins after it.
/// The first is the field with the date.
fn period_apart(
    (start, end): (Option<&Tree>, Option<&Tree>),
    (period_start, period_end): (Option<&Tree>, Option<&Tree>),
) -> Option<(&'static str, String)> {
    let ends_early = if end.is_none() { earlier(period_end, start) } else { None };
    let begins_late = if start.is_none() { earlier(end, period_start) } else { None };
    match (ends_early, begins_late) {
        (Some((period, _)), _) => Some((
            "start_date",
            format!(
                "the membership has no end, because its legislative period ends {period} before it starts; correct the period or the start"
            ),
        )),
        (None, Some((_, period))) => Some((
            "end_date",
            format!(
                "the membership has no start, because its legislative period starts {period} after it ends; correct the period or the end"
            ),
        )),
        (None, None) => None,
    }
}

/// Two partial dates as texts, if the first is before the second one. A month is not before its year, nor the year before it.
fn earlier(one: Option<&Tree>, other: Option<&Tree>) -> Option<(String, String)> {
    let (one, other) = (scalar_text(one?)?, scalar_text(other?)?);
    (one < other && !other.starts_with(&one)).then_some((one, other))
}
