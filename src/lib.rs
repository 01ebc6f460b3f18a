//! Kurultai: a GraphQL API over an open civic dataset.
//!
//! Dependencies point one way:
//!
//! ```text
//! id date lang fold page filter error role clock table chart dataset meter telemetry <- entity <- store <- graphql <- http <- app <- main
//!                                                                                                 store <- transfer            <- app
//! ```

pub mod app;
pub mod chart;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dataset;
pub mod date;
pub mod entity;
pub mod error;
pub mod filter;
pub mod fold;
pub mod graphql;
pub mod http;
pub mod id;
pub mod lang;
pub mod meter;
pub mod page;
pub mod role;
pub mod store;
pub mod table;
pub mod telemetry;
pub mod transfer;
