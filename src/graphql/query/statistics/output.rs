//! Output types of statistics, and the projection of their rows and totals.

use std::sync::LazyLock;

use async_graphql::dynamic::{SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::dimension::{Dimension, DimensionSource};
use crate::catalog::kind::FieldKind;
use crate::catalog::measure::{Measure, StatisticsSpec};
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::graphql::projection::Projection;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{ObjectProjection, OutputObject, OutputType, RecordOutputTypes};
use crate::graphql::projection::selection::Selection;
use crate::graphql::query::statistics::schema::{counted_records, statistics_name};
use crate::graphql::schema::names::singular;
use crate::graphql::schema::scalar;
use crate::store::aggregate::query::AggregateQuery;
use crate::store::aggregate::{AggregateResult, GroupKey};
use crate::store::read::plan::Plan;
use crate::store::read::result::Cell;

fn row_name(record: &Record) -> String {
    format!("{}StatisticsRow", record.name())
}

fn total_name(record: &Record) -> String {
    format!("{}StatisticsTotal", record.name())
}

/// Writes a field of statistics.
type StatisticsWriter = dyn Fn(&AggregateResult, &mut JsonWriter<'_>) + Send + Sync;

enum StatisticsOutput {}

impl OutputObject for StatisticsOutput {
    type Plan<'q> = AggregateQuery;
    type Field = Box<StatisticsWriter>;
}

static STATISTICS: LazyLock<RecordOutputTypes<StatisticsOutput>> = LazyLock::new(|| types(statistics_type));

fn statistics_type(record: &'static Record, spec: &'static StatisticsSpec) -> OutputType<StatisticsOutput> {
    OutputType::<StatisticsOutput>::new(statistics_name(record), spec.doc)
        .field("rows", TypeRef::named_nn_list_nn(row_name(record)), "One row for each group.", |selection, query| {
            query.rows = true;
            let row = ROWS.of(record)?.project(selection, query)?;
            Ok(Box::new(move |result, out| {
                out.list(result.groups.iter(), |group, out| {
                    let group = GroupRef { result, keys: &group.keys, figures: &group.values };
                    row.write_with(out, |write, out| write(&group, out));
                });
            }))
        })
        .field("total", TypeRef::named_nn(total_name(record)), "The same measures over all rows together.", |selection, query| {
            let total = TOTALS.of(record)?.project(selection, query.total.get_or_insert_default())?;
            Ok(Box::new(move |result, out| {
                let group = GroupRef { result, keys: &[], figures: &result.total };
                total.write_with(out, |write, out| write(&group, out));
            }))
        })
        .field("truncated", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether there are more rows than requested.", |_, query| {
            query.rows = true;
            Ok(Box::new(|result, out| out.value(result.truncated)))
        })
}

/// A group, or all groups together, with its keys and measures.
struct GroupRef<'a> {
    result: &'a AggregateResult,
    keys: &'a [GroupKey],
    figures: &'a [Option<f64>],
}

/// Writes a field of a group.
type GroupWriter = dyn Fn(&GroupRef<'_>, &mut JsonWriter<'_>) + Send + Sync;

enum RowOutput {}

impl OutputObject for RowOutput {
    type Plan<'q> = AggregateQuery;
    type Field = Box<GroupWriter>;
}

static ROWS: LazyLock<RecordOutputTypes<RowOutput>> = LazyLock::new(|| types(row_type));

fn row_type(record: &'static Record, spec: &'static StatisticsSpec) -> OutputType<RowOutput> {
    let doc = format!("Measures of a group of {} records. Dimensions that rows are not grouped by are null.", singular(record));
    let mut row = OutputType::<RowOutput>::new(row_name(record), doc);
    for (index, dimension) in record.dimensions.iter().enumerate() {
        row = row.field(dimension.name, dimension_type(dimension), dimension.doc, move |selection, query| {
            project_dimension(selection, index, dimension, query)
        });
    }
    spec.measures.iter().enumerate().fold(row, |row, (index, measure)| {
        row.field(measure.name, measure_type(&measure.aggregate), measure.doc, move |_, query| {
            Ok(write_measure(index, &mut query.measures))
        })
    })
}

enum TotalOutput {}

impl OutputObject for TotalOutput {
    /// Indexes of the selected measures.
    type Plan<'q> = Vec<usize>;
    type Field = Box<GroupWriter>;
}

static TOTALS: LazyLock<RecordOutputTypes<TotalOutput>> = LazyLock::new(|| types(total_type));

fn total_type(record: &'static Record, spec: &'static StatisticsSpec) -> OutputType<TotalOutput> {
    let doc = format!(
        "Measures of all counted {} records together. Rows need not add up to them: one person can be in several rows.",
        singular(record)
    );
    let total = OutputType::<TotalOutput>::new(total_name(record), doc);
    spec.measures.iter().enumerate().fold(total, |total, (index, measure)| {
        total.field(measure.name, measure_type(&measure.aggregate), measure.doc, move |_, measures| Ok(write_measure(index, measures)))
    })
}

/// An output type for each record type with statistics.
fn types<T: OutputObject>(declare: impl Fn(&'static Record, &'static StatisticsSpec) -> OutputType<T>) -> RecordOutputTypes<T> {
    RecordOutputTypes::new(counted_records().map(|(record, spec)| (record, declare(record, spec))))
}

pub(super) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let objects = STATISTICS.objects().chain(ROWS.objects()).chain(TOTALS.objects());
    objects.fold(builder, SchemaBuilder::register)
}

/// Projects statistics and adds the selected measures and records to the query.
pub(super) fn project(
    selection: &Selection<'_>,
    record: &Record,
    query: &mut AggregateQuery,
) -> Result<ObjectProjection<Box<StatisticsWriter>>> {
    query.rows = false;
    STATISTICS.of(record)?.project(selection, query)
}

/// Adds a measure to the selected ones; returns the writer of its value.
fn write_measure(measure: usize, measures: &mut Vec<usize>) -> Box<GroupWriter> {
    let place = measures.iter().position(|known| *known == measure).unwrap_or_else(|| {
        measures.push(measure);
        measures.len() - 1
    });
    Box::new(move |group, out| {
        let cell = group.figures.get(place).copied().flatten().map_or(Cell::Null, Cell::Number);
        scalar::write(FieldKind::Number, &cell, None, out);
    })
}

/// Projects a dimension, which is null if rows are not grouped by it.
fn project_dimension(
    selection: &Selection<'_>,
    index: usize,
    dimension: &'static Dimension,
    query: &mut AggregateQuery,
) -> Result<Box<GroupWriter>> {
    let Some(place) = query.group_by.iter().position(|by| by.dimension == index) else {
        return Ok(Box::new(|_, out| out.null()));
    };
    let Some(target) = dimension.target() else {
        return Ok(Box::new(move |group, out| write_key(&group.keys[place], dimension, out)));
    };
    let plan = query.group_by[place].plan.get_or_insert_with(|| Plan::new(target));
    let projection = Projection::new(std::slice::from_ref(selection), catalog().get(target), plan)?;
    Ok(Box::new(move |group, out| {
        out.option(group.result.record(place, &group.keys[place]), |row, out| projection.write(row, out));
    }))
}

/// Writes a period or a vocabulary value.
fn write_key(key: &GroupKey, dimension: &Dimension, out: &mut JsonWriter<'_>) {
    match (key, &dimension.source) {
        (GroupKey::Text(text), DimensionSource::Period(PeriodUnit::Year)) => out.value(text.parse::<i32>().ok()),
        (GroupKey::Text(text), DimensionSource::Path(_)) => out.choice(text),
        (GroupKey::Text(text), DimensionSource::Period(_)) => out.value(text),
        (GroupKey::Unknown | GroupKey::Record { .. }, _) => out.null(),
    }
}

fn dimension_type(dimension: &Dimension) -> TypeRef {
    match &dimension.source {
        DimensionSource::Period(PeriodUnit::Year) => TypeRef::named(TypeRef::INT),
        DimensionSource::Period(_) => TypeRef::named(TypeRef::STRING),
        DimensionSource::Path(path) => scalar::output_type(path.kind, false),
    }
}

fn measure_type(measure: &Measure) -> TypeRef {
    match measure {
        Measure::Count(_) | Measure::SampleSize(_) => TypeRef::named_nn(TypeRef::INT),
        Measure::Median(_) | Measure::Mean(_) => TypeRef::named(TypeRef::FLOAT),
    }
}
