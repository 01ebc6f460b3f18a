//! The command line.

pub mod command;
pub mod output;
pub mod sources;
pub mod tokens;
