//! Measures of groups: grouped subqueries, joined by the keys of the groups.

use sea_orm::sea_query::{
    Alias, CaseStatement, Cond, Expr, ExprTrait, Func, JoinType, Order, OverStatement, Query, SelectStatement, SimpleExpr, WindowStatement,
};

use crate::catalog::catalog;
use crate::catalog::dimension::DimensionSource;
use crate::catalog::measure::{CountTarget, Interval, Measure, MeasureCondition, MeasureSpec};
use crate::catalog::record::Record;
use crate::core::ids::RelationId;
use crate::store::aggregate::join::{CountSource, JoinedTables};
use crate::store::aggregate::query::{AggregateQuery, GroupBy};
use crate::store::sql::column::column;
use crate::store::sql::dialect;
use crate::store::sql::filter::Visibility;
use crate::store::sql::select::SelectBuilder;

/// Alias of the column of a key.
pub(super) fn key_alias(position: usize) -> Alias {
    Alias::new(format!("k{position}"))
}

/// Alias of the column of a count.
fn count_alias(measure: usize) -> Alias {
    Alias::new(format!("v{measure}"))
}

/// A column of a table, by its alias.
pub(super) fn alias_column(table: &str, name: Alias) -> Expr {
    Expr::col((Alias::new(table), name))
}

/// The joined subqueries of a query, and the columns of each measure.
pub(super) struct MeasureTables {
    pub(super) select: SelectStatement,
    /// Alias of the subquery that has every group.
    pub(super) groups: String,
    /// Whether that subquery has been added.
    has_groups: bool,
    /// The columns of each measure, by its index: a count, or the number of values and their sum.
    pub(super) columns: Vec<(usize, Vec<Expr>)>,
}

/// A requested measure, with its index.
type RequestedMeasure = (usize, &'static MeasureSpec);

impl SelectBuilder {
    /// The measures of all groups, one row per group.
    pub(super) fn measure_tables(&mut self, query: &AggregateQuery, by: &[GroupBy], measures: &[usize]) -> MeasureTables {
        let record = query.record();
        let group_lists = lists_of(query, by);
        let requested: Vec<RequestedMeasure> = measures.iter().filter_map(|index| Some((*index, query.measure(*index)?))).collect();
        let mut count_tables: Vec<(Vec<RelationId>, Vec<RequestedMeasure>)> = vec![(group_lists.clone(), Vec::new())];
        let mut interval_tables: Vec<(Interval, &'static MeasureSpec, Vec<RequestedMeasure>)> = Vec::new();
        for (index, measure) in requested {
            match measure.aggregate {
                Measure::Count(_) => {
                    let mut lists = group_lists.clone();
                    lists.extend(measure.lists().map(|list| record.known_relation(list)));
                    let lists = join_order(query, lists);
                    match count_tables.iter_mut().find(|(joined, _)| *joined == lists) {
                        Some((_, family)) => family.push((index, measure)),
                        None => count_tables.push((lists, vec![(index, measure)])),
                    }
                }
                Measure::Median(interval) | Measure::Mean(interval) | Measure::SampleSize(interval) => {
                    match interval_tables.iter_mut().find(|(known, of, _)| *known == interval && of.conditions == measure.conditions) {
                        Some((.., family)) => family.push((index, measure)),
                        None => interval_tables.push((interval, measure, vec![(index, measure)])),
                    }
                }
            }
        }
        let mut tables = MeasureTables { select: Query::select(), groups: self.alias(), has_groups: false, columns: Vec::new() };
        for (number, (lists, family)) in count_tables.into_iter().enumerate() {
            let counts = self.count_table(query, by, &lists, &family);
            let table = if number == 0 { tables.groups.clone() } else { self.alias() };
            for (index, _) in &family {
                let value = alias_column(&table, count_alias(*index));
                let value = if number == 0 { value } else { Expr::expr(Func::coalesce([value, Expr::val(0)])) };
                tables.columns.push((*index, vec![value]));
            }
            tables.add(counts, table, by.len());
        }
        for (interval, measure, family) in interval_tables {
            let with_median = family.iter().any(|(_, measure)| matches!(measure.aggregate, Measure::Median(_)));
            let values = self.interval_table(query, by, interval, measure, with_median);
            let table = self.alias();
            let count = || Expr::expr(Func::coalesce([alias_column(&table, Alias::new("n")), Expr::val(0)]));
            for (index, measure) in family {
                let columns = match measure.aggregate {
                    Measure::Median(_) => vec![count(), alias_column(&table, Alias::new("m"))],
                    Measure::Mean(_) => vec![count(), alias_column(&table, Alias::new("s"))],
                    _ => vec![count()],
                };
                tables.columns.push((index, columns));
            }
            tables.add(values, table, by.len());
        }
        // in the requested order
        tables.columns.sort_by_key(|(index, _)| measures.iter().position(|measure| measure == index));
        tables
    }

    /// Counts that need the same lists, for each group that has a row.
    fn count_table(
        &mut self,
        query: &AggregateQuery,
        by: &[GroupBy],
        lists: &[RelationId],
        family: &[RequestedMeasure],
    ) -> SelectStatement {
        let record = query.record();
        let (mut rows, mut joined) = self.source_rows(query, by, lists);
        if by.is_empty() {
            // a subquery of SQLite needs a column, even if only its rows are counted
            rows.expr_as(column(&joined.table, "id"), "id");
        }
        let mut groups = Query::select();
        for (index, measure) in family {
            let Measure::Count(target) = measure.aggregate else { continue };
            let is_unique = match target {
                CountTarget::Record => lists.is_empty(),
                CountTarget::Part(list) => lists == [record.known_relation(list)],
                CountTarget::PartReference(..) | CountTarget::Reference(_) => false,
            };
            let count = if is_unique && measure.conditions.is_empty() && target == CountTarget::Record {
                Func::count(Expr::cust("*"))
            } else {
                let id = self.counted_id(query, &mut rows, &mut joined, target);
                let id = match condition(record, &joined, &measure.conditions) {
                    Some(condition) => CaseStatement::new().case(condition, id).into(),
                    None => id,
                };
                let argument = Alias::new(format!("a{index}"));
                rows.expr_as(id, argument.clone());
                if is_unique { Func::count(Expr::col(argument)) } else { Func::count_distinct(Expr::col(argument)) }
            };
            groups.expr_as(count, count_alias(*index));
        }
        group_by_keys(&mut groups, by.len());
        if by.is_empty() && family.is_empty() {
            // a single group without counts
            return Query::select().expr_as(Expr::val(0), "none").to_owned();
        }
        groups.from_subquery(rows, Alias::new(self.alias())).to_owned()
    }

    /// Lengths of time of each group: their number, their sum and, for the median, the sum of the one or two values in the
    /// middle.
    fn interval_table(
        &mut self,
        query: &AggregateQuery,
        by: &[GroupBy],
        interval: Interval,
        measure: &MeasureSpec,
        with_median: bool,
    ) -> SelectStatement {
        let record = query.record();
        let mut lists = lists_of(query, by);
        lists.extend(measure.lists().map(|list| record.known_relation(list)));
        let lists = join_order(query, lists);
        let (mut rows, joined) = self.source_rows(query, by, &lists);
        let (value, id, is_unique) = match interval {
            Interval::Duration(list, field) => {
                let relation = record.known_relation(list);
                let parts = catalog().get(record.relation(relation).target);
                let table = joined.list(relation);
                let minutes = parts.field(parts.known_field(field)).minutes_column();
                let minutes = minutes.unwrap_or_else(|| panic!("{}.{field} is not a duration", parts.name()));
                (column(table, minutes), column(table, "id"), lists == [relation])
            }
            Interval::Days(from, to) => {
                let field = |name| column(&joined.table, record.field(record.known_field(name)).column);
                (dialect::days_between(self.backend, field(from), field(to)), column(&joined.table, "id"), lists.is_empty())
            }
            Interval::DaysUntilPart { from, list, date, field, values } => {
                let begin = column(&joined.table, record.field(record.known_field(from)).column);
                let end = self.first_date(record, &joined.table, list, date, MeasureCondition { list: Some(list), field, values });
                let rows_alias = self.alias();
                // in two steps, so that the end is selected once per row
                rows.expr_as(begin, "b").expr_as(SimpleExpr::from(end), "e").expr_as(column(&joined.table, "id"), "id");
                if !lists.is_empty() {
                    rows.distinct();
                }
                let mut outer = Query::select();
                (0..by.len()).for_each(|position| {
                    outer.expr_as(alias_column(&rows_alias, key_alias(position)), key_alias(position));
                });
                let days = dialect::days_between(self.backend, column(&rows_alias, "b"), column(&rows_alias, "e"));
                outer.expr_as(days, "v").from_subquery(rows, Alias::new(rows_alias));
                return self.interval_aggregates(outer, by.len(), with_median);
            }
        };
        if let Some(condition) = condition(record, &joined, &measure.conditions) {
            rows.cond_where(condition);
        }
        rows.expr_as(value, "v");
        if !is_unique {
            rows.expr_as(id, "id").distinct();
        }
        self.interval_aggregates(rows, by.len(), with_median)
    }

    /// The number, the sum and the middle values of each group.
    fn interval_aggregates(&mut self, rows: SelectStatement, keys: usize, with_median: bool) -> SelectStatement {
        let (rows_alias, values_alias) = (self.alias(), self.alias());
        let mut values = Query::select();
        (0..keys).for_each(|position| {
            values.expr_as(alias_column(&rows_alias, key_alias(position)), key_alias(position));
        });
        values.expr_as(column(&rows_alias, "v"), "v");
        if with_median {
            let window = || {
                let mut window = WindowStatement::new();
                (0..keys).for_each(|position| {
                    window.add_partition_by(alias_column(&rows_alias, key_alias(position)));
                });
                window
            };
            let mut ordered = window();
            ordered.order_by((Alias::new(&rows_alias), Alias::new("v")), Order::Asc);
            values.expr_window_as(Func::cust("ROW_NUMBER"), ordered, "r");
            values.expr_window_as(Func::count(Expr::cust("*")), window(), "c");
        }
        values.from_subquery(rows, Alias::new(&rows_alias)).and_where(column(&rows_alias, "v").is_not_null());
        let mut groups = Query::select();
        groups.expr_as(Func::count(Expr::cust("*")), "n").expr_as(Func::sum(Expr::col("v")), "s");
        if with_median {
            let double_rank = || Expr::col("r").mul(2);
            let is_middle = Cond::all().add(double_rank().gte(Expr::col("c"))).add(double_rank().lte(Expr::col("c").add(2)));
            let middle: SimpleExpr = CaseStatement::new().case(is_middle, Expr::col("v")).into();
            groups.expr_as(Func::sum(middle), "m");
        }
        group_by_keys(&mut groups, keys);
        groups.from_subquery(values, Alias::new(values_alias)).to_owned()
    }

    /// The earliest date, with the precision of a day, among the parts of a list that satisfy a condition.
    fn first_date(
        &mut self,
        record: &Record,
        table: &str,
        list: &'static str,
        date: &'static str,
        condition: MeasureCondition,
    ) -> SelectStatement {
        let relation = record.relation(record.known_relation(list));
        let parts = catalog().get(relation.target);
        let alias = self.alias();
        let field = |field| column(&alias, parts.field(parts.known_field(field)).column);
        let owner = parts.owner().map_or("id", |owner| owner.column);
        Query::select()
            .expr(Func::min(field(date)))
            .from_as(Alias::new(parts.table), Alias::new(&alias))
            .and_where(column(&alias, owner).equals((Alias::new(table), Alias::new("id"))))
            .and_where_option(self.visibility.predicate(&alias))
            .and_where(field(condition.field).is_in(condition.values.iter().copied()))
            .and_where(dialect::has_day_precision(field(date)))
            .to_owned()
    }

    /// The id of the counted record or part; null if it is not visible.
    fn counted_id(&mut self, query: &AggregateQuery, rows: &mut SelectStatement, joined: &mut JoinedTables, target: CountTarget) -> Expr {
        let record = query.record();
        let list = |relation: &'static str| {
            let relation = record.known_relation(relation);
            (catalog().get(record.relation(relation).target), joined.list(relation).to_owned())
        };
        let (owner, table, field) = match target {
            CountTarget::Record => return column(&joined.table, "id"),
            CountTarget::Part(name) => return column(&list(name).1, "id"),
            CountTarget::PartReference(name, field) => {
                let (parts, table) = list(name);
                (parts, table, field)
            }
            CountTarget::Reference(field) => (record, joined.table.clone(), field),
        };
        let index = owner.known_field(field);
        match self.visibility {
            Visibility::All => column(&table, owner.field(index).column),
            Visibility::Published => {
                let visible = self.join_reference(rows, joined, count_source(query), (&table, owner, index));
                column(&visible, "id")
            }
        }
    }

    /// One row per record, or per part in these lists, with the keys of its group.
    fn source_rows(&mut self, query: &AggregateQuery, by: &[GroupBy], lists: &[RelationId]) -> (SelectStatement, JoinedTables) {
        let source = count_source(query);
        let (mut rows, mut joined) = self.joined_tables(source, lists);
        for (position, by) in by.iter().enumerate() {
            let value = self.dimension_key(&mut rows, &mut joined, source, query.dimension(by));
            rows.expr_as(value, key_alias(position));
        }
        (rows, joined)
    }
}

impl MeasureTables {
    /// Adds a subquery: the first one is that of the groups, the others are joined to it by the keys.
    fn add(&mut self, table: SelectStatement, name: String, keys: usize) {
        if !std::mem::replace(&mut self.has_groups, true) {
            self.select.from_subquery(table, Alias::new(name));
            return;
        }
        let on = (0..keys).fold(Cond::all().add(Expr::val(true)), |all, position| {
            let key = |table: &str| alias_column(table, key_alias(position));
            all.add(key(&name).eq(key(&self.groups)))
        });
        self.select.join_subquery(JoinType::LeftJoin, table, Alias::new(&name), on);
    }
}

fn count_source(query: &AggregateQuery) -> CountSource<'_> {
    CountSource {
        ty: query.ty,
        filter: &query.filter,
        parent: None,
        part_filters: &query.part_filters,
        join_keys: query.join_keys(),
        outer: true,
        period_field: query.period_field,
    }
}

fn group_by_keys(groups: &mut SelectStatement, keys: usize) {
    for position in 0..keys {
        groups.column(key_alias(position)).group_by_col(key_alias(position));
    }
}

/// The lists that the keys and the part filters need, in the order in which they are joined.
fn lists_of(query: &AggregateQuery, by: &[GroupBy]) -> Vec<RelationId> {
    let of_dimensions = by.iter().filter_map(|by| match &query.dimension(by).source {
        DimensionSource::Path(path) => path.relation,
        DimensionSource::Period(_) => None,
    });
    let lists = of_dimensions.chain(query.part_filters.iter().map(|(list, _)| *list)).collect();
    join_order(query, lists)
}

/// Removes duplicate lists, and puts those that are joined by a common party first, in their declared order.
fn join_order(query: &AggregateQuery, mut lists: Vec<RelationId>) -> Vec<RelationId> {
    let record = query.record();
    let join_key = |list: &RelationId| query.join_keys().iter().position(|(name, _)| *name == record.relation(*list).name);
    lists.sort_unstable();
    lists.dedup();
    lists.sort_by_key(|list| (join_key(list).is_none(), join_key(list)));
    lists
}

/// The predicate of the conditions of a measure, if it has any.
fn condition(record: &Record, joined: &JoinedTables, conditions: &[MeasureCondition]) -> Option<Cond> {
    let predicate = |only: &MeasureCondition| {
        let (owner, table) = match only.list.map(|list| record.known_relation(list)) {
            Some(relation) => (catalog().get(record.relation(relation).target), joined.list(relation)),
            None => (record, joined.table.as_str()),
        };
        let field = owner.field(owner.known_field(only.field)).column;
        column(table, field).is_in(only.values.iter().copied())
    };
    (!conditions.is_empty()).then(|| conditions.iter().fold(Cond::all(), |all, only| all.add(predicate(only))))
}
