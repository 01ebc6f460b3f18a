//! Rows as the store gives them: cells by field, whatever the record.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::Row as _;
use sea_orm::{DbErr, QueryResult, RuntimeErr, TryGetable, sqlx};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, catalog};
use crate::core::pagination::Cursor;
use crate::entity::RecordType;
use crate::store::aggregate::facet;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};

/// The value of a field in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Unknown.
    Null,
    /// Text of any kind: names, dates, choices, addresses.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// The id of another record.
    Id(Uuid),
    /// An instant.
    Instant(DateTime<Utc>),
    /// A map of translations, or a list of small objects.
    Json(Json),
}

impl Cell {
    /// Reads the column at this place.
    pub(crate) fn read(row: &QueryResult, index: usize, kind: FieldKind) -> Result<Self, DbErr> {
        let cell = match kind {
            FieldKind::Text | FieldKind::Date | FieldKind::Url | FieldKind::Language | FieldKind::Duration | FieldKind::Choice(_) => {
                value(row, index)?.map(Self::Text)
            }
            FieldKind::Translated | FieldKind::List(_) => row.try_get_by_index::<Option<Json>>(index)?.map(Self::Json),
            FieldKind::Integer => row.try_get_by_index::<Option<i32>>(index)?.map(|value| Self::Integer(value.into())),
            FieldKind::Number => row.try_get_by_index::<Option<f64>>(index)?.map(Self::Number),
            FieldKind::Boolean => row.try_get_by_index::<Option<bool>>(index)?.map(Self::Boolean),
            FieldKind::Instant => row.try_get_by_index::<Option<DateTime<Utc>>>(index)?.map(Self::Instant),
            FieldKind::One(_) | FieldKind::Any => value(row, index)?.map(Self::Id),
        };
        Ok(cell.unwrap_or(Self::Null))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Texts of the cell: one, or one for each language, or the names of a list.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Json(Json::Object(texts)) => texts.values().filter_map(Json::as_str).collect(),
            Self::Json(Json::Array(items)) => items.iter().filter_map(|item| item.get("name")?.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// The cell as a claim about it would be written.
    pub fn to_claim(&self) -> Option<String> {
        Some(match self {
            Self::Null | Self::Id(_) => return None,
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Boolean(boolean) => boolean.to_string(),
            Self::Instant(instant) => instant.to_rfc3339(),
            Self::Json(Json::Object(texts)) => texts.values().find_map(Json::as_str)?.to_owned(),
            Self::Json(other) => other.to_string(),
        })
    }
}

/// The value of a column. What a statement of ours asks for is of the type that it says: PostgreSQL is not asked again for
/// each row of a million.
pub(crate) fn value<T>(row: &QueryResult, index: usize) -> Result<Option<T>, DbErr>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + TryGetable,
{
    match row.try_as_pg_row() {
        Some(row) => row.try_get_unchecked(index).map_err(unreadable),
        None => row.try_get_by_index(index),
    }
}

fn unreadable(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// One row: its id, its place in the list it was read from, and the cells that were asked for.
#[derive(Debug)]
pub(crate) struct ResultRow {
    pub(crate) id: Uuid,
    /// Sort key in the list it was read from, where cursors are wanted.
    pub(crate) key: Cell,
    pub(crate) cells: Vec<Cell>,
}

/// All rows of one level of a query, with what hangs below them.
#[derive(Debug)]
pub(crate) struct RowSet {
    /// Type of the rows.
    pub(crate) ty: RecordType,
    /// Fields that were read, in ascending order, one for each cell of a row.
    fields: Vec<usize>,
    pub(crate) rows: Vec<ResultRow>,
    /// What hangs below, as the plan has it.
    pub(crate) children: Vec<ChildRows>,
    /// Name of the list the rows stand in, as cursors carry it.
    list: String,
}

impl RowSet {
    /// A level without rows so far.
    pub(crate) fn new(plan: &Plan) -> Self {
        let below = |child: &ChildPlan| match child {
            ChildPlan::One(_, plan) => ChildRows::One(ReferencedRows { levels: vec![Self::new(plan)], at: Vec::new() }),
            ChildPlan::Any(..) => ChildRows::One(ReferencedRows::default()),
            ChildPlan::Many(_, list) => ChildRows::Many(PagedRows::new(list)),
        };
        Self {
            ty: plan.ty,
            fields: plan.fields.clone(),
            rows: Vec::new(),
            children: plan.children.iter().map(below).collect(),
            list: String::new(),
        }
    }

    /// Rows of which nothing but the id is wanted.
    pub(crate) fn bare(plan: &Plan, ids: Vec<Uuid>) -> Self {
        let row = |id| ResultRow { id, key: Cell::Null, cells: Vec::new() };
        Self { rows: ids.into_iter().map(row).collect(), ..Self::new(plan) }
    }

    /// Makes room for as much as another of the same plan has.
    fn make_room(&mut self, other: &Self) {
        self.rows.reserve(other.rows.len());
        for (found, other) in self.children.iter_mut().zip(&other.children) {
            match (found, other) {
                (ChildRows::One(references), ChildRows::One(other)) => {
                    references.at.reserve(other.at.len());
                    references.levels.iter_mut().zip(&other.levels).for_each(|(level, other)| level.make_room(other));
                }
                (ChildRows::Many(pages), ChildRows::Many(other)) => {
                    pages.spans.reserve(other.spans.len());
                    pages.level.make_room(&other.level);
                }
                _ => {}
            }
        }
    }

    /// Turns the order of some rows round, and with them what hangs below.
    pub(crate) fn reverse(&mut self, range: Range<usize>) {
        self.rows[range.clone()].reverse();
        for found in &mut self.children {
            match found {
                ChildRows::One(references) if !references.at.is_empty() => references.at[range.clone()].reverse(),
                ChildRows::One(_) => {}
                ChildRows::Many(pages) if !pages.spans.is_empty() => pages.spans[range.clone()].reverse(),
                ChildRows::Many(_) => {}
            }
        }
    }

    /// Ids that a field of the rows refers to.
    pub(crate) fn references(&self, field: usize) -> Vec<Option<Uuid>> {
        (0..self.rows.len())
            .map(|row| match (RowRef { level: self, row }).cell(field) {
                Cell::Id(id) => Some(*id),
                _ => None,
            })
            .collect()
    }
}

/// What was found below the rows of a level.
#[derive(Debug)]
pub(crate) enum ChildRows {
    /// At most one record for each row.
    One(ReferencedRows),
    /// A page for each row.
    Many(PagedRows),
}

/// At most one record for each of many askers.
#[derive(Debug, Default)]
pub struct ReferencedRows {
    pub(crate) levels: Vec<RowSet>,
    /// For each who asks: which level the record is in, and which row there.
    pub(crate) at: Vec<Option<(usize, usize)>>,
}

impl ReferencedRows {
    /// Records of several types, asked for by these ids.
    pub(crate) fn new(levels: Vec<RowSet>, ids: &[Option<(RecordType, Uuid)>]) -> Self {
        let mut places = HashMap::new();
        for (index, level) in levels.iter().enumerate() {
            places.extend(level.rows.iter().enumerate().map(|(row, found)| ((level.ty, found.id), (index, row))));
        }
        Self { at: ids.iter().map(|id| places.get(id.as_ref()?).copied()).collect(), levels }
    }

    /// The record for the one who asked at this place.
    pub fn of(&self, asker: usize) -> Option<RowRef<'_>> {
        let (level, row) = (*self.at.get(asker)?)?;
        Some(RowRef { level: &self.levels[level], row })
    }

    /// All of them, in the order of those who asked.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<RowRef<'_>>> {
        (0..self.at.len()).map(|asker| self.of(asker))
    }
}

/// A page of a list for each of many askers.
#[derive(Debug)]
pub struct PagedRows {
    pub(crate) level: RowSet,
    pub(crate) spans: Vec<PageBounds>,
    /// Records that are values of facets, one level for each facet whose values are records.
    pub(crate) facets: Vec<Option<RowSet>>,
}

/// Which rows of a level are on a page.
#[derive(Debug, Default)]
pub(crate) struct PageBounds {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
    pub(crate) total: Option<u64>,
    /// Values of each facet.
    pub(crate) facets: Vec<Vec<facet::FacetValueRow>>,
}

impl PagedRows {
    /// No pages so far.
    pub(crate) fn new(list: &ListPlan) -> Self {
        let name = if list.cursors { catalog().get(list.plan.ty).list_name(list.order) } else { String::new() };
        let facets = list.facets.iter().map(|facet| facet.plan.as_ref().map(RowSet::new)).collect();
        Self { level: RowSet { list: name, ..RowSet::new(&list.plan) }, spans: Vec::new(), facets }
    }

    /// No pages so far, in place of these, with room for as many.
    pub(crate) fn take(&mut self, list: &ListPlan) -> Self {
        let mut empty = Self::new(list);
        empty.level.make_room(&self.level);
        std::mem::replace(self, empty)
    }

    /// The page for the one who asked at this place. Where nothing is asked of pages but their names, none are read, and
    /// each is there all the same.
    pub fn of(&self, asker: usize) -> Option<PageRows<'_>> {
        static UNREAD: PageBounds = PageBounds { start: 0, end: 0, has_next: false, has_previous: false, total: None, facets: Vec::new() };
        let span = self.spans.get(asker).or_else(|| self.spans.is_empty().then_some(&UNREAD));
        span.map(|span| PageRows { pages: self, span })
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageRows<'a> {
    pages: &'a PagedRows,
    span: &'a PageBounds,
}

impl<'a> PageRows<'a> {
    /// The rows of the page.
    pub fn nodes(self) -> impl DoubleEndedIterator<Item = RowRef<'a>> + ExactSizeIterator {
        (self.span.start..self.span.end).map(move |row| RowRef { level: &self.pages.level, row })
    }

    /// Whether rows come after these, where it was asked for.
    pub fn has_next(self) -> bool {
        self.span.has_next
    }

    /// Whether rows come before these, where it was asked for.
    pub fn has_previous(self) -> bool {
        self.span.has_previous
    }

    /// Number of rows in the whole list, where it was asked for.
    pub fn total(self) -> Option<u64> {
        self.span.total
    }

    /// Values of the facet that was asked for at this place.
    pub fn facet(self, place: usize) -> impl Iterator<Item = facet::FacetValue<'a>> {
        let level = self.pages.facets.get(place).and_then(Option::as_ref);
        self.span.facets.get(place).into_iter().flatten().map(move |read| facet::FacetValue {
            text: read.text.as_deref(),
            record: level.and_then(|level| Some(RowRef { level, row: read.row? })),
            count: read.count,
        })
    }
}

/// One row, with what hangs below it.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'a> {
    level: &'a RowSet,
    row: usize,
}

impl<'a> RowRef<'a> {
    /// Type of the record.
    pub fn ty(self) -> RecordType {
        self.level.ty
    }

    /// The declaration of its type.
    pub fn record(self) -> &'static Record {
        catalog().get(self.level.ty)
    }

    /// Its UUID.
    pub fn uuid(self) -> Uuid {
        self.level.rows[self.row].id
    }

    /// Its id as clients know it.
    pub fn id(self) -> String {
        crate::core::id::encode(self.level.ty.prefix(), self.uuid())
    }

    /// The cell of a field, if the plan asked for it.
    pub fn cell(self, field: usize) -> &'a Cell {
        match self.level.fields.binary_search(&field) {
            Ok(index) => &self.level.rows[self.row].cells[index],
            Err(_) => &Cell::Null,
        }
    }

    /// Cursor of the row in the list it was read from, if the plan asked for cursors.
    pub fn cursor(self) -> String {
        self.place().encode(&self.level.list)
    }

    /// Place of the row in the list it was read from, if the plan asked for cursors.
    pub(crate) fn place(self) -> Cursor {
        let row = &self.level.rows[self.row];
        let key = match &row.key {
            Cell::Text(text) => Json::from(text.as_str()),
            Cell::Integer(number) => Json::from(*number),
            Cell::Number(number) => Json::from(*number),
            Cell::Instant(instant) => Json::from(instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
            _ => Json::Null,
        };
        Cursor { key: vec![key], id: row.id }
    }

    /// The record that a reference of the plan leads to, by the place that the plan gave it.
    pub fn one(self, child: usize) -> Option<RowRef<'a>> {
        match self.level.children.get(child) {
            Some(ChildRows::One(references)) => references.of(self.row),
            _ => None,
        }
    }

    /// The page that a relation of the plan leads to, by the place that the plan gave it.
    pub fn many(self, child: usize) -> Option<PageRows<'a>> {
        match self.level.children.get(child) {
            Some(ChildRows::Many(pages)) => pages.of(self.row),
            _ => None,
        }
    }
}
