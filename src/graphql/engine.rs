//! The GraphQL schema, built from the record declarations, and the execution of operations.
//!
//! Documents are parsed and validated at the front ([`crate::graphql::request`]); the framework builds the schema and
//! resolves introspection. The data of an operation is planned as a whole ([`crate::graphql::projection`]), fetched by the store, and written as JSON once.

use std::sync::Arc;
use std::time::Instant;

use async_graphql::dynamic::{Schema, SchemaError};
use async_graphql::parser::types::{OperationDefinition, OperationType};
use async_graphql::registry::SDLExportOptions;
use async_graphql::{ValidationMode, Value};
use futures_util::future::join_all;

use crate::core::auth::Caller;
use crate::core::dataset::Dataset;
use crate::core::error::Result as FieldResult;
use crate::core::language::Languages;
use crate::graphql::limits;
use crate::graphql::limits::{CostEstimator, LARGE_RESPONSE_VALUES, Limits, MIN_WRITING_TIME, ReadMeter};
use crate::graphql::mutation;
use crate::graphql::projection::computed;
use crate::graphql::projection::json_writer::{JsonKey, JsonWriter, ResponseBudget};
use crate::graphql::projection::selection::{Scope, Selection};
use crate::graphql::query;
use crate::graphql::query::saved_query;
use crate::graphql::request::document;
use crate::graphql::request::introspection::introspect;
use crate::graphql::request::upload::UploadParser;
use crate::graphql::request::variables;
use crate::graphql::schema::builder::SEMANTIC_NON_NULL_DEFINITION;
use crate::graphql::schema::filter;
use crate::graphql::schema::object;
use crate::graphql::schema::scalar;
use crate::graphql::schema::subset::SchemaSubset;
use crate::graphql::subscription;
use crate::graphql::subscription::EventCost;
use crate::store::Store;
use crate::store::db::statement_guard::long_reads;

pub use crate::graphql::error::{GraphqlError, codes};
pub use crate::graphql::request::operation::{OnError, OperationRequest, OperationResult, PrepareError, PreparedOperation};
pub use crate::graphql::subscription::{Event, EventStream};

/// Maximum recursion depth of the framework when it resolves introspection.
const MAX_RECURSION_DEPTH: usize = 64;

/// Builds the schema.
pub fn schema() -> Result<Schema, SchemaError> {
    let mut builder = Schema::build(query::NAME, Some(mutation::NAME), Some(subscription::NAME))
        .limit_recursive_depth(MAX_RECURSION_DEPTH)
        .validation_mode(ValidationMode::Fast);
    builder = query::register(builder);
    builder = mutation::register(builder);
    builder = subscription::register(builder);
    builder = saved_query::register(builder);
    builder = scalar::register(builder);
    builder = filter::register(builder);
    builder = crate::graphql::schema::connection::register(builder);
    builder = crate::graphql::projection::connection::register(builder);
    builder = crate::graphql::projection::facet::register(builder);
    builder = object::register(builder);
    builder = computed::register(builder);
    builder.finish()
}

/// Returns the schema in the schema definition language, as committed in `schema.graphql`.
pub fn sdl() -> Result<String, SchemaError> {
    let options = SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by();
    let printed = schema()?.sdl_with_options(options);
    Ok(format!("{}\n{SEMANTIC_NON_NULL_DEFINITION}", printed.trim_end()))
}

/// Validates documents without executing them.
#[derive(Debug, Clone)]
pub struct DocumentValidator(document::Documents);

impl DocumentValidator {
    /// Builds the schema.
    pub fn new(limits: Limits) -> Result<Self, SchemaError> {
        Ok(Self(document::Documents::new(schema()?, &sdl()?, limits).map_err(SchemaError)?))
    }

    /// Parses and validates a document. Reports all errors.
    pub fn validate(&self, text: &str) -> Result<(), Vec<GraphqlError>> {
        self.0.load(text).map(drop)
    }
}

/// The schema over a store.
#[derive(Debug, Clone)]
pub struct Api {
    pub(crate) documents: document::Documents,
    pub(crate) store: Store,
    pub(crate) upload_parser: UploadParser,
    pub(crate) dataset: Arc<Dataset>,
}

impl Api {
    /// Builds the schema over a store. `dataset` describes the dataset itself.
    pub fn new(store: Store, upload_parser: UploadParser, limits: Limits, dataset: Arc<Dataset>) -> Result<Self, SchemaError> {
        let documents = document::Documents::new(schema()?, &sdl()?, limits).map_err(SchemaError)?;
        Ok(Self { documents, store, upload_parser, dataset })
    }

    /// The part of the schema that these types need, or all of it if there are none. Fails with a message if there is no such
    /// type.
    pub fn schema_subset(&self, types: &[String], has_descriptions: bool) -> Result<SchemaSubset, String> {
        SchemaSubset::new(self.documents.validation_schema(), types, has_descriptions)
    }

    /// Number of cached documents, and their weight in bytes.
    pub fn document_cache_usage(&self) -> (u64, u64) {
        self.documents.cache_usage()
    }

    /// Validates a request before anything is executed, and reports all errors. An operation of a type that `allows`
    /// rejects is not validated.
    pub fn prepare(&self, request: OperationRequest, allows: impl Fn(OperationType) -> bool) -> Result<PreparedOperation, PrepareError> {
        let limits = self.documents.limits();
        limits::check_variables(limits, &request.variables)?;
        let name = request.operation.as_deref();
        let document = if let Some(document) = self.documents.cached(&request.query) {
            document
        } else {
            let parsed = self.documents.parse(&request.query)?;
            if parsed.operation_type(name).is_some_and(|ty| !allows(ty)) {
                return Err(PrepareError::OperationNotAllowed);
            }
            self.documents.validate(&request.query, &parsed)?
        };
        let operation = document::find_operation(&document.executable, name)?;
        if !allows(operation.ty) {
            return Err(PrepareError::OperationNotAllowed);
        }
        let registry = self.documents.registry();
        let variables = variables::coerce_variables(registry, &document, operation, &request.variables, &request.uploads)?;
        let root = match operation.ty {
            OperationType::Query => query::NAME,
            OperationType::Mutation => mutation::NAME,
            OperationType::Subscription => subscription::NAME,
        };
        let roots = Scope { document: &document.executable, operation, variables: &variables, dataset: &self.dataset }.roots(root);
        let estimator = CostEstimator { registry, sizes: self.store.table_sizes(), root };
        let cost = estimator.operation(&roots, operation.ty == OperationType::Subscription);
        limits::check_cost(limits, &cost)?;
        Ok(PreparedOperation { document, request, variables, cost })
    }

    /// Starts the event stream of a subscription, whose reads `meter` admits and charges. `last` is the cursor of the last
    /// received event if the transport supplies it; it takes precedence over the argument.
    pub async fn subscribe(
        &self,
        prepared: &PreparedOperation,
        languages: &Languages,
        caller: &Caller,
        last: Option<&str>,
        meter: Arc<dyn ReadMeter>,
    ) -> Result<EventStream, GraphqlError> {
        let PreparedOperation { document, request, variables, .. } = prepared;
        let operation = document::find_operation(&document.executable, request.operation.as_deref())?;
        let roots = Scope { document: &document.executable, operation, variables, dataset: &self.dataset }.roots(subscription::NAME);
        let root = subscription::root(&roots)?;
        let cost = EventCost { limits: self.documents.limits().clone(), page: prepared.cost };
        let stream = EventStream::new(&self.store, caller, languages, root, last, (meter, cost)).await;
        stream.map_err(|error| GraphqlError::for_field(error, root.response_key(), root.position()))
    }

    /// Executes a query or mutation for a caller with these preferred languages.
    pub async fn execute(
        &self,
        prepared: &PreparedOperation,
        languages: &Languages,
        caller: &Caller,
    ) -> Result<OperationResult, GraphqlError> {
        long_reads(prepared.cost.is_long(), Box::pin(self.execute_fields(prepared, languages, caller))).await
    }

    async fn execute_fields(
        &self,
        prepared: &PreparedOperation,
        languages: &Languages,
        caller: &Caller,
    ) -> Result<OperationResult, GraphqlError> {
        let PreparedOperation { document, request, variables, .. } = prepared;
        let operation: &OperationDefinition = document::find_operation(&document.executable, request.operation.as_deref())?;
        let is_mutation = operation.ty == OperationType::Mutation;
        let root = if is_mutation { mutation::NAME } else { query::NAME };
        let roots = Scope { document: &document.executable, operation, variables, dataset: &self.dataset }.roots(root);
        let introspection = if roots.iter().any(is_introspection) {
            introspect(self.documents.schema(), &document.executable, request.operation.as_deref(), variables).await?
        } else {
            Value::Null
        };
        let store = &self.store.for_role(caller.role);
        let deadline = store.statement_timeout().filter(|_| !is_mutation).map(|timeout| Instant::now() + timeout.max(MIN_WRITING_TIME));
        let max_bytes = self.documents.limits().response_bytes;
        let budget = ResponseBudget::new(max_bytes).until(deadline).large(prepared.cost.values >= LARGE_RESPONSE_VALUES);
        // each root field is written separately; the results are joined in the order of the query
        let write = async |selection: &Selection<'_>| {
            let mut out = JsonWriter::with_budget(languages, &budget);
            let result: FieldResult<()> = match &introspection {
                Value::Object(fields) if is_introspection(selection) => {
                    out.value(fields.get(selection.response_key()));
                    Ok(())
                }
                _ if is_mutation && selection.name() == saved_query::SAVE_FIELD => {
                    Box::pin(saved_query::save(&self.documents, &self.store, caller, selection, &mut out)).await
                }
                _ if is_mutation => {
                    Box::pin(mutation::execute(store, caller, selection, (&request.uploads, &self.upload_parser), &mut out)).await
                }
                _ => Box::pin(query::write(store, caller, selection, &mut out)).await,
            };
            let field_error = |error| GraphqlError::for_field(error, selection.response_key(), selection.position());
            let mut result = result.map_err(field_error);
            // a mutation has been committed by now, so only its payload is left out
            if is_mutation && result.is_ok() && budget.is_exhausted() {
                result = limits::check_payload(self.documents.limits(), selection);
            }
            (result, out)
        };
        let written = if is_mutation {
            // the specification requires mutations to run one after the other
            let mut written = Vec::with_capacity(roots.len());
            for selection in &roots {
                let result = write(selection).await;
                let is_halted = request.on_error == OnError::Halt && result.0.is_err();
                written.push(result);
                if is_halted {
                    break;
                }
            }
            written
        } else {
            join_all(roots.iter().map(write)).await
        };
        if !is_mutation {
            budget.check_deadline()?;
            let response_bytes: usize = written.iter().map(|(_, out)| out.len()).sum();
            limits::check_response(self.documents.limits(), response_bytes, budget.is_exhausted())?;
        }
        let mut errors = Vec::new();
        let mut fields: Vec<(JsonKey, Option<Vec<u8>>)> = Vec::with_capacity(roots.len());
        for (selection, (result, out)) in roots.iter().zip(written) {
            let json = match result {
                Ok(()) => Some(out.into_json()),
                Err(error) => {
                    errors.push(error);
                    None
                }
            };
            fields.push((selection.json_key(), json));
        }
        let registry = self.documents.registry();
        let is_non_null = |selection: &Selection<'_>| {
            let field = registry.types.get(root).and_then(|ty| ty.field_by_name(selection.name()));
            field.is_some_and(|field| field.ty.ends_with('!'))
        };
        let is_data_null = match request.on_error {
            OnError::Null => false,
            OnError::Propagate => roots.iter().zip(&fields).any(|(selection, (_, json))| json.is_none() && is_non_null(selection)),
            OnError::Halt => {
                errors.truncate(1);
                !errors.is_empty()
            }
        };
        let mut out = JsonWriter::new(languages);
        if is_data_null {
            out.null();
        } else {
            out.object(&fields, |json, out| out.option(json.as_deref(), |json, out| out.json(json)));
        }
        let is_personal = roots.iter().any(|selection| selection.name() == query::rate_limit::NAME);
        Ok(OperationResult { data: out.into_json(), errors, is_personal })
    }
}

fn is_introspection(selection: &Selection<'_>) -> bool {
    matches!(selection.name(), "__schema" | "__type")
}
