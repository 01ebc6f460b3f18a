//! Loads records: everything is read and checked before the first record is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::signal;
use tokio::sync::watch;

use super::progress::Progress;
use super::push::{Target, push};
use super::{connect_and_prepare, with};
use crate::config::Config;
use crate::store::Store;
use crate::store::db::maintenance::MANY_RECORDS;
use crate::store::draft::InputProblem;
use crate::store::write::{Author, Drafts, WriteError, WriteSummary};
use crate::transfer::batch::batches;
use crate::transfer::format::Format;
use crate::transfer::input;
use crate::transfer::input::Input;
use crate::transfer::mapping::Mapping;
use crate::transfer::popolo::Options;
use crate::transfer::read::Reading;
use crate::transfer::yaml;

/// What an import is asked to do.
#[derive(Debug)]
pub struct Import {
    /// Files, folders, `-` for standard input.
    pub paths: Vec<PathBuf>,
    /// Format of all of them, where their names do not tell.
    pub format: Option<Format>,
    /// File that says what the columns of tables are.
    pub mapping: Option<PathBuf>,
    /// How Popolo is to be read.
    pub popolo: Options,
    /// Records of one transaction at most.
    pub batch: usize,
    /// Whether it is only to say what it would do.
    pub dry_run: bool,
    /// Server to send the records to, instead of a database to write them into.
    pub target: Option<Target>,
    /// Who writes, and why.
    pub author: Author,
}

/// How an import ended.
#[derive(Debug)]
pub enum Ending {
    /// Everything is done; what to say of it.
    Done(String),
    /// It was told to stop; how far it came.
    Interrupted(String),
}

/// Loads records from files.
pub async fn import(config: &Config, import: &Import) -> anyhow::Result<Ending> {
    let mut reading = read(import)?;
    if let Some(target) = &import.target {
        if reading.has_package {
            bail!("a data package is read into a database, with the ids that are in it; a server gives ids of its own");
        }
        reading.finish(None).await?;
        return push(records(reading)?, import, target).await;
    }
    with(connect_and_prepare(config, false).await?, async |store| load(store, reading, import).await).await
}

/// Writes what was read into a database.
async fn load(store: &Store, mut reading: Reading, import: &Import) -> anyhow::Result<Ending> {
    let former = std::mem::take(&mut reading.former);
    reading.finish(Some(store)).await?;
    let drafts = records(reading)?;
    let count = count(&drafts);
    let mut stop = Stop::listen();
    if import.dry_run {
        let outcome = refused(check(store, &drafts, &import.author, &mut stop).await, 0)?;
        let Some(outcome) = outcome else { return Ok(stopped(0, count)) };
        return Ok(Ending::Done(would(outcome)));
    }
    if count >= MANY_RECORDS {
        store.expect_many().await.context("cannot prepare the database")?;
    }
    let outcome = if count <= import.batch {
        let progress = Progress::new("written", count);
        tokio::select! {
            outcome = store.write(&drafts, &import.author, |done| progress.add(done)) => refused(outcome, 0)?,
            () = stop.told(1) => return Ok(stopped(0, count)),
        }
    } else {
        if refused(check(store, &drafts, &import.author, &mut stop).await, 0)?.is_none() {
            return Ok(stopped(0, count));
        }
        match write(store, drafts, import, stop).await? {
            Ok(outcome) => outcome,
            Err(stopped) => return Ok(stopped),
        }
    };
    store.lead(&former.slugs, &former.ids).await.context("the records were written, but not what they were called before")?;
    if outcome.created + outcome.updated >= MANY_RECORDS {
        store.tidy().await.context("everything was written, but the database could not be tidied up")?;
    }
    Ok(Ending::Done(said(outcome)))
}

/// Reads everything that is named.
fn read(import: &Import) -> anyhow::Result<Reading> {
    let mut reading = Reading::new(import.popolo.clone());
    if let Some(path) = &import.mapping {
        reading.map(mapping(path).map_err(|problems| anyhow::anyhow!(report(&problems, 0)))?);
    }
    let inputs = input::list(&import.paths, import.format, import.mapping.is_some()).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    inputs.iter().for_each(|input| reading.take(input));
    if reading.problems.is_empty() { Ok(reading) } else { bail!(report(&reading.problems, 0)) }
}

fn mapping(path: &Path) -> Result<Mapping, Vec<InputProblem>> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let input = Input { name: name.clone(), format: Format::Yaml, said: true, path: Some(path.to_owned()) };
    let tree = input.text().and_then(|text| yaml::read(&name, &text)).map_err(|problem| vec![problem])?;
    Mapping::read(&name, &tree)
}

/// The records that were read, if nothing is wrong with any.
fn records(reading: Reading) -> anyhow::Result<Drafts> {
    reading.notes.iter().for_each(|note| eprintln!("{note}"));
    if reading.problems.is_empty() { Ok(reading.drafts) } else { bail!(report(&reading.problems, 0)) }
}

/// Checks all records against each other and the database; nothing if it was told to stop.
async fn check(store: &Store, drafts: &Drafts, author: &Author, stop: &mut Stop) -> Result<Option<WriteSummary>, WriteError> {
    let progress = Progress::new("checked", count(drafts));
    tokio::select! {
        outcome = store.check(drafts, author, |done| progress.add(done)) => outcome.map(Some),
        () = stop.told(1) => Ok(None),
    }
}

/// Writes records batch by batch, each in a transaction of its own, until all are written or it is told to stop.
async fn write(store: &Store, drafts: Drafts, import: &Import, mut stop: Stop) -> anyhow::Result<Result<WriteSummary, Ending>> {
    let all = count(&drafts);
    let progress = Progress::new("written", all);
    let mut outcome = WriteSummary::default();
    let mut done = 0;
    for batch in batches(drafts, import.batch) {
        let written = tokio::select! {
            written = store.write(&batch, &import.author, |_| ()) => written,
            () = stop.told(2) => return Ok(Err(stopped(done, all))),
        };
        let written = refused(written, done)?;
        done += count(&batch);
        outcome += written;
        progress.add(count(&batch));
        if stop.is_told() && done < all {
            return Ok(Err(stopped(done, all)));
        }
    }
    Ok(Ok(outcome))
}

/// How often it was told to stop.
#[derive(Debug)]
pub(super) struct Stop(watch::Receiver<u8>);

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        let (times, told) = watch::channel(0u8);
        tokio::spawn(async move {
            while signal::ctrl_c().await.is_ok() {
                times.send_modify(|times| *times = times.saturating_add(1));
            }
        });
        Self(told)
    }

    pub(super) fn is_told(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Ends when it has been told this many times.
    pub(super) async fn told(&mut self, times: u8) {
        if self.0.wait_for(|told| *told >= times).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

pub(super) fn count(drafts: &Drafts) -> usize {
    drafts.iter().map(|(_, drafts)| drafts.len()).sum()
}

pub(super) fn said(outcome: WriteSummary) -> String {
    format!("Records: {} created, {} updated, {} unchanged", outcome.created, outcome.updated, outcome.unchanged)
}

pub(super) fn would(outcome: WriteSummary) -> String {
    format!(
        "Nothing was written. Records: {} would be created, {} updated, {} unchanged",
        outcome.created, outcome.updated, outcome.unchanged
    )
}

pub(super) fn stopped(done: usize, all: usize) -> Ending {
    Ending::Interrupted(match done {
        0 => "stopped; nothing was written".to_owned(),
        _ => format!("stopped; {done} of {all} records are done, and the same command goes on from there"),
    })
}

/// An outcome, or why there is none; `done` records have been written before.
fn refused<T>(outcome: Result<T, WriteError>, done: usize) -> anyhow::Result<T> {
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(WriteError::Problems(problems)) => bail!(report(&problems, done)),
        Err(WriteError::Failed(error)) => bail!("{}: {error}", written(done)),
    }
}

pub(super) fn written(done: usize) -> String {
    match done {
        0 => "nothing was written".to_owned(),
        _ => format!("{done} records were written before, and the same command goes on from there"),
    }
}

/// All problems, a line each.
pub(super) fn report(problems: &[InputProblem], done: usize) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    format!("{count}; {}\n{}", written(done), lines.join("\n"))
}
