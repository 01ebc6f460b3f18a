//! Queries that have been read: parsed and checked against the schema once, however often they are asked.

use std::sync::Arc;

use async_graphql::dynamic::Schema;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql::{Request, Response, Value, Variables};
use moka::sync::Cache;

use crate::graphql::engine::OperationRequest;
use crate::graphql::error::{GraphqlError, codes};
use crate::observability::metrics;

/// Bytes of queries that are kept; what they become takes some times as much.
const KEPT: u64 = 4 << 20;

/// Queries that have been read, by their text.
#[derive(Debug, Clone)]
pub(crate) struct Documents(Cache<String, Arc<ExecutableDocument>>);

impl Documents {
    pub(crate) fn new() -> Self {
        let weigh = |text: &String, _: &Arc<ExecutableDocument>| u32::try_from(text.len() + 200).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity(KEPT).build())
    }

    /// The document of this text, if it has been read before.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<ExecutableDocument>> {
        let found = self.0.get(text);
        metrics::record_cache_lookup(metrics::CacheKind::Documents, found.is_some());
        found
    }

    /// How many are kept, and their bytes.
    pub(crate) fn kept(&self) -> (u64, u64) {
        self.0.run_pending_tasks();
        (self.0.entry_count(), self.0.weighted_size())
    }

    /// Keeps a document that fits the schema.
    pub(crate) fn keep(&self, text: &str, document: Arc<ExecutableDocument>) {
        self.0.insert(text.to_owned(), document);
    }
}

/// Reads a query.
pub(crate) fn parse(text: &str) -> Result<ExecutableDocument, Vec<GraphqlError>> {
    parse_query(text).map_err(|error| vec![GraphqlError::of_framework(error.into(), codes::PARSE)])
}

/// Checks a document against the schema; all that is wrong is told.
pub(crate) async fn check(schema: &Schema, text: &str, document: &ExecutableDocument) -> Result<(), Vec<GraphqlError>> {
    // what is checked does not depend on which operation is run, but the framework wants to know
    let operation = document.operations.iter().find_map(|(name, _)| name);
    let mut request = Request::new(text).data(OnlyCheck);
    request.operation_name = operation.map(ToString::to_string);
    request.set_parsed_query(document.clone());
    let mut failures: Vec<GraphqlError> = Vec::new();
    for error in schema.execute(request).await.errors {
        let failure = GraphqlError::of_framework(error, codes::VALIDATION);
        // some rules of the framework tell the same twice
        if !failures.contains(&failure) {
            failures.push(failure);
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// The operation that a request names, or the only one.
pub(crate) fn operation<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Result<&'d OperationDefinition, GraphqlError> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    found.map(|(_, operation)| &operation.node).ok_or_else(|| {
        let message = match name {
            Some(name) => format!("the query has no operation named \"{name}\""),
            None => "the query has several operations; say by operationName which one to run".to_owned(),
        };
        GraphqlError::new(codes::REQUEST, message)
    })
}

/// What the introspection fields of an operation give, among nulls for the others.
pub(crate) async fn introspect(schema: &Schema, asked: &OperationRequest, variables: &Variables) -> Value {
    let mut request = Request::new(&asked.query).variables(variables.clone());
    // of a document with one operation the framework takes no name
    request.operation_name = asked.operation.clone();
    schema.execute(request).await.data
}

/// Marks a request that is to be checked and not run.
struct OnlyCheck;

/// Ends the requests that are only to be checked.
pub(crate) struct Checks;

impl ExtensionFactory for Checks {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Checks {
    async fn execute(&self, ctx: &ExtensionContext<'_>, operation: Option<&str>, next: NextExecute<'_>) -> Response {
        match ctx.data_opt::<OnlyCheck>() {
            Some(OnlyCheck) => Response::default(),
            None => next.run(ctx, operation).await,
        }
    }
}
