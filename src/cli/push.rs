//! `kurultai import --url`: imports records into a running server instead of a database.

use anyhow::{anyhow, bail};

use super::interrupt::InterruptCounter;
use super::outcome::CommandOutcome;
use super::progress::Progress;
use super::report;
use crate::interchange::batch::split_into_batches;
use crate::interchange::import_reader::refused::Refusals;
use crate::interchange::push::{MAX_PUSH_RECORDS, PushClient, PushError, PushMode, PushOutcome};
use crate::store::draft::record_names::name_records;
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
    /// Whether edits are overwritten.
    pub(super) overwrite: bool,
}

/// Pushes the records in batches. The first interrupt stops after the current batch, the second one at once. With `refusals`,
/// records that the server rejects are added to them; they are not an error.
pub(super) async fn push(
    server: &PushClient,
    drafts: Drafts,
    options: PushOptions,
    mut refusals: Option<&mut Refusals>,
) -> anyhow::Result<CommandOutcome> {
    let PushOptions { message, batch_records, dry_run, strict, overwrite } = options;
    let mut modes = drafts.iter().flat_map(|(_, drafts)| drafts).map(|draft| draft.merges_stored);
    if let Some(first) = modes.next()
        && modes.any(|mode| mode != first)
    {
        bail!(
            "Popolo and Akoma Ntoso add to stored records, and other files replace their values; import them into a server with two commands"
        );
    }
    let total = report::count(&drafts);
    let progress = Progress::records(if dry_run { "validated" } else { "written" }, total);
    let mut interrupt = InterruptCounter::start();
    let mut outcome = WriteSummary::default();
    let mut sent = 0;
    let mut problems = Vec::new();
    for batch in split_into_batches(drafts, batch_records.min(MAX_PUSH_RECORDS)) {
        let result = tokio::select! {
            result = server.push(&batch, message.as_deref(), PushMode { dry_run, strict, overwrite, skip: refusals.is_some() }) => result,
            () = interrupt.wait_for(2) => return Ok(report::interrupted(sent, total)),
        };
        match result {
            Ok(PushOutcome { summary, skipped }) => {
                report::warnings(&summary);
                outcome += summary;
                if let Some(refusals) = &mut refusals {
                    refusals.refuse_indexed(&batch, skipped).map_err(|problems| anyhow!(report::problems(&problems, sent)))?;
                }
            }
            Err(PushError::Rejected(mut found)) => {
                name_records(&batch, &mut found);
                if !dry_run {
                    bail!(report::problems(&found, sent));
                }
                problems.extend(found);
            }
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
    let refused = refusals.map_or(0, |refusals| refusals.count);
    match (dry_run, problems.is_empty()) {
        (_, false) => bail!(report::problems(&problems, 0)),
        (true, true) => Ok(report::completed(report::dry_run_summary(&outcome), refused)),
        (false, true) => Ok(report::completed(report::summary(&outcome), refused)),
    }
}
