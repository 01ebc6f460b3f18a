//! Texts of imports that both targets share: a database, and a running server.

use super::outcome::CommandOutcome;
use crate::catalog::catalog;
use crate::store::draft::InputProblem;
use crate::store::write::{Drafts, PruneOutcome, PrunedRecord, WriteSummary};

/// Number of records.
pub(super) fn count(drafts: &Drafts) -> usize {
    drafts.iter().map(|(_, drafts)| drafts.len()).sum()
}

/// Summary of a completed import.
pub(super) fn summary(outcome: &WriteSummary) -> String {
    format!("Records: {} created, {} updated, {} unchanged{}", outcome.created, outcome.updated, outcome.unchanged, redacted(outcome))
}

/// Summary of a dry run.
pub(super) fn dry_run_summary(outcome: &WriteSummary) -> String {
    format!(
        "Nothing was written. Records: {} would be created, {} updated, {} unchanged{}",
        outcome.created,
        outcome.updated,
        outcome.unchanged,
        redacted(outcome)
    )
}

/// The number of records whose texts were redacted, if there are any.
fn redacted(outcome: &WriteSummary) -> String {
    match outcome.redacted {
        0 => String::new(),
        count => format!("; in {count} of them the name of a withheld person was redacted"),
    }
}

/// Prints the warnings of a write, and what it kept of edits.
pub(super) fn warnings(outcome: &WriteSummary) {
    outcome.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    outcome.kept.iter().for_each(|kept| eprintln!("kept: {kept}"));
}

/// Prints what happened to the records that are gone from their set: a line for each that was pruned or kept against the
/// wish, and their number if they were only listed.
pub(super) fn pruned(pruned: &[PrunedRecord], dry_run: bool) {
    let listed = pruned.iter().filter(|record| record.outcome == PruneOutcome::Listed).count();
    if listed > 0 {
        eprintln!("{listed} records of the set are not in the files; --prune delete or --prune close shows and removes them");
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
pub(super) fn problems(problems: &[InputProblem], written: usize) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    format!("{count}; {}\n{}", written_before(written), lines.join("\n"))
}
