//! Writes the published dataset as a package, table by table.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::column::{ColumnSource, PackageColumn, columns, id_value};
use super::descriptor::{MAX_DESCRIPTOR_SOURCES, PackageMetadata, ResourceFile, SourceEntry, descriptor};
use super::error::ExportError;
use super::layout::{DESCRIPTOR, PackageFormat, PackageResource};
use super::staging::StagingDirectory;
use crate::catalog::record::{Record, RecordKind};
use crate::core::digest::hex_digest;
use crate::entity::RecordType;
use crate::store::read::dump::{Dump, DumpRow, FormerName};
use crate::tabular::{CsvOptions, TableColumn, TableEnd, TableRows, TableValue, TableWriter};

/// Rows of a record table per read.
const EXPORT_PAGE_ROWS: usize = 1_000;
/// Former slugs or merged ids per read.
const FORMER_NAMES_PAGE_ROWS: usize = 10_000;

/// Options of an export.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// Target directory.
    pub directory: PathBuf,
    /// Format of the tables.
    pub format: PackageFormat,
    /// Whether to replace a package in the target directory.
    pub replace: bool,
    /// Title of the package.
    pub title: String,
    /// Licences of the dataset as SPDX names or URLs.
    pub licences: Vec<String>,
}

/// What an export wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportSummary {
    /// Number of records.
    pub records: usize,
    /// Number of parts of records.
    pub parts: usize,
    /// Number of tables.
    pub tables: usize,
    /// Revision of the dataset.
    pub revision: i64,
}

/// Writes a package. Afterwards the directory contains the complete package or none of its files. `progress` receives the
/// number of rows of each page.
pub async fn write(dump: &mut Dump, options: &ExportOptions, progress: impl Fn(usize)) -> Result<ExportSummary, ExportError> {
    let staging = StagingDirectory::create(&options.directory, options.replace)?;
    let (revision, changed_at) = dump.version().await?;
    let mut summary = ExportSummary { revision, ..ExportSummary::default() };
    let mut sources = Some(Vec::new());
    let mut files = Vec::new();
    for resource in PackageResource::all() {
        let path = staging.staged_path(&resource.file_name(options.format));
        let mut output = ResourceWriter::create(path, resource, options.format)?;
        match resource {
            PackageResource::Records(record) => {
                let mut after = None;
                loop {
                    let entries = dump.rows(record, after, EXPORT_PAGE_ROWS).await?;
                    output.write_entries(record, &entries.rows)?;
                    if record.ty == RecordType::Source {
                        collect_sources(record, &entries.rows, &mut sources);
                    }
                    let count = if record.kind == RecordKind::Record { &mut summary.records } else { &mut summary.parts };
                    *count += entries.rows.len();
                    progress(entries.rows.len());
                    after = entries.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            PackageResource::FormerSlugs => {
                let mut after = None;
                loop {
                    let names = dump.former_slugs(after, FORMER_NAMES_PAGE_ROWS).await?;
                    output.write_former_names(&names.rows, |former| TableValue::text(&former.name))?;
                    after = names.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            PackageResource::MergedIds => {
                let mut after = None;
                loop {
                    let names = dump.merged_ids(after, FORMER_NAMES_PAGE_ROWS).await?;
                    output.write_former_names(&names.rows, |former| id_value(former.ty, former.name))?;
                    after = names.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        files.extend(output.finish(options.format)?);
    }
    summary.tables = files.len();
    let metadata =
        PackageMetadata { title: &options.title, licences: &options.licences, revision, changed_at, format: options.format, sources };
    let path = staging.staged_path(DESCRIPTOR);
    let text = format!("{:#}\n", descriptor(&metadata, &files));
    fs::write(&path, text).map_err(|error| ExportError::file(&path, error))?;
    let names: Vec<String> = files.iter().map(|file| file.resource.file_name(options.format)).collect();
    staging.publish(&names)?;
    Ok(summary)
}

/// Collects sources for the descriptor; `None` once there are more than [`MAX_DESCRIPTOR_SOURCES`].
fn collect_sources(record: &Record, entries: &[DumpRow], sources: &mut Option<Vec<SourceEntry>>) {
    let text = |entry: &DumpRow, name: &str| {
        record.field_id(name).and_then(|field| entry.cells[field.index()].texts().first().map(|text| (*text).to_owned()))
    };
    if let Some(collected) = sources {
        collected.extend(entries.iter().map(|entry| SourceEntry {
            title: text(entry, "title").unwrap_or_default(),
            url: text(entry, "url"),
            licence: text(entry, "licence"),
        }));
        if collected.len() > MAX_DESCRIPTOR_SOURCES {
            *sources = None;
        }
    }
}

/// Writes one table and computes its size and digest.
struct ResourceWriter {
    resource: PackageResource,
    path: PathBuf,
    file: BufWriter<fs::File>,
    digest: Sha256,
    bytes: u64,
    columns: Vec<PackageColumn>,
    writer: Box<dyn TableWriter>,
}

impl ResourceWriter {
    fn create(path: PathBuf, resource: PackageResource, format: PackageFormat) -> Result<Self, ExportError> {
        let columns = columns(resource);
        let table_columns: Vec<TableColumn> = columns.iter().map(PackageColumn::to_table_column).collect();
        let writer = format.table_format().writer(&table_columns, CsvOptions::default())?;
        let file = BufWriter::new(fs::File::create(&path).map_err(|error| ExportError::file(&path, error))?);
        Ok(Self { resource, path, file, digest: Sha256::new(), bytes: 0, columns, writer })
    }

    fn write_entries(&mut self, record: &Record, entries: &[DumpRow]) -> Result<(), ExportError> {
        let mut rows = TableRows::new(self.columns.len());
        for entry in entries {
            self.columns.iter().for_each(|column| rows.push(column.value(record, entry)));
        }
        let bytes = self.writer.write_rows(&rows)?;
        self.append(&bytes)
    }

    fn write_former_names<'f, T>(
        &mut self,
        names: &'f [FormerName<T>],
        name: impl Fn(&'f FormerName<T>) -> TableValue<'f>,
    ) -> Result<(), ExportError> {
        let mut rows = TableRows::new(self.columns.len());
        for former in names {
            for column in &self.columns {
                rows.push(match column.source {
                    ColumnSource::FormerType => TableValue::text(former.ty.prefix()),
                    ColumnSource::FormerName => name(former),
                    ColumnSource::Id | ColumnSource::Field(_) | ColumnSource::TargetName(_) | ColumnSource::FormerRecord => {
                        id_value(former.ty, former.record)
                    }
                });
            }
        }
        let bytes = self.writer.write_rows(&rows)?;
        self.append(&bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| ExportError::file(&self.path, error))
    }

    /// Finishes the table. An empty NDJSON table is deleted, because it does not state its columns.
    fn finish(self, format: PackageFormat) -> Result<Option<ResourceFile>, ExportError> {
        let Self { resource, path, mut file, mut digest, mut bytes, writer, .. } = self;
        // all formats of a package end with bytes; only a workbook ends as a complete file
        if let TableEnd::Bytes(last) = writer.finish()? {
            digest.update(&last);
            bytes += last.len() as u64;
            file.write_all(&last).map_err(|error| ExportError::file(&path, error))?;
        }
        if bytes == 0 && format == PackageFormat::Ndjson {
            return fs::remove_file(&path).map(|()| None).map_err(|error| ExportError::file(&path, error));
        }
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(|error| ExportError::file(&path, error))?;
        Ok(Some(ResourceFile { resource, bytes, sha256: hex_digest(&digest.finalize()) }))
    }
}
