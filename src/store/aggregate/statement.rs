//! The statement of an aggregate query: an array of the groups, and the measures of all records together.
//!
//! A join multiplies rows: a case with three defendants and two charges becomes six rows. Measures that need different
//! lists are therefore computed in grouped subqueries of their own, joined by the keys of the groups. Distinct counts are
//! used only where a row can occur more than once.

use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, SimpleExpr};

use crate::catalog::catalog;
use crate::catalog::measure::Measure;
use crate::core::error::Result;
use crate::core::pagination::Direction;
use crate::store::aggregate::measures::{MeasureTables, alias_column, key_alias};
use crate::store::aggregate::query::{AggregateQuery, GroupSort};
use crate::store::sql::column::column;
use crate::store::sql::dialect;
use crate::store::sql::select::SelectBuilder;

impl SelectBuilder {
    /// The statement of an aggregate query.
    pub(crate) fn statistics(&mut self, query: &AggregateQuery) -> Result<SelectStatement> {
        let mut parts = vec![Expr::null(), Expr::null()];
        if query.rows {
            parts[0] = self.groups(query)?.into();
        }
        if let Some(measures) = &query.total {
            let mut tables = self.measure_tables(query, &[], measures);
            let columns = tables.columns.into_iter().flat_map(|(_, columns)| columns);
            let all = dialect::json_array(self.backend, columns.collect());
            parts[1] = tables.select.expr(all).take().into();
        }
        Ok(Query::select().expr(dialect::json_array(self.backend, parts).cast_as("text")).to_owned())
    }

    fn groups(&mut self, query: &AggregateQuery) -> Result<SelectStatement> {
        let mut measures = query.measures.clone();
        if let Some((GroupSort::Measure(measure), _)) = query.order
            && !measures.contains(&measure)
        {
            measures.push(measure);
        }
        if measures.is_empty() && query.group_by.is_empty() {
            // one group without measures; a statement has to select something
            measures.push(0);
        }
        let MeasureTables { mut select, groups, columns, .. } = self.measure_tables(query, &query.group_by, &measures);
        let mut sorts = Vec::new();
        for (position, by) in query.group_by.iter().enumerate() {
            let id = alias_column(&groups, key_alias(position));
            select.expr_as(id.clone(), key_alias(position));
            let mut sort = Vec::new();
            if let Some(target) = query.dimension(by).target() {
                let target_alias = self.alias();
                let on = column(&target_alias, "id").eq(id.clone());
                select.join_as(JoinType::LeftJoin, Alias::new(catalog().get(target).table), Alias::new(&target_alias), on);
                let name = dialect::text_or_empty(column(&target_alias, "sort_key"));
                select.expr_as(name.clone(), Alias::new(format!("s{position}")));
                sort.push(name);
            }
            sort.push(id);
            sorts.push(sort);
        }
        let mut order = |sorts: &[Expr], direction: Order| {
            for sort in sorts {
                select.order_by_expr(sort.clone(), direction.clone());
            }
        };
        match query.order {
            Some((GroupSort::Group(position), direction)) => order(&sorts[position], sql_order(direction)),
            Some((GroupSort::Measure(measure), direction)) => {
                let columns = columns.iter().find(|(index, _)| *index == measure).map_or(&[][..], |(_, columns)| columns);
                order(&measure_sort(query, measure, columns), sql_order(direction));
            }
            None => {}
        }
        for sorts in &sorts {
            order(sorts, Order::Asc);
        }
        // one group more than requested, to tell whether there are more
        select.limit(u64::from(query.limit) + 1);
        for (measure, columns) in &columns {
            for (index, value) in columns.iter().enumerate() {
                select.expr_as(value.clone(), Alias::new(format!("v{measure}_{index}")));
            }
        }
        let groups_alias = self.alias();
        let mut elements = Vec::new();
        for (position, by) in query.group_by.iter().enumerate() {
            let id = alias_column(&groups_alias, key_alias(position));
            match &by.plan {
                Some(plan) => {
                    elements.push(alias_column(&groups_alias, Alias::new(format!("s{position}"))));
                    elements.push(self.referenced_row(plan, id)?.into());
                }
                None => elements.push(id),
            }
        }
        for measure in &query.measures {
            let columns = columns.iter().find(|(index, _)| index == measure).map_or(0, |(_, columns)| columns.len());
            elements.extend((0..columns).map(|index| alias_column(&groups_alias, Alias::new(format!("v{measure}_{index}")))));
        }
        let group = dialect::json_array(self.backend, elements);
        Ok(Query::select().expr(dialect::json_agg(self.backend, group)).from_subquery(select, Alias::new(groups_alias)).to_owned())
    }
}

/// The sort expressions of a measure: null sorts before all numbers.
fn measure_sort(query: &AggregateQuery, measure: usize, columns: &[Expr]) -> Vec<Expr> {
    let number = |value: &Expr| Expr::expr(Func::coalesce([value.clone().cast_as("double precision"), Expr::val(-1e300)]));
    match (query.measure(measure).map(|measure| measure.aggregate), columns) {
        (Some(Measure::Median(_)), [count, middle]) => {
            let middle = number(middle);
            vec![middle.div(Expr::val(2).sub(count.clone().modulo(2)))]
        }
        (Some(Measure::Mean(_)), [count, sum]) => {
            let divisor: SimpleExpr = CaseStatement::new().case(count.clone().gt(0), count.clone()).finally(1).into();
            vec![number(sum).div(divisor)]
        }
        (_, [value]) => vec![value.clone()],
        _ => Vec::new(),
    }
}

fn sql_order(direction: Direction) -> Order {
    match direction {
        Direction::Asc => Order::Asc,
        Direction::Desc => Order::Desc,
    }
}
