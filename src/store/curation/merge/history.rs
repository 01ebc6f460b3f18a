//! Takes what a merge gave to the kept record out of its history, when the merge is undone.
//!
//! The values of the restored record are in its own history, which is public as long as that record is. A copy of them in the
//! history of the kept record would stay when the restored record is unpublished, deleted or withheld.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::{Value as Json, json};

use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::store::curation::merge::log::{MergeRevision, RecordedMerge};
use crate::store::curation::merge::overlap::{MergedIds, redirected};
use crate::store::curation::merge::undo::{Undone, undo_change, without_position};
use crate::store::database;
use crate::store::history::revisions::load_revisions;
use crate::store::history::state;
use crate::store::history::state::{UndoneState, key, key_and_rest};
use crate::store::sql::dialect;
use crate::store::write::load::{load_rows, referenced_types};
use crate::store::write::session::WriteSession;
use crate::store::write::value::PartKeys;

/// A field or a part of the kept record to which the merge gave a value.
#[derive(Debug, PartialEq, Eq)]
struct GivenPlace {
    /// Path as in the history, such as `gender` or `citations[q]`.
    path: String,
    /// Name of the list and key of the part; not set for a field of the record.
    part: Option<(&'static str, String)>,
}

/// What a merge gave to the kept record.
struct Gift<'g> {
    record: &'static Record,
    /// The revisions of the merge that changed the kept record.
    own: &'g [MergeRevision],
    /// Ids that other merges replaced in it since, each with the new one.
    moved: MergedIds,
}

impl WriteSession<'_> {
    /// Rewrites the revisions of the kept record from the merge on, so that they read as if the merge had given it nothing.
    /// Values that were edited after the merge stay where they are. `own` are the revisions of the merge that changed the kept
    /// record. The merge must have been undone in the rows.
    pub(super) async fn take_out_of_history(&self, record: &'static Record, merge: &RecordedMerge, own: &[MergeRevision]) -> Result<()> {
        let transaction = &self.transaction;
        let mut given: Vec<GivenPlace> = Vec::new();
        for place in own.iter().flat_map(|revision| &revision.changes).filter_map(|change| given_place(record, change)) {
            if !given.contains(&place) {
                given.push(place);
            }
        }
        let row = load_rows(transaction, record, "id", &[merge.into]).await?.pop().map(|(_, row)| row);
        let Some(row) = row.filter(|_| !given.is_empty()) else { return Ok(()) };
        let types = referenced_types(transaction, record, std::iter::once(&row)).await?;
        let mut current = UndoneState::new(record, state::of(record, &row, &types, &PartKeys::default()));
        let mut after: Vec<Json> = given.iter().map(|place| place.value(&current)).collect();
        let mut revisions = load_revisions(transaction, merge.into).await?;
        revisions.retain(|stored| stored.sequence >= merge.sequences.0);
        let mut moving: Vec<&Json> = Vec::new();
        for stored in &revisions {
            let changes = stored.changes.as_array().into_iter().flatten();
            moving.extend(changes.filter(|change| given.iter().any(|place| place.contains(change))));
        }
        let moved = self.moved_merged_ids(&moving).await?;
        let gift = Gift { record, own, moved };
        // the latest revision first
        for stored in revisions {
            let Json::Array(changes) = stored.changes else { return Err(internal("the changes of a revision are not a list")) };
            let rewritten = match stored.kind.as_str() {
                // these repeat the whole record and change nothing
                "published" | "unpublished" => changes.iter().filter_map(|change| repeated(&gift, &given, change)).collect(),
                _ => {
                    changes.iter().rev().for_each(|change| current.undo(change));
                    let before: Vec<Json> = given.iter().map(|place| place.without_given(&gift, &place.value(&current))).collect();
                    let mut rewritten: Vec<Json> = Vec::new();
                    rewritten.extend(changes.iter().filter(|change| !given.iter().any(|place| place.contains(change))).cloned());
                    for ((place, old), new) in given.iter().zip(&before).zip(&after) {
                        if without_position(old) != without_position(new) {
                            rewritten.push(json!({"field": place.path, "old": old, "new": without_position(new)}));
                        }
                    }
                    after = before;
                    rewritten
                }
            };
            if rewritten != changes {
                self.replace_changes(stored.sequence, rewritten).await?;
            }
        }
        Ok(())
    }

    async fn replace_changes(&self, sequence: i32, changes: Vec<Json>) -> Result<()> {
        let update = Query::update()
            .table("revisions")
            .value("changes", dialect::json(self.transaction.get_database_backend(), &Json::Array(changes)))
            .and_where(Expr::col("sequence").eq(sequence))
            .to_owned();
        self.transaction.execute(&update).await.map(drop).map_err(database)
    }
}

impl GivenPlace {
    /// The present value; null if there is none.
    fn value(&self, state: &UndoneState) -> Json {
        let value = match &self.part {
            Some((list, key)) => state.part(list, key),
            None => state.field(&self.path),
        };
        value.filter(|value| value.as_array().is_none_or(|items| !items.is_empty())).cloned().unwrap_or(Json::Null)
    }

    /// Whether a field change changes this place or something in it.
    fn contains(&self, change: &Json) -> bool {
        let path = change.get("field").and_then(Json::as_str).unwrap_or_default();
        path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || (self.part.is_some() && rest.starts_with('.')))
    }

    /// A value of this place without what the merge gave to it.
    fn without_given(&self, gift: &Gift<'_>, value: &Json) -> Json {
        let mut state = match &self.part {
            Some((list, _)) => json!({ *list: if *value == Json::Null { json!([]) } else { json!([value]) } }),
            None => json!({ &self.path: value }),
        };
        let changes = gift.own.iter().rev().flat_map(|revision| revision.changes.iter().rev());
        for change in changes.filter(|change| self.contains(change)) {
            if let (Some(path), Some(old), Some(new)) = (change.get("field").and_then(Json::as_str), change.get("old"), change.get("new")) {
                let mut undone = state.clone();
                if undo_change(gift.record, &mut undone, path, old, new) == Undone::Edited {
                    // another merge may have moved what it refers to
                    let [old, new] = [old, new].map(|value| redirected(value.clone(), &gift.moved));
                    let mut moved = redirected(state, &gift.moved);
                    if undo_change(gift.record, &mut moved, path, &old, &new) == Undone::Done {
                        undone = moved;
                    }
                }
                // what was edited stays
                state = undone;
            }
        }
        let value = match &self.part {
            Some((list, _)) => state.get_mut(*list).and_then(|items| items.get_mut(0)).map_or(Json::Null, Json::take),
            None => state.get_mut(&self.path).map_or(Json::Null, Json::take),
        };
        if value.as_array().is_some_and(Vec::is_empty) { Json::Null } else { value }
    }
}

/// The place to which a change of a merge gave a value; `None` for a change of a reference within a part of the kept record,
/// and for a part that was removed.
fn given_place(record: &Record, change: &Json) -> Option<GivenPlace> {
    let path = change.get("field")?.as_str()?;
    let (old, new) = (change.get("old")?, change.get("new").filter(|new| **new != Json::Null)?);
    for list in &record.parts {
        let Some(rest) = path.strip_prefix(list.name).and_then(|rest| rest.strip_prefix('[')) else { continue };
        let key = key_and_rest(rest).find_map(|(found, rest)| (rest.is_none() && key(new) == Some(found)).then_some(found))?;
        return (*old == Json::Null).then(|| GivenPlace { path: path.to_owned(), part: Some((list.name, key.to_owned())) });
    }
    Some(GivenPlace { path: path.to_owned(), part: None })
}

/// A change of a publication, which repeats the value of a field, without what the merge gave.
fn repeated(gift: &Gift<'_>, given: &[GivenPlace], change: &Json) -> Option<Json> {
    let Some(place) = given.iter().find(|place| place.part.is_none() && place.contains(change)) else { return Some(change.clone()) };
    let value = place.without_given(gift, change.get("new")?);
    (value != Json::Null).then(|| json!({"field": place.path, "old": null, "new": value}))
}
