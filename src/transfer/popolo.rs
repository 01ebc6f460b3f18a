//! Reads Popolo JSON: persons, organizations, memberships, posts, areas and events, as records of ours.
//!
//! It goes in three steps, so that files may refer to each other and a second import finds the records of the first:
//! gather what all files hold, ask the database what it knows of that ([`wish`]), and make records of it ([`convert`]).

mod convert;
mod gather;
mod value;
pub mod wish;

use std::collections::{BTreeMap, HashMap};

use crate::entity::RecordType;
use crate::store::draft::value_tree::{Tree, Value};
use crate::store::draft::{InputProblem, Origin};

pub use convert::Converted;
pub use gather::is_popolo;

/// How Popolo is to be read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Scheme of the identifiers that the ids of persons become; those of other classes have the class behind it.
    pub scheme: String,
    /// Language of names and other text.
    pub lang: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { scheme: "popolo".to_owned(), lang: "und".to_owned() }
    }
}

/// A class of Popolo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Class {
    Person,
    Organization,
    Membership,
    Post,
    Area,
    Event,
}

impl Class {
    const ALL: [Self; 6] = [Self::Person, Self::Organization, Self::Membership, Self::Post, Self::Area, Self::Event];

    fn singular(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organization => "organization",
            Self::Membership => "membership",
            Self::Post => "post",
            Self::Area => "area",
            Self::Event => "event",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Person => "persons",
            Self::Organization => "organizations",
            Self::Membership => "memberships",
            Self::Post => "posts",
            Self::Area => "areas",
            Self::Event => "events",
        }
    }

    /// The type of record that it becomes; posts and events become part of memberships.
    fn becomes(self) -> Option<RecordType> {
        match self {
            Self::Person => Some(RecordType::Person),
            Self::Organization => Some(RecordType::Organization),
            Self::Membership => Some(RecordType::Membership),
            Self::Area => Some(RecordType::Jurisdiction),
            Self::Post | Self::Event => None,
        }
    }

    /// Scheme of the identifiers that its ids become.
    fn scheme(self, scheme: &str) -> String {
        match self {
            Self::Person => scheme.to_owned(),
            other => format!("{scheme}-{}", other.singular()),
        }
    }
}

/// The fields of something, from which each is taken when it is used; what is left at the end has no place here.
#[derive(Debug, Clone, PartialEq)]
struct Fields(Vec<(String, Tree)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Tree> {
        self.0.iter().find(|(key, tree)| key == name && !is_empty(tree)).map(|(_, tree)| tree)
    }

    fn take(&mut self, name: &str) -> Option<Tree> {
        let place = self.0.iter().position(|(key, tree)| key == name && !is_empty(tree))?;
        Some(self.0.remove(place).1)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).as_ref().and_then(value::text)
    }

    fn id(&self, name: &str) -> Option<String> {
        self.get(name).and_then(value::text)
    }
}

fn is_empty(tree: &Tree) -> bool {
    match &tree.value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.iter().all(is_empty),
        Value::Map(entries) => entries.iter().all(|(_, tree)| is_empty(tree)),
        _ => false,
    }
}

/// Something that a file holds.
#[derive(Debug, Clone)]
struct Item {
    class: Class,
    id: Option<String>,
    /// Whether it stands in a list of its own and not inside something else.
    is_top: bool,
    fields: Fields,
    origin: Origin,
}

/// What all files hold.
#[derive(Debug, Default)]
pub struct Popolo {
    options: Options,
    items: Vec<Item>,
    by_id: HashMap<(Class, String), usize>,
    problems: Vec<InputProblem>,
    left: Left,
}

impl Popolo {
    /// Nothing yet.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.problems.is_empty()
    }
}

/// What has no place in a record, counted.
#[derive(Debug, Default)]
struct Left(BTreeMap<String, usize>);

impl Left {
    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn rest(&mut self, class: Class, fields: &Fields) {
        for (key, _) in fields.0.iter().filter(|(key, tree)| !is_empty(tree) && !key.starts_with('@')) {
            self.count(format!("{}.{key}", class.plural()));
        }
    }

    /// One line that says what was left out.
    fn note(&self) -> Option<String> {
        let items: Vec<String> = self.0.iter().map(|(what, count)| format!("{what} ({count})")).collect();
        (!items.is_empty()).then(|| format!("left out, having no place here: {}", items.join(", ")))
    }
}
