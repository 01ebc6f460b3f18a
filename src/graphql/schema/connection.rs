//! Connections, edges, page info and facets, after the Relay cursor connections specification.

use async_graphql::dynamic::{Enum, EnumItem, Field, InputValue, InterfaceField, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::dimension::Dimension;
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::graphql::schema::builder::input_value;
use crate::graphql::schema::filter;
use crate::graphql::schema::names;

/// Type of the position of a page in its list.
pub(crate) const PAGE_INFO: &str = "PageInfo";
/// Type of a facet.
pub(crate) const FACET: &str = "Facet";
/// Type of a value of a facet.
pub(crate) const FACET_VALUE: &str = "FacetValue";

/// Fields of a connection.
pub(crate) const EDGES: &str = "edges";
pub(crate) const NODES: &str = "nodes";
pub(crate) const TOTAL_COUNT: &str = "totalCount";
pub(crate) const FACETS: &str = "facets";

/// Name of the connection of a record type.
pub(crate) fn connection_name(record: &Record) -> String {
    format!("{}Connection", record.name())
}

/// Name of the edge of a record type.
pub(crate) fn edge_name(record: &Record) -> String {
    format!("{}Edge", record.name())
}

/// Name of the enum of the dimensions of a record type.
pub(crate) fn dimensions_name(record: &Record) -> String {
    format!("{}Dimension", record.name())
}

/// Registers the enums of dimensions. Connections, edges and facets are registered with their projections.
pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    for record in catalog().all().filter(|record| !record.dimensions.is_empty()) {
        let dimensions =
            Enum::new(dimensions_name(record)).description(format!("Dimensions by which {} are counted.", names::plural(record)));
        let item = |dimension: &Dimension| EnumItem::new(names::enum_value(dimension.name)).description(dimension_doc(record, dimension));
        builder = builder.register(record.dimensions.iter().map(item).fold(dimensions, Enum::item));
    }
    builder
}

/// Description of a dimension: in full, or by its name alone if it is a field of the object type.
fn dimension_doc(record: &Record, dimension: &Dimension) -> String {
    match record.field_id(dimension.name) {
        Some(_) => names::sentence(dimension.name),
        None => dimension.doc.to_owned(),
    }
}

/// Arguments of a connection: pagination, filter and order.
fn arguments(record: &Record) -> [InputValue; 6] {
    let named = |ty: &str| TypeRef::named(ty);
    [
        input_value("first", named(TypeRef::INT), "Page size, 0 to 100; default 20."),
        input_value("after", named(TypeRef::STRING), "Rows after this cursor."),
        input_value("last", named(TypeRef::INT), "Page size from the end."),
        input_value("before", named(TypeRef::STRING), "Rows before this cursor."),
        input_value("filter", TypeRef::named(filter::filter_name(record)), "Only matching rows."),
        input_value("order", TypeRef::named(filter::order_name(record)), order_doc(record)),
    ]
}

fn order_doc(record: &Record) -> String {
    let (field, direction) = record.default_order;
    let direction = match direction {
        Direction::Asc => "ASC",
        Direction::Desc => "DESC",
    };
    format!("Default: {} {direction}.", names::enum_value(record.field(field).name))
}

/// Adds the arguments of a connection to a field.
pub(crate) fn with_arguments(field: Field, record: &Record) -> Field {
    arguments(record).into_iter().fold(field, Field::argument)
}

/// Creates a field of an interface that returns a connection.
pub(crate) fn interface_field(name: &str, record: &Record, doc: &str) -> InterfaceField {
    let field = InterfaceField::new(name, TypeRef::named_nn(connection_name(record))).description(doc);
    arguments(record).into_iter().fold(field, InterfaceField::argument)
}
