//! Requires that no source cites itself by way of other sources.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::curation::freshness::{SubmittedRecord, collect_sources};
use crate::store::database;
use crate::store::draft::{InputProblem, Origin};
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::StoredRow;

/// Maximum number of sources that a message lists.
const MAX_LISTED_SOURCES: usize = 20;

/// Sources with new citations of sources.
#[derive(Debug, Default)]
pub(super) struct CitationCycles {
    changed: HashMap<Uuid, CitingSource>,
}

/// A source with new citations.
#[derive(Debug)]
struct CitingSource {
    slug: String,
    /// The sources that it cites from now on.
    cited: BTreeSet<Uuid>,
    /// Those among them that it did not cite before.
    new: BTreeSet<Uuid>,
    origin: Origin,
}

/// The sources that stored sources cite.
type StoredCitations = HashMap<Uuid, BTreeSet<Uuid>>;

impl CitationCycles {
    /// Adds a record if it is a source that cites one that it did not cite before.
    pub(super) fn add(&mut self, submitted: SubmittedRecord<'_>, existing: Option<&StoredRow>) {
        let SubmittedRecord { record, id, draft, cells, cited, kept } = submitted;
        if record.ty != RecordType::Source || cited.is_empty() {
            return;
        }
        let mut before = BTreeSet::new();
        if let Some(existing) = existing {
            collect_sources(record, existing, &mut before);
        }
        let new: BTreeSet<Uuid> = cited.iter().map(|(source, _)| *source).filter(|source| !before.contains(source)).collect();
        if new.is_empty() {
            return;
        }
        let slug = cells[record.known_field("slug").index()].as_text().unwrap_or_default().to_owned();
        // a citation of the source itself is reported where it stands
        let cited = cited.iter().map(|(source, _)| *source).chain(kept.iter().copied()).filter(|source| *source != id).collect();
        self.changed.insert(id, CitingSource { slug, cited, new, origin: draft.origin.child("citations", None) });
    }

    /// Reports cycles that new citations close, each at one of the sources with such a citation.
    pub(super) async fn check(&self, transaction: &DatabaseTransaction, problems: &mut Vec<InputProblem>) -> Result<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let stored = self.stored_citations(transaction).await?;
        let none = BTreeSet::new();
        let cited_by = |id: &Uuid| match self.changed.get(id) {
            Some(changed) => &changed.cited,
            None => stored.get(id).unwrap_or(&none),
        };
        let mut starts: Vec<Uuid> = self.changed.keys().copied().collect();
        starts.sort_unstable();
        let mut visited: HashSet<Uuid> = HashSet::new();
        for start in starts {
            if !visited.insert(start) {
                continue;
            }
            // the path from the start, each source with those that it cites and that are still to be followed
            let mut path: Vec<(Uuid, Vec<Uuid>)> = vec![(start, cited_by(&start).iter().copied().collect())];
            while let Some((_, open)) = path.last_mut() {
                let Some(next) = open.pop() else {
                    path.pop();
                    continue;
                };
                if let Some(begin) = path.iter().position(|(id, _)| *id == next) {
                    let cycle: Vec<Uuid> = path[begin..].iter().map(|(id, _)| *id).collect();
                    problems.extend(self.problem(transaction, cycle).await?);
                } else if visited.insert(next) {
                    path.push((next, cited_by(&next).iter().copied().collect()));
                }
            }
        }
        Ok(())
    }

    /// The citations of the stored sources that the changed ones cite, level by level.
    async fn stored_citations(&self, transaction: &DatabaseTransaction) -> Result<StoredCitations> {
        let citation = catalog().get(RecordType::Citation);
        let (owner, source) = (citation.field(FieldId::OWNER).column, citation.field(citation.known_field("source")).column);
        let mut stored = StoredCitations::new();
        let mut next: BTreeSet<Uuid> = self.changed.values().flat_map(|changed| &changed.cited).copied().collect();
        loop {
            next.retain(|id| !self.changed.contains_key(id) && !stored.contains_key(id));
            if next.is_empty() {
                return Ok(stored);
            }
            let ids: Vec<Uuid> = next.into_iter().collect();
            stored.extend(ids.iter().map(|id| (*id, BTreeSet::new())));
            next = BTreeSet::new();
            for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
                let select = Query::select()
                    .columns([Alias::new(owner), Alias::new(source)])
                    .from(Alias::new(citation.table))
                    .and_where(one_of_ids(transaction.get_database_backend(), owner, batch)?)
                    .to_owned();
                for row in transaction.query_all(&select).await.map_err(database)? {
                    let (citing, cited): (Uuid, Uuid) =
                        (row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
                    stored.entry(citing).or_default().insert(cited);
                    next.insert(cited);
                }
            }
        }
    }

    /// The problem of a cycle, in which each source cites the next one and the last one the first; `None` if the cycle has no
    /// new citation.
    async fn problem(&self, transaction: &DatabaseTransaction, mut cycle: Vec<Uuid>) -> Result<Option<InputProblem>> {
        let is_new = |index: usize| {
            let next = cycle[(index + 1) % cycle.len()];
            self.changed.get(&cycle[index]).filter(|changed| changed.new.contains(&next))
        };
        let key = |source: &CitingSource| (source.origin.file.clone(), source.origin.line, source.slug.clone());
        let reported = (0..cycle.len()).filter_map(|index| Some((is_new(index)?, index))).min_by_key(|(source, _)| key(source));
        let Some((reported, index)) = reported else { return Ok(None) };
        cycle.rotate_left(index);
        let record = catalog().get(RecordType::Source);
        let mut slugs: Vec<String> = Vec::new();
        for id in cycle.iter().take(MAX_LISTED_SOURCES) {
            slugs.push(match self.changed.get(id) {
                Some(changed) => changed.slug.clone(),
                None => stored_slug(transaction, record, *id).await?,
            });
        }
        if cycle.len() > MAX_LISTED_SOURCES {
            slugs.push("…".to_owned());
        }
        slugs.push(reported.slug.clone());
        let message = format!("this makes the source cite itself: {}; remove one of these citations", slugs.join(" → "));
        Ok(Some(InputProblem::new(reported.origin.clone(), message)))
    }
}

async fn stored_slug(transaction: &DatabaseTransaction, record: &Record, id: Uuid) -> Result<String> {
    let select = Query::select()
        .column("slug")
        .from(Alias::new(record.table))
        .and_where(one_of_ids(transaction.get_database_backend(), "id", &[id])?)
        .to_owned();
    let row = transaction.query_one(&select).await.map_err(database)?.ok_or_else(|| internal("a cited source does not exist"))?;
    row.try_get_by_index(0).map_err(internal)
}
