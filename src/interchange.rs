//! Import and export: parses files, streams and packages into drafts, writes packages, pushes records to a server, and checks
//! the web pages of sources.

pub mod akoma_ntoso;
pub mod batch;
pub mod csv;
pub mod format;
pub mod import_reader;
pub mod input;
pub mod json;
mod line_tracker;
pub mod manifest;
pub mod mapping;
pub mod ndjson;
mod omissions;
pub mod package;
pub mod popolo;
pub mod problem;
pub mod push;
pub mod slug;
pub mod source_check;
pub mod yaml;
