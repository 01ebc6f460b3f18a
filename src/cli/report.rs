//! Texts of imports that both targets share: a database, and a running server.

use serde_json::{Value as Json, json};

use super::error::ExitError;
use super::outcome::{CommandOutcome, CommandResult, note};
use crate::catalog::catalog;
use crate::entity::RecordType;
use crate::interchange::import_reader::refused::{Refusals, RefusedFile};
use crate::store::draft::InputProblem;
use crate::store::draft::alike::{group_alike, group_alike_as, group_alike_texts};
use crate::store::write::{ActionCounts, Drafts, PruneMode, PruneOutcome, PrunedRecord, RecordUpdate, WriteError, WriteSummary};

/// Number of records.
pub(super) fn count(drafts: &Drafts) -> usize {
    drafts.iter().map(|(_, drafts)| drafts.len()).sum()
}

/// Summary of a completed import.
pub(super) fn summary(outcome: &WriteSummary) -> CommandResult {
    let text =
        format!("Records: {} created, {} updated, {} unchanged{}", outcome.created, outcome.updated, outcome.unchanged, others(outcome));
    CommandResult::report(text, counts(outcome, false))
}

/// The numbers of a summary.
fn counts(outcome: &WriteSummary, dry_run: bool) -> Json {
    let WriteSummary { created, updated, unchanged, skipped, redacted, .. } = outcome;
    let texts = |problems: &[InputProblem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let by_type: serde_json::Map<String, Json> = outcome
        .by_type
        .iter()
        .map(|(ty, counts)| {
            let ActionCounts { created, updated, unchanged, skipped } = counts;
            let counts = json!({"created": created, "updated": updated, "unchanged": unchanged, "skipped": skipped});
            (catalog().get(*ty).plural.to_owned(), counts)
        })
        .collect();
    json!({
        "created": created, "updated": updated, "unchanged": unchanged, "skipped": skipped, "redacted": redacted, "dryRun": dry_run,
        "warnings": texts(&outcome.warnings), "kept": texts(&outcome.kept), "byType": by_type,
    })
}

/// Summary of a dry run: the counts in all and by type, and the fields of updated records that would change.
pub(super) fn dry_run_summary(outcome: &WriteSummary) -> CommandResult {
    let total = format!(
        "Nothing was written. Records: {} would be created, {} updated, {} unchanged{}",
        outcome.created,
        outcome.updated,
        outcome.unchanged,
        others(outcome)
    );
    let types = outcome.by_type.iter().flat_map(|(ty, counts)| type_lines(*ty, *counts, &outcome.updates));
    let text = std::iter::once(total).chain(types).collect::<Vec<_>>().join("\n");
    CommandResult::report(text, counts(outcome, true))
}

/// The counts of one type, and its records that would be updated.
fn type_lines(ty: RecordType, counts: ActionCounts, updates: &[RecordUpdate]) -> Vec<String> {
    let ActionCounts { created, updated, unchanged, skipped } = counts;
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    let mut lines = vec![format!("{}: {created} created, {updated} updated, {unchanged} unchanged{skipped}", catalog().get(ty).plural)];
    let listed: Vec<&RecordUpdate> = updates.iter().filter(|update| update.ty == ty).collect();
    lines.extend(listed.iter().map(|update| format!("  {}: {}", update.slug, update.fields.join(", "))));
    if !listed.is_empty() && updated > listed.len() {
        lines.push(format!("  and {} more", updated - listed.len()));
    }
    lines
}

/// The numbers of skipped drafts and of records whose texts were redacted, if there are any.
fn others(outcome: &WriteSummary) -> String {
    let skipped = if outcome.skipped > 0 { format!(", {} skipped", outcome.skipped) } else { String::new() };
    match outcome.redacted {
        0 => skipped,
        redacted => format!("{skipped}; in {redacted} of them the name of a withheld person was redacted"),
    }
}

/// Prints the warnings of a write, and what it kept of edits; alike ones are counted.
pub(super) fn warnings(outcome: &WriteSummary) {
    for warning in group_alike_as("warnings", &outcome.warnings) {
        eprintln!("warning: {warning}");
    }
    for kept in group_alike_as("edits", &outcome.kept) {
        eprintln!("kept: {kept}");
    }
}

/// Prints the notes of the readers; alike ones are counted.
pub(super) fn notes(notes: &[String]) {
    for text in group_alike_texts(notes) {
        note(text);
    }
}

/// Prints what happened to the records that are gone from their set, and returns it for programs. If records were refused,
/// nothing counts as gone: they may be among them.
pub(super) fn pruned(pruned: &[PrunedRecord], mode: &PruneMode, refused: usize, dry_run: bool) -> Json {
    match (refused, mode) {
        (0, _) => {
            print_pruned(pruned, dry_run);
            return pruned_json(pruned);
        }
        (_, PruneMode::List) => {}
        (_, PruneMode::Delete | PruneMode::Close(_)) => eprintln!("nothing was pruned, because records were refused"),
    }
    Json::Array(Vec::new())
}

/// Prints a line for each record that was pruned or could not be, and their number if they were only listed.
fn print_pruned(pruned: &[PrunedRecord], dry_run: bool) {
    match pruned.iter().filter(|record| record.outcome == PruneOutcome::Listed).count() {
        0 => {}
        1 => note("1 record of the set is not in the files; --prune delete or --prune close shows and removes it"),
        listed => {
            note(format_args!("{listed} records of the set are not in the files; --prune delete or --prune close shows and removes them"));
        }
    }
    let would = if dry_run { "would be " } else { "" };
    for PrunedRecord { ty, slug, outcome } in pruned {
        let record = format!("{} {slug}", catalog().get(*ty).singular());
        match outcome {
            PruneOutcome::Listed => {}
            PruneOutcome::Deleted => eprintln!("pruned: {record} {would}deleted"),
            PruneOutcome::Closed => eprintln!("pruned: {record} {would}closed"),
            PruneOutcome::Kept(reason) => eprintln!("not pruned: {record}: {reason}"),
        }
    }
}

/// What happened to the records that are gone from their set, for programs.
fn pruned_json(pruned: &[PrunedRecord]) -> Json {
    let record = |PrunedRecord { ty, slug, outcome }: &PrunedRecord| {
        let (outcome, reason) = match outcome {
            PruneOutcome::Listed => ("gone", None),
            PruneOutcome::Deleted => ("deleted", None),
            PruneOutcome::Closed => ("closed", None),
            PruneOutcome::Kept(reason) => ("kept", Some(reason)),
        };
        json!({"type": catalog().get(*ty).singular(), "slug": slug, "outcome": outcome, "reason": reason})
    };
    pruned.iter().map(record).collect()
}

/// The outcome of an import that was interrupted after `written` of `total` records.
pub(super) fn interrupted(written: usize, total: usize) -> CommandOutcome {
    CommandOutcome::Interrupted(match written {
        0 => "interrupted; nothing was written".to_owned(),
        _ => format!("interrupted after {written} of {total} records; run the same command again to continue"),
    })
}

/// What a failed import has written.
pub(super) fn written_before(written: usize) -> String {
    match written {
        0 => "nothing was written".to_owned(),
        _ => format!("{written} records were written before; run the same command again to continue"),
    }
}

/// The problems of refused records, one per line; alike ones are counted.
pub(super) fn refused(refusals: &Refusals, files: &[RefusedFile]) -> String {
    let mut problems = refusals.problems.clone();
    problems.sort_by(|a, b| (&a.origin.file, a.origin.line).cmp(&(&b.origin.file, b.origin.line)));
    let lines = group_alike(&problems).into_iter().map(|problem| problem.to_string());
    let files = files.iter().map(|file| {
        let unit = if file.is_table { "row" } else { "record" };
        let what = if file.count == 1 { format!("1 refused {unit} is") } else { format!("{} refused {unit}s are", file.count) };
        format!("{}: {what} in {}; correct and import it", file.source, file.path.display())
    });
    lines.chain(files).collect::<Vec<_>>().join("\n")
}

/// The outcome of an import: its summary, and how many records were refused, if any were.
pub(super) fn completed(summary: CommandResult, refused: usize) -> CommandOutcome {
    match refused {
        0 => CommandOutcome::Completed(summary),
        refused => CommandOutcome::Partial(summary.with_refused(refused)),
    }
}

/// The beginning of the error that the records of an import were written, but its set was not pruned.
pub(super) const UNPRUNED: &str = "the records were written, but what is gone from the set was not pruned";

/// The error that the records of an import were written, but its set was not pruned.
pub(super) fn unpruned(error: WriteError) -> anyhow::Error {
    match error {
        WriteError::Problems(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            ExitError::InvalidInput(format!("{UNPRUNED}\n{}", lines.join("\n"))).into()
        }
        WriteError::Failed(error) => anyhow::Error::new(error).context(UNPRUNED),
    }
}

/// All problems of an import, one per line; alike ones are counted.
pub(super) fn problems(problems: &[InputProblem], written: usize) -> ExitError {
    let lines: Vec<String> = group_alike(problems).iter().map(ToString::to_string).collect();
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    ExitError::InvalidInput(format!("{count}; {}\n{}", written_before(written), lines.join("\n")))
}
