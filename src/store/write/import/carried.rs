//! Records that the later batches of an import repeat, because a batch cannot refer to them otherwise: those that an earlier
//! batch skipped, and those with a slug that leads to no record, because a withheld name is in it. Beside them, a record that
//! needs them is written or skipped as it would be if the import were one batch.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::entity::RecordType;
use crate::store::draft::{Draft, DraftValue, Drafts};
use crate::store::write::types::{WriteAction, WriteSummary, WrittenRecord};

/// Records of earlier batches, by the names that references to them have.
#[derive(Debug, Default)]
pub struct CarriedDrafts {
    drafts: Vec<(RecordType, Draft)>,
    by_slug: HashMap<(RecordType, String), usize>,
    by_id: HashMap<Uuid, usize>,
    /// Warnings that were reported. Those about repeated records are alike.
    reported: HashSet<String>,
}

/// The carried records that a batch repeats, by their position.
#[derive(Debug, Clone, Default)]
pub struct RepeatedDrafts(BTreeSet<usize>);

impl RepeatedDrafts {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the batch repeats nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds further records.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }
}

impl CarriedDrafts {
    /// Carries a record to the later batches.
    pub fn carry(&mut self, ty: RecordType, draft: &Draft) {
        let place = self.drafts.len();
        let slug = draft.name.as_ref().map(|slug| self.by_slug.insert((ty, slug.clone()), place));
        let id = draft.target.id.map(|id| self.by_id.insert(id, place));
        // nothing refers to a record that has no name
        if slug.is_some() || id.is_some() {
            self.drafts.push((ty, draft.clone()));
        }
    }

    /// Carries all records of a batch.
    pub fn carry_all(&mut self, batch: &Drafts) {
        for (ty, drafts) in batch {
            for draft in drafts {
                self.carry(*ty, draft);
            }
        }
    }

    /// The carried records that these drafts refer to, and those that they need in turn, without `repeated`.
    pub fn needed<'d>(&'d self, drafts: impl IntoIterator<Item = &'d Draft>, repeated: &RepeatedDrafts) -> RepeatedDrafts {
        let mut needed = RepeatedDrafts::default();
        if self.drafts.is_empty() {
            return needed;
        }
        let mut pending: Vec<&Draft> = drafts.into_iter().collect();
        while let Some(draft) = pending.pop() {
            visit_values(draft, &mut |value| {
                let found = match value {
                    DraftValue::Slug(ty, slug) => self.by_slug.get(&(*ty, slug.clone())),
                    DraftValue::Id(_, id) => self.by_id.get(id),
                    DraftValue::Cell(_) | DraftValue::Key(..) | DraftValue::Invalid => None,
                };
                if let Some(place) = found.copied().filter(|place| !repeated.0.contains(place) && needed.0.insert(*place)) {
                    pending.push(&self.drafts[place].1);
                }
            });
        }
        needed
    }

    /// The repeated records and a batch, in this order.
    pub fn with_batch(&self, repeated: &RepeatedDrafts, batch: Drafts) -> Drafts {
        let drafts = repeated.0.iter().map(|place| &self.drafts[*place]);
        drafts.map(|(ty, draft)| (*ty, vec![draft.clone()])).chain(batch).collect()
    }

    /// Carries the records of a written batch to which later ones cannot refer. Returns the summary without the first
    /// `repeated` records, which earlier summaries count.
    pub fn settle(&mut self, drafts: &Drafts, repeated: usize, mut summary: WriteSummary) -> WriteSummary {
        let given = drafts.iter().flat_map(|(ty, drafts)| drafts.iter().map(move |draft| (*ty, draft)));
        for ((ty, draft), written) in given.zip(&summary.records).skip(repeated) {
            if is_unknown_to_others(*written, summary.redacted_records.contains(&written.id)) {
                self.carry(ty, draft);
            }
        }
        let of_repeated: Vec<WrittenRecord> = summary.records.drain(..repeated.min(summary.records.len())).collect();
        for written in of_repeated {
            summary.redacted -= usize::from(summary.redacted_records.remove(&written.id));
            let counts = summary.by_type.entry(written.ty).or_default();
            match written.action {
                WriteAction::Skipped => {
                    summary.skipped -= 1;
                    counts.skipped -= 1;
                }
                WriteAction::Unchanged => {
                    summary.unchanged -= 1;
                    counts.unchanged -= 1;
                }
                // the reason to skip it has gone since
                WriteAction::Created | WriteAction::Updated => {}
            }
        }
        summary.warnings.retain(|warning| self.reported.insert(warning.to_string()));
        summary
    }
}

/// Whether the database may have no record under the slug of a draft. A new record with a withheld name in it gets another
/// slug.
fn is_unknown_to_others(written: WrittenRecord, is_redacted: bool) -> bool {
    match written.action {
        WriteAction::Skipped => true,
        WriteAction::Unchanged => !written.is_shown,
        WriteAction::Created => is_redacted,
        WriteAction::Updated => false,
    }
}

/// Visits every value of a record and of its parts.
pub fn visit_values<'d>(draft: &'d Draft, visit: &mut impl FnMut(&'d DraftValue)) {
    draft.values.iter().for_each(|(_, value, _)| visit(value));
    for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
        visit_values(part, visit);
    }
}
