//! The first list of records of a query, as a feed has it: what each record is called, and when it changed last.

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
use crate::graphql::projection::connection::ConnectionProjection;
use crate::graphql::projection::json_writer::JsonWriter;
use crate::graphql::projection::selection::Scope;
use crate::graphql::query;
use crate::graphql::request::document;

/// Records that a feed has where the query does not say how many.
const USUAL: u32 = 50;

/// What is shown of the records, whatever the query shows of them.
static SHOWN: LazyLock<ExecutableDocument> = LazyLock::new(|| {
    let text = "{ entries { nodes { __typename id \
        ... on Record { permalink label createdAt updatedAt } \
        ... on Revision { kind at by message recordType record { __typename id ... on Record { label permalink } } } } } }";
    // the text is our own, and a test reads it
    parse_query(text).unwrap_or_else(|error| unreachable!("{error}"))
});

impl Api {
    /// The records of the first list of a query. They are given as objects with what a feed shows.
    pub async fn entries(&self, prepared: &PreparedOperation, languages: &Languages, caller: &Caller) -> Result<Vec<Json>, GraphqlError> {
        let PreparedOperation { document, asked, variables, .. } = prepared;
        let operation = document::operation(document, asked.operation.as_deref())?;
        let roots = Scope { document, operation, variables, dataset: &self.dataset }.roots(query::NAME);
        let found = roots.iter().find_map(|root| Some((root, query::list(root.name()).filter(|record| has_time(record))?)));
        let Some((root, record)) = found else {
            let message = "a feed needs a query with a list of records at its root, such as { cases { nodes { id } } }";
            return Err(GraphqlError::new(codes::REQUEST, message));
        };
        let failed = |error| GraphqlError::of_field(error, root.name_in_answer(), root.position());
        self.list(root, record, languages, caller).await.map_err(failed)
    }

    async fn list(
        &self,
        root: &crate::graphql::projection::selection::Selection<'_>,
        record: &'static Record,
        languages: &Languages,
        caller: &Caller,
    ) -> Result<Vec<Json>> {
        let (wanted, _) = ConnectionProjection::new(root, record)?;
        let variables = Variables::default();
        let operation = document::operation(&SHOWN, None).map_err(|failure| internal(failure.message))?;
        let shown = Scope { document: &SHOWN, operation, variables: &variables, dataset: &self.dataset }.roots(query::NAME);
        let Some(shown) = shown.first() else { return Ok(Vec::new()) };
        let (mut list, connection) = ConnectionProjection::new(shown, record)?;
        (list.filter, list.order, list.page) = (wanted.filter, wanted.order, wanted.page);
        if root.argument("first").is_none() && root.argument("last").is_none() {
            list.page.size = USUAL.min(MAX_PAGE_SIZE);
        }
        let pages = self.store.for_role(caller.role).page(&list).await?;
        let mut out = JsonWriter::new(languages);
        out.option(pages.get(0), |slice, out| connection.write(slice, out));
        let mut page: Json = serde_json::from_slice(&out.into_json()).map_err(internal)?;
        match page["nodes"].take() {
            Json::Array(nodes) => Ok(nodes),
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether it is known of records of a type when they changed.
fn has_time(record: &Record) -> bool {
    record.shape == RecordKind::Record || record.ty == RecordType::Revision
}
