//! The content of a record page, independent of its format: facts, citations, disputes, sections and history, in the
//! preferred languages of the reader.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::catalog::relation::Relation;
use crate::core::dataset;
use crate::core::ids::ChildId;
use crate::core::language::Languages;
use crate::entity::RecordType;
use crate::http::record_page::format::spaced_words;
use crate::http::record_page::plan::{ReadLayout, SectionLayout};
use crate::store::curation::claims::{agree, claims};
use crate::store::read::result::{Cell, PageRows, RowRef};

/// A text and, if it is known, its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalizedText {
    pub(crate) text: String,
    pub(crate) lang: Option<String>,
}

/// The label of another record, and the path of its page.
#[derive(Debug, Clone)]
pub(crate) struct RecordLink {
    pub(crate) ty: RecordType,
    pub(crate) text: LocalizedText,
    /// `None` for a part whose record is not visible.
    pub(crate) path: Option<String>,
}

/// The value of a field.
#[derive(Debug, Clone)]
pub(crate) enum FieldValue {
    Text(LocalizedText),
    /// All translations, the preferred one first.
    Texts(Vec<LocalizedText>),
    Date(String),
    Instant(DateTime<Utc>),
    Number(String),
    Boolean(bool),
    Url(String),
    Duration(String),
    /// An enum value, such as `in_force`.
    Choice(String),
    /// Objects, each as its members.
    Items(Vec<Vec<(&'static str, FieldValue)>>),
    Record(RecordLink),
}

/// A field that is not null.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: FieldValue,
}

/// A citation and its source.
#[derive(Debug, Clone, Default)]
pub(crate) struct CitationView {
    pub(crate) source: Option<RecordLink>,
    pub(crate) publisher: Option<String>,
    pub(crate) published_on: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) archived_url: Option<String>,
    /// Language of the source and of the quote.
    pub(crate) lang: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) quote: Option<String>,
    pub(crate) locator: Option<String>,
    pub(crate) note: Option<String>,
}

/// A field on which sources disagree.
#[derive(Debug, Clone)]
pub(crate) struct DisputeView {
    pub(crate) field: String,
    pub(crate) claims: Vec<ClaimView>,
}

/// One side of a dispute.
#[derive(Debug, Clone)]
pub(crate) struct ClaimView {
    pub(crate) value: String,
    pub(crate) accepted: bool,
    pub(crate) citations: Vec<CitationView>,
}

/// A record or a part of one.
#[derive(Debug, Clone)]
pub(crate) struct EntryView {
    pub(crate) facts: Vec<Fact>,
    pub(crate) citations: Vec<CitationView>,
    pub(crate) disputes: Vec<DisputeView>,
}

/// The items of a section.
#[derive(Debug, Clone)]
pub(crate) enum SectionItems {
    /// Parts of this record.
    Parts(Vec<EntryView>),
    /// Other records.
    Records(Vec<RecordLink>),
    /// Parts of other records that refer to this one.
    Mentions(Vec<EntryView>),
}

/// A relation of the record.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) items: SectionItems,
    /// Whether there are items beyond the maximum.
    pub(crate) has_more: bool,
}

/// A revision of the record.
#[derive(Debug, Clone)]
pub(crate) struct RevisionView {
    pub(crate) number: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) kind: String,
    pub(crate) message: Option<String>,
}

/// The content of a record page.
#[derive(Debug, Clone)]
pub(crate) struct RecordView {
    pub(crate) record: &'static Record,
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) label: LocalizedText,
    /// The label in all languages, the preferred one first.
    pub(crate) labels: Vec<LocalizedText>,
    pub(crate) disputed: bool,
    pub(crate) published: bool,
    pub(crate) revision: i64,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) entry: EntryView,
    pub(crate) sections: Vec<Section>,
    pub(crate) revisions: Vec<RevisionView>,
    /// Languages of the texts of the record.
    pub(crate) langs: BTreeSet<String>,
}

/// Fields that the page shows elsewhere or not at all.
const EXCLUDED_FIELDS: [&str; 8] = ["slug", "published", "disputed", "revision", "createdAt", "updatedAt", "key", "position"];

impl RecordLink {
    pub(crate) fn new(node: RowRef<'_>, layout: &ReadLayout, languages: &Languages) -> Self {
        let record = layout.record;
        let label = record.label_id();
        let text = label.and_then(|id| texts(node.cell(id), languages).into_iter().next());
        let slug = record.field_id("slug").and_then(|id| node.cell(id).as_text());
        let path = slug.map(|slug| dataset::page(record.ty.prefix(), slug));
        if let Some(text) = text {
            Self { ty: record.ty, text, path }
        } else {
            // the label of a part is that of its first reference, or else its first translated text
            let target = layout.references.iter().find_map(|(_, child, below)| Some(Self::new(node.one(*child)?, below, languages)));
            let translated = record.fields_with_ids().filter(|(_, field)| matches!(field.kind, FieldKind::Translated));
            let first_text = || translated.map(|(id, _)| texts(node.cell(id), languages)).find_map(|texts| texts.into_iter().next());
            target.unwrap_or_else(|| {
                let name = LocalizedText { text: spaced_words(record.name()), lang: None };
                Self { ty: record.ty, text: first_text().unwrap_or(name), path: None }
            })
        }
    }
}

/// The translations of a cell, the preferred one first; a plain text has no language.
fn texts(cell: &Cell, languages: &Languages) -> Vec<LocalizedText> {
    match cell {
        Cell::Json(Json::Object(all)) => {
            let first = languages.best(all.keys().map(String::as_str)).or_else(|| all.keys().next().map(String::as_str));
            let mut found: Vec<LocalizedText> = all
                .iter()
                .filter_map(|(lang, text)| Some(LocalizedText { text: text.as_str()?.to_owned(), lang: Some(lang.clone()) }))
                .collect();
            found.sort_by_key(|text| text.lang.as_deref() != first);
            found
        }
        cell => cell.as_text().map(|text| LocalizedText { text: text.to_owned(), lang: None }).into_iter().collect(),
    }
}

fn format_number(number: f64) -> String {
    // whole numbers without a fraction
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { number.to_string() }
}

fn text_value(kind: FieldKind, text: &str) -> FieldValue {
    let text = text.to_owned();
    match kind {
        FieldKind::Date => FieldValue::Date(text),
        FieldKind::Url => FieldValue::Url(text),
        FieldKind::Duration => FieldValue::Duration(text),
        FieldKind::Choice(_) => FieldValue::Choice(text),
        _ => FieldValue::Text(LocalizedText { text, lang: None }),
    }
}

fn cell_value(kind: FieldKind, cell: &Cell, languages: &Languages) -> Option<FieldValue> {
    Some(match (cell, kind) {
        (Cell::Text(text), kind) => text_value(kind, text),
        (Cell::Integer(number), _) => FieldValue::Number(number.to_string()),
        (Cell::Number(given), _) => FieldValue::Number(format_number(*given)),
        (Cell::Boolean(boolean), _) => FieldValue::Boolean(*boolean),
        (Cell::Instant(instant), _) => FieldValue::Instant(*instant),
        (Cell::Json(Json::Array(items)), FieldKind::List(structure)) if !items.is_empty() => {
            let item = |item: &Json| {
                let members = structure.members.iter().filter_map(|member| {
                    let value = match item.get(member.name)? {
                        Json::Null => return None,
                        Json::String(text) => text_value(member.kind, text),
                        other => FieldValue::Number(other.to_string()),
                    };
                    Some((member.name, value))
                });
                members.collect()
            };
            FieldValue::Items(items.iter().map(item).collect())
        }
        (Cell::Json(Json::Object(_)), _) => FieldValue::Texts(texts(cell, languages)).non_empty()?,
        (Cell::Null | Cell::Id(_) | Cell::Json(_), _) => return None,
    })
}

impl FieldValue {
    fn non_empty(self) -> Option<Self> {
        match &self {
            Self::Texts(texts) if texts.is_empty() => None,
            _ => Some(self),
        }
    }
}

fn text(node: RowRef<'_>, record: &Record, name: &str) -> Option<String> {
    record.field_id(name).and_then(|id| node.cell(id).as_text()).map(str::to_owned)
}

impl CitationView {
    fn new(node: RowRef<'_>, layout: &ReadLayout, languages: &Languages) -> Self {
        let record = layout.record;
        let of = |name| text(node, record, name);
        let source = layout.references.iter().find_map(|(_, child, below)| Some((node.one(*child)?, below)));
        let about = |name| source.and_then(|(node, below)| text(node, below.record, name));
        Self {
            source: source.map(|(node, below)| RecordLink::new(node, below, languages)),
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

fn disputes(node: RowRef<'_>, record: &Record, citations: &[CitationView]) -> Vec<DisputeView> {
    let given = citations.iter().map(|citation| (citation.field.as_deref(), citation.value.as_deref()));
    let found = claims(&record.fields, given).into_iter().filter(|(_, groups)| groups.len() > 1);
    let found = found.map(|(name, groups)| {
        let id = record.field_id(&name);
        let field: Option<&Field> = id.map(|id| record.field(id));
        let accepted = id.and_then(|id| node.cell(id).to_claim());
        let claim = |(value, places): (String, Vec<usize>)| ClaimView {
            accepted: accepted.as_deref().is_some_and(|accepted| agree(field, accepted, &value)),
            citations: places.into_iter().map(|place| citations[place].clone()).collect(),
            value,
        };
        DisputeView { field: name, claims: groups.into_iter().map(claim).collect() }
    });
    found.collect()
}

impl EntryView {
    fn new(node: RowRef<'_>, layout: &ReadLayout, languages: &Languages) -> Self {
        let record = layout.record;
        let mut facts = Vec::new();
        for (id, field) in record.fields_with_ids() {
            let is_excluded = EXCLUDED_FIELDS.contains(&field.name) || (field.is_label && record.kind == RecordKind::Record);
            if is_excluded {
                continue;
            }
            let target = layout.references.iter().find(|(of, ..)| *of == id);
            let one = target.and_then(|(_, child, below)| Some(RecordLink::new(node.one(*child)?, below, languages)));
            let any = layout.polymorphic.iter().find(|(of, ..)| *of == id);
            let any = any.and_then(|(_, child, belows)| {
                let node = node.one(*child)?;
                Some(RecordLink::new(node, belows.iter().find(|below| below.record.ty == node.ty())?, languages))
            });
            let found = one.or(any).map(FieldValue::Record).or_else(|| cell_value(field.kind, node.cell(id), languages));
            facts.extend(found.map(|value| Fact { name: field.name, value }));
        }
        let citations: Vec<CitationView> = layout
            .citations
            .as_ref()
            .and_then(|(child, below)| Some(nodes(node.many(*child)?).map(|node| CitationView::new(node, below, languages)).collect()))
            .unwrap_or_default();
        Self { facts, disputes: disputes(node, record, &citations), citations }
    }

    /// The value of a field.
    pub(crate) fn value(&self, name: &str) -> Option<&FieldValue> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| &fact.value)
    }
}

fn nodes(slice: PageRows<'_>) -> impl Iterator<Item = RowRef<'_>> {
    slice.nodes()
}

impl RecordView {
    /// The content of the page; `None` if the record lacks a label or a revision.
    pub(crate) fn new(node: RowRef<'_>, layout: &ReadLayout, sections: &SectionLayout, languages: &Languages) -> Option<Self> {
        let record = layout.record;
        let cell = |name: &str| record.field_id(name).map_or(&Cell::Null, |id| node.cell(id));
        let label = record.label_id()?;
        let labels = texts(node.cell(label), languages);
        let (Cell::Integer(revision), Cell::Instant(created), Cell::Instant(updated)) =
            (cell("revision"), cell("createdAt"), cell("updatedAt"))
        else {
            return None;
        };
        let langs = record.fields_with_ids().filter(|(_, field)| matches!(field.kind, FieldKind::Translated));
        let langs = langs.flat_map(|(id, _)| texts(node.cell(id), languages)).filter_map(|text| text.lang).collect();
        let section_views =
            sections.sections.iter().filter_map(|(relation, child, below)| section(node, relation, *child, below, languages));
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
            updated: *updated,
            entry: EntryView::new(node, layout, languages),
            sections: section_views.collect(),
            revisions: revisions(node, sections),
            langs,
        })
    }

    /// The path of the page.
    pub(crate) fn path(&self) -> String {
        dataset::page(self.record.ty.prefix(), &self.slug)
    }
}

fn section(node: RowRef<'_>, relation: &'static Relation, child: ChildId, below: &ReadLayout, languages: &Languages) -> Option<Section> {
    let slice = node.many(child)?;
    let is_part_of_this = node.record().parts.iter().any(|list| list.name == relation.name);
    let entries = || nodes(slice).map(|node| EntryView::new(node, below, languages)).collect();
    let items = match below.record.kind {
        RecordKind::Record => SectionItems::Records(nodes(slice).map(|node| RecordLink::new(node, below, languages)).collect()),
        _ if is_part_of_this => SectionItems::Parts(entries()),
        _ => SectionItems::Mentions(entries()),
    };
    let is_empty = slice.nodes().next().is_none();
    (!is_empty).then_some(Section { name: relation.name, doc: relation.doc, items, has_more: slice.has_next() })
}

fn revisions(node: RowRef<'_>, sections: &SectionLayout) -> Vec<RevisionView> {
    let Some((child, below)) = &sections.history else { return Vec::new() };
    let cell = |node: RowRef<'_>, name: &str| below.record.field_id(name).map_or(Cell::Null, |id| node.cell(id).clone());
    let found = node.many(*child).into_iter().flat_map(nodes).filter_map(|node| match (cell(node, "number"), cell(node, "changedAt")) {
        (Cell::Integer(number), Cell::Instant(at)) => Some(RevisionView {
            number: number.to_string(),
            at,
            kind: cell(node, "kind").as_text()?.to_owned(),
            message: cell(node, "message").as_text().map(str::to_owned),
        }),
        _ => None,
    });
    found.collect()
}
