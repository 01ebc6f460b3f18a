//! The columns of each table: what a row says of its record, and what is only there to be read.

use serde_json::{Value as Json, json};

use super::Resource;
use crate::catalog::record::{CHECKED_AT, Field, FieldKind, LAST_CHANGED_AT, Record, RecordKind, catalog};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::read::dump::{Entry, Target};
use crate::store::read::result::Cell;
use crate::tabular::{ColumnType, TableColumn, TableValue};

/// Fields that a package does not hold: all of it is published, and the others are about the history in one database.
const LEFT_OUT: [&str; 6] = ["published", "revision", "createdAt", "updatedAt", CHECKED_AT, LAST_CHANGED_AT];

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// The id of the row.
    Id,
    /// The field at this place.
    Field(usize),
    /// What the record or part is called that the field at this place refers to; for people to read.
    Name(usize),
    /// The type of the record, what it was called, and what it is.
    FormerType,
    Former,
    FormerRecord,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) holds: Holds,
    pub(super) ty: ColumnType,
    /// Whether it follows from other columns, so that nothing is taken from it.
    pub(super) is_derived: bool,
    /// Whether a row cannot be known without it.
    pub(super) is_key: bool,
    is_required: bool,
    doc: String,
}

/// The columns of a table, in order.
pub(super) fn columns(resource: Resource) -> Vec<Column> {
    let text = |name: &str, holds, doc: &str| Column {
        name: name.to_owned(),
        holds,
        ty: ColumnType::Text,
        is_derived: false,
        is_key: true,
        is_required: true,
        doc: doc.to_owned(),
    };
    match resource {
        Resource::Of(record) => of_record(record),
        Resource::FormerSlugs => vec![
            text("recordType", Holds::FormerType, "Type of the record."),
            text("slug", Holds::Former, "Slug that the record had."),
            text("record", Holds::FormerRecord, "Id of the record that it leads to."),
        ],
        Resource::MergedIds => vec![
            text("id", Holds::Former, "Id of the record that was merged."),
            text("record", Holds::FormerRecord, "Id of the record that it was merged into."),
        ],
    }
}

fn of_record(record: &'static Record) -> Vec<Column> {
    let doc = match record.shape {
        RecordKind::Record => "Permanent id.",
        _ => "Permanent id of the part.",
    };
    let id = Column {
        name: "id".to_owned(),
        holds: Holds::Id,
        ty: ColumnType::Text,
        is_derived: false,
        is_key: true,
        is_required: true,
        doc: doc.to_owned(),
    };
    let mut columns = vec![id];
    let first = if record.shape == RecordKind::Record { "slug" } else { "key" };
    let is_first = |place: &usize| record.fields[*place].name == first;
    let all = || (0..record.fields.len()).filter(|place| !LEFT_OUT.contains(&record.fields[*place].name));
    for place in all().filter(is_first).chain(all().filter(|place| !is_first(place))) {
        let field = &record.fields[place];
        columns.push(Column {
            name: field.name.to_owned(),
            holds: Holds::Field(place),
            ty: type_of(field.kind),
            is_derived: field.name == "disputed",
            is_key: is_first(&place) || (place == 0 && record.shape != RecordKind::Record),
            is_required: field.required,
            doc: field.doc.to_owned(),
        });
        if let Some(called) = called(field.kind) {
            let what = if called == "key" { "Key of the part" } else { "Slug of the record" };
            columns.push(Column {
                name: format!("{}.{called}", field.name),
                holds: Holds::Name(place),
                ty: ColumnType::Text,
                is_derived: true,
                is_key: false,
                is_required: false,
                doc: format!("{what} that {} is the id of; to be read only.", field.name),
            });
        }
    }
    columns
}

/// What a record or part is called that a field of this kind refers to.
fn called(kind: FieldKind) -> Option<&'static str> {
    match kind {
        FieldKind::One(target) if catalog().get(target).shape != RecordKind::Record => Some("key"),
        FieldKind::One(_) | FieldKind::Any => Some("slug"),
        _ => None,
    }
}

fn type_of(kind: FieldKind) -> ColumnType {
    match kind {
        FieldKind::Text
        | FieldKind::Url
        | FieldKind::Language
        | FieldKind::Duration
        | FieldKind::Choice(_)
        | FieldKind::One(_)
        | FieldKind::Any => ColumnType::Text,
        FieldKind::Date => ColumnType::Date,
        FieldKind::Instant => ColumnType::Instant,
        FieldKind::Integer => ColumnType::Integer,
        FieldKind::Number => ColumnType::Number,
        FieldKind::Boolean => ColumnType::Boolean,
        FieldKind::Translated | FieldKind::List(_) => ColumnType::Json,
    }
}

impl Column {
    pub(super) fn of_table(&self) -> TableColumn {
        TableColumn { name: self.name.clone(), ty: self.ty }
    }

    /// The value of the column in a row.
    pub(super) fn value<'e>(&self, record: &Record, entry: &'e Entry) -> TableValue<'e> {
        match self.holds {
            Holds::Id => TableValue::Text(id::encode(record.ty.prefix(), entry.id).into()),
            Holds::Field(place) => match (&entry.cells[place], &entry.targets[place]) {
                (_, Some(target)) => TableValue::Text(id::encode(target.ty.prefix(), target.id).into()),
                (cell, None) => plain(cell),
            },
            Holds::Name(place) => match &entry.targets[place] {
                Some(target) if is_called_so(record.fields[place].kind, target) => TableValue::text(&target.name),
                _ => TableValue::Null,
            },
            Holds::FormerType | Holds::Former | Holds::FormerRecord => TableValue::Null,
        }
    }

    /// The field of the Table Schema.
    pub(super) fn field(&self, resource: Resource) -> Json {
        let declared = match (resource, self.holds) {
            (Resource::Of(record), Holds::Field(place)) => Some(&record.fields[place]),
            _ => None,
        };
        let mut field = json!({"name": self.name, "type": self.kind(declared), "description": self.doc});
        let mut constraints = serde_json::Map::new();
        if self.is_required {
            constraints.insert("required".to_owned(), json!(true));
        }
        if declared.is_some_and(|field| field.unique || field.name == "slug") {
            constraints.insert("unique".to_owned(), json!(true));
        }
        if self.ty == ColumnType::Date {
            constraints.insert("pattern".to_owned(), json!("[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"));
        }
        if let Some(FieldKind::Choice(vocabulary)) = declared.map(|field| field.kind) {
            let values: Vec<&str> = vocabulary.choices.iter().map(|choice| choice.value).collect();
            constraints.insert("enum".to_owned(), json!(values));
            let label = |value: &crate::catalog::record::Choice| json!({"value": value.value, "label": value.doc});
            field["categories"] = vocabulary.choices.iter().map(label).collect();
        }
        if self.holds == Holds::FormerType {
            constraints.insert("enum".to_owned(), super::Resource::all().filter_map(root_prefix).collect());
        }
        if !constraints.is_empty() {
            field["constraints"] = Json::Object(constraints);
        }
        field
    }

    /// The type of the Table Schema.
    fn kind(&self, declared: Option<&Field>) -> &'static str {
        match (self.ty, declared.map(|field| field.kind)) {
            (_, Some(FieldKind::Duration)) => "duration",
            (_, Some(FieldKind::List(_))) => "array",
            (ColumnType::Json, _) => "object",
            (ColumnType::Text | ColumnType::Date, _) => "string",
            (ColumnType::Integer, _) => "integer",
            (ColumnType::Number, _) => "number",
            (ColumnType::Boolean, _) => "boolean",
            (ColumnType::Instant, _) => "datetime",
        }
    }
}

fn root_prefix(resource: Resource) -> Option<&'static str> {
    match resource {
        Resource::Of(record) if record.shape == RecordKind::Record => Some(record.ty.prefix()),
        _ => None,
    }
}

/// A reference to anything may lead to a part, which has a key and no slug.
fn is_called_so(kind: FieldKind, target: &Target) -> bool {
    !matches!(kind, FieldKind::Any) || catalog().get(target.ty).shape == RecordKind::Record
}

fn plain(cell: &Cell) -> TableValue<'_> {
    match cell {
        Cell::Null | Cell::Id(_) => TableValue::Null,
        Cell::Text(text) => TableValue::text(text),
        Cell::Integer(number) => TableValue::Integer(*number),
        Cell::Number(number) => TableValue::Number(*number),
        Cell::Boolean(boolean) => TableValue::Boolean(*boolean),
        Cell::Instant(instant) => TableValue::Instant(*instant),
        Cell::Json(json) => TableValue::Json(json.to_string().into()),
    }
}

/// Typed id as a value.
pub(super) fn typed(ty: RecordType, uuid: uuid::Uuid) -> TableValue<'static> {
    TableValue::Text(id::encode(ty.prefix(), uuid).into())
}
