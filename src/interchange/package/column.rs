//! The columns of each table: the fields of a record, and informational columns that an import ignores.

use serde_json::{Value as Json, json};

use super::layout::PackageResource;
use crate::catalog::catalog;
use crate::catalog::field::{CHECKED_AT, Field, LAST_CHANGED_AT, URL_CHECKED_AT, URL_STATUS};
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::id;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::read::dump::{DumpRow, ReferenceTarget};
use crate::store::read::result::Cell;
use crate::tabular::{ColumnType, TableColumn, TableValue};

/// Fields that a package omits: everything in it is published, and the others describe the history in one database.
const OMITTED_FIELDS: [&str; 8] =
    ["published", "revision", "createdAt", "updatedAt", CHECKED_AT, LAST_CHANGED_AT, URL_CHECKED_AT, URL_STATUS];

/// Where the values of a column come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnSource {
    /// The id of the row.
    Id,
    /// A field.
    Field(FieldId),
    /// The slug or key of the target of a reference; informational.
    TargetName(FieldId),
    /// The type of a renamed or merged record.
    FormerType,
    /// The former slug or id.
    FormerName,
    /// The id of the record that the former name resolves to.
    FormerRecord,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct PackageColumn {
    pub(super) name: String,
    pub(super) source: ColumnSource,
    pub(super) ty: ColumnType,
    /// Whether the column is derived from others, so that an import ignores it.
    pub(super) is_derived: bool,
    /// Whether the column is needed to identify rows.
    pub(super) is_key: bool,
    is_required: bool,
    description: String,
}

/// The columns of a table, in order.
pub(super) fn columns(resource: PackageResource) -> Vec<PackageColumn> {
    let text = |name: &str, source, description: &str| PackageColumn {
        name: name.to_owned(),
        source,
        ty: ColumnType::Text,
        is_derived: false,
        is_key: true,
        is_required: true,
        description: description.to_owned(),
    };
    match resource {
        PackageResource::Records(record) => record_columns(record),
        PackageResource::FormerSlugs => vec![
            text("recordType", ColumnSource::FormerType, "Type of the record."),
            text("slug", ColumnSource::FormerName, "Former slug of the record."),
            text("record", ColumnSource::FormerRecord, "Id of the record that the slug resolves to."),
        ],
        PackageResource::MergedIds => vec![
            text("id", ColumnSource::FormerName, "Id of the record that was merged."),
            text("record", ColumnSource::FormerRecord, "Id of the record that it was merged into."),
        ],
    }
}

fn record_columns(record: &'static Record) -> Vec<PackageColumn> {
    let description = match record.kind {
        RecordKind::Record => "Permanent id.",
        _ => "Permanent id of the part.",
    };
    let id = PackageColumn {
        name: "id".to_owned(),
        source: ColumnSource::Id,
        ty: ColumnType::Text,
        is_derived: false,
        is_key: true,
        is_required: true,
        description: description.to_owned(),
    };
    let mut columns = vec![id];
    let first = if record.kind == RecordKind::Record { "slug" } else { "key" };
    let is_first = |id: &FieldId| record.field(*id).name == first;
    let all = || record.fields_with_ids().map(|(id, _)| id).filter(|id| !OMITTED_FIELDS.contains(&record.field(*id).name));
    for id in all().filter(is_first).chain(all().filter(|id| !is_first(id))) {
        let field = record.field(id);
        columns.push(PackageColumn {
            name: field.name.to_owned(),
            source: ColumnSource::Field(id),
            ty: column_type(field.kind),
            is_derived: field.name == "disputed",
            is_key: is_first(&id) || (id == FieldId::OWNER && record.kind != RecordKind::Record),
            is_required: field.required,
            description: field.doc.to_owned(),
        });
        if let Some(target_field) = target_name_field(field.kind) {
            let target = if target_field == "key" { "Key of the part" } else { "Slug of the record" };
            columns.push(PackageColumn {
                name: format!("{}.{target_field}", field.name),
                source: ColumnSource::TargetName(id),
                ty: ColumnType::Text,
                is_derived: true,
                is_key: false,
                is_required: false,
                description: format!("{target} that {} refers to. Informational; an import ignores it.", field.name),
            });
        }
    }
    columns
}

/// The field that names the target of a reference; `None` for other kinds.
fn target_name_field(kind: FieldKind) -> Option<&'static str> {
    match kind {
        FieldKind::One(target) if catalog().get(target).kind != RecordKind::Record => Some("key"),
        FieldKind::One(_) | FieldKind::Any => Some("slug"),
        _ => None,
    }
}

fn column_type(kind: FieldKind) -> ColumnType {
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

impl PackageColumn {
    /// The column for the table writer.
    pub(super) fn to_table_column(&self) -> TableColumn {
        TableColumn { name: self.name.clone(), ty: self.ty }
    }

    /// The value of the column in a row.
    pub(super) fn value<'e>(&self, record: &Record, entry: &'e DumpRow) -> TableValue<'e> {
        match self.source {
            ColumnSource::Id => TableValue::Text(id::encode(record.ty.prefix(), entry.id).into()),
            ColumnSource::Field(id) => match (&entry.cells[id.index()], &entry.targets[id.index()]) {
                (_, Some(target)) => TableValue::Text(id::encode(target.ty.prefix(), target.id).into()),
                (cell, None) => cell_value(cell),
            },
            ColumnSource::TargetName(id) => match &entry.targets[id.index()] {
                Some(target) if has_target_name(record.field(id).kind, target) => TableValue::text(&target.name),
                _ => TableValue::Null,
            },
            ColumnSource::FormerType | ColumnSource::FormerName | ColumnSource::FormerRecord => TableValue::Null,
        }
    }

    /// The field descriptor of the Table Schema.
    pub(super) fn field_descriptor(&self, resource: PackageResource) -> Json {
        let declared = match (resource, self.source) {
            (PackageResource::Records(record), ColumnSource::Field(id)) => Some(record.field(id)),
            _ => None,
        };
        let mut field = json!({"name": self.name, "type": self.schema_type(declared), "description": self.description});
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
            let label = |value: &crate::catalog::kind::Choice| json!({"value": value.value, "label": value.doc});
            field["categories"] = vocabulary.choices.iter().map(label).collect();
        }
        if self.source == ColumnSource::FormerType {
            constraints.insert("enum".to_owned(), PackageResource::all().filter_map(record_type_prefix).collect());
        }
        if !constraints.is_empty() {
            field["constraints"] = Json::Object(constraints);
        }
        field
    }

    /// The field type of the Table Schema.
    fn schema_type(&self, declared: Option<&Field>) -> &'static str {
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

fn record_type_prefix(resource: PackageResource) -> Option<&'static str> {
    match resource {
        PackageResource::Records(record) if record.kind == RecordKind::Record => Some(record.ty.prefix()),
        _ => None,
    }
}

/// Whether the target has a slug or key for the column: a reference to any type may refer to a part, which has no slug.
fn has_target_name(kind: FieldKind, target: &ReferenceTarget) -> bool {
    !matches!(kind, FieldKind::Any) || catalog().get(target.ty).kind == RecordKind::Record
}

fn cell_value(cell: &Cell) -> TableValue<'_> {
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

/// A type-prefixed id as a value.
pub(super) fn id_value(ty: RecordType, uuid: uuid::Uuid) -> TableValue<'static> {
    TableValue::Text(id::encode(ty.prefix(), uuid).into())
}
