//! Tables: one list of a query becomes the rows, and the fields selected below it become the columns.
//!
//! A list of records is read to its end in one snapshot, regardless of the requested page. Any other list (statistics,
//! search hits, structures) is taken from the response to the query.

mod citations;
pub(crate) mod feed_entries;
mod layout;
mod options;
mod row_source;
mod rows;
mod value;

use std::sync::Arc;

use async_graphql::parser::types::OperationDefinition;
use serde_json::Value as Json;
use typed_arena::Arena;

use crate::core::auth::Caller;
use crate::core::error::{Error, Result, bad_input, internal};
use crate::core::language::Languages;
use crate::graphql::engine::{Api, PreparedOperation};
use crate::graphql::error::GraphqlError;
use crate::graphql::limits::{ReadMeter, table_points};
use crate::graphql::projection::selection::{Scope, Selection};
use crate::graphql::query;
use crate::graphql::request::document::find_operation;
use crate::graphql::tabular::citations::CitationColumn;
use crate::graphql::tabular::layout::Layout;
use crate::graphql::tabular::row_source::{RecordRows, RowProjection, RowSource};
use crate::graphql::tabular::value::{ReadContext, ResponseValue};
use crate::store::read::result::{PageRows, PagedRows};
use crate::tabular::{ColumnType, TableColumn, TableRows, TableValue};

pub use options::TableOptions;

/// Name of the column with the sources of a row.
const SOURCES_COLUMN: &str = "sources";

/// A query as a table: its columns, the reader of its batches, and their conversion to rows.
pub struct TableQuery {
    /// Response key of the root field.
    pub name: String,
    /// Columns in the order of the query.
    pub columns: Vec<TableColumn>,
    /// Reads the batches.
    pub reader: BatchReader,
    /// Converts a batch to rows.
    pub converter: RowConverter,
}

/// Reads a table in batches.
pub struct BatchReader {
    source: RowSource,
    /// Maximum number of items. An item that becomes several rows counts once.
    limit: u64,
    meter: Arc<dyn ReadMeter>,
}

/// A batch of a table.
pub enum RowBatch {
    /// Rows of the store.
    Records(PagedRows),
    /// Items of the response.
    Items(Vec<Json>),
}

/// Converts batches to rows.
pub struct RowConverter {
    layout: Layout,
    row: RowProjection,
    citations: Option<CitationColumn>,
    languages: Languages,
    /// Maximum number of rows still to be returned.
    limit: usize,
}

/// The list that becomes the rows.
struct RowList<'s, 'q> {
    /// Root field that contains the list.
    root: &'s Selection<'q>,
    /// Layout of its items.
    layout: Layout,
    /// Path of response keys from the root field.
    keys: Vec<String>,
}

impl Api {
    /// Prepares a query as a table, whose rows `meter` charges as they are read. Errors in the options or the query are returned before any row is read.
    pub async fn table(
        &self,
        prepared: &PreparedOperation,
        options: &TableOptions,
        languages: &Languages,
        caller: &Caller,
        meter: Arc<dyn ReadMeter>,
    ) -> Result<TableQuery, Vec<GraphqlError>> {
        let PreparedOperation { document, request, variables, .. } = prepared;
        let operation: &OperationDefinition =
            find_operation(&document.executable, request.operation.as_deref()).map_err(|error| vec![error])?;
        let roots = Scope { document: &document.executable, operation, variables, dataset: &self.dataset }.roots(query::NAME);
        let request_error = |error: Error| vec![GraphqlError::from(error)];
        let RowList { root, mut layout, keys } = self.find_rows(&roots, options.rows.as_deref()).map_err(request_error)?;
        if options.exploded {
            layout.explode(options.explode.as_deref()).map_err(request_error)?;
        }
        let mut columns = layout.columns().map_err(request_error)?;
        let store = self.store.for_role(caller.role);
        let records = row_source::open_record_rows(&store, root, &keys, options, self.documents.limits()).await;
        let RecordRows { source, row, citations } = match records.map_err(|error| vec![error])? {
            Some(records) => records,
            None if options.sources => {
                return Err(request_error(bad_input("sources", "the rows of this list are not records and have no sources of their own")));
            }
            None => {
                let result = self.execute(prepared, languages, caller).await.map_err(|error| vec![error])?;
                if !result.errors.is_empty() {
                    return Err(result.errors);
                }
                let data = serde_json::from_slice(&result.data).unwrap_or_default();
                let source = RowSource::Response(row_source::response_items(data, root.response_key(), &keys));
                RecordRows { source, row: RowProjection::Json, citations: None }
            }
        };
        if citations.is_some() {
            columns.push(TableColumn { name: SOURCES_COLUMN.to_owned(), ty: ColumnType::Text });
        }
        let limit = options.limit.unwrap_or(u64::MAX);
        let max_rows = usize::try_from(limit).unwrap_or(usize::MAX);
        let converter = RowConverter { layout, row, citations, languages: languages.clone(), limit: max_rows };
        Ok(TableQuery { name: root.response_key().to_owned(), columns, reader: BatchReader { source, limit, meter }, converter })
    }

    /// Finds the list that becomes the rows: the one at `path`, or else the only one. A query with one field and without lists
    /// becomes one row with the value of this field.
    fn find_rows<'s, 'q>(&self, roots: &'s [Selection<'q>], path: Option<&str>) -> Result<RowList<'s, 'q>> {
        let mut lists = Vec::new();
        for root in roots {
            for (name, keys) in Layout::of(root, query::NAME, self.documents.registry()).lists() {
                let name = [root.response_key(), name.as_str()].join(".");
                lists.push((name.trim_end_matches('.').to_owned(), root, keys));
            }
        }
        let names = || lists.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", ");
        let matching: Vec<_> = lists.iter().filter(|(name, ..)| path.is_none_or(|path| path == name)).collect();
        let (root, keys) = match (matching.as_slice(), path, roots) {
            ([(_, root, keys)], ..) => (*root, keys.clone()),
            ([], None, [root]) => (root, Vec::new()),
            ([], None, []) => return Err(bad_input("query", "the query selects no fields")),
            ([], None, [_, _, ..]) => {
                return Err(bad_input(
                    "query",
                    "the query has several fields and no list, and a table has one list, or the value of one field",
                ));
            }
            ([], Some(path), _) if lists.is_empty() => {
                return Err(bad_input("rows", format_args!("the query has no list {path}, and no other list")));
            }
            ([], Some(path), _) => return Err(bad_input("rows", format_args!("the query has no list {path}; it has {}", names()))),
            ([_, _, ..], None, _) => {
                return Err(bad_input(
                    "rows",
                    format_args!("the query has several lists, and one becomes the rows; specify one of {}", names()),
                ));
            }
            ([_, _, ..], Some(path), _) => {
                return Err(bad_input(
                    "rows",
                    format_args!("the query has several lists {path}, such as nodes and edges; request one of them"),
                ));
            }
        };
        let layout = Layout::of(root, query::NAME, self.documents.registry());
        match layout.at(&keys) {
            Some(Layout::List { item, .. }) => Ok(RowList { root, layout: *item, keys }),
            Some(layout) => Ok(RowList { root, layout, keys }),
            None => Err(internal(format!("no layout at {}", keys.join(".")))),
        }
    }
}

impl BatchReader {
    /// Reads the next batch; `None` at the end. Waits until the client has paid for it.
    pub async fn next(&mut self) -> Result<Option<RowBatch>> {
        match &mut self.source {
            RowSource::Scan(scan) => {
                let Some(pages) = scan.next().await? else { return Ok(None) };
                self.meter.pay(table_points(pages.record_count())).await;
                Ok(Some(RowBatch::Records(pages)))
            }
            RowSource::Empty => Ok(None),
            RowSource::Response(items) => {
                let mut items = std::mem::take(items);
                items.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
                Ok((!items.is_empty()).then_some(RowBatch::Items(items)))
            }
        }
    }
}

impl RowConverter {
    /// Converts a batch to rows. Values that have to be serialized first are allocated in the arena.
    pub fn rows<'a>(&'a mut self, batch: &'a RowBatch, arena: &'a Arena<Json>) -> Result<TableRows<'a>> {
        let Self { layout, row: projection, citations, languages, limit } = self;
        let context = ReadContext { languages, arena };
        let mut rows = TableRows::new(layout.width() + usize::from(citations.is_some()));
        match batch {
            RowBatch::Items(items) => {
                items.iter().try_for_each(|item| rows::append(layout, ResponseValue::Json(item), context, &mut rows))?;
            }
            RowBatch::Records(pages) => {
                for row in pages.get(0).into_iter().flat_map(PageRows::nodes) {
                    let item = match &*projection {
                        RowProjection::Record(record) => ResponseValue::Record(record, row),
                        RowProjection::Edge(edge) => ResponseValue::Edge(edge, row),
                        RowProjection::Json => continue,
                    };
                    match &*citations {
                        None => rows::append(layout, item, context, &mut rows)?,
                        Some(citations) => {
                            let mut record_rows = TableRows::new(layout.width());
                            rows::append(layout, item, context, &mut record_rows)?;
                            let sources = citations.value(row, context);
                            for cells in record_rows.iter() {
                                for value in cells {
                                    rows.push(value.clone());
                                }
                                rows.push(sources.clone().map_or(TableValue::Null, |text| TableValue::Text(text.into())));
                            }
                        }
                    }
                }
            }
        }
        rows.truncate(*limit);
        *limit -= rows.count();
        Ok(rows)
    }
}
