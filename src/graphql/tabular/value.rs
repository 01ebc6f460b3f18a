//! Values of a response before serialization, held as projected rows of the store or as JSON.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use typed_arena::Arena;

use crate::catalog::kind::FieldKind;
use crate::core::error::{Result, bad_input};
use crate::core::language::Languages;
use crate::graphql::projection::connection::{ConnectionField, ConnectionProjection, EdgeField, EdgeProjection};
use crate::graphql::projection::json_writer::{Fields, JsonKey, JsonWriter};
use crate::graphql::projection::{FieldProjection, Projection};
use crate::graphql::schema::scalar;
use crate::store::read::result::{Cell, PageRows, RowRef};
use crate::tabular::{ColumnType, TableValue};

/// Maximum number of rows of a list within a row.
pub(super) const MAX_NESTED_ROWS: u32 = 1_000;

/// A value of a response.
#[derive(Clone, Copy)]
pub(super) enum ResponseValue<'a> {
    /// A record.
    Record(&'a Projection, RowRef<'a>),
    /// A field of a record.
    Field(&'a FieldProjection, RowRef<'a>),
    /// A connection.
    Connection(&'a ConnectionProjection, PageRows<'a>),
    /// A field of a connection; `None` is `__typename`.
    ConnectionField(&'a ConnectionProjection, Option<&'a ConnectionField>, PageRows<'a>),
    /// An edge of a connection.
    Edge(&'a EdgeProjection, RowRef<'a>),
    /// A serialized value.
    Json(&'a Json),
}

/// Languages of the reader, and an arena for values that are serialized to be read.
#[derive(Clone, Copy)]
pub(super) struct ReadContext<'a> {
    pub(super) languages: &'a Languages,
    pub(super) arena: &'a Arena<Json>,
}

impl<'a> ReadContext<'a> {
    /// Serializes a value and parses it again.
    fn serialized(self, write: impl FnOnce(&mut JsonWriter<'_>)) -> ResponseValue<'a> {
        let mut out = JsonWriter::new(self.languages);
        write(&mut out);
        ResponseValue::Json(self.arena.alloc(serde_json::from_slice(&out.into_json()).unwrap_or_default()))
    }
}

/// Finds a field by response key. It has the given index unless fragments on other types add fields before it.
fn find<'a, T>(fields: &'a Fields<T>, index: usize, key: &str) -> Option<&'a T> {
    let matches = |(name, _): &&(JsonKey, T)| name.name() == key;
    fields.get(index).filter(matches).or_else(|| fields.iter().find(matches)).map(|(_, field)| field)
}

impl<'a> ResponseValue<'a> {
    /// The value as an object; `None` if it is null.
    pub(super) fn object(self, context: ReadContext<'a>) -> Option<Self> {
        match self {
            Self::Field(FieldProjection::Reference(child, projection), row) => row.one(*child).map(|row| Self::Record(projection, row)),
            Self::Field(FieldProjection::PolymorphicReference(child, projections), row) => {
                let row = row.one(*child)?;
                projections.of(row.ty()).map(|projection| Self::Record(projection, row))
            }
            Self::Field(FieldProjection::Connection(child, connection), row) => {
                row.many(*child).map(|page| Self::Connection(connection, page))
            }
            Self::Field(field, row) => context.serialized(|out| field.write(row, out)).object(context),
            Self::ConnectionField(connection, field, page) => {
                context.serialized(|out| connection.write_field(field, page, out)).object(context)
            }
            Self::Json(Json::Null) => None,
            other => Some(other),
        }
    }

    /// A member of an object, by response key.
    pub(super) fn member(self, index: usize, key: &str, context: ReadContext<'a>) -> Option<Self> {
        match self {
            Self::Record(projection, row) => find(&projection.0, index, key).map(|field| Self::Field(field, row)),
            Self::Connection(connection, page) => {
                find(&connection.object.fields, index, key).map(|field| Self::ConnectionField(connection, field.as_ref(), page))
            }
            Self::Edge(edge, row) => find(&edge.fields, index, key).map(|field| match field {
                Some(EdgeField::Node(projection)) => Self::Record(projection, row),
                field => context.serialized(|out| edge.write_field(field.as_ref(), out, |field, out| field.write(row, out))),
            }),
            Self::Json(json) => json.get(key).map(Self::Json),
            Self::Field(..) | Self::ConnectionField(..) => None,
        }
    }

    /// Items of a list. Fails if only the first rows of the list were fetched although the query does not limit it.
    pub(super) fn items(self, context: ReadContext<'a>) -> Result<Vec<Self>> {
        Ok(match self {
            Self::Field(FieldProjection::List(child, projection), row) => {
                row.many(*child).into_iter().flat_map(PageRows::nodes).map(|row| Self::Record(projection, row)).collect()
            }
            Self::ConnectionField(connection, Some(ConnectionField::Nodes(projection)), page) => {
                ensure_complete(connection, page)?;
                page.nodes().map(|row| Self::Record(projection, row)).collect()
            }
            Self::ConnectionField(connection, Some(ConnectionField::Edges(edge)), page) => {
                ensure_complete(connection, page)?;
                page.nodes().map(|row| Self::Edge(edge, row)).collect()
            }
            Self::Field(field, row) => return context.serialized(|out| field.write(row, out)).items(context),
            Self::Json(Json::Array(items)) => items.iter().map(Self::Json).collect(),
            Self::Record(..) | Self::Connection(..) | Self::ConnectionField(..) | Self::Edge(..) | Self::Json(_) => Vec::new(),
        })
    }

    /// The value as a cell of a column type.
    pub(super) fn cell(self, ty: ColumnType, context: ReadContext<'a>) -> TableValue<'a> {
        match self {
            Self::Field(FieldProjection::Id, row) => TableValue::Text(row.id().into()),
            Self::Field(FieldProjection::TypeName, row) => TableValue::text(row.record().name()),
            Self::Field(FieldProjection::Value(field, kind, lang), row) => {
                from_cell(row.cell(*field), *kind, lang.as_deref(), context.languages)
            }
            Self::Field(field, row) => context.serialized(|out| field.write(row, out)).cell(ty, context),
            Self::ConnectionField(connection, field, page) => {
                context.serialized(|out| connection.write_field(field, page, out)).cell(ty, context)
            }
            Self::Json(json) => from_json(json, ty),
            Self::Record(..) | Self::Connection(..) | Self::Edge(..) => TableValue::Null,
        }
    }
}

/// Rejects a list of which only the first rows were fetched, unless the query gives its page size.
fn ensure_complete(connection: &ConnectionProjection, page: PageRows<'_>) -> Result<()> {
    if connection.has_default_size && page.has_next() {
        return Err(bad_input(
            "lists",
            format_args!(
                "a list within a row has more than {} rows; say how many with first, or use that list as rows",
                page.nodes().len()
            ),
        ));
    }
    Ok(())
}

fn from_cell<'a>(cell: &'a Cell, kind: FieldKind, lang: Option<&str>, languages: &Languages) -> TableValue<'a> {
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

fn from_json(json: &Json, ty: ColumnType) -> TableValue<'_> {
    match (json, ty) {
        (Json::Null, _) => TableValue::Null,
        (Json::String(text), ColumnType::Instant) => match DateTime::parse_from_rfc3339(text) {
            Ok(instant) => TableValue::Instant(instant.with_timezone(&Utc)),
            Err(_) => TableValue::text(text),
        },
        (Json::String(text), _) => TableValue::text(text),
        (Json::Number(number), ColumnType::Number) => number.as_f64().map_or(TableValue::Null, TableValue::Number),
        (Json::Number(number), _) => match number.as_i64() {
            Some(integer) => TableValue::Integer(integer),
            None => number.as_f64().map_or(TableValue::Null, TableValue::Number),
        },
        (Json::Bool(boolean), _) => TableValue::Boolean(*boolean),
        (other, _) => TableValue::Text(other.to_string().into()),
    }
}
