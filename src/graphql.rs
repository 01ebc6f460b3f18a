//! The GraphQL schema, made from the declarations of the records, and its execution.
//!
//! A root field reads its whole selection before anything below it is resolved: see [`selection`].
//! What resolves below only looks up what was read, so it neither waits nor fails.

mod connection;
mod error;
mod filter;
mod object;
mod query;
mod scalar;
mod selection;
mod types;

use async_graphql::dynamic::{Schema, SchemaError};
use async_graphql::{Request, Response, Value};

use crate::lang::Languages;
use crate::store::db::Store;

pub use error::codes;
pub use selection::operation_of;

/// Levels of fields that a query may have at most; the standard introspection query has 15.
pub const MAX_DEPTH: usize = 20;

/// Makes the schema. Without a store it can be printed and not asked.
pub fn schema(store: Option<Store>) -> Result<Schema, SchemaError> {
    let mut builder = Schema::build(query::NAME, None, None).limit_depth(MAX_DEPTH).limit_recursive_depth(64).extension(error::Codes);
    if let Some(store) = store {
        builder = builder.data(store);
    }
    let mut builder = query::register(builder);
    builder = scalar::register(builder);
    builder = filter::register(builder);
    builder = connection::register(builder);
    builder = object::register(builder);
    builder = types::register(builder);
    builder.finish()
}

/// The schema in the schema definition language, as committed in `schema.graphql`.
pub fn sdl() -> Result<String, SchemaError> {
    let sdl = schema(None)?.sdl();
    Ok(format!("{}\n", sdl.trim_end()))
}

/// Runs one request for a reader who prefers these languages.
pub async fn execute(schema: &Schema, mut request: Request, languages: Languages) -> Response {
    let keys = request.parsed_query().ok().cloned().map(|document| selection::root_keys(&document, request.operation_name.as_deref()));
    let gaps = query::Gaps::default();
    let mut response = schema.execute(request.data(languages).data(gaps.clone())).await;
    gaps.fill(&mut response);
    if let (Value::Object(data), Some(keys)) = (&mut response.data, keys) {
        // root fields end in any order; the specification wants them in the order of the query
        data.sort_by_cached_key(|name, _| keys.iter().position(|key| key == name.as_str()));
    }
    response
}
