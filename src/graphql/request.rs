//! Requests before they run: documents, variables and uploads.

pub(crate) mod document;
pub mod upload;
pub(crate) mod variables;
