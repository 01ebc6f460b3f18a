//! GraphQL documents: parsed and validated once, then cached by their text.

use std::sync::Arc;

use async_graphql::dynamic::Schema;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql::registry::Registry;
use async_graphql::{Request, Response};
use moka::sync::Cache;

use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::limits;
use crate::graphql::limits::Limits;
use crate::observability::metrics;

/// Capacity of the document cache in bytes of query text; the parsed documents take a few times as much.
const DOCUMENT_CACHE_BYTES: u64 = 4 << 20;
/// Weight of a cache entry besides its query text, in bytes.
const CACHE_ENTRY_OVERHEAD_BYTES: usize = 200;

/// Parses, validates and caches documents.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    schema: Schema,
    limits: Limits,
    cache: Cache<String, Arc<ExecutableDocument>>,
}

impl Documents {
    pub(crate) fn new(schema: Schema, limits: Limits) -> Self {
        let weigh = |text: &String, _: &Arc<ExecutableDocument>| u32::try_from(text.len() + CACHE_ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX);
        Self { schema, limits, cache: Cache::builder().weigher(weigh).max_capacity(DOCUMENT_CACHE_BYTES).build() }
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.schema.registry()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the valid document with this text if it is cached.
    pub(crate) fn cached(&self, text: &str) -> Option<Arc<ExecutableDocument>> {
        let found = self.cache.get(text);
        metrics::record_cache_lookup(metrics::CacheKind::Documents, found.is_some());
        found
    }

    /// Number of cached documents, and their weight in bytes.
    pub(crate) fn cache_usage(&self) -> (u64, u64) {
        self.cache.run_pending_tasks();
        (self.cache.entry_count(), self.cache.weighted_size())
    }

    /// Parses a document that is within the limits.
    pub(crate) fn parse(&self, text: &str) -> Result<Arc<ExecutableDocument>, Vec<GraphqlError>> {
        limits::check_text(&self.limits, text).map_err(|error| vec![error])?;
        let document = parse_query(text).map_err(|error| vec![GraphqlError::from_server_error(error.into(), codes::PARSE)])?;
        limits::check_size(&self.limits, &document).map_err(|error| vec![error])?;
        Ok(Arc::new(document))
    }

    /// Validates a parsed document against the schema and caches it if it is valid. Reports all errors.
    pub(crate) async fn validate(&self, text: &str, document: &Arc<ExecutableDocument>) -> Result<(), Vec<GraphqlError>> {
        // validation does not depend on the selected operation, but the framework requires one
        let operation = document.operations.iter().find_map(|(name, _)| name);
        let mut request = Request::new(text).data(ValidateOnly);
        request.operation_name = operation.map(ToString::to_string);
        request.set_parsed_query(ExecutableDocument::clone(document));
        let mut errors: Vec<GraphqlError> = Vec::new();
        for error in self.schema.execute(request).await.errors {
            let error = GraphqlError::from_server_error(error, codes::VALIDATION);
            // some rules of the framework report the same error twice
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        self.cache.insert(text.to_owned(), document.clone());
        Ok(())
    }

    /// Returns the valid document with this text: from the cache, or parsed and validated.
    pub(crate) async fn load(&self, text: &str) -> Result<Arc<ExecutableDocument>, Vec<GraphqlError>> {
        if let Some(document) = self.cached(text) {
            return Ok(document);
        }
        let document = self.parse(text)?;
        self.validate(text, &document).await?;
        Ok(document)
    }
}

/// Returns the operation with this name, or the only operation if no name is given.
pub(crate) fn find_operation<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Result<&'d OperationDefinition, GraphqlError> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    found.map(|(_, operation)| &operation.node).ok_or_else(|| {
        let message = match name {
            Some(name) => format!("the query has no operation named \"{name}\""),
            None => "the query has several operations; select one with operationName".to_owned(),
        };
        GraphqlError::new(codes::REQUEST, message)
    })
}

/// Marks a request that is validated but not executed.
struct ValidateOnly;

/// Extension that ends requests marked with [`ValidateOnly`] after validation.
pub(crate) struct ValidateOnlyExtension;

impl ExtensionFactory for ValidateOnlyExtension {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for ValidateOnlyExtension {
    async fn execute(&self, ctx: &ExtensionContext<'_>, operation: Option<&str>, next: NextExecute<'_>) -> Response {
        match ctx.data_opt::<ValidateOnly>() {
            Some(ValidateOnly) => Response::default(),
            None => next.run(ctx, operation).await,
        }
    }
}
