//! What stands at a place of an answer, in the rows of the store or in JSON: members, items and values of it.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use typed_arena::Arena;

use crate::catalog::kind::FieldKind;
use crate::core::error::{Result, bad_input};
use crate::core::language::Languages;
use crate::graphql::projection::connection::{ConnectionProjection, EdgePart, Part};
use crate::graphql::projection::json_writer::{Fields, JsonKey, JsonWriter};
use crate::graphql::projection::{FieldProjection, Projection};
use crate::graphql::schema::scalar;
use crate::store::read::result::{Cell, PageRows, RowRef};
use crate::tabular::{ColumnType, TableValue};

/// Rows of a list within a row at most.
pub(super) const MOST: u32 = 1_000;

/// What stands at a place.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    /// A record.
    Record(&'a Projection, RowRef<'a>),
    /// What a field shows of a record.
    Field(&'a FieldProjection, RowRef<'a>),
    /// A page of a list.
    Page(&'a ConnectionProjection, PageRows<'a>),
    /// What a field shows of a page.
    Part(&'a ConnectionProjection, &'a Part, PageRows<'a>),
    /// A row with its place.
    Edge(&'a Fields<EdgePart>, RowRef<'a>),
    /// What is written as JSON already.
    Json(&'a Json),
}

/// What reading needs besides: the languages of the reader, and room for what has to be made first.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) languages: &'a Languages,
    pub(super) arena: &'a Arena<Json>,
}

impl<'a> Context<'a> {
    /// What is written, read again.
    fn made(self, write: impl FnOnce(&mut JsonWriter<'_>)) -> Item<'a> {
        let mut out = JsonWriter::new(self.languages);
        write(&mut out);
        Item::Json(self.arena.alloc(serde_json::from_slice(&out.into_json()).unwrap_or_default()))
    }
}

/// The field of this name, which stands at this place unless the object has others besides.
fn find<'a, T>(fields: &'a Fields<T>, place: usize, key: &str) -> Option<&'a T> {
    let is_it = |(name, _): &&(JsonKey, T)| name.name() == key;
    fields.get(place).filter(is_it).or_else(|| fields.iter().find(is_it)).map(|(_, field)| field)
}

impl<'a> Item<'a> {
    /// The object that stands here, if there is one.
    pub(super) fn object(self, context: Context<'a>) -> Option<Self> {
        match self {
            Self::Field(FieldProjection::One(child, shape), node) => node.one(*child).map(|node| Self::Record(shape, node)),
            Self::Field(FieldProjection::Any(child, shapes), node) => {
                let node = node.one(*child)?;
                shapes.of(node.ty()).map(|shape| Self::Record(shape, node))
            }
            Self::Field(FieldProjection::Page(child, connection), node) => node.many(*child).map(|slice| Self::Page(connection, slice)),
            Self::Field(show, node) => context.made(|out| show.write(node, out)).object(context),
            Self::Part(connection, part, slice) => context.made(|out| connection.write_part(part, slice, out)).object(context),
            Self::Json(Json::Null) => None,
            other => Some(other),
        }
    }

    /// A member of the object that stands here.
    pub(super) fn member(self, place: usize, key: &str, context: Context<'a>) -> Option<Self> {
        match self {
            Self::Record(shape, node) => find(&shape.0, place, key).map(|show| Self::Field(show, node)),
            Self::Page(connection, slice) => find(&connection.parts, place, key).map(|part| Self::Part(connection, part, slice)),
            Self::Edge(parts, node) => find(parts, place, key).map(|part| match part {
                EdgePart::Node(shape) => Self::Record(shape, node),
                part => context.made(|out| part.write(node, out)),
            }),
            Self::Json(json) => json.get(key).map(Self::Json),
            Self::Field(..) | Self::Part(..) => None,
        }
    }

    /// Items of the list that stands here.
    pub(super) fn items(self, context: Context<'a>) -> Result<Vec<Self>> {
        Ok(match self {
            Self::Field(FieldProjection::Short(child, shape), node) => {
                node.many(*child).into_iter().flat_map(PageRows::nodes).map(|node| Self::Record(shape, node)).collect()
            }
            Self::Part(connection, Part::Nodes(shape), slice) => {
                whole(connection, slice)?;
                slice.nodes().map(|node| Self::Record(shape, node)).collect()
            }
            Self::Part(connection, Part::Edges(parts), slice) => {
                whole(connection, slice)?;
                slice.nodes().map(|node| Self::Edge(parts, node)).collect()
            }
            Self::Field(show, node) => return context.made(|out| show.write(node, out)).items(context),
            Self::Json(Json::Array(items)) => items.iter().map(Self::Json).collect(),
            _ => Vec::new(),
        })
    }

    /// The value that stands here, as one of a type.
    pub(super) fn value(self, ty: ColumnType, context: Context<'a>) -> TableValue<'a> {
        match self {
            Self::Field(FieldProjection::Id, node) => TableValue::Text(node.id().into()),
            Self::Field(FieldProjection::TypeName, node) => TableValue::text(node.record().name()),
            Self::Field(FieldProjection::Value(field, kind, lang), node) => {
                of_cell(node.cell(*field), *kind, lang.as_deref(), context.languages)
            }
            Self::Field(show, node) => context.made(|out| show.write(node, out)).value(ty, context),
            Self::Part(connection, part, slice) => context.made(|out| connection.write_part(part, slice, out)).value(ty, context),
            Self::Json(json) => of_json(json, ty),
            Self::Record(..) | Self::Page(..) | Self::Edge(..) => TableValue::Null,
        }
    }
}

/// Refuses a list of which only the beginning was read, where nobody asked for just that.
fn whole(connection: &ConnectionProjection, slice: PageRows<'_>) -> Result<()> {
    match connection.usual && slice.has_next() {
        true => Err(bad_input(
            "lists",
            format_args!("a row has a list of more than {MOST}; say how many with first, or make that list the rows"),
        )),
        false => Ok(()),
    }
}

fn of_cell<'a>(cell: &'a Cell, kind: FieldKind, lang: Option<&str>, languages: &Languages) -> TableValue<'a> {
    match (cell, kind) {
        (Cell::Text(text), FieldKind::Choice(_)) => TableValue::Text(text.to_ascii_uppercase().into()),
        (Cell::Text(text), _) => TableValue::text(text),
        (Cell::Integer(number), _) => TableValue::Integer(*number),
        (Cell::Number(number), _) => TableValue::Number(*number),
        (Cell::Boolean(boolean), _) => TableValue::Boolean(*boolean),
        (Cell::Instant(instant), _) => TableValue::Instant(*instant),
        (Cell::Json(texts), FieldKind::Translated) => scalar::best(texts, lang, languages).map_or(TableValue::Null, TableValue::text),
        (Cell::Null | Cell::Id(_) | Cell::Json(_), _) => TableValue::Null,
    }
}

fn of_json(json: &Json, ty: ColumnType) -> TableValue<'_> {
    match (json, ty) {
        (Json::Null, _) => TableValue::Null,
        (Json::String(text), ColumnType::Instant) => match DateTime::parse_from_rfc3339(text) {
            Ok(instant) => TableValue::Instant(instant.with_timezone(&Utc)),
            Err(_) => TableValue::text(text),
        },
        (Json::String(text), _) => TableValue::text(text),
        (Json::Number(number), ColumnType::Number) => number.as_f64().map_or(TableValue::Null, TableValue::Number),
        (Json::Number(number), _) => match number.as_i64() {
            Some(whole) => TableValue::Integer(whole),
            None => number.as_f64().map_or(TableValue::Null, TableValue::Number),
        },
        (Json::Bool(boolean), _) => TableValue::Boolean(*boolean),
        (other, _) => TableValue::Text(other.to_string().into()),
    }
}
