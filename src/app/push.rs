//! Loads records into a running server instead of a database.

use anyhow::{anyhow, bail};

use super::import::{Ending, Import, Stop, count, report, said, stopped, would, written};
use super::progress::Progress;
use crate::store::write::{Drafts, WriteSummary};
use crate::transfer::batch::batches;
use crate::transfer::push::{MOST, Refused, Remote};

/// Where records are sent, and what lets them in.
#[derive(Debug, Clone)]
pub struct Target {
    /// Address of the server.
    pub url: String,
    /// Token that may write.
    pub token: Option<String>,
}

/// Sends records batch by batch until all are taken or it is told to stop.
pub(super) async fn push(drafts: Drafts, import: &Import, target: &Target) -> anyhow::Result<Ending> {
    let remote = Remote::new(&target.url, target.token.clone()).map_err(|error| anyhow!(error))?;
    let all = count(&drafts);
    let progress = Progress::new(if import.dry_run { "checked" } else { "written" }, all);
    let mut stop = Stop::listen();
    let mut outcome = WriteSummary::default();
    let mut done = 0;
    let mut problems = Vec::new();
    for batch in batches(drafts, import.batch.min(MOST)) {
        let sent = tokio::select! {
            sent = remote.send(&batch, import.author.message.as_deref(), import.dry_run) => sent,
            () = stop.told(2) => return Ok(stopped(done, all)),
        };
        match sent {
            Ok(taken) => outcome += taken,
            Err(Refused::Problems(found)) if import.dry_run => problems.extend(found),
            Err(Refused::Problems(found)) => bail!(report(&found, done)),
            Err(Refused::Failed(error)) => bail!("{}: {error}", written(if import.dry_run { 0 } else { done })),
        }
        done += count(&batch);
        progress.add(count(&batch));
        if stop.is_told() && done < all {
            return Ok(stopped(if import.dry_run { 0 } else { done }, all));
        }
    }
    match (import.dry_run, problems.is_empty()) {
        (_, false) => bail!(report(&problems, 0)),
        (true, true) => Ok(Ending::Done(would(outcome))),
        (false, true) => Ok(Ending::Done(said(outcome))),
    }
}
