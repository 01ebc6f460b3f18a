//! HTTP: GraphQL over HTTP, caching, tables, charts, feeds, record pages, URLs and the schema.

pub mod chart;
pub mod conditional;
pub mod feed;
pub mod graphql_over_http;
pub mod reconcile;
pub mod record_page;
pub mod response_cache;
pub mod schema;
pub mod shares;
pub mod sockets;
pub mod table;
pub mod upload;
pub mod url;
