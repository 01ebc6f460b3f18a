//! `kurultai import --stream`: records are written while the files are read, so that memory does not grow with them.

use anyhow::{Context, anyhow, bail};
use tokio::sync::mpsc;

use super::args::ImportArgs;
use super::database::{open_migrated, with_store};
use super::import_inputs::open_inputs;
use super::outcome::{CommandOutcome, note};
use super::report;
use crate::config::Config;
use crate::interchange::format::InputFormat;
use crate::interchange::import_reader::{BatchSink, ImportReader};
use crate::interchange::input::InputSource;
use crate::store::Store;
use crate::store::db::maintenance::BULK_WRITE_RECORDS;
use crate::store::draft::{mark_as_import, note_lines};
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

/// The reader and its files. What is not read record by record is rejected: memory would grow with it.
fn open(args: &ImportArgs) -> anyhow::Result<(ImportReader, Vec<InputSource>)> {
    let (reader, inputs) = open_inputs(args)?;
    if let Some(input) = inputs.iter().find(|input| !matches!(input.format, InputFormat::Csv | InputFormat::Ndjson)) {
        bail!("{}: --stream reads CSV and NDJSON, because other formats are read as a whole; leave it out", input.name);
    }
    if reader.mapping().is_some_and(|mapping| mapping.holds_rows()) {
        bail!("--stream needs sorted: true beside the key of the mapping, because rows that stand anywhere are read as a whole");
    }
    Ok((reader, inputs))
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
    let mut result = Ok(());
    while let Some(mut batch) = batches.recv().await {
        mark_as_import(&mut batch, overwrite);
        note_lines(&batch).iter().for_each(note);
        result = stream.write(batch).await;
        if result.is_err() {
            break;
        }
    }
    // the reader does not wait for a receiver that is gone
    drop(batches);
    let reader = reading.await.context("the reader failed")?;
    report::notes(&reader.notes);
    if reader.has_buffered_tables() {
        bail!("the mapping refers to records by identifier or URL, which needs all rows; leave --stream out");
    }
    if let Err(error) = result {
        note("only the first batch with problems is reported");
        return Err(failed(error));
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
