//! `kurultai import`: loads records from files. All files are read and validated before the first record is written.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use uuid::Uuid;

use super::args::{ImportArgs, PruneArg};
use super::database::{open_migrated, with_store};
use super::import_inputs::open_inputs;
use super::import_stream::import_stream;
use super::interrupt::InterruptCounter;
use super::outcome::{CommandOutcome, note};
use super::progress::Progress;
use super::push::{PushOptions, push};
use super::report;
use crate::config::Config;
use crate::interchange::batch::Batches;
use crate::interchange::import_reader::ImportReader;
use crate::interchange::import_reader::refused::Refusals;
use crate::interchange::input::{InputContent, InputSource};
use crate::interchange::mapping::Mapping;
use crate::interchange::push::{PushClient, PushMode};
use crate::store::Store;
use crate::store::db::maintenance::BULK_WRITE_RECORDS;
use crate::store::draft::record_names::name_records;
use crate::store::draft::{InputProblem, has_problems, mark_as_import, note_lines, problems_of};
use crate::store::write::{Author, Drafts, ImportRun, PruneMode, PrunedRecord, TransactionEnd, WriteError, WriteSummary};

/// How an import writes into a database.
struct ImportOptions {
    batch_records: usize,
    dry_run: bool,
    /// Whether warnings are errors.
    strict: bool,
    /// Whether edits are overwritten.
    overwrite: bool,
    prune: Prune,
    author: Author,
}

/// The set of records that the files hold in full, and what happens to those that are gone from it.
struct Prune {
    set: Option<String>,
    mode: PruneMode,
}

/// The files of an import, as read.
struct ImportFiles {
    reading: ImportReader,
    /// The files, if records that are not valid are skipped.
    skipping: Option<Vec<InputSource>>,
}

/// Imports records into the database, or into a running server if a URL is given.
pub(super) async fn import(config: &Config, args: ImportArgs) -> anyhow::Result<CommandOutcome> {
    if args.stream {
        return import_stream(config, args).await;
    }
    let files = read_inputs(&args)?;
    let batch_records = usize::try_from(args.batch).unwrap_or(usize::MAX);
    if files.reading.has_package && args.skip {
        bail!("rows of a data package cannot be skipped, because they refer to each other by id; correct the package");
    }
    if args.prune.is_some() && args.set.is_none() && args.scheme.is_none() {
        bail!("--prune needs the name of the set of records that the files hold in full: give --set NAME");
    }
    let prune = Prune {
        set: args.set.or(args.scheme),
        mode: match (args.prune, args.close_on) {
            (None, _) => PruneMode::List,
            (Some(PruneArg::Delete), None) => PruneMode::Delete,
            (Some(PruneArg::Close), Some(day)) => PruneMode::Close(day),
            (Some(PruneArg::Delete), Some(_)) => bail!("--close-on is for --prune close"),
            (Some(PruneArg::Close), None) => bail!("--prune close needs --close-on DATE"),
        },
    };
    // what is pruned is shown first
    let dry_run = args.dry_run || (args.prune.is_some() && !args.yes);
    let (strict, overwrite) = (args.strict, args.overwrite);
    if let Some(url) = args.url {
        let server = PushClient::new(&url, args.token).map_err(|error| anyhow!(error))?;
        let run = prune.set.map(|set| ImportRun { set, run: Uuid::now_v7().to_string() });
        let mode = PushMode { dry_run, strict, overwrite, skip: args.skip };
        let options = PushOptions { message: args.message, batch_records, mode, run, prune: prune.mode };
        return import_into_server(&server, files, options).await;
    }
    let options = ImportOptions { batch_records, dry_run, strict, overwrite, prune, author: Author { by: args.by, message: args.message } };
    with_store(open_migrated(config, false).await?, async |store| load(store, files, &options).await).await
}

/// Pushes the records to a running server.
async fn import_into_server(server: &PushClient, mut files: ImportFiles, options: PushOptions) -> anyhow::Result<CommandOutcome> {
    if files.reading.has_package {
        bail!("a data package can only be imported into a database, because its records keep their ids; a server assigns new ids");
    }
    files.reading.finish(server).await.map_err(|error| anyhow!(error))?;
    let (drafts, mut skipping) = files.drafts()?;
    if has_problems(&drafts) {
        let mut problems = problems_of(&drafts);
        name_records(&drafts, &mut problems);
        bail!(report::problems(&problems, 0));
    }
    let outcome = push(server, drafts, options, skipping.as_mut().map(|skipping| &mut skipping.refusals)).await?;
    if let Some(skipping) = skipping {
        skipping.write()?;
    }
    Ok(outcome)
}

/// Writes the records into a database.
async fn load(store: &Store, mut files: ImportFiles, options: &ImportOptions) -> anyhow::Result<CommandOutcome> {
    let former = std::mem::take(&mut files.reading.former);
    files.reading.finish(store).await?;
    let (mut drafts, skipping) = files.drafts()?;
    mark_as_import(&mut drafts, options.overwrite);
    let mut interrupt = InterruptCounter::start();
    let mut refused = 0;
    if let Some(mut skipping) = skipping {
        loop {
            match validate(store, &drafts, options, &mut interrupt).await {
                Ok(Some(_)) => break,
                Ok(None) => return Ok(report::interrupted(0, report::count(&drafts))),
                Err(WriteError::Problems(problems)) => {
                    let refused = skipping.refusals.refuse_problems(&mut drafts, problems);
                    refused.map_err(|problems| anyhow!(report::problems(&problems, 0)))?;
                }
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        refused = skipping.refusals.count;
        skipping.write()?;
    }
    let total = report::count(&drafts);
    let is_bulk = total > options.batch_records;
    if has_problems(&drafts) || (is_bulk && options.dry_run) {
        let Some(outcome) = write_result(validate(store, &drafts, options, &mut interrupt).await, 0)? else {
            return Ok(report::interrupted(0, total));
        };
        report::warnings(&outcome);
        let pruned = preview(store, &outcome, refused, options).await?;
        return Ok(finish(&outcome, &pruned, refused, options));
    }
    if total >= BULK_WRITE_RECORDS && !options.dry_run {
        store.prepare_bulk_write().await.context("cannot prepare the database for a large import")?;
    }
    let (outcome, pruned) = if is_bulk {
        let Some(checked) = write_result(validate(store, &drafts, options, &mut interrupt).await, 0)? else {
            return Ok(report::interrupted(0, total));
        };
        // a wrong file is found before anything is written
        preview(store, &checked, refused, options).await?;
        match write_batches(store, drafts, options, interrupt).await? {
            Err(interrupted) => return Ok(interrupted),
            Ok((outcome, None)) => (outcome, Vec::new()),
            Ok((outcome, Some(run))) => {
                let pruned = store.prune_run(&run, options.prune.mode(refused), &options.author, TransactionEnd::Commit).await;
                if pruned.is_err() {
                    report::warnings(&outcome);
                }
                (outcome, pruned.map_err(report::unpruned)?)
            }
        }
    } else {
        tokio::select! {
            written = write_once(store, &drafts, refused, options) => write_result(written, 0)?,
            () = interrupt.wait_for(1) => return Ok(report::interrupted(0, total)),
        }
    };
    report::warnings(&outcome);
    if !options.dry_run {
        store
            .register_redirects(&former.slugs, &former.ids)
            .await
            .context("the records were written, but not the redirects from their former names")?;
        if outcome.created + outcome.updated >= BULK_WRITE_RECORDS {
            store.run_upkeep().await.context("all records were written, but database maintenance failed")?;
        }
    }
    Ok(finish(&outcome, &pruned, refused, options))
}

/// Reports what was pruned, and the numbers of an import or a dry run.
fn finish(outcome: &WriteSummary, pruned: &[PrunedRecord], refused: usize, options: &ImportOptions) -> CommandOutcome {
    let gone = report::pruned(pruned, &options.prune.mode, refused, options.dry_run);
    let summary = if options.dry_run { report::dry_run_summary(outcome) } else { report::summary(outcome) };
    report::completed(summary.with_member("gone", gone), refused)
}

impl Prune {
    /// What happens to the records that are gone: refused ones may be among them.
    fn mode(&self, refused: usize) -> &PruneMode {
        if refused > 0 { &PruneMode::List } else { &self.mode }
    }
}

/// Writes all records in one transaction, and prunes what is gone from their set; or rolls it back for a dry run.
async fn write_once(
    store: &Store,
    drafts: &Drafts,
    refused: usize,
    options: &ImportOptions,
) -> Result<(WriteSummary, Vec<PrunedRecord>), WriteError> {
    let progress = Progress::records(if options.dry_run { "validated" } else { "written" }, report::count(drafts));
    let end = TransactionEnd::of(options.dry_run, options.strict);
    let add = |written| progress.add(written);
    match &options.prune.set {
        Some(set) => Box::pin(store.write_set(drafts, &options.author, end, (set, options.prune.mode(refused)), add)).await,
        None if options.dry_run => {
            let outcome = store.check(drafts, &options.author, add).await?;
            if options.strict && !outcome.warnings.is_empty() {
                Err(WriteError::Problems(outcome.warnings))
            } else {
                Ok((outcome, Vec::new()))
            }
        }
        None => Ok((store.write_or_try(drafts, &options.author, end, add).await?, Vec::new())),
    }
}

/// What would be pruned after an import that was validated.
async fn preview(store: &Store, outcome: &WriteSummary, refused: usize, options: &ImportOptions) -> anyhow::Result<Vec<PrunedRecord>> {
    let Some(set) = &options.prune.set else { return Ok(Vec::new()) };
    let held: Vec<_> = outcome.held().collect();
    write_result(Box::pin(store.preview_pruning(set, &held, options.prune.mode(refused), &options.author)).await, 0)
}

/// Reads all inputs.
fn read_inputs(args: &ImportArgs) -> anyhow::Result<ImportFiles> {
    let (mut reading, mut inputs) = open_inputs(args)?;
    for input in &mut inputs {
        if args.skip && matches!(input.content, InputContent::StandardInput) {
            input.content = InputContent::File(Arc::new(stored_standard_input().context("cannot store standard input")?));
        }
        reading.read(input);
    }
    let complete = if args.skip { ImportReader::complete_files } else { ImportReader::complete };
    let reading = complete(reading).map_err(|problems| anyhow!(report::problems(&problems, 0)))?;
    Ok(ImportFiles { reading, skipping: args.skip.then_some(inputs) })
}

/// Standard input as a temporary file, which can be read again.
fn stored_standard_input() -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    Ok(file)
}

/// What an import that skips refused records needs to write them.
struct Skipping {
    inputs: Vec<InputSource>,
    mapping: Option<Arc<Mapping>>,
    refusals: Refusals,
}

impl Skipping {
    /// Writes the refused records to files in the current directory, and reports them with their problems.
    fn write(&self) -> anyhow::Result<()> {
        if !self.refusals.is_empty() {
            let files = self.refusals.write(&self.inputs, self.mapping.as_ref(), Path::new("."));
            let files = files.map_err(|problem| anyhow!("{problem}; nothing was written"))?;
            eprintln!("{}", report::refused(&self.refusals, &files));
        }
        Ok(())
    }
}

impl ImportFiles {
    /// The records that were read, or all problems if some could not be. Prints the notes of the readers. Records that are not
    /// valid are refused if they are to be skipped.
    fn drafts(self) -> anyhow::Result<(Drafts, Option<Skipping>)> {
        let failed = |problems: Vec<InputProblem>| anyhow!(report::problems(&problems, 0));
        let Self { reading, skipping } = self;
        report::notes(&reading.notes);
        let complete = if skipping.is_some() { ImportReader::complete_files } else { ImportReader::complete };
        let mut reading = complete(reading).map_err(failed)?;
        let skipping = match skipping {
            None => None,
            Some(inputs) => {
                let mut refusals = Refusals::of(&inputs);
                refusals.refuse_rows(std::mem::take(&mut reading.row_problems)).map_err(failed)?;
                refusals.refuse_invalid(&mut reading.drafts).map_err(failed)?;
                Some(Skipping { inputs, mapping: reading.mapping(), refusals })
            }
        };
        note_lines(&reading.drafts).iter().for_each(note);
        Ok((reading.drafts, skipping))
    }
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

/// Writes the records in batches, each in a transaction of its own, as a run of their set if they have one. The first interrupt
/// stops after the current batch, the second one rolls it back.
async fn write_batches(
    store: &Store,
    drafts: Drafts,
    options: &ImportOptions,
    mut interrupt: InterruptCounter,
) -> anyhow::Result<Result<(WriteSummary, Option<ImportRun>), CommandOutcome>> {
    let total = report::count(&drafts);
    let progress = Progress::records("written", total);
    let run = options.prune.set.clone().map(|set| ImportRun { set, run: Uuid::now_v7().to_string() });
    let mut outcome = WriteSummary::default();
    let mut written = 0;
    let mut batches = Batches::new(drafts, options.batch_records);
    while let Some(batch) = batches.next_batch() {
        let write = async {
            match &run {
                Some(run) => store.write_in_run(&batch.drafts, &options.author, TransactionEnd::Commit, run, |_| ()).await,
                None => store.write(&batch.drafts, &options.author, |_| ()).await,
            }
        };
        let result = tokio::select! {
            result = Box::pin(write) => result,
            () = interrupt.wait_for(2) => return Ok(Err(report::interrupted(written, total))),
        };
        outcome += batches.carried.settle(&batch.drafts, batch.repeated, write_result(result, written)?);
        written += batch.count;
        progress.add(batch.count);
        if interrupt.is_interrupted() && written < total {
            return Ok(Err(report::interrupted(written, total)));
        }
    }
    Ok(Ok((outcome, run)))
}

/// Adds to an error how many records were written before it.
fn write_result<T>(result: Result<T, WriteError>, written: usize) -> anyhow::Result<T> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(WriteError::Problems(problems)) => bail!(report::problems(&problems, written)),
        Err(WriteError::Failed(error)) => Err(anyhow::Error::new(error).context(report::written_before(written))),
    }
}
