//! Access: API tokens and saved queries.

pub mod saved_query;
pub(crate) mod saved_query_cache;
pub mod token;
