//! Statistics: `caseStatistics` and the like, rows of aggregated measures for each record type that has them.

mod output;
mod schema;

use async_graphql::Value;
use async_graphql::dynamic::SchemaBuilder;

pub(super) use schema::{counted_records, fields};

use crate::catalog::catalog;
use crate::catalog::dimension::DimensionSource;
use crate::catalog::record::Record;
use crate::core::error::{Result, bad_input};
use crate::core::pagination::Direction;
use crate::graphql::projection::facet::dimension_index;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::filter;
use crate::graphql::schema::filter::{enum_name, parse_direction};
use crate::graphql::schema::names::enum_value;
use crate::store::Store;
use crate::store::aggregate::query::{AggregateQuery, GroupBy, GroupSort, MAX_DIMENSIONS, MAX_GROUPS};
use crate::store::read::plan::Plan;

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    output::register(schema::register(builder))
}

/// Index of a measure of a record type.
fn measure_index(record: &Record, matches: impl Fn(&str) -> bool) -> Option<usize> {
    record.statistics.as_ref()?.measures.iter().position(|measure| matches(measure.name))
}

/// Parses the arguments.
fn parse_query(selection: &Selection<'_>, record: &'static Record) -> Result<AggregateQuery> {
    let mut query = AggregateQuery::new(record);
    if let Some(value) = selection.argument("filter") {
        query.filter = filter::parse(record, &value, "filter")?;
    }
    for list in record.statistics.iter().flat_map(|declared| declared.filterable_lists) {
        let (Some(id), Some(value)) = (record.relation_id(list), selection.argument(list)) else { continue };
        let inner = filter::parse(catalog().get(record.relation(id).target), &value, list)?;
        query.filter_parts(id, inner);
    }
    let dimensions = selection.list_argument("groupBy");
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(bad_input("groupBy", format_args!("{} dimensions are too many; give at most {MAX_DIMENSIONS}", dimensions.len())));
    }
    for value in &dimensions {
        let index = dimension_index(record, value).ok_or_else(|| bad_input("groupBy", "there is no such dimension"))?;
        if query.group_by.iter().any(|by| by.dimension == index) {
            return Err(bad_input(
                "groupBy",
                format_args!("{} is repeated; give each dimension once", enum_value(record.dimensions[index].name)),
            ));
        }
        query.group_by.push(GroupBy { dimension: index, plan: record.dimensions[index].target().map(Plan::new) });
    }
    if let Some(value) = selection.argument("by") {
        let name = enum_name(&value).unwrap_or_default();
        let date = record.date_fields().into_iter().find(|id| enum_value(record.field(*id).name) == name);
        query.period_field = Some(date.ok_or_else(|| bad_input("by", "there is no such date"))?);
    }
    if let Some(first) = selection.int_argument("first") {
        let limit = u32::try_from(first).ok().filter(|first| (1..=MAX_GROUPS).contains(first));
        query.limit = limit.ok_or_else(|| bad_input("first", format_args!("{first} is out of range; request 1 to {MAX_GROUPS} rows")))?;
    }
    query.order = selection.argument("order").map(|value| parse_order(record, &query, &value)).transpose()?;
    query.empty_periods = selection.argument("emptyPeriods") == Some(Value::Boolean(true));
    if query.empty_periods {
        let is_period = |by: &&GroupBy| matches!(record.dimensions[by.dimension].source, DimensionSource::Period(_));
        if query.group_by.iter().filter(is_period).count() != 1 {
            return Err(bad_input("emptyPeriods", "requires exactly one of YEAR, QUARTER and MONTH in groupBy"));
        }
        if query.order.is_some() {
            return Err(bad_input("emptyPeriods", "cannot be combined with order: rows with empty periods are in the order of groupBy"));
        }
    }
    Ok(query)
}

fn parse_order(record: &Record, query: &AggregateQuery, value: &Value) -> Result<(GroupSort, Direction)> {
    let Value::Object(order) = value else { return Err(bad_input("order", "give a field")) };
    let name = order.get("field").and_then(enum_name).unwrap_or_default();
    let sort = if let Some(measure) = measure_index(record, |known| enum_value(known) == name) {
        GroupSort::Measure(measure)
    } else {
        let place = query.group_by.iter().position(|by| enum_value(record.dimensions[by.dimension].name) == name);
        GroupSort::Group(place.ok_or_else(|| {
            bad_input("order.field", format_args!("rows are not grouped by {name}; add it to groupBy, or order by a measure"))
        })?)
    };
    Ok((sort, parse_direction(order.get("direction"))))
}

/// Executes the statistics of a record type and writes them.
pub(super) async fn write(store: &Store, selection: &Selection<'_>, record: &'static Record, out: &mut JsonWriter<'_>) -> Result<()> {
    let mut query = parse_query(selection, record)?;
    let statistics = output::project(selection, record, &mut query)?;
    let result = store.statistics(&query).await?;
    statistics.write_with(out, |write, out| write(&result, out));
    Ok(())
}
