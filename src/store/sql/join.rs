//! A list and what hangs below it as the rows of one joining statement.
//!
//! A page of `store::select` looks for what hangs below each of its rows. Where a whole list is read, joining whole
//! tables is several times as fast, and what comes is values rather than JSON. The price is that a row repeats what stands
//! above it, so that this is for lists that have at most one list in each of their rows, and that one no other.

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use crate::catalog::record::{Field, FieldKind, Relation, Via, catalog};
use crate::core::error::Result;
use crate::store::read::executor::is_to_complete;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::{Cell, ChildRows, PageBounds, PagedRows, ResultRow, RowSet, value};
use crate::store::sql::filter::{column, sort_key};
use crate::store::sql::select::{Parent, SelectBuilder, cursor_key, key_kind, sort};

/// Where the values of a record stand in a row.
#[derive(Debug)]
pub(crate) struct Columns {
    id: usize,
    /// Its sort key, where cursors are wanted.
    key: Option<(usize, FieldKind)>,
    fields: Vec<(usize, FieldKind)>,
    /// Records that it refers to, with their places among what is below.
    ones: Vec<(usize, Columns)>,
    many: Option<Box<Many>>,
}

/// Where the values of a record of a list stand.
#[derive(Debug)]
struct Many {
    /// Its place among what is below.
    child: usize,
    /// Records that are wanted of the list at most.
    size: usize,
    /// Whether it is wanted to know if there are more.
    beyond: bool,
    columns: Columns,
}

/// Whether a list can be read so: with one list at most on the way down, of that its beginning, and without anything that
/// takes a statement of its own.
pub(crate) fn is_joinable(plan: &Plan) -> bool {
    !is_to_complete(plan) && has_one_list(plan)
}

fn has_one_list(plan: &Plan) -> bool {
    let mut lists = 0;
    let each = |child: &ChildPlan| match child {
        ChildPlan::Any(..) => false,
        ChildPlan::One(_, plan) => has_one_list(plan) && !plan.has_lists(),
        ChildPlan::Many(_, list) => {
            lists += 1;
            let page = &list.page;
            let is_beginning = page.after.is_none() && page.before.is_none() && !page.backward;
            is_beginning && list.rows && !list.total && list.facets.is_empty() && has_one_list(&list.plan)
        }
    };
    plan.children.iter().all(each) && lists <= 1
}

impl SelectBuilder {
    /// The first rows of a list, this many at most, each as often as the list below it has rows.
    pub(crate) fn whole(&mut self, list: &ListPlan, parent: Option<(&Relation, Uuid)>, most: u64) -> Result<(SelectStatement, Columns)> {
        let parent = parent.map(|(relation, id)| Parent::One(relation, id));
        let (mut select, table) = match u32::try_from(most) {
            Ok(size) => {
                let mut list = list.clone();
                (list.page.size, list.beyond, list.cursors) = (size, false, true);
                let page = self.chosen(&list, parent)?;
                let chosen = self.name();
                (Query::select().from_subquery(page, Alias::new(&chosen)).to_owned(), chosen)
            }
            Err(_) => self.source(list.plan.ty, &list.filter, parent),
        };
        let mut joining = Joining { selects: self, select: &mut select, columns: 0 };
        sort(joining.select, &table, list);
        let columns = joining.record(&list.plan, &table, cursor_key(list));
        Ok((select, columns))
    }
}

/// A statement that is being made.
struct Joining<'a> {
    selects: &'a mut SelectBuilder,
    select: &'a mut SelectStatement,
    /// Columns it has so far.
    columns: usize,
}

impl Joining<'_> {
    fn add(&mut self, value: Expr) -> usize {
        self.select.expr(value);
        self.columns += 1;
        self.columns - 1
    }

    /// The columns of a record, and of what is below it.
    fn record(&mut self, plan: &Plan, table: &str, key: Option<&Field>) -> Columns {
        let record = catalog().get(plan.ty);
        let id = self.add(column(table, "id"));
        let key = key.map(|field| (self.add(sort_key(table, field)), key_kind(field)));
        let fields = plan.fields.iter().map(|field| &record.fields[*field]);
        let fields = fields.map(|field| (self.add(column(table, field.column)), field.kind)).collect();
        let mut columns = Columns { id, key, fields, ones: Vec::new(), many: None };
        for (place, child) in plan.children.iter().enumerate() {
            match child {
                ChildPlan::Any(..) => {}
                ChildPlan::One(field, plan) => {
                    let referred = self.selects.name();
                    let on = column(&referred, "id").equals((Alias::new(table), Alias::new(record.fields[*field].column)));
                    self.join(catalog().get(plan.ty).table, &referred, Cond::all().add(on).add_option(self.selects.sees.only(&referred)));
                    columns.ones.push((place, self.record(plan, &referred, None)));
                }
                ChildPlan::Many(relation, list) => {
                    let below = self.list(&record.relations[*relation], list, table);
                    let of_each = self.record(&list.plan, &below, cursor_key(list));
                    columns.many =
                        Some(Box::new(Many { child: place, size: list.page.size as usize, beyond: list.beyond, columns: of_each }));
                }
            }
        }
        columns
    }

    /// Joins the list of each record by a relation; gives the name of its table.
    fn list(&mut self, relation: &Relation, list: &ListPlan, above: &str) -> String {
        let record = catalog().get(list.plan.ty);
        let below = self.selects.name();
        let id_above = (Alias::new(above), Alias::new("id"));
        let reference = match relation.via {
            Via::Column(name) => column(&below, name).equals(id_above),
            Via::Link { table, parent, child } => {
                let between = self.selects.name();
                self.join(table, &between, Cond::all().add(column(&between, parent).equals(id_above)));
                column(&below, "id").equals((Alias::new(between), Alias::new(child)))
            }
        };
        let wanted = self.selects.conditions.condition(record, &below, &list.filter);
        self.join(record.table, &below, Cond::all().add(reference).add_option(self.selects.sees.only(&below)).add(wanted));
        sort(self.select, &below, list);
        below
    }

    fn join(&mut self, table: &'static str, name: &str, on: Cond) {
        self.select.join_as(JoinType::LeftJoin, Alias::new(table), Alias::new(name), on);
    }
}

impl Columns {
    /// The id of the record that a row is of; nothing where it is of none.
    fn id(&self, row: &QueryResult) -> Result<Option<Uuid>, DbErr> {
        value(row, self.id)
    }

    /// Whether a row is of the last record of a page still.
    pub(crate) fn goes_on(&self, row: &QueryResult, page: &PagedRows) -> Result<bool, DbErr> {
        Ok(self.id(row)? == page.level.rows.last().map(|last| last.id))
    }

    /// Adds what a row says to a page.
    pub(crate) fn read(&self, row: &QueryResult, page: &mut PagedRows) -> Result<(), DbErr> {
        if let Some(id) = self.id(row)?
            && page.level.rows.last().is_none_or(|last| last.id != id)
        {
            self.add(id, row, &mut page.level)?;
        }
        self.add_below(row, &mut page.level)
    }

    /// Adds a record to a level, with what it refers to and a list without rows so far.
    fn add(&self, id: Uuid, row: &QueryResult, level: &mut RowSet) -> Result<(), DbErr> {
        let cell = |(column, kind): &(usize, FieldKind)| Cell::read(row, *column, *kind);
        let key = self.key.as_ref().map_or(Ok(Cell::Null), cell)?;
        let cells = self.fields.iter().map(cell).collect::<Result<_, _>>()?;
        level.rows.push(ResultRow { id, key, cells });
        for (child, columns) in &self.ones {
            if let Some(ChildRows::One(references)) = level.children.get_mut(*child) {
                let found = columns.id(row)?;
                let place = references.levels[0].rows.len();
                references.at.push(found.map(|_| (0, place)));
                if let Some(id) = found {
                    columns.add(id, row, &mut references.levels[0])?;
                }
            }
        }
        if let Some(many) = &self.many
            && let Some(ChildRows::Many(pages)) = level.children.get_mut(many.child)
        {
            let start = pages.level.rows.len();
            pages.spans.push(PageBounds { start, end: start, ..PageBounds::default() });
        }
        Ok(())
    }

    /// Adds what a row says of the list of the last record of a level.
    fn add_below(&self, row: &QueryResult, level: &mut RowSet) -> Result<(), DbErr> {
        let Some(many) = &self.many else { return Ok(()) };
        let Some(ChildRows::Many(pages)) = level.children.get_mut(many.child) else { return Ok(()) };
        let (Some(id), Some(span)) = (many.columns.id(row)?, pages.spans.last_mut()) else { return Ok(()) };
        let last = pages.level.rows[span.start..span.end].last();
        if last.is_none_or(|last| last.id != id) {
            if span.end - span.start == many.size {
                span.has_next = many.beyond;
                return Ok(());
            }
            span.end += 1;
            many.columns.add(id, row, &mut pages.level)?;
        }
        many.columns.add_below(row, &mut pages.level)
    }
}
