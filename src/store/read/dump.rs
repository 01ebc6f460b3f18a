//! The whole published dataset as it is at one moment: every table from its beginning to its end, in the order of ids,
//! page by page, so that it takes the memory of a page however long it is.
//!
//! What leads to a draft is left out: a reference that may be missing is missing, and a row that cannot be without it
//! is not there, nor is what cannot be without that row.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query};
use uuid::Uuid;

use crate::catalog::record::{FieldKind, Record, RecordKind, catalog};
use crate::core::error::{Result, internal};
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::db::dataset_version;
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;

/// Ids looked up by one statement at most.
const CHUNK: usize = 1_000;
/// Records that are remembered because others refer to them.
const REMEMBERED: usize = 20_000;

/// The published dataset at one moment.
#[derive(Debug)]
pub struct Dump {
    store: Store,
    /// What records and parts are called that may be referred to; nothing for those that are left out.
    known: HashMap<(RecordType, Uuid), Option<String>>,
}

/// A record or part that another refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its type.
    pub ty: RecordType,
    /// Its id.
    pub id: Uuid,
    /// Its slug, or its key where it is a part.
    pub name: String,
}

/// A row of a table.
#[derive(Debug)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Its cells, one for each declared field.
    pub cells: Vec<Cell>,
    /// What it refers to, for each declared field.
    pub targets: Vec<Option<Target>>,
}

/// Some rows in the order of their ids.
#[derive(Debug)]
pub struct Entries<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next begin; nothing at the end.
    pub next: Option<Uuid>,
}

/// A slug that a record had before, or an id that it took over from a record that was merged into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName<T> {
    /// Type of the record.
    pub ty: RecordType,
    /// What it was called by.
    pub name: T,
    /// Id of the record.
    pub record: Uuid,
}

impl Store {
    /// The published dataset as it is now. It keeps a connection for as long as it lives.
    pub async fn dump(&self) -> Result<Dump> {
        Ok(Dump { store: self.snapshot().await?, known: HashMap::new() })
    }
}

impl Dump {
    /// The version of the dataset, and when it changed last.
    pub async fn version(&self) -> Result<(i64, DateTime<Utc>)> {
        let rows = self.store.read(&dataset_version::select()).await?;
        let row = rows.first().ok_or_else(|| internal("the database has no row that tells its version"))?;
        dataset_version::read(row).map(|state| (state.number, state.changed_at))
    }

    /// Number of rows that are published.
    pub async fn count(&self) -> Result<u64> {
        let mut count = 0;
        for record in dumped() {
            let select = Query::select()
                .expr(Func::count(Expr::cust("*")))
                .from(Alias::new(record.table))
                .and_where(Expr::col("published").eq(true))
                .to_owned();
            count += self.store.read_count(&select).await?;
        }
        Ok(count)
    }

    /// Rows of a type after this id, so many of the table at most.
    pub async fn entries(&mut self, record: &'static Record, after: Option<Uuid>, most: usize) -> Result<Entries<Entry>> {
        let mut select = Query::select();
        select.column("id").columns(record.fields.iter().map(|field| Alias::new(field.column))).from(Alias::new(record.table));
        select.and_where(Expr::col("published").eq(true)).and_where_option(after.map(|id| Expr::col("id").gt(id)));
        select.order_by("id", Order::Asc).limit(most as u64);
        let mut rows: Vec<Entry> = Vec::new();
        for row in self.store.read(&select).await? {
            let cells = record.fields.iter().zip(1..).map(|(field, place)| Cell::read(&row, place, field.kind));
            let cells: Vec<Cell> = cells.collect::<Result<_, _>>().map_err(internal)?;
            rows.push(Entry { id: row.try_get_by_index(0).map_err(internal)?, targets: vec![None; cells.len()], cells });
        }
        let next = rows.last().filter(|_| rows.len() == most).map(|row| row.id);
        self.find_targets(record, &mut rows).await?;
        let stands = |row: &Entry| references(record).all(|field| !record.fields[field].required || row.targets[field].is_some());
        rows.retain(stands);
        Ok(Entries { rows, next })
    }

    /// Slugs that records had before, in the order of the ids of the records.
    pub async fn former_slugs(&mut self, after: Option<Uuid>, most: usize) -> Result<Entries<FormerName<String>>> {
        let mut select = Query::select();
        select.columns(["record_type", "slug", "record_id"]).from("former_slugs");
        select.and_where_option(after.map(|id| Expr::col("record_id").gt(id)));
        select.order_by("record_id", Order::Asc).limit(most as u64);
        let mut found = Vec::new();
        for row in self.store.read(&select).await? {
            let prefix: String = row.try_get_by_index(0).map_err(internal)?;
            let (name, record) = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
            found.push((prefix, name, record));
        }
        let mut next = None;
        if let Some(last) = found.last().map(|(.., record)| *record).filter(|_| found.len() == most) {
            // those of the last record may go on on the next page
            let whole = found.iter().rposition(|(.., record)| *record != last).map_or(found.len(), |place| place + 1);
            found.truncate(whole);
            next = found.last().map(|(.., record)| *record);
        }
        let mut rows = self.of_published(found).await?;
        rows.sort_by(|one, other| (one.record, &one.name).cmp(&(other.record, &other.name)));
        Ok(Entries { rows, next })
    }

    /// Ids of records that were merged into others, in the order of these ids.
    pub async fn merged_ids(&mut self, after: Option<Uuid>, most: usize) -> Result<Entries<FormerName<Uuid>>> {
        let mut select = Query::select();
        select.columns(["record_type", "id", "merged_into"]).from("nodes").and_where(Expr::col("merged_into").is_not_null());
        select.and_where_option(after.map(|id| Expr::col("id").gt(id)));
        select.order_by("id", Order::Asc).limit(most as u64);
        let mut found: Vec<(String, Uuid, Uuid)> = Vec::new();
        for row in self.store.read(&select).await? {
            let prefix: String = row.try_get_by_index(0).map_err(internal)?;
            found.push((prefix, row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?));
        }
        let next = found.last().filter(|_| found.len() == most).map(|(_, id, _)| *id);
        Ok(Entries { rows: self.of_published(found).await?, next })
    }

    /// Those that lead to a record that is published.
    async fn of_published<T>(&mut self, found: Vec<(String, T, Uuid)>) -> Result<Vec<FormerName<T>>> {
        let typed =
            found.into_iter().filter_map(|(prefix, name, record)| Some(FormerName { ty: RecordType::from_prefix(&prefix)?, name, record }));
        let mut former: Vec<FormerName<T>> = typed.collect();
        self.learn(former.iter().map(|former| (former.ty, former.record)).collect()).await?;
        former.retain(|former| self.name(former.ty, former.record).is_some());
        Ok(former)
    }

    fn name(&self, ty: RecordType, id: Uuid) -> Option<&String> {
        self.known.get(&(ty, id))?.as_ref()
    }

    /// Finds what rows refer to; what leads to something that is left out leads nowhere.
    async fn find_targets(&mut self, record: &Record, rows: &mut [Entry]) -> Result<()> {
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        let any = |row: &Entry| {
            let referred = references(record).filter(|field| matches!(record.fields[*field].kind, FieldKind::Any));
            referred.filter_map(|field| id_in(&row.cells[field])).collect::<Vec<Uuid>>()
        };
        let types = self.types(rows.iter().flat_map(any).collect()).await?;
        let target = |field: usize, cell: &Cell| Some((type_of(record, field, id_in(cell)?, &types)?, id_in(cell)?));
        let wanted = rows.iter().flat_map(|row| references(record).filter_map(|field| target(field, &row.cells[field])));
        self.learn(wanted.collect()).await?;
        for row in rows {
            for field in references(record) {
                let found = target(field, &row.cells[field]);
                row.targets[field] = found.and_then(|(ty, id)| Some(Target { ty, id, name: self.name(ty, id)?.clone() }));
                if row.targets[field].is_none() {
                    row.cells[field] = Cell::Null;
                }
            }
        }
        Ok(())
    }

    /// Types of records and of parts that can be cited.
    async fn types(&self, ids: HashSet<Uuid>) -> Result<HashMap<Uuid, RecordType>> {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let mut types = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let is_one = one_of_ids(self.store.backend(), "id", chunk)?;
            let select = Query::select().columns(["id", "record_type"]).from("nodes").and_where(is_one).to_owned();
            for row in self.store.read(&select).await? {
                let prefix: String = row.try_get_by_index(1).map_err(internal)?;
                let id = row.try_get_by_index(0).map_err(internal)?;
                types.extend(RecordType::from_prefix(&prefix).map(|ty| (id, ty)));
            }
        }
        Ok(types)
    }

    /// Finds out what these are called, and which of them are left out.
    fn learn(&mut self, wanted: HashSet<(RecordType, Uuid)>) -> BoxFuture<'_, Result<()>> {
        async move {
            let mut by_type: BTreeMap<RecordType, Vec<Uuid>> = BTreeMap::new();
            for (ty, id) in wanted.into_iter().filter(|wanted| !self.known.contains_key(wanted)) {
                by_type.entry(ty).or_default().push(id);
            }
            for (ty, ids) in by_type {
                // left out, unless it is found
                self.known.extend(ids.iter().map(|id| ((ty, *id), None)));
                for chunk in ids.chunks(CHUNK) {
                    self.learn_some(catalog().get(ty), chunk).await?;
                }
            }
            Ok(())
        }
        .boxed()
    }

    async fn learn_some(&mut self, record: &'static Record, ids: &[Uuid]) -> Result<()> {
        let name = if record.shape == RecordKind::Record { "slug" } else { "key" };
        let needed: Vec<usize> = references(record).filter(|field| record.fields[*field].required).collect();
        let mut select = Query::select();
        select.columns(["id", name]).columns(needed.iter().map(|field| Alias::new(record.fields[*field].column)));
        select.from(Alias::new(record.table)).and_where(Expr::col("published").eq(true));
        select.and_where(one_of_ids(self.store.backend(), "id", ids)?);
        let mut found: Vec<(Uuid, String, Vec<Option<Uuid>>)> = Vec::new();
        for row in self.store.read(&select).await? {
            let leads: Result<Vec<Option<Uuid>>, _> = (2..2 + needed.len()).map(|place| row.try_get_by_index(place)).collect();
            found.push((row.try_get_by_index(0).map_err(internal)?, row.try_get_by_index(1).map_err(internal)?, leads.map_err(internal)?));
        }
        let is_any = |field: &usize| matches!(record.fields[*field].kind, FieldKind::Any);
        let any = found.iter().flat_map(|(_, _, leads)| needed.iter().zip(leads).filter_map(|(field, id)| id.filter(|_| is_any(field))));
        let types = self.types(any.collect()).await?;
        let target = |field: usize, id: Option<Uuid>| Some((type_of(record, field, id?, &types)?, id?));
        let leads = found.iter().flat_map(|(_, _, leads)| needed.iter().zip(leads).filter_map(|(field, id)| target(*field, *id)));
        self.learn(leads.collect()).await?;
        for (id, name, leads) in &found {
            let leads = needed.iter().zip(leads).map(|(field, id)| target(*field, *id));
            let stands = leads.into_iter().all(|lead| lead.is_some_and(|(ty, id)| self.name(ty, id).is_some()));
            self.known.insert((record.ty, *id), stands.then(|| name.clone()));
        }
        Ok(())
    }
}

/// What a dump holds: every type of record and part.
pub fn dumped() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.shape != RecordKind::Log)
}

/// Places of the fields that refer to records or parts.
fn references(record: &Record) -> impl Iterator<Item = usize> {
    record.fields.iter().enumerate().filter(|(_, field)| matches!(field.kind, FieldKind::One(_) | FieldKind::Any)).map(|(place, _)| place)
}

fn id_in(cell: &Cell) -> Option<Uuid> {
    match cell {
        Cell::Id(id) => Some(*id),
        _ => None,
    }
}

fn type_of(record: &Record, field: usize, id: Uuid, types: &HashMap<Uuid, RecordType>) -> Option<RecordType> {
    match record.fields[field].kind {
        FieldKind::One(ty) => Some(ty),
        _ => types.get(&id).copied(),
    }
}
