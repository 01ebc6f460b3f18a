//! Formats in and out.

pub mod import;
pub mod tree;
pub mod yaml;
