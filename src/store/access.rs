//! Access: API tokens and saved queries.

pub mod saved_query;
pub mod token;
