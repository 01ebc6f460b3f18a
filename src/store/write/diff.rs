//! Merges drafts into the stored rows and collects the changes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::{CHECKED_AT, LAST_CHANGED_AT};
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::Result;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::care::address_check::clear_outdated_check;
use crate::store::curation::disputes::disagree;
use crate::store::curation::freshness::{FreshnessUpdates, SubmittedRecord, collect_sources};
use crate::store::curation::visibility::VisibilityChanges;
use crate::store::draft::{Draft, DraftSource, InputProblem, ProblemCode};
use crate::store::history::revisions::{NewRevision, RevisionStamp, is_publication, numbered};
use crate::store::history::state;
use crate::store::likeness::warning::warnings;
use crate::store::read::dump::FormerName;
use crate::store::read::result::Cell;
use crate::store::search::index::SearchDocuments;
use crate::store::write::cells::{MergeState, MergeTarget, draft_cells, fill_empty_cells};
use crate::store::write::citation_cycles::CitationCycles;
use crate::store::write::given_parts::merged_drafts;
use crate::store::write::hierarchy::Hierarchy;
use crate::store::write::import::edits::{self, Edits};
use crate::store::write::import::name_change;
use crate::store::write::import::shared_urls;
use crate::store::write::import::shared_urls::SourcesByUrl;
use crate::store::write::load::{load_rows, referenced_types};
use crate::store::write::model::{MergedPart, NewRow, StoredRow};
use crate::store::write::part::{
    PartEntry, has_unknown_key, list_name, part_key, part_keys, report_alike, report_dropped, take_stored, with_key_and_position,
};
use crate::store::write::resolve::ResolvedNames;
use crate::store::write::totals;
use crate::store::write::types::{RecordUpdate, ResolvedDraft, SummaryBuilder, WriteAction, WrittenRecord, add_updates};
use crate::store::write::value::{PartKeys, as_json};
use crate::store::write::withheld_parts::replaced_keys;

/// Records loaded and diffed at a time.
const DIFF_BATCH_RECORDS: usize = 1_000;

/// All changes of one write, collected before any of them is written.
#[derive(Debug)]
pub(crate) struct ChangeSet<'s> {
    pub(super) store: &'s Store,
    pub(super) stamp: RevisionStamp,
    pub(super) summary: SummaryBuilder,
    /// Ids and type prefixes of new records, and of new parts that can be cited.
    pub(super) new_nodes: Vec<(Uuid, &'static str)>,
    pub(super) rows: BTreeMap<RecordType, Vec<NewRow>>,
    pub(super) removed_parts: BTreeMap<RecordType, Vec<Uuid>>,
    pub(super) revisions: Vec<NewRevision>,
    /// Records that this write unpublishes: readers lose their history too.
    pub(super) unpublished: Vec<Uuid>,
    /// Given slugs of new records, from which a name was redacted.
    pub(super) redacted_slugs: Vec<FormerName<String>>,
    /// Former slugs, and whether the record was public with them.
    pub(super) former_slugs: Vec<(FormerName<String>, bool)>,
    /// Types of the records that polymorphic references point to.
    types: HashMap<Uuid, RecordType>,
    pub(super) documents: SearchDocuments,
    pub(super) visibility: VisibilityChanges,
    pub(super) freshness: FreshnessUpdates,
    /// Sources that are drafts: readers do not see their claims.
    pub(super) draft_sources: HashSet<Uuid>,
    /// New values of the references by which records of a type form a hierarchy.
    pub(super) hierarchy: Hierarchy,
    /// New citations of sources by sources.
    pub(super) citation_cycles: CitationCycles,
    /// The sources of the import.
    sources_by_url: SourcesByUrl,
}

/// A stored record, and what editors wrote in it since the last import.
struct Stored<'e> {
    row: Option<StoredRow>,
    edits: Option<&'e Edits>,
}

impl<'s> ChangeSet<'s> {
    /// An empty change set. `types` are the types of the records that the drafts refer to.
    pub(super) fn new(store: &'s Store, stamp: RevisionStamp, draft_sources: HashSet<Uuid>, types: HashMap<Uuid, RecordType>) -> Self {
        Self {
            store,
            stamp,
            summary: SummaryBuilder::default(),
            new_nodes: Vec::new(),
            rows: BTreeMap::new(),
            removed_parts: BTreeMap::new(),
            revisions: Vec::new(),
            unpublished: Vec::new(),
            redacted_slugs: Vec::new(),
            former_slugs: Vec::new(),
            types,
            documents: SearchDocuments::default(),
            visibility: VisibilityChanges::default(),
            freshness: FreshnessUpdates::default(),
            draft_sources,
            hierarchy: Hierarchy::default(),
            citation_cycles: CitationCycles::default(),
            sources_by_url: SourcesByUrl::default(),
        }
    }

    /// Discards the collected changes and keeps the summary.
    pub(super) fn discard(&mut self) {
        self.new_nodes.clear();
        self.rows.clear();
        self.removed_parts.clear();
        self.revisions.clear();
        self.unpublished.clear();
        self.redacted_slugs.clear();
        self.former_slugs.clear();
        self.documents = SearchDocuments::default();
        self.visibility = VisibilityChanges::default();
        self.freshness = FreshnessUpdates::default();
    }

    /// Diffs drafts of one record type and adds their changes.
    pub(super) async fn add(
        &mut self,
        transaction: &DatabaseTransaction,
        record: &'static Record,
        records: &[ResolvedDraft<'_>],
        names: &ResolvedNames,
        problems: &mut Vec<InputProblem>,
        progress: &(impl Fn(usize) + Send + Sync),
    ) -> Result<()> {
        for batch in records.chunks(DIFF_BATCH_RECORDS) {
            let ids: Vec<Uuid> = batch.iter().filter(|resolved| !resolved.is_new).map(|resolved| resolved.id).collect();
            let existing = load_rows(transaction, record, "id", &ids).await?;
            self.types.extend(referenced_types(transaction, record, existing.iter().map(|(_, row)| row)).await?);
            let mut existing: HashMap<Uuid, StoredRow> = existing.into_iter().map(|(_, row)| (row.id, row)).collect();
            let imported: Vec<Uuid> = batch
                .iter()
                .filter(|resolved| existing.contains_key(&resolved.id) && resolved.draft.target.source == DraftSource::Import)
                .map(|resolved| resolved.id)
                .collect();
            let edits = edits::load(transaction, &imported).await?;
            let mut changed = Vec::new();
            for resolved in batch {
                let stored = Stored { row: existing.remove(&resolved.id), edits: edits.get(&resolved.id) };
                changed.extend(self.add_record(record, resolved, &stored, names, problems));
            }
            self.summary.warnings.extend(warnings(transaction, record.ty, batch, &changed).await?);
            if record.ty == RecordType::Source {
                let of_urls = shared_urls::warnings(transaction, batch, &changed, &mut self.sources_by_url).await?;
                self.summary.warnings.extend(of_urls);
            }
            self.documents.add(transaction, record, &changed).await?;
            self.rows.entry(record.ty).or_default().extend(changed);
            progress(batch.len());
        }
        Ok(())
    }

    /// Diffs one record. Returns its row if it is new or changed.
    fn add_record(
        &mut self,
        record: &'static Record,
        resolved: &ResolvedDraft<'_>,
        stored: &Stored<'_>,
        names: &ResolvedNames,
        problems: &mut Vec<InputProblem>,
    ) -> Option<NewRow> {
        let (id, existing) = (resolved.id, stored.row.as_ref());
        let generated = resolved.generated_slug.clone().map(Some).or(resolved.keeps_slug.then_some(None));
        let with_slug = generated.map(|name| Draft { name, ..resolved.draft.clone() });
        let draft = with_slug.as_ref().unwrap_or(resolved.draft);
        let types = std::mem::take(&mut self.types);
        let siblings = existing.map(part_keys).unwrap_or_default();
        let mut merge = MergeState {
            root: id,
            names,
            problems: &mut *problems,
            changes: Vec::new(),
            part_keys: PartKeys { own: siblings.iter().map(|((_, key), id)| (*id, key.clone())).collect(), around: None },
            siblings,
            types_with_unknown_keys: HashSet::new(),
            types: &types,
            cited: Vec::new(),
            kept: BTreeSet::new(),
            is_changed: false,
            source: draft.target.source,
            edits: stored.edits,
            kept_edits: Vec::new(),
            keeps_cited_parts: draft.target.keeps_cited_parts,
            leaves_out_repeated: draft.target.source != DraftSource::Edit || draft.target.restates_stored,
        };
        let is_unidentified = resolved.is_unidentified;
        let target = MergeTarget { record, id, owner: None, draft, existing, is_unidentified, path: "", edit: None };
        let mut cells = self.merge(&mut merge, target);
        let MergeState { changes, is_changed, cited, kept, kept_edits, .. } = merge;
        self.summary.kept.extend(kept_edits);
        self.types = types;
        clear_outdated_check(record, existing, &mut cells);
        self.hierarchy.add(record, (id, &cells), existing, draft);
        let submitted = SubmittedRecord { record, id, draft, cells: &cells, cited: &cited, kept: &kept };
        self.citation_cycles.add(submitted, existing);
        self.freshness.submitted(submitted);
        let [revision, published_field, slug] = ["revision", "published", "slug"].map(|name| record.known_field(name));
        let number = match &cells[revision.index()] {
            Cell::Integer(number) => *number,
            _ => names.last_revisions.get(&id).copied().unwrap_or(draft.target.last_revision),
        };
        if let Some(expected) = draft.target.expected_revision
            && expected != number
            && !is_unidentified
        {
            problems.push(revision_conflict(record, draft, number, expected));
        }
        let is_shown = !resolved.keeps_slug;
        let mut outcome = |action| self.summary.records.push((resolved.position, WrittenRecord { ty: record.ty, id, action, is_shown }));
        if existing.is_some() && !is_changed {
            outcome(WriteAction::Unchanged);
            self.summary.unchanged += 1;
            return None;
        }
        outcome(if existing.is_none() { WriteAction::Created } else { WriteAction::Updated });
        let published = cells[published_field.index()] == Cell::Boolean(true);
        let was_published = existing.map(|existing| existing.cells[published_field.index()] == Cell::Boolean(true));
        if published || was_published == Some(true) {
            self.freshness.changed(submitted, existing.filter(|_| was_published == Some(true)));
        }
        let changed_fields: Vec<String> = match existing {
            None => Vec::new(),
            Some(_) => changes.iter().filter_map(|change| change["field"].as_str()).map(str::to_owned).collect(),
        };
        let revisions = NewRevision { record: id, ty: record.ty, number: number + 1, kind: "updated", changes, published };
        let number = self.add_revisions(revisions, record, &cells, was_published);
        cells[revision.index()] = Cell::Integer(number);
        cells[record.known_field("updatedAt").index()] = Cell::Instant(self.stamp.at);
        match existing {
            None => {
                for name in ["createdAt", CHECKED_AT, LAST_CHANGED_AT] {
                    if let Some(field) = record.field_id(name) {
                        cells[field.index()] = Cell::Instant(self.stamp.at);
                    }
                }
                self.new_nodes.push((id, record.ty.prefix()));
                self.summary.created += 1;
            }
            Some(existing) => {
                self.summary.warnings.extend(name_change::warnings(record, &existing.cells, &cells, draft));
                if let (Some(before), true) = (existing.cells[slug.index()].as_text(), existing.cells[slug.index()] != cells[slug.index()])
                {
                    let former = FormerName { ty: record.ty, name: before.to_owned(), record: id };
                    self.former_slugs.push((former, was_published == Some(true) && published));
                }
                self.summary.updated += 1;
                if let Some(slug) = existing.cells[slug.index()].as_text().filter(|_| is_shown) {
                    let update = RecordUpdate { ty: record.ty, slug: slug.to_owned(), fields: changed_fields };
                    add_updates(&mut self.summary.updates, [update]);
                }
            }
        }
        if was_published.is_some_and(|was_published| was_published != published) {
            self.visibility.changed(record.ty, id, published);
        }
        Some(NewRow { id, cells, published })
    }

    /// Adds the revisions of one change and returns the number of the last one.
    fn add_revisions(&mut self, revision: NewRevision, record: &Record, cells: &[Cell], was_published: Option<bool>) -> i64 {
        let (id, first, published) = (revision.record, revision.number, revision.published);
        let types = &self.types;
        let published_state = || {
            let fields = record.fields.iter().zip(cells).filter(|(field, cell)| !field.system && **cell != Cell::Null);
            let changes = fields.map(
                |(field, cell)| json!({"field": field.name, "old": null, "new": as_json(field.kind, cell, types, &PartKeys::default())}),
            );
            changes.filter(|change| !is_publication(change)).collect()
        };
        let revisions = numbered(revision, was_published, published_state);
        if was_published == Some(true) && !published {
            self.unpublished.push(id);
        }
        let last = revisions.last().map_or(first, |revision| revision.number);
        self.revisions.extend(revisions);
        last
    }

    /// Merges one record or part with its parts. Returns its new cells.
    fn merge(&mut self, merge: &mut MergeState<'_>, target: MergeTarget<'_>) -> Vec<Cell> {
        let MergeTarget { record, owner, existing, .. } = target;
        let mut cells = draft_cells(merge, target);
        fill_empty_cells(merge, target, &mut cells);
        let published_field = record.field_id("published");
        let published = match (owner, published_field) {
            (None, Some(field)) => cells[field.index()] == Cell::Boolean(true),
            (Some((_, published)), _) => published,
            (None, None) => true,
        };
        let is_visibility_unchanged =
            existing.is_none_or(|existing| published_field.is_none_or(|field| existing.cells[field.index()] == cells[field.index()]));
        let slot = merge.changes.len();
        let parts = self.merge_parts(merge, target, published, !is_visibility_unchanged);
        let exceeded = totals::exceeded(target, merge.source, &cells, &parts);
        match merge.source {
            DraftSource::Edit => merge.problems.extend(exceeded),
            DraftSource::Import | DraftSource::OverwritingImport => self.summary.warnings.extend(exceeded),
        }
        if let Some(field) = record.field_id("disputed") {
            cells[field.index()] = Cell::Boolean(is_disputed(record, &parts, &self.draft_sources));
        }
        if record.ty == RecordType::Citation
            && let Some(Cell::Id(source)) = record.field_id("source").map(|field| &cells[field.index()])
        {
            if target.draft.target.restates_stored {
                merge.kept.insert(*source);
            } else {
                merge.cited.push((*source, existing.is_none_or(|existing| existing.cells != cells)));
            }
        }
        add_field_changes(merge, slot, &cells, target);
        cells
    }

    /// Merges the lists of parts of one record or part. Returns the parts as they will be. `rewrite_all` writes unchanged
    /// parts too, because the record is being published or unpublished.
    fn merge_parts(
        &mut self,
        merge: &mut MergeState<'_>,
        target: MergeTarget<'_>,
        published: bool,
        rewrite_all: bool,
    ) -> HashMap<RecordType, Vec<MergedPart>> {
        let MergeTarget { record, draft, existing, path, .. } = target;
        let owner = (target.id, published);
        let mut parts: HashMap<RecordType, Vec<MergedPart>> = HashMap::new();
        let mut removed = HashMap::new();
        for list in &record.parts {
            let part = catalog().get(list.part);
            let stored = existing.and_then(|existing| existing.parts.get(&list.part)).map(Vec::as_slice).unwrap_or_default();
            let Some((_, drafts)) = draft.parts.iter().find(|(ty, _)| *ty == list.part) else {
                if target.is_unidentified {
                    merge.types_with_unknown_keys.insert(list.part);
                }
                for row in stored {
                    if rewrite_all {
                        self.rewrite_part(part, row, published);
                    }
                    collect_sources(part, row, &mut merge.kept);
                    parts.entry(list.part).or_default().push(MergedPart { cells: row.cells.clone() });
                }
                continue;
            };
            let (drafts, left_out) = merged_drafts(merge, part, draft.merges_stored, drafts, stored);
            self.summary.warnings.extend(left_out);
            let key_field = part.known_field("key");
            let mut unmatched: HashMap<&str, &StoredRow> =
                stored.iter().filter_map(|row| Some((row.cells[key_field.index()].as_text()?, row))).collect();
            let mut taken = HashSet::new();
            let has_unknown_keys = drafts.iter().any(|draft| has_unknown_key(part, draft));
            if has_unknown_keys {
                merge.types_with_unknown_keys.insert(list.part);
            }
            let replaced_keys = replaced_keys(merge.source, part, &drafts, stored, merge.names, &merge.siblings);
            let mut merged = Vec::with_capacity(drafts.len());
            let mut written = Vec::with_capacity(drafts.len());
            for (index, draft) in drafts.iter().enumerate() {
                let is_unidentified = target.is_unidentified || (has_unknown_key(part, draft) && !stored.is_empty());
                let key = part_key(part, draft, index, &mut taken, merge.problems, |ty, slug| merge.names.public_slug(ty, slug));
                let list_path = format!("{path}{}", list.name);
                let key = match replaced_keys.get(&index) {
                    Some(replaced) => replaced_key(merge, list.part, &key, replaced, &unmatched),
                    None => current_key(merge, (list.part, &list_path), key, draft, &unmatched),
                };
                let before = take_stored(&mut unmatched, &key, draft);
                let part_path = format!("{path}{}[{key}]", list.name);
                if let Some(edit) = merge.edits.filter(|_| before.is_none()).and_then(|edits| edits.removal_of_part(&part_path)) {
                    merge.report_kept(&draft.origin, &format!("the part \"{key}\""), edit);
                    continue;
                }
                written.push(draft);
                let id = before.map(|row| row.id).or(draft.target.id).unwrap_or_else(|| self.store.clock.new_uuid());
                merge.siblings.insert((list.part, key.clone()), id);
                merge.part_keys.own.insert(id, key.clone());
                if let Some(row) = before.filter(|row| !rewrite_all && is_untouched(part, row, draft, (&key, index))) {
                    collect_sources(part, row, &mut merge.kept);
                    merged.push((Some(row), row.cells.clone()));
                    continue;
                }
                let draft = with_key_and_position(part, draft, &key, index);
                let edit = target.edit.or_else(|| merge.edits?.of_part(&part_path));
                let path = format!("{part_path}.");
                let owner = Some(owner);
                let target = MergeTarget { record: part, id, owner, draft: &draft, existing: before, is_unidentified, path: &path, edit };
                let cells = self.merge(merge, target);
                if before.is_none() && part.is_cited() {
                    self.new_nodes.push((id, part.ty.prefix()));
                }
                if rewrite_all || before.is_none_or(|before| before.cells != cells) {
                    self.rows.entry(list.part).or_default().push(NewRow { id, cells: cells.clone(), published });
                    merge.is_changed = true;
                }
                merged.push((before, cells));
            }
            let entries = written.into_iter().zip(&merged).map(|(draft, (stored, cells))| PartEntry { draft, cells, stored: *stored });
            report_alike(part, &entries.collect::<Vec<_>>(), merge.problems);
            parts.insert(list.part, merged.into_iter().map(|(_, cells)| MergedPart { cells }).collect());
            if merge.keeps_cited_parts && !has_unknown_keys {
                report_dropped(list.name, unmatched.iter().map(|(key, row)| (*key, *row)), draft, merge.problems);
            }
            // a part whose key is unknown may be any of the remaining ones
            for (key, row) in unmatched.into_iter().filter(|_| !has_unknown_keys) {
                let part_path = format!("{path}{}[{key}]", list.name);
                if let Some(edit) = target.edit.or_else(|| merge.edits?.within_part(&part_path)) {
                    let what = format!("the part \"{key}\", which the list lacks,");
                    merge.report_kept(&draft.origin.child(list.name, None), &what, edit);
                    if rewrite_all {
                        self.rewrite_part(part, row, published);
                    }
                    collect_sources(part, row, &mut merge.kept);
                    parts.entry(list.part).or_default().push(MergedPart { cells: row.cells.clone() });
                    continue;
                }
                merge.is_changed = true;
                let old = state::of(part, row, merge.types, &merge.part_keys);
                merge.changes.push(json!({"field": part_path, "old": old, "new": null}));
                removed.insert(row.id, key.to_owned());
                self.remove_part(part, row);
            }
        }
        reject_dangling_references(merge, &parts, &removed, draft);
        parts
    }

    /// Writes a stored part and its parts again with the new visibility of their record.
    fn rewrite_part(&mut self, part: &'static Record, row: &StoredRow, published: bool) {
        self.rows.entry(part.ty).or_default().push(NewRow { id: row.id, cells: row.cells.clone(), published });
        for (ty, rows) in &row.parts {
            for row in rows {
                self.rewrite_part(catalog().get(*ty), row, published);
            }
        }
    }

    fn remove_part(&mut self, part: &'static Record, row: &StoredRow) {
        self.removed_parts.entry(part.ty).or_default().push(row.id);
        for (ty, rows) in &row.parts {
            for row in rows {
                self.remove_part(catalog().get(*ty), row);
            }
        }
    }
}

/// Whether a draft leaves a stored part as it is, at its place: a change of one part of a list names all others.
fn is_untouched(part: &Record, row: &StoredRow, draft: &Draft, (key, index): (&str, usize)) -> bool {
    let has = |field: &'static str, cell: &Cell| part.field_id(field).is_none_or(|field| row.cells[field.index()] == *cell);
    let is_empty = draft.values.is_empty() && draft.parts.is_empty() && draft.cleared.is_empty();
    is_empty && has("key", &Cell::Text(key.to_owned())) && has("position", &Cell::Integer(i64::try_from(index + 1).unwrap_or(i64::MAX)))
}

/// The key of the stored part that a draft of an import is for: an editor may have replaced the given one since, which is kept.
fn current_key(
    merge: &mut MergeState<'_>,
    (ty, list_path): (RecordType, &str),
    key: String,
    draft: &Draft,
    unmatched: &HashMap<&str, &StoredRow>,
) -> String {
    let renaming = merge.edits.filter(|_| !unmatched.contains_key(key.as_str())).and_then(|edits| edits.renaming_of_part(list_path, &key));
    let Some((new, edit, row)) = renaming.and_then(|(new, edit)| Some((new.to_owned(), edit, unmatched.get(new)?))) else { return key };
    // other parts of the draft refer to the given key
    merge.siblings.insert((ty, key.clone()), row.id);
    merge.report_kept(&draft.origin.child("key", None), &format!("the key \"{new}\", which was \"{key}\","), edit);
    new
}

/// The key of the stored part that a draft of an import is for, which a withholding gave it in place of the given one.
fn replaced_key(merge: &mut MergeState<'_>, ty: RecordType, given: &str, replaced: &str, unmatched: &HashMap<&str, &StoredRow>) -> String {
    if let Some(row) = unmatched.get(replaced) {
        // other parts of the draft refer to the given key
        merge.siblings.insert((ty, given.to_owned()), row.id);
    }
    replaced.to_owned()
}

/// The problem that a record is at another revision than the expected one.
pub(super) fn revision_conflict(record: &Record, draft: &Draft, number: i64, expected: i64) -> InputProblem {
    let singular = record.singular();
    let message = format!("this {singular} is at revision {number}, not {expected}: it was changed in the meantime; read it again");
    InputProblem::new(draft.origin.child("expectedRevision", None), message).with_code(ProblemCode::Conflict(number))
}

fn is_disputed(record: &Record, parts: &HashMap<RecordType, Vec<MergedPart>>, draft_sources: &HashSet<Uuid>) -> bool {
    let citations = parts.get(&RecordType::Citation).into_iter().flatten().map(|citation| citation.cells.as_slice());
    disagree(record, citations, draft_sources)
        || parts.iter().any(|(ty, parts)| {
            let disputed = catalog().get(*ty).field_id("disputed");
            disputed.is_some_and(|field| parts.iter().any(|part| part.cells[field.index()] == Cell::Boolean(true)))
        })
}

/// Adds the field changes of a record or part at `slot`, which is before the changes of its parts.
fn add_field_changes(merge: &mut MergeState<'_>, slot: usize, cells: &[Cell], target: MergeTarget<'_>) {
    let MergeTarget { record, existing, path, .. } = target;
    let value = |kind, cell: &Cell| as_json(kind, cell, merge.types, &merge.part_keys);
    let mut changes = Vec::new();
    match existing {
        None if path.is_empty() => {
            for (field, cell) in record.fields.iter().zip(cells).filter(|(field, cell)| !field.system && **cell != Cell::Null) {
                changes.push(json!({"field": field.name, "old": null, "new": value(field.kind, cell)}));
            }
            merge.is_changed = true;
        }
        None => changes.push(json!({"field": path.trim_end_matches('.'), "old": null, "new": part_value(record, cells, value)})),
        // a link is recorded as a whole: the visibility of its target decides who may read the change
        Some(existing) if record.kind == (RecordKind::Part { cited: false }) => {
            let (old, new) = (part_value(record, &existing.cells, value), part_value(record, cells, value));
            merge.is_changed |= existing.cells != cells;
            if old != new {
                changes.push(json!({"field": path.trim_end_matches('.'), "old": old, "new": new}));
            }
        }
        Some(existing) => {
            for ((field, old), new) in record.fields.iter().zip(&existing.cells).zip(cells) {
                if old != new {
                    merge.is_changed = true;
                    if field.name != "disputed" {
                        changes.push(json!({
                            "field": format!("{path}{}", field.name),
                            "old": value(field.kind, old),
                            "new": value(field.kind, new),
                        }));
                    }
                }
            }
            // changes are undone backwards, and the paths of all of them have the new key of a part
            let key = format!("{path}key");
            changes.sort_by_key(|change| change["field"].as_str() != Some(key.as_str()));
        }
    }
    merge.changes.splice(slot..slot, changes);
}

/// The fields of a part, without its parts, as one value of a field change.
fn part_value(part: &Record, cells: &[Cell], value: impl Fn(FieldKind, &Cell) -> Json) -> Json {
    let fields = part.fields.iter().zip(cells).skip(1).filter(|(field, cell)| !field.system && **cell != Cell::Null);
    Json::Object(fields.map(|(field, cell)| (field.name.to_owned(), value(field.kind, cell))).collect())
}

/// Reports references among the parts of a record to parts that the draft removes.
fn reject_dangling_references(
    merge: &mut MergeState<'_>,
    parts: &HashMap<RecordType, Vec<MergedPart>>,
    removed: &HashMap<Uuid, String>,
    draft: &Draft,
) {
    if removed.is_empty() {
        return;
    }
    for (ty, rows) in parts {
        let part = catalog().get(*ty);
        let key = part.known_field("key");
        for row in rows {
            for (field, cell) in part.fields.iter().zip(&row.cells) {
                if let (FieldKind::One(target), Cell::Id(id)) = (field.kind, cell)
                    && let Some(removed) = removed.get(id)
                {
                    let referrer = format!("{}[{}].{}", list_name(*ty), row.cells[key.index()].as_text().unwrap_or_default(), field.name);
                    let message = format!("\"{removed}\" is removed but {referrer} still refers to it; keep it, or change that too");
                    let origin = draft.origin.child(list_name(target), None);
                    merge.problems.push(InputProblem::new(origin, message).with_code(ProblemCode::InUse));
                }
            }
        }
    }
}
