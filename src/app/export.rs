//! Writes the whole published dataset as a data package.

use anyhow::bail;

use super::import::{Ending, Stop};
use super::progress::Progress;
use super::{connect_and_prepare, with};
use crate::cli::{ExportFlags, licence};
use crate::config::Config;
use crate::store::Store;
use crate::transfer::package;
use crate::transfer::package::{Failed, Wish, Written};

/// What the dataset is called where nobody says.
const TITLE: &str = "Kurultai dataset";

/// Writes a data package into a folder.
pub async fn export(config: &Config, flags: ExportFlags) -> anyhow::Result<Ending> {
    let title = flags.title.or_else(|| config.dataset_title.clone()).unwrap_or_else(|| TITLE.to_owned());
    let licences = match flags.licences.is_empty() {
        // the settings may say it in words, for which a package has no place
        true => config.dataset_licence.iter().filter_map(|text| licence(text).ok()).collect(),
        false => flags.licences,
    };
    let wish = &Wish { folder: flags.folder, format: flags.format, replace: flags.force, title, licences };
    with(connect_and_prepare(config, false).await?, async |store| write(store, wish).await).await
}

async fn write(store: &Store, wish: &Wish) -> anyhow::Result<Ending> {
    let mut stop = Stop::listen();
    let mut dump = store.dump().await?;
    let count = dump.count().await?;
    let progress = Progress::of("rows", "written", usize::try_from(count).unwrap_or(usize::MAX));
    let written = tokio::select! {
        written = package::write(&mut dump, wish, |rows| progress.add(rows)) => written,
        () = stop.told(1) => return Ok(Ending::Interrupted("stopped; no package was written".to_owned())),
    };
    drop(progress);
    match written {
        Ok(written) => Ok(Ending::Done(said(wish, written))),
        Err(Failed::Refused(message)) => bail!(message),
        Err(failed) => bail!("{failed}; no package was written"),
    }
}

fn said(wish: &Wish, written: Written) -> String {
    let Written { records, parts, tables, revision } = written;
    format!("{}: {records} records and {parts} parts of them in {tables} tables, revision {revision} of the dataset", wish.folder.display())
}
