//! Merges what is given into what is there, finds what changed, and writes just that.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use migration::duration::minutes;
use sea_orm::sea_query::{Alias, Expr, Func, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value as Bound};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Author, CHUNK, ResolvedDraft, Stamp, WriteAction, WriteSummary, WrittenRecord, bind, lives};
use crate::catalog::record::{CHECKED_AT, Field, FieldKind, LAST_CHANGED_AT, Record, RecordKind, catalog};
use crate::core::error::{Result, internal};
use crate::core::normalize::fold;
use crate::entity::RecordType;
use crate::store::curation::disputes::disagree;
use crate::store::curation::freshness::{Brought, Freshness, cited_by};
use crate::store::curation::visibility::Publication;
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, ProblemCode};
use crate::store::read::result::Cell;
use crate::store::search::index::Documents;
use crate::store::sql::bulk_insert::{Conflict, Into, Split, insert};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::resolve::Names;
use crate::store::{Store, database};

/// A record or part as it is in the database, with its parts.
#[derive(Debug, Clone)]
pub(crate) struct Existing {
    pub(crate) id: Uuid,
    pub(crate) cells: Vec<Cell>,
    pub(crate) parts: HashMap<RecordType, Vec<Existing>>,
}

/// A part as it will be.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) cells: Vec<Cell>,
}

/// A row to be written.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) cells: Vec<Cell>,
    published: bool,
}

/// What becomes of the records of one write.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
    /// Each record, with its place among all that was given.
    pub(crate) records: Vec<(usize, WrittenRecord)>,
}

impl Gathered {
    /// The outcome, with the records in the order in which they were given.
    pub(crate) fn finish(mut self) -> WriteSummary {
        self.records.sort_by_key(|(place, _)| *place);
        let records = self.records.into_iter().map(|(_, written)| written).collect();
        WriteSummary { created: self.created, updated: self.updated, unchanged: self.unchanged, records, touched: false }
    }
}

/// A change of a record, to be written into its history.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) record: Uuid,
    pub(crate) ty: RecordType,
    pub(crate) number: i64,
    pub(crate) kind: &'static str,
    pub(crate) changes: Vec<Json>,
    /// Whether readers may see it.
    pub(crate) published: bool,
}

/// Everything that one write changes, gathered before any of it is written.
#[derive(Debug)]
pub(crate) struct Work<'s> {
    store: &'s Store,
    stamp: Stamp,
    pub(crate) outcome: Gathered,
    nodes: Vec<(Uuid, &'static str)>,
    rows: BTreeMap<RecordType, Vec<Row>>,
    gone: BTreeMap<RecordType, Vec<Uuid>>,
    changes: Vec<Change>,
    /// Records that were published and are not any more: their history goes with them.
    hidden: Vec<Uuid>,
    /// Slugs that records had.
    former_slugs: Vec<(RecordType, String, Uuid)>,
    /// Types of records that records of any type are referred to by.
    types: HashMap<Uuid, RecordType>,
    documents: Documents,
    publication: Publication,
    freshness: Freshness,
    /// Sources whose claims readers do not see.
    draft_sources: HashSet<Uuid>,
}

/// A record or a part that a draft is merged into.
#[derive(Clone, Copy)]
pub(crate) struct Target<'t> {
    pub(crate) record: &'static Record,
    pub(crate) id: Uuid,
    /// For a part: the id of the record it belongs to, and whether that is published.
    pub(crate) owner: Option<(Uuid, bool)>,
    pub(crate) draft: &'t Draft,
    pub(crate) existing: Option<&'t Existing>,
    /// Where it stands inside the record, with a dot at its end; nothing for the record itself.
    pub(crate) path: &'t str,
}

/// What is being merged into one record.
pub(crate) struct Merge<'m> {
    pub(crate) names: &'m Names,
    pub(crate) problems: &'m mut Vec<InputProblem>,
    pub(crate) changes: Vec<Json>,
    /// Parts of the record by their keys.
    pub(crate) siblings: HashMap<(RecordType, String), Uuid>,
    /// Types of records that are referred to.
    pub(crate) types: &'m HashMap<Uuid, RecordType>,
    /// Sources that are cited in what was given, and whether the citation is new or another than before.
    pub(crate) cited: Vec<(Uuid, bool)>,
    /// Sources of citations that were not given and stay.
    pub(crate) kept: BTreeSet<Uuid>,
    pub(crate) changed: bool,
}

impl<'s> Work<'s> {
    /// `types` are those of records that what is given refers to.
    pub(crate) fn new(store: &'s Store, author: &Author, draft_sources: HashSet<Uuid>, types: HashMap<Uuid, RecordType>) -> Self {
        Self {
            store,
            stamp: Stamp { at: store.clock.now(), by: author.by.clone(), message: author.message.clone() },
            outcome: Gathered::default(),
            nodes: Vec::new(),
            rows: BTreeMap::new(),
            gone: BTreeMap::new(),
            changes: Vec::new(),
            hidden: Vec::new(),
            former_slugs: Vec::new(),
            types,
            documents: Documents::default(),
            publication: Publication::default(),
            freshness: Freshness::default(),
            draft_sources,
        }
    }

    /// Lets go of what was gathered; only the outcome stays.
    pub(crate) fn forget(&mut self) {
        let author = Author { by: std::mem::take(&mut self.stamp.by), message: self.stamp.message.take() };
        let sources = std::mem::take(&mut self.draft_sources);
        let outcome = std::mem::take(&mut self.outcome);
        let types = std::mem::take(&mut self.types);
        *self = Self { outcome, ..Self::new(self.store, &author, sources, types) };
    }

    /// Takes up records of one type.
    pub(crate) async fn add(
        &mut self,
        transaction: &DatabaseTransaction,
        record: &'static Record,
        records: &[ResolvedDraft<'_>],
        names: &Names,
        problems: &mut Vec<InputProblem>,
        progress: &(impl Fn(usize) + Send + Sync),
    ) -> Result<()> {
        for chunk in records.chunks(1_000) {
            let ids: Vec<Uuid> = chunk.iter().filter(|named| !named.is_new).map(|named| named.id).collect();
            let existing = load(transaction, record, "id", &ids).await?;
            self.types.extend(types(transaction, record, existing.iter().map(|(_, row)| row)).await?);
            let mut existing: HashMap<Uuid, Existing> = existing.into_iter().map(|(_, row)| (row.id, row)).collect();
            let mut changed = Vec::new();
            for named in chunk {
                changed.extend(self.take(record, named, existing.remove(&named.id), names, problems));
            }
            self.documents.add(transaction, record, &changed).await?;
            self.rows.entry(record.ty).or_default().extend(changed);
            progress(chunk.len());
        }
        Ok(())
    }

    /// Merges one record; gives its row if anything about it changes.
    fn take(
        &mut self,
        record: &'static Record,
        named: &ResolvedDraft<'_>,
        existing: Option<Existing>,
        names: &Names,
        problems: &mut Vec<InputProblem>,
    ) -> Option<Row> {
        let types = std::mem::take(&mut self.types);
        let mut merge = Merge {
            names,
            problems: &mut *problems,
            changes: Vec::new(),
            siblings: HashMap::new(),
            types: &types,
            cited: Vec::new(),
            kept: BTreeSet::new(),
            changed: false,
        };
        if let Some(existing) = &existing {
            for (part, rows) in &existing.parts {
                let key = catalog().get(*part).field_index("key");
                merge.siblings.extend(rows.iter().filter_map(|row| Some(((*part, row.cells[key?].as_text()?.to_owned()), row.id))));
            }
        }
        let with_slug = named.slug.clone().map(|slug| Draft { name: Some(slug), ..named.draft.clone() });
        let draft = with_slug.as_ref().unwrap_or(named.draft);
        let mut cells = self.merge(&mut merge, Target { record, id: named.id, owner: None, draft, existing: existing.as_ref(), path: "" });
        let Merge { changes, changed, cited, kept, .. } = merge;
        self.types = types;
        let brought = Brought { record, id: named.id, draft, cells: &cells, cited: &cited, kept: &kept };
        self.freshness.brought(brought);
        let index = |name| record.field_index(name).unwrap_or_default();
        let number = match &cells[index("revision")] {
            Cell::Integer(number) => *number,
            _ => names.latest.get(&named.id).copied().unwrap_or(draft.aim.latest),
        };
        if let Some(expected) = draft.aim.revision
            && expected != number
        {
            let message = format!(
                "this {} is at revision {number}, not {expected}: somebody has changed it meanwhile; read it again",
                record.singular()
            );
            problems.push(InputProblem::new(draft.origin.below(".expectedRevision", None), message).of(ProblemCode::Conflict(number)));
        }
        let mut done = |done| self.outcome.records.push((named.place, WrittenRecord { ty: record.ty, id: named.id, done }));
        if existing.is_some() && !changed {
            done(WriteAction::Unchanged);
            self.outcome.unchanged += 1;
            return None;
        }
        done(if existing.is_none() { WriteAction::Created } else { WriteAction::Updated });
        let published = cells[index("published")] == Cell::Boolean(true);
        let was_published = existing.as_ref().map(|existing| existing.cells[index("published")] == Cell::Boolean(true));
        if published || was_published == Some(true) {
            self.freshness.changed(brought, existing.as_ref().filter(|_| was_published == Some(true)));
        }
        let note = Change { record: named.id, ty: record.ty, number: number + 1, kind: "updated", changes, published };
        let number = self.note(note, record, &cells, was_published);
        cells[index("revision")] = Cell::Integer(number);
        cells[index("updatedAt")] = Cell::Instant(self.stamp.at);
        match &existing {
            None => {
                for name in ["createdAt", CHECKED_AT, LAST_CHANGED_AT] {
                    if let Some(field) = record.field_index(name) {
                        cells[field] = Cell::Instant(self.stamp.at);
                    }
                }
                self.nodes.push((named.id, record.ty.prefix()));
                self.outcome.created += 1;
            }
            Some(existing) => {
                let slug = index("slug");
                if let (Some(before), true) = (existing.cells[slug].as_text(), existing.cells[slug] != cells[slug]) {
                    self.former_slugs.push((record.ty, before.to_owned(), named.id));
                }
                self.outcome.updated += 1;
            }
        }
        if was_published.is_some_and(|was_published| was_published != published) {
            self.publication.flipped(record.ty, named.id, published);
        }
        Some(Row { id: named.id, cells, published })
    }

    /// Notes a change, and beside it that the record came to be seen by readers or ceased to be, which is a change of
    /// its own: what was changed before or meanwhile is not for them. Gives the number of the latest.
    fn note(&mut self, change: Change, record: &Record, cells: &[Cell], was_published: Option<bool>) -> i64 {
        let (id, ty, number, published) = (change.record, change.ty, change.number, change.published);
        let only_that = change.changes.iter().all(|change| change.get("field").and_then(Json::as_str) == Some("published"));
        let next = |changes| Change { record: id, ty, number: number + 1, kind: "", changes, published: true };
        match (was_published, published) {
            (None, _) => self.changes.push(Change { kind: "created", ..change }),
            (Some(false), true) => {
                let state = record.fields.iter().zip(cells).filter(|(field, cell)| !field.system && **cell != Cell::Null);
                let state = state.map(|(field, cell)| json!({"field": field.name, "old": null, "new": as_json(field.kind, cell, &self.types, &HashMap::new())}));
                let state: Vec<Json> = state.filter(|change| change.get("field").and_then(Json::as_str) != Some("published")).collect();
                let number = if only_that { number } else { number + 1 };
                if !only_that {
                    self.changes.push(Change { published: false, ..change });
                }
                self.changes.push(Change { number, kind: "published", ..next(state) });
                return number;
            }
            (Some(true), false) => {
                self.hidden.push(id);
                let number = if only_that { number } else { number + 1 };
                if !only_that {
                    self.changes.push(Change { published: false, ..change });
                }
                self.changes.push(Change { number, kind: "unpublished", ..next(Vec::new()) });
                return number;
            }
            _ => self.changes.push(change),
        }
        number
    }

    /// Merges one record or part with its parts; gives its cells as they will be.
    fn merge(&mut self, merge: &mut Merge<'_>, target: Target<'_>) -> Vec<Cell> {
        let Target { record, owner, draft, existing, .. } = target;
        let mut cells = existing.map_or_else(|| vec![Cell::Null; record.fields.len()], |existing| existing.cells.clone());
        let name = record.field_index(if lives(record) { "slug" } else { "key" });
        if let (Some(field), Some(name)) = (name, &draft.name) {
            cells[field] = Cell::Text(name.clone());
        }
        if let Some((owner, _)) = owner {
            cells[0] = Cell::Id(owner);
        }
        for field in &draft.cleared {
            cells[usize::from(*field)] = Cell::Null;
        }
        for (field, given, origin) in &draft.values {
            if let DraftValue::Key(ty, key) = given
                && !merge.siblings.contains_key(&(*ty, key.clone()))
            {
                let list = record_list(*ty);
                let message = format!("there is nothing with the key \"{key}\" in {list} of this record; correct the key or add it there");
                merge.problems.push(InputProblem::new(origin.clone(), message).of(ProblemCode::NotFound));
            }
            cells[*field] = merge.names.cell(given, &merge.siblings);
        }
        for (index, (field, cell)) in record.fields.iter().zip(&mut cells).enumerate() {
            if *cell != Cell::Null {
                continue;
            }
            // a reference that leads nowhere has been told already
            let is_given = draft.value(index).is_some_and(|given| !matches!(given, DraftValue::Cell(_)));
            match field.kind {
                FieldKind::List(_) => *cell = Cell::Json(json!([])),
                FieldKind::Boolean => *cell = Cell::Boolean(field.name == "published"),
                _ if field.required && !field.system && !is_given => {
                    let message = missing(field.name, record, draft, existing.is_none());
                    merge.problems.push(InputProblem::new(draft.origin.clone(), message).of(ProblemCode::Missing));
                }
                _ => {}
            }
        }
        let published = match (owner, record.field_index("published")) {
            (None, Some(field)) => cells[field] == Cell::Boolean(true),
            (Some((_, published)), _) => published,
            _ => true,
        };
        let was_published = existing.is_none_or(|existing| match record.field_index("published") {
            Some(field) => existing.cells[field] == cells[field],
            None => true,
        });
        let slot = merge.changes.len();
        let parts = self.merge_parts(merge, target, published, !was_published);
        if let Some(field) = record.field_index("disputed") {
            cells[field] = Cell::Boolean(is_disputed(record, &parts, &self.draft_sources));
        }
        if record.ty == RecordType::Citation
            && let Some(Cell::Id(source)) = record.field_index("source").map(|field| &cells[field])
        {
            merge.cited.push((*source, existing.is_none_or(|existing| existing.cells != cells)));
        }
        note_changes(merge, slot, &cells, target);
        cells
    }

    /// Merges the lists of parts of one record; gives the parts as they will be.
    /// `rewrite` writes all of them again because the record was published or taken back.
    fn merge_parts(
        &mut self,
        merge: &mut Merge<'_>,
        target: Target<'_>,
        published: bool,
        rewrite: bool,
    ) -> HashMap<RecordType, Vec<Merged>> {
        let Target { record, draft, existing, path, .. } = target;
        let owner = (target.id, published);
        let mut parts: HashMap<RecordType, Vec<Merged>> = HashMap::new();
        let mut removed = HashMap::new();
        for list in &record.parts {
            let part = catalog().get(list.part);
            let there = existing.and_then(|existing| existing.parts.get(&list.part)).map(Vec::as_slice).unwrap_or_default();
            let Some((_, given)) = draft.parts.iter().find(|(ty, _)| *ty == list.part) else {
                for row in there {
                    if rewrite {
                        self.rewrite(part, row, owner.1);
                    }
                    cited_by(part, row, &mut merge.kept);
                    parts.entry(list.part).or_default().push(Merged { cells: row.cells.clone() });
                }
                continue;
            };
            let key_field = part.field_index("key").unwrap_or_default();
            let mut left: HashMap<&str, &Existing> = there.iter().filter_map(|row| Some((row.cells[key_field].as_text()?, row))).collect();
            let mut taken = HashSet::new();
            for (index, given) in given.iter().enumerate() {
                let key = key_of(part, given, index, &mut taken, merge.problems);
                // a part that is given with its id is known by that where its key is another now
                let by_id = |left: &HashMap<&str, &Existing>| {
                    let id = given.aim.id?;
                    left.iter().find(|(_, row)| row.id == id).map(|(key, _)| (*key).to_owned())
                };
                let before = left.remove(key.as_str()).or_else(|| by_id(&left).and_then(|key| left.remove(key.as_str())));
                let id = before.map(|row| row.id).or(given.aim.id).unwrap_or_else(|| self.store.clock.new_uuid());
                merge.siblings.insert((list.part, key.clone()), id);
                let mut given = Draft { name: Some(key.clone()), ..given.clone() };
                if let Some(position) = part.field_index("position").filter(|position| given.value(*position).is_none()) {
                    let place = i64::try_from(index + 1).unwrap_or(i64::MAX);
                    given.values.push((position, DraftValue::Cell(Cell::Integer(place)), Origin::default()));
                }
                let path = format!("{path}{}[{key}].", list.name);
                let cells =
                    self.merge(merge, Target { record: part, id, owner: Some(owner), draft: &given, existing: before, path: &path });
                if before.is_none() && part.is_cited() {
                    self.nodes.push((id, part.ty.prefix()));
                }
                if rewrite || before.is_none_or(|before| before.cells != cells) {
                    self.rows.entry(list.part).or_default().push(Row { id, cells: cells.clone(), published: owner.1 });
                    merge.changed = true;
                }
                parts.entry(list.part).or_default().push(Merged { cells });
            }
            for row in left.into_values() {
                merge.changed = true;
                let key = row.cells[key_field].as_text().unwrap_or_default();
                merge
                    .changes
                    .push(json!({"field": format!("{path}{}[{key}]", list.name), "old": whole(part, row, merge.types), "new": null}));
                removed.insert(row.id, key.to_owned());
                self.remove(part, row);
            }
        }
        check_left_behind(merge, &parts, &removed, draft);
        parts
    }

    /// Writes a part and its parts again because its record was published or taken back.
    fn rewrite(&mut self, part: &'static Record, row: &Existing, published: bool) {
        self.rows.entry(part.ty).or_default().push(Row { id: row.id, cells: row.cells.clone(), published });
        for (ty, rows) in &row.parts {
            for row in rows {
                self.rewrite(catalog().get(*ty), row, published);
            }
        }
    }

    fn remove(&mut self, part: &'static Record, row: &Existing) {
        self.gone.entry(part.ty).or_default().push(row.id);
        for (ty, rows) in &row.parts {
            for row in rows {
                self.remove(catalog().get(*ty), row);
            }
        }
    }

    /// Writes everything that was gathered; gives whether anything was another than before.
    pub(crate) async fn write(mut self, transaction: &DatabaseTransaction) -> Result<bool> {
        let freshness = std::mem::take(&mut self.freshness);
        let (now, changes) = (self.stamp.at, !self.changes.is_empty());
        if changes {
            self.write_records(transaction).await?;
        }
        Ok(freshness.write(transaction, now).await? || changes)
    }

    async fn write_records(mut self, transaction: &DatabaseTransaction) -> Result<()> {
        let nodes = std::mem::take(&mut self.nodes);
        let nodes = nodes.into_iter().map(|(id, prefix)| vec![id.into(), prefix.into()]).collect();
        let into = Into { table: "nodes", columns: &["id", "record_type"], conflict: Conflict::Replaces, split: Split::Freely };
        insert(transaction, into, nodes).await?;
        let order = catalog().write_order();
        for ty in &order {
            let record = catalog().get(*ty);
            let Some(rows) = self.rows.remove(ty) else { continue };
            let mut columns = vec!["id"];
            columns.extend(record.fields.iter().map(|field| field.column));
            columns.extend(record.fields.iter().filter_map(Field::minutes_column));
            if lives(record) {
                columns.extend(["sort_key", "folded"]);
            } else {
                columns.push("published");
            }
            self.publication.written(record, rows.iter().filter(|row| row.published).map(|row| row.id));
            let into = Into { table: record.table, columns: &columns, conflict: Conflict::Replaces, split: Split::Freely };
            let bound = |rows: Vec<Row>| rows.iter().map(|row| bound(record, row)).collect();
            let (ordered, circle) = parents_first(record, rows);
            insert(transaction, into, bound(ordered)).await?;
            insert(transaction, Into { split: Split::Never, ..into }, bound(circle)).await?;
        }
        for ty in order.iter().rev() {
            let Some(ids) = self.gone.remove(ty) else { continue };
            for chunk in ids.chunks(CHUNK) {
                let delete = Query::delete()
                    .from_table(Alias::new(catalog().get(*ty).table))
                    .and_where(one_of_ids(transaction.get_database_backend(), "id", chunk)?)
                    .to_owned();
                transaction.execute(&delete).await.map_err(database)?;
            }
        }
        hide(transaction, &self.hidden).await?;
        note(self.store, transaction, &self.stamp, std::mem::take(&mut self.changes)).await?;
        former(transaction, std::mem::take(&mut self.former_slugs)).await?;
        self.documents.write(transaction).await?;
        self.publication.write(transaction, &self.draft_sources).await
    }
}

/// Takes the history of records from readers.
pub(crate) async fn hide(transaction: &DatabaseTransaction, records: &[Uuid]) -> Result<()> {
    for chunk in records.chunks(CHUNK) {
        let hide = Query::update()
            .table("revisions")
            .value("published", false)
            .and_where(one_of_ids(transaction.get_database_backend(), "record_id", chunk)?)
            .to_owned();
        transaction.execute(&hide).await.map_err(database)?;
    }
    Ok(())
}

/// Writes changes into the history, in the order in which they are seen from when the transaction commits.
pub(crate) async fn note(store: &Store, transaction: &DatabaseTransaction, stamp: &Stamp, changes: Vec<Change>) -> Result<()> {
    let latest = Query::select().expr(Func::max(Expr::col("sequence"))).from("revisions").to_owned();
    let latest = transaction.query_one(&latest).await.map_err(database)?;
    let latest: Option<i32> = latest.map_or(Ok(None), |row| row.try_get_by_index(0)).map_err(internal)?;
    let latest = latest.unwrap_or(0);
    let rows = changes
        .into_iter()
        .zip(latest + 1..)
        .map(|(change, sequence)| {
            vec![
                store.clock.new_uuid().into(),
                change.record.into(),
                i32::try_from(change.number).unwrap_or(i32::MAX).into(),
                stamp.at.into(),
                stamp.by.as_str().into(),
                stamp.message.clone().into(),
                Json::from(change.changes).into(),
                change.published.into(),
                change.kind.into(),
                change.ty.prefix().into(),
                sequence.into(),
            ]
        })
        .collect();
    const COLUMNS: [&str; 11] =
        ["id", "record_id", "number", "at", "by", "message", "changes", "published", "kind", "record_type", "sequence"];
    let into = Into { table: "revisions", columns: &COLUMNS, conflict: Conflict::Fails, split: Split::Freely };
    insert(transaction, into, rows).await
}

/// Keeps slugs that records had, so that they still lead to them.
pub(crate) async fn former(transaction: &DatabaseTransaction, slugs: Vec<(RecordType, String, Uuid)>) -> Result<()> {
    for (ty, slug, id) in slugs {
        let mut insert = Query::insert();
        insert.into_table("former_slugs").columns(["record_type", "slug", "record_id"].map(Alias::new));
        insert.values([Expr::val(ty.prefix()), Expr::val(slug), Expr::val(id)]).map_err(internal)?;
        insert.on_conflict(OnConflict::columns(["record_type", "slug"].map(Alias::new)).update_column(Alias::new("record_id")).to_owned());
        transaction.execute(&insert).await.map_err(database)?;
    }
    Ok(())
}

/// Types of the records that these refer to by references to records of any type.
pub(crate) async fn types<'e>(
    transaction: &DatabaseTransaction,
    record: &Record,
    rows: impl Iterator<Item = &'e Existing>,
) -> Result<HashMap<Uuid, RecordType>> {
    fn gather(record: &Record, row: &Existing, ids: &mut HashSet<Uuid>) {
        for (field, cell) in record.fields.iter().zip(&row.cells).skip(usize::from(!lives(record))) {
            if let (FieldKind::Any, Cell::Id(id)) = (field.kind, cell) {
                ids.insert(*id);
            }
        }
        for (part, rows) in &row.parts {
            rows.iter().for_each(|row| gather(catalog().get(*part), row, ids));
        }
    }
    let mut ids = HashSet::new();
    rows.for_each(|row| gather(record, row, &mut ids));
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut types = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let select = Query::select()
            .columns(["id", "record_type"])
            .from("nodes")
            .and_where(one_of_ids(transaction.get_database_backend(), "id", chunk)?)
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let prefix: String = row.try_get_by_index(1).map_err(internal)?;
            let id = row.try_get_by_index(0).map_err(internal)?;
            types.extend(RecordType::from_prefix(&prefix).map(|ty| (id, ty)));
        }
    }
    Ok(types)
}

pub(crate) fn bound(record: &Record, row: &Row) -> Vec<Bound> {
    let mut values = vec![row.id.into()];
    let cells = || record.fields.iter().zip(&row.cells);
    values.extend(cells().map(|(field, cell)| bind(field.kind, cell)));
    let lengths = cells().filter(|(field, _)| field.minutes_column().is_some());
    values.extend(lengths.map(|(_, cell)| Bound::from(cell.as_text().and_then(minutes))));
    if lives(record) {
        values.extend([sort_key(record, &row.cells).into(), folded_names(record, &row.cells).into()]);
    } else {
        values.push(row.published.into());
    }
    values
}

/// Rows in an order in which each comes after the row of the same type that it refers to, and those that have no such
/// order because they refer to each other in a circle.
pub(crate) fn parents_first(record: &Record, mut rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let Some(parent) = record.fields.iter().position(|field| matches!(field.kind, FieldKind::One(target) if target == record.ty)) else {
        return (rows, Vec::new());
    };
    let mut waiting: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut ordered = Vec::with_capacity(rows.len());
    while !rows.is_empty() {
        let (ready, rest): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|row| !matches!(&row.cells[parent], Cell::Id(id) if waiting.contains(id) && *id != row.id));
        let stuck = ready.is_empty();
        for row in &ready {
            waiting.remove(&row.id);
        }
        ordered.extend(ready);
        rows = rest;
        if stuck {
            break;
        }
    }
    (ordered, rows)
}

/// Texts of the record's label, the record's own language first.
pub(crate) fn label_texts<'c>(record: &Record, cells: &'c [Cell]) -> Vec<&'c str> {
    let Some(field) = record.fields.iter().position(|field| field.is_label) else { return Vec::new() };
    cells[field].texts()
}

/// What lists sort the record by: the beginning of its name, folded.
pub(crate) fn sort_key(record: &Record, cells: &[Cell]) -> String {
    let own = record.field_index("sortName").and_then(|field| cells[field].as_text());
    let name = own.or_else(|| label_texts(record, cells).first().copied()).unwrap_or_default();
    let mut key = fold(name);
    key.truncate(200);
    key
}

/// Names in all languages and spellings, one line each, for the filter on the label.
pub(crate) fn folded_names(record: &Record, cells: &[Cell]) -> String {
    let mut names: Vec<String> = label_texts(record, cells).into_iter().map(fold).collect();
    if let Some(field) = record.field_index("otherNames") {
        names.extend(cells[field].texts().into_iter().map(fold));
    }
    format!("\n{}\n", names.join("\n"))
}

pub(crate) fn is_disputed(record: &Record, parts: &HashMap<RecordType, Vec<Merged>>, draft_sources: &HashSet<Uuid>) -> bool {
    let citations = parts.get(&RecordType::Citation).into_iter().flatten().map(|citation| citation.cells.as_slice());
    disagree(record, citations, draft_sources)
        || parts.iter().any(|(ty, parts)| {
            let disputed = catalog().get(*ty).field_index("disputed");
            disputed.is_some_and(|field| parts.iter().any(|part| part.cells[field] == Cell::Boolean(true)))
        })
}

/// Notes what is different from what was there, before the changes of its parts.
pub(crate) fn note_changes(merge: &mut Merge<'_>, slot: usize, cells: &[Cell], target: Target<'_>) {
    let Target { record, existing, path, .. } = target;
    let keys = merge.siblings.iter().map(|((_, key), id)| (*id, key.as_str())).collect();
    let value = |kind, cell: &Cell| as_json(kind, cell, merge.types, &keys);
    let mut changes = Vec::new();
    match existing {
        None if path.is_empty() => {
            for (field, cell) in record.fields.iter().zip(cells).filter(|(field, cell)| !field.system && **cell != Cell::Null) {
                changes.push(json!({"field": field.name, "old": null, "new": value(field.kind, cell)}));
            }
            merge.changed = true;
        }
        None => changes.push(json!({"field": path.trim_end_matches('.'), "old": null, "new": told(record, cells, value)})),
        // links are noted whole: what they lead to says who may read of them
        Some(existing) if record.shape == (RecordKind::Part { cited: false }) => {
            let (old, new) = (told(record, &existing.cells, value), told(record, cells, value));
            merge.changed |= existing.cells != cells;
            if old != new {
                changes.push(json!({"field": path.trim_end_matches('.'), "old": old, "new": new}));
            }
        }
        Some(existing) => {
            for ((field, old), new) in record.fields.iter().zip(&existing.cells).zip(cells) {
                if old != new {
                    merge.changed = true;
                    if field.name != "disputed" {
                        changes.push(json!({
                            "field": format!("{path}{}", field.name),
                            "old": value(field.kind, old),
                            "new": value(field.kind, new),
                        }));
                    }
                }
            }
        }
    }
    merge.changes.splice(slot..slot, changes);
}

/// What a part says by itself, as one value of a change.
pub(crate) fn told(part: &Record, cells: &[Cell], value: impl Fn(FieldKind, &Cell) -> Json) -> Json {
    let fields = part.fields.iter().zip(cells).skip(1).filter(|(field, cell)| !field.system && **cell != Cell::Null);
    Json::Object(fields.map(|(field, cell)| (field.name.to_owned(), value(field.kind, cell))).collect())
}

/// A part with its parts, as one value of a change.
pub(crate) fn whole(part: &Record, row: &Existing, types: &HashMap<Uuid, RecordType>) -> Json {
    crate::store::history::state::of(part, row, types, &HashMap::new())
}

/// A value as a change has it, and as it could be given again.
pub(crate) fn as_json(kind: FieldKind, cell: &Cell, types: &HashMap<Uuid, RecordType>, keys: &HashMap<Uuid, &str>) -> Json {
    match (cell, kind) {
        (Cell::Null, _) => Json::Null,
        (Cell::Text(text), _) => json!(text),
        (Cell::Integer(number), _) => json!(number),
        (Cell::Number(number), _) => json!(number),
        (Cell::Boolean(boolean), _) => json!(boolean),
        (Cell::Id(id), FieldKind::One(target)) => match keys.get(id) {
            Some(key) => json!(key),
            None => json!(crate::core::id::encode(target.prefix(), *id)),
        },
        (Cell::Id(id), _) => match types.get(id) {
            Some(ty) => json!({catalog().get(*ty).singular(): crate::core::id::encode(ty.prefix(), *id)}),
            None => json!(id),
        },
        (Cell::Instant(instant), _) => json!(instant.to_rfc3339()),
        (Cell::Json(json), _) => json.clone(),
    }
}

/// Name of the list that parts of a type stand in.
pub(crate) fn record_list(part: RecordType) -> &'static str {
    let owner = catalog().get(part).owner().and_then(|owner| owner.inverse);
    owner.map_or("the parts", |inverse| inverse.name)
}

pub(crate) fn missing(field: &str, record: &Record, draft: &Draft, is_new: bool) -> String {
    let this = record.singular();
    match &draft.name {
        Some(slug) if is_new && lives(record) => {
            format!("{field} is missing; every {this} has one, and \"{slug}\" is a new one: there is no {this} with that slug yet")
        }
        _ => format!("{field} is missing; every {this} has one"),
    }
}

/// References among the parts of a record to parts that are taken out of it.
pub(crate) fn check_left_behind(
    merge: &mut Merge<'_>,
    parts: &HashMap<RecordType, Vec<Merged>>,
    removed: &HashMap<Uuid, String>,
    draft: &Draft,
) {
    if removed.is_empty() {
        return;
    }
    for (ty, rows) in parts {
        let part = catalog().get(*ty);
        let key = part.field_index("key").unwrap_or_default();
        for row in rows {
            for (field, cell) in part.fields.iter().zip(&row.cells) {
                if let (FieldKind::One(target), Cell::Id(id)) = (field.kind, cell)
                    && let Some(gone) = removed.get(id)
                {
                    let place = format!("{}[{}].{}", record_list(*ty), row.cells[key].as_text().unwrap_or_default(), field.name);
                    let origin = draft.origin.below(format_args!(".{}", record_list(target)), None);
                    let message = format!("\"{gone}\" is taken out and {place} still refers to it; keep it, or change that too");
                    merge.problems.push(InputProblem::new(origin, message).of(ProblemCode::InUse));
                }
            }
        }
    }
}

/// The key of a part: the one given, or one made from what identifies it, or its place.
pub(crate) fn key_of(part: &Record, draft: &Draft, index: usize, taken: &mut HashSet<String>, problems: &mut Vec<InputProblem>) -> String {
    if let Some(key) = &draft.name {
        if !taken.insert(key.clone()) {
            let message = format!("\"{key}\" is given twice in this list; give each part a key of its own");
            problems.push(InputProblem::new(draft.origin.below(".key", None), message).of(ProblemCode::Taken));
        }
        return key.clone();
    }
    let made: Vec<String> = part
        .key_from
        .iter()
        .filter_map(|name| match draft.value(part.field_index(name)?)? {
            DraftValue::Cell(cell) => cell.to_claim(),
            DraftValue::Slug(ty, slug) if part.key_from.len() == 1 && part.fields[part.field_index(name)?].column == "record_id" => {
                Some(format!("{}/{slug}", ty.prefix()))
            }
            DraftValue::Id(ty, id) => Some(crate::core::id::encode(ty.prefix(), *id)),
            DraftValue::Slug(_, name) | DraftValue::Key(_, name) => Some(name.clone()),
        })
        .collect();
    let base = if made.is_empty() { (index + 1).to_string() } else { made.join(":") };
    let mut key = base.clone();
    let mut count = 1;
    while !taken.insert(key.clone()) {
        count += 1;
        key = format!("{base}#{count}");
    }
    key
}

/// Rows of a type whose `column` holds one of these ids, with the id there and with their parts.
pub(crate) fn load<'a>(
    transaction: &'a DatabaseTransaction,
    record: &'static Record,
    column: &'static str,
    ids: &'a [Uuid],
) -> futures_util::future::BoxFuture<'a, Result<Vec<(Uuid, Existing)>>> {
    Box::pin(async move {
        let mut found = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let mut select = Query::select();
            select.column("id").column(Alias::new(column)).from(Alias::new(record.table));
            select.columns(record.fields.iter().map(|field| Alias::new(field.column)));
            select.and_where(one_of_ids(transaction.get_database_backend(), column, chunk)?);
            for row in transaction.query_all(&select).await.map_err(database)? {
                let cells = record
                    .fields
                    .iter()
                    .enumerate()
                    .map(|(index, field)| Cell::read(&row, index + 2, field.kind))
                    .collect::<Result<_, _>>()
                    .map_err(internal)?;
                let id = row.try_get_by_index(0).map_err(internal)?;
                found.push((row.try_get_by_index(1).map_err(internal)?, Existing { id, cells, parts: HashMap::new() }));
            }
        }
        if found.is_empty() {
            return Ok(found);
        }
        let owners: Vec<Uuid> = found.iter().map(|(_, row)| row.id).collect();
        for list in &record.parts {
            let part = catalog().get(list.part);
            let mut by_owner: HashMap<Uuid, Vec<Existing>> = HashMap::new();
            for (owner, row) in load(transaction, part, part.fields[0].column, &owners).await? {
                by_owner.entry(owner).or_default().push(row);
            }
            for (_, row) in &mut found {
                if let Some(parts) = by_owner.remove(&row.id) {
                    row.parts.insert(list.part, parts);
                }
            }
        }
        Ok(found)
    })
}
