//! Writes the published dataset as a package, table by table.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::column::{Column, Holds, columns, typed};
use super::descriptor::{About, File, NAMED_SOURCES, Source, descriptor};
use super::folder::Folder;
use super::{DESCRIPTOR, Format, Resource};
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::Error;
use crate::entity::RecordType;
use crate::store::read::dump::{Dump, Entry, Former};
use crate::tabular::{CsvOptions, TableColumn, TableEnd, TableError, TableRows, TableValue, TableWriter};

/// Rows that are read at once.
const PAGE: usize = 1_000;
/// Names of former times that are read at once.
const NAMES: usize = 10_000;

/// How a package is wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Folder that it is written into.
    pub folder: PathBuf,
    /// Format of its tables.
    pub format: Format,
    /// Whether a package that is there is replaced.
    pub replace: bool,
    /// What the package is called.
    pub title: String,
    /// Licences of the dataset, as the names that SPDX gives them or as addresses.
    pub licences: Vec<String>,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of records.
    pub records: usize,
    /// Number of parts of them.
    pub parts: usize,
    /// Number of tables.
    pub tables: usize,
    /// Revision of the dataset.
    pub revision: i64,
}

/// Why a package was not written.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The folder is not one that a package can be written into.
    #[error("{0}")]
    Refused(String),
    /// A file cannot be written.
    #[error("cannot write {path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What happened.
        error: io::Error,
    },
    /// The database failed.
    #[error("cannot read the dataset: {0}")]
    Store(#[from] Error),
    /// A table cannot be written in its format.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Failed {
    pub(super) fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.display().to_string(), error }
    }
}

/// Writes a package. It is in its folder when this ends without an error, and nothing of it is otherwise; `progress` is
/// told of how many rows are done.
pub async fn write(dump: &mut Dump, wish: &Wish, progress: impl Fn(usize)) -> Result<Written, Failed> {
    let folder = Folder::take(&wish.folder, wish.replace)?;
    let (revision, changed_at) = dump.version().await?;
    let mut written = Written { revision, ..Written::default() };
    let mut sources = Some(Vec::new());
    let mut files = Vec::new();
    for resource in Resource::all() {
        let mut output = Output::open(folder.file(&resource.file(wish.format)), resource, wish.format)?;
        match resource {
            Resource::Of(record) => {
                let mut after = None;
                loop {
                    let entries = dump.entries(record, after, PAGE).await?;
                    output.entries(record, &entries.rows)?;
                    if record.ty == RecordType::Source {
                        note_sources(record, &entries.rows, &mut sources);
                    }
                    let count = if record.shape == RecordKind::Record { &mut written.records } else { &mut written.parts };
                    *count += entries.rows.len();
                    progress(entries.rows.len());
                    after = entries.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            Resource::FormerSlugs => {
                let mut after = None;
                loop {
                    let names = dump.former_slugs(after, NAMES).await?;
                    output.former(&names.rows, |former| TableValue::text(&former.name))?;
                    after = names.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            Resource::MergedIds => {
                let mut after = None;
                loop {
                    let names = dump.merged_ids(after, NAMES).await?;
                    output.former(&names.rows, |former| typed(former.ty, former.name))?;
                    after = names.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        files.extend(output.end(wish.format)?);
    }
    written.tables = files.len();
    let about = About { title: &wish.title, licences: &wish.licences, revision, changed_at, format: wish.format, sources };
    let path = folder.file(DESCRIPTOR);
    let text = format!("{:#}\n", descriptor(&about, &files));
    fs::write(&path, text).map_err(|error| Failed::file(&path, error))?;
    let names: Vec<String> = files.iter().map(|file| file.resource.file(wish.format)).collect();
    folder.finish(&names)?;
    Ok(written)
}

/// Notes what the descriptor says of sources, unless there are too many.
fn note_sources(record: &Record, entries: &[Entry], sources: &mut Option<Vec<Source>>) {
    let text = |entry: &Entry, name: &str| {
        record.field_index(name).and_then(|field| entry.cells[field].texts().first().map(|text| (*text).to_owned()))
    };
    if let Some(noted) = sources {
        noted.extend(entries.iter().map(|entry| Source {
            title: text(entry, "title").unwrap_or_default(),
            address: text(entry, "url"),
            licence: text(entry, "licence"),
        }));
        if noted.len() > NAMED_SOURCES {
            *sources = None;
        }
    }
}

/// A table that is being written.
struct Output {
    resource: Resource,
    path: PathBuf,
    file: BufWriter<fs::File>,
    digest: Sha256,
    bytes: u64,
    columns: Vec<Column>,
    writer: Box<dyn TableWriter>,
}

impl Output {
    fn open(path: PathBuf, resource: Resource, format: Format) -> Result<Self, Failed> {
        let columns = columns(resource);
        let of_table: Vec<TableColumn> = columns.iter().map(Column::of_table).collect();
        let writer = format.table().writer(&of_table, CsvOptions::default())?;
        let file = BufWriter::new(fs::File::create(&path).map_err(|error| Failed::file(&path, error))?);
        Ok(Self { resource, path, file, digest: Sha256::new(), bytes: 0, columns, writer })
    }

    fn entries(&mut self, record: &Record, entries: &[Entry]) -> Result<(), Failed> {
        let mut rows = TableRows::new(self.columns.len());
        for entry in entries {
            self.columns.iter().for_each(|column| rows.push(column.value(record, entry)));
        }
        let bytes = self.writer.write_rows(&rows)?;
        self.put(&bytes)
    }

    fn former<'f, T>(&mut self, names: &'f [Former<T>], name: impl Fn(&'f Former<T>) -> TableValue<'f>) -> Result<(), Failed> {
        let mut rows = TableRows::new(self.columns.len());
        for former in names {
            for column in &self.columns {
                rows.push(match column.holds {
                    Holds::FormerType => TableValue::text(former.ty.prefix()),
                    Holds::Former => name(former),
                    _ => typed(former.ty, former.record),
                });
            }
        }
        let bytes = self.writer.write_rows(&rows)?;
        self.put(&bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| Failed::file(&self.path, error))
    }

    /// Ends the table. One without rows is left out where nothing would tell its columns.
    fn end(self, format: Format) -> Result<Option<File>, Failed> {
        let Self { resource, path, mut file, mut digest, mut bytes, writer, .. } = self;
        // nothing that a package is written in is ready only as a whole
        if let TableEnd::Bytes(last) = writer.finish()? {
            digest.update(&last);
            bytes += last.len() as u64;
            file.write_all(&last).map_err(|error| Failed::file(&path, error))?;
        }
        if bytes == 0 && format == Format::Ndjson {
            return fs::remove_file(&path).map(|()| None).map_err(|error| Failed::file(&path, error));
        }
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(|error| Failed::file(&path, error))?;
        let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Some(File { resource, bytes, sha256 }))
    }
}
