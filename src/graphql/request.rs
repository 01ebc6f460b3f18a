//! Requests before execution: documents, operations, variables and uploads.

pub(crate) mod document;
pub(crate) mod introspection;
pub mod operation;
pub mod upload;
pub(crate) mod variables;
