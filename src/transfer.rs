//! Formats in and out: files, streams and servers that records come from and go to.

pub mod batch;
pub mod format;
pub mod input;
pub mod json;
pub mod ndjson;
pub mod popolo;
pub mod read;
pub mod yaml;
