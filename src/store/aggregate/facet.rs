//! Facets: how many records of a list have each value of a dimension, whatever page of the list is shown.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};

use crate::catalog::dimension::{DimensionSource, dates};
use crate::catalog::record::catalog;
use crate::core::error::Result;
use crate::store::aggregate::join::From;
use crate::store::read::plan::{ListPlan, Plan};
use crate::store::read::result::RowRef;
use crate::store::sql::dialect;
use crate::store::sql::filter::column;
use crate::store::sql::select::{Parent, SelectBuilder};

/// A facet that is asked for.
#[derive(Debug, Clone)]
pub struct FacetSpec {
    /// Its dimension: a place among those of the record.
    pub dimension: usize,
    /// Values at most.
    pub first: u32,
    /// What to read of the records that are its values, where they are records.
    pub plan: Option<Plan>,
}

/// A value of a facet, and how many records have it.
#[derive(Debug)]
pub struct FacetValue<'a> {
    /// The value of a vocabulary, or the period; nothing where it is a record.
    pub text: Option<&'a str>,
    /// The record that is the value.
    pub record: Option<RowRef<'a>>,
    /// Number of records that have it.
    pub count: u64,
}

/// A value as it is read.
#[derive(Debug)]
pub(crate) struct FacetValueRow {
    pub(in crate::store) text: Option<String>,
    /// Row of the record in the level of the facet.
    pub(in crate::store) row: Option<usize>,
    pub(in crate::store) count: u64,
}

impl SelectBuilder {
    /// The facets of a list at the root: an array with one array for each.
    pub(in crate::store) fn facets(&mut self, list: &ListPlan) -> Result<SelectStatement> {
        let facets = list.facets.iter().map(|facet| Ok(self.facet(list, facet, None)?.into())).collect::<Result<Vec<_>>>()?;
        Ok(Query::select().expr(dialect::array(self.backend, facets).cast_as("text")).to_owned())
    }

    /// A facet of a list: an array of [value, number] or, where the values are records, of [row, number].
    pub(in crate::store) fn facet(&mut self, list: &ListPlan, facet: &FacetSpec, parent: Option<Parent<'_>>) -> Result<SelectStatement> {
        let record = catalog().get(list.plan.ty);
        let dimension = &record.dimensions[facet.dimension];
        let lists: Vec<usize> = match &dimension.of {
            DimensionSource::Path(path) => path.relation.into_iter().collect(),
            DimensionSource::Period(_) => Vec::new(),
        };
        let date = dates(record).first().copied().unwrap_or_default();
        let from = From { ty: record.ty, filter: &list.filter, parent, narrowed: &[], ties: &[], keeps: false, date };
        let (mut rows, mut joined) = self.joined(from, &lists);
        let key = self.key(&mut rows, &mut joined, from, dimension);
        rows.expr_as(key, "k");
        let number = match lists.is_empty() {
            true => Func::count(Expr::cust("*")),
            false => {
                rows.expr_as(column(&joined.table, "id"), "a");
                Func::count_distinct(Expr::col("a"))
            }
        };
        let (all, counted) = (self.name(), self.name());
        let mut groups = Query::select();
        groups.column("k").expr_as(number, "n").from_subquery(rows, Alias::new(all)).group_by_col("k");
        let mut chosen = Query::select();
        chosen.expr_as(column(&counted, "k"), "k").expr_as(column(&counted, "n"), "n").from_subquery(groups, Alias::new(&counted));
        chosen.order_by_expr(column(&counted, "n"), Order::Desc);
        if let Some(target) = dimension.target() {
            // those of equal number by their names
            let named = self.name();
            let same = column(&named, "id").equals((Alias::new(&counted), Alias::new("k")));
            chosen.join_as(JoinType::InnerJoin, Alias::new(catalog().get(target).table), Alias::new(&named), same);
            chosen.order_by_expr(column(&named, "sort_key"), Order::Asc);
        } else {
            chosen.and_where(column(&counted, "k").ne(""));
        }
        chosen.order_by_expr(column(&counted, "k"), Order::Asc).limit(u64::from(facet.first));
        let table = self.name();
        let value = match &facet.plan {
            Some(plan) => self.referred(plan, column(&table, "k"))?.into(),
            None => column(&table, "k"),
        };
        let value = dialect::array(self.backend, vec![value, column(&table, "n")]);
        Ok(Query::select().expr(dialect::array_of(self.backend, value)).from_subquery(chosen, Alias::new(table)).to_owned())
    }
}
