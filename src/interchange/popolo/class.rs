//! Popolo classes, and how the class of an object is stated.

use super::fields::{is_empty, scalar_text};
use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::interchange::slug::short_hash;
use crate::store::draft::value_tree::{Tree, Value};

/// A Popolo class, or a bill of Open Civic Data, which extends Popolo. It is parsed from its name in lowercase, in singular or
/// plural; its text form is the singular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
pub(in crate::interchange) enum PopoloClass {
    #[strum(to_string = "person", serialize = "persons", serialize = "people")]
    Person,
    #[strum(to_string = "organization", serialize = "organizations")]
    Organization,
    #[strum(to_string = "membership", serialize = "memberships")]
    Membership,
    #[strum(to_string = "post", serialize = "posts")]
    Post,
    #[strum(to_string = "area", serialize = "areas")]
    Area,
    #[strum(to_string = "event", serialize = "events", serialize = "legislative_periods")]
    Event,
    #[strum(to_string = "motion", serialize = "motions")]
    Motion,
    #[strum(to_string = "bill")]
    Bill,
    #[strum(to_string = "vote_event", serialize = "vote_events", serialize = "voteevent", serialize = "voteevents")]
    VoteEvent,
    #[strum(to_string = "speech", serialize = "speeches")]
    Speech,
}

/// Fields that objects of one class alone have.
const OWN_FIELDS: [(PopoloClass, &[&str]); 6] = [
    (
        PopoloClass::Person,
        &[
            "given_name",
            "family_name",
            "additional_name",
            "patronymic_name",
            "honorific_prefix",
            "honorific_suffix",
            "birth_date",
            "death_date",
            "gender",
            "national_identity",
            "biography",
        ],
    ),
    (PopoloClass::Organization, &["founding_date", "dissolution_date"]),
    (PopoloClass::Membership, &["person_id", "member_id", "on_behalf_of_id", "post_id"]),
    (PopoloClass::Motion, &["requirement"]),
    (PopoloClass::VoteEvent, &["votes", "counts", "motion_id", "group_results"]),
    (PopoloClass::Speech, &["attribution_text", "audio", "video"]),
];

/// Names of Popolo that no list of another format has.
const POPOLO_LISTS: [&str; 7] = ["persons", "posts", "areas", "events", "motions", "vote_events", "speeches"];

impl PopoloClass {
    /// Name of the class, such as `person`.
    pub(super) fn singular(self) -> &'static str {
        self.into()
    }

    /// Name of a list of the class, such as `persons`.
    pub(super) fn plural(self) -> String {
        match self {
            Self::Speech => "speeches".to_owned(),
            other => format!("{}s", other.singular()),
        }
    }

    /// The record type that items of the class become, or that has the identifiers of motions. Posts and events are merged
    /// into memberships.
    pub(super) fn record_type(self) -> Option<RecordType> {
        match self {
            Self::Person => Some(RecordType::Person),
            Self::Organization => Some(RecordType::Organization),
            Self::Membership => Some(RecordType::Membership),
            Self::Area => Some(RecordType::Jurisdiction),
            Self::Motion | Self::Bill => Some(RecordType::Proposal),
            Self::VoteEvent => Some(RecordType::VoteEvent),
            Self::Speech => Some(RecordType::Statement),
            Self::Post | Self::Event => None,
        }
    }

    /// The identifier scheme of ids of the class.
    pub(super) fn scheme(self, base: &str) -> String {
        match self {
            Self::Person => base.to_owned(),
            other => format!("{base}-{}", other.singular()),
        }
    }

    /// The slug of an item whose name does not suffice. Ids are unique in their register only, so it is part of the hash.
    pub(super) fn slug_with_hash(self, base: &str, scheme: &str, id: &str) -> String {
        let singular = self.singular().replace('_', "-");
        let base = if base.is_empty() { &singular } else { base };
        format!("{base}-{}", short_hash(&format!("{} {id}", self.scheme(scheme))))
    }

    /// The class that a list, an `@type` or the address of a JSON schema names. Popolo has no bills.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let name = name.trim_end_matches('#');
        let name = name.rsplit(['/', '#', ':']).next().unwrap_or(name);
        name.strip_suffix(".json").unwrap_or(name).to_lowercase().parse::<Self>().ok().filter(|class| *class != Self::Bill)
    }

    /// The classes that alone have some of these fields, each with the first of its fields.
    pub(super) fn from_fields(fields: &[(String, Tree)]) -> Vec<(Self, &'static str)> {
        let has = |name: &&&str| fields.iter().any(|(key, tree)| key == **name && !is_empty(tree));
        OWN_FIELDS.iter().filter_map(|(class, names)| Some((*class, *names.iter().find(has)?))).collect()
    }
}

/// Whether a JSON file contains Popolo rather than records by type.
pub fn is_popolo(tree: &Tree) -> bool {
    match &tree.value {
        Value::List(_) => true,
        Value::Map(entries) => {
            let has = |name: &str| entries.iter().any(|(key, _)| key == name);
            has("@type") || POPOLO_LISTS.into_iter().any(has) || entries.iter().any(is_popolo_list) || is_popolo_object(entries)
        }
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::Invalid => false,
    }
}

/// Whether a list under a name that both formats have, such as `organizations`, contains Popolo objects.
fn is_popolo_list((key, tree): &(String, Tree)) -> bool {
    let Value::List(items) = &tree.value else { return false };
    let Some(Value::Map(first)) = items.first().map(|item| &item.value) else { return false };
    let is_plain_name = |(key, tree): &(String, Tree)| key == "name" && matches!(tree.value, Value::Text(_));
    let is_id = |(key, _): &(String, Tree)| key == "id" || key.ends_with("_id");
    PopoloClass::from_name(key).is_some()
        && !first.iter().any(|(key, _)| key == "slug")
        && first.iter().any(|entry| is_id(entry) || is_plain_name(entry))
}

/// Whether a map is one object of a class rather than lists by type.
fn is_popolo_object(entries: &[(String, Tree)]) -> bool {
    let is_list_of_records = |(key, _): &(String, Tree)| catalog().by_plural(key).is_some() && key != "memberships";
    !entries.iter().any(is_list_of_records) && !PopoloClass::from_fields(entries).is_empty()
}

/// Whether the map of a file is one object, not lists by class: it says its class, or has an id, a name or fields of its own.
pub(super) fn is_single_object(entries: &[(String, Tree)]) -> bool {
    let is_scalar = |name: &str| entries.iter().any(|(key, tree)| key == name && scalar_text(tree).is_some());
    let has_list = entries.iter().any(|(key, tree)| {
        matches!(tree.value, Value::List(_)) && !is_empty(tree) && matches!(key.as_str(), "persons" | "people" | "organizations")
    });
    is_scalar("@type") || (!has_list && (is_scalar("id") || is_scalar("name") || is_popolo_object(entries)))
}
