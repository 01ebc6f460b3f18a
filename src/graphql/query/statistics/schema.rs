//! The types and fields of statistics in the schema.

use async_graphql::Value;
use async_graphql::dynamic::{Enum, EnumItem, Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::dimension::{Dimension, DimensionSource};
use crate::catalog::measure::{Measure, StatisticsSpec as Declared};
use crate::catalog::period::PeriodUnit;
use crate::catalog::record::Record;
use crate::graphql::projection::facet::dimensions_name;
use crate::graphql::schema::filter;
use crate::graphql::schema::filter::{DIRECTION, constant, described};
use crate::graphql::schema::object::field;
use crate::graphql::schema::scalar;
use crate::store::aggregate::query::{DEFAULT_GROUPS, MAX_DIMENSIONS, MAX_GROUPS};

/// Records that have statistics, with what is counted of them.
pub(in crate::graphql::query) fn counted() -> impl Iterator<Item = (&'static Record, &'static Declared)> {
    catalog().all().filter_map(|record| Some((record, record.statistics.as_ref()?)))
}

pub(super) fn name(record: &Record) -> String {
    format!("{}Statistics", record.name())
}

pub(super) fn row_name(record: &Record) -> String {
    format!("{}StatisticsRow", record.name())
}

pub(super) fn total_name(record: &Record) -> String {
    format!("{}StatisticsTotal", record.name())
}

fn date_name(record: &Record) -> String {
    format!("{}Date", record.name())
}

fn order_name(record: &Record) -> String {
    format!("{}StatisticsOrder", record.name())
}

fn order_field_name(record: &Record) -> String {
    format!("{}StatisticsOrderField", record.name())
}

/// The fields of the root.
pub(in crate::graphql::query) fn fields() -> impl Iterator<Item = Field> {
    counted().map(|(record, declared)| {
        let argument = |name: &str, ty: TypeRef, doc: String| InputValue::new(name, ty).description(doc);
        let this = described(record);
        let mut field = field(declared.name, TypeRef::named(name(record)), declared.doc)
            .argument(argument("filter", TypeRef::named(filter::filter_name(record)), format!("MeasureCondition {this} records that satisfy this are counted.")))
            .argument(argument(
                "groupBy",
                TypeRef::named_nn_list(dimensions_name(record)),
                format!("What to divide them by, at most {MAX_DIMENSIONS}: a row for each combination that occurs. One row for all where nothing is asked for. What several charges or other parts give is in the row of each, so rows need not add up to the total."),
            ))
            .argument(argument("by", TypeRef::named(date_name(record)), format!("Date whose years, quarters and months are meant; {} where nothing is asked for.", default_date(record))))
            .argument(argument("emptyPeriods", TypeRef::named(TypeRef::BOOLEAN), "Whether periods in which there is nothing are rows, too: from the first to the last that occurs, or as far as the filter on the date reaches. With other dimensions, for each combination of theirs that occurs. Rows are then in the order of groupBy.".to_owned()))
            .argument(argument("order", TypeRef::named(order_name(record)), "Order of the rows; that of groupBy where nothing is asked for: the earliest first, names from A to Z, what is unknown before all else.".to_owned()))
            .argument(argument("first", TypeRef::named(TypeRef::INT), format!("Number of rows at most, 1 to {MAX_GROUPS}; {DEFAULT_GROUPS} where nothing is asked for. truncated tells whether there are more.")));
        for list in declared.filterable_lists {
            let Some(relation) = record.relation_index(list).map(|index| &record.relations[index]) else { continue };
            let target = catalog().get(relation.target);
            let doc = format!("MeasureCondition {list} that satisfy this are looked at, and only records with such. By filter alone, a record is counted with all its {list}.");
            field = field.argument(argument(list, TypeRef::named(filter::filter_name(target)), doc));
        }
        field
    })
}

fn default_date(record: &Record) -> String {
    record.date_fields().first().map(|index| constant(record.fields[*index].name)).unwrap_or_default()
}

pub(in crate::graphql::query) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    for (record, declared) in counted() {
        let this = described(record);
        let measures = |object: Object| {
            declared.measures.iter().fold(object, |object, measure| {
                let ty = match measure.aggregate {
                    Measure::Count(_) | Measure::SampleSize(_) => TypeRef::named_nn(TypeRef::INT),
                    Measure::Median(_) | Measure::Mean(_) => TypeRef::named(TypeRef::FLOAT),
                };
                object.field(field(measure.name, ty, measure.doc))
            })
        };
        let row = Object::new(row_name(record)).description(format!("Figures about {this} records that have something in common."));
        let row = record.dimensions.iter().fold(row, |row, dimension| {
            let doc = format!("{} Nothing, too, where rows are not divided by it.", dimension.doc);
            row.field(field(dimension.name, dimension_type(dimension), doc))
        });
        let total = Object::new(total_name(record)).description(format!(
            "Figures about all {this} records that are counted, not divided. Rows need not add up to them: one person can be in several rows."
        ));
        let statistics = Object::new(name(record))
            .description(declared.doc)
            .field(field("rows", TypeRef::named_nn_list_nn(row_name(record)), "A row for each group."))
            .field(field("total", TypeRef::named_nn(total_name(record)), "The same figures about all of them together."))
            .field(field("truncated", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether there are more rows than were asked for."));
        let date = Enum::new(date_name(record)).description(format!("A date of a {this}."));
        let date = record
            .date_fields()
            .into_iter()
            .map(|index| &record.fields[index])
            .fold(date, |date, field| date.item(EnumItem::new(constant(field.name)).description(field.doc)));
        let order = InputObject::new(order_name(record))
            .description(format!("The order of rows of {this} statistics."))
            .field(
                InputValue::new("field", TypeRef::named_nn(order_field_name(record)))
                    .description("What to order by: a dimension that rows are divided by, or a figure."),
            )
            .field(
                InputValue::new("direction", TypeRef::named(DIRECTION))
                    .default_value(Value::Enum(async_graphql::Name::new("ASC")))
                    .description("Up or down."),
            );
        let items = record.dimensions.iter().map(|dimension| (dimension.name, dimension.doc));
        let items = items.chain(declared.measures.iter().map(|measure| (measure.name, measure.doc)));
        let fields = Enum::new(order_field_name(record)).description(format!("What rows of {this} statistics can be ordered by."));
        let fields = items.fold(fields, |fields, (name, doc)| fields.item(EnumItem::new(constant(name)).description(doc)));
        builder =
            builder.register(measures(row)).register(measures(total)).register(statistics).register(date).register(order).register(fields);
    }
    builder
}

fn dimension_type(dimension: &Dimension) -> TypeRef {
    match &dimension.source {
        DimensionSource::Period(PeriodUnit::Year) => TypeRef::named(TypeRef::INT),
        DimensionSource::Period(_) => TypeRef::named(TypeRef::STRING),
        DimensionSource::Path(path) => scalar::named(path.kind, false),
    }
}
