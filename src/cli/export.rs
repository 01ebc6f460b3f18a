//! `kurultai export`: writes all published records as a data package.

use anyhow::bail;
use serde_json::json;

use super::args::{ExportArgs, parse_licence};
use super::database::{open_migrated, with_store};
use super::error::ExitError;
use super::interrupt::InterruptCounter;
use super::outcome::{CommandOutcome, CommandResult};
use super::progress::Progress;
use crate::config::Config;
use crate::interchange::package;
use crate::interchange::package::layout::DESCRIPTOR;
use crate::interchange::package::{ExportError, ExportOptions, ExportSummary};
use crate::store::Store;

/// Title of the package if neither the flags nor the settings give one.
const DEFAULT_TITLE: &str = "Kurultai dataset";

/// Exports the dataset as a data package.
pub(super) async fn export(config: &Config, args: ExportArgs) -> anyhow::Result<CommandOutcome> {
    let title = args.title.or_else(|| config.dataset_title.clone()).unwrap_or_else(|| DEFAULT_TITLE.to_owned());
    let licences = if args.licences.is_empty() {
        // a descriptor has no place for a licence in prose, which the setting may be
        config.dataset_licence.iter().filter_map(|text| parse_licence(text).ok()).collect()
    } else {
        args.licences
    };
    let options = &ExportOptions { directory: args.directory, format: args.format, replace: args.force, title, licences };
    with_store(open_migrated(config, false).await?, async |store| write_package(store, options).await).await
}

async fn write_package(store: &Store, options: &ExportOptions) -> anyhow::Result<CommandOutcome> {
    let mut interrupt = InterruptCounter::start();
    let mut dump = store.dump().await?;
    let rows = dump.count().await?;
    if rows == 0 && options.directory.join(DESCRIPTOR).exists() {
        bail!(
            "the dataset has no published records, so the package in {} is kept; is the database the right one? To replace the package by an empty one, delete it first",
            options.directory.display()
        );
    }
    let progress = Progress::new("rows", "written", usize::try_from(rows).unwrap_or(usize::MAX));
    let result = tokio::select! {
        result = package::write(&mut dump, options, |rows| progress.add(rows)) => result,
        () = interrupt.wait_for(1) => return Ok(CommandOutcome::Interrupted("interrupted; no package was written".to_owned())),
    };
    drop(progress);
    match result {
        Ok(written) => Ok(CommandOutcome::Completed(summary(options, written))),
        Err(ExportError::UnusableDirectory(message)) => bail!(ExitError::UnwritableOutput(message)),
        Err(failed) => bail!("{:#}; no package was written", anyhow::Error::new(failed)),
    }
}

fn summary(options: &ExportOptions, written: ExportSummary) -> CommandResult {
    let ExportSummary { records, parts, tables, revision } = written;
    let directory = options.directory.display();
    let text = format!("{directory}: {records} records with {parts} parts in {tables} tables, revision {revision} of the dataset");
    let json = json!({
        "directory": directory.to_string(), "records": records, "parts": parts, "tables": tables, "revision": revision,
    });
    CommandResult::report(text, json)
}
