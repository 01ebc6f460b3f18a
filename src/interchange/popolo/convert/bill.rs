//! Converts bills of Open Civic Data to proposals, with their actions and sponsors.

use std::collections::{HashMap, HashSet};

use super::builder::{RecordBuilder, map_tree, take_objects};
use super::state::Conversion;
use crate::entity::RecordType;
use crate::interchange::popolo::bill_vocabulary::{Standing, action_classification, bill_kind};
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::{FieldMap, scalar_text};
use crate::interchange::popolo::model::PopoloItem;
use crate::interchange::slug::{MAX_SLUG_BYTES, short_hash, slugify};
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

const CLASS: PopoloClass = PopoloClass::Bill;

/// Maximum length of the slug of a sponsor in the key of a sponsorship.
const SPONSOR_KEY_BYTES: usize = 60;

/// How sponsorships of unknown people are reported.
const UNKNOWN_SPONSORS: &str = "bills.sponsorships of people who are neither in the import nor in the database";

/// What the other fields of a bill repeat of an action.
struct BillAction {
    /// As the file writes it.
    date: Option<String>,
    text: Option<String>,
    classifications: Vec<String>,
}

impl Conversion {
    /// Converts a bill. Its status is what its actions plainly say; a new bill without it is `introduced`, and a stored one
    /// keeps what it has.
    pub(super) fn convert_bill(&mut self, item: PopoloItem) {
        let (mut fields, Some(id)) = (item.fields, item.id) else { return };
        let is_known = self.is_known(CLASS, &id);
        let identifier = fields.take_text("identifier");
        let place = fields.get_text("area_id").and_then(|id| id.rsplit(':').next().map(str::to_owned));
        let words: Vec<String> = [place, fields.get_text("session"), identifier.clone()].into_iter().flatten().collect();
        let slug = self.slug_by_id(CLASS, &id, &slugify(&words.join(" "), MAX_SLUG_BYTES));
        self.slugs.insert((CLASS, id.clone()), slug.clone());
        let title = fields.take_text("title");
        if title.is_none() && !is_known {
            let message = "title is missing; give the bill a title";
            return self.problems.push(InputProblem::new(item.origin.child("title", None), message));
        }
        let mut builder = RecordBuilder::new(&slug, item.origin);
        builder.set_translated("title", &self.lang, title.map(|text| text.lines().collect::<Vec<_>>().join(" ")).as_deref());
        builder.set_text("identifier", identifier.as_deref());
        let name = identifier.unwrap_or_else(|| id.clone());
        self.convert_kind(&mut builder, &mut fields, is_known, &name);
        let actions = self.convert_actions(&mut builder, &mut fields);
        self.convert_status(&mut builder, &actions, is_known, &name);
        drop_repeated(&mut fields, &actions);
        self.convert_sponsors(&mut builder, &mut fields);
        self.convert_abstracts(&mut builder, &mut fields);
        self.convert_jurisdiction(&mut builder, &mut fields);
        self.convert_identifiers(&mut builder, &mut fields, CLASS, Some(&id), &format!("bill {slug}"));
        self.convert_sources(&mut builder, &mut fields, CLASS);
        self.omissions.count_remaining("bills", fields.remaining(), &builder.origin);
        self.records.push((RecordType::Proposal, builder));
    }

    /// Sets the kind: the first classification that is one.
    fn convert_kind(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap, is_known: bool, name: &str) {
        let mut kind = None;
        for tree in take_scalars(fields, "classification") {
            match (kind, scalar_text(&tree).as_deref().and_then(bill_kind)) {
                (None, Some(found)) => kind = Some(found),
                (Some(kind), Some(other)) if kind == other => {}
                (Some(_), Some(_)) => self.omissions.count("bills.classification beyond the first", &tree, &builder.origin),
                (_, None) => self.omissions.count("bills.classification outside of the vocabulary", &tree, &builder.origin),
            }
        }
        if kind.is_none() && !is_known {
            self.omissions.count_text(
                "bills whose classification is no kind of proposal, which are of the kind bill",
                name,
                &builder.origin,
            );
        }
        builder.set_text("kind", kind.or_else(|| (!is_known).then_some("bill")));
    }

    /// Sets the actions in their order, and the day of the introduction. Returns the actions in the order of
    /// their dates, if all have one.
    fn convert_actions(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) -> Vec<BillAction> {
        const PATH: &str = "bills.actions";
        let mut objects = take_objects(fields, "actions");
        sort_by_position(&mut objects);
        let mut actions: Vec<BillAction> = Vec::new();
        let (mut parts, mut keys) = (Vec::new(), HashMap::new());
        let mut introduced: Option<Tree> = None;
        for (line, mut action) in objects {
            let origin = Origin { line: line.or(builder.origin.line), ..builder.origin.clone() };
            let written = action.get_text("date");
            let text = action.take_text("description");
            let date = self.take_date(&mut action, "date", PATH, &origin);
            let classifications: Vec<(String, Tree)> =
                take_scalars(&mut action, "classification").into_iter().filter_map(|tree| Some((scalar_text(&tree)?, tree))).collect();
            let names: Vec<String> = classifications.iter().map(|(name, _)| name.clone()).collect();
            let classification = action_classification(&names);
            for (name, tree) in classifications.iter().filter(|(name, _)| classification.is_none_or(|(kept, _)| kept != name)) {
                let is_vocabulary = action_classification(std::slice::from_ref(name)).is_some();
                let reason = if is_vocabulary { "beyond the first" } else { "outside of the vocabulary" };
                self.omissions.count(format!("{PATH}.classification {reason}"), tree, &origin);
            }
            let organization = self.take_found_organization(&mut action, &origin);
            self.omissions.count_remaining(PATH, action.remaining(), &origin);
            if text.is_none() && date.is_none() && names.is_empty() {
                continue;
            }
            if names.iter().any(|name| name == "introduction") && introduced.is_none() {
                introduced.clone_from(&date);
            }
            let organization_slug = organization.as_ref().and_then(scalar_text);
            let values = [written.as_ref(), text.as_ref(), organization_slug.as_ref()];
            let identity = values.map(|value| value.map_or("", String::as_str)).join("\n");
            let mut entries = vec![("key", Tree::text(line, numbered_key(&identity, &mut keys)))];
            entries.extend(date.map(|date| ("date", date)));
            entries.extend(organization.map(|organization| ("organization", organization)));
            entries.push(("classification", Tree::text(line, classification.map_or("other", |(_, of)| of))));
            if let Some(text) = &text {
                entries.push(("text", map_tree(line, vec![(&*self.lang, Tree::text(line, text))])));
            }
            parts.push(map_tree(line, entries));
            actions.push(BillAction { date: written, text, classifications: names });
        }
        builder.set("introducedOn", introduced);
        builder.set_list("actions", parts);
        if actions.iter().all(|action| action.date.is_some()) {
            actions.sort_by(|one, other| one.date.cmp(&other.date));
        }
        actions
    }

    /// Sets the status that the actions plainly say.
    fn convert_status(&mut self, builder: &mut RecordBuilder, actions: &[BillAction], is_known: bool, name: &str) {
        let standing = actions.iter().fold(Standing::default(), |standing, action| standing.after(&action.classifications));
        let status = standing.status();
        if standing == Standing::BecameLaw {
            let reason = "bills that became law without a signature, whose status is passed";
            self.omissions.count_text(reason, name, &builder.origin);
        }
        if status.is_none() && !is_known {
            let reason = "bills whose actions do not say their status, which is introduced";
            self.omissions.count_text(reason, name, &builder.origin);
        }
        builder.set_text("status", status.or_else(|| (!is_known).then_some("introduced")));
    }

    /// Sets the sponsors that are in the import or in the database. Others are reported.
    fn convert_sponsors(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) {
        const PATH: &str = "bills.sponsorships";
        let (mut parts, mut keys) = (Vec::new(), HashSet::new());
        for (line, mut sponsor) in take_objects(fields, "sponsorships") {
            let origin = Origin { line: line.or(builder.origin.line), ..builder.origin.clone() };
            let name = ["name", "person_id"].into_iter().find_map(|field| sponsor.get_text(field));
            let person_id = sponsor.get_text("person_id");
            let is_found = person_id.as_ref().is_some_and(|id| self.is_found(PopoloClass::Person, id));
            let (field, reference) = if is_found {
                ("person", self.take_reference(&mut sponsor, "person_id", PopoloClass::Person, &origin))
            } else {
                ("organization", self.take_found_organization(&mut sponsor, &origin))
            };
            let Some((slug, reference)) = reference.and_then(|tree| Some((scalar_text(&tree)?, tree))) else {
                let reason =
                    if person_id.is_some() { UNKNOWN_SPONSORS } else { "bills.sponsorships without the id of a person or an organization" };
                self.omissions.count_text(reason, name.as_deref().unwrap_or_default(), &origin);
                continue;
            };
            if sponsor.get_text("entity_type").as_deref() == Some(field) {
                sponsor.take("entity_type");
            }
            let role = take_role(&mut sponsor);
            let identity = format!("{field} {slug}\n{}", role.as_deref().unwrap_or(""));
            let key = format!("{}-{}", slugify(&slug, SPONSOR_KEY_BYTES), short_hash(&identity));
            self.omissions.count_remaining(PATH, sponsor.remaining(), &origin);
            if keys.insert(key.clone()) {
                let mut entries = vec![("key", Tree::text(line, &key)), (field, reference)];
                entries.extend(role.map(|role| ("role", Tree::text(line, &role))));
                parts.push(map_tree(line, entries));
            } else {
                self.omissions.count_text(format!("{PATH} that are given twice"), name.as_deref().unwrap_or_default(), &origin);
            }
        }
        builder.set_list("sponsors", parts);
    }

    /// Sets the summary to the abstracts, each a paragraph.
    fn convert_abstracts(&mut self, builder: &mut RecordBuilder, fields: &mut FieldMap) {
        let mut paragraphs: Vec<String> = Vec::new();
        for (_, mut part) in take_objects(fields, "abstracts") {
            let text = part.take_text("abstract");
            paragraphs.extend(text.filter(|text| !paragraphs.contains(text)));
            self.omissions.count_remaining("bills.abstracts", part.remaining(), &builder.origin);
        }
        builder.set_translated("summary", &self.lang, (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n")).as_deref());
    }

    /// Takes the organization of a part, if it is in the import or in the database.
    fn take_found_organization(&mut self, part: &mut FieldMap, origin: &Origin) -> Option<Tree> {
        let id = part.get_text("organization_id")?;
        if !self.is_found(PopoloClass::Organization, &id) {
            return None;
        }
        self.take_reference(part, "organization_id", PopoloClass::Organization, origin)
    }
}

/// Takes the role of a sponsor, and whether it is primary where the role says the same.
fn take_role(sponsor: &mut FieldMap) -> Option<String> {
    let classification = sponsor.take_text("classification");
    let is_primary = match sponsor.get("primary").map(|tree| &tree.value) {
        Some(Value::Boolean(is_primary)) => Some(*is_primary),
        Some(Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) | Value::Invalid) | None => None,
    };
    let role = classification.or_else(|| (is_primary == Some(true)).then(|| "primary".to_owned()));
    let said = match role.as_deref() {
        Some("primary") => Some(true),
        Some("cosponsor") | None => Some(false),
        Some(_) => None,
    };
    if is_primary.is_some() && is_primary == said {
        sponsor.take("primary");
    }
    role
}

/// Takes the fields of a bill that repeat what its actions say. Those that say something else remain.
fn drop_repeated(fields: &mut FieldMap, actions: &[BillAction]) {
    let is_passage = |action: &&BillAction| action.classifications.iter().any(|name| name == "passage");
    let passage = actions.iter().rfind(is_passage).and_then(|action| action.date.clone());
    let first = actions.iter().find_map(|action| action.date.clone());
    let last = actions.last().and_then(|action| action.date.clone());
    for (name, value) in [("first_action_date", first), ("latest_action_date", last), ("latest_passage_date", passage)] {
        if value.is_some() && fields.get_text(name) == value {
            fields.take(name);
        }
    }
    let description = fields.get_text("latest_action_description");
    if description.is_some() && actions.iter().any(|action| action.text == description) {
        fields.take("latest_action_description");
    }
}

/// Sorts actions by their positions, if each has one, and takes these.
fn sort_by_position(actions: &mut [(Option<usize>, FieldMap)]) {
    let position = |(_, action): &(Option<usize>, FieldMap)| match action.get("order").map(|tree| &tree.value) {
        Some(Value::Number(number)) => number.integer(),
        Some(Value::Null | Value::Boolean(_) | Value::Text(_) | Value::List(_) | Value::Map(_) | Value::Invalid) | None => None,
    };
    if actions.iter().all(|action| position(action).is_some()) {
        actions.sort_by_key(position);
        for (_, action) in actions {
            action.take("order");
        }
    }
}

/// The key of a part: a hash of what it says, numbered if another says the same.
fn numbered_key(identity: &str, counts: &mut HashMap<String, usize>) -> String {
    let count = counts.entry(identity.to_owned()).or_default();
    *count += 1;
    if *count == 1 { short_hash(identity) } else { format!("{}-{count}", short_hash(identity)) }
}

/// Takes the texts and numbers of a list, or the one that stands in its place. Other values remain.
fn take_scalars(fields: &mut FieldMap, name: &str) -> Vec<Tree> {
    let Some(tree) = fields.take(name) else { return Vec::new() };
    let line = tree.line;
    let (scalars, others): (Vec<Tree>, Vec<Tree>) = match tree.value {
        Value::List(items) => items.into_iter().partition(|item| scalar_text(item).is_some()),
        value => [Tree { line, value }].into_iter().partition(|item| scalar_text(item).is_some()),
    };
    if !others.is_empty() {
        fields.0.push((name.to_owned(), Tree { line, value: Value::List(others) }));
    }
    scalars
}
