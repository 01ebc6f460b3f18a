//! Requests before execution: documents, operations, variables and uploads.

mod conversion;
pub(crate) mod document;
mod input_value;
pub(crate) mod introspection;
pub mod operation;
mod positions;
pub mod upload;
mod validation;
pub(crate) mod variables;
