//! `datapackage.json`: what the package is, and what its tables hold.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};

use super::column::{Holds, columns};
use super::{Format, Resource};
use crate::catalog::record::{FieldKind, Record, catalog};

/// Sources that the descriptor names at most: it is read whole, and the table of sources has them all.
pub(super) const NAMED_SOURCES: usize = 1_000;

/// A table that is written.
#[derive(Debug)]
pub(super) struct File {
    pub(super) resource: Resource,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A source that the dataset rests on.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) title: String,
    pub(super) address: Option<String>,
    pub(super) licence: Option<String>,
}

/// What is said of the package as a whole.
#[derive(Debug)]
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) licences: &'a [String],
    pub(super) revision: i64,
    pub(super) changed_at: DateTime<Utc>,
    pub(super) format: Format,
    /// Nothing where there are too many to be named.
    pub(super) sources: Option<Vec<Source>>,
}

/// The descriptor of a package.
pub(super) fn descriptor(about: &About<'_>, files: &[File]) -> Json {
    let mut package = json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "kurultai",
        "title": about.title,
        "description": "All published records of the dataset, a table for each type of record and of part. Columns that end with .slug or .key are there to be read; what counts is the id beside them. Records in the table of sources say where the facts come from, and citations tie each fact to them.",
        "created": about.changed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "datasetRevision": about.revision,
    });
    if !about.licences.is_empty() {
        package["licenses"] = about.licences.iter().map(|licence| json!({member(licence): licence})).collect();
    }
    match about.sources.as_deref() {
        Some([]) | None => {}
        Some(sources) => package["sources"] = sources.iter().map(source).collect(),
    }
    let names: Vec<String> = files.iter().map(|file| file.resource.name()).collect();
    package["resources"] = files.iter().map(|file| resource(file, about.format, &names)).collect();
    package
}

/// What a licence is given by: its name in the list of SPDX, or an address.
fn member(licence: &str) -> &'static str {
    if licence.contains("://") { "path" } else { "name" }
}

fn source(source: &Source) -> Json {
    let mut json = json!({"title": source.title});
    for (name, value) in [("path", &source.address), ("licence", &source.licence)] {
        if let Some(value) = value {
            json[name] = json!(value);
        }
    }
    json
}

fn resource(file: &File, format: Format, tables: &[String]) -> Json {
    let mut resource = json!({
        "name": file.resource.name(),
        "type": "table",
        "path": file.resource.file(format),
        "description": file.resource.doc(),
        "format": format.name(),
        "mediatype": format.media_type(),
    });
    // a Parquet file tells by itself whether it is whole, and the tools of the standard cannot count its bytes
    if format != Format::Parquet {
        resource["encoding"] = json!("utf-8");
        resource["bytes"] = json!(file.bytes);
        resource["hash"] = json!(format!("sha256:{}", file.sha256));
    }
    resource["schema"] = schema(file.resource, tables);
    resource
}

fn schema(resource: Resource, tables: &[String]) -> Json {
    let columns = columns(resource);
    let fields: Vec<Json> = columns.iter().map(|column| column.field(resource)).collect();
    let mut schema = json!({
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "fields": fields,
        "missingValues": [""],
    });
    match resource {
        Resource::Of(record) => {
            schema["primaryKey"] = json!(["id"]);
            let keys: Vec<Json> = columns
                .iter()
                .filter_map(|column| match column.holds {
                    Holds::Field(place) => foreign_key(record, place, tables),
                    _ => None,
                })
                .collect();
            if !keys.is_empty() {
                schema["foreignKeys"] = Json::Array(keys);
            }
        }
        Resource::FormerSlugs => schema["primaryKey"] = json!(["recordType", "slug"]),
        Resource::MergedIds => schema["primaryKey"] = json!(["id"]),
    }
    schema
}

/// A reference to records of one type whose table is there; one to any type cannot be said in a Table Schema.
fn foreign_key(record: &Record, place: usize, tables: &[String]) -> Option<Json> {
    let field = &record.fields[place];
    let FieldKind::One(target) = field.kind else { return None };
    let mut reference = json!({"fields": ["id"]});
    // in its own table a reference names none
    if target != record.ty {
        let table = Resource::Of(catalog().get(target)).name();
        if !tables.contains(&table) {
            return None;
        }
        reference = json!({"resource": table, "fields": ["id"]});
    }
    Some(json!({"fields": [field.name], "reference": reference}))
}
