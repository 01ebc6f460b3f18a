//! Flat reads: a list and the rows below it as the rows of one joining statement.
//!
//! The statement of [`select`](crate::store::sql::select) runs a subquery for each row of a page. For a whole list it is
//! several times as fast to join the tables and to decode values instead of JSON. The cost is that each row repeats the
//! columns of its parent, so this serves plans with at most one list per row, nested in a single chain.

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::kind::FieldKind;
use crate::catalog::relation::{Relation, RelationJoin};
use crate::core::error::Result;
use crate::core::ids::ChildId;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::read::result::{Cell, ChildRows, PageBounds, PagedRows, ResultRow, RowSet, decode_column};
use crate::store::sql::column::{column, sort_key};
use crate::store::sql::order::{cursor_field, order_by, sort_key_kind};
use crate::store::sql::select::{Parent, SelectBuilder};

/// Positions of the columns of a record in a flat row.
#[derive(Debug)]
pub(crate) struct FlatColumns {
    id: usize,
    /// The sort key, if cursors are selected.
    key: Option<(usize, FieldKind)>,
    fields: Vec<(usize, FieldKind)>,
    /// Referenced records, each with its child in the plan.
    references: Vec<(ChildId, FlatColumns)>,
    list: Option<Box<FlatList>>,
}

/// Positions of the columns of the records of a list below.
#[derive(Debug)]
struct FlatList {
    /// The child of the plan.
    child: ChildId,
    page_size: usize,
    /// Whether to report that more records follow.
    probe_next: bool,
    columns: FlatColumns,
}

/// Whether a plan can be read flat: at most one list per row, each read from its beginning, and nothing that needs a
/// statement of its own.
pub(crate) fn is_joinable(plan: &Plan) -> bool {
    !plan.needs_completion() && has_single_chain_of_lists(plan)
}

fn has_single_chain_of_lists(plan: &Plan) -> bool {
    let mut lists = 0;
    let each = |child: &ChildPlan| match child {
        ChildPlan::Any(..) | ChildPlan::MergedInto(..) => false,
        ChildPlan::One(_, plan) => has_single_chain_of_lists(plan) && !plan.has_lists(),
        ChildPlan::Many(_, list) => {
            lists += 1;
            let page = &list.page;
            let is_beginning = page.after.is_none() && page.before.is_none() && !page.backward;
            is_beginning && list.rows && !list.total && list.facets.is_empty() && has_single_chain_of_lists(&list.plan)
        }
    };
    plan.children.iter().all(each) && lists <= 1
}

impl SelectBuilder {
    /// The first records of a list, up to `limit`. Each is repeated for each row of the list below it.
    pub(crate) fn flat(
        &mut self,
        list: &ListPlan,
        parent: Option<(&Relation, Uuid)>,
        limit: u64,
    ) -> Result<(SelectStatement, FlatColumns)> {
        let parent = parent.map(|(relation, id)| Parent::One(relation, id));
        let (mut select, table) = match u32::try_from(limit) {
            Ok(size) => {
                let mut list = list.clone();
                (list.page.size, list.probe_next, list.cursors) = (size, false, true);
                let page = self.page_subquery(&list, parent)?;
                let page_alias = self.alias();
                (Query::select().from_subquery(page, Alias::new(&page_alias)).to_owned(), page_alias)
            }
            Err(_) => self.source(list.plan.ty, &list.filter, parent),
        };
        let mut builder = FlatBuilder { selects: self, select: &mut select, column_count: 0 };
        order_by(builder.select, &table, list);
        let columns = builder.record(&list.plan, &table, cursor_field(list));
        Ok((select, columns))
    }
}

/// A joining statement under construction.
struct FlatBuilder<'a> {
    selects: &'a mut SelectBuilder,
    select: &'a mut SelectStatement,
    column_count: usize,
}

impl FlatBuilder<'_> {
    /// Adds a column and returns its position.
    fn add(&mut self, value: Expr) -> usize {
        self.select.expr(value);
        self.column_count += 1;
        self.column_count - 1
    }

    /// Adds the columns of a record and of the records below it.
    fn record(&mut self, plan: &Plan, table: &str, key_field: Option<&Field>) -> FlatColumns {
        let record = catalog().get(plan.ty);
        let id = self.add(column(table, "id"));
        let key = key_field.map(|field| (self.add(sort_key(table, field)), sort_key_kind(field)));
        let fields = plan.fields.iter().map(|field| record.field(*field));
        let fields = fields.map(|field| (self.add(column(table, field.column)), field.kind)).collect();
        let mut columns = FlatColumns { id, key, fields, references: Vec::new(), list: None };
        for (child_id, child) in plan.children_with_ids() {
            match child {
                ChildPlan::Any(..) | ChildPlan::MergedInto(..) => {}
                ChildPlan::One(field, plan) => {
                    let target = self.selects.alias();
                    let on = column(&target, "id").equals((Alias::new(table), Alias::new(record.field(*field).column)));
                    let on = Cond::all().add(on).add_option(self.selects.visibility.predicate(&target));
                    self.left_join(catalog().get(plan.ty).table, &target, on);
                    columns.references.push((child_id, self.record(plan, &target, None)));
                }
                ChildPlan::Many(relation, list) => {
                    let alias = self.list(record.relation(*relation), list, table);
                    let list_columns = self.record(&list.plan, &alias, cursor_field(list));
                    columns.list = Some(Box::new(FlatList {
                        child: child_id,
                        page_size: list.page.size as usize,
                        probe_next: list.probe_next,
                        columns: list_columns,
                    }));
                }
            }
        }
        columns
    }

    /// Joins the list of each record by a relation; returns the alias of its table.
    fn list(&mut self, relation: &Relation, list: &ListPlan, parent_alias: &str) -> String {
        let record = catalog().get(list.plan.ty);
        let alias = self.selects.alias();
        let parent_id = (Alias::new(parent_alias), Alias::new("id"));
        let reference = match relation.via {
            RelationJoin::ForeignKey(name) => column(&alias, name).equals(parent_id),
            RelationJoin::LinkTable { table, parent, child } => {
                let link_alias = self.selects.alias();
                self.left_join(table, &link_alias, Cond::all().add(column(&link_alias, parent).equals(parent_id)));
                column(&alias, "id").equals((Alias::new(link_alias), Alias::new(child)))
            }
        };
        let filter = self.selects.filters.predicate(record, &alias, &list.filter);
        let on = Cond::all().add(reference).add_option(self.selects.visibility.predicate(&alias)).add(filter);
        self.left_join(record.table, &alias, on);
        order_by(self.select, &alias, list);
        alias
    }

    fn left_join(&mut self, table: &'static str, alias: &str, on: Cond) {
        self.select.join_as(JoinType::LeftJoin, Alias::new(table), Alias::new(alias), on);
    }
}

impl FlatColumns {
    /// The id of the record in a row; `None` if the left join found none.
    fn id(&self, row: &QueryResult) -> Result<Option<Uuid>, DbErr> {
        decode_column(row, self.id)
    }

    /// Whether a row repeats the last record of a page.
    pub(crate) fn is_same_record(&self, row: &QueryResult, page: &PagedRows) -> Result<bool, DbErr> {
        Ok(self.id(row)? == page.level.rows.last().map(|last| last.id))
    }

    /// Decodes a row into a page.
    pub(crate) fn decode(&self, row: &QueryResult, page: &mut PagedRows) -> Result<(), DbErr> {
        if let Some(id) = self.id(row)?
            && page.level.rows.last().is_none_or(|last| last.id != id)
        {
            self.push_record(id, row, &mut page.level)?;
        }
        self.push_list_row(row, &mut page.level)
    }

    /// Appends a record, with its references and an empty list.
    fn push_record(&self, id: Uuid, row: &QueryResult, level: &mut RowSet) -> Result<(), DbErr> {
        let cell = |(column, kind): &(usize, FieldKind)| Cell::decode(row, *column, *kind);
        let key = self.key.as_ref().map_or(Ok(Cell::Null), cell)?;
        let cells = self.fields.iter().map(cell).collect::<Result<_, _>>()?;
        level.rows.push(ResultRow { id, key, cells });
        for (child, columns) in &self.references {
            if let Some(ChildRows::One(references)) = level.children.get_mut(child.index()) {
                let found = columns.id(row)?;
                let index = references.levels[0].rows.len();
                references.positions.push(found.map(|_| (0, index)));
                if let Some(id) = found {
                    columns.push_record(id, row, &mut references.levels[0])?;
                }
            }
        }
        if let Some(list) = &self.list
            && let Some(ChildRows::Many(pages)) = level.children.get_mut(list.child.index())
        {
            let start = pages.level.rows.len();
            pages.bounds.push(PageBounds { start, end: start, ..PageBounds::default() });
        }
        Ok(())
    }

    /// Appends the record of a row to the list of the last record.
    fn push_list_row(&self, row: &QueryResult, level: &mut RowSet) -> Result<(), DbErr> {
        let Some(list) = &self.list else { return Ok(()) };
        let Some(ChildRows::Many(pages)) = level.children.get_mut(list.child.index()) else { return Ok(()) };
        let (Some(id), Some(bounds)) = (list.columns.id(row)?, pages.bounds.last_mut()) else { return Ok(()) };
        let last = pages.level.rows[bounds.start..bounds.end].last();
        if last.is_none_or(|last| last.id != id) {
            if bounds.end - bounds.start == list.page_size {
                bounds.has_next = list.probe_next;
                return Ok(());
            }
            bounds.end += 1;
            list.columns.push_record(id, row, &mut pages.level)?;
        }
        list.columns.push_list_row(row, &mut pages.level)
    }
}
