//! The GraphQL schema, made from the declarations of the records, and the running of queries.
//!
//! The framework parses queries, checks them against the schema, and answers introspection. What is
//! selected of the data is planned whole ([`shape`]), read by the store, and written as JSON once.

use std::sync::Arc;

use async_graphql::dynamic::{Schema, SchemaError};
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Value, Variables};
use futures_util::future::join_all;
use serde_json::{Map, Value as Json};

use crate::core::auth::Caller;
use crate::core::dataset::Dataset;
use crate::core::error::Result as Read;
use crate::core::language::Languages;
use crate::graphql::limits;
use crate::graphql::limits::Limits;
use crate::graphql::mutation;
use crate::graphql::projection::computed;
use crate::graphql::projection::connection;
use crate::graphql::projection::facet;
use crate::graphql::projection::json_writer::{JsonKey, JsonWriter};
use crate::graphql::projection::selection::{Scope, Selection};
use crate::graphql::query;
use crate::graphql::query::saved_query;
use crate::graphql::request::document;
use crate::graphql::request::upload::{Upload, UploadParser};
use crate::graphql::request::variables;
use crate::graphql::schema::filter;
use crate::graphql::schema::object;
use crate::graphql::schema::scalar;
use crate::graphql::subscription;
use crate::store::Store;

pub use crate::graphql::error::{GraphqlError, codes};
pub use crate::graphql::subscription::{Event, EventStream};

/// Makes the schema.
pub fn schema() -> Result<Schema, SchemaError> {
    let mut builder =
        Schema::build(query::NAME, Some(mutation::NAME), Some(subscription::NAME)).limit_recursive_depth(64).extension(document::Checks);
    builder = query::register(builder);
    builder = mutation::register(builder);
    builder = subscription::register(builder);
    builder = saved_query::register(builder);
    builder = scalar::register(builder);
    builder = filter::register(builder);
    builder = connection::register(builder);
    builder = facet::register(builder);
    builder = object::register(builder);
    builder = computed::register(builder);
    builder.finish()
}

/// The schema in the schema definition language, as committed in `schema.graphql`.
pub fn sdl() -> Result<String, SchemaError> {
    let sdl = schema()?.sdl();
    Ok(format!("{}\n", sdl.trim_end()))
}

/// The schema with the store behind it.
#[derive(Debug, Clone)]
pub struct Api {
    pub(crate) schema: Schema,
    pub(crate) store: Store,
    pub(crate) documents: document::Documents,
    pub(crate) reader: UploadParser,
    pub(crate) limits: Limits,
    pub(crate) dataset: Arc<Dataset>,
}

/// What a request asks.
#[derive(Debug, Clone)]
pub struct OperationRequest {
    /// The GraphQL document.
    pub query: String,
    /// Name of the operation to run, where the document has several.
    pub operation: Option<String>,
    /// Values of its variables; a file stands there by its place among the files.
    pub variables: Map<String, Json>,
    /// Files that came with it.
    pub uploads: Vec<Upload>,
}

/// An operation that can be run.
#[derive(Debug)]
pub struct PreparedOperation {
    pub(crate) document: Arc<ExecutableDocument>,
    pub(crate) asked: OperationRequest,
    pub(crate) variables: Variables,
    pub(crate) nodes: u64,
}

/// Why a request cannot be run.
#[derive(Debug)]
pub enum PrepareError {
    /// Its operation is of a kind that is not allowed.
    Kind,
    /// It is wrong.
    Failures(Vec<GraphqlError>),
}

impl From<Vec<GraphqlError>> for PrepareError {
    fn from(failures: Vec<GraphqlError>) -> Self {
        Self::Failures(failures)
    }
}

/// What an operation gives.
#[derive(Debug)]
pub struct OperationResult {
    /// The data, as JSON in the order of the query.
    pub data: Vec<u8>,
    /// Fields that could not be given; they are null in the data.
    pub failures: Vec<GraphqlError>,
    /// Whether it is about the one who asks and the moment, and not about the dataset alone.
    pub is_personal: bool,
}

impl PreparedOperation {
    /// What kind of operation it is.
    pub fn kind(&self) -> OperationType {
        document::operation(&self.document, self.asked.operation.as_deref()).map_or(OperationType::Query, |operation| operation.ty)
    }

    /// Records that its answer may hold at most.
    pub fn nodes(&self) -> u64 {
        self.nodes
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.asked.operation.as_deref().or_else(|| self.document.operations.iter().next()?.0.map(|name| name.as_str()))
    }

    /// The text of its document.
    pub fn text(&self) -> &str {
        &self.asked.query
    }
}

impl Api {
    /// The schema over a store, what reads files that are sent, what a request may ask for at most, and what the dataset
    /// says of itself.
    pub fn new(store: Store, reader: UploadParser, limits: Limits, dataset: Arc<Dataset>) -> Result<Self, SchemaError> {
        Ok(Self { schema: schema()?, store, documents: document::Documents::new(), reader, limits, dataset })
    }

    /// Number of documents that are kept, and their bytes.
    pub fn documents_kept(&self) -> (u64, u64) {
        self.documents.kept()
    }

    /// Checks a request; what is wrong with it is told before anything is run. An operation of a kind that is not
    /// allowed is not even checked.
    pub async fn prepare(
        &self,
        asked: OperationRequest,
        allows: impl Fn(OperationType) -> bool,
    ) -> Result<PreparedOperation, PrepareError> {
        limits::check_variables(&self.limits, &asked.variables).map_err(|failure| vec![failure])?;
        let known = self.documents.get(&asked.query);
        let is_new = known.is_none();
        let document = match known {
            Some(document) => document,
            None => Arc::new(self.parse(&asked.query)?),
        };
        let operation = document::operation(&document, asked.operation.as_deref()).map_err(|failure| vec![failure])?;
        if !allows(operation.ty) {
            return Err(PrepareError::Kind);
        }
        if is_new {
            document::check(&self.schema, &asked.query, &document).await?;
            self.documents.keep(&asked.query, document.clone());
        }
        let registry = self.schema.registry();
        let variables = variables::read(registry, operation, &asked.variables)?;
        let root = match operation.ty {
            OperationType::Query => query::NAME,
            OperationType::Mutation => mutation::NAME,
            OperationType::Subscription => subscription::NAME,
        };
        let roots = Scope { document: &document, operation, variables: &variables, dataset: &self.dataset }.roots(root);
        let nodes = limits::cost(registry, root, &roots);
        limits::check_nodes(&self.limits, nodes).map_err(|failure| vec![failure])?;
        Ok(PreparedOperation { document, asked, variables, nodes })
    }

    /// Reads the text of a document that is within the limits.
    fn parse(&self, text: &str) -> Result<ExecutableDocument, Vec<GraphqlError>> {
        limits::check_text(&self.limits, text).map_err(|failure| vec![failure])?;
        let document = document::parse(text)?;
        limits::check_size(&self.limits, &document).map_err(|failure| vec![failure])?;
        Ok(document)
    }

    /// Reads a document and checks it against the schema.
    pub(crate) async fn read(&self, text: &str) -> Result<Arc<ExecutableDocument>, Vec<GraphqlError>> {
        if let Some(document) = self.documents.get(text) {
            return Ok(document);
        }
        let document = Arc::new(self.parse(text)?);
        document::check(&self.schema, text, &document).await?;
        self.documents.keep(text, document.clone());
        Ok(document)
    }

    /// Begins to follow what a subscription asks for. `last` is the cursor of what came last, where it is told apart from
    /// the operation; it counts more than the argument.
    pub async fn follow(
        &self,
        prepared: &PreparedOperation,
        languages: &Languages,
        caller: &Caller,
        last: Option<&str>,
    ) -> Result<EventStream, GraphqlError> {
        let PreparedOperation { document, asked, variables, .. } = prepared;
        let operation = document::operation(document, asked.operation.as_deref())?;
        let roots = Scope { document, operation, variables, dataset: &self.dataset }.roots(subscription::NAME);
        let root = subscription::root(&roots)?;
        let following = EventStream::new(&self.store, caller, languages, root, last).await;
        following.map_err(|error| GraphqlError::of_field(error, root.name_in_answer(), root.position()))
    }

    /// Runs an operation for one who prefers these languages.
    pub async fn run(&self, prepared: &PreparedOperation, languages: &Languages, caller: &Caller) -> Result<OperationResult, GraphqlError> {
        let PreparedOperation { document, asked, variables, .. } = prepared;
        let operation: &OperationDefinition = document::operation(document, asked.operation.as_deref())?;
        let is_mutation = operation.ty == OperationType::Mutation;
        let roots =
            Scope { document, operation, variables, dataset: &self.dataset }.roots(if is_mutation { mutation::NAME } else { query::NAME });
        let about_schema = match roots.iter().any(is_introspection) {
            true => document::introspect(&self.schema, asked, variables).await,
            false => Value::Null,
        };
        let store = &self.store.for_role(caller.role);
        // each field writes by itself, and they are put together in the order of the query
        let write = async |selection: &Selection<'_>| {
            let mut out = JsonWriter::new(languages);
            let result: Read<()> = match &about_schema {
                Value::Object(fields) if is_introspection(selection) => {
                    out.value(fields.get(selection.name_in_answer()));
                    Ok(())
                }
                _ if is_mutation && selection.name() == saved_query::SAVE => {
                    Box::pin(saved_query::save(self, caller, selection, &mut out)).await
                }
                _ if is_mutation => Box::pin(mutation::write(store, caller, selection, (&asked.uploads, &self.reader), &mut out)).await,
                _ => Box::pin(query::write(store, caller, selection, &mut out)).await,
            };
            (result, out)
        };
        let written = match is_mutation {
            // one change comes after the other, as the specification wants it
            true => {
                let mut written = Vec::with_capacity(roots.len());
                for selection in &roots {
                    written.push(write(selection).await);
                }
                written
            }
            false => join_all(roots.iter().map(write)).await,
        };
        let mut failures = Vec::new();
        let mut fields: Vec<(JsonKey, Option<Vec<u8>>)> = Vec::with_capacity(roots.len());
        for (selection, (result, out)) in roots.iter().zip(written) {
            let json = match result {
                Ok(()) => Some(out.into_json()),
                Err(error) => {
                    failures.push(GraphqlError::of_field(error, selection.name_in_answer(), selection.position()));
                    None
                }
            };
            fields.push((selection.key(), json));
        }
        let mut out = JsonWriter::new(languages);
        out.object(&fields, |json, out| out.option(json.as_deref(), |json, out| out.json(json)));
        let is_personal = roots.iter().any(|selection| selection.name() == query::rate::NAME);
        Ok(OperationResult { data: out.into_json(), failures, is_personal })
    }
}

fn is_introspection(selection: &Selection<'_>) -> bool {
    matches!(selection.name(), "__schema" | "__type")
}
