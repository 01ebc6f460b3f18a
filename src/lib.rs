//! Kurultai: a GraphQL API over an open civic dataset.
//!
//! Dependencies point one way:
//!
//! ```text
//! core <- entity <- catalog <- store <- graphql <- http <- app <- main
//!                              store <- transfer        <- app
//! ```

pub mod app;
pub mod catalog;
pub mod chart;
pub mod cli;
pub mod config;
pub mod core;
pub mod entity;
pub mod graphql;
pub mod http;
pub mod meter;
pub mod store;
pub mod table;
pub mod telemetry;
pub mod transfer;
