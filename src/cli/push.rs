//! `kurultai import --url`: imports records into a running server instead of a database.

use anyhow::{anyhow, bail};
use serde_json::Value as Json;

use super::interrupt::InterruptCounter;
use super::outcome::{CommandOutcome, note};
use super::progress::Progress;
use super::report;
use crate::interchange::batch::{Batch, Batches};
use crate::interchange::import_reader::refused::Refusals;
use crate::interchange::push::{MAX_PUSH_RECORDS, PushClient, PushError, PushMode, PushOutcome};
use crate::store::draft::record_names::name_records;
use crate::store::write::{Drafts, ImportRun, PruneMode, WriteError, WriteSummary};

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
    check_modes(&drafts)?;
    let total = report::count(&drafts);
    let progress = Progress::records(if dry_run { "validated" } else { "written" }, total);
    let mut interrupt = InterruptCounter::start();
    let (mut sent, mut unchecked) = (0, 0);
    let mut problems = Vec::new();
    let mut batches = Batches::new(drafts, batch_records.min(MAX_PUSH_RECORDS));
    // a run is known to the server even if the files hold nothing
    let mut batch = batches.next_batch().or_else(|| run.is_some().then(Batch::default));
    while let Some(given) = batch {
        let Batch { drafts, repeated, count } = &given;
        if dry_run && *repeated > 0 && count + repeated > MAX_PUSH_RECORDS {
            unchecked += count;
            batches.carried.carry_all(drafts);
            batch = batches.next_batch();
            continue;
        }
        let result = tokio::select! {
            result = server.push((drafts, *repeated), message.as_deref(), run.as_ref(), mode) => result,
            () = interrupt.wait_for(2) => return Ok(report::interrupted(if dry_run { 0 } else { sent }, total)),
        };
        match result {
            Ok(PushOutcome { summary, carried, mut skipped }) => {
                *outcome += summary;
                let drafts_of_batch = drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft)));
                drafts_of_batch
                    .zip(carried)
                    .filter(|(_, is_carried)| *is_carried)
                    .for_each(|((ty, draft), _)| batches.carried.carry(ty, draft));
                if let Some(refusals) = &mut refusals {
                    for (_, problems) in &mut skipped {
                        name_records(drafts, problems);
                    }
                    refusals.refuse_indexed(drafts, skipped).map_err(|problems| anyhow!(report::problems(&problems, sent)))?;
                }
            }
            Err(PushError::Rejected(mut found)) => {
                name_records(drafts, &mut found);
                found.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
                if !dry_run {
                    bail!(report::problems(&found, sent));
                }
                problems.extend(found);
                // later batches are validated as if these records were there
                batches.carried.carry_all(drafts);
            }
            Err(PushError::Failed(error)) => {
                return Err(anyhow::Error::new(error).context(report::written_before(if dry_run { 0 } else { sent })));
            }
        }
        sent += count;
        progress.add(*count);
        if interrupt.is_interrupted() && sent < total {
            return Ok(report::interrupted(if dry_run { 0 } else { sent }, total));
        }
        batch = batches.next_batch();
    }
    let refused = refusals.map_or(0, |refusals| refusals.count);
    if !problems.is_empty() {
        bail!(report::problems(&problems, 0));
    }
    if unchecked > 0 {
        note(format_args!(
            "{unchecked} records were not validated, because they need more than {MAX_PUSH_RECORDS} new records, which the dry run did \
             not write; the import validates them"
        ));
    }
    let gone = match &run {
        None => Json::Array(Vec::new()),
        Some(run) => {
            // refused records may be among those that seem to be gone
            let applied = if refused > 0 { &PruneMode::List } else { &prune };
            let pruned = match server.prune(run, applied, message.as_deref(), !dry_run).await {
                Ok((pruned, remark)) => {
                    remark.iter().for_each(note);
                    pruned
                }
                Err(PushError::Rejected(problems)) if dry_run => bail!(report::problems(&problems, 0)),
                Err(PushError::Failed(error)) if dry_run => bail!(error),
                Err(PushError::Rejected(problems)) => return Err(report::unpruned(WriteError::Problems(problems))),
                Err(PushError::Failed(error)) => return Err(anyhow::Error::new(error).context(report::UNPRUNED)),
            };
            report::pruned(&pruned, &prune, refused, dry_run)
        }
    };
    let summary = if dry_run { report::dry_run_summary(outcome) } else { report::summary(outcome) };
    Ok(report::completed(summary.with_member("gone", gone), refused))
}

/// Requires that all records add to stored ones, or none does.
fn check_modes(drafts: &Drafts) -> anyhow::Result<()> {
    let mut modes = drafts.iter().flat_map(|(_, drafts)| drafts).map(|draft| draft.merges_stored);
    if let Some(first) = modes.next()
        && modes.any(|mode| mode != first)
    {
        bail!(
            "Popolo and Akoma Ntoso add to stored records, and other files replace their values; import them into a server with two commands"
        );
    }
    Ok(())
}
