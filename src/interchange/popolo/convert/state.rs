//! State of a conversion, and its result.

use std::collections::{HashMap, HashSet};

use super::builder::RecordBuilder;
use super::converted::{ConvertedEvent, ConvertedMembership, NamedArea, ReferredItems};
use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::interchange::omissions::{Omissions, place};
use crate::interchange::popolo::class::PopoloClass;
use crate::interchange::popolo::fields::FieldMap;
use crate::interchange::popolo::lookup::KnownRecords;
use crate::interchange::popolo::model::PopoloItem;
use crate::interchange::popolo::normalize::{display_name, has_time_of_day, normalize_date};
use crate::store::draft;
use crate::store::draft::alike::group_by_kind;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, InputProblem, Origin};

/// What a note about an item says. Of alike notes, the first are given and the others counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NoteKind {
    /// The item gets another slug than that of its name.
    OtherSlug,
    /// The record of the item was merged.
    Merged,
    /// A membership lacks the person or the organization.
    IncompleteMembership,
    /// An identifier is that of another record, too.
    SharedIdentifier,
    /// A legislative period does not overlap the time of the membership.
    OtherPeriod,
    /// The member is an organization.
    OrganizationAsMember,
}

/// The records of a Popolo import.
#[derive(Debug, Default)]
pub struct ConvertedRecords {
    /// Records by type.
    pub drafts: Vec<(RecordType, Draft)>,
    /// Problems that prevent the import.
    pub problems: Vec<InputProblem>,
    /// Notes for the user that do not prevent the import.
    pub notes: Vec<String>,
}

pub(super) struct Conversion {
    /// Identifier scheme of the ids of persons.
    pub(super) scheme: String,
    /// Language tag of names and other text.
    pub(super) lang: String,
    pub(super) known: KnownRecords,
    pub(super) problems: Vec<InputProblem>,
    pub(super) omissions: Omissions,
    pub(super) notes: Vec<(NoteKind, String)>,
    /// Whether a reference to a record that is neither in the import nor in the database is reported instead of a problem:
    /// Open States publishes people apart from their committees and bills.
    pub(super) reports_unknown_references: bool,
    /// Slugs by class and id.
    pub(super) slugs: HashMap<(PopoloClass, String), String>,
    /// Items whose records were merged into that of another item, by class and id.
    pub(super) merged: HashSet<(PopoloClass, String)>,
    /// Names by class and id.
    pub(super) names: HashMap<(PopoloClass, String), String>,
    /// Events by id.
    pub(super) events: HashMap<String, ConvertedEvent>,
    /// Areas by id.
    pub(super) areas: HashMap<String, NamedArea>,
    pub(super) posts: ReferredItems,
    pub(super) motions: ReferredItems,
    /// Slugs of new sources by URL.
    pub(super) new_sources: HashMap<String, String>,
    /// Ids of the items as identifiers, by scheme and value: the class and the place of each.
    pub(super) own_ids: HashMap<(String, String), (PopoloClass, String)>,
    /// Owners of identifiers by scheme and value.
    pub(super) identifier_owners: HashMap<(String, String), String>,
    /// Memberships whose slugs are not assigned yet.
    pub(super) memberships: Vec<ConvertedMembership>,
    pub(super) records: Vec<(RecordType, RecordBuilder)>,
}

impl Conversion {
    pub(super) fn new(scheme: String, lang: String, known: KnownRecords, problems: Vec<InputProblem>, omissions: Omissions) -> Self {
        Self {
            scheme,
            lang,
            known,
            problems,
            omissions,
            notes: Vec::new(),
            reports_unknown_references: false,
            slugs: HashMap::new(),
            merged: HashSet::new(),
            names: HashMap::new(),
            events: HashMap::new(),
            areas: HashMap::new(),
            posts: ReferredItems::default(),
            motions: ReferredItems::default(),
            new_sources: HashMap::new(),
            own_ids: HashMap::new(),
            identifier_owners: HashMap::new(),
            memberships: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Keeps the ids of items, which no other item may have as an identifier.
    pub(super) fn collect_ids(&mut self, items: &[PopoloItem]) {
        for item in items {
            if let (Some(id), Some(_)) = (&item.id, item.class.record_type()) {
                let identifier = (item.class.scheme(&self.scheme), id.clone());
                self.own_ids.entry(identifier).or_insert_with(|| (item.class, place(&item.origin, None)));
            }
        }
    }

    /// Whether the database has the record of an item.
    pub(super) fn is_known(&self, class: PopoloClass, id: &str) -> bool {
        class.record_type().is_some_and(|ty| self.known.slugs_by_id.contains_key(&(ty, id.to_owned())))
    }

    /// Whether an item is in the import or its record in the database.
    pub(super) fn is_found(&self, class: PopoloClass, id: &str) -> bool {
        self.slugs.contains_key(&(class, id.to_owned())) || self.is_known(class, id)
    }

    /// Takes a date, normalized. What it says and a date cannot keep counts as omitted: a time of day, or that a date of zeros
    /// is unknown. `path` is the list of the objects, such as `persons.other_names`.
    pub(super) fn take_date(&mut self, fields: &mut FieldMap, name: &str, path: &str, origin: &Origin) -> Option<Tree> {
        let tree = fields.take_text_tree(name)?;
        let text = FieldMap(vec![(name.to_owned(), tree.clone())]).get_text(name)?;
        if has_time_of_day(&text) {
            self.omissions.count(format!("{path}.{name} time of day"), &tree, origin);
        }
        let date = normalize_date(&text);
        if date.is_none() {
            self.omissions.count(format!("{path}.{name} without a year"), &tree, origin);
        }
        Some(Tree::text(tree.line, &date?))
    }

    /// Counts posts, motions, events and areas that nothing refers to.
    pub(super) fn count_unused(&mut self) {
        let motion_text = |fields: &FieldMap| fields.get_text("text").unwrap_or_default();
        let post_name = |fields: &FieldMap| display_name(fields).unwrap_or_default();
        for (fields, origin) in std::mem::take(&mut self.posts).unused() {
            self.omissions.count_text("posts without memberships", &post_name(&fields), &origin);
        }
        for (fields, origin) in std::mem::take(&mut self.motions).unused() {
            self.omissions.count_text("motions without vote events", &motion_text(&fields), &origin);
        }
        for event in self.events.values().filter(|event| event.is_used && !event.is_period) {
            for (field, date) in [("start_date", &event.start), ("end_date", &event.end)] {
                if let Some(date) = date {
                    self.omissions.count(format!("events.{field}"), date, &event.origin);
                }
            }
        }
        for event in self.events.values().filter(|event| !event.is_used) {
            self.omissions.count_text("events without memberships and speeches", event.name.as_deref().unwrap_or_default(), &event.origin);
        }
        let areas = self.areas.iter().filter(|(id, area)| !area.is_used && !self.slugs.contains_key(&(PopoloClass::Area, (*id).clone())));
        for (_, area) in areas {
            self.omissions.count_text("areas without Open Civic Data id that nothing refers to", &area.name, &area.origin);
        }
    }

    /// Parses the records into drafts and completes the notes.
    pub(super) fn finish(self, cleaned: Option<(String, usize)>) -> ConvertedRecords {
        let mut drafts = Vec::new();
        for (ty, builder) in self.records {
            let tree = Tree { line: builder.origin.line, value: Value::Map(builder.entries) };
            let draft = draft::parse::record(catalog().get(ty), &tree, &builder.origin);
            drafts.push((ty, Draft { merges_stored: true, found_by: builder.found_by, ..draft }));
        }
        let mut notes = group_by_kind(&self.notes);
        notes.extend(cleaned.map(|(place, count)| {
            let more = if count > 1 { format!(", and in {} more texts", count - 1) } else { String::new() };
            format!("{place}: invisible characters were removed{more}")
        }));
        notes.extend(self.omissions.summary());
        ConvertedRecords { drafts, problems: self.problems, notes }
    }
}
