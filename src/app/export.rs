//! Writes the whole published dataset as a data package.

use anyhow::bail;

use super::connect_and_prepare;
use super::import::{Ending, Stop};
use super::progress::Progress;
use crate::config::Config;
use crate::transfer::package::{self, Failed, Wish, Written};

/// Writes a data package into a folder.
pub async fn export(config: &Config, wish: &Wish) -> anyhow::Result<Ending> {
    let store = connect_and_prepare(config, false).await?;
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
