//! Connections, edges and pages, after the Relay cursor connections specification.

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, InputValue, InterfaceField, Object, SchemaBuilder, TypeRef};

use super::filter;
use super::selection::Selection;
use crate::error::Result;
use crate::page::Page;
use crate::store::record::{Record, catalog};
use crate::store::row::{Node, Slice};

/// Name of the type of a page.
pub(super) const PAGE_INFO: &str = "PageInfo";

/// Name of the connection of a type.
pub(super) fn connection_name(record: &Record) -> String {
    format!("{}Connection", record.name())
}

/// Name of the edge of a type.
pub(super) fn edge_name(record: &Record) -> String {
    format!("{}Edge", record.name())
}

/// What a page says about itself.
#[derive(Debug, Clone, Default)]
pub(super) struct PageInfo {
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
}

pub(super) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    builder = builder.register(
        Object::new(PAGE_INFO)
            .description("What a page says about itself: whether there is more, and where to go on.")
            .field(info("hasNextPage", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether rows follow after this page.", |info| {
                Some(FieldValue::value(info.has_next))
            }))
            .field(info("hasPreviousPage", TypeRef::named_nn(TypeRef::BOOLEAN), "Whether rows come before this page.", |info| {
                Some(FieldValue::value(info.has_previous))
            }))
            .field(info("startCursor", TypeRef::named(TypeRef::STRING), "Cursor of the first row; give it as before to go back.", |info| {
                info.start.clone().map(FieldValue::value)
            }))
            .field(info("endCursor", TypeRef::named(TypeRef::STRING), "Cursor of the last row; give it as after to go on.", |info| {
                info.end.clone().map(FieldValue::value)
            })),
    );
    for record in catalog().all() {
        let this = filter::described(record);
        let edge = Object::new(edge_name(record))
            .description(format!("A {this} in a list, with its place in it."))
            .field(
                Field::new("cursor", TypeRef::named_nn(TypeRef::STRING), |ctx| {
                    FieldFuture::from_value(ctx.parent_value.downcast_ref::<Node>().map(|node| node.cursor().into()))
                })
                .description("Place of the row in the list; give it as after or before."),
            )
            .field(
                Field::new("node", TypeRef::named_nn(record.name()), |ctx| {
                    FieldFuture::Value(ctx.parent_value.downcast_ref::<Node>().cloned().map(FieldValue::owned_any))
                })
                .description("The row itself."),
            );
        let connection = Object::new(connection_name(record))
            .description(format!("A page of a list of {this} records."))
            .field(
                Field::new("edges", TypeRef::named_nn_list_nn(edge_name(record)), |ctx| FieldFuture::Value(rows(ctx.parent_value)))
                    .description("Rows of the page, each with its cursor."),
            )
            .field(
                Field::new("nodes", TypeRef::named_nn_list_nn(record.name()), |ctx| FieldFuture::Value(rows(ctx.parent_value)))
                    .description("Rows of the page."),
            )
            .field(
                Field::new("pageInfo", TypeRef::named_nn(PAGE_INFO), |ctx| {
                    FieldFuture::Value(ctx.parent_value.downcast_ref::<Slice>().map(|slice| FieldValue::owned_any(page_info(slice))))
                })
                .description("Whether there is more, and where to go on."),
            )
            .field(
                Field::new("totalCount", TypeRef::named_nn(TypeRef::INT), |ctx| {
                    FieldFuture::from_value(ctx.parent_value.downcast_ref::<Slice>().and_then(|slice| slice.total).map(Into::into))
                })
                .description("Number of rows in the whole list. It is counted only when asked for."),
            );
        builder = builder.register(edge).register(connection);
    }
    builder
}

fn info(name: &'static str, ty: TypeRef, doc: &'static str, pick: fn(&PageInfo) -> Option<FieldValue<'static>>) -> Field {
    Field::new(name, ty, move |ctx| FieldFuture::Value(ctx.parent_value.downcast_ref().and_then(pick))).description(doc)
}

fn rows(value: &FieldValue<'_>) -> Option<FieldValue<'static>> {
    value.downcast_ref::<Slice>().map(|slice| FieldValue::list(slice.nodes().map(FieldValue::owned_any)))
}

fn page_info(slice: &Slice) -> PageInfo {
    let mut nodes = slice.nodes();
    let first = nodes.next().map(|node| node.cursor());
    let last = nodes.next_back().map(|node| node.cursor()).or_else(|| first.clone());
    PageInfo { has_next: slice.has_next, has_previous: slice.has_previous, start: first, end: last }
}

/// Arguments of a page, by name, type and what they do.
fn page_arguments() -> [(&'static str, &'static str, &'static str); 4] {
    [
        ("first", TypeRef::INT, "Number of rows from the beginning, 0 to 100; 20 where nothing is asked for."),
        ("after", TypeRef::STRING, "Only rows after this cursor: the endCursor of the page before."),
        ("last", TypeRef::INT, "Number of rows from the end, 0 to 100; give first or last, not both."),
        ("before", TypeRef::STRING, "Only rows before this cursor: the startCursor of the page after."),
    ]
}

/// Arguments of a list of records: its page, its filter and its order.
pub(super) fn arguments(record: &Record) -> Vec<InputValue> {
    let mut arguments: Vec<InputValue> =
        page_arguments().into_iter().map(|(name, ty, doc)| InputValue::new(name, TypeRef::named(ty)).description(doc)).collect();
    arguments.push(InputValue::new("filter", TypeRef::named(filter::filter_name(record))).description("Only rows that satisfy this."));
    arguments.push(InputValue::new("order", TypeRef::named(filter::order_name(record))).description(order_doc(record)));
    arguments
}

fn order_doc(record: &Record) -> String {
    let (field, direction) = record.default_order;
    let direction = match direction {
        crate::page::Direction::Asc => "ASC",
        crate::page::Direction::Desc => "DESC",
    };
    format!("Order of the rows; by {} {direction} where nothing is asked for.", record.fields[field].name)
}

/// A field that gives a list of records.
pub(super) fn with_arguments(field: Field, record: &Record) -> Field {
    arguments(record).into_iter().fold(field, Field::argument)
}

/// A field of an interface that gives a list of records.
pub(super) fn interface_field(name: &str, record: &Record, doc: &str) -> InterfaceField {
    let field = InterfaceField::new(name, TypeRef::named(connection_name(record))).description(doc);
    arguments(record).into_iter().fold(field, InterfaceField::argument)
}

/// Reads the arguments of a page.
pub(super) fn read_page(selection: &Selection<'_>, list: &str) -> Result<Page> {
    Page::from_arguments(
        selection.number("first"),
        selection.text("after").as_deref(),
        selection.number("last"),
        selection.text("before").as_deref(),
        list,
    )
}
