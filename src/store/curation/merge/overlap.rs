//! Merges that overlap: of what a merge moved, some was moved by another merge before, or after it.
//!
//! A record that is restored refers to the targets of the records that are merged at that time. When these are restored too,
//! they get back the references that they had in it.

use std::collections::{BTreeMap, HashSet};

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::curation::merge::item::{decode_record, parts_with_paths, remove_alike_parts, replace_text};
use crate::store::curation::merge::log::{MergeRevision, RecordedMerge, merge_target};
use crate::store::curation::withholding::name_redaction::texts;
use crate::store::database;
use crate::store::history::revisions::{StoredRevision, load_revisions};
use crate::store::history::state::{self, key};
use crate::store::write::load::load_rows;
use crate::store::write::session::WriteSession;

/// Ids of records that are merged into others, each with the id of its target.
pub(super) type MergedIds = BTreeMap<String, String>;

/// A value in which the ids of merged records are those of their targets.
pub(super) fn redirected(value: Json, merged: &MergedIds) -> Json {
    merged.iter().fold(value, |value, (id, target)| replace_text(value, id, target))
}

/// A reference that a field change moved from one record to another of the same type.
struct MovedReference<'c> {
    /// Path as the history spells it.
    path: String,
    old: &'c str,
    new: &'c str,
}

/// The references that a field change moved: the change is of a reference, or of a part with references.
fn moved_references(change: &Json) -> Vec<MovedReference<'_>> {
    let (Some(path), Some(old), Some(new)) = (change.get("field").and_then(Json::as_str), change.get("old"), change.get("new")) else {
        return Vec::new();
    };
    let values: Vec<(String, &Json, &Json)> = match (old, new) {
        (Json::Object(old), Json::Object(new)) => {
            old.iter().filter_map(|(name, value)| Some((format!("{path}.{name}"), value, new.get(name)?))).collect()
        }
        (old, new) => vec![(path.to_owned(), old, new)],
    };
    let moved = values.into_iter().filter_map(|(path, old, new)| {
        let (old, new) = (old.as_str()?, new.as_str()?);
        let is_moved = old != new && decode_record(old)?.0.ty == decode_record(new)?.0.ty;
        is_moved.then_some(MovedReference { path, old, new })
    });
    moved.collect()
}

impl WriteSession<'_> {
    /// Ids of merged records that changes of references replaced, each with the new one: another merge moved them, or its undoing.
    /// They count as equal where values of different times are compared.
    pub(super) async fn moved_merged_ids(&self, changes: &[&Json]) -> Result<MergedIds> {
        let mut merged = MergedIds::new();
        let references: Vec<MovedReference<'_>> = changes.iter().copied().flat_map(moved_references).collect();
        for MovedReference { old, new, .. } in references {
            // there and back again
            if merged.get(new).is_some_and(|back| back == old) || merged.contains_key(old) {
                continue;
            }
            let Some((_, uuid)) = decode_record(old) else { continue };
            if load_revisions(&self.transaction, uuid).await?.iter().any(|revision| revision.kind == "merged") {
                merged.insert(old.to_owned(), new.to_owned());
            }
        }
        Ok(merged)
    }

    /// The merged records among those that some values refer to, but for `except`.
    pub(super) async fn merged_ids(&self, values: &[&Json], except: Uuid) -> Result<MergedIds> {
        let ids: HashSet<&str> = values.iter().copied().flat_map(texts).collect();
        let mut merged = MergedIds::new();
        for text in ids {
            let Some((record, uuid)) = decode_record(text).filter(|(_, uuid)| *uuid != except) else { continue };
            if let Some(target) = merge_target(&self.transaction, uuid).await? {
                merged.insert(text.to_owned(), id::encode(record.ty.prefix(), target));
            }
        }
        Ok(merged)
    }

    /// What a merge would have changed in records that did not exist then, because they were merged themselves, and that were
    /// restored since: their references to the merged record are now to the kept one.
    pub(super) async fn missed_revisions(&self, record: &Record, from: Uuid, merge: &RecordedMerge) -> Result<Vec<MergeRevision>> {
        let (first, last) = merge.sequences;
        let [from_id, into_id] = [from, merge.into].map(|id| id::encode(record.ty.prefix(), id));
        let select = Query::select()
            .distinct()
            .columns(["record_type", "record_id"])
            .from("revisions")
            .and_where(Expr::col("kind").eq("unmerged"))
            .and_where(Expr::col("sequence").gt(last))
            .to_owned();
        let mut missed = Vec::new();
        for row in self.transaction.query_all(&select).await.map_err(database)? {
            let prefix: String = row.try_get_by_index(0).map_err(internal)?;
            let restored: Uuid = row.try_get_by_index(1).map_err(internal)?;
            let ty = RecordType::from_prefix(&prefix).ok_or_else(|| internal(format!("no record type has the prefix {prefix}")))?;
            let of_type = catalog().get(ty);
            if restored == merge.into || load_rows(&self.transaction, of_type, "id", &[restored]).await?.is_empty() {
                continue;
            }
            let revisions = load_revisions(&self.transaction, restored).await?;
            let Some(number) = revision_before_absence(&revisions, first, last) else { continue };
            let Some(earlier) = self.state_at(of_type, restored, number, true).await? else { continue };
            let earlier = state::without_system_fields(earlier);
            let mut paths = Vec::new();
            references(of_type, &earlier, &from_id, "", &mut paths);
            let absorbed = parts_made_alike(of_type, &earlier, &from_id, &into_id);
            paths.retain(|path| !absorbed.iter().any(|(part, _)| path.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'))));
            let moves = paths.into_iter().map(|path| json!({"field": path, "old": from_id, "new": into_id}));
            let removals = absorbed.into_iter().map(|(path, part)| json!({"field": path, "old": part, "new": null}));
            missed.push(MergeRevision { ty, record: restored, changes: moves.chain(removals).collect() });
        }
        missed.retain(|revision| !revision.changes.is_empty());
        Ok(missed)
    }

    /// The references of a restored record to records into which others were merged before it was merged itself, and that were
    /// separated since: their paths, each with the reason why it stays. Which of the two is meant is not known.
    pub(super) async fn separated_references(
        &self,
        record: &Record,
        from: Uuid,
        merge: &RecordedMerge,
        restored: &Json,
    ) -> Result<Vec<(String, String)>> {
        let mut places: Vec<(String, String)> = Vec::new();
        for revision in load_revisions(&self.transaction, from).await? {
            let changes = || revision.changes.as_array().into_iter().flatten();
            for (path, removed) in changes().filter(|_| revision.moved).filter_map(removed_part) {
                // the record that was merged is the one that it refers to, or the one that the part like it referred to
                let moved = changes().flat_map(moved_references).map(|reference| reference.old);
                let mut separated = None;
                for id in texts(removed).into_iter().chain(moved) {
                    if separated.is_none() && self.was_separated(id, &revision, merge).await? {
                        separated = Some(id);
                    }
                }
                let is_known = places.iter().any(|(known, _)| *known == path);
                let Some(separated) = separated.filter(|_| !is_known && !has_part(record, restored, path)) else { continue };
                let reason = format!(
                    "it was the same as another one of this list while {separated} was merged, which was separated since: add it again"
                );
                places.push((path.to_owned(), reason));
            }
            let moved: Vec<MovedReference<'_>> = changes().flat_map(moved_references).collect();
            for MovedReference { path, old, new } in moved {
                let mut present = Vec::new();
                references(record, restored, new, "", &mut present);
                if places.iter().any(|(known, _)| *known == path) || !present.contains(&path) {
                    continue;
                }
                if self.was_separated(old, &revision, merge).await? {
                    let reason = format!(
                        "it refers to {new}, as before the merge; it referred to {old} earlier, which was merged then and separated since: correct it if {old} is meant"
                    );
                    places.push((path, reason));
                }
            }
        }
        Ok(places)
    }

    /// Whether the record with this id was merged by the merge that wrote a revision, or later, and restored while the record of
    /// the revision was merged itself.
    async fn was_separated(&self, id: &str, revision: &StoredRevision, merge: &RecordedMerge) -> Result<bool> {
        let Some((_, uuid)) = decode_record(id) else { return Ok(false) };
        let revisions = load_revisions(&self.transaction, uuid).await?;
        Ok(revisions.windows(2).any(|window| {
            let [restored, merged] = window else { return false };
            restored.kind == "unmerged"
                && merged.kind == "merged"
                && restored.sequence > merge.sequences.1
                && merged.sequence > revision.sequence
        }))
    }
}

/// Path and value of the part that a field change removed as a whole.
pub(super) fn removed_part(change: &Json) -> Option<(&str, &Json)> {
    let (path, old, new) = (change.get("field")?.as_str()?, change.get("old")?, change.get("new")?);
    (path.ends_with(']') && old.is_object() && new.is_null()).then_some((path, old))
}

fn has_part(record: &Record, state: &Json, path: &str) -> bool {
    parts_with_paths(record, state).iter().any(|(known, _)| known == path)
}

/// The parts of a state, each with its path, that a merge would remove because they become alike to another one of their list.
fn parts_made_alike<'s>(record: &Record, state: &'s Json, from_id: &str, into_id: &str) -> Vec<(String, &'s Json)> {
    let mut merged = replace_text(state.clone(), from_id, into_id);
    remove_alike_parts(record, &mut merged);
    let kept: HashSet<String> = parts_with_paths(record, &merged).into_iter().map(|(path, _)| path).collect();
    let mut removed: Vec<(String, &Json)> = Vec::new();
    for (path, part) in parts_with_paths(record, state).into_iter().filter(|(path, _)| !kept.contains(path)) {
        // what is in a removed part goes with it
        if !removed.iter().any(|(outer, _)| path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))) {
            removed.push((path, part));
        }
    }
    removed
}

/// Number of the last revision of a record before it was merged, if it was merged before a range of sequence numbers and
/// restored after it.
fn revision_before_absence(revisions: &[StoredRevision], first: i32, last: i32) -> Option<i64> {
    let mut windows = revisions.windows(3);
    let absence = windows.find(|window| {
        let [restored, merged, _] = window else { return false };
        restored.kind == "unmerged" && merged.kind == "merged" && restored.sequence > last && merged.sequence < first
    });
    absence.map(|window| window[2].number)
}

/// Paths of the references to a record with this id, as the history spells them.
fn references(record: &Record, state: &Json, id: &str, prefix: &str, paths: &mut Vec<String>) {
    for field in &record.fields {
        if state.get(field.name).and_then(Json::as_str) == Some(id) {
            paths.push(format!("{prefix}{}", field.name));
        }
    }
    for list in &record.parts {
        for item in state.get(list.name).and_then(Json::as_array).into_iter().flatten() {
            if let Some(key) = key(item) {
                references(catalog().get(list.part), item, id, &format!("{prefix}{}[{key}].", list.name), paths);
            }
        }
    }
}
