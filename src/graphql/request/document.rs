//! GraphQL documents: parsed and validated once, then cached by their text.

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::ast;
use apollo_compiler::validation::Valid;
use async_graphql::dynamic::Schema;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::registry::Registry;
use moka::sync::Cache;

use crate::graphql::error::{GraphqlError, codes};
use crate::graphql::limits;
use crate::graphql::limits::Limits;
use crate::graphql::request::conversion::operation_type;
use crate::graphql::request::validation;
use crate::observability::metrics;

/// Capacity of the document cache in bytes: texts and parsed documents.
const DOCUMENT_CACHE_BYTES: u64 = 32 << 20;
/// Weight of a cache entry besides its query text and tokens, in bytes.
const CACHE_ENTRY_OVERHEAD_BYTES: usize = 1_000;
/// Estimated memory that a parsed document takes for each token of its text, in bytes.
const TOKEN_BYTES: usize = 200;

/// A valid document.
#[derive(Debug)]
pub(crate) struct Document {
    /// The document with its literals coerced to the types of their places.
    pub(crate) executable: ExecutableDocument,
    /// Positions of the definitions of nullable variables with a default that are used where null must not stand.
    pub(crate) non_null_uses: BTreeSet<(usize, usize)>,
}

/// A document that is parsed, not yet validated.
pub(crate) struct ParsedDocument {
    ast: ast::Document,
}

/// Parses, validates and caches documents.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    schema: Schema,
    /// The same schema as the validator reads it.
    validation_schema: Arc<Valid<apollo_compiler::Schema>>,
    limits: Limits,
    cache: Cache<String, Arc<Document>>,
}

impl Documents {
    /// Prepares the validation of documents. Fails if the validator does not accept the text of the schema.
    pub(crate) fn new(schema: Schema, sdl: &str, limits: Limits) -> Result<Self, String> {
        let validation_schema =
            apollo_compiler::Schema::parse_and_validate(sdl, "schema.graphql").map_err(|failed| failed.errors.to_string())?;
        let weigh = |text: &String, _: &Arc<Document>| u32::try_from(weight(text)).unwrap_or(u32::MAX);
        let cache = Cache::builder().weigher(weigh).max_capacity(DOCUMENT_CACHE_BYTES).build();
        Ok(Self { schema, validation_schema: Arc::new(validation_schema), limits, cache })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.schema.registry()
    }

    pub(crate) fn validation_schema(&self) -> Arc<Valid<apollo_compiler::Schema>> {
        self.validation_schema.clone()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the valid document with this text if it is cached.
    pub(crate) fn cached(&self, text: &str) -> Option<Arc<Document>> {
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
    pub(crate) fn parse(&self, text: &str) -> Result<ParsedDocument, Vec<GraphqlError>> {
        limits::check_text(&self.limits, text).map_err(|error| vec![error])?;
        let ast = validation::parse(text, self.limits.nesting).map_err(|error| vec![error])?;
        limits::check_size(&self.limits, &ast).map_err(|error| vec![error])?;
        Ok(ParsedDocument { ast })
    }

    /// Validates a parsed document against the schema and caches it if it is valid. Reports all errors.
    pub(crate) fn validate(&self, text: &str, document: &ParsedDocument) -> Result<Arc<Document>, Vec<GraphqlError>> {
        let converted = validation::validate(&self.validation_schema, self.registry(), text, &document.ast)?;
        let document = Arc::new(Document { executable: converted.document, non_null_uses: converted.non_null_uses });
        self.cache.insert(text.to_owned(), document.clone());
        Ok(document)
    }

    /// Returns the valid document with this text: from the cache, or parsed and validated.
    pub(crate) fn load(&self, text: &str) -> Result<Arc<Document>, Vec<GraphqlError>> {
        if let Some(document) = self.cached(text) {
            return Ok(document);
        }
        self.validate(text, &self.parse(text)?)
    }
}

/// Estimated memory of a cache entry in bytes. The number of tokens is estimated, too: words, and characters that are neither
/// words nor white space.
fn weight(text: &str) -> usize {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
    let (mut tokens, mut in_word) = (0, false);
    for byte in text.bytes() {
        let was_in_word = std::mem::replace(&mut in_word, is_word(byte));
        let continues = byte.is_ascii_whitespace() || (was_in_word && in_word);
        tokens += usize::from(!continues);
    }
    2 * text.len() + tokens * TOKEN_BYTES + CACHE_ENTRY_OVERHEAD_BYTES
}

impl ParsedDocument {
    /// Type of the operation that a request selects; `None` if it selects none or more than one.
    pub(crate) fn operation_type(&self, name: Option<&str>) -> Option<OperationType> {
        let operations = self.ast.definitions.iter().filter_map(|definition| definition.as_operation_definition());
        let mut selected = operations.filter(|operation| match name {
            Some(wanted) => operation.name.as_ref().is_some_and(|name| *name == wanted),
            None => true,
        });
        let operation = selected.next()?;
        selected.next().is_none().then(|| self::operation_type(operation.operation_type))
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
            None => match document.operations.iter().next() {
                Some(_) => "the query has several operations; select one with operationName".to_owned(),
                None => "the query has no operation, only fragments".to_owned(),
            },
        };
        GraphqlError::new(codes::BAD_REQUEST, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weight_counts_the_tokens_of_a_document() {
        let overhead = weight("");
        assert_eq!(weight("{ people(first: 10) { nodes { id } } }") - overhead, 14 * TOKEN_BYTES + 2 * 38);
        // many short tokens weigh more than one long one
        assert!(weight(&"{a}".repeat(1_000)) > 20 * weight(&"a".repeat(3_000)));
        assert!(weight(&"a".repeat(3_000)) - overhead >= 3_000);
    }
}
