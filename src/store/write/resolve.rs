//! Resolves drafts to records: by id, by slug, by identifier, or as new records.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::article::with_article;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::curation::withholding::digest_key::DigestKey;
use crate::store::curation::withholding::name_recognition::NameRecognizer;
use crate::store::curation::withholding::name_redaction::texts;
use crate::store::curation::withholding::withheld_digest::{
    Recognizers, WITHHELD_IDENTIFIER_MESSAGE, WITHHELD_MESSAGE, find_by_digest, find_former_slugs, withheld_persons, withheld_slug,
};
use crate::store::draft::{Draft, DraftValue, Drafts, InputProblem, Origin, ProblemCode, WriteMode};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::{one_of, one_of_ids};
use crate::store::write::identifiers::{IdentifiedRecords, IdentifierPair, find_by_identifier, identifiers};
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::merged_identifiers::MergedIdentifiers;
use crate::store::write::requested_names::{RequestedNames, given_name, place};
use crate::store::write::slug::{RetiredSlug, former_slugs, slug_from_name};
use crate::store::write::types::{ResolvedDraft, SummaryBuilder, WriteAction, WrittenRecord};
use crate::store::{Store, database};

/// The record that a draft is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Resolved {
    Existing(Uuid),
    New,
    /// The record is unknown, and the problem is reported. The values of the draft are still validated.
    Unidentified,
    /// The draft is skipped, which is recorded.
    Skipped,
}

impl From<Option<Uuid>> for Resolved {
    fn from(existing: Option<Uuid>) -> Self {
        existing.map_or(Self::New, Self::Existing)
    }
}

/// Ids of the records that drafts name, from the drafts and from the database.
#[derive(Debug, Default)]
pub(crate) struct ResolvedNames {
    pub(super) slugs: HashMap<(RecordType, String), Uuid>,
    /// Ids that exist, each with itself or, after a merge, with the id of the record it was merged into.
    pub(super) ids: HashMap<Uuid, Uuid>,
    /// Whether any of these ids is that of a merged record.
    has_merged_ids: bool,
    /// Slugs of records that were merged or renamed: drafts with them are skipped.
    retired_slugs: HashMap<(RecordType, String), RetiredSlug>,
    /// Identifiers that records have from merged ones: drafts that are found by them are skipped.
    merged_identifiers: MergedIdentifiers,
    /// What may be wrong with skipped drafts.
    pub(super) warnings: Vec<InputProblem>,
    /// Slugs that are known by their digests only, of withheld persons and of records that had a withheld name in them. They
    /// are as free as any other, and lead to no record: that would tell whose slug it was. Only an import that repeats the
    /// record is skipped, and its references to the slug are kept.
    pub(super) digest_slugs: HashMap<(RecordType, String), Uuid>,
    /// Withheld persons by slugs that they had and that others have now: an import may mean either.
    pub(super) contested_slugs: HashMap<(RecordType, String), Uuid>,
    /// Slugs by which an import means a withheld person or another one: its references to them are left out.
    pub(super) doubtful_slugs: HashSet<(RecordType, String)>,
    /// Records that a draft was resolved to, with the name and the place of the first one.
    assigned: HashMap<Uuid, (Option<String>, Origin)>,
    /// Withheld persons.
    pub(super) withheld: HashSet<Uuid>,
    /// Key of the digests of withheld persons, if there are any.
    digest_key: Option<DigestKey>,
    /// Withheld persons by the identifiers they had.
    withheld_identifiers: HashMap<IdentifierPair, Uuid>,
    /// Skipped drafts: the position of each, and the record it stands for.
    pub(super) skipped: Vec<(usize, WrittenRecord)>,
    /// Types of the records that drafts refer to.
    pub(super) types: HashMap<Uuid, RecordType>,
    /// Last revisions of deleted records that are created again.
    pub(super) last_revisions: HashMap<Uuid, i64>,
    /// Types with a draft whose slug is unreadable: a reference by slug may mean that draft.
    pub(super) types_with_unreadable_slugs: HashSet<RecordType>,
}

impl ResolvedNames {
    /// Resolves each draft to a record. Returns the drafts in the order in which they must be written.
    pub(super) async fn resolve<'d>(
        &mut self,
        store: &Store,
        transaction: &DatabaseTransaction,
        drafts: &'d Drafts,
        recognizers: &Recognizers,
        problems: &mut Vec<InputProblem>,
    ) -> Result<Vec<(RecordType, Vec<ResolvedDraft<'d>>)>> {
        let requested = RequestedNames::of(drafts, problems);
        self.digest_key = DigestKey::load(transaction, store.withholding_secret.as_deref()).await?;
        for (ty, slugs) in &requested.slugs {
            self.find_slugs(transaction, catalog().get(*ty), slugs).await?;
        }
        for (ty, ids) in &requested.ids {
            self.find_ids(transaction, catalog().get(*ty), ids).await?;
        }
        self.find_last_revisions(transaction, drafts).await?;
        let identified = find_by_identifier(transaction, drafts, &self.contested_slugs).await?;
        self.find_merged_identifiers(transaction, drafts, &identified).await?;
        if self.digest_key.is_some() {
            self.withheld = withheld_persons(transaction).await?;
            self.find_withheld_identifiers(transaction, drafts).await?;
        }
        let lengths = drafts.iter().map(|(_, drafts)| drafts.len());
        let offsets: Vec<usize> = lengths.scan(0, |sum, length| Some(std::mem::replace(sum, *sum + length))).collect();
        let mut resolved = Vec::new();
        for ty in catalog().write_order() {
            let mut records: Vec<ResolvedDraft> = Vec::new();
            for ((_, drafts), offset) in drafts.iter().zip(&offsets).filter(|((of, _), _)| *of == ty) {
                for (index, draft) in drafts.iter().enumerate() {
                    records.extend(self.resolve_draft((store, recognizers), ty, draft, offset + index, &identified, problems));
                }
            }
            if !records.is_empty() {
                self.generate_slugs(transaction, catalog().get(ty), &mut records).await?;
                resolved.push((ty, records));
            }
        }
        self.doubtful_slugs.extend(self.contested_slugs.drain().map(|(key, _)| key));
        let by_id = requested.ids.iter().flat_map(|(ty, ids)| ids.iter().map(move |id| (*id, *ty)));
        self.types = self.slugs.iter().map(|((ty, _), id)| (*id, *ty)).chain(by_id).collect();
        Ok(resolved)
    }

    /// Resolves one draft. Returns nothing if the draft is skipped.
    fn resolve_draft<'d>(
        &mut self,
        (store, recognizers): (&Store, &Recognizers),
        ty: RecordType,
        draft: &'d Draft,
        position: usize,
        identified: &IdentifiedRecords,
        problems: &mut Vec<InputProblem>,
    ) -> Option<ResolvedDraft<'d>> {
        if ty == RecordType::Person
            && let Some((id, origin)) =
                identifiers(draft).find_map(|(pair, origin)| Some((*self.withheld_identifiers.get(&pair)?, origin.clone())))
            && let Resolved::Skipped = match self.slug_of_another((ty, id), draft) {
                Some(slug) => self.skip_doubtful((ty, id), slug, draft, position),
                None => self.skip_withheld((ty, id), draft, (origin, WITHHELD_IDENTIFIER_MESSAGE), position, problems),
            }
        {
            return None;
        }
        let mut resolved = match (draft.target.id, &draft.name) {
            (Some(id), _) => self.existing_by_id(ty, id, draft, position, problems),
            (None, _) if draft.is_unidentified => unidentified(ty, draft, identified, problems),
            (None, Some(slug)) => self.existing_by_slug((ty, slug), draft, position, recognizers, identified, problems),
            (None, None) => existing_by_identifiers(ty, draft, identified, problems),
        };
        if let Resolved::Existing(id) = resolved
            && self.withheld.contains(&id)
        {
            let origin = draft.origin.child(if draft.target.id.is_some() { "id" } else { "slug" }, None);
            resolved = self.skip_withheld((ty, id), draft, (origin, WITHHELD_MESSAGE), position, problems);
        }
        if let Resolved::Existing(id) = resolved
            && draft.target.mode == WriteMode::Upsert
            && let Some(warning) = self.merged_identifiers.warning(ty, id, draft)
        {
            self.warnings.push(warning);
            resolved = self.skip(ty, id, draft, position);
        }
        if let Some((problem, remaining)) = mode_problem(ty, draft, resolved) {
            problems.push(problem);
            resolved = remaining;
        }
        let id = match resolved {
            Resolved::Skipped => return None,
            Resolved::Existing(id) => id,
            Resolved::New => draft.target.id.unwrap_or_else(|| store.clock.new_uuid()),
            Resolved::Unidentified => store.clock.new_uuid(),
        };
        self.reject_redacted_slug((ty, id), draft, problems);
        let name = given_name(ty, draft);
        if let Some((first_name, first)) = self.assigned.get(&id) {
            // of the ids of merged records, the first draft counts; a draft with a former slug is skipped above, and a name that
            // is given twice is reported as such
            let is_reported = name.is_some() && name == *first_name;
            if !is_reported && draft.target.id.is_none_or(|given| given == id) {
                let message = format!("this is the record that is given at {} already; give each record once", place(first));
                problems.push(InputProblem::new(draft.origin.clone(), message).with_code(ProblemCode::Taken));
            }
            self.skip(ty, id, draft, position);
            return None;
        }
        self.assigned.insert(id, (name, draft.origin.clone()));
        if let Some(slug) = &draft.name {
            self.slugs.insert((ty, slug.clone()), id);
        }
        self.ids.insert(id, id);
        let is_unidentified = matches!(resolved, Resolved::Unidentified);
        if draft.is_unidentified && draft.name.is_none() {
            self.types_with_unreadable_slugs.insert(ty);
        }
        let is_new = !matches!(resolved, Resolved::Existing(_));
        let has_redacted_slug = |slug: &String| self.digest_slugs.get(&(ty, slug.clone())) == Some(&id);
        let keeps_slug = draft.target.id.is_none() && draft.name.as_ref().is_some_and(has_redacted_slug);
        Some(ResolvedDraft { id, is_new, is_unidentified, draft, generated_slug: None, keeps_slug, position })
    }

    /// The record for a draft with an id.
    fn existing_by_id(&mut self, ty: RecordType, id: Uuid, draft: &Draft, position: usize, problems: &mut Vec<InputProblem>) -> Resolved {
        let mode = draft.target.mode;
        let found = self.ids.get(&id).copied();
        if let (WriteMode::Exact, Some(slug)) = (mode, &draft.name)
            && let Some(by_slug) = self.by_any_slug(&(ty, slug.clone())).filter(|id| self.withheld.contains(id))
        {
            let place = (draft.origin.child("slug", None), WITHHELD_MESSAGE);
            return self.skip_withheld((ty, by_slug), draft, place, position, problems);
        }
        if let (WriteMode::Exact, Some(merged_into)) = (mode, found.filter(|found| *found != id)) {
            return self.skip(ty, merged_into, draft, position);
        }
        // a deleted record is created again under its id
        if found.is_none() && !matches!(mode, WriteMode::Create | WriteMode::Exact) {
            let message = format!("there is no {} with the id {}", catalog().get(ty).singular(), id::encode(ty.prefix(), id));
            problems.push(InputProblem::new(draft.origin.child("id", None), message).with_code(ProblemCode::NotFound));
            return Resolved::Unidentified;
        }
        found.into()
    }

    /// The record that has a slug, or had it before a name was redacted from it.
    fn by_any_slug(&self, key: &(RecordType, String)) -> Option<Uuid> {
        self.slugs.get(key).or_else(|| self.digest_slugs.get(key)).copied()
    }

    /// As [`Self::existing_by_id`], for a draft with a slug.
    fn existing_by_slug(
        &mut self,
        (ty, slug): (RecordType, &str),
        draft: &Draft,
        position: usize,
        recognizers: &Recognizers,
        identified: &IdentifiedRecords,
        problems: &mut Vec<InputProblem>,
    ) -> Resolved {
        let key = (ty, slug.to_owned());
        if let Some(id) = self.digest_slugs.get(&key).copied() {
            return self.existing_by_digest((ty, id), (slug, draft), position, recognizers, problems);
        }
        if let Some(resolved) = self.contested_by_import((ty, slug), draft, position, recognizers, identified) {
            return resolved;
        }
        let found = self.slugs.get(&key).copied();
        if let Some(id) = found
            && draft.target.mode == WriteMode::Upsert
            && let Some(retired) = self.retired_slugs.get(&key)
        {
            self.warnings.extend(Some(retired).filter(|_| !self.withheld.contains(&id)).map(|retired| retired.warning(ty, slug, draft)));
            return self.skip(ty, id, draft, position);
        }
        found.into()
    }

    /// Skips a draft that stands for this record. References to its slug resolve to the record.
    pub(super) fn skip(&mut self, ty: RecordType, id: Uuid, draft: &Draft, position: usize) -> Resolved {
        // a withheld record is shown for its present slug or its id only
        let is_known_by_digest = draft.name.as_ref().is_some_and(|slug| self.digest_slugs.contains_key(&(ty, slug.clone())));
        let is_shown = (!self.withheld.contains(&id) && !is_known_by_digest)
            || draft.target.id == Some(id)
            || draft.name.as_ref().is_some_and(|slug| *slug == withheld_slug(ty, id));
        self.skipped.push((position, WrittenRecord { ty, id, action: WriteAction::Unchanged, is_shown }));
        if let Some(slug) = &draft.name {
            self.slugs.entry((ty, slug.clone())).or_insert(id);
        }
        Resolved::Skipped
    }

    /// Skips a draft of a withheld person. A draft that targets exactly this person is a problem instead, with this message at
    /// `origin`.
    fn skip_withheld(
        &mut self,
        (ty, id): (RecordType, Uuid),
        draft: &Draft,
        (origin, message): (Origin, &str),
        position: usize,
        problems: &mut Vec<InputProblem>,
    ) -> Resolved {
        if matches!(draft.target.mode, WriteMode::Upsert | WriteMode::Exact) {
            if let (WriteMode::Exact, Some(own)) = (draft.target.mode, draft.target.id) {
                self.ids.insert(own, id);
            }
            return self.skip(ty, id, draft, position);
        }
        problems.push(InputProblem::new(origin, message).with_code(ProblemCode::Withheld));
        if draft.target.mode == WriteMode::Create { Resolved::New } else { Resolved::Existing(id) }
    }

    /// Whether a withheld person had this identifier.
    pub(super) fn is_withheld_identifier(&self, pair: &IdentifierPair) -> bool {
        self.withheld_identifiers.contains_key(pair)
    }

    /// Summary of the skipped drafts.
    pub(super) fn skipped(&self) -> SummaryBuilder {
        let (records, warnings) = (self.skipped.clone(), self.warnings.clone());
        let unchanged = records.iter().filter(|(_, written)| written.action == WriteAction::Unchanged).count();
        SummaryBuilder { unchanged, skipped: records.len() - unchanged, records, warnings, ..SummaryBuilder::default() }
    }

    /// Finds records by their current and former slugs.
    async fn find_slugs(&mut self, transaction: &DatabaseTransaction, record: &Record, slugs: &HashSet<&str>) -> Result<()> {
        let mut slugs: Vec<&str> = slugs.iter().copied().collect();
        slugs.sort_unstable();
        for batch in slugs.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["id", "slug"])
                .from(Alias::new(record.table))
                .and_where(one_of(transaction.get_database_backend(), "slug", batch)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let slug: String = row.try_get_by_index(1).map_err(internal)?;
                self.slugs.insert((record.ty, slug), row.try_get_by_index(0).map_err(internal)?);
            }
        }
        let present: Vec<&str> = slugs.extract_if(.., |slug| self.slugs.contains_key(&(record.ty, (*slug).to_owned()))).collect();
        for batch in slugs.chunks(LOOKUP_BATCH_VALUES) {
            for (slug, id, retired) in former_slugs(transaction, record, batch).await? {
                self.retired_slugs.insert((record.ty, slug.clone()), retired);
                self.slugs.insert((record.ty, slug), id);
            }
        }
        let Some(key) = &self.digest_key else { return Ok(()) };
        let mut found = find_former_slugs(transaction, key, record.ty, &slugs).await?;
        if record.ty == RecordType::Person {
            let digests = slugs.iter().chain(&present).map(|slug| (key.slug(slug), (*slug).to_owned())).collect();
            found.extend(find_by_digest(transaction, &digests).await?);
        }
        let (known, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|(slug, _)| self.slugs.contains_key(&(record.ty, slug.clone())));
        let contested = known.into_iter().map(|(slug, id)| ((record.ty, slug), id));
        self.contested_slugs.extend(contested.filter(|(key, id)| record.ty == RecordType::Person && self.slugs.get(key) != Some(id)));
        if record.ty == RecordType::Membership {
            let ids = found.iter().map(|(_, id)| *id).collect();
            self.find_ids(transaction, record, &ids).await?;
        }
        self.digest_slugs.extend(found.into_iter().map(|(slug, id)| ((record.ty, slug), id)));
        Ok(())
    }

    /// Finds withheld persons by the identifiers they had, whatever slug the draft has.
    async fn find_withheld_identifiers(&mut self, transaction: &DatabaseTransaction, drafts: &Drafts) -> Result<()> {
        let Some(key) = self.digest_key.as_ref().filter(|_| !self.withheld.is_empty()) else { return Ok(()) };
        let pairs = drafts.iter().flat_map(|(_, drafts)| drafts).flat_map(identifiers).map(|(pair, _)| pair);
        let digests = pairs.flat_map(|(scheme, value)| {
            let digests = [key.identifier(&scheme, &value), key.identifier_as_given(&scheme, &value)];
            digests.map(|digest| (digest, (scheme.clone(), value.clone())))
        });
        // identifiers that differ in case have one digest
        let mut pairs_by_digest: HashMap<String, Vec<IdentifierPair>> = HashMap::new();
        for (digest, pair) in digests {
            pairs_by_digest.entry(digest).or_default().push(pair);
        }
        let found = find_by_digest(transaction, &pairs_by_digest).await?;
        self.withheld_identifiers = found.into_iter().flat_map(|(pairs, id)| pairs.into_iter().map(move |pair| (pair, id))).collect();
        Ok(())
    }

    /// Finds the identifiers that the records of drafts have from merged ones.
    async fn find_merged_identifiers(
        &mut self,
        transaction: &DatabaseTransaction,
        drafts: &Drafts,
        identified: &IdentifiedRecords,
    ) -> Result<()> {
        let by_slug = drafts.iter().flat_map(|(ty, drafts)| {
            drafts.iter().filter(|draft| draft.found_by.is_some()).filter_map(|draft| Some((*ty, draft.name.clone()?)))
        });
        let by_slug = by_slug.filter_map(|key| Some((*self.slugs.get(&key)?, key.0)));
        let records: HashMap<Uuid, RecordType> = by_slug.chain(identified.iter().map(|((ty, _), id)| (*id, *ty))).collect();
        if !records.is_empty() {
            self.merged_identifiers = MergedIdentifiers::load(transaction, &records).await?;
        }
        Ok(())
    }

    /// Finds records by their ids and by the ids of records that were merged into them.
    async fn find_ids(&mut self, transaction: &DatabaseTransaction, record: &Record, ids: &HashSet<Uuid>) -> Result<()> {
        let mut ids: Vec<Uuid> = ids.iter().copied().collect();
        ids.sort_unstable();
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .column("id")
                .from(Alias::new(record.table))
                .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                self.ids.insert(id, id);
            }
        }
        ids.retain(|id| !self.ids.contains_key(id));
        for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .columns(["id", "merged_into"])
                .from("nodes")
                .and_where(Expr::col("record_type").eq(record.ty.prefix()))
                .and_where(Expr::col("merged_into").in_subquery(existing_ids(record)))
                .and_where(one_of_ids(transaction.get_database_backend(), "id", batch)?)
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.ids.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
                self.has_merged_ids = true;
            }
        }
        Ok(())
    }

    /// Finds the last revisions of deleted records that are created again under their ids.
    async fn find_last_revisions(&mut self, transaction: &DatabaseTransaction, drafts: &Drafts) -> Result<()> {
        let exact = drafts.iter().flat_map(|(_, drafts)| drafts).filter(|draft| draft.target.mode == WriteMode::Exact);
        let new: Vec<Uuid> = exact.filter_map(|draft| draft.target.id).filter(|id| !self.ids.contains_key(id)).collect();
        for batch in new.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .column("record_id")
                .expr(Func::max(Expr::col("number")))
                .from("revisions")
                .and_where(one_of_ids(transaction.get_database_backend(), "record_id", batch)?)
                .group_by_col("record_id")
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                let number: i32 = row.try_get_by_index(1).map_err(internal)?;
                self.last_revisions.insert(row.try_get_by_index(0).map_err(internal)?, number.into());
            }
        }
        Ok(())
    }

    /// Generates slugs for new records without one: their folded names, with a number appended if that is taken.
    async fn generate_slugs(
        &mut self,
        transaction: &DatabaseTransaction,
        record: &Record,
        records: &mut [ResolvedDraft<'_>],
    ) -> Result<()> {
        let mut pending: Vec<(usize, String, usize)> = records
            .iter()
            .enumerate()
            .filter(|(_, resolved)| resolved.is_new && resolved.draft.name.is_none())
            .map(|(index, resolved)| (index, slug_from_name(record, resolved.draft), 1))
            .collect();
        while !pending.is_empty() {
            let candidate = |(_, base, count): &(usize, String, usize)| match count {
                1 => base.clone(),
                count => format!("{base}-{count}"),
            };
            let candidates: Vec<String> = pending.iter().map(candidate).collect();
            let unknown: HashSet<&str> = candidates.iter().map(String::as_str).collect();
            self.find_slugs(transaction, record, &unknown).await?;
            let mut taken = Vec::new();
            for ((index, base, count), slug) in pending.into_iter().zip(candidates) {
                let key = (record.ty, slug.clone());
                // a slug that a withheld person had is as free as any other
                let is_of_another = self.digest_slugs.get(&key).is_some_and(|id| !self.withheld.contains(id));
                match self.slugs.entry(key) {
                    Entry::Vacant(_) if is_of_another => taken.push((index, base, count + 1)),
                    Entry::Occupied(_) => taken.push((index, base, count + 1)),
                    Entry::Vacant(entry) => {
                        entry.insert(records[index].id);
                        records[index].generated_slug = Some(slug);
                    }
                }
            }
            pending = taken;
        }
        Ok(())
    }

    /// What may stand for a given slug: the slug, or the id of a record whose slug is known by its digest only, because a
    /// withheld name is in it.
    pub(super) fn public_slug(&self, ty: RecordType, slug: &str) -> String {
        let key = (ty, slug.to_owned());
        let id = self.digest_slugs.get(&key).filter(|id| self.slugs.get(&key) == Some(*id));
        id.map_or_else(|| slug.to_owned(), |id| id::encode(ty.prefix(), *id))
    }

    /// Whether any of the names that drafts give is that of a merged or renamed record.
    pub(super) fn has_redirects(&self) -> bool {
        !self.retired_slugs.is_empty() || self.has_merged_ids
    }

    /// Whether a reference is by the id or slug of a merged or renamed record.
    pub(super) fn is_redirected(&self, value: &DraftValue) -> bool {
        match value {
            DraftValue::Slug(ty, slug) => self.retired_slugs.contains_key(&(*ty, slug.clone())),
            DraftValue::Id(_, id) => self.ids.get(id).is_some_and(|found| found != id),
            DraftValue::Cell(_) | DraftValue::Key(..) | DraftValue::Invalid => false,
        }
    }

    /// The cell for a draft value. `parts` are the ids of the parts of the same record by type and key. An unresolved
    /// reference becomes null.
    pub(super) fn cell(&self, value: &DraftValue, parts: &HashMap<(RecordType, String), Uuid>) -> Cell {
        match value {
            DraftValue::Cell(cell) => cell.clone(),
            DraftValue::Invalid => Cell::Null,
            DraftValue::Slug(ty, slug) => self.slugs.get(&(*ty, slug.clone())).copied().map_or(Cell::Null, Cell::Id),
            DraftValue::Id(_, id) => self.ids.get(id).copied().map_or(Cell::Null, Cell::Id),
            DraftValue::Key(ty, key) => parts.get(&(*ty, key.clone())).copied().map_or(Cell::Null, Cell::Id),
        }
    }
}

/// Whether a field of a draft has a withheld name.
pub(super) fn has_name_in(draft: &Draft, field: &'static str, recognizer: &NameRecognizer) -> bool {
    let field = catalog().get(RecordType::Person).known_field(field);
    match draft.value(field) {
        Some(DraftValue::Cell(Cell::Text(text))) => recognizer.finds(text),
        Some(DraftValue::Cell(Cell::Json(json))) => texts(json).into_iter().any(|text| recognizer.finds(text)),
        Some(DraftValue::Cell(_) | DraftValue::Slug(..) | DraftValue::Id(..) | DraftValue::Key(..) | DraftValue::Invalid) | None => false,
    }
}

/// As [`ResolvedNames::existing_by_id`], for a draft whose slug or id is not valid. Its identifiers may still tell the
/// record, and a record that is to be created is certainly new.
fn unidentified(ty: RecordType, draft: &Draft, identified: &IdentifiedRecords, problems: &mut Vec<InputProblem>) -> Resolved {
    match draft.target.mode {
        WriteMode::Create => Resolved::New,
        WriteMode::Update | WriteMode::Exact => Resolved::Unidentified,
        WriteMode::Upsert => match existing_by_identifiers(ty, draft, identified, problems) {
            Resolved::New => Resolved::Unidentified,
            resolved => resolved,
        },
    }
}

/// As [`ResolvedNames::existing_by_id`], for a draft with neither id nor slug.
fn existing_by_identifiers(ty: RecordType, draft: &Draft, identified: &IdentifiedRecords, problems: &mut Vec<InputProblem>) -> Resolved {
    let mut found: Vec<Uuid> = identifiers(draft).filter_map(|(pair, _)| identified.get(&(ty, pair)).copied()).collect();
    found.sort_unstable();
    found.dedup();
    if let [_, _, ..] = found.as_slice() {
        let message = format!("its identifiers belong to {} different records; specify the record by id or slug", found.len());
        problems.push(InputProblem::new(draft.origin.clone(), message).with_code(ProblemCode::Taken));
        return Resolved::Unidentified;
    }
    found.pop().into()
}

/// Why the mode of a draft does not allow writing this record, and the record to validate the values of the draft for.
fn mode_problem(ty: RecordType, draft: &Draft, resolved: Resolved) -> Option<(InputProblem, Resolved)> {
    let singular = catalog().get(ty).singular();
    match (draft.target.mode, resolved) {
        (WriteMode::Create, Resolved::Existing(_)) => {
            let slug = draft.name.as_deref().unwrap_or_default();
            let message = format!("there is {} \"{slug}\" already; update it, or give the new one another slug", with_article(&singular));
            Some((InputProblem::new(draft.origin.child("slug", None), message).with_code(ProblemCode::Taken), Resolved::New))
        }
        (WriteMode::Update, Resolved::New) => {
            let message = format!("there is no such {singular}; specify it by its id");
            let problem = InputProblem::new(draft.origin.child("id", None), message);
            Some((problem.with_code(ProblemCode::NotFound), Resolved::Unidentified))
        }
        (WriteMode::Upsert, Resolved::New) if draft.name.is_none() && identifiers(draft).next().is_none() => {
            let message = "slug is missing; give a short name such as alnur-ilyashev, unique among records of this type";
            let problem = InputProblem::new(draft.origin.child("slug", None), message);
            Some((problem.with_code(ProblemCode::Missing), Resolved::Unidentified))
        }
        (WriteMode::Upsert | WriteMode::Create | WriteMode::Update | WriteMode::Exact, _) => None,
    }
}

/// Ids of the existing records of a type. Names of deleted records stay behind and must not be found.
fn existing_ids(record: &Record) -> SelectStatement {
    Query::select().column("id").from(Alias::new(record.table)).to_owned()
}
