//! Entries of a feed: the list of records of a query, with the label and the latest change of each record.

use std::sync::LazyLock;

use async_graphql::Variables;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use serde_json::Value as Json;

use crate::catalog::record::{Record, RecordKind};
use crate::core::auth::Caller;
use crate::core::error::{Result, internal};
use crate::core::language::Languages;
use crate::core::pagination::MAX_PAGE_SIZE;
use crate::entity::RecordType;
use crate::graphql::engine::{Api, PreparedOperation};
use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::limits;
use crate::graphql::projection::connection::ConnectionProjection;
use crate::graphql::projection::json_writer::{JsonWriter, ResponseBudget};
use crate::graphql::projection::selection::{Scope, Selection};
use crate::graphql::query;
use crate::graphql::request::document::find_operation;

/// Entries of a feed if the query does not give a page size.
const DEFAULT_FEED_ENTRIES: u32 = 50;

/// Selection of the fields of an entry, which replaces the selection of the query.
static ENTRY_DOCUMENT: LazyLock<ExecutableDocument> = LazyLock::new(|| {
    let text = "{ entries { nodes { __typename id \
        ... on Record { permalink label createdAt updatedAt } \
        ... on Revision { kind changedAt by message recordType recordId mergedInto { id permalink } record { __typename id ... on Record { label permalink } } } } } }";
    // a test parses this constant document
    parse_query(text).unwrap_or_else(|error| unreachable!("{error}"))
});

impl Api {
    /// Executes the list of records of a query and returns its entries as JSON objects. Fails if the query does not have
    /// exactly one such list at its root, or other fields.
    pub async fn entries(&self, prepared: &PreparedOperation, languages: &Languages, caller: &Caller) -> Result<Vec<Json>, GraphqlError> {
        let PreparedOperation { document, request, variables, .. } = prepared;
        let operation = find_operation(&document.executable, request.operation.as_deref())?;
        let roots = Scope { document: &document.executable, operation, variables, dataset: &self.dataset }.roots(query::NAME);
        let list = match roots.as_slice() {
            [root] => query::listed_record(root.name()).filter(|record| has_timestamps(record)).map(|record| (root, record)),
            [] | [_, _, ..] => None,
        };
        let Some((root, record)) = list else {
            let message =
                "a feed requires a query with one list of records at its root, such as { cases { nodes { id } } }, and no other field";
            return Err(GraphqlError::new(codes::BAD_REQUEST, message));
        };
        let field_error = |error| GraphqlError::for_field(error, root.response_key(), root.position());
        let limits = self.documents.limits();
        let budget = ResponseBudget::new(limits.response_bytes);
        let entries = self.fetch_entries(root, record, languages, caller, &budget).await;
        limits::check_response(limits, 0, budget.is_exhausted())?;
        entries.map_err(field_error)
    }

    async fn fetch_entries(
        &self,
        root: &Selection<'_>,
        record: &'static Record,
        languages: &Languages,
        caller: &Caller,
        budget: &ResponseBudget,
    ) -> Result<Vec<Json>> {
        let (requested, _) = ConnectionProjection::new(root, record)?;
        let variables = Variables::default();
        let operation = find_operation(&ENTRY_DOCUMENT, None).map_err(|failure| internal(failure.message))?;
        let entries = Scope { document: &ENTRY_DOCUMENT, operation, variables: &variables, dataset: &self.dataset }.roots(query::NAME);
        let Some(entries) = entries.first() else { return Ok(Vec::new()) };
        let (mut list, connection) = ConnectionProjection::new(entries, record)?;
        (list.filter, list.order, list.page) = (requested.filter, requested.order, requested.page);
        if root.argument("first").is_none() && root.argument("last").is_none() {
            list.page.size = DEFAULT_FEED_ENTRIES.min(MAX_PAGE_SIZE);
        }
        let pages = self.store.for_role(caller.role).page(&list).await?;
        let mut out = JsonWriter::with_budget(languages, budget);
        out.option(pages.get(0), |page, out| connection.write(page, out));
        let json = out.into_json();
        // what was written is not valid then
        if budget.is_exhausted() {
            return Ok(Vec::new());
        }
        let mut page: Json = serde_json::from_slice(&json).map_err(internal)?;
        match page["nodes"].take() {
            Json::Array(nodes) => Ok(nodes),
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether records of a type have timestamps of their changes.
fn has_timestamps(record: &Record) -> bool {
    record.kind == RecordKind::Record || record.ty == RecordType::Revision
}
