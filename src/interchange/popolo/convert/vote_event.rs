//! Converts vote events with their motions, counts and votes.

use super::builder::{RecordBuilder, map_tree, take_objects};
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::FieldMap;
use crate::interchange::popolo::model::PopoloItem;
use crate::interchange::popolo::normalize::{vote_option, vote_result};
use crate::interchange::slug::slugify;
use crate::store::draft::value_tree::Tree;
use crate::store::draft::{InputProblem, Origin};

/// How votes of unknown people are reported.
const UNKNOWN_VOTERS: &str = "vote_events.votes of people who are neither in the import nor in the database";

/// Maximum length of the wording of a motion in the slug of its vote event.
const MOTION_SLUG_BYTES: usize = 60;

impl Conversion {
    /// Converts a vote event. What it does not say is taken from its motion, which becomes a part of it.
    pub(super) fn convert_vote_event(&mut self, item: PopoloItem) {
        const CLASS: PopoloClass = PopoloClass::VoteEvent;
        let (mut fields, Some(id)) = (item.fields, item.id) else { return };
        let motion_id = fields.get_text("motion_id");
        let motion = motion_id.as_ref().and_then(|id| self.motions.fields(id));
        let proposal = motion_id.as_ref().and_then(|id| self.known.slugs_by_id.get(&(RecordType::Proposal, id.clone()))).cloned();
        if motion.is_some() || proposal.is_some() {
            fields.take("motion_id");
        }
        let bill = fields.get_text("bill_id").and_then(|id| self.slugs.get(&(PopoloClass::Bill, id))).cloned();
        if bill.is_some() {
            fields.take("bill_id");
        }
        let is_of_bill = bill.is_some();
        let proposal = proposal.or(bill);
        let mut motion = motion.unwrap_or_else(|| FieldMap(Vec::new()));
        let text = motion.take_text("text").or_else(|| motion.take_text("title")).or_else(|| fields.take_text("title"));
        let is_known = self.is_known(CLASS, &id);
        if text.is_none() && !is_known {
            let (name, message) = if is_of_bill {
                ("motion_text", "motion_text is missing; give the vote the text of its motion")
            } else {
                ("motion", "the vote event has no motion with a text; give it a motion, or put the motion into the list motions")
            };
            return self.problems.push(InputProblem::new(item.origin.child(name, None), message));
        }
        let base = slugify(text.as_deref().unwrap_or_default(), MOTION_SLUG_BYTES);
        let slug = self.slug_by_id(CLASS, &id, &base);
        let mut builder = RecordBuilder::new(&slug, item.origin);
        builder.set_translated("motion", &self.lang, text.map(|text| text.lines().collect::<Vec<_>>().join(" ")).as_deref());
        let date = match self.take_date(&mut fields, "start_date", "vote_events", &builder.origin) {
            None => self.take_date(&mut motion, "date", "motions", &builder.origin),
            date => date,
        };
        builder.set("date", date);
        convert_result(&mut builder, (&mut fields, &mut motion), is_known);
        self.convert_counts(&mut builder, &mut fields);
        builder.set_text("proposal", proposal.as_deref());
        let own = if fields.get("organization_id").is_some() { &mut fields } else { &mut motion };
        let organization = self.take_reference(own, "organization_id", PopoloClass::Organization, &builder.origin);
        builder.set("organization", organization);
        self.convert_votes(&mut builder, &mut fields);
        self.convert_identifiers(&mut builder, &mut fields, CLASS, Some(&id), &format!("vote event {slug}"));
        if fields.get("sources").is_none()
            && let Some(sources) = motion.take("sources")
        {
            fields.0.push(("sources".to_owned(), sources));
        }
        self.convert_sources(&mut builder, &mut fields, CLASS);
        self.omissions.count_remaining("vote_events", fields.remaining(), &builder.origin);
        self.omissions.count_remaining("motions", motion.remaining(), &builder.origin);
        self.records.push((RecordType::VoteEvent, builder));
    }

    /// Sets the counts of the options. Counts of a group or of another option are omitted.
    fn convert_counts(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) {
        let mut counts = Vec::new();
        for (line, mut count) in take_objects(fields, "counts") {
            let option = count.get_text("option").as_deref().and_then(vote_option);
            if let (Some(option), Some(value), None) = (option, count.get("value").cloned(), count.get("group_id")) {
                count.take("option");
                count.take("value");
                counts.push(map_tree(line, vec![("option", Tree::text(line, option)), ("value", whole_number(value))]));
            }
            self.omissions.count_remaining("vote_events.counts", count.remaining(), &builder.origin);
        }
        builder.set_list("counts", counts);
    }

    /// Sets the votes of people. Votes of organizations and other options are omitted.
    fn convert_votes(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) {
        let mut votes = Vec::new();
        let origin = builder.origin.child("votes", None);
        for (line, mut vote) in take_objects(fields, "votes") {
            let option = vote.get_text("option").as_deref().and_then(vote_option);
            let voter = vote.get_text("voter_id");
            if self.reports_unknown_references && !voter.as_ref().is_some_and(|id| self.is_found(PopoloClass::Person, id)) {
                let reason = if voter.is_some() { UNKNOWN_VOTERS } else { "vote_events.votes without the id of a voter" };
                let name = ["voter_name", "voter.name", "voter_id"].into_iter().find_map(|name| vote.get_text(name));
                self.omissions.count_text(reason, name.as_deref().unwrap_or_default(), &Origin { line, ..origin.clone() });
                continue;
            }
            let is_organization =
                voter.as_ref().is_some_and(|id| !self.is_found(PopoloClass::Person, id) && self.is_found(PopoloClass::Organization, id));
            if let (Some(option), Some(_), false) = (option, voter, is_organization) {
                vote.take("option");
                if let Some(person) = self.take_reference(&mut vote, "voter_id", PopoloClass::Person, &origin) {
                    votes.push(map_tree(line, vec![("key", person.clone()), ("person", person), ("option", Tree::text(line, option))]));
                }
            }
            self.omissions.count_remaining("vote_events.votes", vote.remaining(), &origin);
        }
        builder.set_list("votes", votes);
    }
}

/// Sets the result: that of the vote event or of its motion. A new record without a known one has the result `other`.
fn convert_result(builder: &mut RecordBuilder, (fields, motion): (&mut FieldMap, &mut FieldMap), is_known: bool) {
    let own = if fields.get("result").is_some() { fields } else { motion };
    let result = own.get_text("result").as_deref().and_then(vote_result);
    if result.is_some() {
        own.take("result");
    }
    builder.set_text("result", result.or_else(|| (!is_known).then_some("other")));
}

/// A number that is given as text, as a number.
fn whole_number(tree: Tree) -> Tree {
    use crate::store::draft::value_tree::Value;
    let number = if let Value::Text(text) = &tree.value { text.parse::<i64>().ok() } else { None };
    match number {
        Some(number) => Tree { value: Value::Number(number.into()), ..tree },
        None => tree,
    }
}
