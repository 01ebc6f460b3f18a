//! Texts of imports that both targets share: a database, and a running server.

use serde_json::{Value as Json, json};

use super::error::ExitError;
use super::outcome::{CommandOutcome, CommandResult};
use crate::store::draft::InputProblem;
use crate::store::write::{Drafts, WriteSummary};

/// Number of records.
pub(super) fn count(drafts: &Drafts) -> usize {
    drafts.iter().map(|(_, drafts)| drafts.len()).sum()
}

/// Summary of a completed import.
pub(super) fn summary(outcome: &WriteSummary) -> CommandResult {
    let text =
        format!("Records: {} created, {} updated, {} unchanged{}", outcome.created, outcome.updated, outcome.unchanged, redacted(outcome));
    CommandResult::report(text, counts(outcome, false))
}

/// The numbers of a summary.
fn counts(outcome: &WriteSummary, dry_run: bool) -> Json {
    let WriteSummary { created, updated, unchanged, redacted, .. } = outcome;
    let warnings: Vec<String> = outcome.warnings.iter().map(ToString::to_string).collect();
    json!({
        "created": created, "updated": updated, "unchanged": unchanged, "redacted": redacted, "dryRun": dry_run,
        "warnings": warnings,
    })
}

/// Summary of a dry run.
pub(super) fn dry_run_summary(outcome: &WriteSummary) -> CommandResult {
    let text = format!(
        "Nothing was written. Records: {} would be created, {} updated, {} unchanged{}",
        outcome.created,
        outcome.updated,
        outcome.unchanged,
        redacted(outcome)
    );
    CommandResult::report(text, counts(outcome, true))
}

/// The number of records whose texts were redacted, if there are any.
fn redacted(outcome: &WriteSummary) -> String {
    match outcome.redacted {
        0 => String::new(),
        count => format!("; in {count} of them the name of a withheld person was redacted"),
    }
}

/// Prints the warnings of a write.
pub(super) fn warnings(outcome: &WriteSummary) {
    outcome.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
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

/// All problems of an import, one per line.
pub(super) fn problems(problems: &[InputProblem], written: usize) -> ExitError {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    ExitError::InvalidInput(format!("{count}; {}\n{}", written_before(written), lines.join("\n")))
}
