//! Formats in and out: files, streams and servers that records come from and go to.

pub mod batch;
pub mod csv;
pub mod format;
pub mod input;
pub mod json;
mod line;
pub mod mapping;
pub mod ndjson;
pub mod package;
pub mod popolo;
pub mod push;
pub mod read;
pub mod slug;
pub mod yaml;
