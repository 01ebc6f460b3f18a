//! Facets: the number of records of a list per value of a dimension, regardless of the page.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};

use crate::catalog::catalog;
use crate::catalog::dimension::DimensionSource;
use crate::core::error::Result;
use crate::core::ids::RelationId;
use crate::store::aggregate::join::CountSource;
use crate::store::read::plan::{FacetSpec, ListPlan};
use crate::store::sql::column::column;
use crate::store::sql::dialect;
use crate::store::sql::select::{Parent, SelectBuilder};

impl SelectBuilder {
    /// The facets of the root list: an array of arrays.
    pub(crate) fn facets(&mut self, list: &ListPlan) -> Result<SelectStatement> {
        let facets = list.facets.iter().map(|facet| Ok(self.facet(list, facet, None)?.into())).collect::<Result<Vec<_>>>()?;
        Ok(Query::select().expr(dialect::json_array(self.backend, facets).cast_as("text")).to_owned())
    }

    /// A facet of a list: an array of [value, count] or, if the values are records, of [row, count].
    pub(crate) fn facet(&mut self, list: &ListPlan, facet: &FacetSpec, parent: Option<Parent<'_>>) -> Result<SelectStatement> {
        let record = catalog().get(list.plan.ty);
        let dimension = &record.dimensions[facet.dimension];
        let lists: Vec<RelationId> = match &dimension.source {
            DimensionSource::Path(path) => path.relation.into_iter().collect(),
            DimensionSource::Period(_) => Vec::new(),
        };
        let period_field = record.date_fields().first().copied();
        let source =
            CountSource { ty: record.ty, filter: &list.filter, parent, part_filters: &[], join_keys: &[], outer: false, period_field };
        let (mut rows, mut joined) = self.joined_tables(source, &lists);
        let key = self.dimension_key(&mut rows, &mut joined, source, dimension);
        rows.expr_as(key, "k");
        let count = if lists.is_empty() {
            Func::count(Expr::cust("*"))
        } else {
            rows.expr_as(column(&joined.table, "id"), "a");
            Func::count_distinct(Expr::col("a"))
        };
        let (rows_alias, counts) = (self.alias(), self.alias());
        let mut groups = Query::select();
        groups.column("k").expr_as(count, "n").from_subquery(rows, Alias::new(rows_alias)).group_by_col("k");
        let mut top = Query::select();
        top.expr_as(column(&counts, "k"), "k").expr_as(column(&counts, "n"), "n").from_subquery(groups, Alias::new(&counts));
        top.order_by_expr(column(&counts, "n"), Order::Desc);
        if let Some(target) = dimension.target() {
            // equal counts by name
            let target_alias = self.alias();
            let on = column(&target_alias, "id").equals((Alias::new(&counts), Alias::new("k")));
            top.join_as(JoinType::InnerJoin, Alias::new(catalog().get(target).table), Alias::new(&target_alias), on);
            top.order_by_expr(column(&target_alias, "sort_key"), Order::Asc);
        } else {
            top.and_where(column(&counts, "k").ne(""));
        }
        top.order_by_expr(column(&counts, "k"), Order::Asc).limit(u64::from(facet.first));
        let table = self.alias();
        let value = match &facet.plan {
            Some(plan) => self.referenced_row(plan, column(&table, "k"))?.into(),
            None => column(&table, "k"),
        };
        let value = dialect::json_array(self.backend, vec![value, column(&table, "n")]);
        Ok(Query::select().expr(dialect::json_agg(self.backend, value)).from_subquery(top, Alias::new(table)).to_owned())
    }
}
