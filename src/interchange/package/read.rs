//! Reads a package and reports every problem found in it.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use strum::VariantArray;
use uuid::Uuid;

use super::assemble::{PartAssembler, parse_draft};
use super::column::{ColumnSource, PackageColumn, columns};
use super::digest::file_digest;
use super::layout::{DESCRIPTOR, PackageFormat, PackageResource};
use super::row::{PackageRow, RowReader};
use crate::catalog::catalog;
use crate::catalog::record::RecordKind;
use crate::core::id;
use crate::core::strict_json;
use crate::core::text::TextRule;
use crate::entity::RecordType;
use crate::interchange::problem::{file_problem, unreadable};
use crate::store::draft::value_tree::Value;
use crate::store::draft::{Draft, InputProblem};
use crate::store::read::dump::FormerName;

/// The contents of a package.
#[derive(Debug, Default)]
pub struct Package {
    /// Records with their parts.
    pub records: Vec<(RecordType, Draft)>,
    /// Slugs that records had before.
    pub former_slugs: Vec<FormerName<String>>,
    /// Ids of records that were merged into others.
    pub merged_ids: Vec<FormerName<Uuid>>,
}

/// A table that the descriptor lists.
#[derive(Debug)]
struct ListedTable {
    resource: PackageResource,
    /// Name of the file, for messages.
    name: Arc<str>,
    path: PathBuf,
    format: PackageFormat,
    columns: Vec<PackageColumn>,
}

impl ListedTable {
    fn has_parts(&self) -> bool {
        matches!(self.resource, PackageResource::Records(record) if record.kind != RecordKind::Record)
    }
}

/// Reads the package that a descriptor describes.
pub fn read(path: &Path) -> Result<Package, Vec<InputProblem>> {
    let tables = read_descriptor(path)?;
    let mut package = Package::default();
    let mut parts = PartAssembler::default();
    let mut problems = Vec::new();
    // parts come first, so that each record finds its parts
    let (part_tables, others): (Vec<&ListedTable>, Vec<&ListedTable>) = tables.iter().partition(|table| table.has_parts());
    for table in part_tables.into_iter().chain(others) {
        read_table(table, &mut package, &mut parts, &mut problems);
    }
    // an invalid record leaves its parts behind, which is no further problem
    if problems.is_empty() {
        problems.extend(parts.orphan_problems());
    }
    if problems.is_empty() { Ok(package) } else { Err(problems) }
}

/// Reads the descriptor and verifies the files that it lists.
fn read_descriptor(path: &Path) -> Result<Vec<ListedTable>, Vec<InputProblem>> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let text = std::fs::read(path).map_err(|error| vec![unreadable(&name, &error)])?;
    let invalid = |message: String| vec![file_problem(Some(&name), message)];
    let descriptor = strict_json::parse(&text).map_err(|error| invalid(error.message("the descriptor")))?;
    let Some(resources) = descriptor.get("resources").and_then(Json::as_array) else {
        return Err(invalid("not a data package: it has no list of resources".to_owned()));
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut problems = Vec::new();
    let mut tables: Vec<ListedTable> = Vec::new();
    for resource in resources {
        match parse_resource(directory, resource) {
            Ok(table) if tables.iter().any(|other| other.resource.name() == table.resource.name()) => {
                problems.push(file_problem(Some(&name), format!("duplicate resource \"{}\"", table.resource.name())));
            }
            Ok(table) => match verify_file(&table, resource) {
                Ok(()) => tables.push(table),
                Err(problem) => problems.push(problem),
            },
            Err(message) => problems.push(file_problem(Some(&name), message)),
        }
    }
    if problems.is_empty() { Ok(tables) } else { Err(problems) }
}

fn read_table(table: &ListedTable, package: &mut Package, parts: &mut PartAssembler, problems: &mut Vec<InputProblem>) {
    let row_name = match table.resource {
        PackageResource::Records(record) => record.singular(),
        PackageResource::FormerSlugs => "formerSlug".to_owned(),
        PackageResource::MergedIds => "mergedId".to_owned(),
    };
    let columns = &table.columns;
    let reader = RowReader { name: &table.name, path: &table.path, format: table.format, row_name: &row_name, columns };
    let mut row_problems = Vec::new();
    let outcome = reader.read(&mut |row| {
        let added = row.map_err(|problem| vec![problem]).and_then(|row| match table.resource {
            PackageResource::Records(record) if record.kind != RecordKind::Record => parts.add(record, columns, row),
            PackageResource::Records(record) => {
                let mut draft = parse_draft(record, columns, row)?;
                let problems = parts.attach(record, &mut draft);
                package.records.push((record.ty, draft));
                if problems.is_empty() { Ok(()) } else { Err(problems) }
            }
            PackageResource::FormerSlugs => {
                let former = parse_former_slug(columns, &row).map_err(|problem| vec![problem])?;
                package.former_slugs.push(former);
                Ok(())
            }
            PackageResource::MergedIds => {
                let former = parse_merged_id(columns, &row).map_err(|problem| vec![problem])?;
                package.merged_ids.push(former);
                Ok(())
            }
        });
        row_problems.extend(added.err().into_iter().flatten());
    });
    problems.extend(row_problems);
    problems.extend(outcome.err().into_iter().flatten());
}

/// The text of a column in a row; empty if the row has none.
fn text_of<'r>(columns: &[PackageColumn], row: &'r PackageRow, source: ColumnSource) -> &'r str {
    match row.values.iter().find(|(index, _)| columns[*index].source == source).map(|(_, tree)| &tree.value) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// What a former slug may contain.
const FORMER_SLUG_RULE: TextRule = TextRule::line(100);

/// Decodes the id of a record, whose prefix states its type.
fn parse_record_id(row: &PackageRow, text: &str) -> Result<(RecordType, Uuid), InputProblem> {
    let decoded = id::decode(text).ok().and_then(|(prefix, id)| Some((RecordType::from_prefix(prefix)?, id)));
    decoded
        .filter(|(ty, _)| catalog().get(*ty).kind == RecordKind::Record)
        .ok_or_else(|| InputProblem::new(row.origin.clone(), format!("\"{text}\" is not the id of a record")))
}

fn parse_former_slug(columns: &[PackageColumn], row: &PackageRow) -> Result<FormerName<String>, InputProblem> {
    let (ty, record) = parse_record_id(row, text_of(columns, row, ColumnSource::FormerRecord))?;
    let (prefix, slug) = (text_of(columns, row, ColumnSource::FormerType), text_of(columns, row, ColumnSource::FormerName));
    if prefix != ty.prefix() {
        return Err(InputProblem::new(row.origin.clone(), format!("recordType is \"{prefix}\", but the record is a {}", ty.prefix())));
    }
    if slug.is_empty() {
        return Err(InputProblem::new(row.origin.clone(), "slug is missing"));
    }
    if let Err(message) = FORMER_SLUG_RULE.check(slug) {
        return Err(InputProblem::new(row.origin.clone(), format!("slug: {message}")));
    }
    Ok(FormerName { ty, name: slug.to_owned(), record })
}

fn parse_merged_id(columns: &[PackageColumn], row: &PackageRow) -> Result<FormerName<Uuid>, InputProblem> {
    let (ty, record) = parse_record_id(row, text_of(columns, row, ColumnSource::FormerRecord))?;
    let (of, name) = parse_record_id(row, text_of(columns, row, ColumnSource::FormerName))?;
    if of != ty {
        let message = format!("the merged record is a {}, but the record that it was merged into is a {}", of.prefix(), ty.prefix());
        return Err(InputProblem::new(row.origin.clone(), message));
    }
    Ok(FormerName { ty, name, record })
}

/// Parses a resource of the descriptor. Its path must stay inside the package directory.
fn parse_resource(directory: &Path, resource: &Json) -> Result<ListedTable, String> {
    let text = |name: &str| resource.get(name).and_then(Json::as_str);
    let name = text("name").ok_or("a resource has no name")?;
    let found = PackageResource::all().find(|resource| resource.name() == name).ok_or_else(|| {
        let known: Vec<String> = PackageResource::all().map(PackageResource::name).collect();
        format!("unknown resource \"{name}\"; expected one of {}", known.join(", "))
    })?;
    let path = match resource.get("path") {
        Some(Json::String(path)) => path.as_str(),
        Some(Json::Array(paths)) if paths.len() == 1 => paths[0].as_str().unwrap_or_default(),
        _ => "",
    };
    let is_inside = |path: &Path| path.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
    if path.is_empty() || path.contains("://") || !is_inside(Path::new(path)) {
        return Err(format!("the path of the resource \"{name}\" must be one file in the package directory"));
    }
    let extension = Path::new(path).extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let format = text("format").map(str::to_owned).or(extension).unwrap_or_default();
    let format = PackageFormat::VARIANTS
        .iter()
        .copied()
        .find(|known| known.name() == format)
        .ok_or_else(|| format!("unknown format \"{format}\" of the resource \"{name}\"; expected csv, ndjson or parquet"))?;
    let path = directory.join(path);
    Ok(ListedTable { resource: found, name: Arc::from(path.display().to_string()), path, format, columns: columns(found) })
}

/// Verifies the size and the digest of a file, if the descriptor states them.
fn verify_file(table: &ListedTable, resource: &Json) -> Result<(), InputProblem> {
    let (sha256, length) = file_digest(&table.path).map_err(|error| unreadable(&table.name, &error))?;
    let mismatch = |difference: &str| {
        let message = format!(
            "the file differs from the exported one: {difference}; export it again or, if the change is intended, remove \"bytes\" and \"hash\" of the file from {DESCRIPTOR}"
        );
        Err(file_problem(Some(&table.name), message))
    };
    match (resource.get("bytes").and_then(Json::as_u64), resource.get("hash").and_then(Json::as_str)) {
        (Some(bytes), _) if bytes != length => mismatch(&format!("it has {length} bytes instead of {bytes}")),
        (_, Some(hash)) if hash.strip_prefix("sha256:").is_some_and(|hash| hash != sha256) => mismatch("its SHA-256 is different"),
        _ => Ok(()),
    }
}
