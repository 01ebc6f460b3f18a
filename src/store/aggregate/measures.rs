//! The figures of groups: selects that are grouped each by itself, and put side by side by the keys of the groups.

use sea_orm::sea_query::{
    Alias, CaseStatement, Cond, Expr, ExprTrait, Func, JoinType, Order, OverStatement, Query, SelectStatement, SimpleExpr, WindowStatement,
};

use crate::catalog::dimension::DimensionSource;
use crate::catalog::measure::{CountTarget, Interval, Measure, MeasureSpec, Only};
use crate::catalog::record::{Record, catalog};
use crate::store::aggregate::join::{From, Joined};
use crate::store::aggregate::query::{AggregateQuery, GroupBy};
use crate::store::sql::dialect;
use crate::store::sql::filter::{Visibility, column};
use crate::store::sql::select::SelectBuilder;

/// Name of the column of a key.
pub(super) fn key(place: usize) -> Alias {
    Alias::new(format!("k{place}"))
}

/// Name of the column of a number.
fn figure(measure: usize) -> Alias {
    Alias::new(format!("v{measure}"))
}

/// A column of a table.
pub(super) fn of(table: &str, name: Alias) -> Expr {
    Expr::col((Alias::new(table), name))
}

/// Figures of groups: tables side by side, and where each figure is.
pub(super) struct Figures {
    pub(super) select: SelectStatement,
    /// The table that has every group.
    pub(super) groups: String,
    /// Whether that table is there.
    begun: bool,
    /// The columns of each measure: its number, or of how many it is and what they add up to.
    pub(super) columns: Vec<(usize, Vec<Expr>)>,
}

/// A measure that is asked for, by its place among all.
type Asked = (usize, &'static MeasureSpec);

impl SelectBuilder {
    /// The figures of all groups, each group once.
    pub(super) fn figures(&mut self, question: &AggregateQuery, by: &[GroupBy], measures: &[usize]) -> Figures {
        let record = question.record();
        let own = lists_of(question, by);
        let asked: Vec<Asked> = measures.iter().filter_map(|place| Some((*place, question.measure(*place)?))).collect();
        let mut families: Vec<(Vec<usize>, Vec<Asked>)> = vec![(own.clone(), Vec::new())];
        let mut spans: Vec<(Interval, &'static MeasureSpec, Vec<Asked>)> = Vec::new();
        for (place, measure) in asked {
            match measure.figure {
                Measure::Number(_) => {
                    let mut lists = own.clone();
                    lists.extend(measure.lists().filter_map(|list| record.relation_index(list)));
                    let lists = in_order(question, lists);
                    match families.iter_mut().find(|(known, _)| *known == lists) {
                        Some((_, family)) => family.push((place, measure)),
                        None => families.push((lists, vec![(place, measure)])),
                    }
                }
                Measure::Median(span) | Measure::Mean(span) | Measure::Measured(span) => {
                    match spans.iter_mut().find(|(known, of, _)| *known == span && of.only == measure.only) {
                        Some((.., family)) => family.push((place, measure)),
                        None => spans.push((span, measure, vec![(place, measure)])),
                    }
                }
            }
        }
        let mut figures = Figures { select: Query::select(), groups: self.name(), begun: false, columns: Vec::new() };
        for (number, (lists, family)) in families.into_iter().enumerate() {
            let counted = self.numbers(question, by, &lists, &family);
            let table = if number == 0 { figures.groups.clone() } else { self.name() };
            for (place, _) in &family {
                let value = of(&table, figure(*place));
                let value = if number == 0 { value } else { Expr::expr(Func::coalesce([value, Expr::val(0)])) };
                figures.columns.push((*place, vec![value]));
            }
            figures.add(counted, table, by.len());
        }
        for (span, measure, family) in spans {
            let with_median = family.iter().any(|(_, measure)| matches!(measure.figure, Measure::Median(_)));
            let measured = self.spans(question, by, span, measure, with_median);
            let table = self.name();
            let number = || Expr::expr(Func::coalesce([of(&table, Alias::new("n")), Expr::val(0)]));
            for (place, measure) in family {
                let columns = match measure.figure {
                    Measure::Median(_) => vec![number(), of(&table, Alias::new("m"))],
                    Measure::Mean(_) => vec![number(), of(&table, Alias::new("s"))],
                    _ => vec![number()],
                };
                figures.columns.push((place, columns));
            }
            figures.add(measured, table, by.len());
        }
        // in the order in which they were asked for
        figures.columns.sort_by_key(|(place, _)| measures.iter().position(|measure| measure == place));
        figures
    }

    /// Numbers of different things, for each group in which there is a row.
    fn numbers(&mut self, question: &AggregateQuery, by: &[GroupBy], lists: &[usize], family: &[Asked]) -> SelectStatement {
        let record = question.record();
        let (mut rows, mut joined) = self.rows(question, by, lists);
        if by.is_empty() {
            // SQLite wants a column, if only rows are counted
            rows.expr_as(column(&joined.table, "id"), "id");
        }
        let mut groups = Query::select();
        for (place, measure) in family {
            let Measure::Number(thing) = measure.figure else { continue };
            let unique = match thing {
                CountTarget::Record => lists.is_empty(),
                CountTarget::Part(list) => matches!(lists, [only] if record.relation_index(list) == Some(*only)),
                CountTarget::Referred(..) | CountTarget::One(_) => false,
            };
            let number = if unique && measure.only.is_empty() && thing == CountTarget::Record {
                Func::count(Expr::cust("*"))
            } else {
                let id = self.counted(question, &mut rows, &mut joined, thing);
                let id = match only(record, &joined, &measure.only) {
                    Some(holds) => CaseStatement::new().case(holds, id).into(),
                    None => id,
                };
                let argument = Alias::new(format!("a{place}"));
                rows.expr_as(id, argument.clone());
                if unique { Func::count(Expr::col(argument)) } else { Func::count_distinct(Expr::col(argument)) }
            };
            groups.expr_as(number, figure(*place));
        }
        grouped(&mut groups, by.len());
        if by.is_empty() && family.is_empty() {
            // one group, whatever is in it
            return Query::select().expr_as(Expr::val(0), "none").to_owned();
        }
        groups.from_subquery(rows, Alias::new(self.name())).to_owned()
    }

    /// Lengths of time of each group: of how many they are, what they add up to, and the sum of the one or two in the
    /// middle (that of one comes once).
    fn spans(
        &mut self,
        question: &AggregateQuery,
        by: &[GroupBy],
        span: Interval,
        measure: &MeasureSpec,
        with_median: bool,
    ) -> SelectStatement {
        let record = question.record();
        let mut lists = lists_of(question, by);
        lists.extend(measure.lists().filter_map(|list| record.relation_index(list)));
        let lists = in_order(question, lists);
        let (mut rows, joined) = self.rows(question, by, &lists);
        let (value, id, unique) = match span {
            Interval::Length(list, field) => {
                let relation = record.relation_index(list).unwrap_or_default();
                let parts = catalog().get(record.relations[relation].target);
                let table = joined.list(relation).unwrap_or_default();
                let minutes = parts.field_index(field).and_then(|index| parts.fields[index].minutes_column()).unwrap_or("id");
                (column(table, minutes), column(table, "id"), lists == [relation])
            }
            Interval::Days(from, to) => {
                let field = |name| column(&joined.table, record.fields[record.field_index(name).unwrap_or_default()].column);
                (dialect::days(self.backend, field(from), field(to)), column(&joined.table, "id"), lists.is_empty())
            }
            Interval::Until { from, list, date, field, values } => {
                let begin = column(&joined.table, record.fields[record.field_index(from).unwrap_or_default()].column);
                let end = self.first(record, &joined.table, list, date, Only { list: Some(list), field, values });
                let ends = self.name();
                // the end is looked up first, and then compared
                rows.expr_as(begin, "b").expr_as(SimpleExpr::from(end), "e").expr_as(column(&joined.table, "id"), "id");
                if !lists.is_empty() {
                    rows.distinct();
                }
                let mut outer = Query::select();
                (0..by.len()).for_each(|place| {
                    outer.expr_as(of(&ends, key(place)), key(place));
                });
                let days = dialect::days(self.backend, column(&ends, "b"), column(&ends, "e"));
                outer.expr_as(days, "v").from_subquery(rows, Alias::new(ends));
                return self.middle(outer, by.len(), with_median);
            }
        };
        if let Some(holds) = only(record, &joined, &measure.only) {
            rows.cond_where(holds);
        }
        rows.expr_as(value, "v");
        if !unique {
            rows.expr_as(id, "id").distinct();
        }
        self.middle(rows, by.len(), with_median)
    }

    /// The number, the sum and the middle of values, group by group.
    fn middle(&mut self, rows: SelectStatement, keys: usize, with_median: bool) -> SelectStatement {
        let (known, ranked) = (self.name(), self.name());
        let mut values = Query::select();
        (0..keys).for_each(|place| {
            values.expr_as(of(&known, key(place)), key(place));
        });
        values.expr_as(column(&known, "v"), "v");
        if with_median {
            let window = || {
                let mut window = WindowStatement::new();
                (0..keys).for_each(|place| {
                    window.add_partition_by(of(&known, key(place)));
                });
                window
            };
            let mut ordered = window();
            ordered.order_by((Alias::new(&known), Alias::new("v")), Order::Asc);
            values.expr_window_as(Func::cust("ROW_NUMBER"), ordered, "r");
            values.expr_window_as(Func::count(Expr::cust("*")), window(), "c");
        }
        values.from_subquery(rows, Alias::new(&known)).and_where(column(&known, "v").is_not_null());
        let mut groups = Query::select();
        groups.expr_as(Func::count(Expr::cust("*")), "n").expr_as(Func::sum(Expr::col("v")), "s");
        if with_median {
            let twice = || Expr::col("r").mul(2);
            let is_middle = Cond::all().add(twice().gte(Expr::col("c"))).add(twice().lte(Expr::col("c").add(2)));
            let middle: SimpleExpr = CaseStatement::new().case(is_middle, Expr::col("v")).into();
            groups.expr_as(Func::sum(middle), "m");
        }
        grouped(&mut groups, keys);
        groups.from_subquery(values, Alias::new(ranked)).to_owned()
    }

    /// The date of the first part of a list that is known to the day and satisfies a condition.
    fn first(&mut self, record: &Record, table: &str, list: &str, date: &str, condition: Only) -> SelectStatement {
        let relation = &record.relations[record.relation_index(list).unwrap_or_default()];
        let parts = catalog().get(relation.target);
        let name = self.name();
        let field = |field| column(&name, parts.fields[parts.field_index(field).unwrap_or_default()].column);
        let owner = parts.owner().map_or("id", |owner| owner.column);
        Query::select()
            .expr(Func::min(field(date)))
            .from_as(Alias::new(parts.table), Alias::new(&name))
            .and_where(column(&name, owner).equals((Alias::new(table), Alias::new("id"))))
            .and_where_option(self.sees.only(&name))
            .and_where(field(condition.field).is_in(condition.values.iter().copied()))
            .and_where(dialect::is_day(field(date)))
            .to_owned()
    }

    /// The id of what is counted; nothing where it may not be seen.
    fn counted(&mut self, question: &AggregateQuery, rows: &mut SelectStatement, joined: &mut Joined, thing: CountTarget) -> Expr {
        let record = question.record();
        let at = |relation: &str| {
            let relation = record.relation_index(relation).unwrap_or_default();
            (catalog().get(record.relations[relation].target), joined.list(relation).unwrap_or_default().to_owned())
        };
        let (owner, table, field) = match thing {
            CountTarget::Record => return column(&joined.table, "id"),
            CountTarget::Part(list) => return column(&at(list).1, "id"),
            CountTarget::Referred(list, field) => {
                let (parts, table) = at(list);
                (parts, table, field)
            }
            CountTarget::One(field) => (record, joined.table.clone(), field),
        };
        let index = owner.field_index(field).unwrap_or_default();
        match self.sees {
            Visibility::All => column(&table, owner.fields[index].column),
            Visibility::Published => {
                let seen = self.reference(rows, joined, from(question), (&table, owner, index));
                column(&seen, "id")
            }
        }
    }

    /// A row for each record, or for each of its parts, with the keys of its group.
    fn rows(&mut self, question: &AggregateQuery, by: &[GroupBy], lists: &[usize]) -> (SelectStatement, Joined) {
        let from = from(question);
        let (mut rows, mut joined) = self.joined(from, lists);
        for (place, by) in by.iter().enumerate() {
            let value = self.key(&mut rows, &mut joined, from, question.dimension(by));
            rows.expr_as(value, key(place));
        }
        (rows, joined)
    }
}

impl Figures {
    /// Puts a table of figures beside those that are there.
    fn add(&mut self, table: SelectStatement, name: String, keys: usize) {
        if !std::mem::replace(&mut self.begun, true) {
            self.select.from_subquery(table, Alias::new(name));
            return;
        }
        let same =
            (0..keys).fold(Cond::all().add(Expr::val(true)), |all, place| all.add(of(&name, key(place)).eq(of(&self.groups, key(place)))));
        self.select.join_subquery(JoinType::LeftJoin, table, Alias::new(&name), same);
    }
}

fn from(question: &AggregateQuery) -> From<'_> {
    From {
        ty: question.ty,
        filter: &question.filter,
        parent: None,
        narrowed: &question.narrowed,
        ties: question.ties(),
        keeps: true,
        date: question.date,
    }
}

fn grouped(groups: &mut SelectStatement, keys: usize) {
    for place in 0..keys {
        groups.column(key(place)).group_by_col(key(place));
    }
}

/// Lists that the groups themselves look at, in the order in which they are joined.
fn lists_of(question: &AggregateQuery, by: &[GroupBy]) -> Vec<usize> {
    let of_dimensions = by.iter().filter_map(|by| match &question.dimension(by).of {
        DimensionSource::Path(path) => path.relation,
        DimensionSource::Period(_) => None,
    });
    let lists = of_dimensions.chain(question.narrowed.iter().map(|(list, _)| *list)).collect();
    in_order(question, lists)
}

/// Each list once, those that belong together in their order.
fn in_order(question: &AggregateQuery, mut lists: Vec<usize>) -> Vec<usize> {
    let relations = &question.record().relations;
    let place = |list: &usize| question.ties().iter().position(|(name, _)| *name == relations[*list].name);
    lists.sort_unstable();
    lists.dedup();
    lists.sort_by_key(|list| (place(list).is_none(), place(list)));
    lists
}

/// The condition on what is counted, where there is one.
fn only(record: &Record, joined: &Joined, conditions: &[Only]) -> Option<Cond> {
    let test = |only: &Only| {
        let (owner, table) = match only.list.and_then(|list| record.relation_index(list)) {
            Some(relation) => (catalog().get(record.relations[relation].target), joined.list(relation).unwrap_or_default()),
            None => (record, joined.table.as_str()),
        };
        let field = owner.fields[owner.field_index(only.field).unwrap_or_default()].column;
        column(table, field).is_in(only.values.iter().copied())
    };
    (!conditions.is_empty()).then(|| conditions.iter().fold(Cond::all(), |all, only| all.add(test(only))))
}
