//! Rows as the store gives them: cells by field, whatever the record.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, QueryResult};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::entity::RecordType;
use crate::store::record::{Kind, Record, catalog};

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
    pub(super) fn read(row: &QueryResult, index: usize, kind: Kind) -> Result<Self, DbErr> {
        let cell = match kind {
            Kind::Text | Kind::Date | Kind::Url | Kind::Language | Kind::Duration | Kind::Choice(_) => {
                row.try_get_by_index::<Option<String>>(index)?.map(Self::Text)
            }
            Kind::Translated | Kind::List(_) => row.try_get_by_index::<Option<Json>>(index)?.map(Self::Json),
            Kind::Integer => row.try_get_by_index::<Option<i32>>(index)?.map(|value| Self::Integer(value.into())),
            Kind::Number => row.try_get_by_index::<Option<f64>>(index)?.map(Self::Number),
            Kind::Boolean => row.try_get_by_index::<Option<bool>>(index)?.map(Self::Boolean),
            Kind::Instant => row.try_get_by_index::<Option<DateTime<Utc>>>(index)?.map(Self::Instant),
            Kind::One(_) | Kind::Any => row.try_get_by_index::<Option<Uuid>>(index)?.map(Self::Id),
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

/// One row: its id, its place in the list it was read from, and the cells that were asked for.
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: Uuid,
    /// Sort key in the list it was read from.
    pub(super) key: Cell,
    cells: Box<[Cell]>,
}

impl Row {
    pub(super) fn new(id: Uuid, key: Cell, cells: Box<[Cell]>) -> Self {
        Self { id, key, cells }
    }

    /// The cell at this place among the fields of its level.
    pub(super) fn cell_at(&self, index: usize) -> &Cell {
        &self.cells[index]
    }
}

/// All rows of one level of a query, read by one statement, with what hangs below them.
#[derive(Debug)]
pub struct Level {
    /// Type of the rows.
    pub ty: RecordType,
    /// Fields that were read, in ascending order, one for each cell of a row.
    pub(super) fields: Vec<usize>,
    /// The rows.
    pub(super) rows: Vec<Row>,
    /// What hangs below, by the name the query gives it.
    pub(super) children: Vec<(String, Found)>,
    /// Name of the list the rows stand in, as cursors carry it.
    pub(super) list: String,
}

/// What was found below the rows of a level.
#[derive(Debug)]
pub enum Found {
    /// At most one record for each row: which level it is in, and which row there.
    One(Vec<Arc<Level>>, Vec<Option<(usize, usize)>>),
    /// A page for each row.
    Many(Vec<Slice>),
    /// It could not be read.
    Failed(crate::error::Error),
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Slice {
    level: Arc<Level>,
    start: usize,
    end: usize,
    /// Whether rows come after these.
    pub has_next: bool,
    /// Whether rows come before these.
    pub has_previous: bool,
    /// Number of rows in the whole list, where it was asked for.
    pub total: Option<u64>,
}

impl Slice {
    pub(super) fn new(level: Arc<Level>, start: usize, end: usize, has_next: bool, has_previous: bool, total: Option<u64>) -> Self {
        Self { level, start, end, has_next, has_previous, total }
    }

    /// The rows of the page.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = Node> + ExactSizeIterator + '_ {
        (self.start..self.end).map(|row| Node { level: self.level.clone(), row })
    }
}

/// One row, with what hangs below it.
#[derive(Debug, Clone)]
pub struct Node {
    level: Arc<Level>,
    row: usize,
}

impl Node {
    pub(super) fn new(level: Arc<Level>, row: usize) -> Self {
        Self { level, row }
    }

    /// The declaration of its type.
    pub fn record(&self) -> &'static Record {
        catalog().get(self.level.ty)
    }

    /// Its UUID.
    pub fn uuid(&self) -> Uuid {
        self.level.rows[self.row].id
    }

    /// Its id as clients know it.
    pub fn id(&self) -> String {
        crate::id::encode(self.level.ty.prefix(), self.uuid())
    }

    /// The cell of a field, if the plan asked for it.
    pub fn cell(&self, field: usize) -> &Cell {
        match self.level.fields.binary_search(&field) {
            Ok(index) => &self.level.rows[self.row].cells[index],
            Err(_) => &Cell::Null,
        }
    }

    /// Cursor of the row in the list it was read from.
    pub fn cursor(&self) -> String {
        let row = &self.level.rows[self.row];
        let key = match &row.key {
            Cell::Text(text) => Json::from(text.as_str()),
            Cell::Integer(number) => Json::from(*number),
            Cell::Number(number) => Json::from(*number),
            Cell::Instant(instant) => Json::from(instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
            _ => Json::Null,
        };
        crate::page::Cursor { key: vec![key], id: row.id }.encode(&self.level.list)
    }

    fn found(&self, name: &str) -> Option<&Found> {
        self.level.children.iter().find(|(key, _)| key == name).map(|(_, found)| found)
    }

    /// The record that a reference of the plan leads to.
    pub fn one(&self, name: &str) -> crate::error::Result<Option<Node>> {
        match self.found(name) {
            Some(Found::One(levels, at)) => Ok(at[self.row].map(|(level, row)| Node { level: levels[level].clone(), row })),
            Some(Found::Failed(error)) => Err(error.clone()),
            _ => Ok(None),
        }
    }

    /// The page that a relation of the plan leads to.
    pub fn many(&self, name: &str) -> crate::error::Result<Option<&Slice>> {
        match self.found(name) {
            Some(Found::Many(slices)) => Ok(slices.get(self.row)),
            Some(Found::Failed(error)) => Err(error.clone()),
            _ => Ok(None),
        }
    }
}
