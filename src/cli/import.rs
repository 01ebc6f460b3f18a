//! `kurultai import`: loads records from files. All files are read and validated before the first record is written.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};

use super::args::ImportArgs;
use super::database::{open_migrated, with_store};
use super::error::ExitError;
use super::interrupt::InterruptCounter;
use super::outcome::{CommandOutcome, note};
use super::progress::Progress;
use super::push::{PushOptions, push};
use super::report;
use crate::config::Config;
use crate::interchange::batch::split_into_batches;
use crate::interchange::format::InputFormat;
use crate::interchange::import_reader::{ImportReader, read_mapping};
use crate::interchange::input;
use crate::interchange::input::InputSource;
use crate::interchange::popolo::PopoloOptions;
use crate::interchange::push::PushClient;
use crate::store::Store;
use crate::store::db::maintenance::BULK_WRITE_RECORDS;
use crate::store::draft::{has_problems, note_lines, problems_of};
use crate::store::write::{Author, Drafts, TransactionEnd, WriteError, WriteSummary};

/// How an import writes into a database.
struct ImportOptions {
    batch_records: usize,
    dry_run: bool,
    /// Whether warnings are errors.
    strict: bool,
    author: Author,
}

/// Imports records into the database, or into a running server if a URL is given.
pub(super) async fn import(config: &Config, args: ImportArgs) -> anyhow::Result<CommandOutcome> {
    let mut reading = read_inputs(&args)?;
    let batch_records = usize::try_from(args.batch).unwrap_or(usize::MAX);
    if let Some(url) = args.url {
        if reading.has_package {
            bail!("a data package can only be imported into a database, because its records keep their ids; a server assigns new ids");
        }
        let server = PushClient::new(&url, args.token).map_err(|error| anyhow!(error))?;
        reading.finish(&server).await.map_err(|error| anyhow!(error))?;
        let options = PushOptions { message: args.message, batch_records, dry_run: args.dry_run, strict: args.strict };
        let drafts = drafts(reading)?;
        if has_problems(&drafts) {
            bail!(report::problems(&problems_of(&drafts), 0));
        }
        return push(&server, drafts, options).await;
    }
    let options =
        ImportOptions { batch_records, dry_run: args.dry_run, strict: args.strict, author: Author { by: args.by, message: args.message } };
    with_store(open_migrated(config, false).await?, async |store| load(store, reading, &options).await).await
}

/// Writes the records into a database.
async fn load(store: &Store, mut reading: ImportReader, options: &ImportOptions) -> anyhow::Result<CommandOutcome> {
    let former = std::mem::take(&mut reading.former);
    reading.finish(store).await?;
    let drafts = drafts(reading)?;
    let total = report::count(&drafts);
    let mut interrupt = InterruptCounter::start();
    if options.dry_run || has_problems(&drafts) {
        return match write_result(validate(store, &drafts, options, &mut interrupt).await, 0)? {
            Some(outcome) => {
                report::warnings(&outcome);
                Ok(CommandOutcome::Completed(report::dry_run_summary(&outcome)))
            }
            None => Ok(report::interrupted(0, total)),
        };
    }
    if total >= BULK_WRITE_RECORDS {
        store.prepare_bulk_write().await.context("cannot prepare the database for a large import")?;
    }
    let outcome = if total <= options.batch_records {
        let progress = Progress::records("written", total);
        tokio::select! {
            outcome = store.write_or_try(&drafts, &options.author, TransactionEnd::of(false, options.strict), |written| progress.add(written)) => {
                write_result(outcome, 0)?
            }
            () = interrupt.wait_for(1) => return Ok(report::interrupted(0, total)),
        }
    } else {
        if write_result(validate(store, &drafts, options, &mut interrupt).await, 0)?.is_none() {
            return Ok(report::interrupted(0, total));
        }
        match write_batches(store, drafts, options, interrupt).await? {
            Ok(outcome) => outcome,
            Err(interrupted) => return Ok(interrupted),
        }
    };
    report::warnings(&outcome);
    store
        .register_redirects(&former.slugs, &former.ids)
        .await
        .context("the records were written, but not the redirects from their former names")?;
    if outcome.created + outcome.updated >= BULK_WRITE_RECORDS {
        store.run_upkeep().await.context("all records were written, but database maintenance failed")?;
    }
    Ok(CommandOutcome::Completed(report::summary(&outcome)))
}

/// Reads all inputs.
fn read_inputs(args: &ImportArgs) -> anyhow::Result<ImportReader> {
    for path in args.paths.iter().filter(|path| *path != Path::new("-")).chain(&args.mapping) {
        if let Err(error) = std::fs::metadata(path) {
            bail!(ExitError::UnreadableInput(format!("cannot read {}: {error}; nothing was written", path.display())));
        }
    }
    let mut reading = ImportReader::new(PopoloOptions { scheme: args.scheme.clone(), lang: args.lang.clone() });
    if let Some(path) = &args.mapping {
        let name = Arc::from(path.display().to_string());
        let mapping = InputSource { name, format: InputFormat::Yaml, is_format_explicit: true, path: Some(path.clone()), file: None };
        reading.set_mapping(read_mapping(&mapping).map_err(|problems| anyhow!(report::problems(&problems, 0)))?);
    }
    let inputs = input::list_inputs(&args.paths, args.format, args.mapping.is_some()).map_err(|problem| anyhow!("{problem}"))?;
    for input in &inputs {
        reading.read(input);
    }
    reading.complete().map_err(|problems| anyhow!(report::problems(&problems, 0)))
}

/// The records that were read, or all problems if some could not be. Prints the notes of the readers.
fn drafts(reading: ImportReader) -> anyhow::Result<Drafts> {
    reading.notes.iter().for_each(note);
    let reading = reading.complete().map_err(|problems| anyhow!(report::problems(&problems, 0)))?;
    note_lines(&reading.drafts).iter().for_each(note);
    Ok(reading.drafts)
}

/// Validates all records against each other and the database; `None` if interrupted.
async fn validate(
    store: &Store,
    drafts: &Drafts,
    options: &ImportOptions,
    interrupt: &mut InterruptCounter,
) -> Result<Option<WriteSummary>, WriteError> {
    let progress = Progress::records("validated", report::count(drafts));
    tokio::select! {
        outcome = store.check(drafts, &options.author, |validated| progress.add(validated)) => match outcome? {
            outcome if options.strict && !outcome.warnings.is_empty() => Err(WriteError::Problems(outcome.warnings)),
            outcome => Ok(Some(outcome)),
        },
        () = interrupt.wait_for(1) => Ok(None),
    }
}

/// Writes the records in batches, each in a transaction of its own. The first interrupt stops after the current batch, the
/// second one rolls it back.
async fn write_batches(
    store: &Store,
    drafts: Drafts,
    options: &ImportOptions,
    mut interrupt: InterruptCounter,
) -> anyhow::Result<Result<WriteSummary, CommandOutcome>> {
    let total = report::count(&drafts);
    let progress = Progress::records("written", total);
    let mut outcome = WriteSummary::default();
    let mut written = 0;
    for batch in split_into_batches(drafts, options.batch_records) {
        let result = tokio::select! {
            result = store.write(&batch, &options.author, |_| ()) => result,
            () = interrupt.wait_for(2) => return Ok(Err(report::interrupted(written, total))),
        };
        outcome += write_result(result, written)?;
        let count = report::count(&batch);
        written += count;
        progress.add(count);
        if interrupt.is_interrupted() && written < total {
            return Ok(Err(report::interrupted(written, total)));
        }
    }
    Ok(Ok(outcome))
}

/// Adds to an error how many records were written before it.
fn write_result<T>(result: Result<T, WriteError>, written: usize) -> anyhow::Result<T> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(WriteError::Problems(problems)) => bail!(report::problems(&problems, written)),
        Err(WriteError::Failed(error)) => Err(anyhow::Error::new(error).context(report::written_before(written))),
    }
}
