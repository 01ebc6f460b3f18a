//! Query results: rows with a cell per field, for any record type.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::Row as _;
use sea_orm::{DbErr, QueryResult, RuntimeErr, TryGetable, sqlx};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::ids::{ChildId, FieldId};
use crate::core::pagination::Cursor;
use crate::entity::RecordType;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};

/// The value of a field in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Null.
    Null,
    /// A text, partial date, choice, URL, language or duration.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
    /// The id of another record.
    Id(Uuid),
    /// An instant.
    Instant(DateTime<Utc>),
    /// A map of translations, or a list of structures.
    Json(Json),
}

impl Cell {
    /// Decodes the column at an index.
    pub(crate) fn decode(row: &QueryResult, index: usize, kind: FieldKind) -> Result<Self, DbErr> {
        let cell = match kind {
            FieldKind::Text | FieldKind::Date | FieldKind::Url | FieldKind::Language | FieldKind::Duration | FieldKind::Choice(_) => {
                decode_column(row, index)?.map(Self::Text)
            }
            FieldKind::Translated | FieldKind::List(_) => row.try_get_by_index::<Option<Json>>(index)?.map(Self::Json),
            FieldKind::Integer => row.try_get_by_index::<Option<i32>>(index)?.map(|value| Self::Integer(value.into())),
            FieldKind::Number => row.try_get_by_index::<Option<f64>>(index)?.map(Self::Number),
            FieldKind::Boolean => row.try_get_by_index::<Option<bool>>(index)?.map(Self::Boolean),
            FieldKind::Instant => row.try_get_by_index::<Option<DateTime<Utc>>>(index)?.map(Self::Instant),
            FieldKind::One(_) | FieldKind::Any => decode_column(row, index)?.map(Self::Id),
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

    /// The texts of the cell: one, or one per language, or one per name of a list.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Json(Json::Object(texts)) => texts.values().filter_map(Json::as_str).collect(),
            Self::Json(Json::Array(items)) => items.iter().filter_map(|item| item.get("name")?.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// The cell as the text of a claim about it; `None` for null and references.
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

/// Decodes a nullable column. On PostgreSQL the type is not checked for each row: the statements select columns of known
/// types.
pub(crate) fn decode_column<T>(row: &QueryResult, index: usize) -> Result<Option<T>, DbErr>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + TryGetable,
{
    match row.try_as_pg_row() {
        Some(row) => row.try_get_unchecked(index).map_err(decode_error),
        None => row.try_get_by_index(index),
    }
}

fn decode_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// One row: its id, its sort key and the cells of the selected fields.
#[derive(Debug)]
pub(crate) struct ResultRow {
    pub(crate) id: Uuid,
    /// Sort key in its list, if cursors are selected; otherwise null.
    pub(crate) key: Cell,
    pub(crate) cells: Vec<Cell>,
}

/// All rows of one level of a query, with the rows below them.
#[derive(Debug)]
pub(crate) struct RowSet {
    /// Type of the rows.
    pub(crate) ty: RecordType,
    /// The selected fields in ascending order, one per cell.
    fields: Vec<FieldId>,
    pub(crate) rows: Vec<ResultRow>,
    /// The rows below, one entry per child of the plan.
    pub(crate) children: Vec<ChildRows>,
    /// Name of the list in cursors.
    list_name: String,
}

impl RowSet {
    /// An empty set of rows.
    pub(crate) fn new(plan: &Plan) -> Self {
        let below = |child: &ChildPlan| match child {
            ChildPlan::One(_, plan) => ChildRows::One(ReferencedRows { levels: vec![Self::new(plan)], positions: Vec::new() }),
            ChildPlan::Any(..) | ChildPlan::MergedInto(..) => ChildRows::One(ReferencedRows::default()),
            ChildPlan::Many(_, list) => ChildRows::Many(PagedRows::new(list)),
        };
        Self {
            ty: plan.ty,
            fields: plan.fields.clone(),
            rows: Vec::new(),
            children: plan.children.iter().map(below).collect(),
            list_name: String::new(),
        }
    }

    /// Rows of which only the id was requested.
    pub(crate) fn of_ids(plan: &Plan, ids: Vec<Uuid>) -> Self {
        let row = |id| ResultRow { id, key: Cell::Null, cells: Vec::new() };
        Self { rows: ids.into_iter().map(row).collect(), ..Self::new(plan) }
    }

    /// Reserves capacity for as many rows as another set of the same plan has.
    fn reserve_like(&mut self, other: &Self) {
        self.rows.reserve(other.rows.len());
        for (found, other) in self.children.iter_mut().zip(&other.children) {
            match (found, other) {
                (ChildRows::One(references), ChildRows::One(other)) => {
                    references.positions.reserve(other.positions.len());
                    references.levels.iter_mut().zip(&other.levels).for_each(|(level, other)| level.reserve_like(other));
                }
                (ChildRows::Many(pages), ChildRows::Many(other)) => {
                    pages.bounds.reserve(other.bounds.len());
                    pages.level.reserve_like(&other.level);
                }
                _ => {}
            }
        }
    }

    /// Reverses a range of rows, together with the rows below them.
    pub(crate) fn reverse(&mut self, range: Range<usize>) {
        self.rows[range.clone()].reverse();
        for found in &mut self.children {
            match found {
                ChildRows::One(references) if !references.positions.is_empty() => references.positions[range.clone()].reverse(),
                ChildRows::Many(pages) if !pages.bounds.is_empty() => pages.bounds[range.clone()].reverse(),
                ChildRows::One(_) | ChildRows::Many(_) => {}
            }
        }
    }

    /// The ids in a field, one per row.
    pub(crate) fn references(&self, field: FieldId) -> Vec<Option<Uuid>> {
        (0..self.rows.len())
            .map(|row| match (RowRef { level: self, row }).cell(field) {
                Cell::Id(id) => Some(*id),
                _ => None,
            })
            .collect()
    }
}

/// The rows of a child plan.
#[derive(Debug)]
pub(crate) enum ChildRows {
    /// At most one record per parent row.
    One(ReferencedRows),
    /// A page per parent row.
    Many(PagedRows),
}

/// At most one record per requester: a parent row, or an id.
#[derive(Debug, Default)]
pub struct ReferencedRows {
    pub(crate) levels: Vec<RowSet>,
    /// Per requester, the index of a level and of a row in it.
    pub(crate) positions: Vec<Option<(usize, usize)>>,
}

impl ReferencedRows {
    /// Records of several types, requested by these ids.
    pub(crate) fn new(levels: Vec<RowSet>, ids: &[Option<(RecordType, Uuid)>]) -> Self {
        let mut positions = HashMap::new();
        for (index, level) in levels.iter().enumerate() {
            positions.extend(level.rows.iter().enumerate().map(|(row, found)| ((level.ty, found.id), (index, row))));
        }
        Self { positions: ids.iter().map(|id| positions.get(id.as_ref()?).copied()).collect(), levels }
    }

    /// The record of a requester, by index.
    pub fn get(&self, requester: usize) -> Option<RowRef<'_>> {
        let (level, row) = (*self.positions.get(requester)?)?;
        Some(RowRef { level: &self.levels[level], row })
    }

    /// All records in the order of the requesters.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<RowRef<'_>>> {
        (0..self.positions.len()).map(|requester| self.get(requester))
    }
}

/// A page of a list per parent row.
#[derive(Debug)]
pub struct PagedRows {
    pub(crate) level: RowSet,
    pub(crate) bounds: Vec<PageBounds>,
    /// Per facet, the records that are its values, if they are records.
    pub(crate) facets: Vec<Option<RowSet>>,
}

/// The rows of a level that are on one page, and what else was read of its list.
#[derive(Debug, Default)]
pub(crate) struct PageBounds {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
    pub(crate) total: Option<u64>,
    /// The values of each facet.
    pub(crate) facets: Vec<Vec<FacetValueRow>>,
}

/// A value of a facet, and the number of records that have it.
#[derive(Debug)]
pub struct FacetValue<'a> {
    /// The value of a vocabulary, or the period. `None` if the value is a record.
    pub text: Option<&'a str>,
    /// The record, if the value is one.
    pub record: Option<RowRef<'a>>,
    /// Number of records that have the value.
    pub count: u64,
}

/// A decoded value of a facet.
#[derive(Debug)]
pub(crate) struct FacetValueRow {
    pub(crate) text: Option<String>,
    /// Row of the record among the records of the facet.
    pub(crate) row: Option<usize>,
    pub(crate) count: u64,
}

impl PagedRows {
    /// Without pages.
    pub(crate) fn new(list: &ListPlan) -> Self {
        let name = if list.cursors { catalog().get(list.plan.ty).list_name(list.order) } else { String::new() };
        let facets = list.facets.iter().map(|facet| facet.plan.as_ref().map(RowSet::new)).collect();
        Self { level: RowSet { list_name: name, ..RowSet::new(&list.plan) }, bounds: Vec::new(), facets }
    }

    /// Takes the pages and leaves an empty set with the same capacity.
    pub(crate) fn take(&mut self, list: &ListPlan) -> Self {
        let mut empty = Self::new(list);
        empty.level.reserve_like(&self.level);
        std::mem::replace(self, empty)
    }

    /// Number of records at all levels.
    pub fn record_count(&self) -> u64 {
        self.level.record_count()
    }

    /// The page of a parent row. If neither rows nor counts were requested, no page was read and every page is empty.
    pub fn get(&self, parent: usize) -> Option<PageRows<'_>> {
        static EMPTY: PageBounds = PageBounds { start: 0, end: 0, has_next: false, has_previous: false, total: None, facets: Vec::new() };
        let bounds = self.bounds.get(parent).or_else(|| self.bounds.is_empty().then_some(&EMPTY));
        bounds.map(|bounds| PageRows { pages: self, bounds })
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageRows<'a> {
    pages: &'a PagedRows,
    bounds: &'a PageBounds,
}

impl<'a> PageRows<'a> {
    /// The rows of the page.
    pub fn nodes(self) -> impl DoubleEndedIterator<Item = RowRef<'a>> + ExactSizeIterator {
        (self.bounds.start..self.bounds.end).map(move |row| RowRef { level: &self.pages.level, row })
    }

    /// Whether more rows follow, if requested.
    pub fn has_next(self) -> bool {
        self.bounds.has_next
    }

    /// Whether rows precede, if requested.
    pub fn has_previous(self) -> bool {
        self.bounds.has_previous
    }

    /// Number of rows in the whole list, if requested.
    pub fn total(self) -> Option<u64> {
        self.bounds.total
    }

    /// The values of a facet, by its index in the plan.
    pub fn facet(self, index: usize) -> impl Iterator<Item = FacetValue<'a>> {
        let level = self.pages.facets.get(index).and_then(Option::as_ref);
        self.bounds.facets.get(index).into_iter().flatten().map(move |value| FacetValue {
            text: value.text.as_deref(),
            record: level.and_then(|level| Some(RowRef { level, row: value.row? })),
            count: value.count,
        })
    }
}

/// A row, with access to the rows below it.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'a> {
    level: &'a RowSet,
    row: usize,
}

impl ReferencedRows {
    /// Number of records at all levels.
    pub fn record_count(&self) -> u64 {
        self.levels.iter().map(RowSet::record_count).sum()
    }
}

impl RowSet {
    /// Number of records at this level and all levels below.
    fn record_count(&self) -> u64 {
        let below = self.children.iter().map(|child| match child {
            ChildRows::One(references) => references.record_count(),
            ChildRows::Many(pages) => pages.record_count(),
        });
        self.rows.len() as u64 + below.sum::<u64>()
    }
}

impl<'a> RowRef<'a> {
    /// Type of the record.
    pub fn ty(self) -> RecordType {
        self.level.ty
    }

    /// The declaration of the type.
    pub fn record(self) -> &'static Record {
        catalog().get(self.level.ty)
    }

    /// The id.
    pub fn uuid(self) -> Uuid {
        self.level.rows[self.row].id
    }

    /// The id in its external form.
    pub fn id(self) -> String {
        crate::core::id::encode(self.level.ty.prefix(), self.uuid())
    }

    /// The cell of a field; null if the plan does not select the field.
    pub fn cell(self, field: FieldId) -> &'a Cell {
        match self.level.fields.binary_search(&field) {
            Ok(index) => &self.level.rows[self.row].cells[index],
            Err(_) => &Cell::Null,
        }
    }

    /// The encoded cursor of the row in its list, if the plan selects cursors.
    pub fn cursor(self) -> String {
        self.to_cursor().encode(&self.level.list_name)
    }

    /// The cursor of the row in its list, if the plan selects cursors.
    pub(crate) fn to_cursor(self) -> Cursor {
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

    /// The record of a reference, by its child plan.
    pub fn one(self, child: ChildId) -> Option<RowRef<'a>> {
        match self.level.children.get(child.index()) {
            Some(ChildRows::One(references)) => references.get(self.row),
            _ => None,
        }
    }

    /// The page of a relation, by its child plan.
    pub fn many(self, child: ChildId) -> Option<PageRows<'a>> {
        match self.level.children.get(child.index()) {
            Some(ChildRows::Many(pages)) => pages.get(self.row),
            _ => None,
        }
    }
}
