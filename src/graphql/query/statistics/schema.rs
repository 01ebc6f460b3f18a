//! Root fields, arguments and input types of statistics.

use async_graphql::dynamic::{Enum, EnumItem, Field, InputObject, InputValue, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::measure::StatisticsSpec;
use crate::catalog::record::Record;
use crate::graphql::schema::builder::{field, null_only_on_error};
use crate::graphql::schema::connection::dimensions_name;
use crate::graphql::schema::filter;
use crate::graphql::schema::names;
use crate::graphql::schema::names::{enum_value, singular};
use crate::store::aggregate::query::{DEFAULT_GROUPS, MAX_DIMENSIONS, MAX_GROUPS};

/// Record types with statistics.
pub(crate) fn counted_records() -> impl Iterator<Item = (&'static Record, &'static StatisticsSpec)> {
    catalog().all().filter_map(|record| Some((record, record.statistics.as_ref()?)))
}

/// Name of the type of the statistics of a record type.
pub(super) fn statistics_name(record: &Record) -> String {
    format!("{}Statistics", record.name())
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

/// Fields of the query root.
pub(crate) fn fields() -> impl Iterator<Item = Field> {
    counted_records().map(|(record, spec)| {
        let argument = |name: &str, ty: TypeRef, doc: String| InputValue::new(name, ty).description(doc);
        let this = singular(record);
        let mut field = null_only_on_error(field(spec.name, TypeRef::named(statistics_name(record)), spec.doc))
            .argument(argument("filter", TypeRef::named(filter::filter_name(record)), format!("Only matching {this} records are counted.")))
            .argument(argument(
                "groupBy",
                TypeRef::named_nn_list(dimensions_name(record)),
                format!("Dimensions to group by, at most {MAX_DIMENSIONS}: one row for each combination that occurs, or a single row without dimensions. A record with several charges or other parts counts in the row of each, so rows need not add up to the total."),
            ))
            .argument(argument("by", TypeRef::named(date_name(record)), format!("Date by whose year, quarter or month rows are grouped; default {}.", default_date(record))))
            .argument(argument("emptyPeriods", TypeRef::named(TypeRef::BOOLEAN), "Whether to add rows for empty periods: from the first to the last period that occurs, or up to the bounds of a filter on the date; with other dimensions, for each of their combinations that occurs. Rows are then ordered as in groupBy.".to_owned()))
            .argument(argument("order", TypeRef::named(order_name(record)), "Order of the rows. By default they are ordered by the dimensions of groupBy: unknown first, then earliest first and names from A to Z.".to_owned()))
            .argument(argument("first", TypeRef::named(TypeRef::INT), format!("Maximum number of rows, 1 to {MAX_GROUPS}; default {DEFAULT_GROUPS}. See truncated.")));
        for list in spec.filterable_lists {
            let Some(relation) = record.relation_id(list).map(|id| record.relation(id)) else { continue };
            let target = catalog().get(relation.target);
            let doc = format!("Only matching {list} are counted, and only records with any. With filter alone, a record is counted with all of its {list}.");
            field = field.argument(argument(list, TypeRef::named(filter::filter_name(target)), doc));
        }
        field
    })
}

fn default_date(record: &Record) -> String {
    let id = *record.date_fields().first().expect("records with statistics have a date");
    enum_value(record.field(id).name)
}

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    for (record, spec) in counted_records() {
        let this = singular(record);
        let date = Enum::new(date_name(record)).description(format!("A date of {}.", names::a(record)));
        let date = record
            .date_fields()
            .into_iter()
            .map(|id| record.field(id))
            .fold(date, |date, field| date.item(EnumItem::new(enum_value(field.name)).description(field.doc)));
        let order = InputObject::new(order_name(record))
            .description(format!("Order of the rows of {this} statistics."))
            .field(
                InputValue::new("field", TypeRef::named_nn(order_field_name(record)))
                    .description("A dimension that rows are grouped by, or a measure."),
            )
            .field(filter::direction_input());
        // described in full by the fields of the row
        let ordered = record.dimensions.iter().map(|dimension| dimension.name).chain(spec.measures.iter().map(|measure| measure.name));
        let fields = Enum::new(order_field_name(record)).description(format!("Fields to order rows of {this} statistics by."));
        let fields = ordered.fold(fields, |fields, name| fields.item(EnumItem::new(enum_value(name)).description(names::sentence(name))));
        builder = builder.register(date).register(order).register(fields);
    }
    builder
}
