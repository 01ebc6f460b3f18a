//! Undoing a merge as a whole: the merged record is restored, and what the merge moved goes back to it.
//!
//! What was edited since stays where it is, and is listed. The values come from the revisions of the merge.

use std::collections::{BTreeMap, HashSet};

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::curation::merge::absorbed::AbsorbedParts;
use crate::store::curation::merge::item::{
    decode_record, is_repeated, merged_state, part_path, parts_with_paths, remove_alike_parts, replace_text, without_key,
};
use crate::store::curation::merge::log::{
    MergeRevision, MergedInstants, RecordedMerge, delete_merges, load_merge, merge_revisions, merge_target, merged_into,
};
use crate::store::curation::merge::overlap::{MergedIds, redirected};
use crate::store::curation::merge::undo::{Undone, is_same_part, undo_change};
use crate::store::curation::withholding::name_redaction::texts;
use crate::store::curation::withholding::withheld_digest::{WITHHELD_MESSAGE, withheld_persons};
use crate::store::draft::{Draft, Drafts, InputProblem, Origin, ProblemCode, WriteMode, WriteTarget, parse, value_tree};
use crate::store::history::redirects::{delete_former_slug, former_slug_origin, return_redirects};
use crate::store::history::revisions::{latest_sequence, load_revisions, mark_as_moved, set_kind};
use crate::store::history::state;
use crate::store::write::load::load_rows;
use crate::store::write::model::revision_number;
use crate::store::write::session::{WriteSession, relocate_state_problems, revision_problem, unknown_id, update_draft};
use crate::store::write::types::{Author, WriteError};
use crate::store::{Store, database};

const KIND: &str = "unmerged";

/// A place that an unmerge could not restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnrestoredPlace {
    /// Type of the record.
    pub ty: RecordType,
    /// The record.
    pub id: Uuid,
    /// Path as in its history, such as `parties[anna].person`; empty for the record itself.
    pub path: String,
    /// Why it was not restored, and what it has now.
    pub reason: String,
}

/// Outcome of an unmerge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmerged {
    /// The record that was kept by the merge.
    pub into: Uuid,
    /// What could not be taken apart.
    pub not_restored: Vec<UnrestoredPlace>,
}

/// The two records of a merge.
#[derive(Debug, Clone, Copy)]
struct MergedPair {
    record: &'static Record,
    from: Uuid,
    into: Uuid,
}

impl MergedPair {
    /// Removes parts of the restored state that another merge has made equal to an earlier one of their list.
    fn alike_parts(self, restored: &mut Json) -> Vec<UnrestoredPlace> {
        let keys = |state: &Json| -> Vec<String> { parts_with_paths(self.record, state).into_iter().map(|(path, _)| path).collect() };
        let before = keys(restored);
        remove_alike_parts(self.record, restored);
        let after = keys(restored);
        let reason = "the record that it refers to was merged into another one since, which another part of this list refers to";
        let removed = before.into_iter().filter(|path| !after.contains(path));
        removed.map(|path| UnrestoredPlace { ty: self.record.ty, id: self.from, path, reason: reason.to_owned() }).collect()
    }
}

impl Store {
    /// The merged record that had this slug itself.
    pub async fn find_merged(&self, ty: RecordType, slug: &str, argument: &'static str) -> Result<Result<Uuid, InputProblem>> {
        let singular = catalog().get(ty).singular();
        let problem = |message: String, code| InputProblem::new(Origin::input([argument]), message).with_code(code);
        if let Some((origin, target)) = former_slug_origin(&self.pools.primary, ty, slug).await? {
            if let Some(origin) = origin.filter(|origin| *origin != target) {
                return Ok(Ok(origin));
            }
            let target = id::encode(ty.prefix(), target);
            let message = format!(
                "\"{slug}\" leads to the {singular} {target}, but no merge of a {singular} with this slug is recorded: it is an earlier slug of {target}, or was merged by an earlier version of Kurultai or in another database"
            );
            return Ok(Err(problem(message, ProblemCode::NotFound)));
        }
        Ok(Err(match self.find_id(ty, slug).await? {
            Some(_) => problem(
                format!(
                    "the {singular} \"{slug}\" is not merged into another one; give the id or former slug of the record that was merged"
                ),
                ProblemCode::Invalid,
            ),
            None => problem(format!("no {singular} with the slug \"{slug}\" was merged"), ProblemCode::NotFound),
        }))
    }

    /// Undoes the merge of the record `from`: restores it, and gives back what the merge moved. `expected_revision` is that of
    /// the record that it was merged into.
    pub async fn unmerge(
        &self,
        ty: RecordType,
        from: Uuid,
        expected_revision: Option<i64>,
        author: &Author,
    ) -> Result<Unmerged, WriteError> {
        let session = self.begin(author).await?;
        let argument = Origin::input(["from"]);
        let relocate = |problems| relocate_state_problems(problems, &argument, &argument, &argument);
        let unmerged = session.unmerge(catalog().get(ty), from, expected_revision).await;
        let unmerged = unmerged.map_err(|error| error.map_problems(relocate))?;
        session.commit().await?;
        Ok(unmerged)
    }
}

impl WriteSession<'_> {
    async fn unmerge(&self, record: &'static Record, from: Uuid, expected_revision: Option<i64>) -> Result<Unmerged, WriteError> {
        let transaction = &self.transaction;
        let merge = self.recorded_merge(record, from).await?;
        let pair = MergedPair { record, from, into: merge.into };
        let kept = load_rows(transaction, record, "id", &[merge.into]).await?.pop().map(|(_, row)| row);
        let Some(kept) = kept else { return Err(WriteError::problem(self.kept_record_problem(pair).await?)) };
        let withheld = withheld_persons(transaction).await?;
        let mut problems: Vec<InputProblem> = Vec::new();
        if [from, merge.into].iter().any(|id| withheld.contains(id)) {
            problems.push(InputProblem::new(Origin::input(["from"]), WITHHELD_MESSAGE).with_code(ProblemCode::Withheld));
        }
        problems.extend(revision_problem(revision_number(record, &kept), expected_revision));
        let earlier = self.state_at(record, from, merge.revision, true).await?;
        if earlier.is_none() {
            let message = format!("the history of this {} lacks its state before the merge", record.singular());
            problems.push(InputProblem::new(Origin::input(["from"]), message).with_code(ProblemCode::NotFound));
        }
        let Some(earlier) = earlier.filter(|_| problems.is_empty()) else { return Err(WriteError::Problems(problems)) };
        let restored = state::without_system_fields(earlier);
        let before = latest_sequence(transaction).await?;
        return_redirects(transaction, from, merge.into, &merge.redirected).await?;

        let revisions = merge_revisions(transaction, &merge).await?;
        let absorbed = self.absorbed_parts(merge.into, &merge).await?;
        let mut values: Vec<&Json> = revisions.iter().flat_map(|revision| &revision.changes).chain(absorbed.values()).collect();
        values.push(&restored);
        let moved = self.merged_ids(&values, from).await?;
        let mut restored = redirected(restored, &moved);
        let separated = self.separated_references(record, from, &merge, &restored).await?;
        let mut not_restored: Vec<UnrestoredPlace> =
            separated.into_iter().map(|(path, reason)| UnrestoredPlace { ty: record.ty, id: from, path, reason }).collect();
        not_restored.extend(pair.alike_parts(&mut restored));
        let (own, mut others): (Vec<_>, Vec<_>) = revisions.into_iter().partition(|revision| revision.record == merge.into);
        others.extend(self.missed_revisions(record, from, &merge).await?);
        let present = self.state(record, merge.into).await?;
        let mut ours = present.clone();
        let shared = self.given_by_other_merges(pair, &moved).await?;
        for revision in &own {
            let changes = revision.changes.iter().map(|change| redirected(change.clone(), &moved)).collect::<Vec<_>>();
            let given = Given { changes: &changes, shared: &shared, absorbed: &absorbed, moved: &moved };
            take_apart(pair, given, &mut ours, &mut restored, &mut not_restored)?;
        }
        // identifiers are unique, so the kept record must lose those of the restored one before it gets them; and it cannot
        // refer to the restored one before that exists
        let from_id = id::encode(record.ty.prefix(), from);
        let first = without_references(record, ours.clone(), &present, &from_id);
        let kept_draft = |state: &Json| vec![(record.ty, vec![update_draft(record.ty, merge.into, state, "from")])];
        self.write(&kept_draft(&first), &|_| {}).await?;
        self.remove_taken_values(pair, &mut restored, &mut not_restored).await?;

        // what was unpublished since stays so
        if present.get("published") == Some(&json!(false)) && restored.get("published") == Some(&json!(true)) {
            restored["published"] = json!(false);
            let reason = "the record that it was merged into was unpublished since, so it is restored as a draft".to_owned();
            not_restored.push(UnrestoredPlace { ty: record.ty, id: from, path: "published".to_owned(), reason });
        }
        let mut drafts: BTreeMap<RecordType, Vec<Draft>> = BTreeMap::new();
        drafts.entry(record.ty).or_default().push(self.restored_draft(record, from, restored).await?);
        for revision in &others {
            let draft = self.referrer_draft(pair, &merge, revision, &moved, &mut not_restored).await?;
            drafts.entry(revision.ty).or_default().extend(draft);
        }
        if first != ours {
            let kept = drafts.entry(record.ty).or_default();
            kept.retain(|draft| draft.target.id != Some(merge.into));
            kept.push(update_draft(record.ty, merge.into, &ours, "from"));
        }
        // the records that refer to the restored one again have changed now
        let instants = MergedInstants { last_changed: merge.instants.last_changed.filter(|_| others.is_empty()), ..merge.instants };
        self.write(&drafts.into_iter().collect::<Drafts>(), &|_| {}).await?;
        instants.restore(transaction, record, from).await?;
        mark_as_moved(transaction, before, &[from, merge.into]).await?;
        if !set_kind(transaction, &[from, merge.into], before, KIND).await?.contains(&merge.into) {
            self.add_empty_revision(record, &kept, KIND).await?;
        }
        self.take_out_of_history(record, &merge, &own).await?;
        delete_merges(transaction, &[from]).await?;
        Ok(Unmerged { into: merge.into, not_restored })
    }

    /// What other merges gave to the kept record, or would have given if it had not been there already: the id of each merged
    /// record, with its values as the kept record has them.
    async fn given_by_other_merges(&self, pair: MergedPair, moved: &MergedIds) -> Result<Vec<(String, Json)>> {
        let MergedPair { record, from, into } = pair;
        let into_id = id::encode(record.ty.prefix(), into);
        let mut given = Vec::new();
        for (other, revision) in merged_into(&self.transaction, into).await?.into_iter().filter(|(other, _)| *other != from) {
            let Some(state) = self.state_at(record, other, revision, true).await? else { continue };
            let other_id = id::encode(record.ty.prefix(), other);
            let values = merged_state(record, Json::Object(Map::new()), state::without_system_fields(state));
            given.push((other_id.clone(), redirected(replace_text(values, &other_id, &into_id), moved)));
        }
        Ok(given)
    }

    /// What is recorded of the merge of a record; a problem if nothing is.
    async fn recorded_merge(&self, record: &'static Record, from: Uuid) -> Result<RecordedMerge, WriteError> {
        let transaction = &self.transaction;
        if let Some(merge) = load_merge(transaction, from).await? {
            return Ok(merge);
        }
        let singular = record.singular();
        let problem = if !load_rows(transaction, record, "id", &[from]).await?.is_empty() {
            let message =
                format!("this {singular} is not merged into another one; give the id or former slug of the record that was merged");
            InputProblem::new(Origin::input(["from"]), message)
        } else if let Some(into) = merge_target(transaction, from).await? {
            let into = id::encode(record.ty.prefix(), into);
            let message = format!(
                "nothing is recorded of the merge of this {singular} into {into}, so it cannot be undone: the merge was made by an earlier version of Kurultai or in another database, or the {singular} was withheld since"
            );
            InputProblem::new(Origin::input(["from"]), message).with_code(ProblemCode::NotFound)
        } else {
            unknown_id(record, from, "from")
        };
        Err(WriteError::problem(problem))
    }

    /// The problem that the record that was kept does not exist any more.
    async fn kept_record_problem(&self, pair: MergedPair) -> Result<InputProblem> {
        let MergedPair { record, into, .. } = pair;
        let (singular, kept) = (record.singular(), id::encode(record.ty.prefix(), into));
        let message = match merge_target(&self.transaction, into).await? {
            Some(target) => {
                let target = id::encode(record.ty.prefix(), target);
                format!("this {singular} was merged into {kept}, which was merged into {target} since; undo that merge first")
            }
            None => format!("this {singular} was merged into {kept}, which was deleted since; revert the deletion first"),
        };
        Ok(InputProblem::new(Origin::input(["from"]), message).with_code(ProblemCode::InUse))
    }

    /// The draft that creates the merged record again.
    async fn restored_draft(&self, record: &'static Record, from: Uuid, restored: Json) -> Result<Draft> {
        let last = load_revisions(&self.transaction, from).await?.first().map(|revision| revision.number);
        let last_revision = last.ok_or_else(|| internal("a merged record has no history"))?;
        let state = state::complete(record, restored, &[]);
        let state = match state.get("slug") {
            Some(Json::Null) => state::complete(record, state, &["slug"]),
            _ => state,
        };
        let draft = parse::state(record, &value_tree::from_json(&state), &Origin::input(["from"]));
        let target =
            WriteTarget { mode: WriteMode::Create, id: Some(from), last_revision, restates_stored: true, ..WriteTarget::default() };
        Ok(Draft { target, ..draft })
    }

    /// The draft that gives the references of another record back. Not set if nothing can be given back.
    async fn referrer_draft(
        &self,
        pair: MergedPair,
        merge: &RecordedMerge,
        revision: &MergeRevision,
        moved: &MergedIds,
        not_restored: &mut Vec<UnrestoredPlace>,
    ) -> Result<Option<Draft>> {
        let (ty, id) = (revision.ty, revision.record);
        let record = catalog().get(ty);
        let mut unrestored = |path: &str, reason: String| not_restored.push(UnrestoredPlace { ty, id, path: path.to_owned(), reason });
        if load_rows(&self.transaction, record, "id", &[id]).await?.is_empty() {
            let singular = record.singular();
            let reason = match merge_target(&self.transaction, id).await? {
                Some(target) => {
                    let target = id::encode(record.ty.prefix(), target);
                    let [from, into] = [pair.from, pair.into].map(|id| id::encode(pair.record.ty.prefix(), id));
                    format!(
                        "the {singular} was merged into {target} after the merge; what {target} has of it refers to {into}: correct it where {from} is meant"
                    )
                }
                None => format!("the {singular} was deleted after the merge"),
            };
            unrestored("", reason);
            return Ok(None);
        }
        let present = self.state(record, id).await?;
        let mut state = present.clone();
        let absorbed = self.absorbed_parts(id, merge).await?;
        let mut moved = moved.clone();
        moved.extend(self.merged_ids(&absorbed.values().collect::<Vec<_>>(), pair.from).await?);
        let mut changes = changes_backwards(&revision.changes)?;
        // parts that the merge made alike to others come back after those have their own references again
        changes.sort_by_key(|(_, _, new)| new.is_null());
        for (path, old, new) in changes {
            let [redirected_old, redirected_new] = [old, new].map(|value| redirected(value.clone(), &moved));
            match undo_in_referrer(record, &mut state, (path, &redirected_old, &redirected_new), &absorbed, &moved) {
                Undone::Done if redirected_old != *old => {
                    let merged: Vec<&str> = texts(old).into_iter().filter(|text| moved.contains_key(*text)).collect();
                    unrestored(
                        path,
                        format!("it is back, but {} is merged into another record, to which it refers now", merged.join(", ")),
                    );
                }
                Undone::Done => {}
                Undone::Edited => {
                    let kept = id::encode(pair.record.ty.prefix(), pair.into);
                    unrestored(path, format!("it was changed after the merge and stays; it referred to {kept} then"));
                }
                Undone::Removed => unrestored(path, "it was removed after the merge".to_owned()),
                Undone::Repeated => unrestored(
                    path,
                    "it would be the same as another one of this list, which refers to a merged record: add it again when that merge is undone"
                        .to_owned(),
                ),
            }
        }
        Ok((state != present).then(|| update_draft(ty, id, &state, "from")))
    }

    /// Removes from the restored state what another record has now, and what refers to records that do not exist any more.
    async fn remove_taken_values(&self, pair: MergedPair, restored: &mut Json, not_restored: &mut Vec<UnrestoredPlace>) -> Result<()> {
        let MergedPair { record, from, .. } = pair;
        let Json::Object(members) = restored else { return Err(internal("the state of a record is not a map")) };
        let mut unrestored = |path: String, reason: String| not_restored.push(UnrestoredPlace { ty: record.ty, id: from, path, reason });
        if let Some(Json::String(slug)) = members.get("slug") {
            let select = Query::select().column("id").from(Alias::new(record.table)).and_where(Expr::col("slug").eq(slug)).to_owned();
            match self.transaction.query_one(&select).await.map_err(database)? {
                None => delete_former_slug(&self.transaction, record.ty, slug).await?,
                Some(row) => {
                    let holder: Uuid = row.try_get_by_index(0).map_err(internal)?;
                    let holder = id::encode(record.ty.prefix(), holder);
                    unrestored("slug".to_owned(), format!("\"{slug}\" is the slug of {holder} now; the record has a new one"));
                    members.insert("slug".to_owned(), Json::Null);
                }
            }
        }
        let missing = self.missing_records(members.values().flat_map(texts)).await?;
        for field in &record.fields {
            let Some(value) = members.get_mut(field.name) else { continue };
            if let Some(gone) = texts(value).into_iter().find(|text| missing.contains(*text)).map(str::to_owned) {
                unrestored(field.name.to_owned(), format!("the record {gone} does not exist any more"));
                *value = Json::Null;
            }
        }
        for list in &record.parts {
            let Some(Json::Array(items)) = members.get_mut(list.name) else { continue };
            let mut kept = Vec::with_capacity(items.len());
            for item in std::mem::take(items) {
                let mut reason = texts(&item)
                    .into_iter()
                    .find(|text| missing.contains(*text))
                    .map(|gone| format!("the record {gone} does not exist any more"));
                if list.part == RecordType::Identifier && reason.is_none() {
                    reason = self.identifier_holder(&item).await?.map(|holder| format!("the identifier belongs to {holder} now"));
                }
                match reason {
                    Some(reason) => unrestored(part_path(list.name, &item), reason),
                    None => kept.push(item),
                }
            }
            *items = kept;
        }
        Ok(())
    }

    /// Id of the record that has an identifier.
    async fn identifier_holder(&self, identifier: &Json) -> Result<Option<String>> {
        let member = |name| identifier.get(name).and_then(Json::as_str).ok_or_else(|| internal("an identifier lacks its scheme or value"));
        let select = Query::select()
            .columns([("nodes", "id"), ("nodes", "record_type")])
            .from("identifiers")
            .inner_join("nodes", Expr::col(("nodes", "id")).equals(("identifiers", "record_id")))
            .and_where(Expr::col(("identifiers", "scheme")).eq(member("scheme")?))
            .and_where(Expr::col(("identifiers", "value")).eq(member("value")?))
            .to_owned();
        let Some(row) = self.transaction.query_one(&select).await.map_err(database)? else { return Ok(None) };
        let (holder, prefix): (Uuid, String) = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
        Ok(Some(id::encode(&prefix, holder)))
    }

    /// The texts among these that are ids of records which neither exist nor redirect to one that exists.
    async fn missing_records(&self, texts: impl Iterator<Item = &str>) -> Result<HashSet<String>> {
        let mut missing = HashSet::new();
        for text in texts {
            let Some((record, uuid)) = decode_record(text) else { continue };
            let target = merge_target(&self.transaction, uuid).await?.unwrap_or(uuid);
            let select = Query::select().column("id").from(Alias::new(record.table)).and_where(Expr::col("id").eq(target)).to_owned();
            if self.transaction.query_one(&select).await.map_err(database)?.is_none() {
                missing.insert(text.to_owned());
            }
        }
        Ok(missing)
    }
}

/// Path, old and new value of each field change, the last one first.
fn changes_backwards(changes: &[Json]) -> Result<Vec<(&str, &Json, &Json)>> {
    let parts = changes.iter().rev().map(|change| Some((change.get("field")?.as_str()?, change.get("old")?, change.get("new")?)));
    parts.collect::<Option<_>>().ok_or_else(|| internal("a field change lacks its field, old or new value"))
}

/// Undoes a field change of a merge in another record, also in a part that a later merge removed.
fn undo_in_referrer(
    record: &Record,
    state: &mut Json,
    (path, old, new): (&str, &Json, &Json),
    absorbed: &AbsorbedParts,
    moved: &MergedIds,
) -> Undone {
    let comes_back = old.is_object() && new.is_null();
    let before = comes_back.then(|| state.clone());
    match (undo_change(record, state, path, old, new), before) {
        (Undone::Done, Some(before)) if is_repeated(record, state, path) => {
            *state = before;
            Undone::Repeated
        }
        (Undone::Removed, _) => absorbed.undo_in_absorbed(record, state, (path, old, new), moved),
        (undone, _) => undone,
    }
}

/// What a merge gave to the kept record.
#[derive(Clone, Copy)]
struct Given<'g> {
    /// The field changes of the kept record.
    changes: &'g [Json],
    /// What other merged records have that is the same.
    shared: &'g [(String, Json)],
    /// What later merges removed from the kept record.
    absorbed: &'g AbsorbedParts,
    /// Ids of merged records, each with the id of its target.
    moved: &'g MergedIds,
}

/// Takes what a merge gave to the kept record out of it. A part that was removed since is not given back to the merged record.
fn take_apart(
    pair: MergedPair,
    Given { changes, shared, absorbed, moved }: Given<'_>,
    ours: &mut Json,
    restored: &mut Json,
    not_restored: &mut Vec<UnrestoredPlace>,
) -> Result<()> {
    let MergedPair { record, from, into } = pair;
    let [from_id, into_id] = [from, into].map(|id| id::encode(record.ty.prefix(), id));
    for (path, old, new) in changes_backwards(changes)? {
        let undone = undo_change(record, ours, path, old, new);
        if undone == Undone::Done && old.is_null() && new.is_object() {
            absorbed.revive_alike(record, ours, (path, new), changes, moved);
        }
        let reason = match undone {
            // it went into another part, which stays
            Undone::Removed if absorbed.contains(path) => continue,
            Undone::Done => match shared.iter().find(|(_, values)| has_given(record, values, path, old, new)) {
                Some((other_id, _)) => {
                    format!("it was taken from {into_id}, but {other_id}, which is merged into {into_id} too, also had it; add it again")
                }
                None => continue,
            },
            Undone::Edited => format!("it was changed after the merge and stays with {into_id}; {from_id} has its own value from before"),
            Undone::Removed | Undone::Repeated => {
                remove_part(record, restored, new, &from_id, &into_id);
                format!("it was removed after the merge, so {from_id} does not have it either")
            }
        };
        not_restored.push(UnrestoredPlace { ty: record.ty, id: into, path: path.to_owned(), reason });
    }
    Ok(())
}

/// Whether the values of another merged record have something that this change gave to the kept record.
fn has_given(record: &Record, values: &Json, path: &str, old: &Json, new: &Json) -> bool {
    let items = |value: &Json| value.as_array().cloned().unwrap_or_default();
    if let Some(list) = record.parts.iter().find(|list| path.strip_prefix(list.name).is_some_and(|rest| rest.starts_with('['))) {
        let is_same = |item: &Json| is_same_part(&without_key(item), &without_key(new));
        return old.is_null() && new.is_object() && values.get(list.name).map(items).unwrap_or_default().iter().any(is_same);
    }
    let Some(given) = values.get(path).filter(|_| new != old && !new.is_null()) else { return false };
    match new {
        Json::Array(new) => {
            let (old, given) = (items(old), items(given));
            new.iter().any(|value| !old.contains(value) && given.contains(value))
        }
        new => new == given,
    }
}

/// Removes the part of the restored record that became this part of the kept one.
fn remove_part(record: &Record, restored: &mut Json, moved: &Json, from_id: &str, into_id: &str) {
    let moved = without_key(moved);
    for list in &record.parts {
        if let Some(Json::Array(items)) = restored.get_mut(list.name) {
            items.retain(|item| !is_same_part(&without_key(&replace_text(item.clone(), from_id, into_id)), &moved));
        }
    }
}

/// The state without references to a record that does not exist yet: its fields have their present values, and parts with such
/// a reference are left out.
fn without_references(record: &Record, state: Json, present: &Json, id: &str) -> Json {
    let Json::Object(mut members) = state else { return state };
    for field in &record.fields {
        if let Some(value) = members.get_mut(field.name).filter(|value| texts(value).contains(&id)) {
            *value = present.get(field.name).cloned().unwrap_or(Json::Null);
        }
    }
    for list in &record.parts {
        if let Some(Json::Array(items)) = members.get_mut(list.name) {
            items.retain(|item| !texts(item).contains(&id));
        }
    }
    Json::Object(members)
}
