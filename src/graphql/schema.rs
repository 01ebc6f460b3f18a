//! The schema, built from the catalog.

pub(crate) mod filter;
pub(crate) mod input;
pub(crate) mod object;
pub(crate) mod payload;
pub(crate) mod scalar;
