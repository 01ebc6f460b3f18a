//! The one statement of statistics: an array of the groups, and what all together give.
//!
//! A join multiplies rows: a case with three defendants and two charges has six. So figures that look at other lists are
//! computed each by itself, grouped, and put side by side by the keys of the groups. What is counted is then told apart
//! by id only where rows can come more than once.

use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, SimpleExpr};

use crate::catalog::measure::Measure;
use crate::catalog::record::catalog;
use crate::core::error::Result;
use crate::core::pagination::Direction;
use crate::store::aggregate::measures::{Figures, key, of};
use crate::store::aggregate::query::{AggregateQuery, GroupSort};
use crate::store::sql::dialect;
use crate::store::sql::filter::column;
use crate::store::sql::select::SelectBuilder;

impl SelectBuilder {
    /// The statement that answers a question.
    pub(in crate::store) fn statistics(&mut self, question: &AggregateQuery) -> Result<SelectStatement> {
        let mut parts = vec![Expr::null(), Expr::null()];
        if question.rows {
            parts[0] = self.groups(question)?.into();
        }
        if let Some(measures) = &question.total {
            let mut figures = self.figures(question, &[], measures);
            let columns = figures.columns.into_iter().flat_map(|(_, columns)| columns);
            let all = dialect::array(self.backend, columns.collect());
            parts[1] = figures.select.expr(all).take().into();
        }
        Ok(Query::select().expr(dialect::array(self.backend, parts).cast_as("text")).to_owned())
    }

    fn groups(&mut self, question: &AggregateQuery) -> Result<SelectStatement> {
        let mut measures = question.measures.clone();
        if let Some((GroupSort::Measure(measure), _)) = question.order
            && !measures.contains(&measure)
        {
            measures.push(measure);
        }
        if measures.is_empty() && question.by.is_empty() {
            // one row for all, of which nothing is told; a statement has to select something
            measures.push(0);
        }
        let Figures { mut select, groups, columns, .. } = self.figures(question, &question.by, &measures);
        let mut sorts = Vec::new();
        for (place, by) in question.by.iter().enumerate() {
            let id = of(&groups, key(place));
            select.expr_as(id.clone(), key(place));
            let mut sort = Vec::new();
            if let Some(target) = question.dimension(by).target() {
                let named = self.name();
                let same = column(&named, "id").eq(id.clone());
                select.join_as(JoinType::LeftJoin, Alias::new(catalog().get(target).table), Alias::new(&named), same);
                let name = dialect::known(column(&named, "sort_key"));
                select.expr_as(name.clone(), Alias::new(format!("s{place}")));
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
        match question.order {
            Some((GroupSort::Group(place), direction)) => order(&sorts[place], run(direction)),
            Some((GroupSort::Measure(measure), direction)) => {
                let columns = columns.iter().find(|(known, _)| *known == measure).map_or(&[][..], |(_, columns)| columns);
                order(&sortable(question, measure, columns), run(direction));
            }
            None => {}
        }
        sorts.iter().for_each(|sorts| order(sorts, Order::Asc));
        // one more than are shown tells whether there are more
        select.limit(u64::from(question.limit) + 1);
        for (measure, columns) in &columns {
            for (place, value) in columns.iter().enumerate() {
                select.expr_as(value.clone(), Alias::new(format!("v{measure}_{place}")));
            }
        }
        let chosen = self.name();
        let mut elements = Vec::new();
        for (place, by) in question.by.iter().enumerate() {
            let id = of(&chosen, key(place));
            match &by.plan {
                Some(plan) => {
                    elements.push(of(&chosen, Alias::new(format!("s{place}"))));
                    elements.push(self.referred(plan, id)?.into());
                }
                None => elements.push(id),
            }
        }
        for measure in &question.measures {
            let columns = columns.iter().find(|(known, _)| known == measure).map_or(0, |(_, columns)| columns.len());
            elements.extend((0..columns).map(|place| of(&chosen, Alias::new(format!("v{measure}_{place}")))));
        }
        let group = dialect::array(self.backend, elements);
        Ok(Query::select().expr(dialect::array_of(self.backend, group)).from_subquery(select, Alias::new(chosen)).to_owned())
    }
}

/// What a measure is sorted by: what cannot be told comes before everything else.
fn sortable(question: &AggregateQuery, measure: usize, columns: &[Expr]) -> Vec<Expr> {
    let number = |value: &Expr| Expr::expr(Func::coalesce([value.clone().cast_as("double precision"), Expr::val(-1e300)]));
    match (question.measure(measure).map(|measure| measure.figure), columns) {
        (Some(Measure::Median(_)), [count, middle]) => {
            let middle = number(middle);
            vec![middle.div(Expr::val(2).sub(count.clone().modulo(2)))]
        }
        (Some(Measure::Mean(_)), [count, sum]) => {
            let some: SimpleExpr = CaseStatement::new().case(count.clone().gt(0), count.clone()).finally(1).into();
            vec![number(sum).div(some)]
        }
        (_, [value]) => vec![value.clone()],
        _ => Vec::new(),
    }
}

fn run(direction: Direction) -> Order {
    match direction {
        Direction::Asc => Order::Asc,
        Direction::Desc => Order::Desc,
    }
}
