//! Kurultai: a GraphQL API over an open civic dataset.
//!
//! Dependencies point one way:
//!
//! ```text
//! core <- entity <- catalog <- store <- graphql <- http <- cli <- main
//!                              store <- interchange     <- cli
//! ```

pub mod catalog;
pub mod chart;
pub mod cli;
pub mod config;
pub mod core;
pub mod entity;
pub mod graphql;
pub mod http;
pub mod interchange;
pub mod observability;
pub mod store;
pub mod tabular;
