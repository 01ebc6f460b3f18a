//! `kurultai import --stream`: records are written while the files are read, so that memory does not grow with them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use tokio::sync::mpsc;

use super::args::ImportArgs;
use super::database::{open_migrated, with_store};
use super::error::ExitError;
use super::outcome::{CommandOutcome, note};
use super::report;
use crate::config::Config;
use crate::interchange::format::InputFormat;
use crate::interchange::import_reader::{BatchSink, ImportReader, read_mapping};
use crate::interchange::input::encoding::TextEncoding;
use crate::interchange::input::listing::list_inputs;
use crate::interchange::input::{InputContent, InputSource};
use crate::interchange::popolo::PopoloOptions;
use crate::store::Store;
use crate::store::db::maintenance::BULK_WRITE_RECORDS;
use crate::store::draft::{InputProblem, mark_as_import, note_lines};
use crate::store::write::{Author, Drafts, TransactionEnd, WriteError, WriteSummary};

/// Imports records while they are read, in one transaction.
pub(super) async fn import_stream(config: &Config, args: ImportArgs) -> anyhow::Result<CommandOutcome> {
    let (reader, inputs) = open(&args)?;
    let author = Author { by: args.by.clone(), message: args.message.clone() };
    let (end, overwrite) = (TransactionEnd::of(args.dry_run, args.strict), args.overwrite);
    let batch_records = usize::try_from(args.batch).unwrap_or(usize::MAX);
    with_store(open_migrated(config, false).await?, async |store: &Store| {
        let (sender, receiver) = mpsc::channel(1);
        let reading = tokio::task::spawn_blocking(move || read(reader, &inputs, BatchSink::new(batch_records, sender)));
        let summary = write(store, receiver, reading, (&author, end, overwrite)).await?;
        report::warnings(&summary);
        if !args.dry_run && summary.created + summary.updated >= BULK_WRITE_RECORDS {
            store.run_upkeep().await.context("all records were written, but database maintenance failed")?;
        }
        let text = if args.dry_run { report::dry_run_summary(&summary) } else { report::summary(&summary) };
        Ok(report::completed(text, 0))
    })
    .await
}

/// The reader and its files, which must be of a format that is read record by record.
fn open(args: &ImportArgs) -> anyhow::Result<(ImportReader, Vec<InputSource>)> {
    for path in args.paths.iter().filter(|path| *path != Path::new("-")).chain(&args.mapping) {
        if let Err(error) = std::fs::metadata(path) {
            bail!(ExitError::UnreadableInput(format!("cannot read {}: {error}; nothing was written", path.display())));
        }
    }
    let failed = |problems: Vec<InputProblem>| anyhow!(report::problems(&problems, 0));
    let mut reader = ImportReader::new(PopoloOptions::default());
    if let Some(path) = &args.mapping {
        let name = Arc::from(path.display().to_string());
        let mapping = InputSource::new(name, InputFormat::Yaml, InputContent::Path(path.clone()));
        reader.set_mapping(read_mapping(&mapping).map_err(failed)?);
    }
    let mut list = list_inputs(&args.paths, args.format, args.mapping.is_some()).map_err(|problem| anyhow!("{problem}"))?;
    list.notes.iter().for_each(note);
    for input in &mut list.inputs {
        if !matches!(input.format, InputFormat::Csv | InputFormat::Ndjson) {
            bail!("{}: --stream reads CSV and NDJSON, because other formats are read as a whole; leave it out", input.name);
        }
        input.encoding = args.encoding.unwrap_or(TextEncoding::Unspecified);
    }
    Ok((reader, list.inputs))
}

/// Reads the files and sends their records. Returns the reader with its notes and problems.
fn read(mut reader: ImportReader, inputs: &[InputSource], sink: BatchSink) -> ImportReader {
    reader.set_sink(sink);
    for input in inputs {
        reader.read(input);
    }
    reader.flush();
    reader
}

/// Writes the records as they arrive, and commits if all files could be read.
async fn write(
    store: &Store,
    mut batches: mpsc::Receiver<Drafts>,
    reading: tokio::task::JoinHandle<ImportReader>,
    (author, end, overwrite): (&Author, TransactionEnd, bool),
) -> anyhow::Result<WriteSummary> {
    let mut stream = store.begin_import_stream(author).await.map_err(failed)?;
    while let Some(mut batch) = batches.recv().await {
        mark_as_import(&mut batch, overwrite);
        note_lines(&batch).iter().for_each(note);
        if let Err(error) = stream.write(&batch).await {
            note("the files are read up to the first batch with problems");
            return Err(failed(error));
        }
    }
    let reader = reading.await.context("the reader failed")?;
    reader.notes.iter().for_each(note);
    if reader.has_buffered_tables() {
        bail!("the mapping refers to records by identifier or URL, which needs all rows; leave --stream out");
    }
    reader.complete().map_err(|problems| anyhow!(report::problems(&problems, 0)))?;
    stream.end(end).await.map_err(failed)
}

/// The problems of a batch. The batches before it are rolled back.
fn failed(error: WriteError) -> anyhow::Error {
    match error {
        WriteError::Problems(problems) => anyhow!(report::problems(&problems, 0)),
        WriteError::Failed(error) => anyhow::Error::new(error).context("nothing was written"),
    }
}
