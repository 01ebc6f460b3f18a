//! Reads a plan: one statement for each level, those of one level at the same time.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, SimpleExpr, WindowStatement};
use sea_orm::{DbErr, QueryResult, Statement, Value as Bound};
use uuid::Uuid;

use crate::date::PartialDate;
use crate::entity::RecordType;
use crate::error::{Result, internal, invalid_cursor};
use crate::filter::{Filter, Test, Value};
use crate::page::{Cursor, Direction, Page};
use crate::store::condition::{Conditions, column, sort_key, visible};
use crate::store::db::Store;
use crate::store::plan::{Child, List, Plan};
use crate::store::record::{Field, Kind, Record, Relation, Shape, Via, catalog};
use crate::store::row::{Cell, Found, Level, Node, Row, Slice};

/// How one record is named.
#[derive(Debug, Clone)]
pub enum By {
    /// By its id.
    Id(Uuid),
    /// By its slug.
    Slug(String),
    /// By an identifier that another register gave it.
    Identifier {
        /// The register.
        scheme: String,
        /// The identifier.
        value: String,
    },
}

/// Name of the table that rows are read from, in every statement.
const TABLE: &str = "t";
/// Variables in one statement at most: SQLite takes 32,766.
const CHUNK: usize = 16_000;

impl Store {
    /// One record, or nothing where no published record is named so. The old id of a merged record leads to the one it became.
    pub async fn get(&self, by: &By, plan: &Plan) -> Result<Option<Node>> {
        let found = self.get_unmerged(by, plan).await?;
        match by {
            By::Id(id) if found.is_none() && catalog().get(plan.ty).shape == Shape::Record => match self.merged_into(*id).await? {
                Some(id) => self.get_unmerged(&By::Id(id), plan).await,
                None => Ok(None),
            },
            _ => Ok(found),
        }
    }

    async fn get_unmerged(&self, by: &By, plan: &Plan) -> Result<Option<Node>> {
        let mut select = self.select(plan);
        match by {
            By::Id(id) => select.and_where(column(TABLE, "id").eq(*id)),
            By::Slug(slug) => select.and_where(column(TABLE, "slug").eq(slug.as_str())),
            By::Identifier { scheme, value } => {
                let identifiers = catalog().get(RecordType::Identifier);
                let owner = identifiers.fields[0].column;
                select
                    .join_as(
                        JoinType::InnerJoin,
                        Alias::new(identifiers.table),
                        Alias::new("i"),
                        column("i", owner).equals((Alias::new(TABLE), Alias::new("id"))),
                    )
                    .and_where(column("i", "scheme").eq(scheme.as_str()))
                    .and_where(column("i", "value").eq(value.as_str()))
            }
        };
        let mut rows = rows(&self.read(&select).await?, plan, None)?;
        if rows.is_empty() {
            return Ok(None);
        }
        rows.truncate(1);
        let level = self.with_children(plan, rows, String::new()).await;
        Ok(Some(Node::new(level, 0)))
    }

    /// The id that the record with this id was merged into.
    async fn merged_into(&self, id: Uuid) -> Result<Option<Uuid>> {
        let select = Query::select()
            .column("merged_into")
            .from("nodes")
            .and_where(Expr::col("id").eq(id))
            .and_where(Expr::col("merged_into").is_not_null())
            .to_owned();
        let rows = self.read(&select).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)
    }

    /// Records of one type by their ids, in any order; what is not there or not published is left out.
    pub async fn get_many(&self, plan: &Plan, mut ids: Vec<Uuid>) -> Result<Arc<Level>> {
        ids.sort_unstable();
        ids.dedup();
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let mut select = self.select(plan);
            select.and_where(column(TABLE, "id").is_in(chunk.iter().copied()));
            found.extend(rows(&self.read(&select).await?, plan, None)?);
        }
        Ok(self.with_children(plan, found, String::new()).await)
    }

    /// Records of any of these types by their ids, one for each id or nothing, in the order of the ids.
    pub async fn nodes(&self, plans: &[Plan], ids: &[Option<(RecordType, Uuid)>]) -> Result<Vec<Option<Node>>> {
        let levels = join_all(plans.iter().map(async |plan| {
            let wanted: Vec<Uuid> = ids.iter().flatten().filter(|(ty, _)| *ty == plan.ty).map(|(_, id)| *id).collect();
            match wanted.is_empty() {
                true => Ok(None),
                false => self.get_many(plan, wanted).await.map(Some),
            }
        }))
        .await;
        let mut by_id = HashMap::new();
        for level in levels {
            if let Some(level) = level? {
                by_id.extend(level.rows.iter().enumerate().map(|(row, found)| ((level.ty, found.id), Node::new(level.clone(), row))));
            }
        }
        Ok(ids.iter().map(|id| by_id.get(id.as_ref()?).cloned()).collect())
    }

    /// The statement that reads a page, for a look at how the database runs it.
    pub fn statement(&self, list: &List) -> Result<Statement> {
        Ok(self.backend().build(&self.page_select(list)?))
    }

    fn page_select(&self, list: &List) -> Result<SelectStatement> {
        let mut select = self.list(list, None)?;
        run_in_order(&mut select, &list.page, catalog().get(list.plan.ty), list.order);
        Ok(select)
    }

    /// A page of all records of a type.
    pub async fn page(&self, list: &List) -> Result<Slice> {
        let rows = async {
            if !list.rows {
                return Ok(Vec::new());
            }
            rows(&self.read(&self.page_select(list)?).await?, &list.plan, Some(list.order.0))
        };
        let total = async {
            match list.total {
                true => self.count(list).await.map(Some),
                false => Ok(None),
            }
        };
        let (rows, total) = futures_util::future::join(rows, total).await;
        let (rows, total) = (rows?, total?);
        let (rows, next, previous) = cut(rows, &list.page);
        let level = self.with_children(&list.plan, rows, catalog().get(list.plan.ty).list_name(list.order)).await;
        let end = level.rows.len();
        Ok(Slice::new(level, 0, end, next, previous, total))
    }

    /// Number of records that a list holds, whatever its page.
    pub async fn count(&self, list: &List) -> Result<u64> {
        let record = catalog().get(list.plan.ty);
        let select = Query::select()
            .expr(Func::count(Expr::cust("*")))
            .from_as(Alias::new(record.table), Alias::new(TABLE))
            .and_where(visible(TABLE))
            .cond_where(Conditions::new(self.backend()).condition(record, TABLE, &list.filter))
            .to_owned();
        let rows = self.read(&select).await?;
        let count: i64 = rows.first().map(|row| row.try_get_by_index(0)).transpose().map_err(internal)?.unwrap_or(0);
        Ok(count.unsigned_abs())
    }

    /// A page of a relation for each of these parents, by one statement.
    async fn pages_by_parent(&self, relation: &Relation, list: &List, parents: &[Uuid]) -> Result<Vec<Slice>> {
        let mut unique = parents.to_vec();
        unique.sort_unstable();
        unique.dedup();
        let record = catalog().get(list.plan.ty);
        let rows = async {
            let mut grouped: HashMap<Uuid, Vec<Row>> = HashMap::new();
            if !list.rows {
                return Ok(grouped);
            }
            for chunk in unique.chunks(CHUNK) {
                let select = self.pages(relation, list, chunk, record)?;
                for found in self.read(&select).await? {
                    let (parent, row) = row_with_parent(&found, list).map_err(internal)?;
                    grouped.entry(parent).or_default().push(row);
                }
            }
            Ok(grouped)
        };
        let totals = async {
            match list.total {
                true => self.counts_by_parent(relation, list, &unique).await.map(Some),
                false => Ok(None),
            }
        };
        let (grouped, totals) = futures_util::future::join(rows, totals).await;
        let (mut grouped, totals) = (grouped?, totals?);
        let mut all = Vec::new();
        let mut places = HashMap::new();
        for parent in &unique {
            let (rows, next, previous) = cut(grouped.remove(parent).unwrap_or_default(), &list.page);
            let start = all.len();
            all.extend(rows);
            places.insert(*parent, (start, all.len(), next, previous));
        }
        let level = self.with_children(&list.plan, all, record.list_name(list.order)).await;
        Ok(parents
            .iter()
            .map(|parent| {
                let (start, end, next, previous) = places[parent];
                let total = totals.as_ref().map(|totals| totals.get(parent).copied().unwrap_or(0));
                Slice::new(level.clone(), start, end, next, previous, total)
            })
            .collect())
    }

    fn pages(&self, relation: &Relation, list: &List, parents: &[Uuid], record: &Record) -> Result<SelectStatement> {
        let mut select = self.list(list, Some((relation, parents)))?;
        // one parent needs no window: the index gives its first rows and stops
        if let [_] = parents {
            run_in_order(&mut select, &list.page, record, list.order);
            return Ok(select);
        }
        let direction = run_direction(&list.page, list.order.1);
        let mut window = WindowStatement::partition_by(parent_column(relation));
        window.order_by_expr(sort_key(TABLE, &record.fields[list.order.0]), direction.clone());
        window.order_by_expr(column(TABLE, "id"), direction);
        select.expr_window_as(Func::cust("ROW_NUMBER"), window, "n");
        let limit = i64::from(list.page.size) + 1;
        Ok(Query::select()
            .expr(Expr::cust("*"))
            .from_subquery(select, "p")
            .and_where(Expr::col("n").lte(limit))
            .order_by("n", Order::Asc)
            .to_owned())
    }

    async fn counts_by_parent(&self, relation: &Relation, list: &List, parents: &[Uuid]) -> Result<HashMap<Uuid, u64>> {
        let record = catalog().get(list.plan.ty);
        let mut counts = HashMap::new();
        for chunk in parents.chunks(CHUNK) {
            let mut select = Query::select();
            let parent = join_parents(&mut select, record, relation, chunk);
            select
                .expr(parent.clone())
                .expr(Func::count(Expr::cust("*")))
                .and_where(visible(TABLE))
                .cond_where(Conditions::new(self.backend()).condition(record, TABLE, &list.filter))
                .add_group_by([parent]);
            for row in self.read(&select).await? {
                let parent: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let count: i64 = row.try_get_by_index(1).map_err(internal)?;
                counts.insert(parent, count.unsigned_abs());
            }
        }
        Ok(counts)
    }

    /// Rows of a list as the page wants them, without order and limit.
    fn list(&self, list: &List, parents: Option<(&Relation, &[Uuid])>) -> Result<SelectStatement> {
        let record = catalog().get(list.plan.ty);
        let order_field = &record.fields[list.order.0];
        let mut select = Query::select();
        let parent = match parents {
            Some((relation, parents)) => Some(join_parents(&mut select, record, relation, parents)),
            None => {
                select.from_as(Alias::new(record.table), Alias::new(TABLE));
                None
            }
        };
        columns(&mut select, &list.plan, Some(sort_key(TABLE, order_field)), parent);
        select.and_where(visible(TABLE));
        select.cond_where(Conditions::new(self.backend()).condition(record, TABLE, &list.filter));
        for (cursor, argument, direction) in
            [(&list.page.after, "after", list.order.1), (&list.page.before, "before", list.order.1.reversed())]
        {
            if let Some(cursor) = cursor {
                select.cond_where(beyond(order_field, cursor, direction, argument)?);
            }
        }
        Ok(select)
    }

    fn select(&self, plan: &Plan) -> SelectStatement {
        let mut select = Query::select();
        select.from_as(Alias::new(catalog().get(plan.ty).table), Alias::new(TABLE)).and_where(visible(TABLE));
        columns(&mut select, plan, None, None);
        select
    }

    /// Reads what hangs below rows, all of it at the same time.
    async fn with_children(&self, plan: &Plan, rows: Vec<Row>, list: String) -> Arc<Level> {
        let mut level = Level { ty: plan.ty, fields: plan.fields.clone(), rows, children: Vec::new(), list };
        let below = join_all(plan.children.iter().map(async |(name, child)| {
            let found = match level.rows.is_empty() {
                true => Found::Many(Vec::new()),
                false => self.child(&level, child).await.unwrap_or_else(Found::Failed),
            };
            (name.clone(), found)
        }))
        .await;
        level.children = below;
        Arc::new(level)
    }

    fn child<'a>(&'a self, level: &'a Level, child: &'a Child) -> BoxFuture<'a, Result<Found>> {
        async move {
            match child {
                Child::Many(relation, list) => {
                    let relation = &catalog().get(level.ty).relations[*relation];
                    let parents: Vec<Uuid> = level.rows.iter().map(|row| row.id).collect();
                    Ok(Found::Many(self.pages_by_parent(relation, list, &parents).await?))
                }
                Child::One(field, plan) => {
                    let ids = references(level, *field);
                    let found = self.get_many(plan, ids.iter().flatten().copied().collect()).await?;
                    let places: HashMap<Uuid, usize> = found.rows.iter().enumerate().map(|(row, found)| (found.id, row)).collect();
                    let at = ids.iter().map(|id| Some((0, *places.get(id.as_ref()?)?))).collect();
                    Ok(Found::One(vec![found], at))
                }
                Child::Any(field, plans) => {
                    let ids = references(level, *field);
                    let types = self.types(ids.iter().flatten().copied().collect()).await?;
                    let levels = join_all(plans.iter().filter_map(|plan| {
                        let wanted: Vec<Uuid> = types.iter().filter(|(_, ty)| **ty == plan.ty).map(|(id, _)| *id).collect();
                        (!wanted.is_empty()).then(|| self.get_many(plan, wanted))
                    }))
                    .await
                    .into_iter()
                    .collect::<Result<Vec<_>>>()?;
                    let mut places = HashMap::new();
                    for (index, level) in levels.iter().enumerate() {
                        places.extend(level.rows.iter().enumerate().map(|(row, found)| (found.id, (index, row))));
                    }
                    let at = ids.iter().map(|id| places.get(id.as_ref()?).copied()).collect();
                    Ok(Found::One(levels, at))
                }
            }
        }
        .boxed()
    }

    /// Types of the records with these ids.
    async fn types(&self, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, RecordType>> {
        ids.sort_unstable();
        ids.dedup();
        let mut types = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let select = Query::select()
                .columns(["id", "record_type"])
                .from("nodes")
                .and_where(Expr::col("id").is_in(chunk.iter().copied()))
                .to_owned();
            for row in self.read(&select).await? {
                let id: Uuid = row.try_get_by_index(0).map_err(internal)?;
                let prefix: String = row.try_get_by_index(1).map_err(internal)?;
                types.extend(RecordType::from_prefix(&prefix).map(|ty| (id, ty)));
            }
        }
        Ok(types)
    }
}

fn references(level: &Level, field: usize) -> Vec<Option<Uuid>> {
    let Ok(index) = level.fields.binary_search(&field) else { return vec![None; level.rows.len()] };
    level
        .rows
        .iter()
        .map(|row| match row.cell_at(index) {
            Cell::Id(id) => Some(*id),
            _ => None,
        })
        .collect()
}

/// Columns of a statement: id, sort key, parent where there is one, then the fields of the plan.
fn columns(select: &mut SelectStatement, plan: &Plan, key: Option<SimpleExpr>, parent: Option<Expr>) {
    let record = catalog().get(plan.ty);
    select.expr(column(TABLE, "id"));
    select.expr_as(key.unwrap_or_else(|| Expr::cust("NULL")), "sort_value");
    select.expr_as(parent.unwrap_or_else(|| Expr::cust("NULL")), "parent");
    for field in &plan.fields {
        select.expr(column(TABLE, record.fields[*field].column));
    }
}

fn parent_column(relation: &Relation) -> (&'static str, &'static str) {
    match relation.via {
        Via::Column(name) => (TABLE, name),
        Via::Link { parent, .. } => ("l", parent),
    }
}

/// Reads from the rows of a relation that belong to these parents; gives the column with the parent.
fn join_parents(select: &mut SelectStatement, record: &Record, relation: &Relation, parents: &[Uuid]) -> Expr {
    select.from_as(Alias::new(record.table), Alias::new(TABLE));
    if let Via::Link { table, child, .. } = relation.via {
        select.join_as(
            JoinType::InnerJoin,
            Alias::new(table),
            Alias::new("l"),
            column("l", child).equals((Alias::new(TABLE), Alias::new("id"))),
        );
    }
    let (table, name) = parent_column(relation);
    let parent = column(table, name);
    match parents {
        [only] => select.and_where(parent.clone().eq(*only)),
        _ => select.and_where(parent.clone().is_in(parents.iter().copied())),
    };
    parent
}

fn rows(found: &[QueryResult], plan: &Plan, order: Option<usize>) -> Result<Vec<Row>> {
    found.iter().map(|row| row_of(row, plan, order)).collect::<Result<_, DbErr>>().map_err(internal)
}

fn row_with_parent(found: &QueryResult, list: &List) -> Result<(Uuid, Row), DbErr> {
    Ok((found.try_get_by_index(2)?, row_of(found, &list.plan, Some(list.order.0))?))
}

fn row_of(found: &QueryResult, plan: &Plan, order: Option<usize>) -> Result<Row, DbErr> {
    let record = catalog().get(plan.ty);
    let cells = plan
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| Cell::read(found, index + 3, record.fields[*field].kind))
        .collect::<Result<_, _>>()?;
    let key = match order {
        Some(field) => Cell::read(found, 1, if record.fields[field].is_label { Kind::Text } else { record.fields[field].kind })?,
        None => Cell::Null,
    };
    Ok(Row::new(found.try_get_by_index(0)?, key, cells))
}

/// Direction in which rows are read: backward pages are read from their end.
fn run_direction(page: &Page, direction: Direction) -> Order {
    match (direction, page.backward) {
        (Direction::Asc, false) | (Direction::Desc, true) => Order::Asc,
        _ => Order::Desc,
    }
}

fn run_in_order(select: &mut SelectStatement, page: &Page, record: &Record, order: (usize, Direction)) {
    let direction = run_direction(page, order.1);
    select.order_by_expr(sort_key(TABLE, &record.fields[order.0]), direction.clone());
    select.order_by_expr(column(TABLE, "id"), direction);
    select.limit(u64::from(page.size) + 1);
}

/// Takes the row too many off a page and tells whether there are rows on either side.
fn cut(mut rows: Vec<Row>, page: &Page) -> (Vec<Row>, bool, bool) {
    let size = page.size as usize;
    let more = rows.len() > size;
    rows.truncate(size);
    if page.backward {
        rows.reverse();
        (rows, page.before.is_some(), more)
    } else {
        (rows, more, page.after.is_some())
    }
}

/// Rows beyond a cursor: one comparison of the pair (key, id), which an index answers from both ends.
fn beyond(field: &Field, cursor: &Cursor, direction: Direction, argument: &str) -> Result<Cond> {
    let [key] = cursor.key.as_slice() else {
        return Err(invalid_cursor(argument, "this cursor is damaged; begin again at the first page"));
    };
    let key = bind_key(field, key).ok_or_else(|| invalid_cursor(argument, "this cursor is damaged; begin again at the first page"))?;
    let row = Expr::tuple([sort_key(TABLE, field), column(TABLE, "id")]);
    let at = Expr::tuple([Expr::val(key), Expr::val(cursor.id)]);
    Ok(Cond::all().add(match direction {
        Direction::Asc => row.gt(at),
        Direction::Desc => row.lt(at),
    }))
}

fn bind_key(field: &Field, key: &serde_json::Value) -> Option<Bound> {
    Some(match field.kind {
        _ if field.is_label => key.as_str()?.into(),
        Kind::Integer => key.as_i64()?.into(),
        Kind::Number => key.as_f64()?.into(),
        Kind::Instant => chrono::DateTime::parse_from_rfc3339(key.as_str()?).ok()?.to_utc().into(),
        _ => key.as_str()?.into(),
    })
}

/// The filter for versions of a text that were in force on a date: from its first day up to, and not on, its last.
pub fn in_force_on(version: &Record, date: &PartialDate) -> Filter {
    let field = |name| version.field_index(name).unwrap_or_default();
    let test = |name, test| Filter::Field(field(name), test);
    let unknown = |name| test(name, Test::IsNull(true));
    let on = Value::Date(date.clone());
    Filter::And(vec![
        Filter::Or(vec![unknown("validFrom"), test("validFrom", Test::Lte(on.clone()))]),
        Filter::Or(vec![unknown("validTo"), test("validTo", Test::Gt(on))]),
    ])
}
