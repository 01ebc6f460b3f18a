//! Connections, edges and page info, after the Relay cursor connections specification.

use std::sync::LazyLock;

use async_graphql::dynamic::{SchemaBuilder, TypeRef};

use crate::catalog::catalog;
use crate::catalog::record::Record;
use crate::core::error::Result;
use crate::core::pagination::Page;
use crate::graphql::projection::Projection;
use crate::graphql::projection::facet;
use crate::graphql::projection::facet::FacetsProjection;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::output_type::{FieldWriter, ObjectProjection, OutputObject, OutputType, RecordOutputTypes};
use crate::graphql::projection::selection::Selection;
use crate::graphql::schema::builder::is_paginated;
use crate::graphql::schema::connection::{PAGE_INFO, connection_name, edge_name};
use crate::graphql::schema::filter;
use crate::graphql::schema::names;
use crate::store::read::plan::{ListPlan, Plan};
use crate::store::read::result::{PageRows, RowRef};

/// Position of a page in its list.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageInfo {
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
    pub(crate) start_cursor: Option<String>,
    pub(crate) end_cursor: Option<String>,
}

impl OutputObject for PageInfo {
    type Plan<'q> = ();
    type Field = FieldWriter<PageInfo>;
}

/// Selected fields of a page info.
pub(crate) type PageInfoProjection = ObjectProjection<FieldWriter<PageInfo>>;

static PAGE_INFO_TYPE: LazyLock<OutputType<PageInfo>> = LazyLock::new(|| {
    let boolean = || TypeRef::named_nn(TypeRef::BOOLEAN);
    let cursor = || TypeRef::named(TypeRef::STRING);
    OutputType::<PageInfo>::new(PAGE_INFO, "Position of a page in its list.")
        .value("hasNextPage", boolean(), "Whether rows follow this page.", |info, out| out.value(info.has_next))
        .value("hasPreviousPage", boolean(), "Whether rows precede this page.", |info, out| out.value(info.has_previous))
        .value("startCursor", cursor(), "Cursor of the first row; pass it as before to fetch the previous page.", |info, out| {
            out.value(&info.start_cursor);
        })
        .value("endCursor", cursor(), "Cursor of the last row; pass it as after to fetch the next page.", |info, out| {
            out.value(&info.end_cursor);
        })
});

/// Projects a page info.
pub(crate) fn project_page_info(selection: &Selection<'_>) -> Result<PageInfoProjection> {
    PAGE_INFO_TYPE.project(selection, &mut ())
}

fn page_info(page: PageRows<'_>) -> PageInfo {
    let mut rows = page.nodes();
    let first = rows.next().map(RowRef::cursor);
    let last = rows.next_back().map(RowRef::cursor).or_else(|| first.clone());
    PageInfo { has_next: page.has_next(), has_previous: page.has_previous(), start_cursor: first, end_cursor: last }
}

/// Selected fields of an edge.
pub(crate) type EdgeProjection = ObjectProjection<EdgeField>;

/// Projection of a field of an edge. Tables read the nodes; other fields are only written.
pub(crate) enum EdgeField {
    Node(Projection),
    Value(fn(RowRef<'_>, &mut JsonWriter<'_>)),
}

impl EdgeField {
    /// Writes the field of an edge from its row.
    pub(crate) fn write(&self, row: RowRef<'_>, out: &mut JsonWriter<'_>) {
        match self {
            Self::Node(projection) => projection.write(row, out),
            Self::Value(write) => write(row, out),
        }
    }
}

enum EdgeOutput {}

impl OutputObject for EdgeOutput {
    type Plan<'q> = ListPlan;
    type Field = EdgeField;
}

static EDGES: LazyLock<RecordOutputTypes<EdgeOutput>> = LazyLock::new(|| {
    RecordOutputTypes::new(catalog().all().filter(|record| is_paginated(record)).map(|record| (record, edge_type(record))))
});

fn edge_type(record: &'static Record) -> OutputType<EdgeOutput> {
    let doc = format!("{} in a list.", names::capitalized(&names::a(record)));
    OutputType::<EdgeOutput>::new(edge_name(record), doc)
        .field("cursor", TypeRef::named_nn(TypeRef::STRING), "Cursor of the row.", |_, list| {
            list.cursors = true;
            Ok(EdgeField::Value(|row, out| out.value(row.cursor())))
        })
        .field("node", TypeRef::named_nn(record.name()), "The row.", move |selection, list| {
            Projection::new(std::slice::from_ref(selection), record, &mut list.plan).map(EdgeField::Node)
        })
}

/// Selected fields of a connection.
pub(crate) struct ConnectionProjection {
    /// Whether the page has the default size, because the query gives neither `first` nor `last`.
    pub(crate) has_default_size: bool,
    pub(crate) object: ObjectProjection<ConnectionField>,
}

/// Projection of a field of a connection. Tables read the rows; other fields are only written.
pub(crate) enum ConnectionField {
    Edges(EdgeProjection),
    Nodes(Projection),
    Value(Box<PageWriter>),
}

/// Writes a field of a connection from its page.
type PageWriter = dyn Fn(PageRows<'_>, &mut JsonWriter<'_>) + Send + Sync;

impl ConnectionField {
    /// Writes the field of a connection from its page.
    fn write(&self, page: PageRows<'_>, out: &mut JsonWriter<'_>) {
        match self {
            Self::Edges(edge) => out.list(page.nodes(), |row, out| edge.write_with(out, |field, out| field.write(row, out))),
            Self::Nodes(projection) => out.list(page.nodes(), |row, out| projection.write(row, out)),
            Self::Value(write) => write(page, out),
        }
    }
}

enum ConnectionOutput {}

impl OutputObject for ConnectionOutput {
    type Plan<'q> = ListPlan;
    type Field = ConnectionField;
}

static CONNECTIONS: LazyLock<RecordOutputTypes<ConnectionOutput>> = LazyLock::new(|| {
    RecordOutputTypes::new(catalog().all().filter(|record| is_paginated(record)).map(|record| (record, connection_type(record))))
});

fn connection_type(record: &'static Record) -> OutputType<ConnectionOutput> {
    let doc = format!("A page of {}.", names::plural(record));
    let connection = OutputType::<ConnectionOutput>::new(connection_name(record), doc)
        .field("edges", TypeRef::named_nn_list_nn(edge_name(record)), "Rows with cursors.", move |selection, list| {
            list.rows = true;
            EDGES.of(record)?.project(selection, list).map(ConnectionField::Edges)
        })
        .field("nodes", TypeRef::named_nn_list_nn(record.name()), "Rows.", move |selection, list| {
            list.rows = true;
            Projection::new(std::slice::from_ref(selection), record, &mut list.plan).map(ConnectionField::Nodes)
        })
        .field("pageInfo", TypeRef::named_nn(PAGE_INFO), "Position of the page.", |selection, list| {
            (list.rows, list.cursors, list.probe_next) = (true, true, true);
            let info = project_page_info(selection)?;
            Ok(ConnectionField::Value(Box::new(move |page, out| info.write(&page_info(page), out))))
        })
        .field("totalCount", TypeRef::named_nn(TypeRef::INT), "Number of rows on all pages.", |_, list| {
            list.total = true;
            Ok(ConnectionField::Value(Box::new(|page, out| out.value(page.total().unwrap_or_default()))))
        });
    facet::declare_on(connection, record, move |selection, list| {
        let facets = FacetsProjection::new(selection, record, list)?;
        Ok(ConnectionField::Value(Box::new(move |page, out| facets.write(page, out))))
    })
}

impl ConnectionProjection {
    /// Projects a list of records; returns its plan.
    pub(crate) fn new(selection: &Selection<'_>, record: &'static Record) -> Result<(ListPlan, Self)> {
        let mut list = ListPlan { rows: false, ..ListPlan::new(Plan::new(record.ty)) };
        let object = CONNECTIONS.of(record)?.project(selection, &mut list)?;
        if let Some(order) = selection.argument("order") {
            list.order = filter::parse_order(record, &order)?;
        }
        if let Some(filter) = selection.argument("filter") {
            list.filter = filter::parse(record, &filter, "filter")?;
        }
        list.page = parse_page(selection, &record.list_name(list.order))?;
        let has_default_size = selection.argument("first").is_none() && selection.argument("last").is_none();
        list.has_default_size = has_default_size;
        Ok((list, Self { has_default_size, object }))
    }

    /// Writes a page.
    pub(crate) fn write(&self, page: PageRows<'_>, out: &mut JsonWriter<'_>) {
        self.object.write_with(out, |field, out| field.write(page, out));
    }

    /// Writes one field of a page.
    pub(crate) fn write_field(&self, field: Option<&ConnectionField>, page: PageRows<'_>, out: &mut JsonWriter<'_>) {
        self.object.write_field(field, out, |field, out| field.write(page, out));
    }
}

pub(crate) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let builder = builder.register(PAGE_INFO_TYPE.object());
    EDGES.objects().chain(CONNECTIONS.objects()).fold(builder, SchemaBuilder::register)
}

fn parse_page(selection: &Selection<'_>, list: &str) -> Result<Page> {
    Page::from_arguments(
        selection.int_argument("first"),
        selection.string_argument("after").as_deref(),
        selection.int_argument("last"),
        selection.string_argument("before").as_deref(),
        list,
    )
}
