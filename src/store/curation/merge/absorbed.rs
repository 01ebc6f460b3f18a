//! Parts that later merges removed, because they had become alike to another part of their list. They count as if they were still
//! there: nobody removed them.

use serde_json::Value as Json;
use uuid::Uuid;

use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::store::curation::merge::item::{is_alike_at, is_repeated};
use crate::store::curation::merge::log::{RecordedMerge, changes_of_later_merges};
use crate::store::curation::merge::overlap::{MergedIds, redirected, removed_part};
use crate::store::curation::merge::undo::{Undone, undo_change};
use crate::store::write::session::WriteSession;

/// A part that a later merge removed, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AbsorbedPart {
    /// Path as the history spells it.
    path: String,
    value: Json,
}

/// The parts of one record that merges removed after the merge that is undone, those of the last merge first. These merges are not
/// undone yet.
#[derive(Debug, Default)]
pub(super) struct AbsorbedParts(Vec<AbsorbedPart>);

impl WriteSession<'_> {
    /// The parts of a record that merges later than this one removed.
    pub(super) async fn absorbed_parts(&self, id: Uuid, merge: &RecordedMerge) -> Result<AbsorbedParts> {
        let changes = changes_of_later_merges(&self.transaction, id, merge).await?;
        Ok(AbsorbedParts(
            changes
                .iter()
                .filter_map(removed_part)
                .map(|(path, value)| AbsorbedPart { path: path.to_owned(), value: value.clone() })
                .collect(),
        ))
    }
}

impl AbsorbedParts {
    /// The values of these parts.
    pub(super) fn values(&self) -> impl Iterator<Item = &Json> {
        self.0.iter().map(|part| &part.value)
    }

    /// Whether the part at a path, or the part that has it, was removed by a later merge.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.holder(path).is_some()
    }

    fn holder(&self, path: &str) -> Option<&AbsorbedPart> {
        self.0.iter().find(|part| path.strip_prefix(&part.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }

    /// Undoes a field change in a part that a later merge removed: the part comes back with its value from before, unless another
    /// part of the list is alike.
    pub(super) fn undo_in_absorbed(
        &self,
        record: &Record,
        state: &mut Json,
        (path, old, new): (&str, &Json, &Json),
        moved: &MergedIds,
    ) -> Undone {
        let Some(part) = self.holder(path) else { return Undone::Removed };
        let mut revived = state.clone();
        let value = redirected(part.value.clone(), moved);
        if undo_change(record, &mut revived, &part.path, &value, &Json::Null) != Undone::Done {
            return Undone::Removed;
        }
        let undone = undo_change(record, &mut revived, path, old, new);
        if is_repeated(record, &revived, &part.path) {
            return Undone::Repeated;
        }
        *state = revived;
        undone
    }

    /// Gives back the parts that a later merge removed because they were alike to the part at a path, which has gone since. `given`
    /// are the field changes of the merge that is undone: what it gave goes.
    pub(super) fn revive_alike(&self, record: &Record, state: &mut Json, (path, gone): (&str, &Json), given: &[Json], moved: &MergedIds) {
        let is_given = |part: &AbsorbedPart| given.iter().any(|change| change.get("field").and_then(Json::as_str) == Some(&part.path));
        for part in self.0.iter().filter(|part| !is_given(part)) {
            let value = redirected(part.value.clone(), moved);
            if !is_alike_at(record, (part.path.as_str(), &value), (path, gone)) {
                continue;
            }
            let mut revived = state.clone();
            let undone = undo_change(record, &mut revived, &part.path, &value, &Json::Null);
            if undone == Undone::Done && !is_repeated(record, &revived, &part.path) {
                *state = revived;
            }
        }
    }
}
