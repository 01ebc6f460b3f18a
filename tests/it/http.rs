//! HTTP: GraphQL over HTTP, caching, tables, charts, feeds and record pages.

pub mod chart;
pub mod conditional;
pub mod feed;
pub mod graphql_over_http;
pub mod record_page;
pub mod response_cache;
pub mod table;
