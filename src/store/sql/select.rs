//! The one statement that reads a plan: a JSON array for each row, with the arrays of what hangs below inside it.
//!
//! A page is chosen first, by itself, from its index; what hangs below is then asked for once for each
//! row of the page. `store::decode` reads the arrays, in the order in which they are written here.

use sea_orm::sea_query::{Alias, Cond, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, SimpleExpr};
use sea_orm::{DbBackend, Value as Bound};
use uuid::Uuid;

use crate::catalog::record::{Field, FieldKind, Record, Relation, Via, catalog};
use crate::core::error::{Result, invalid_cursor};
use crate::core::filter::Filter;
use crate::core::pagination::{Cursor, Direction};
use crate::entity::RecordType;
use crate::store::read::executor::Lookup;
use crate::store::read::plan::{ChildPlan, ListPlan, Plan};
use crate::store::sql::dialect;
use crate::store::sql::filter::{FilterBuilder, SemiJoin, Visibility, column, sort_key};

/// Elements of one array at most, the last of which holds the rest: PostgreSQL's functions take 100 arguments.
pub(crate) const ELEMENTS: usize = 90;

/// Makes the statements of one plan; names each table of a statement differently.
#[derive(Debug)]
pub(crate) struct SelectBuilder {
    pub(crate) backend: DbBackend,
    pub(crate) sees: Visibility,
    pub(crate) conditions: FilterBuilder,
    tables: usize,
}

/// Whose list it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parent<'a> {
    /// That of each row of a table, by this relation.
    Row(&'a Relation, &'a str),
    /// That of one record, by this relation.
    One(&'a Relation, Uuid),
}

impl SelectBuilder {
    /// `forms` are those of the conditions on related records in the filter of the list at the root.
    pub(crate) fn new(backend: DbBackend, sees: Visibility, forms: Vec<SemiJoin>) -> Self {
        Self { backend, sees, conditions: FilterBuilder::new(backend, sees, forms), tables: 0 }
    }

    pub(crate) fn name(&mut self) -> String {
        self.tables += 1;
        format!("t{}", self.tables)
    }

    /// A page of all records of a type.
    pub(crate) fn page(&mut self, list: &ListPlan) -> Result<SelectStatement> {
        self.list(list, None)
    }

    /// A page of the list of one record.
    pub(crate) fn page_of(&mut self, list: &ListPlan, relation: &Relation, parent: Uuid) -> Result<SelectStatement> {
        self.list(list, Some(Parent::One(relation, parent)))
    }

    /// Records by their ids, in any order.
    pub(crate) fn many(&mut self, plan: &Plan, ids: &[Uuid]) -> Result<SelectStatement> {
        let (mut select, table) = self.records(plan)?;
        // lists of about the same length share a statement, which the database then knows already
        let padded = ids.iter().copied().chain(ids.last().copied().into_iter().cycle());
        select.and_where(column(&table, "id").is_in(padded.take(ids.len().next_power_of_two())));
        Ok(select)
    }

    /// One record.
    pub(crate) fn one(&mut self, plan: &Plan, by: &Lookup) -> Result<SelectStatement> {
        let (mut select, table) = self.records(plan)?;
        match by {
            Lookup::Id(id) => select.and_where(column(&table, "id").eq(*id)),
            Lookup::Slug(slug) => select.and_where(column(&table, "slug").eq(slug.as_str())),
            Lookup::Identifier { scheme, value } => {
                let identifiers = catalog().get(RecordType::Identifier);
                let owners = Query::select()
                    .expr(column("i", identifiers.fields[0].column))
                    .from_as(Alias::new(identifiers.table), Alias::new("i"))
                    .and_where(column("i", "scheme").eq(scheme.as_str()))
                    .and_where(column("i", "value").eq(value.as_str()))
                    .to_owned();
                select.and_where(column(&table, "id").in_subquery(owners))
            }
        };
        Ok(select)
    }

    /// Number of records that a list holds, whatever its page.
    pub(crate) fn count(&mut self, list: &ListPlan, parent: Option<Parent<'_>>) -> SelectStatement {
        let (mut select, _) = self.source(list.plan.ty, &list.filter, parent);
        select.expr(Func::count(Expr::cust("*")));
        select
    }

    fn records(&mut self, plan: &Plan) -> Result<(SelectStatement, String)> {
        let (mut select, table) = self.source(plan.ty, &Filter::all(), None);
        let row = self.row(plan, &table, None)?;
        select.expr(dialect::array_of(self.backend, row).cast_as("text"));
        Ok((select, table))
    }

    /// Rows of a type that may be seen and satisfy a filter, of a parent or of all; and the name of their table.
    pub(crate) fn source(&mut self, ty: RecordType, filter: &Filter, parent: Option<Parent<'_>>) -> (SelectStatement, String) {
        let record = catalog().get(ty);
        let table = self.name();
        let mut select = Query::select();
        select.from_as(Alias::new(record.table), Alias::new(&table));
        if let Some(parent) = parent {
            let (Parent::Row(relation, _) | Parent::One(relation, _)) = parent;
            let reference = match relation.via {
                Via::Column(name) => column(&table, name),
                Via::Link { table: link, parent, child } => {
                    let between = self.name();
                    select.join_as(
                        JoinType::InnerJoin,
                        Alias::new(link),
                        Alias::new(&between),
                        column(&between, child).equals((Alias::new(&table), Alias::new("id"))),
                    );
                    column(&between, parent)
                }
            };
            select.and_where(match parent {
                Parent::Row(_, above) => reference.equals((Alias::new(above), Alias::new("id"))),
                Parent::One(_, id) => reference.eq(id),
            });
        }
        select.and_where_option(self.sees.only(&table));
        select.cond_where(self.conditions.condition(record, &table, filter));
        (select, table)
    }

    fn list(&mut self, list: &ListPlan, parent: Option<Parent<'_>>) -> Result<SelectStatement> {
        let page = self.chosen(list, parent)?;
        // the rows below are asked for only when the page is known: a sort would ask for all of them first
        let chosen = self.name();
        let rows = dialect::array_of(self.backend, self.row(&list.plan, &chosen, cursor_key(list))?);
        let rows = if matches!(parent, Some(Parent::Row(..))) { rows } else { rows.cast_as("text") };
        Ok(Query::select().expr(rows).from_subquery(page, Alias::new(chosen)).to_owned())
    }

    /// The rows of a page, with the columns that its plan needs.
    pub(crate) fn chosen(&mut self, list: &ListPlan, parent: Option<Parent<'_>>) -> Result<SelectStatement> {
        let record = catalog().get(list.plan.ty);
        let order = &record.fields[list.order.0];
        let (mut page, table) = self.source(list.plan.ty, &list.filter, parent);
        for (cursor, argument, direction) in
            [(&list.page.after, "after", list.order.1), (&list.page.before, "before", list.order.1.reversed())]
        {
            if let Some(cursor) = cursor {
                page.cond_where(beyond(&table, order, cursor, direction, argument)?);
            }
        }
        sort(&mut page, &table, list);
        page.limit(list.limit());
        for name in columns(record, &list.plan, cursor_key(list)) {
            page.expr(Expr::col((Alias::new(&table), Alias::new(name))));
        }
        Ok(page)
    }

    /// The array of the row with this id, which may be seen.
    pub(crate) fn referred(&mut self, plan: &Plan, id: Expr) -> Result<SelectStatement> {
        let (mut select, table) = self.source(plan.ty, &Filter::all(), None);
        let row = self.row(plan, &table, None)?;
        Ok(select.expr(row).and_where(column(&table, "id").eq(id)).take())
    }

    /// The array of a row: its id, its sort key where cursors are wanted, its cells, and what hangs below.
    fn row(&mut self, plan: &Plan, table: &str, key: Option<&Field>) -> Result<SimpleExpr> {
        let record = catalog().get(plan.ty);
        let mut elements = vec![dialect::sent_id(self.backend, column(table, "id"))];
        if let Some(field) = key {
            elements.push(dialect::sent(self.backend, key_kind(field), sort_key(table, field)));
        }
        for field in &plan.fields {
            let field = &record.fields[*field];
            elements.push(dialect::sent(self.backend, field.kind, column(table, field.column)));
        }
        for child in &plan.children {
            match child {
                ChildPlan::One(field, plan) => elements.push(self.referred(plan, column(table, record.fields[*field].column))?.into()),
                // its type is not known yet
                ChildPlan::Any(..) => {}
                ChildPlan::Many(relation, list) => {
                    let parent = Parent::Row(&record.relations[*relation], table);
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
        Ok(array(self.backend, elements))
    }
}

/// An array of elements, the last of which is an array of the rest where there are too many.
fn array(backend: DbBackend, mut elements: Vec<SimpleExpr>) -> SimpleExpr {
    if elements.len() > ELEMENTS {
        let rest = elements.split_off(ELEMENTS - 1);
        elements.push(array(backend, rest));
    }
    dialect::array(backend, elements)
}

/// Kind of the value that a list in the order of this field sorts by.
pub(crate) fn key_kind(field: &Field) -> FieldKind {
    if field.is_label { FieldKind::Text } else { field.kind }
}

/// Columns that the rows of a page need.
fn columns(record: &Record, plan: &Plan, key: Option<&Field>) -> Vec<String> {
    let mut names = vec!["id".to_owned()];
    names.extend(key.map(|field| field.order_column().into_owned()));
    names.extend(plan.fields.iter().map(|field| record.fields[*field].column.to_owned()));
    names.extend(plan.children.iter().filter_map(|child| match child {
        ChildPlan::One(field, _) => Some(record.fields[*field].column.to_owned()),
        _ => None,
    }));
    names.sort_unstable();
    names.dedup();
    names
}

/// The field whose sort key a cursor of the list holds, where cursors are wanted.
pub(crate) fn cursor_key(list: &ListPlan) -> Option<&'static Field> {
    list.cursors.then(|| &catalog().get(list.plan.ty).fields[list.order.0])
}

/// Reads the rows of a table in the order of a list; backward pages are read from their end.
pub(crate) fn sort(select: &mut SelectStatement, table: &str, list: &ListPlan) {
    let direction = match (list.order.1, list.page.backward) {
        (Direction::Asc, false) | (Direction::Desc, true) => Order::Asc,
        _ => Order::Desc,
    };
    let field = &catalog().get(list.plan.ty).fields[list.order.0];
    select.order_by_expr(sort_key(table, field), direction.clone());
    select.order_by_expr(column(table, "id"), direction);
}

/// Rows beyond a cursor: one comparison of the pair (key, id), which an index answers from both ends.
fn beyond(table: &str, field: &Field, cursor: &Cursor, direction: Direction, argument: &str) -> Result<Cond> {
    let damaged = || invalid_cursor(argument, "this cursor is damaged; begin again at the first page");
    let [key] = cursor.key.as_slice() else { return Err(damaged()) };
    let key = bind_key(field, key).ok_or_else(damaged)?;
    let row = Expr::tuple([sort_key(table, field), column(table, "id")]);
    let at = Expr::tuple([Expr::val(key), Expr::val(cursor.id)]);
    Ok(Cond::all().add(match direction {
        Direction::Asc => row.gt(at),
        Direction::Desc => row.lt(at),
    }))
}

fn bind_key(field: &Field, key: &serde_json::Value) -> Option<Bound> {
    Some(match key_kind(field) {
        FieldKind::Integer => key.as_i64()?.into(),
        FieldKind::Number => key.as_f64()?.into(),
        FieldKind::Instant => chrono::DateTime::parse_from_rfc3339(key.as_str()?).ok()?.to_utc().into(),
        _ => key.as_str()?.into(),
    })
}
