//! Which record each draft is of: by its id, by its slug, by an identifier, or a new one.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::record::{Record, catalog};
use crate::core::error::{Result, internal};
use crate::core::normalize::fold;
use crate::entity::RecordType;
use crate::store::curation::withhold::{by_digest, identifier_digest, slug_digest, withheld};
use crate::store::draft::{Draft, DraftValue, InputProblem, Origin, ProblemCode, WriteMode};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::{one_of, one_of_ids};
use crate::store::write::apply::Gathered;
use crate::store::write::validate::identifier_of;
use crate::store::write::{CHUNK, Drafts, ResolvedDraft, WriteAction, WrittenRecord};
use crate::store::{Store, database};

/// Bytes that a slug made from a name has at most.
const MADE_SLUG: usize = 80;

/// Ids by what records are called, in what was given and in the database.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) slugs: HashMap<(RecordType, String), Uuid>,
    /// Ids that were named and are there, and those that they became by a merge.
    pub(crate) ids: HashMap<Uuid, Uuid>,
    /// Records that were merged into others or withheld: what is given of them again is left out.
    gone: HashSet<(RecordType, String)>,
    /// Records that a draft was found for.
    placed: HashSet<Uuid>,
    /// People who are withheld.
    withheld: HashSet<Uuid>,
    /// People who are withheld, by identifiers that they had.
    withheld_identifiers: HashMap<(String, String), Uuid>,
    /// Places of drafts that are left out, and what they stand for.
    skipped: Vec<(usize, WrittenRecord)>,
    /// Types of records that are referred to.
    pub(crate) types: HashMap<Uuid, RecordType>,
    /// Numbers of the latest changes of records that are made again.
    pub(crate) latest: HashMap<Uuid, i64>,
}

impl Names {
    /// Finds out which record each draft is of, in the order in which they are to be written.
    pub(crate) async fn resolve<'d>(
        &mut self,
        store: &Store,
        transaction: &DatabaseTransaction,
        drafts: &'d Drafts,
        problems: &mut Vec<InputProblem>,
    ) -> Result<Vec<(RecordType, Vec<ResolvedDraft<'d>>)>> {
        let wanted = Wanted::of(drafts, problems);
        for (ty, slugs) in &wanted.slugs {
            self.find(transaction, catalog().get(*ty), slugs).await?;
        }
        for (ty, ids) in &wanted.ids {
            self.find_ids(transaction, catalog().get(*ty), ids).await?;
        }
        self.find_latest(transaction, drafts).await?;
        let identified = by_identifier(transaction, drafts).await?;
        if drafts.iter().any(|(ty, drafts)| *ty == RecordType::Person && !drafts.is_empty()) {
            self.withheld = withheld(transaction).await?;
            self.find_withheld_identifiers(transaction, drafts).await?;
        }
        let lengths = drafts.iter().map(|(_, drafts)| drafts.len());
        let begins: Vec<usize> = lengths.scan(0, |sum, length| Some(std::mem::replace(sum, *sum + length))).collect();
        let mut named = Vec::new();
        for ty in catalog().write_order() {
            let mut records: Vec<ResolvedDraft> = Vec::new();
            for ((_, drafts), begin) in drafts.iter().zip(&begins).filter(|((of, _), _)| *of == ty) {
                for (place, draft) in drafts.iter().enumerate() {
                    records.extend(self.place(store, ty, draft, begin + place, &identified, problems));
                }
            }
            if !records.is_empty() {
                self.make_slugs(transaction, catalog().get(ty), &mut records).await?;
                named.push((ty, records));
            }
        }
        let by_id = wanted.ids.iter().flat_map(|(ty, ids)| ids.iter().map(move |id| (*id, *ty)));
        self.types = self.slugs.iter().map(|((ty, _), id)| (*id, *ty)).chain(by_id).collect();
        Ok(named)
    }

    /// The record of one draft, unless it is left out or something is wrong with it.
    fn place<'d>(
        &mut self,
        store: &Store,
        ty: RecordType,
        draft: &'d Draft,
        place: usize,
        identified: &HashMap<(RecordType, (String, String)), Uuid>,
        problems: &mut Vec<InputProblem>,
    ) -> Option<ResolvedDraft<'d>> {
        let this = catalog().get(ty).singular();
        if ty == RecordType::Person
            && let Some(id) = identifiers(draft).find_map(|(pair, _)| self.withheld_identifiers.get(&pair).copied())
        {
            return self.leave_out_withheld(ty, id, draft, place, problems);
        }
        let known = if let Some(id) = draft.aim.id {
            let found = self.ids.get(&id).copied();
            if let (WriteMode::Exact, Some(slug)) = (draft.aim.mode, &draft.name)
                && let Some(by_slug) = self.slugs.get(&(ty, slug.clone())).copied().filter(|id| self.withheld.contains(id))
            {
                return self.leave_out_withheld(ty, by_slug, draft, place, problems);
            }
            if let (WriteMode::Exact, Some(into)) = (draft.aim.mode, found.filter(|found| *found != id)) {
                // it was merged into another here
                return self.leave_out(ty, into, draft, place);
            }
            // a record that was deleted is made again under its id
            if found.is_none() && !matches!(draft.aim.mode, WriteMode::Create | WriteMode::Exact) {
                let message = format!("there is no {this} with the id {}", crate::core::id::encode(ty.prefix(), id));
                problems.push(InputProblem::new(draft.origin.below(".id", None), message).of(ProblemCode::NotFound));
                return None;
            }
            found
        } else if let Some(slug) = &draft.name {
            let found = self.slugs.get(&(ty, slug.clone())).copied();
            if let Some(id) = found
                && draft.aim.mode == WriteMode::Upsert
                && self.gone.contains(&(ty, slug.clone()))
            {
                return self.leave_out(ty, id, draft, place);
            }
            found
        } else {
            let mut found: Vec<Uuid> = identifiers(draft).filter_map(|(pair, _)| identified.get(&(ty, pair)).copied()).collect();
            found.sort_unstable();
            found.dedup();
            if let [_, _, ..] = found.as_slice() {
                let message = format!("its identifiers are those of {} different records; say by id or slug which one it is", found.len());
                problems.push(InputProblem::new(draft.origin.clone(), message).of(ProblemCode::Taken));
                return None;
            }
            found.pop()
        };
        if let Some(id) = known.filter(|id| self.withheld.contains(id)) {
            return self.leave_out_withheld(ty, id, draft, place, problems);
        }
        match (draft.aim.mode, known) {
            (WriteMode::Create, Some(_)) => {
                let slug = draft.name.as_deref().unwrap_or_default();
                let message = format!("there is a {this} \"{slug}\" already; update it, or give the new one another slug");
                problems.push(InputProblem::new(draft.origin.below(".slug", None), message).of(ProblemCode::Taken));
                return None;
            }
            (WriteMode::Update, None) => {
                let message = format!("there is no such {this}; name it by its id");
                problems.push(InputProblem::new(draft.origin.clone(), message).of(ProblemCode::NotFound));
                return None;
            }
            (WriteMode::Upsert, None) if draft.name.is_none() && identifiers(draft).next().is_none() => {
                let message = "slug is missing; give a short name such as alnur-ilyashev, unique among records of this type";
                problems.push(InputProblem::new(draft.origin.clone(), message).of(ProblemCode::Missing));
                return None;
            }
            _ => {}
        }
        let id = known.or(draft.aim.id).unwrap_or_else(|| store.clock.new_uuid());
        if !self.placed.insert(id) {
            // two names of one record, as after a merge: the first counts
            return self.leave_out(ty, id, draft, place);
        }
        if let Some(slug) = &draft.name {
            self.slugs.insert((ty, slug.clone()), id);
        }
        self.ids.insert(id, id);
        Some(ResolvedDraft { id, is_new: known.is_none(), draft, slug: None, place })
    }

    /// Leaves a draft out, which stands for this record; what refers to it by its slug refers to the record.
    fn leave_out<'d>(&mut self, ty: RecordType, id: Uuid, draft: &Draft, place: usize) -> Option<ResolvedDraft<'d>> {
        self.skipped.push((place, WrittenRecord { ty, id, done: WriteAction::Unchanged }));
        if let Some(slug) = &draft.name {
            self.slugs.entry((ty, slug.clone())).or_insert(id);
        }
        None
    }

    /// Leaves out what is given of a person who is withheld; who means just this person is told.
    fn leave_out_withheld<'d>(
        &mut self,
        ty: RecordType,
        id: Uuid,
        draft: &Draft,
        place: usize,
        problems: &mut Vec<InputProblem>,
    ) -> Option<ResolvedDraft<'d>> {
        if matches!(draft.aim.mode, WriteMode::Upsert | WriteMode::Exact) {
            if let (WriteMode::Exact, Some(own)) = (draft.aim.mode, draft.aim.id) {
                self.ids.insert(own, id);
            }
            return self.leave_out(ty, id, draft, place);
        }
        let message = "this person is withheld: nothing can be written about them, only about what they are linked to";
        problems.push(InputProblem::new(draft.origin.below(".id", None), message).of(ProblemCode::Withheld));
        None
    }

    /// Records that are left out because they were merged or withheld.
    pub(crate) fn skipped(&self) -> Gathered {
        Gathered { unchanged: self.skipped.len(), records: self.skipped.clone(), ..Gathered::default() }
    }

    /// Finds records by their slugs, also by those that they had before.
    async fn find(&mut self, transaction: &DatabaseTransaction, record: &Record, slugs: &HashSet<&str>) -> Result<()> {
        let mut slugs: Vec<&str> = slugs.iter().copied().collect();
        slugs.sort_unstable();
        for chunk in slugs.chunks(CHUNK) {
            let select = Query::select()
                .columns(["id", "slug"])
                .from(Alias::new(record.table))
                .and_where(one_of(transaction.get_database_backend(), "slug", chunk)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let slug: String = row.try_get_by_index(1).map_err(internal)?;
                self.slugs.insert((record.ty, slug), row.try_get_by_index(0).map_err(internal)?);
            }
        }
        slugs.retain(|slug| !self.slugs.contains_key(&(record.ty, (*slug).to_owned())));
        for chunk in slugs.chunks(CHUNK) {
            let select = Query::select()
                .columns(["record_id", "slug"])
                .from("former_slugs")
                .and_where(Expr::col("record_type").eq(record.ty.prefix()))
                .and_where(one_of(transaction.get_database_backend(), "slug", chunk)?)
                .and_where(Expr::col("record_id").in_subquery(there(record)))
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let slug: String = row.try_get_by_index(1).map_err(internal)?;
                self.gone.insert((record.ty, slug.clone()));
                self.slugs.insert((record.ty, slug), row.try_get_by_index(0).map_err(internal)?);
            }
        }
        if record.ty == RecordType::Person {
            self.find_withheld(transaction, &slugs).await?;
        }
        Ok(())
    }

    /// Finds people whose slugs were withheld.
    async fn find_withheld(&mut self, transaction: &DatabaseTransaction, slugs: &[&str]) -> Result<()> {
        let digests = slugs.iter().map(|slug| (slug_digest(slug), *slug)).collect();
        for (slug, id) in by_digest(transaction, &digests).await? {
            self.gone.insert((RecordType::Person, slug.to_owned()));
            self.slugs.insert((RecordType::Person, slug.to_owned()), id);
        }
        Ok(())
    }

    /// Finds people whose identifiers were withheld, also those that are called by another slug now.
    async fn find_withheld_identifiers(&mut self, transaction: &DatabaseTransaction, drafts: &Drafts) -> Result<()> {
        if self.withheld.is_empty() {
            return Ok(());
        }
        let people = drafts.iter().filter(|(ty, _)| *ty == RecordType::Person).flat_map(|(_, drafts)| drafts);
        let pairs = people.flat_map(identifiers).map(|(pair, _)| pair);
        let digests = pairs.map(|(scheme, value)| (identifier_digest(&scheme, &value), (scheme, value))).collect();
        self.withheld_identifiers = by_digest(transaction, &digests).await?.into_iter().collect();
        Ok(())
    }

    /// Finds records by their ids, also by those of records that were merged into them.
    async fn find_ids(&mut self, transaction: &DatabaseTransaction, record: &Record, ids: &HashSet<Uuid>) -> Result<()> {
        let mut ids: Vec<Uuid> = ids.iter().copied().collect();
        ids.sort_unstable();
        for chunk in ids.chunks(CHUNK) {
            let select = Query::select()
                .column("id")
                .from(Alias::new(record.table))
                .and_where(one_of_ids(transaction.get_database_backend(), "id", chunk)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                self.ids.insert(id, id);
            }
        }
        ids.retain(|id| !self.ids.contains_key(id));
        for chunk in ids.chunks(CHUNK) {
            let select = Query::select()
                .columns(["id", "merged_into"])
                .from("nodes")
                .and_where(Expr::col("record_type").eq(record.ty.prefix()))
                .and_where(Expr::col("merged_into").in_subquery(there(record)))
                .and_where(one_of_ids(transaction.get_database_backend(), "id", chunk)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.ids.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            }
        }
        Ok(())
    }

    /// Finds where the histories of records end that are made again under their ids.
    async fn find_latest(&mut self, transaction: &DatabaseTransaction, drafts: &Drafts) -> Result<()> {
        let exact = drafts.iter().flat_map(|(_, drafts)| drafts).filter(|draft| draft.aim.mode == WriteMode::Exact);
        let new: Vec<Uuid> = exact.filter_map(|draft| draft.aim.id).filter(|id| !self.ids.contains_key(id)).collect();
        for chunk in new.chunks(CHUNK) {
            let select = Query::select()
                .column("record_id")
                .expr(Func::max(Expr::col("number")))
                .from("revisions")
                .and_where(one_of_ids(transaction.get_database_backend(), "record_id", chunk)?)
                .group_by_col("record_id")
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let number: i32 = row.try_get_by_index(1).map_err(internal)?;
                self.latest.insert(row.try_get_by_index(0).map_err(internal)?, number.into());
            }
        }
        Ok(())
    }

    /// Gives slugs to new records that have none: their names, with a number where that is taken.
    async fn make_slugs(&mut self, transaction: &DatabaseTransaction, record: &Record, records: &mut [ResolvedDraft<'_>]) -> Result<()> {
        let mut waiting: Vec<(usize, String, usize)> = records
            .iter()
            .enumerate()
            .filter(|(_, named)| named.is_new && named.draft.name.is_none())
            .map(|(place, named)| (place, made_slug(record, named.draft), 1))
            .collect();
        while !waiting.is_empty() {
            let candidate = |(_, base, count): &(usize, String, usize)| match count {
                1 => base.clone(),
                count => format!("{base}-{count}"),
            };
            let candidates: Vec<String> = waiting.iter().map(candidate).collect();
            let unknown: HashSet<&str> = candidates.iter().map(String::as_str).collect();
            self.find(transaction, record, &unknown).await?;
            let mut left = Vec::new();
            for ((place, base, count), slug) in waiting.into_iter().zip(candidates) {
                let key = (record.ty, slug.clone());
                match self.slugs.entry(key) {
                    Entry::Occupied(_) => left.push((place, base, count + 1)),
                    Entry::Vacant(entry) => {
                        entry.insert(records[place].id);
                        records[place].slug = Some(slug);
                    }
                }
            }
            waiting = left;
        }
        Ok(())
    }

    /// The cell that a given value becomes; a reference to a part is found among the parts of the same record.
    pub(crate) fn cell(&self, given: &DraftValue, parts: &HashMap<(RecordType, String), Uuid>) -> Cell {
        match given {
            DraftValue::Cell(cell) => cell.clone(),
            DraftValue::Slug(ty, slug) => self.slugs.get(&(*ty, slug.clone())).copied().map_or(Cell::Null, Cell::Id),
            DraftValue::Id(_, id) => self.ids.get(id).copied().map_or(Cell::Null, Cell::Id),
            DraftValue::Key(ty, key) => parts.get(&(*ty, key.clone())).copied().map_or(Cell::Null, Cell::Id),
        }
    }
}

/// Ids of the records of a type that are there: what was deleted leaves its names behind.
fn there(record: &Record) -> SelectStatement {
    Query::select().column("id").from(Alias::new(record.table)).to_owned()
}

/// A slug from the name of a record.
fn made_slug(record: &Record, draft: &Draft) -> String {
    let label = record.fields.iter().position(|field| field.is_label).and_then(|field| draft.value(field));
    let name = match label {
        Some(DraftValue::Cell(cell)) => cell.texts().first().map(|text| fold(text)).unwrap_or_default(),
        _ => String::new(),
    };
    let mut slug = name.replace(' ', "-");
    slug.truncate(MADE_SLUG);
    let slug = slug.trim_matches('-');
    if slug.is_empty() { record.ty.prefix().replace('_', "-") } else { slug.to_owned() }
}

/// Identifiers of a draft, each with where it stands.
pub(crate) fn identifiers(draft: &Draft) -> impl Iterator<Item = ((String, String), &Origin)> {
    let lists = draft.parts.iter().filter(|(part, _)| *part == RecordType::Identifier);
    lists.flat_map(|(_, parts)| parts).map(|part| (identifier_of(part), &part.origin))
}

/// Records that have the identifiers of drafts which have no other name.
async fn by_identifier(transaction: &DatabaseTransaction, drafts: &Drafts) -> Result<HashMap<(RecordType, (String, String)), Uuid>> {
    let nameless = drafts.iter().flat_map(|(_, drafts)| drafts).filter(|draft| draft.name.is_none() && draft.aim.id.is_none());
    let pairs: HashSet<(String, String)> = nameless.flat_map(identifiers).map(|(pair, _)| pair).collect();
    let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
    let mut found = HashMap::new();
    for chunk in values.chunks(CHUNK) {
        let select = Query::select()
            .columns([("identifiers", "scheme"), ("identifiers", "value"), ("nodes", "record_type")])
            .column(("nodes", "id"))
            .from("identifiers")
            .inner_join("nodes", Expr::col(("nodes", "id")).equals(("identifiers", "record_id")))
            .and_where(Expr::col(("identifiers", "value")).is_in(chunk.iter().copied()))
            .to_owned();
        for row in transaction.query_all(&select).await.map_err(database)? {
            let pair = (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
            let prefix: String = row.try_get_by_index(2).map_err(internal)?;
            let Some(ty) = RecordType::from_prefix(&prefix).filter(|_| pairs.contains(&pair)) else { continue };
            found.insert((ty, pair), row.try_get_by_index(3).map_err(internal)?);
        }
    }
    Ok(found)
}

/// Everything that drafts name, by type.
#[derive(Default)]
struct Wanted<'d> {
    slugs: HashMap<RecordType, HashSet<&'d str>>,
    ids: HashMap<RecordType, HashSet<Uuid>>,
}

impl<'d> Wanted<'d> {
    /// What these drafts name; a slug or an id given twice is a problem.
    fn of(drafts: &'d Drafts, problems: &mut Vec<InputProblem>) -> Self {
        let mut wanted = Self::default();
        let mut given: HashMap<(RecordType, String), &Origin> = HashMap::new();
        for (ty, drafts) in drafts {
            for draft in drafts {
                let name = draft.aim.id.map(|id| crate::core::id::encode(ty.prefix(), id)).or_else(|| draft.name.clone());
                if let Some(name) = name
                    && let Some(first) = given.insert((*ty, name.clone()), &draft.origin)
                {
                    let place = first.file.as_deref().map_or(first.path.clone(), |file| format!("{file}:{}", first.line.unwrap_or(0)));
                    let message = format!("\"{name}\" is given twice, first at {place}; give each record a slug of its own");
                    problems.push(InputProblem::new(draft.origin.below(".slug", None), message).of(ProblemCode::Taken));
                }
                wanted.slugs.entry(*ty).or_default().extend(draft.name.as_deref());
                wanted.ids.entry(*ty).or_default().extend(draft.aim.id);
                wanted.references(draft);
            }
        }
        wanted
    }

    fn references(&mut self, draft: &'d Draft) {
        for (_, given, _) in &draft.values {
            match given {
                DraftValue::Slug(ty, slug) => {
                    self.slugs.entry(*ty).or_default().insert(slug);
                }
                DraftValue::Id(ty, id) => {
                    self.ids.entry(*ty).or_default().insert(*id);
                }
                DraftValue::Cell(_) | DraftValue::Key(..) => {}
            }
        }
        for part in draft.parts.iter().flat_map(|(_, parts)| parts) {
            self.references(part);
        }
    }
}
