//! Reads what is known of stored persons and organizations.

use std::collections::HashMap;

use sea_orm::sea_query::{Alias, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::{Result, internal};
use crate::core::id;
use crate::entity::RecordType;
use crate::store::curation::withholding::name_parts::NAME_FIELDS;
use crate::store::curation::withholding::name_recognition::forms::REPLACEMENT_NAMES;
use crate::store::error::database;
use crate::store::handle::Store;
use crate::store::likeness::name::Name;
use crate::store::likeness::score::{Comparison, Subject};
use crate::store::read::plan::{Lookup, Plan};
use crate::store::read::result::{Cell, RowRef};
use crate::store::sql::dialect::{one_of, one_of_ids};
use crate::store::sql::filter::Visibility;

/// Records that one statement reads.
const READ_BATCH_RECORDS: usize = 1_000;
/// Names of a record that are compared.
const MAX_NAMES: usize = 50;

/// What reads: a store for a caller, who sees what the store shows, or a transaction that writes, which sees all.
#[derive(Clone, Copy)]
pub(crate) enum Reader<'r> {
    Store(&'r Store),
    Transaction(&'r DatabaseTransaction),
}

impl Reader<'_> {
    pub(crate) fn backend(self) -> DbBackend {
        match self {
            Self::Store(store) => store.backend(),
            Self::Transaction(transaction) => transaction.get_database_backend(),
        }
    }

    pub(crate) fn visibility(self) -> Visibility {
        match self {
            Self::Store(store) => store.visibility,
            Self::Transaction(_) => Visibility::All,
        }
    }

    pub(crate) async fn fetch_all(self, select: &SelectStatement) -> Result<Vec<QueryResult>> {
        match self {
            Self::Store(store) => store.fetch_all(select).await,
            Self::Transaction(transaction) => transaction.query_all(select).await.map_err(database),
        }
    }

    /// Rows of a table whose column has one of these ids, as far as they are visible.
    async fn fetch_by_ids(
        self,
        table: &'static str,
        column: &'static str,
        ids: &[Uuid],
        columns: &[&'static str],
    ) -> Result<Vec<QueryResult>> {
        let mut rows = Vec::new();
        for batch in ids.chunks(READ_BATCH_RECORDS) {
            let select = Query::select()
                .columns(columns.iter().map(|name| Alias::new(*name)))
                .from(Alias::new(table))
                .and_where(one_of_ids(self.backend(), column, batch)?)
                .and_where_option(self.visibility().predicate(table))
                .to_owned();
            rows.extend(self.fetch_all(&select).await?);
        }
        Ok(rows)
    }
}

/// A stored record that is compared.
#[derive(Debug, Clone)]
pub struct StoredSubject {
    /// Its slug.
    pub slug: String,
    /// What is known of it.
    pub subject: Subject,
}

/// What the cells of a record tell, without identifiers. The jurisdiction has its id in place of its slug.
pub(crate) fn subject_of_cells(comparison: &Comparison, record: &Record, cells: &[Cell]) -> Subject {
    let cell = |name: &str| record.field_id(name).map_or(&Cell::Null, |field| &cells[field.index()]);
    // the label of withheld persons is no name
    let is_name = |text: &&str| REPLACEMENT_NAMES.iter().all(|(_, label)| text != label);
    let names = NAME_FIELDS.iter().flat_map(|name| cell(name).texts()).filter(is_name).take(MAX_NAMES).map(Name::parse);
    let mut unique: Vec<Name> = Vec::new();
    for name in names.filter(|name| !name.words.is_empty()) {
        if !unique.iter().any(|known| known.words == name.words) {
            unique.push(name);
        }
    }
    let jurisdiction = match cell("jurisdiction") {
        Cell::Id(id) => Some((*id, id::encode(RecordType::Jurisdiction.prefix(), *id))),
        Cell::Null | Cell::Text(_) | Cell::Integer(_) | Cell::Number(_) | Cell::Boolean(_) | Cell::Instant(_) | Cell::Json(_) => None,
    };
    Subject {
        names: unique,
        // stored dates are valid
        dates: comparison.dates.map(|(name, _)| cell(name).as_text().and_then(|text| text.parse().ok())),
        identifiers: Vec::new(),
        jurisdiction,
        classification: cell("classification").as_text().map(str::to_owned),
    }
}

/// Fields of the records that tell what they are.
fn compared_fields(comparison: &Comparison) -> impl Iterator<Item = &'static str> {
    let dates = comparison.dates.map(|(name, _)| name);
    NAME_FIELDS.into_iter().chain(dates).chain(["jurisdiction", "classification"])
}

/// What is known of records of a type, by id. Records that are not visible are left out, as are jurisdictions that are not.
pub(crate) async fn load(reader: Reader<'_>, comparison: &Comparison, ids: &[Uuid]) -> Result<HashMap<Uuid, StoredSubject>> {
    let record = catalog().get(comparison.ty);
    let fields: Vec<_> = compared_fields(comparison).filter_map(|name| record.field_id(name)).collect();
    let mut columns = vec!["id", "slug"];
    columns.extend(fields.iter().map(|field| record.field(*field).column));
    let mut found = HashMap::new();
    for row in reader.fetch_by_ids(record.table, "id", ids, &columns).await? {
        let mut cells = vec![Cell::Null; record.fields.len()];
        for (index, field) in fields.iter().enumerate() {
            cells[field.index()] = Cell::decode(&row, index + 2, record.field(*field).kind).map_err(internal)?;
        }
        let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
        let slug = row.try_get_by_index(1).map_err(internal)?;
        found.insert(id, StoredSubject { slug, subject: subject_of_cells(comparison, record, &cells) });
    }
    add_identifiers(reader, &mut found).await?;
    name_jurisdictions(reader, &mut found).await?;
    Ok(found)
}

async fn add_identifiers(reader: Reader<'_>, found: &mut HashMap<Uuid, StoredSubject>) -> Result<()> {
    let mut ids: Vec<Uuid> = found.keys().copied().collect();
    ids.sort_unstable();
    let table = catalog().get(RecordType::Identifier).table;
    for row in reader.fetch_by_ids(table, "record_id", &ids, &["record_id", "scheme", "value"]).await? {
        let owner: Uuid = row.try_get_by_index(0).map_err(internal)?;
        let pair = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
        if let Some(stored) = found.get_mut(&owner) {
            stored.subject.identifiers.push(pair);
        }
    }
    for stored in found.values_mut() {
        stored.subject.identifiers.sort();
    }
    Ok(())
}

async fn name_jurisdictions(reader: Reader<'_>, found: &mut HashMap<Uuid, StoredSubject>) -> Result<()> {
    let mut ids: Vec<Uuid> = found.values().filter_map(|stored| Some(stored.subject.jurisdiction.as_ref()?.0)).collect();
    ids.sort_unstable();
    ids.dedup();
    let table = catalog().get(RecordType::Jurisdiction).table;
    let mut slugs: HashMap<Uuid, String> = HashMap::new();
    for row in reader.fetch_by_ids(table, "id", &ids, &["id", "slug"]).await? {
        slugs.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
    }
    for stored in found.values_mut() {
        let jurisdiction = stored.subject.jurisdiction.take();
        stored.subject.jurisdiction = jurisdiction.and_then(|(id, _)| Some((id, slugs.get(&id)?.clone())));
    }
    Ok(())
}

impl Store {
    /// What is known of one visible record; `None` if there is none, or if records of the type are not compared.
    pub(crate) async fn subject(&self, comparison: &Comparison, id: Uuid) -> Result<Option<Subject>> {
        Ok(load(Reader::Store(self), comparison, &[id]).await?.remove(&id).map(|stored| stored.subject))
    }

    /// The id of the visible record that this id leads to: after a merge, that of the record it was merged into. The id itself
    /// if there is none.
    pub(crate) async fn current_id(&self, ty: RecordType, id: Uuid) -> Result<Uuid> {
        let found = self.get(&Lookup::Id(id), &Plan::new(ty)).await?;
        Ok(found.get(0).map_or(id, RowRef::uuid))
    }

    /// The ids of visible jurisdictions by their slugs.
    pub async fn jurisdictions_by_slug(&self, slugs: &[&str]) -> Result<HashMap<String, Uuid>> {
        let table = catalog().get(RecordType::Jurisdiction).table;
        let select = Query::select()
            .columns(["slug", "id"])
            .from(Alias::new(table))
            .and_where(one_of(self.backend(), "slug", slugs)?)
            .and_where_option(self.visibility.predicate(table))
            .to_owned();
        let mut found = HashMap::new();
        for row in self.fetch_all(&select).await? {
            found.insert(row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?);
        }
        Ok(found)
    }
}
