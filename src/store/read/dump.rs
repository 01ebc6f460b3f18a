//! Dumps: the whole published dataset in one snapshot. Each table is read in the order of its ids, page by page, in
//! constant memory.
//!
//! References to unpublished records are removed: an optional reference becomes null, and a row whose required reference
//! would be null is left out, as are the rows that require it in turn.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::kind::FieldKind;
use crate::catalog::record::{Record, RecordKind};
use crate::core::error::{Result, internal};
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::db::dataset_version;
use crate::store::handle::Store;
use crate::store::read::result::Cell;
use crate::store::sql::dialect::one_of_ids;

/// Number of ids that one statement looks up.
const LOOKUP_BATCH_IDS: usize = 1_000;
/// Number of names from which on the cache of names is cleared.
const MAX_CACHED_NAMES: usize = 20_000;

/// A snapshot of the published dataset.
#[derive(Debug)]
pub struct Dump {
    store: Store,
    /// Names of records and parts, the targets of references; `None` for rows that are left out.
    names: HashMap<(RecordType, Uuid), Option<String>>,
}

/// The target of a reference: a record or a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceTarget {
    /// Its type.
    pub ty: RecordType,
    /// Its id.
    pub id: Uuid,
    /// Its slug; of a part its key.
    pub name: String,
}

/// A row of a table.
#[derive(Debug)]
pub struct DumpRow {
    /// Its id.
    pub id: Uuid,
    /// Its cells, one per declared field.
    pub cells: Vec<Cell>,
    /// The targets of its references, one per declared field.
    pub targets: Vec<Option<ReferenceTarget>>,
}

/// A page of rows, in the order of ids.
#[derive(Debug)]
pub struct DumpPage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The id after which the next page starts; `None` at the end.
    pub next: Option<Uuid>,
}

/// A former name of a record: a slug it had, or the id of a record merged into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName<T> {
    /// Type of the record.
    pub ty: RecordType,
    /// The former slug or id.
    pub name: T,
    /// Id of the record today.
    pub record: Uuid,
}

impl Store {
    /// A dump of the published dataset as of now. It holds a connection until it is dropped.
    pub async fn dump(&self) -> Result<Dump> {
        Ok(Dump { store: self.snapshot().await?, names: HashMap::new() })
    }
}

impl Dump {
    /// The version of the dataset, and the instant of its last change.
    pub async fn version(&self) -> Result<(i64, DateTime<Utc>)> {
        let rows = self.store.fetch_all(&dataset_version::select_state()).await?;
        let row = rows.first().ok_or_else(dataset_version::missing_state)?;
        dataset_version::decode_state(row).map(|state| (state.number, state.changed_at))
    }

    /// Number of published rows in all tables.
    pub async fn count(&self) -> Result<u64> {
        let mut count = 0;
        for record in dumped_records() {
            let select = Query::select()
                .expr(Func::count(Expr::cust("*")))
                .from(Alias::new(record.table))
                .and_where(Expr::col("published").eq(true))
                .to_owned();
            count += self.store.fetch_count(&select).await?;
        }
        Ok(count)
    }

    /// The published rows of a type after an id. `limit` bounds the rows read; rows that are left out count.
    pub async fn rows(&mut self, record: &'static Record, after: Option<Uuid>, limit: usize) -> Result<DumpPage<DumpRow>> {
        let mut select = Query::select();
        select.column("id").columns(record.fields.iter().map(|field| Alias::new(field.column))).from(Alias::new(record.table));
        select.and_where(Expr::col("published").eq(true)).and_where_option(after.map(|id| Expr::col("id").gt(id)));
        select.order_by("id", Order::Asc).limit(limit as u64);
        let mut rows: Vec<DumpRow> = Vec::new();
        for row in self.store.fetch_all(&select).await? {
            let cells = record.fields.iter().zip(1..).map(|(field, index)| Cell::decode(&row, index, field.kind));
            let cells: Vec<Cell> = cells.collect::<Result<_, _>>().map_err(internal)?;
            rows.push(DumpRow { id: row.try_get_by_index(0).map_err(internal)?, targets: vec![None; cells.len()], cells });
        }
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.id);
        self.resolve_targets(record, &mut rows).await?;
        let is_complete =
            |row: &DumpRow| references(record).all(|field| !record.field(field).required || row.targets[field.index()].is_some());
        rows.retain(is_complete);
        Ok(DumpPage { rows, next })
    }

    /// Former slugs of published records, in the order of the ids of the records.
    pub async fn former_slugs(&mut self, after: Option<Uuid>, limit: usize) -> Result<DumpPage<FormerName<String>>> {
        let mut select = Query::select();
        select.columns(["record_type", "slug", "record_id"]).from("former_slugs").and_where(Expr::col("published").eq(true));
        select.and_where_option(after.map(|id| Expr::col("record_id").gt(id)));
        select.order_by("record_id", Order::Asc).limit(limit as u64);
        let mut found = Vec::new();
        for row in self.store.fetch_all(&select).await? {
            let prefix: String = row.try_get_by_index(0).map_err(internal)?;
            let (name, record) = (row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?);
            found.push((prefix, name, record));
        }
        let mut next = None;
        if let Some(last) = found.last().map(|(.., record)| *record).filter(|_| found.len() == limit) {
            // the slugs of the last record may continue on the next page
            let complete = found.iter().rposition(|(.., record)| *record != last).map_or(found.len(), |index| index + 1);
            found.truncate(complete);
            next = found.last().map(|(.., record)| *record);
        }
        let mut rows = self.retain_published(found).await?;
        rows.sort_by(|one, other| (one.record, &one.name).cmp(&(other.record, &other.name)));
        Ok(DumpPage { rows, next })
    }

    /// Ids of records that were merged into published records, in the order of these ids.
    pub async fn merged_ids(&mut self, after: Option<Uuid>, limit: usize) -> Result<DumpPage<FormerName<Uuid>>> {
        let mut select = Query::select();
        select.columns(["record_type", "id", "merged_into"]).from("nodes").and_where(Expr::col("merged_into").is_not_null());
        select.and_where_option(after.map(|id| Expr::col("id").gt(id)));
        select.order_by("id", Order::Asc).limit(limit as u64);
        let mut found: Vec<(String, Uuid, Uuid)> = Vec::new();
        for row in self.store.fetch_all(&select).await? {
            let prefix: String = row.try_get_by_index(0).map_err(internal)?;
            found.push((prefix, row.try_get_by_index(1).map_err(internal)?, row.try_get_by_index(2).map_err(internal)?));
        }
        let next = found.last().filter(|_| found.len() == limit).map(|(_, id, _)| *id);
        Ok(DumpPage { rows: self.retain_published(found).await?, next })
    }

    /// Keeps the former names of published records.
    async fn retain_published<T>(&mut self, found: Vec<(String, T, Uuid)>) -> Result<Vec<FormerName<T>>> {
        let typed =
            found.into_iter().filter_map(|(prefix, name, record)| Some(FormerName { ty: RecordType::from_prefix(&prefix)?, name, record }));
        let mut former: Vec<FormerName<T>> = typed.collect();
        self.fetch_names(former.iter().map(|former| (former.ty, former.record)).collect()).await?;
        former.retain(|former| self.name(former.ty, former.record).is_some());
        Ok(former)
    }

    fn name(&self, ty: RecordType, id: Uuid) -> Option<&String> {
        self.names.get(&(ty, id))?.as_ref()
    }

    /// Resolves the references of rows; references to rows that are left out become null.
    async fn resolve_targets(&mut self, record: &Record, rows: &mut [DumpRow]) -> Result<()> {
        if self.names.len() > MAX_CACHED_NAMES {
            self.names.clear();
        }
        let polymorphic = |row: &DumpRow| {
            let fields = references(record).filter(|field| matches!(record.field(*field).kind, FieldKind::Any));
            fields.filter_map(|field| id_in(&row.cells[field.index()])).collect::<Vec<Uuid>>()
        };
        let types = self.fetch_types(rows.iter().flat_map(polymorphic).collect()).await?;
        let target = |field: FieldId, cell: &Cell| Some((type_of(record, field, id_in(cell)?, &types)?, id_in(cell)?));
        let wanted = rows.iter().flat_map(|row| references(record).filter_map(|field| target(field, &row.cells[field.index()])));
        self.fetch_names(wanted.collect()).await?;
        for row in rows {
            for field in references(record) {
                let found = target(field, &row.cells[field.index()]);
                row.targets[field.index()] = found.and_then(|(ty, id)| Some(ReferenceTarget { ty, id, name: self.name(ty, id)?.clone() }));
                if row.targets[field.index()].is_none() {
                    row.cells[field.index()] = Cell::Null;
                }
            }
        }
        Ok(())
    }

    /// The types of records and of parts that can be cited, by id.
    async fn fetch_types(&self, ids: HashSet<Uuid>) -> Result<HashMap<Uuid, RecordType>> {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let mut types = HashMap::new();
        for chunk in ids.chunks(LOOKUP_BATCH_IDS) {
            let is_listed = one_of_ids(self.store.backend(), "id", chunk)?;
            let select = Query::select().columns(["id", "record_type"]).from("nodes").and_where(is_listed).to_owned();
            for row in self.store.fetch_all(&select).await? {
                let prefix: String = row.try_get_by_index(1).map_err(internal)?;
                let id = row.try_get_by_index(0).map_err(internal)?;
                types.extend(RecordType::from_prefix(&prefix).map(|ty| (id, ty)));
            }
        }
        Ok(types)
    }

    /// Fetches the names that are not cached, recursively: a row is left out if a row that it requires is.
    fn fetch_names(&mut self, wanted: HashSet<(RecordType, Uuid)>) -> BoxFuture<'_, Result<()>> {
        async move {
            let mut by_type: BTreeMap<RecordType, Vec<Uuid>> = BTreeMap::new();
            for (ty, id) in wanted.into_iter().filter(|wanted| !self.names.contains_key(wanted)) {
                by_type.entry(ty).or_default().push(id);
            }
            for (ty, ids) in by_type {
                // left out, unless found
                self.names.extend(ids.iter().map(|id| ((ty, *id), None)));
                for chunk in ids.chunks(LOOKUP_BATCH_IDS) {
                    self.fetch_names_of(catalog().get(ty), chunk).await?;
                }
            }
            Ok(())
        }
        .boxed()
    }

    async fn fetch_names_of(&mut self, record: &'static Record, ids: &[Uuid]) -> Result<()> {
        let name = if record.kind == RecordKind::Record { "slug" } else { "key" };
        let needed: Vec<FieldId> = references(record).filter(|field| record.field(*field).required).collect();
        let mut select = Query::select();
        select.columns(["id", name]).columns(needed.iter().map(|field| Alias::new(record.field(*field).column)));
        select.from(Alias::new(record.table)).and_where(Expr::col("published").eq(true));
        select.and_where(one_of_ids(self.store.backend(), "id", ids)?);
        let mut found: Vec<(Uuid, String, Vec<Option<Uuid>>)> = Vec::new();
        for row in self.store.fetch_all(&select).await? {
            let required: Result<Vec<Option<Uuid>>, _> = (2..2 + needed.len()).map(|index| row.try_get_by_index(index)).collect();
            found.push((
                row.try_get_by_index(0).map_err(internal)?,
                row.try_get_by_index(1).map_err(internal)?,
                required.map_err(internal)?,
            ));
        }
        let is_any = |field: &FieldId| matches!(record.field(*field).kind, FieldKind::Any);
        let polymorphic =
            found.iter().flat_map(|(_, _, required)| needed.iter().zip(required).filter_map(|(field, id)| id.filter(|_| is_any(field))));
        let types = self.fetch_types(polymorphic.collect()).await?;
        let target = |field: FieldId, id: Option<Uuid>| Some((type_of(record, field, id?, &types)?, id?));
        let required = found.iter().flat_map(|(_, _, required)| needed.iter().zip(required).filter_map(|(field, id)| target(*field, *id)));
        self.fetch_names(required.collect()).await?;
        for (id, name, required) in &found {
            let mut required = needed.iter().zip(required).map(|(field, id)| target(*field, *id));
            let is_complete = required.all(|target| target.is_some_and(|(ty, id)| self.name(ty, id).is_some()));
            self.names.insert((record.ty, *id), is_complete.then(|| name.clone()));
        }
        Ok(())
    }
}

/// The types in a dump: all records and parts.
pub fn dumped_records() -> impl Iterator<Item = &'static Record> {
    catalog().all().filter(|record| record.kind != RecordKind::Log)
}

/// The fields that refer to records or parts.
fn references(record: &Record) -> impl Iterator<Item = FieldId> {
    record.fields_with_ids().filter(|(_, field)| matches!(field.kind, FieldKind::One(_) | FieldKind::Any)).map(|(id, _)| id)
}

fn id_in(cell: &Cell) -> Option<Uuid> {
    match cell {
        Cell::Id(id) => Some(*id),
        _ => None,
    }
}

fn type_of(record: &Record, field: FieldId, id: Uuid, types: &HashMap<Uuid, RecordType>) -> Option<RecordType> {
    match record.field(field).kind {
        FieldKind::One(ty) => Some(ty),
        _ => types.get(&id).copied(),
    }
}
