//! Records that need the care of an editor: the lists of them by cause, their counts, and pages over all lists.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::{CHECKED_AT, URL_STATUS};
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Result, invalid_cursor};
use crate::core::filter::{Filter, FilterValue, Predicate, Quantifier};
use crate::core::pagination::{Cursor, Page};
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::care::address_check::UrlStatus;
use crate::store::read::plan::{ListPlan, Plan};
use crate::store::read::result::PageRows;

/// Age of the last check from which a record needs another one.
const MAX_CHECK_AGE: TimeDelta = TimeDelta::days(365);
/// Name of the list in cursors.
const LIST_NAME: &str = "records that need care";
/// Types of records that do not state facts of sources.
const UNSOURCED_TYPES: [RecordType; 3] = [RecordType::Jurisdiction, RecordType::Source, RecordType::Topic];

/// Why a record needs care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CareKind {
    /// Neither the record nor a part of it cites a source.
    WithoutSource,
    /// Sources disagree, and no citation has a note.
    DisputedWithoutNote,
    /// It was not checked for a year.
    NotChecked,
    /// The URL of a source is dead, and it has no archived copy.
    DeadUrl,
}

impl CareKind {
    /// All kinds, in the order of the lists.
    pub const ALL: [Self; 4] = [Self::WithoutSource, Self::DisputedWithoutNote, Self::NotChecked, Self::DeadUrl];

    /// Name in the schema and in cursors.
    pub fn name(self) -> &'static str {
        match self {
            Self::WithoutSource => "WITHOUT_SOURCE",
            Self::DisputedWithoutNote => "DISPUTED_WITHOUT_NOTE",
            Self::NotChecked => "NOT_CHECKED",
            Self::DeadUrl => "DEAD_URL",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The filter of the records of a type that need care for this reason. Not set if no record of the type can.
    fn filter(self, record: &Record, now: DateTime<Utc>) -> Option<Filter> {
        match self {
            Self::WithoutSource => (!UNSOURCED_TYPES.contains(&record.ty)).then(|| Filter::And(no_citations(record, &Filter::all()))),
            Self::DisputedWithoutNote => {
                let is_disputed = Predicate::Eq(FilterValue::Boolean(true));
                let note = catalog().get(RecordType::Citation).known_field("note");
                let mut all = vec![Filter::Field(record.known_field("disputed"), is_disputed)];
                all.extend(no_citations(record, &Filter::Field(note, Predicate::IsNull(false))));
                Some(Filter::And(all))
            }
            Self::NotChecked => {
                let checked = record.field_id(CHECKED_AT)?;
                Some(Filter::Field(checked, Predicate::Lt(FilterValue::Instant(now - MAX_CHECK_AGE))))
            }
            Self::DeadUrl => {
                let status = record.field_id(URL_STATUS)?;
                let dead = Predicate::Eq(FilterValue::Text(UrlStatus::Dead.value().to_owned()));
                let archived = Filter::Field(record.known_field("archivedUrl"), Predicate::IsNull(true));
                Some(Filter::Field(status, dead).and(archived))
            }
        }
    }
}

/// The conditions that neither a record nor a part of it has a citation that satisfies the filter.
fn no_citations(record: &Record, filter: &Filter) -> Vec<Filter> {
    let citations = |record: &Record, quantifier| Filter::Many(record.known_relation("citations"), quantifier, Box::new(filter.clone()));
    let parts = record.parts.iter().map(|list| (list.name, catalog().get(list.part))).filter(|(_, part)| part.is_cited());
    let none =
        parts.map(|(name, part)| Filter::Many(record.known_relation(name), Quantifier::None, Box::new(citations(part, Quantifier::Some))));
    std::iter::once(citations(record, Quantifier::None)).chain(none).collect()
}

/// Which records to list. Empty lists mean all.
#[derive(Debug, Clone, Default)]
pub struct CareQuery {
    /// Only these reasons.
    pub kinds: Vec<CareKind>,
    /// Only records of these types.
    pub types: Vec<RecordType>,
}

/// A record that needs care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareItem {
    /// Why.
    pub kind: CareKind,
    /// Type of the record.
    pub ty: RecordType,
    /// Id of the record.
    pub id: Uuid,
    /// Position in the list.
    pub cursor: String,
}

/// A page of records that need care.
#[derive(Debug, Clone, Default)]
pub struct CarePage {
    /// The records: by kind and type, and each type in its default order.
    pub items: Vec<CareItem>,
    /// Whether more follow.
    pub has_next: bool,
}

impl CareQuery {
    /// The lists in their order.
    fn lists(&self, now: DateTime<Utc>) -> Vec<(CareKind, &'static Record, Filter)> {
        let kinds = CareKind::ALL.into_iter().filter(|kind| self.kinds.is_empty() || self.kinds.contains(kind));
        kinds
            .flat_map(|kind| {
                let records = catalog().all().filter(|record| record.kind == RecordKind::Record);
                let records = records.filter(|record| self.types.is_empty() || self.types.contains(&record.ty));
                records.filter_map(move |record| Some((kind, record, kind.filter(record, now)?)))
            })
            .collect()
    }
}

impl Store {
    /// A page of records that need care, as [`Page::from_arguments`] describes it for the list [`care_list_name`].
    pub async fn care_page(&self, query: &CareQuery, page: &Page) -> Result<CarePage> {
        let size = page.size as usize;
        let mut result = CarePage::default();
        let lists = query.lists(self.clock.now());
        let (start, mut after) = match &page.after {
            None => (0, None),
            Some(cursor) => position(&lists, cursor)?,
        };
        for (kind, record, filter) in lists.into_iter().skip(start) {
            let wanted = u32::try_from(size + 1 - result.items.len()).unwrap_or(u32::MAX);
            let page = Page { after: after.take(), ..Page::first(wanted) };
            let list = ListPlan { filter, page, cursors: true, ..ListPlan::new(Plan::new(record.ty)) };
            let rows = self.page(&list).await?;
            for row in rows.get(0).into_iter().flat_map(PageRows::nodes) {
                let key = vec![json!(kind.name()), json!(record.ty.prefix()), json!(row.cursor())];
                let cursor = Cursor { key, id: row.uuid() }.encode(LIST_NAME);
                result.items.push(CareItem { kind, ty: record.ty, id: row.uuid(), cursor });
            }
            if result.items.len() > size {
                break;
            }
        }
        result.has_next = result.items.len() > size;
        result.items.truncate(size);
        Ok(result)
    }

    /// Numbers of records that need care, by kind, for the requested kinds.
    pub async fn care_counts(&self, query: &CareQuery) -> Result<Vec<(CareKind, u64)>> {
        let mut counts: Vec<(CareKind, u64)> = Vec::new();
        for kind in CareKind::ALL.into_iter().filter(|kind| query.kinds.is_empty() || query.kinds.contains(kind)) {
            counts.push((kind, 0));
        }
        let now = self.clock.now();
        let generation = self.latest_generation().await;
        let mut known = self.care_counts.lock(generation, now, self.visibility).await;
        for (kind, record, filter) in query.lists(now) {
            let total = if let Some(total) = known.value.get(&(kind.name(), record.ty)) {
                *total
            } else {
                let list = ListPlan { filter, rows: false, total: true, ..ListPlan::new(Plan::new(record.ty)) };
                let total = self.page(&list).await?.get(0).and_then(PageRows::total).unwrap_or(0);
                known.value.insert((kind.name(), record.ty), total);
                total
            };
            if let Some((_, count)) = counts.iter_mut().find(|(counted, _)| *counted == kind) {
                *count += total;
            }
        }
        Ok(counts)
    }
}

/// Name of the list of all records that need care, as encoded in cursors.
pub fn care_list_name() -> &'static str {
    LIST_NAME
}

/// The index of the list that a cursor is in, and its position there.
fn position(lists: &[(CareKind, &'static Record, Filter)], cursor: &Cursor) -> Result<(usize, Option<Cursor>)> {
    let foreign = || invalid_cursor("after", "this is a cursor of a list with other kinds or types; start again at the first page");
    let text = |index: usize| cursor.key.get(index).and_then(|value| value.as_str()).ok_or_else(foreign);
    let (kind, ty, inner) = (text(0)?, text(1)?, text(2)?);
    let index = lists.iter().position(|(of, record, _)| of.name() == kind && record.ty.prefix() == ty).ok_or_else(foreign)?;
    let record = lists[index].1;
    Ok((index, Some(Cursor::decode(inner, &record.list_name(record.default_order), "after")?)))
}
