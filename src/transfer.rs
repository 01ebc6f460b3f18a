//! Formats in and out.

pub mod yaml;
