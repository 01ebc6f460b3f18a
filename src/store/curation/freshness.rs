//! Freshness of sources and jurisdictions: when each was last checked, and when a record that depends on it last changed.
//!
//! A source is checked when it or a record that cites it is submitted, a jurisdiction when it or one of its records is
//! submitted, even if nothing changes. A check is not a change: it appears neither in the history nor in the feed of
//! changes. Submitting a draft does not affect the freshness that readers see.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::{CHECKED_AT, LAST_CHANGED_AT};
use crate::catalog::kind::FieldKind;
use crate::catalog::record::Record;
use crate::core::article::with_article;
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::db::dataset_version;
use crate::store::draft::{Draft, InputProblem, Origin, ProblemCode};
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;
use crate::store::write::load::LOOKUP_BATCH_VALUES;
use crate::store::write::model::{StoredRow, field};
use crate::store::write::types::WriteError;
use crate::store::{Store, database};

/// Sources and jurisdictions that one write checks or changes.
#[derive(Debug, Default)]
pub(crate) struct FreshnessUpdates {
    checked: TouchedRecords,
    changed: TouchedRecords,
}

/// A set of sources and jurisdictions.
#[derive(Debug, Default)]
struct TouchedRecords {
    ids: BTreeMap<RecordType, BTreeSet<Uuid>>,
    /// Records whose jurisdictions belong to the set.
    records: BTreeSet<Uuid>,
}

/// A submitted record, as it will be after the write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubmittedRecord<'s> {
    pub(crate) record: &'static Record,
    pub(crate) id: Uuid,
    pub(crate) draft: &'s Draft,
    pub(crate) cells: &'s [Cell],
    /// Sources cited in the draft, and whether the citation is new or changed.
    pub(crate) cited: &'s [(Uuid, bool)],
    /// Sources of existing citations that the draft does not mention.
    pub(crate) kept: &'s BTreeSet<Uuid>,
}

/// Collects the sources that a record or part and its parts cite. A citation cites its own source.
pub(crate) fn collect_sources(record: &Record, row: &StoredRow, sources: &mut BTreeSet<Uuid>) {
    if let (RecordType::Citation, Cell::Id(source)) = (record.ty, field(record, row, "source")) {
        sources.insert(*source);
    }
    for (ty, parts) in &row.parts {
        for part in parts {
            collect_sources(catalog().get(*ty), part, sources);
        }
    }
}

impl TouchedRecords {
    /// Adds the record itself if it is a source or a jurisdiction.
    fn add_record(&mut self, record: &Record, id: Uuid) {
        if record.is_checked() {
            self.ids.entry(record.ty).or_default().insert(id);
        }
    }

    /// Adds the jurisdiction that a record belongs to.
    fn add_jurisdiction(&mut self, record: &Record, cells: &[Cell]) {
        let through = record.jurisdiction_field().and_then(|field| Some((&cells[record.field_id(field.name)?.index()], field.kind)));
        match through {
            Some((Cell::Id(id), FieldKind::One(RecordType::Jurisdiction))) => {
                self.ids.entry(RecordType::Jurisdiction).or_default().insert(*id);
            }
            Some((Cell::Id(id), _)) => {
                self.records.insert(*id);
            }
            _ => {}
        }
    }

    fn sources(&mut self) -> &mut BTreeSet<Uuid> {
        self.ids.entry(RecordType::Source).or_default()
    }

    /// Adds everything that a stored record depends on: its jurisdiction, and the sources of it and its parts.
    fn add_dependencies(&mut self, record: &Record, row: &StoredRow) {
        self.add_jurisdiction(record, &row.cells);
        collect_sources(record, row, self.sources());
    }

    /// Advances an instant of all of them to `now`. Returns the numbers of published and unpublished rows updated.
    async fn write(mut self, transaction: &DatabaseTransaction, name: &'static str, now: DateTime<Utc>) -> Result<[u64; 2]> {
        let backend = transaction.get_database_backend();
        let records: Vec<Uuid> = std::mem::take(&mut self.records).into_iter().collect();
        for batch in records.chunks(LOOKUP_BATCH_VALUES) {
            let select = Query::select()
                .column("jurisdiction_id")
                .distinct()
                .from("search_documents")
                .and_where(one_of_ids(backend, "id", batch)?)
                .and_where(Expr::col("jurisdiction_id").is_not_null())
                .to_owned();
            for row in transaction.query_all(&select).await.map_err(database)? {
                self.ids.entry(RecordType::Jurisdiction).or_default().insert(row.try_get_by_index(0).map_err(internal)?);
            }
        }
        let mut updated = [0, 0];
        for (ty, ids) in self.ids {
            let record = catalog().get(ty);
            let Some(column) = record.field_id(name).map(|id| record.field(id).column) else { continue };
            let ids: Vec<Uuid> = ids.into_iter().collect();
            for batch in ids.chunks(LOOKUP_BATCH_VALUES) {
                for (updated, published) in updated.iter_mut().zip([true, false]) {
                    let update = Query::update()
                        .table(Alias::new(record.table))
                        .value(Alias::new(column), now)
                        .and_where(one_of_ids(backend, "id", batch)?)
                        .and_where(Expr::col("published").eq(published))
                        // never backwards: the clock of another machine may be ahead
                        .and_where(Expr::col(Alias::new(column)).lt(now))
                        .to_owned();
                    *updated += transaction.execute(&update).await.map_err(database)?.rows_affected();
                }
            }
        }
        Ok(updated)
    }
}

impl FreshnessUpdates {
    /// Adds a submitted record, whether or not it changes.
    pub(crate) fn submitted(&mut self, submitted: SubmittedRecord<'_>) {
        let SubmittedRecord { record, id, draft, cells, cited, .. } = submitted;
        // publishing or unpublishing a record does not check its contents
        let is_published_field = |id: FieldId| record.field(id).name == "published";
        let only_publishes = draft.parts.is_empty() && matches!(draft.values[..], [(id, ..)] if is_published_field(id));
        let is_check = !only_publishes && !draft.target.restates_stored;
        if is_check {
            self.checked.add_record(record, id);
        }
        if record.field_id("published").is_none_or(|field| cells[field.index()] != Cell::Boolean(true)) {
            return;
        }
        if is_check {
            self.checked.add_jurisdiction(record, cells);
        }
        let cited = cited.iter().filter(|(_, is_new)| *is_new || !draft.target.restates_stored);
        self.checked.sources().extend(cited.map(|(source, _)| *source));
    }

    /// Adds a changed record that readers see or saw. `before` is the record as they saw it.
    pub(crate) fn changed(&mut self, submitted: SubmittedRecord<'_>, before: Option<&StoredRow>) {
        let SubmittedRecord { record, id, cells, cited, kept, .. } = submitted;
        self.changed.add_record(record, id);
        self.changed.add_jurisdiction(record, cells);
        self.changed.sources().extend(cited.iter().map(|(source, _)| *source).chain(kept.iter().copied()));
        if let Some(before) = before {
            self.changed.add_dependencies(record, before);
        }
    }

    /// Adds a removed record that readers saw.
    pub(crate) fn removed(&mut self, record: &Record, row: &StoredRow) {
        self.changed.add_dependencies(record, row);
    }

    /// Writes the updates, after all records of the same write. Returns whether any row was updated.
    pub(crate) async fn write(self, transaction: &DatabaseTransaction, now: DateTime<Utc>) -> Result<bool> {
        let [published, unpublished] = self.checked.write(transaction, CHECKED_AT, now).await?;
        let changed = self.changed.write(transaction, LAST_CHANGED_AT, now).await?;
        if published > 0 {
            dataset_version::record_check(transaction, now).await?;
        }
        Ok(published + unpublished + changed.iter().sum::<u64>() > 0)
    }
}

impl Store {
    /// Records that these sources and jurisdictions were checked without finding a change. Fails for all of them if one
    /// does not exist or is a record of another type, or if there are `problems` already: those of the ids that are not set.
    pub async fn mark_checked(&self, records: &[Option<(RecordType, Uuid)>], mut problems: Vec<InputProblem>) -> Result<(), WriteError> {
        let transaction = self.begin_exclusive().await?;
        let at = |position: usize| Origin::input(["ids"]).child(position, None);
        let mut checked = TouchedRecords::default();
        for (position, (ty, id)) in records.iter().enumerate().filter_map(|(position, record)| Some((position, record.as_ref()?))) {
            let record = catalog().get(*ty);
            if !record.is_checked() {
                let message =
                    format!("this is the id of {}; only sources and jurisdictions can be checked", with_article(&record.singular()));
                problems.push(InputProblem::new(at(position), message).with_code(ProblemCode::Invalid));
                continue;
            }
            let select = Query::select().column("id").from(Alias::new(record.table)).and_where(Expr::col("id").eq(*id)).to_owned();
            if transaction.query_one(&select).await.map_err(database)?.is_some() {
                checked.add_record(record, *id);
            } else {
                let message = format!("there is no {} with this id", record.singular());
                problems.push(InputProblem::new(at(position), message).with_code(ProblemCode::NotFound));
            }
        }
        if !problems.is_empty() {
            return Err(WriteError::Problems(problems));
        }
        let freshness = FreshnessUpdates { checked, ..FreshnessUpdates::default() };
        if freshness.write(&transaction, self.clock.now()).await? {
            self.commit(transaction).await?;
        }
        Ok(())
    }
}
