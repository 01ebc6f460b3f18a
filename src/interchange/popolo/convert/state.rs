//! State of a conversion, and its result.

use std::collections::HashMap;

use super::builder::RecordBuilder;
use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::interchange::popolo::lookup::KnownRecords;
use crate::interchange::popolo::model::{Omissions, PopoloClass};
use crate::store::draft;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{Draft, InputProblem};

/// Maximum number of notes about single items; further notes are only counted.
const MAX_ITEM_NOTES: usize = 50;

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

/// A legislative period, which memberships refer to.
#[derive(Debug, Default)]
pub(super) struct LegislativePeriod {
    pub(super) name: Option<String>,
    pub(super) start: Option<Tree>,
    pub(super) end: Option<Tree>,
    /// Whether the event is classified as a legislative period.
    pub(super) is_term: bool,
    pub(super) is_used: bool,
}

pub(super) struct Conversion {
    /// Identifier scheme of the ids of persons.
    pub(super) scheme: String,
    /// Language tag of names and other text.
    pub(super) lang: String,
    pub(super) known: KnownRecords,
    pub(super) problems: Vec<InputProblem>,
    pub(super) omissions: Omissions,
    pub(super) notes: Vec<String>,
    /// Slugs by class and id.
    pub(super) slugs: HashMap<(PopoloClass, String), String>,
    /// Names by class and id.
    pub(super) names: HashMap<(PopoloClass, String), String>,
    /// Legislative periods by id.
    pub(super) periods: HashMap<String, LegislativePeriod>,
    /// Slugs of new sources by URL.
    pub(super) new_sources: HashMap<String, String>,
    /// Owners of identifiers by scheme and value.
    pub(super) identifier_owners: HashMap<(String, String), String>,
    /// Number of memberships by identifying text, for those without an id.
    pub(super) membership_counts: HashMap<String, usize>,
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
            slugs: HashMap::new(),
            names: HashMap::new(),
            periods: HashMap::new(),
            new_sources: HashMap::new(),
            identifier_owners: HashMap::new(),
            membership_counts: HashMap::new(),
            records: Vec::new(),
        }
    }

    /// Counts posts and events that no membership refers to.
    pub(super) fn count_unused(&mut self, unused_posts: usize) {
        for _ in 0..unused_posts {
            self.omissions.count("posts without memberships");
        }
        for period in self.periods.values().filter(|period| !period.is_used) {
            let reason = if period.is_term { "legislative periods without memberships" } else { "events other than legislative periods" };
            self.omissions.count(reason);
        }
    }

    /// Parses the records into drafts and completes the notes.
    pub(super) fn finish(mut self) -> ConvertedRecords {
        let mut drafts = Vec::new();
        for (ty, builder) in self.records {
            let tree = Tree { line: builder.origin.line, value: Value::Map(builder.entries) };
            drafts.push((ty, draft::parse::record(catalog().get(ty), &tree, &builder.origin)));
        }
        if self.notes.len() > MAX_ITEM_NOTES {
            let more = self.notes.split_off(MAX_ITEM_NOTES).len();
            self.notes.push(format!("and {more} more notes"));
        }
        self.notes.extend(self.omissions.summary());
        ConvertedRecords { drafts, problems: self.problems, notes: self.notes }
    }
}
