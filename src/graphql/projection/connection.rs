//! Connections, edges and pages, after the Relay cursor connections specification.

use async_graphql::dynamic::{Field, InputValue, InterfaceField, Object, SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::core::pagination::Page;
use crate::graphql::projection::Projection;
use crate::graphql::projection::facet;
use crate::graphql::projection::facet::Facets;
use crate::graphql::projection::json_writer::{Fields, JsonWriter};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::filter;
use crate::graphql::schema::object::field;
use crate::store::read::plan::{ListPlan, Plan};
use crate::store::read::result::{PageRows, RowRef};

/// Name of the type of a page.
pub(crate) const PAGE_INFO: &str = "PageInfo";

/// Name of the connection of a type.
pub(crate) fn connection_name(record: &Record) -> String {
    format!("{}Connection", record.name())
}

/// Name of the edge of a type.
pub(crate) fn edge_name(record: &Record) -> String {
    format!("{}Edge", record.name())
}

/// A page of a list, as an answer shows it.
pub(crate) struct ConnectionProjection {
    record: &'static Record,
    /// Whether nobody asked for a size of its page.
    pub(crate) usual: bool,
    pub(crate) parts: Fields<Part>,
}

/// What is shown of a list.
pub(crate) enum Part {
    TypeName,
    Edges(Fields<EdgePart>),
    Nodes(Projection),
    PageInfo(Fields<InfoPart>),
    TotalCount,
    Facets(Facets),
}

/// What is shown of a row and its place.
pub(crate) enum EdgePart {
    TypeName,
    Cursor,
    Node(Projection),
}

/// What is shown of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InfoPart {
    TypeName,
    HasNext,
    HasPrevious,
    Start,
    End,
}

/// What a page says about itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageInfo {
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
    pub(crate) start: Option<String>,
    pub(crate) end: Option<String>,
}

impl ConnectionProjection {
    /// What a selection shows of a list, and what to read for it.
    pub(crate) fn new(selection: &Selection<'_>, record: &'static Record) -> Result<(ListPlan, Self)> {
        let mut list = ListPlan { rows: false, ..ListPlan::new(Plan::new(record.ty)) };
        let mut parts = Fields::new();
        for below in selection.below(&[&connection_name(record)]) {
            let part = match below.name() {
                "nodes" => Part::Nodes(Projection::new(std::slice::from_ref(&below), record, &mut list.plan)?),
                "edges" => Part::Edges(edges(&below, record, &mut list)?),
                "pageInfo" => {
                    (list.cursors, list.probe_next) = (true, true);
                    Part::PageInfo(info_parts(&below))
                }
                "totalCount" => Part::TotalCount,
                facet::NAME => Part::Facets(Facets::new(&below, record, &mut list)?),
                _ => Part::TypeName,
            };
            match part {
                Part::TypeName | Part::Facets(_) => {}
                Part::TotalCount => list.total = true,
                _ => list.rows = true,
            }
            parts.push((below.key(), part));
        }
        if let Some(order) = selection.argument("order") {
            list.order = filter::read_order(record, &order)?;
        }
        if let Some(filter) = selection.argument("filter") {
            list.filter = filter::read(record, &filter, "filter")?;
        }
        list.page = read_page(selection, &record.list_name(list.order))?;
        list.has_default_size = selection.argument("first").is_none() && selection.argument("last").is_none();
        let usual = list.has_default_size;
        Ok((list, Self { record, usual, parts }))
    }

    /// Writes a page.
    pub(crate) fn write(&self, slice: PageRows<'_>, out: &mut JsonWriter<'_>) {
        out.object(&self.parts, |part, out| self.write_part(part, slice, out));
    }

    /// Writes what one field shows of a page.
    pub(crate) fn write_part(&self, part: &Part, slice: PageRows<'_>, out: &mut JsonWriter<'_>) {
        match part {
            Part::TypeName => out.value(connection_name(self.record)),
            Part::Edges(parts) => out.list(slice.nodes(), |node, out| out.object(parts, |part, out| part.write(node, out))),
            Part::Nodes(shape) => out.list(slice.nodes(), |node, out| shape.write(node, out)),
            Part::PageInfo(parts) => write_info(parts, &page_info(slice), out),
            Part::TotalCount => out.value(slice.total().unwrap_or_default()),
            Part::Facets(facets) => facets.write(slice, out),
        }
    }
}

impl EdgePart {
    /// Writes what one field shows of a row and its place.
    pub(crate) fn write(&self, node: RowRef<'_>, out: &mut JsonWriter<'_>) {
        match self {
            Self::TypeName => out.value(edge_name(node.record())),
            Self::Cursor => out.value(node.cursor()),
            Self::Node(shape) => shape.write(node, out),
        }
    }
}

fn edges(selection: &Selection<'_>, record: &'static Record, list: &mut ListPlan) -> Result<Fields<EdgePart>> {
    let mut parts = Fields::new();
    for below in selection.below(&[&edge_name(record)]) {
        let part = match below.name() {
            "cursor" => {
                list.cursors = true;
                EdgePart::Cursor
            }
            "node" => EdgePart::Node(Projection::new(std::slice::from_ref(&below), record, &mut list.plan)?),
            _ => EdgePart::TypeName,
        };
        parts.push((below.key(), part));
    }
    Ok(parts)
}

/// What a selection shows of a page.
pub(crate) fn info_parts(selection: &Selection<'_>) -> Fields<InfoPart> {
    let part = |name: &str| match name {
        "hasNextPage" => InfoPart::HasNext,
        "hasPreviousPage" => InfoPart::HasPrevious,
        "startCursor" => InfoPart::Start,
        "endCursor" => InfoPart::End,
        _ => InfoPart::TypeName,
    };
    selection.below(&[PAGE_INFO]).iter().map(|below| (below.key(), part(below.name()))).collect()
}

/// Writes what a page says about itself.
pub(crate) fn write_info(parts: &Fields<InfoPart>, info: &PageInfo, out: &mut JsonWriter<'_>) {
    out.object(parts, |part, out| match part {
        InfoPart::TypeName => out.value(PAGE_INFO),
        InfoPart::HasNext => out.value(info.has_next),
        InfoPart::HasPrevious => out.value(info.has_previous),
        InfoPart::Start => out.value(&info.start),
        InfoPart::End => out.value(&info.end),
    });
}

fn page_info(slice: PageRows<'_>) -> PageInfo {
    let mut nodes = slice.nodes();
    let first = nodes.next().map(RowRef::cursor);
    let last = nodes.next_back().map(RowRef::cursor).or_else(|| first.clone());
    PageInfo { has_next: slice.has_next(), has_previous: slice.has_previous(), start: first, end: last }
}

pub(crate) fn register(mut builder: SchemaBuilder) -> SchemaBuilder {
    let boolean = || TypeRef::named_nn(TypeRef::BOOLEAN);
    let cursor = || TypeRef::named(TypeRef::STRING);
    builder = builder.register(
        Object::new(PAGE_INFO)
            .description("What a page says about itself: whether there is more, and where to go on.")
            .field(field("hasNextPage", boolean(), "Whether rows follow after this page."))
            .field(field("hasPreviousPage", boolean(), "Whether rows come before this page."))
            .field(field("startCursor", cursor(), "Cursor of the first row; give it as before to go back."))
            .field(field("endCursor", cursor(), "Cursor of the last row; give it as after to go on.")),
    );
    for record in catalog().all() {
        let this = filter::described(record);
        let edge = Object::new(edge_name(record))
            .description(format!("A {this} in a list, with its place in it."))
            .field(field("cursor", TypeRef::named_nn(TypeRef::STRING), "Place of the row in the list; give it as after or before."))
            .field(field("node", TypeRef::named_nn(record.name()), "The row itself."));
        let connection = Object::new(connection_name(record))
            .description(format!("A page of a list of {this} records."))
            .field(field("edges", TypeRef::named_nn_list_nn(edge_name(record)), "Rows of the page, each with its cursor."))
            .field(field("nodes", TypeRef::named_nn_list_nn(record.name()), "Rows of the page."))
            .field(field("pageInfo", TypeRef::named_nn(PAGE_INFO), "Whether there is more, and where to go on."))
            .field(field(
                "totalCount",
                TypeRef::named_nn(TypeRef::INT),
                "Number of rows in the whole list. It is counted only when asked for.",
            ));
        let connection = facet::of_connection(record).into_iter().fold(connection, Object::field);
        builder = builder.register(edge).register(connection);
    }
    builder
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
pub(crate) fn arguments(record: &Record) -> Vec<InputValue> {
    let mut arguments: Vec<InputValue> =
        page_arguments().into_iter().map(|(name, ty, doc)| InputValue::new(name, TypeRef::named(ty)).description(doc)).collect();
    arguments.push(InputValue::new("filter", TypeRef::named(filter::filter_name(record))).description("Only rows that satisfy this."));
    arguments.push(InputValue::new("order", TypeRef::named(filter::order_name(record))).description(order_doc(record)));
    arguments
}

fn order_doc(record: &Record) -> String {
    let (field, direction) = record.default_order;
    let direction = match direction {
        crate::core::pagination::Direction::Asc => "ASC",
        crate::core::pagination::Direction::Desc => "DESC",
    };
    format!("Order of the rows; by {} {direction} where nothing is asked for.", record.fields[field].name)
}

/// A field that gives a list of records.
pub(crate) fn with_arguments(field: Field, record: &Record) -> Field {
    arguments(record).into_iter().fold(field, Field::argument)
}

/// A field of an interface that gives a list of records.
pub(crate) fn interface_field(name: &str, record: &Record, doc: &str) -> InterfaceField {
    let field = InterfaceField::new(name, TypeRef::named(connection_name(record))).description(doc);
    arguments(record).into_iter().fold(field, InterfaceField::argument)
}

/// Reads the arguments of a page.
fn read_page(selection: &Selection<'_>, list: &str) -> Result<Page> {
    Page::from_arguments(
        selection.number("first"),
        selection.text("after").as_deref(),
        selection.number("last"),
        selection.text("before").as_deref(),
        list,
    )
}
