//! The descriptor `datapackage.json`: metadata of the package and schemas of its tables.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};

use super::column::{ColumnSource, columns};
use super::layout::{PackageFormat, PackageResource};
use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::ids::FieldId;

/// Maximum number of sources in the descriptor, which readers load as a whole; the sources table has all of them.
pub(super) const MAX_DESCRIPTOR_SOURCES: usize = 1_000;

/// A table file that has been written.
#[derive(Debug)]
pub(super) struct ResourceFile {
    pub(super) resource: PackageResource,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A source of the dataset.
#[derive(Debug)]
pub(super) struct SourceEntry {
    pub(super) title: String,
    pub(super) url: Option<String>,
    pub(super) licence: Option<String>,
}

/// Metadata of the package.
#[derive(Debug)]
pub(super) struct PackageMetadata<'a> {
    pub(super) title: &'a str,
    pub(super) licences: &'a [String],
    pub(super) revision: i64,
    pub(super) changed_at: DateTime<Utc>,
    pub(super) format: PackageFormat,
    /// `None` if there are more than [`MAX_DESCRIPTOR_SOURCES`].
    pub(super) sources: Option<Vec<SourceEntry>>,
}

/// Builds the descriptor of a package.
pub(super) fn descriptor(metadata: &PackageMetadata<'_>, files: &[ResourceFile]) -> Json {
    let mut package = json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "kurultai",
        "title": metadata.title,
        "description": "All published records of the dataset, with one table for each type of record and part. Columns that end with .slug or .key are informational; the id in the column beside them is authoritative. The sources table lists where facts come from, and citations link each fact to its source.",
        "created": metadata.changed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "datasetRevision": metadata.revision,
    });
    if !metadata.licences.is_empty() {
        package["licenses"] = metadata.licences.iter().map(|licence| json!({licence_property(licence): licence})).collect();
    }
    match metadata.sources.as_deref() {
        Some([]) | None => {}
        Some(sources) => package["sources"] = sources.iter().map(source_json).collect(),
    }
    let names: Vec<String> = files.iter().map(|file| file.resource.name()).collect();
    package["resources"] = files.iter().map(|file| resource_json(file, metadata.format, &names)).collect();
    package
}

/// The property that states a licence: an SPDX name, or a URL.
fn licence_property(licence: &str) -> &'static str {
    if licence.contains("://") { "path" } else { "name" }
}

fn source_json(source: &SourceEntry) -> Json {
    let mut json = json!({"title": source.title});
    for (name, value) in [("path", &source.url), ("licence", &source.licence)] {
        if let Some(value) = value {
            json[name] = json!(value);
        }
    }
    json
}

fn resource_json(file: &ResourceFile, format: PackageFormat, tables: &[String]) -> Json {
    let mut resource = json!({
        "name": file.resource.name(),
        "type": "table",
        "path": file.resource.file_name(format),
        "description": file.resource.description(),
        "format": format.name(),
        "mediatype": format.media_type(),
    });
    // a truncated Parquet file is detected by its reader, and Frictionless tools cannot check the size of a Parquet file
    if format != PackageFormat::Parquet {
        resource["encoding"] = json!("utf-8");
        resource["bytes"] = json!(file.bytes);
        resource["hash"] = json!(format!("sha256:{}", file.sha256));
    }
    resource["schema"] = schema(file.resource, tables);
    resource
}

fn schema(resource: PackageResource, tables: &[String]) -> Json {
    let columns = columns(resource);
    let fields: Vec<Json> = columns.iter().map(|column| column.field_descriptor(resource)).collect();
    let mut schema = json!({
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "fields": fields,
        "missingValues": [""],
    });
    match resource {
        PackageResource::Records(record) => {
            schema["primaryKey"] = json!(["id"]);
            let keys: Vec<Json> = columns
                .iter()
                .filter_map(|column| match column.source {
                    ColumnSource::Field(id) => foreign_key(record, id, tables),
                    _ => None,
                })
                .collect();
            if !keys.is_empty() {
                schema["foreignKeys"] = Json::Array(keys);
            }
        }
        PackageResource::FormerSlugs => schema["primaryKey"] = json!(["recordType", "slug"]),
        PackageResource::MergedIds => schema["primaryKey"] = json!(["id"]),
    }
    schema
}

/// The foreign key of a reference to one type whose table is in the package. A Table Schema cannot express a reference to any
/// type.
fn foreign_key(record: &Record, id: FieldId, tables: &[String]) -> Option<Json> {
    let field = record.field(id);
    let FieldKind::One(target) = field.kind else { return None };
    let mut reference = json!({"fields": ["id"]});
    // a self-reference omits the resource
    if target != record.ty {
        let table = PackageResource::Records(catalog().get(target)).name();
        if !tables.contains(&table) {
            return None;
        }
        reference = json!({"resource": table, "fields": ["id"]});
    }
    Some(json!({"fields": [field.name], "reference": reference}))
}
