//! Warns if an import creates a record that may exist already.

use std::collections::HashMap;

use sea_orm::DatabaseTransaction;

use crate::catalog::catalog;
use crate::core::error::Result;
use crate::core::text::excerpt;
use crate::entity::RecordType;
use crate::store::draft::{InputProblem, WriteMode};
use crate::store::likeness::keys::{KeyUse, keys};
use crate::store::likeness::matching::{compare_all, find_by_keys, load_candidates};
use crate::store::likeness::score::{MIN_WARNING_SCORE, comparison};
use crate::store::likeness::stored::{Reader, subject_of_cells};
use crate::store::write::identifiers::identifiers;
use crate::store::write::model::NewRow;
use crate::store::write::types::ResolvedDraft;

/// The warnings of a batch of records of one type: each new record that is like a stored one, by a score of
/// [`MIN_WARNING_SCORE`] or more. Only imports are warned: an edit of one record names the record that it means. The number of
/// statements does not depend on the number of records that are like others.
pub(crate) async fn warnings(
    transaction: &DatabaseTransaction,
    ty: RecordType,
    batch: &[ResolvedDraft<'_>],
    rows: &[NewRow],
) -> Result<Vec<InputProblem>> {
    let Some(comparison) = comparison(ty) else { return Ok(Vec::new()) };
    let record = catalog().get(ty);
    let by_id: HashMap<_, _> = rows.iter().map(|row| (row.id, row)).collect();
    let is_imported = |resolved: &&ResolvedDraft<'_>| resolved.is_new && resolved.draft.target.mode == WriteMode::Upsert;
    let mut drafts = Vec::new();
    let mut subjects = Vec::new();
    for resolved in batch.iter().filter(is_imported) {
        let Some(row) = by_id.get(&resolved.id) else { continue };
        let mut subject = subject_of_cells(comparison, record, &row.cells);
        subject.identifiers = identifiers(resolved.draft).map(|(pair, _)| pair).collect();
        drafts.push(resolved.draft);
        subjects.push(subject);
    }
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let reader = Reader::Transaction(transaction);
    let keys: Vec<_> = subjects.iter().map(|subject| keys(comparison, subject, KeyUse::Store)).collect();
    let mut candidates = find_by_keys(reader, &keys).await?;
    load_candidates(reader, comparison, &mut candidates).await?;
    let name = record.known_field("name");
    let mut warnings = Vec::new();
    for (index, (draft, subject)) in drafts.into_iter().zip(&subjects).enumerate() {
        let compared = compare_all(comparison, subject, index, &candidates, |_| true);
        let Some((id, likeness)) = compared.first().filter(|(_, likeness)| likeness.score >= MIN_WARNING_SCORE) else { continue };
        let Some(stored) = candidates.stored.get(id) else { continue };
        let singular = record.singular();
        let stored_name = stored.subject.names.first().map(|name| excerpt(&name.text)).unwrap_or_default();
        let message = format!(
            "this new {singular} is like \"{stored_name}\" ({singular} \"{}\") in the database, by a score of {}; if it is the same {singular}, give that slug",
            stored.slug,
            decimal(likeness.score),
        );
        let given = draft.values.iter().find(|(of, ..)| *of == name).map(|(_, _, origin)| origin.clone());
        warnings.push(InputProblem::new(given.unwrap_or_else(|| draft.origin.clone()), message));
    }
    Ok(warnings)
}

/// A score in thousandths as a number from 0 to 1.
fn decimal(score: u32) -> String {
    format!("{}.{:02}", score / 1_000, score % 1_000 / 10)
}
