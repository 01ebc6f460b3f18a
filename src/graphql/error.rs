//! Errors as GraphQL sends them: each with a code, none with internals.

use std::sync::Arc;

use async_graphql::dynamic::{FieldFuture, FieldValue, ResolverContext};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextValidation};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{ErrorExtensions, ServerError, ServerResult, ValidationResult, Variables};

use super::MAX_DEPTH;
use crate::error::{Error, Result};

/// Codes of errors in a request that was not run.
pub mod codes {
    /// The query is not GraphQL.
    pub const PARSE: &str = "GRAPHQL_PARSE_FAILED";
    /// The query does not fit the schema or its limits.
    pub const VALIDATION: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The request cannot be understood.
    pub const REQUEST: &str = "BAD_REQUEST";
}

/// Gives an error of the framework a code, where it has none.
pub fn with_code(mut error: ServerError, code: &str) -> ServerError {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
    error
}

/// Gives every error of the framework a code.
pub(super) struct Codes;

impl ExtensionFactory for Codes {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Codes {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        next.run(ctx, query, variables).await.map_err(|error| with_code(error, codes::PARSE))
    }

    async fn validation(&self, ctx: &ExtensionContext<'_>, next: NextValidation<'_>) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx).await.map_err(|errors| {
            let mut told: Vec<ServerError> = Vec::new();
            for mut error in errors {
                if error.message == "Query is nested too deep." {
                    error.message =
                        format!("the query is more than {MAX_DEPTH} levels deep; ask for what lies deeper in a request of its own");
                }
                // some rules of the framework tell the same twice
                if !told.iter().any(|other| other.message == error.message && other.locations == error.locations) {
                    told.push(with_code(error, codes::VALIDATION));
                }
            }
            told
        })
    }
}

/// Adds an error at the field being resolved, which becomes null.
pub(super) fn report(ctx: &ResolverContext<'_>, error: &Error) {
    let error = async_graphql::Error::new(&error.message).extend_with(|_, extensions| extensions.set("code", error.code.as_str()));
    ctx.ctx.add_error(ctx.ctx.set_error_path(error.into_server_error(ctx.ctx.item.pos)));
}

/// What a field that reads ahead gives: a value, or null and an error.
pub(super) fn settle<'a>(ctx: &ResolverContext<'_>, result: Result<Option<FieldValue<'a>>>) -> FieldFuture<'a> {
    FieldFuture::Value(result.unwrap_or_else(|error| {
        report(ctx, &error);
        None
    }))
}
