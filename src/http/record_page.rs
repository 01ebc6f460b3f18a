//! The page of a record, as HTML and as JSON-LD.

pub(crate) mod example_query;
pub(crate) mod format;
pub(crate) mod handler;
pub(crate) mod html;
pub(crate) mod json_ld;
pub(crate) mod plan;
pub(crate) mod view;
