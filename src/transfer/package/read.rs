//! Reads a package, and tells everything that is wrong with it.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use uuid::Uuid;

use super::assemble::{self, Parts};
use super::column::{Column, Holds, columns};
use super::row::{Row, Table, digest};
use super::{Format, Resource};
use crate::catalog::record::{RecordKind, catalog};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::draft::value_tree::Value;
use crate::store::draft::{Draft, InputProblem};
use crate::store::read::dump::Former;
use crate::transfer::input::{cannot_read, problem};

/// What a package holds.
#[derive(Debug, Default)]
pub struct Package {
    /// The records, each with its parts.
    pub records: Vec<(RecordType, Draft)>,
    /// Slugs that records had before.
    pub slugs: Vec<Former<String>>,
    /// Ids of records that were merged into others.
    pub ids: Vec<Former<Uuid>>,
}

/// A table as the descriptor has it.
#[derive(Debug)]
struct Listed {
    resource: Resource,
    /// What it is called in messages.
    name: Arc<str>,
    path: PathBuf,
    format: Format,
    columns: Vec<Column>,
}

/// Reads a package by its descriptor.
pub fn read(path: &Path) -> Result<Package, Vec<InputProblem>> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let text = std::fs::read(path).map_err(|error| vec![cannot_read(&name, &error)])?;
    let wrong = |message: String| vec![problem(Some(&name), message)];
    let descriptor: Json = serde_json::from_slice(&text).map_err(|error| wrong(format!("this is not JSON: {error}")))?;
    let Some(resources) = descriptor.get("resources").and_then(Json::as_array) else {
        return Err(wrong("this is no data package: it has no list of resources".to_owned()));
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut problems = Vec::new();
    let mut tables: Vec<Listed> = Vec::new();
    for resource in resources {
        match listed(folder, resource) {
            Ok(table) if tables.iter().any(|other| other.resource.name() == table.resource.name()) => {
                problems.push(problem(Some(&name), format!("the resource \"{}\" is there twice", table.resource.name())));
            }
            Ok(table) => match checked(&table, resource) {
                Ok(()) => tables.push(table),
                Err(problem) => problems.push(problem),
            },
            Err(message) => problems.push(problem(Some(&name), message)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut package = Package::default();
    let mut parts = Parts::default();
    let (of_parts, others): (Vec<&Listed>, Vec<&Listed>) =
        tables.iter().partition(|table| matches!(table.resource, Resource::Of(record) if record.shape != RecordKind::Record));
    for table in of_parts.into_iter().chain(others) {
        rows(table, &mut package, &mut parts, &mut problems);
    }
    // what is wrong with a record leaves its parts behind, which is no further problem
    if problems.is_empty() {
        problems.extend(parts.left());
    }
    if problems.is_empty() { Ok(package) } else { Err(problems) }
}

/// Reads one table.
fn rows(table: &Listed, package: &mut Package, parts: &mut Parts, problems: &mut Vec<InputProblem>) {
    let row = match table.resource {
        Resource::Of(record) => record.singular(),
        Resource::FormerSlugs => "formerSlug".to_owned(),
        Resource::MergedIds => "mergedId".to_owned(),
    };
    let columns = &table.columns;
    let reader = Table { name: &table.name, path: &table.path, format: table.format, row: &row, columns };
    let mut found = Vec::new();
    let whole = reader.read(&mut |read| {
        let taken = read.map_err(|problem| vec![problem]).and_then(|row| match table.resource {
            Resource::Of(record) if record.shape != RecordKind::Record => parts.take(record, columns, row),
            Resource::Of(record) => {
                let mut draft = assemble::draft(record, columns, row)?;
                let problems = parts.give(record, &mut draft);
                package.records.push((record.ty, draft));
                if problems.is_empty() { Ok(()) } else { Err(problems) }
            }
            Resource::FormerSlugs => former_slug(columns, &row).map(|former| package.slugs.push(former)).map_err(|problem| vec![problem]),
            Resource::MergedIds => merged_id(columns, &row).map(|former| package.ids.push(former)).map_err(|problem| vec![problem]),
        });
        found.extend(taken.err().into_iter().flatten());
    });
    problems.extend(found);
    problems.extend(whole.err().into_iter().flatten());
}

fn text<'r>(columns: &[Column], row: &'r Row, holds: Holds) -> &'r str {
    match row.values.iter().find(|(place, _)| columns[*place].holds == holds).map(|(_, tree)| &tree.value) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// The id of a record, and the type that it tells.
fn record_id(row: &Row, text: &str) -> Result<(RecordType, Uuid), InputProblem> {
    let decoded = id::decode(text).ok().and_then(|(prefix, id)| Some((RecordType::from_prefix(prefix)?, id)));
    decoded
        .filter(|(ty, _)| catalog().get(*ty).shape == RecordKind::Record)
        .ok_or_else(|| InputProblem::new(row.origin.clone(), format!("\"{text}\" is not the id of a record")))
}

fn former_slug(columns: &[Column], row: &Row) -> Result<Former<String>, InputProblem> {
    let (ty, record) = record_id(row, text(columns, row, Holds::FormerRecord))?;
    let (prefix, slug) = (text(columns, row, Holds::FormerType), text(columns, row, Holds::Former));
    if prefix != ty.prefix() {
        return Err(InputProblem::new(row.origin.clone(), format!("the record is a {}, and \"{prefix}\" stands beside it", ty.prefix())));
    }
    if slug.is_empty() {
        return Err(InputProblem::new(row.origin.clone(), "the slug is missing"));
    }
    Ok(Former { ty, name: slug.to_owned(), record })
}

fn merged_id(columns: &[Column], row: &Row) -> Result<Former<Uuid>, InputProblem> {
    let (ty, record) = record_id(row, text(columns, row, Holds::FormerRecord))?;
    let (of, name) = record_id(row, text(columns, row, Holds::Former))?;
    if of != ty {
        return Err(InputProblem::new(row.origin.clone(), format!("a {} cannot have been merged into a {}", of.prefix(), ty.prefix())));
    }
    Ok(Former { ty, name, record })
}

/// A table of the descriptor, or what is wrong with the entry.
fn listed(folder: &Path, resource: &Json) -> Result<Listed, String> {
    let text = |name: &str| resource.get(name).and_then(Json::as_str);
    let name = text("name").ok_or("a resource has no name")?;
    let found = Resource::all().find(|resource| resource.name() == name).ok_or_else(|| {
        let known: Vec<String> = Resource::all().map(Resource::name).collect();
        format!("the resource \"{name}\" is no table of a dataset; there are {}", known.join(", "))
    })?;
    let path = match resource.get("path") {
        Some(Json::String(path)) => path.as_str(),
        Some(Json::Array(paths)) if paths.len() == 1 => paths[0].as_str().unwrap_or_default(),
        _ => "",
    };
    let inside = |path: &Path| path.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
    if path.is_empty() || path.contains("://") || !inside(Path::new(path)) {
        return Err(format!("the path of the resource \"{name}\" must name one file in the folder of the package"));
    }
    let ending = Path::new(path).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let format = text("format").map(str::to_owned).or(ending).unwrap_or_default();
    let format = Format::ALL
        .into_iter()
        .find(|known| known.name() == format)
        .ok_or_else(|| format!("\"{format}\" is no format of the resource \"{name}\"; there are csv, ndjson and parquet"))?;
    let path = folder.join(path);
    Ok(Listed { resource: found, name: Arc::from(path.display().to_string()), path, format, columns: columns(found) })
}

/// Whether a file is the one that the descriptor speaks of.
fn checked(table: &Listed, resource: &Json) -> Result<(), InputProblem> {
    let (sha256, length) = digest(&table.path).map_err(|error| cannot_read(&table.name, &error))?;
    let other = |what: &str| {
        let message = format!(
            "the file is not the one that was exported: {what}; export it again, or, where it was changed on purpose, take \"bytes\" and \"hash\" of it out of {}",
            super::DESCRIPTOR
        );
        Err(problem(Some(&table.name), message))
    };
    match (resource.get("bytes").and_then(Json::as_u64), resource.get("hash").and_then(Json::as_str)) {
        (Some(bytes), _) if bytes != length => other(&format!("it has {length} bytes instead of {bytes}")),
        (_, Some(hash)) if hash.strip_prefix("sha256:").is_some_and(|hash| hash != sha256) => other("its SHA-256 is another"),
        _ => Ok(()),
    }
}
