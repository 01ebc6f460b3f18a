//! How fresh sources and jurisdictions are: when each was last checked, and when what rests on it last changed.
//!
//! A source is checked when somebody brings it, or a record that cites it; a jurisdiction, when somebody brings it, or a
//! record of it. All of that may be known already: being checked is no change, and has no place in the history or in the
//! feed of changes. What is brought of drafts moves nothing that readers see.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::record::{CHECKED_AT, FieldKind, LAST_CHANGED_AT, Record, catalog};
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::curation::delete::field;
use crate::store::db::dataset_version;
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::apply::Existing;
use crate::store::write::{CHUNK, WriteError};
use crate::store::{Store, database};

/// What one write says of the freshness of sources and jurisdictions.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    checked: Touched,
    changed: Touched,
}

/// Sources and jurisdictions.
#[derive(Debug, Default)]
struct Touched {
    ids: BTreeMap<RecordType, BTreeSet<Uuid>>,
    /// Records whose jurisdictions are meant, whichever these are.
    within: BTreeSet<Uuid>,
}

/// A record that is brought, as it will be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brought<'b> {
    pub(crate) record: &'static Record,
    pub(crate) id: Uuid,
    pub(crate) draft: &'b Draft,
    pub(crate) cells: &'b [Cell],
    /// Sources that are cited in what was given, and whether the citation is new or another than before.
    pub(crate) cited: &'b [(Uuid, bool)],
    /// Sources of citations that were not given and stay.
    pub(crate) kept: &'b BTreeSet<Uuid>,
}

/// Gathers the sources that a record or part, and the parts of it, cite; a citation cites its source.
pub(crate) fn cited_by(record: &Record, row: &Existing, sources: &mut BTreeSet<Uuid>) {
    if let (RecordType::Citation, Cell::Id(source)) = (record.ty, field(record, row, "source")) {
        sources.insert(*source);
    }
    for (ty, parts) in &row.parts {
        parts.iter().for_each(|part| cited_by(catalog().get(*ty), part, sources));
    }
}

impl Touched {
    /// The record itself, where it is a source or a jurisdiction.
    fn itself(&mut self, record: &Record, id: Uuid) {
        if record.is_checked() {
            self.ids.entry(record.ty).or_default().insert(id);
        }
    }

    /// The jurisdiction that a record belongs to.
    fn place(&mut self, record: &Record, cells: &[Cell]) {
        let through = record.jurisdiction_field().and_then(|field| Some((&cells[record.field_index(field.name)?], field.kind)));
        match through {
            Some((Cell::Id(id), FieldKind::One(RecordType::Jurisdiction))) => {
                self.ids.entry(RecordType::Jurisdiction).or_default().insert(*id);
            }
            Some((Cell::Id(id), _)) => {
                self.within.insert(*id);
            }
            _ => {}
        }
    }

    fn sources(&mut self) -> &mut BTreeSet<Uuid> {
        self.ids.entry(RecordType::Source).or_default()
    }

    /// Everything that a record rests on as it is: its jurisdiction, and the sources of it and of its parts.
    fn all_of(&mut self, record: &Record, row: &Existing) {
        self.place(record, &row.cells);
        cited_by(record, row, self.sources());
    }

    /// Moves a column of all of them on; gives how many rows readers see of those that moved, and how many they do not.
    async fn write(mut self, transaction: &DatabaseTransaction, name: &'static str, now: DateTime<Utc>) -> Result<[u64; 2]> {
        let backend = transaction.get_database_backend();
        let within: Vec<Uuid> = std::mem::take(&mut self.within).into_iter().collect();
        for chunk in within.chunks(CHUNK) {
            let select = Query::select()
                .column("jurisdiction_id")
                .distinct()
                .from("search_documents")
                .and_where(one_of_ids(backend, "id", chunk)?)
                .and_where(Expr::col("jurisdiction_id").is_not_null())
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.ids.entry(RecordType::Jurisdiction).or_default().insert(row.try_get_by_index(0).map_err(internal)?);
            }
        }
        let mut moved = [0, 0];
        for (ty, ids) in self.ids {
            let record = catalog().get(ty);
            let Some(column) = record.field_index(name).map(|index| record.fields[index].column) else { continue };
            let ids: Vec<Uuid> = ids.into_iter().collect();
            for chunk in ids.chunks(CHUNK) {
                for (moved, published) in moved.iter_mut().zip([true, false]) {
                    let update = Query::update()
                        .table(Alias::new(record.table))
                        .value(Alias::new(column), now)
                        .and_where(one_of_ids(backend, "id", chunk)?)
                        .and_where(Expr::col("published").eq(published))
                        // the clock of another machine may be ahead
                        .and_where(Expr::col(Alias::new(column)).lt(now))
                        .to_owned();
                    *moved += transaction.execute(&update).await.map_err(database)?.rows_affected();
                }
            }
        }
        Ok(moved)
    }
}

impl Freshness {
    /// A record is brought, whether or not anything about it changes.
    pub(crate) fn brought(&mut self, brought: Brought<'_>) {
        let Brought { record, id, draft, cells, cited, .. } = brought;
        // to publish a record, or to take it back, is not to look at what it says
        let publishes = |index: usize| record.fields[index].name == "published";
        let only_publishes = draft.parts.is_empty() && matches!(draft.values[..], [(index, ..)] if publishes(index));
        let looked_at = !only_publishes && !draft.aim.restates;
        if looked_at {
            self.checked.itself(record, id);
        }
        if record.field_index("published").is_none_or(|field| cells[field] != Cell::Boolean(true)) {
            return;
        }
        if looked_at {
            self.checked.place(record, cells);
        }
        let cited = cited.iter().filter(|(_, is_new)| *is_new || !draft.aim.restates);
        self.checked.sources().extend(cited.map(|(source, _)| *source));
    }

    /// A record that readers see or saw is another than before. `before` is what they saw of it.
    pub(crate) fn changed(&mut self, brought: Brought<'_>, before: Option<&Existing>) {
        let Brought { record, id, cells, cited, kept, .. } = brought;
        self.changed.itself(record, id);
        self.changed.place(record, cells);
        self.changed.sources().extend(cited.iter().map(|(source, _)| *source).chain(kept.iter().copied()));
        if let Some(before) = before {
            self.changed.all_of(record, before);
        }
    }

    /// A record that readers saw goes.
    pub(crate) fn gone(&mut self, record: &Record, row: &Existing) {
        self.changed.all_of(record, row);
    }

    /// Writes it, after all records of the same write; gives whether anything moved.
    pub(crate) async fn write(self, transaction: &DatabaseTransaction, now: DateTime<Utc>) -> Result<bool> {
        let [seen, unseen] = self.checked.write(transaction, CHECKED_AT, now).await?;
        let changed = self.changed.write(transaction, LAST_CHANGED_AT, now).await?;
        if seen > 0 {
            dataset_version::note_check(transaction, now).await?;
        }
        Ok(seen + unseen + changed.iter().sum::<u64>() > 0)
    }
}

impl Store {
    /// Notes that somebody has looked at these sources and jurisdictions and found nothing new. Each is named by its
    /// type and id; what is neither, or is not there, is told by its place among them, and then none is noted.
    pub async fn mark_checked(&self, given: &[(RecordType, Uuid)]) -> Result<(), WriteError> {
        let transaction = self.begin_alone().await?;
        let at = |place: usize| Origin { path: format!("input.ids[{place}]"), ..Origin::default() };
        let mut problems = Vec::new();
        let mut touched = Touched::default();
        for (place, (ty, id)) in given.iter().enumerate() {
            let record = catalog().get(*ty);
            if !record.is_checked() {
                let message = format!("this is the id of a {}; only sources and jurisdictions are checked", record.singular());
                problems.push(InputProblem::new(at(place), message).of(ProblemCode::Invalid));
                continue;
            }
            let select = Query::select().column("id").from(Alias::new(record.table)).and_where(Expr::col("id").eq(*id)).to_owned();
            match transaction.query_one(&select).await.map_err(database)? {
                Some(_) => touched.itself(record, *id),
                None => {
                    let message = format!("there is no {} with this id", record.singular());
                    problems.push(InputProblem::new(at(place), message).of(ProblemCode::NotFound));
                }
            }
        }
        if !problems.is_empty() {
            return Err(WriteError::Problems(problems));
        }
        let freshness = Freshness { checked: touched, ..Freshness::default() };
        if freshness.write(&transaction, self.clock.now()).await? {
            self.commit(transaction).await?;
        }
        Ok(())
    }
}
