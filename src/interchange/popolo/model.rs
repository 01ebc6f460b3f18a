//! Popolo classes and the items of a set of files.

use std::collections::{BTreeMap, HashMap};

use crate::entity::RecordType;
use crate::interchange::slug::short_hash;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

/// Prefix of the id of an item that has a name but no id of its own.
const NAME_ID_PREFIX: &str = "name:";

/// Options of a Popolo import.
#[derive(Debug, Clone)]
pub struct PopoloOptions {
    /// Identifier scheme for the ids of persons; ids of other classes use this scheme with the class as suffix. An import of
    /// Popolo needs one, because ids are unique in one register only.
    pub scheme: Option<String>,
    /// Language tag of names and other text.
    pub lang: String,
}

impl Default for PopoloOptions {
    fn default() -> Self {
        Self { scheme: None, lang: "und".to_owned() }
    }
}

/// A Popolo class. It is parsed from its name in lowercase, in singular or plural; its text form is the singular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
pub(super) enum PopoloClass {
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
}

impl PopoloClass {
    /// Name of the class, such as `person`.
    pub(super) fn singular(self) -> &'static str {
        self.into()
    }

    /// Name of a list of the class, such as `persons`.
    pub(super) fn plural(self) -> String {
        format!("{}s", self.singular())
    }

    /// The record type that items of the class become; posts and events are merged into memberships.
    pub(super) fn record_type(self) -> Option<RecordType> {
        match self {
            Self::Person => Some(RecordType::Person),
            Self::Organization => Some(RecordType::Organization),
            Self::Membership => Some(RecordType::Membership),
            Self::Area => Some(RecordType::Jurisdiction),
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
        let base = if base.is_empty() { self.singular() } else { base };
        format!("{base}-{}", short_hash(&format!("{} {id}", self.scheme(scheme))))
    }
}

/// The id of an item without an id, derived from its name: within one register, a name stands for one item.
pub(super) fn id_from_name(name: &str) -> String {
    format!("{NAME_ID_PREFIX}{name}")
}

/// The fields of an item. Conversion takes fields out; the rest is reported as omitted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldMap(pub(super) Vec<(String, Tree)>);

impl FieldMap {
    /// The value of a field; `None` if it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&Tree> {
        self.0.iter().find(|(key, tree)| key == name && !is_empty(tree)).map(|(_, tree)| tree)
    }

    /// The value of a field as text, without taking it.
    pub(super) fn get_text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(scalar_text)
    }

    /// Removes a field and returns its value; `None` if it is empty.
    pub(super) fn take(&mut self, name: &str) -> Option<Tree> {
        let index = self.0.iter().position(|(key, tree)| key == name && !is_empty(tree))?;
        Some(self.0.remove(index).1)
    }

    /// Removes a field and returns its value as text.
    pub(super) fn take_text(&mut self, name: &str) -> Option<String> {
        self.take(name).as_ref().and_then(scalar_text)
    }
}

/// Trimmed text, or a number as text; `None` for empty text and other values.
pub(super) fn scalar_text(tree: &Tree) -> Option<String> {
    match &tree.value {
        Value::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.text().to_owned()),
        Value::Null | Value::Boolean(_) | Value::List(_) | Value::Map(_) | Value::Invalid => None,
    }
}

/// Whether a value is null, blank text, or contains only such values.
pub(super) fn is_empty(tree: &Tree) -> bool {
    match &tree.value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.iter().all(is_empty),
        Value::Map(entries) => entries.iter().all(|(_, tree)| is_empty(tree)),
        Value::Boolean(_) | Value::Number(_) | Value::Invalid => false,
    }
}

/// An object of a Popolo class.
#[derive(Debug, Clone)]
pub(super) struct PopoloItem {
    pub(super) class: PopoloClass,
    pub(super) id: Option<String>,
    /// Whether the item comes from a list of its class rather than from inside another item.
    pub(super) is_top_level: bool,
    pub(super) fields: FieldMap,
    pub(super) origin: Origin,
}

/// The items of all Popolo files of an import.
#[derive(Debug, Default)]
pub struct PopoloData {
    pub(super) options: PopoloOptions,
    pub(super) items: Vec<PopoloItem>,
    pub(super) index_by_id: HashMap<(PopoloClass, String), usize>,
    /// Items that could not be read.
    pub problems: Vec<InputProblem>,
    pub(super) omissions: Omissions,
}

impl PopoloData {
    /// Creates a set without items.
    pub fn new(options: PopoloOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// The scheme of the ids, or the problem that there is none.
    pub fn scheme(&self) -> Result<String, InputProblem> {
        self.options.scheme.clone().ok_or_else(|| {
            let message = "the ids of Popolo are unique in one register only; name the register with --scheme, such as --scheme isles-parliament, or with scheme of importFile; later imports find the same records by it";
            InputProblem::new(self.items.first().map(|item| item.origin.clone()).unwrap_or_default(), message)
        })
    }

    /// Whether there are neither items nor problems.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.problems.is_empty()
    }
}

/// Counts of values that records have no field for.
#[derive(Debug, Default)]
pub(super) struct Omissions(BTreeMap<String, usize>);

impl Omissions {
    pub(super) fn count(&mut self, description: impl Into<String>) {
        *self.0.entry(description.into()).or_default() += 1;
    }

    /// Counts the fields of an item that conversion did not take.
    pub(super) fn count_remaining(&mut self, class: PopoloClass, fields: &FieldMap) {
        for (key, _) in fields.0.iter().filter(|(key, tree)| !is_empty(tree) && !key.starts_with('@')) {
            self.count(format!("{}.{key}", class.plural()));
        }
    }

    /// A one-line summary; `None` if nothing was omitted.
    pub(super) fn summary(&self) -> Option<String> {
        let items: Vec<String> = self.0.iter().map(|(description, count)| format!("{description} ({count})")).collect();
        (!items.is_empty()).then(|| format!("omitted, because records have no field for it: {}", items.join(", ")))
    }
}
