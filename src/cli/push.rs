//! `kurultai import --url`: imports records into a running server instead of a database.

use anyhow::bail;

use super::interrupt::InterruptCounter;
use super::outcome::CommandOutcome;
use super::progress::Progress;
use super::report;
use crate::interchange::batch::split_into_batches;
use crate::interchange::push::{MAX_PUSH_RECORDS, PushClient, PushError};
use crate::store::write::{Drafts, WriteSummary};

/// How records are pushed.
pub(super) struct PushOptions {
    /// Reason for the history of the records.
    pub(super) message: Option<String>,
    /// Maximum number of records per request.
    pub(super) batch_records: usize,
    /// Whether the server only validates the records.
    pub(super) dry_run: bool,
    /// Whether warnings are errors.
    pub(super) strict: bool,
}

/// Pushes the records in batches. The first interrupt stops after the current batch, the second one at once.
pub(super) async fn push(server: &PushClient, drafts: Drafts, options: PushOptions) -> anyhow::Result<CommandOutcome> {
    let PushOptions { message, batch_records, dry_run, strict } = options;
    let total = report::count(&drafts);
    let progress = Progress::records(if dry_run { "validated" } else { "written" }, total);
    let mut interrupt = InterruptCounter::start();
    let mut outcome = WriteSummary::default();
    let mut sent = 0;
    let mut problems = Vec::new();
    for batch in split_into_batches(drafts, batch_records.min(MAX_PUSH_RECORDS)) {
        let result = tokio::select! {
            result = server.push(&batch, message.as_deref(), (dry_run, strict)) => result,
            () = interrupt.wait_for(2) => return Ok(report::interrupted(sent, total)),
        };
        match result {
            Ok(accepted) => {
                report::warnings(&accepted);
                outcome += accepted;
            }
            Err(PushError::Rejected(found)) if dry_run => problems.extend(found),
            Err(PushError::Rejected(found)) => bail!(report::problems(&found, sent)),
            Err(PushError::Failed(error)) => {
                return Err(anyhow::Error::new(error).context(report::written_before(if dry_run { 0 } else { sent })));
            }
        }
        let count = report::count(&batch);
        sent += count;
        progress.add(count);
        if interrupt.is_interrupted() && sent < total {
            return Ok(report::interrupted(if dry_run { 0 } else { sent }, total));
        }
    }
    match (dry_run, problems.is_empty()) {
        (_, false) => bail!(report::problems(&problems, 0)),
        (true, true) => Ok(CommandOutcome::Completed(report::dry_run_summary(&outcome))),
        (false, true) => Ok(CommandOutcome::Completed(report::summary(&outcome))),
    }
}
