//! `kurultai import --url`: imports records into a running server instead of a database.

use anyhow::{Context, anyhow, bail};
use serde_json::Value as Json;

use super::interrupt::InterruptCounter;
use super::outcome::CommandOutcome;
use super::progress::Progress;
use super::report;
use crate::interchange::batch::split_into_batches;
use crate::interchange::import_reader::refused::Refusals;
use crate::interchange::push::{MAX_PUSH_RECORDS, PushClient, PushError, PushMode, PushOutcome};
use crate::store::draft::record_names::name_records;
use crate::store::write::{Drafts, ImportRun, PruneMode, WriteSummary};

/// How records are pushed.
pub(super) struct PushOptions {
    /// Reason for the history of the records.
    pub(super) message: Option<String>,
    /// Maximum number of records per request.
    pub(super) batch_records: usize,
    /// How the server imports each batch.
    pub(super) mode: PushMode,
    /// The set that the files hold in full, and the name of this import of it.
    pub(super) run: Option<ImportRun>,
    /// What happens to records that are gone from the set.
    pub(super) prune: PruneMode,
}

/// Pushes the records in batches, and reports the warnings of those that were written. The first interrupt stops after the
/// current batch, the second one at once. With `refusals`, records that the server rejects are added to them; they are not an
/// error.
pub(super) async fn push(
    server: &PushClient,
    drafts: Drafts,
    options: PushOptions,
    refusals: Option<&mut Refusals>,
) -> anyhow::Result<CommandOutcome> {
    let mut outcome = WriteSummary::default();
    let result = push_batches(server, drafts, options, refusals, &mut outcome).await;
    report::warnings(&outcome);
    result
}

async fn push_batches(
    server: &PushClient,
    drafts: Drafts,
    options: PushOptions,
    mut refusals: Option<&mut Refusals>,
    outcome: &mut WriteSummary,
) -> anyhow::Result<CommandOutcome> {
    let PushOptions { message, batch_records, mode, run, prune } = options;
    let dry_run = mode.dry_run;
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
    let mut sent = 0;
    let mut problems = Vec::new();
    for batch in split_into_batches(drafts, batch_records.min(MAX_PUSH_RECORDS)) {
        let result = tokio::select! {
            result = server.push(&batch, message.as_deref(), run.as_ref(), mode) => result,
            () = interrupt.wait_for(2) => return Ok(report::interrupted(sent, total)),
        };
        match result {
            Ok(PushOutcome { summary, mut skipped }) => {
                *outcome += summary;
                if let Some(refusals) = &mut refusals {
                    for (_, problems) in &mut skipped {
                        name_records(&batch, problems);
                    }
                    refusals.refuse_indexed(&batch, skipped).map_err(|problems| anyhow!(report::problems(&problems, sent)))?;
                }
            }
            Err(PushError::Rejected(mut found)) => {
                name_records(&batch, &mut found);
                found.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
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
    if !problems.is_empty() {
        bail!(report::problems(&problems, 0));
    }
    let gone = match &run {
        None => Json::Array(Vec::new()),
        Some(run) => {
            // refused records may be among those that seem to be gone
            let applied = if refused > 0 { &PruneMode::List } else { &prune };
            let pruned = server.prune(run, applied, message.as_deref(), !dry_run).await.map_err(|error| match error {
                PushError::Rejected(problems) => anyhow!(report::problems(&problems, 0)),
                PushError::Failed(error) => anyhow!(error),
            });
            let written = "the records were written, but what is gone from the set was not pruned";
            let pruned = if dry_run { pruned? } else { pruned.context(written)? };
            report::pruned(&pruned, &prune, refused, dry_run)
        }
    };
    let summary = if dry_run { report::dry_run_summary(outcome) } else { report::summary(outcome) };
    Ok(report::completed(summary.with_member("gone", gone), refused))
}
