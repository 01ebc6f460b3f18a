//! What the page of a record tells: its facts, who says so, and what it leads to, read by one plan and as the reader's
//! languages want it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::catalog::relation::Relation;
use crate::core::dataset;
use crate::core::language::Languages;
use crate::entity::RecordType;
use crate::store::curation::claims::{agree, claims};
use crate::store::read::result::{Cell, PageRows, RowRef};

use crate::http::record_page::plan::{Lists, Reading};

/// A text and its language, where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) lang: Option<String>,
}

/// Another record, as it is called, and the path of its page.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) ty: RecordType,
    pub(crate) text: Text,
    /// Nothing where it is a part of a record that nobody may see.
    pub(crate) path: Option<String>,
}

/// The value of a field.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Text),
    /// In all languages; the one for the reader first.
    Texts(Vec<Text>),
    Date(String),
    Instant(DateTime<Utc>),
    Number(String),
    Boolean(bool),
    Url(String),
    Duration(String),
    /// A value of a vocabulary, such as `in_force`.
    Choice(String),
    /// Small objects, each with its members.
    Items(Vec<Vec<(&'static str, Value)>>),
    Record(Link),
}

/// A field that is known.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
}

/// What a source says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Citation {
    pub(crate) source: Option<Link>,
    pub(crate) publisher: Option<String>,
    pub(crate) published_on: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) archived_url: Option<String>,
    /// Language of the source, and so of the quote.
    pub(crate) lang: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) quote: Option<String>,
    pub(crate) locator: Option<String>,
    pub(crate) note: Option<String>,
}

/// A field about which sources disagree.
#[derive(Debug, Clone)]
pub(crate) struct Dispute {
    pub(crate) field: String,
    pub(crate) claims: Vec<Claim>,
}

/// One side of a dispute.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) value: String,
    pub(crate) accepted: bool,
    pub(crate) citations: Vec<Citation>,
}

/// A record or a part of one.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) facts: Vec<Fact>,
    pub(crate) citations: Vec<Citation>,
    pub(crate) disputes: Vec<Dispute>,
}

/// What stands in a list.
#[derive(Debug, Clone)]
pub(crate) enum Listed {
    /// Parts of this record.
    Parts(Vec<Entry>),
    /// Other records.
    Records(Vec<Link>),
    /// Parts of other records, which lead there.
    Mentions(Vec<Entry>),
}

/// A list of a record.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) listed: Listed,
    /// Whether there are more than are told.
    pub(crate) has_more: bool,
}

/// A change of the record.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) number: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) kind: String,
    pub(crate) message: Option<String>,
}

/// All that a page tells of a record.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(crate) record: &'static Record,
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) label: Text,
    /// The name in all languages, the one for the reader first.
    pub(crate) labels: Vec<Text>,
    pub(crate) disputed: bool,
    pub(crate) published: bool,
    pub(crate) revision: i64,
    pub(crate) created: DateTime<Utc>,
    pub(crate) changed: DateTime<Utc>,
    pub(crate) entry: Entry,
    pub(crate) lists: Vec<List>,
    pub(crate) changes: Vec<Change>,
    /// Languages that texts of the record are in.
    pub(crate) langs: BTreeSet<String>,
}

/// Fields that the page tells of elsewhere, or that say nothing to a reader.
const APART: [&str; 8] = ["slug", "published", "disputed", "revision", "createdAt", "updatedAt", "key", "position"];

impl Link {
    pub(crate) fn of(node: RowRef<'_>, reading: &Reading, languages: &Languages) -> Self {
        let record = reading.record;
        let label = record.fields.iter().position(|field| field.is_label);
        let text = label.and_then(|index| texts(node.cell(index), languages).into_iter().next());
        let slug = record.field_index("slug").and_then(|index| node.cell(index).as_text());
        let path = slug.map(|slug| dataset::page(record.ty.prefix(), slug));
        match text {
            Some(text) => Self { ty: record.ty, text, path },
            // a part is called by whom it speaks of, or by what it says
            None => {
                let to = reading.ones.iter().find_map(|(_, child, below)| Some(Self::of(node.one(*child)?, below, languages)));
                let said = record.fields.iter().enumerate().filter(|(_, field)| matches!(field.kind, FieldKind::Translated));
                let said = || said.map(|(index, _)| texts(node.cell(index), languages)).find_map(|texts| texts.into_iter().next());
                to.unwrap_or_else(|| {
                    let name = Text { text: crate::http::export::feed::in_words(record.name()), lang: None };
                    Self { ty: record.ty, text: said().unwrap_or(name), path: None }
                })
            }
        }
    }
}

/// The translations of a cell, the best for the reader first; a plain text has no language.
fn texts(cell: &Cell, languages: &Languages) -> Vec<Text> {
    match cell {
        Cell::Json(Json::Object(all)) => {
            let first = languages.best(all.keys().map(String::as_str)).or_else(|| all.keys().next().map(String::as_str));
            let mut found: Vec<Text> =
                all.iter().filter_map(|(lang, text)| Some(Text { text: text.as_str()?.to_owned(), lang: Some(lang.clone()) })).collect();
            found.sort_by_key(|text| text.lang.as_deref() != first);
            found
        }
        cell => cell.as_text().map(|text| Text { text: text.to_owned(), lang: None }).into_iter().collect(),
    }
}

fn number(number: f64) -> String {
    // a whole number is written without a fraction
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { number.to_string() }
}

fn plain(kind: FieldKind, text: &str) -> Value {
    let text = text.to_owned();
    match kind {
        FieldKind::Date => Value::Date(text),
        FieldKind::Url => Value::Url(text),
        FieldKind::Duration => Value::Duration(text),
        FieldKind::Choice(_) => Value::Choice(text),
        _ => Value::Text(Text { text, lang: None }),
    }
}

fn value(kind: FieldKind, cell: &Cell, languages: &Languages) -> Option<Value> {
    Some(match (cell, kind) {
        (Cell::Text(text), kind) => plain(kind, text),
        (Cell::Integer(number), _) => Value::Number(number.to_string()),
        (Cell::Number(given), _) => Value::Number(number(*given)),
        (Cell::Boolean(boolean), _) => Value::Boolean(*boolean),
        (Cell::Instant(instant), _) => Value::Instant(*instant),
        (Cell::Json(Json::Array(items)), FieldKind::List(structure)) if !items.is_empty() => {
            let item = |item: &Json| {
                let members = structure.members.iter().filter_map(|member| {
                    let value = match item.get(member.name)? {
                        Json::Null => return None,
                        Json::String(text) => plain(member.kind, text),
                        other => Value::Number(other.to_string()),
                    };
                    Some((member.name, value))
                });
                members.collect()
            };
            Value::Items(items.iter().map(item).collect())
        }
        (Cell::Json(Json::Object(_)), _) => Value::Texts(texts(cell, languages)).non_empty()?,
        (Cell::Null | Cell::Id(_) | Cell::Json(_), _) => return None,
    })
}

impl Value {
    fn non_empty(self) -> Option<Self> {
        match &self {
            Self::Texts(texts) if texts.is_empty() => None,
            _ => Some(self),
        }
    }
}

fn text(node: RowRef<'_>, record: &Record, name: &str) -> Option<String> {
    record.field_index(name).and_then(|index| node.cell(index).as_text()).map(str::to_owned)
}

impl Citation {
    fn of(node: RowRef<'_>, reading: &Reading, languages: &Languages) -> Self {
        let record = reading.record;
        let of = |name| text(node, record, name);
        let source = reading.ones.iter().find_map(|(_, child, below)| Some((node.one(*child)?, below)));
        let about = |name| source.and_then(|(node, below)| text(node, below.record, name));
        Self {
            source: source.map(|(node, below)| Link::of(node, below, languages)),
            publisher: about("publisher"),
            published_on: about("publishedOn"),
            url: about("url"),
            archived_url: about("archivedUrl"),
            lang: about("language"),
            field: of("field"),
            value: of("value"),
            quote: of("quote"),
            locator: of("locator"),
            note: of("note"),
        }
    }
}

fn disputes(node: RowRef<'_>, record: &Record, citations: &[Citation]) -> Vec<Dispute> {
    let given = citations.iter().map(|citation| (citation.field.as_deref(), citation.value.as_deref()));
    let found = claims(&record.fields, given).into_iter().filter(|(_, groups)| groups.len() > 1);
    let found = found.map(|(name, groups)| {
        let index = record.field_index(&name);
        let field: Option<&Field> = index.map(|index| &record.fields[index]);
        let accepted = index.and_then(|index| node.cell(index).to_claim());
        let claim = |(value, places): (String, Vec<usize>)| Claim {
            accepted: accepted.as_deref().is_some_and(|accepted| agree(field, accepted, &value)),
            citations: places.into_iter().map(|place| citations[place].clone()).collect(),
            value,
        };
        Dispute { field: name, claims: groups.into_iter().map(claim).collect() }
    });
    found.collect()
}

impl Entry {
    fn of(node: RowRef<'_>, reading: &Reading, languages: &Languages) -> Self {
        let record = reading.record;
        let mut facts = Vec::new();
        for (index, field) in record.fields.iter().enumerate() {
            let is_apart = APART.contains(&field.name) || (field.is_label && record.shape == RecordKind::Record);
            if is_apart {
                continue;
            }
            let to = reading.ones.iter().find(|(of, ..)| *of == index);
            let one = to.and_then(|(_, child, below)| Some(Link::of(node.one(*child)?, below, languages)));
            let any = reading.anys.iter().find(|(of, ..)| *of == index);
            let any = any.and_then(|(_, child, belows)| {
                let node = node.one(*child)?;
                Some(Link::of(node, belows.iter().find(|below| below.record.ty == node.ty())?, languages))
            });
            let found = one.or(any).map(Value::Record).or_else(|| value(field.kind, node.cell(index), languages));
            facts.extend(found.map(|value| Fact { name: field.name, value }));
        }
        let citations: Vec<Citation> = reading
            .citations
            .as_ref()
            .and_then(|(child, below)| Some(nodes(node.many(*child)?).map(|node| Citation::of(node, below, languages)).collect()))
            .unwrap_or_default();
        Self { facts, disputes: disputes(node, record, &citations), citations }
    }

    /// The value of a field.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| &fact.value)
    }
}

fn nodes(slice: PageRows<'_>) -> impl Iterator<Item = RowRef<'_>> {
    slice.nodes()
}

impl Sheet {
    /// What is told of the record that was read.
    pub(crate) fn of(node: RowRef<'_>, reading: &Reading, lists: &Lists, languages: &Languages) -> Option<Self> {
        let record = reading.record;
        let cell = |name: &str| record.field_index(name).map_or(&Cell::Null, |index| node.cell(index));
        let label = record.fields.iter().position(|field| field.is_label)?;
        let labels = texts(node.cell(label), languages);
        let (Cell::Integer(revision), Cell::Instant(created), Cell::Instant(changed)) =
            (cell("revision"), cell("createdAt"), cell("updatedAt"))
        else {
            return None;
        };
        let langs = record.fields.iter().enumerate().filter(|(_, field)| matches!(field.kind, FieldKind::Translated));
        let langs = langs.flat_map(|(index, _)| texts(node.cell(index), languages)).filter_map(|text| text.lang).collect();
        let listed = lists.lists.iter().filter_map(|(relation, child, below)| list(node, relation, *child, below, languages));
        Some(Self {
            record,
            id: node.id(),
            slug: cell("slug").as_text()?.to_owned(),
            label: labels.first()?.clone(),
            labels,
            disputed: *cell("disputed") == Cell::Boolean(true),
            published: *cell("published") == Cell::Boolean(true),
            revision: *revision,
            created: *created,
            changed: *changed,
            entry: Entry::of(node, reading, languages),
            lists: listed.collect(),
            changes: changes(node, lists),
            langs,
        })
    }

    /// Path of its page.
    pub(crate) fn path(&self) -> String {
        dataset::page(self.record.ty.prefix(), &self.slug)
    }
}

fn list(node: RowRef<'_>, relation: &'static Relation, child: usize, below: &Reading, languages: &Languages) -> Option<List> {
    let slice = node.many(child)?;
    let is_part_of_this = node.record().parts.iter().any(|list| list.name == relation.name);
    let entries = || nodes(slice).map(|node| Entry::of(node, below, languages)).collect();
    let listed = match below.record.shape {
        RecordKind::Record => Listed::Records(nodes(slice).map(|node| Link::of(node, below, languages)).collect()),
        _ if is_part_of_this => Listed::Parts(entries()),
        _ => Listed::Mentions(entries()),
    };
    let is_empty = slice.nodes().next().is_none();
    (!is_empty).then_some(List { name: relation.name, doc: relation.doc, listed, has_more: slice.has_next() })
}

fn changes(node: RowRef<'_>, lists: &Lists) -> Vec<Change> {
    let Some((child, below)) = &lists.history else { return Vec::new() };
    let cell = |node: RowRef<'_>, name: &str| below.record.field_index(name).map_or(Cell::Null, |index| node.cell(index).clone());
    let found = node.many(*child).into_iter().flat_map(nodes).filter_map(|node| match (cell(node, "number"), cell(node, "at")) {
        (Cell::Integer(number), Cell::Instant(at)) => Some(Change {
            number: number.to_string(),
            at,
            kind: cell(node, "kind").as_text()?.to_owned(),
            message: cell(node, "message").as_text().map(str::to_owned),
        }),
        _ => None,
    });
    found.collect()
}
