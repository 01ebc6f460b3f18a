//! Statistics: `caseStatistics` and its like, rows of figures for each type of record that is counted.

mod schema;

use async_graphql::Value;

pub(super) use schema::{counted, fields, register};
use schema::{name, row_name, total_name};

use crate::catalog::catalog;
use crate::catalog::dimension::{Dimension, DimensionSource};
use crate::catalog::kind::FieldKind;
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::core::pagination::Direction;
use crate::graphql::projection::Projection;
use crate::graphql::projection::facet::dimension;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::filter;
use crate::graphql::schema::filter::{constant, direction, enum_name};
use crate::graphql::schema::scalar;
use crate::store::Store;
use crate::store::aggregate::query::{AggregateQuery, GroupBy, GroupSort, MAX_DIMENSIONS, MAX_GROUPS};
use crate::store::aggregate::{AggregateResult, GroupKey};
use crate::store::read::plan::Plan;
use crate::store::read::result::Cell;

/// Statistics as an answer shows them.
pub(in crate::graphql) struct Statistics {
    record: &'static Record,
    parts: Fields<Part>,
}

enum Part {
    TypeName,
    Rows(Fields<Column>),
    Total(Fields<Column>),
    Truncated,
}

/// What is shown of a row.
pub(in crate::graphql) enum Column {
    TypeName(String),
    /// A dimension that rows are not divided by.
    Nothing,
    /// A period or a value of a vocabulary, at this place of what rows are divided by.
    Text(usize, &'static Dimension),
    /// A record, at this place of what rows are divided by.
    Record(usize, Projection),
    /// A figure, by its place among those that were asked for.
    Figure(usize),
}

impl Statistics {
    /// What a selection shows of statistics, and what to ask for it.
    pub(in crate::graphql) fn new(selection: &Selection<'_>, record: &'static Record) -> Result<(AggregateQuery, Self)> {
        let mut question = question(selection, record)?;
        question.rows = false;
        let mut parts = Fields::new();
        for below in selection.below(&[&name(record)]) {
            let part = match below.name() {
                "rows" => {
                    question.rows = true;
                    Part::Rows(columns(&below, record, &mut question)?)
                }
                "total" => Part::Total(totals(&below, record, &mut question)),
                "truncated" => {
                    question.rows = true;
                    Part::Truncated
                }
                _ => Part::TypeName,
            };
            parts.push((below.key(), part));
        }
        Ok((question, Self { record, parts }))
    }

    /// Writes statistics.
    pub(in crate::graphql) fn write(&self, counted: &AggregateResult, out: &mut JsonWriter<'_>) {
        out.object(&self.parts, |part, out| match part {
            Part::TypeName => out.value(name(self.record)),
            Part::Truncated => out.value(counted.truncated),
            Part::Rows(columns) => out.list(counted.groups.iter(), |group, out| {
                out.object(columns, |column, out| column.write(counted, &group.keys, &group.values, out));
            }),
            Part::Total(columns) => out.object(columns, |column, out| column.write(counted, &[], &counted.total, out)),
        });
    }
}

impl Column {
    /// Writes what a row has in this column.
    pub(in crate::graphql) fn write(
        &self,
        counted: &AggregateResult,
        keys: &[GroupKey],
        figures: &[Option<f64>],
        out: &mut JsonWriter<'_>,
    ) {
        match self {
            Self::TypeName(name) => out.value(name),
            Self::Nothing => out.null(),
            Self::Text(place, dimension) => match (&keys[*place], &dimension.source) {
                (GroupKey::Text(text), DimensionSource::Period(PeriodUnit::Year)) => out.value(text.parse::<i32>().ok()),
                (GroupKey::Text(text), DimensionSource::Path(_)) => out.choice(text),
                (GroupKey::Text(text), DimensionSource::Period(_)) => out.value(text),
                (GroupKey::Unknown | GroupKey::Record { .. }, _) => out.null(),
            },
            Self::Record(place, shape) => out.option(counted.record(*place, &keys[*place]), |node, out| shape.write(node, out)),
            Self::Figure(place) => {
                let cell = figures.get(*place).copied().flatten().map_or(Cell::Null, Cell::Number);
                scalar::write(FieldKind::Number, &cell, None, out);
            }
        }
    }
}

fn columns(selection: &Selection<'_>, record: &'static Record, question: &mut AggregateQuery) -> Result<Fields<Column>> {
    let mut columns = Fields::new();
    for below in selection.below(&[&row_name(record)]) {
        let name = below.name();
        let column = if let Some(index) = record.dimensions.iter().position(|dimension| dimension.name == name) {
            let dimension = &record.dimensions[index];
            match (question.group_by.iter().position(|by| by.dimension == index), dimension.target()) {
                (None, _) => Column::Nothing,
                (Some(place), None) => Column::Text(place, dimension),
                (Some(place), Some(target)) => {
                    let plan = question.group_by[place].plan.get_or_insert_with(|| Plan::new(target));
                    Column::Record(place, Projection::new(std::slice::from_ref(&below), catalog().get(target), plan)?)
                }
            }
        } else {
            figure(name, record, &mut question.measures).unwrap_or_else(|| Column::TypeName(row_name(record)))
        };
        columns.push((below.key(), column));
    }
    Ok(columns)
}

fn totals(selection: &Selection<'_>, record: &'static Record, question: &mut AggregateQuery) -> Fields<Column> {
    let measures = question.total.get_or_insert_default();
    let column =
        |name: &str, measures: &mut Vec<usize>| figure(name, record, measures).unwrap_or_else(|| Column::TypeName(total_name(record)));
    selection.below(&[&total_name(record)]).iter().map(|below| (below.key(), column(below.name(), measures))).collect()
}

/// The column of a figure, which is asked for.
fn figure(name: &str, record: &Record, measures: &mut Vec<usize>) -> Option<Column> {
    let measure = measure(record, |known| known == name)?;
    let place = measures.iter().position(|known| *known == measure).unwrap_or_else(|| {
        measures.push(measure);
        measures.len() - 1
    });
    Some(Column::Figure(place))
}

fn measure(record: &Record, is: impl Fn(&str) -> bool) -> Option<usize> {
    record.statistics.as_ref()?.measures.iter().position(|measure| is(measure.name))
}

/// Reads the arguments.
fn question(selection: &Selection<'_>, record: &'static Record) -> Result<AggregateQuery> {
    let mut question = AggregateQuery::new(record);
    if let Some(value) = selection.argument("filter") {
        question.filter = filter::read(record, &value, "filter")?;
    }
    for list in record.statistics.iter().flat_map(|declared| declared.filterable_lists) {
        let (Some(index), Some(value)) = (record.relation_index(list), selection.argument(list)) else { continue };
        let inner = filter::read(catalog().get(record.relations[index].target), &value, list)?;
        question.filter_parts(index, inner);
    }
    let asked = selection.items("groupBy");
    if asked.len() > MAX_DIMENSIONS {
        return Err(bad_input("groupBy", format_args!("{} dimensions are too many; give at most {MAX_DIMENSIONS}", asked.len())));
    }
    for value in &asked {
        let index = dimension(record, value).ok_or_else(|| bad_input("groupBy", "there is no such dimension"))?;
        if question.group_by.iter().any(|by| by.dimension == index) {
            return Err(bad_input("groupBy", format_args!("{} stands there twice", constant(record.dimensions[index].name))));
        }
        question.group_by.push(GroupBy { dimension: index, plan: record.dimensions[index].target().map(Plan::new) });
    }
    if let Some(value) = selection.argument("by") {
        let name = enum_name(&value).unwrap_or_default();
        let date = record.date_fields().into_iter().find(|index| constant(record.fields[*index].name) == name);
        question.period_field = date.ok_or_else(|| bad_input("by", "there is no such date"))?;
    }
    if let Some(first) = selection.number("first") {
        let limit = u32::try_from(first).ok().filter(|first| (1..=MAX_GROUPS).contains(first));
        question.limit =
            limit.ok_or_else(|| bad_input("first", format_args!("{first} rows cannot be given; ask for 1 to {MAX_GROUPS}")))?;
    }
    question.order = selection.argument("order").map(|value| order(record, &question, &value)).transpose()?;
    question.empty_periods = selection.argument("emptyPeriods") == Some(Value::Boolean(true));
    if question.empty_periods {
        let is_period = |by: &&GroupBy| matches!(record.dimensions[by.dimension].source, DimensionSource::Period(_));
        if question.group_by.iter().filter(is_period).count() != 1 {
            return Err(bad_input(
                "emptyPeriods",
                "give one of YEAR, QUARTER and MONTH in groupBy, so that it is known which periods are meant",
            ));
        }
        if question.order.is_some() {
            return Err(bad_input("emptyPeriods", "rows are then in the order of groupBy; leave order out"));
        }
    }
    Ok(question)
}

fn order(record: &Record, question: &AggregateQuery, value: &Value) -> Result<(GroupSort, Direction)> {
    let Value::Object(given) = value else { return Err(bad_input("order", "give a field")) };
    let name = given.get("field").and_then(enum_name).unwrap_or_default();
    let sort = match measure(record, |known| constant(known) == name) {
        Some(measure) => GroupSort::Measure(measure),
        None => {
            let place = question.group_by.iter().position(|by| constant(record.dimensions[by.dimension].name) == name);
            GroupSort::Group(place.ok_or_else(|| {
                bad_input("order.field", format_args!("rows are not divided by {name}; add it to groupBy, or order by a figure"))
            })?)
        }
    };
    Ok((sort, direction(given.get("direction"))))
}

/// Answers a field of the root.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, record: &'static Record, out: &mut JsonWriter<'_>) -> Result<()> {
    let (question, statistics) = Statistics::new(selection, record)?;
    let counted = store.statistics(&question).await?;
    statistics.write(&counted, out);
    Ok(())
}
