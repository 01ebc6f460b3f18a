//! Integration tests of the public interfaces, HTTP, GraphQL and the command line, on both databases.

mod cli;
mod graphql;
mod http;
mod interchange;
mod layer;
mod observability;
mod server;
mod store;
