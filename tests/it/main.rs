//! What users may rely on, tried from the outside: over HTTP, GraphQL and the command line, on both databases.

mod bulk;
mod cache;
mod command;
mod conditional;
mod connection;
mod dispute;
mod draft;
mod execution;
mod fault;
mod filter;
mod http;
mod import;
mod layer;
mod mutation;
mod node;
mod plan;
mod property;
mod query;
mod saved;
mod schema;
mod search;
mod server;
mod statement;
mod token;
mod transfer;
mod version;
