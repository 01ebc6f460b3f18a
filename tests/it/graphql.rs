//! The GraphQL API: schema, queries, mutations and subscriptions.

pub mod authorization;
pub mod care;
pub mod conformance;
pub mod connection;
pub mod curation;
pub mod execution;
pub mod executor;
pub mod filter;
pub mod import_records;
pub mod likeness;
pub mod limits;
pub mod mutation;
pub mod newsroom;
pub mod node;
pub mod parts;
pub mod query;
pub mod saved_query;
pub mod schema;
pub mod search;
pub mod statistics;
pub mod subscription;
pub mod unmerge;
