//! The types of the schema, built from the record declarations.

pub(crate) mod builder;
pub(crate) mod connection;
pub(crate) mod filter;
pub(crate) mod input;
pub(crate) mod names;
pub(crate) mod object;
pub(crate) mod payload;
pub(crate) mod scalar;
pub(crate) mod subset;
