//! The statement of a plan: one JSON array per row, with the arrays of the rows below nested inside.
//!
//! A subquery selects the page from its index first; the rows below are then selected for each row of the page.
//! `store::read::decode` decodes the arrays, in the order in which they are written here.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr};
use uuid::Uuid;

use crate::catalog::catalog;
use crate::catalog::field::Field;
use crate::catalog::record::Record;
use crate::catalog::relation::Relation;
use crate::core::error::Result;
use crate::core::filter::Filter;
use crate::core::ids::FieldId;
use crate::entity::RecordType;
use crate::store::read::plan::{ChildPlan, ListPlan, Lookup, Plan};
use crate::store::sql::column::{column, sort_key};
use crate::store::sql::dialect;
use crate::store::sql::filter::{FilterBuilder, SemiJoin, Visibility};
use crate::store::sql::order::{cursor_field, keyset_predicate, order_by, sort_key_kind};
use crate::store::sql::relation::join_parent_id;

/// Maximum number of elements of one array; longer ones continue in a nested last element. Functions of PostgreSQL take
/// 100 arguments.
pub(crate) const MAX_ARRAY_ELEMENTS: usize = 90;

/// Builds the SELECT statements of one plan, with a distinct alias for each table of a statement.
#[derive(Debug)]
pub(crate) struct SelectBuilder {
    pub(crate) backend: DbBackend,
    pub(crate) visibility: Visibility,
    pub(crate) filters: FilterBuilder,
    aliases: usize,
}

/// The parent of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parent<'a> {
    /// Each row of the table with this alias, by a relation.
    Row(&'a Relation, &'a str),
    /// A single record, by a relation.
    One(&'a Relation, Uuid),
}

impl SelectBuilder {
    /// `semi_joins` are the forms of the conditions on related records in the filter of the root list.
    pub(crate) fn new(backend: DbBackend, visibility: Visibility, semi_joins: Vec<SemiJoin>) -> Self {
        Self { backend, visibility, filters: FilterBuilder::new(backend, visibility, semi_joins), aliases: 0 }
    }

    /// A new table alias.
    pub(crate) fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    /// A page of the list of all records of a type.
    pub(crate) fn page(&mut self, list: &ListPlan) -> Result<SelectStatement> {
        self.list(list, None)
    }

    /// A page of the list of one record by a relation.
    pub(crate) fn page_of(&mut self, list: &ListPlan, relation: &Relation, parent: Uuid) -> Result<SelectStatement> {
        self.list(list, Some(Parent::One(relation, parent)))
    }

    /// Records by their ids, in any order.
    pub(crate) fn by_ids(&mut self, plan: &Plan, ids: &[Uuid]) -> Result<SelectStatement> {
        let (mut select, table) = self.records(plan)?;
        // padded to a power of two, so that lists of similar length share a prepared statement
        let padded = ids.iter().copied().chain(ids.last().copied().into_iter().cycle());
        select.and_where(column(&table, "id").is_in(padded.take(ids.len().next_power_of_two())));
        Ok(select)
    }

    /// One record.
    pub(crate) fn lookup(&mut self, plan: &Plan, lookup: &Lookup) -> Result<SelectStatement> {
        let (mut select, table) = self.records(plan)?;
        match lookup {
            Lookup::Id(id) => select.and_where(column(&table, "id").eq(*id)),
            Lookup::Slug(slug) => select.and_where(column(&table, "slug").eq(slug.as_str())),
            Lookup::Identifier { scheme, value } => {
                let identifiers = catalog().get(RecordType::Identifier);
                let owners = Query::select()
                    .expr(column("i", identifiers.field(FieldId::OWNER).column))
                    .from_as(Alias::new(identifiers.table), Alias::new("i"))
                    .and_where(column("i", "scheme").eq(scheme.as_str()))
                    .and_where(column("i", "value").eq(value.as_str()))
                    .to_owned();
                select.and_where(column(&table, "id").in_subquery(owners))
            }
        };
        Ok(select)
    }

    /// The total count of a list, regardless of its page.
    pub(crate) fn count(&mut self, list: &ListPlan, parent: Option<Parent<'_>>) -> SelectStatement {
        let (mut select, _) = self.source(list.plan.ty, &list.filter, parent);
        select.expr(Func::count(Expr::cust("*")));
        select
    }

    fn records(&mut self, plan: &Plan) -> Result<(SelectStatement, String)> {
        let (mut select, table) = self.source(plan.ty, &Filter::all(), None);
        let row = self.row(plan, &table, None)?;
        select.expr(dialect::json_agg(self.backend, row).cast_as("text"));
        Ok((select, table))
    }

    /// FROM and WHERE: the visible rows of a type that satisfy a filter, of a parent if there is one. Returns the alias of
    /// the table, too.
    pub(crate) fn source(&mut self, ty: RecordType, filter: &Filter, parent: Option<Parent<'_>>) -> (SelectStatement, String) {
        let record = catalog().get(ty);
        let table = self.alias();
        let mut select = Query::select();
        select.from_as(Alias::new(record.table), Alias::new(&table));
        if let Some(parent) = parent {
            let (Parent::Row(relation, _) | Parent::One(relation, _)) = parent;
            let parent_id = join_parent_id(&mut select, relation, &table, || self.alias());
            select.and_where(match parent {
                Parent::Row(_, parent_alias) => parent_id.equals((Alias::new(parent_alias), Alias::new("id"))),
                Parent::One(_, id) => parent_id.eq(id),
            });
        }
        select.and_where_option(self.visibility.predicate(&table));
        select.cond_where(self.filters.predicate(record, &table, filter));
        (select, table)
    }

    fn list(&mut self, list: &ListPlan, parent: Option<Parent<'_>>) -> Result<SelectStatement> {
        let page = self.page_subquery(list, parent)?;
        // the rows below are selected outside of the subquery: inside, they would be selected for all rows before the sort
        let page_alias = self.alias();
        let rows = dialect::json_agg(self.backend, self.row(&list.plan, &page_alias, cursor_field(list))?);
        let rows = if matches!(parent, Some(Parent::Row(..))) { rows } else { rows.cast_as("text") };
        Ok(Query::select().expr(rows).from_subquery(page, Alias::new(page_alias)).to_owned())
    }

    /// The rows of a page, with the columns that its plan needs.
    pub(crate) fn page_subquery(&mut self, list: &ListPlan, parent: Option<Parent<'_>>) -> Result<SelectStatement> {
        let record = catalog().get(list.plan.ty);
        let order_field = record.field(list.order.0);
        let (mut page, table) = self.source(list.plan.ty, &list.filter, parent);
        for (cursor, argument, direction) in
            [(&list.page.after, "after", list.order.1), (&list.page.before, "before", list.order.1.reversed())]
        {
            if let Some(cursor) = cursor {
                page.cond_where(keyset_predicate(&table, order_field, cursor, direction, argument)?);
            }
        }
        order_by(&mut page, &table, list);
        page.limit(list.limit());
        for name in page_columns(record, &list.plan, cursor_field(list)) {
            page.expr(Expr::col((Alias::new(&table), Alias::new(name))));
        }
        Ok(page)
    }

    /// The array of the visible record with this id.
    pub(crate) fn referenced_row(&mut self, plan: &Plan, id: Expr) -> Result<SelectStatement> {
        let (mut select, table) = self.source(plan.ty, &Filter::all(), None);
        let row = self.row(plan, &table, None)?;
        Ok(select.expr(row).and_where(column(&table, "id").eq(id)).take())
    }

    /// The array of a row: its id, its sort key if cursors are selected, its cells, and the rows below it.
    fn row(&mut self, plan: &Plan, table: &str, key_field: Option<&Field>) -> Result<SimpleExpr> {
        let record = catalog().get(plan.ty);
        let mut elements = vec![dialect::json_id(self.backend, column(table, "id"))];
        if let Some(field) = key_field {
            elements.push(dialect::json_value(self.backend, sort_key_kind(field), sort_key(table, field)));
        }
        for field in &plan.fields {
            let field = record.field(*field);
            elements.push(dialect::json_value(self.backend, field.kind, column(table, field.column)));
        }
        for child in &plan.children {
            match child {
                ChildPlan::One(field, plan) => {
                    elements.push(self.referenced_row(plan, column(table, record.field(*field).column))?.into());
                }
                // resolved by a statement of its own, since the type is unknown here
                ChildPlan::Any(..) | ChildPlan::MergedInto(..) => {}
                ChildPlan::Many(relation, list) => {
                    let parent = Parent::Row(record.relation(*relation), table);
                    if list.rows {
                        elements.push(self.list(list, Some(parent))?.into());
                    }
                    if list.total {
                        elements.push(self.count(list, Some(parent)).into());
                    }
                    for facet in &list.facets {
                        elements.push(self.facet(list, facet, Some(parent))?.into());
                    }
                }
            }
        }
        Ok(chunked_array(self.backend, elements))
    }
}

/// An array of elements; those beyond the maximum are nested in its last element.
fn chunked_array(backend: DbBackend, mut elements: Vec<SimpleExpr>) -> SimpleExpr {
    if elements.len() > MAX_ARRAY_ELEMENTS {
        let rest = elements.split_off(MAX_ARRAY_ELEMENTS - 1);
        elements.push(chunked_array(backend, rest));
    }
    dialect::json_array(backend, elements)
}

/// The columns that the rows of a page need.
fn page_columns(record: &Record, plan: &Plan, key_field: Option<&Field>) -> Vec<String> {
    let mut names = vec!["id".to_owned()];
    names.extend(key_field.map(|field| field.order_column().into_owned()));
    names.extend(plan.fields.iter().map(|field| record.field(*field).column.to_owned()));
    names.extend(plan.children.iter().filter_map(|child| match child {
        ChildPlan::One(field, _) => Some(record.field(*field).column.to_owned()),
        _ => None,
    }));
    names.sort_unstable();
    names.dedup();
    names
}
