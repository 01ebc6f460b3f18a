//! The page of a record, as HTML and as JSON-LD.

pub(super) mod care;
mod example_query;
pub(super) mod format;
pub(super) mod handler;
mod html;
mod json_ld;
mod page_request;
mod plan;
pub(super) mod stylesheet;
mod view;
